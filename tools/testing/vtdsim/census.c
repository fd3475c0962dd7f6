// SPDX-License-Identifier: GPL-2.0-only
/*
 * VTDSIM_OP_CENSUS: what tables, caches and page request groups hold.
 */
#include <string.h>
#include "base.h"
#include "caches.h"
#include "census.h"
#include "model.h"
#include "page_requests.h"
#include "platform.h"
#include "request.h"
#include "state.h"
#include "structures.h"
#include "vtd.h"
#include "vtdsim_abi.h"
#include "walk_state.h"

static void census_entry(const u64 *pe, struct vtdsim_census *out)
{
	int i;

	for (i = 0; i < 8; i++) {
		if (pe[i]) {
			out->nonzero++;
			break;
		}
	}
	if (!(pe[0] & PE_P))
		return;
	out->present++;
	if (PE_PGTT(pe[0]) == PGTT_NESTED)
		out->nested++;
}

static void census_table(const struct ram *ram, u64 pde, u32 first, bool one,
			 u32 pasid, struct vtdsim_census *out)
{
	u64 *p = ram_ptr(ram, page_of(pde), 4096);
	u32 i;

	if (!(pde & PDE_P) || !p)
		return;
	for (i = 0; i < 64; i++) {
		if (one ? first + i == pasid : first + i != 0)
			census_entry(p + i * 8, out);
	}
}

/* Count what the tables and caches still hold of a PASID, or of every one. */
void census(struct ep *ep, bool one, u32 pasid, struct vtdsim_census *out)
{
	struct request rq = { .sid = ep->sid };
	struct walk w = { .u = ep->u, .rq = &rq, .peek = true };
	u64 none = 0;
	u64 *dir = NULL;
	u32 i, nr;

	memset(out, 0, sizeof(*out));
	out->pasid_cache = pasid_cache_count(&ep->u->pasids, ep->sid, one,
					     pasid);
	cache_count(&ep->u->iotlb, one, pasid, &out->iotlb, &out->paging_cache);
	cache_count(&ep->devtlb, one, pasid, &out->dev_tlb, &none);
	out->page_requests = page_requests_count(ep, one, pasid);
	if (RTADDR_TTM(ep->u->m.rtaddr) != TTM_SCALABLE || find_context(&w))
		return;
	nr = vtd_directory_size(w.ctx[0]);
	dir = ram_ptr(&ep->u->sim->ram, page_of(w.ctx[0]), nr * 8ULL);
	if (!dir)
		return;
	for (i = 0; i < nr; i++)
		census_table(&ep->u->sim->ram, load_acquire(&dir[i]), i * 64,
			     one, pasid, out);
}
