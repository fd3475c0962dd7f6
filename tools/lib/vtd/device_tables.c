// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Translation Structure Formats": from a source-id to its context entry, and
 * from there to the PASID directory.  Each entry is copied once and then judged,
 * for software may write meanwhile.
 */
#include <string.h>
#include "model.h"

static bool copy_entry(struct vtd_reader *r, enum vtd_table what, u64 addr,
		       u64 *to, u32 nr)
{
	const u64 *p = r->m->ops->ptr(r->m, addr, nr * 8, false);
	u32 i;

	if (!p)
		return false;
	for (i = 0; i < nr; i++)
		to[i] = load_acquire(&p[i]);
	if (r->saw)
		r->saw(r, what, addr, to[0]);
	return true;
}

static u64 root_entry(const struct vtd_reader *r, u16 sid)
{
	return page_of(r->m->rtaddr) + (sid >> 8) * 16;
}

/* "Scalable-Mode Root Entry": its halves are for 128 functions each. */
static u8 read_scalable(struct vtd_reader *r, u16 sid, u64 *ctx)
{
	u64 addr = root_entry(r, sid) + (sid & 0x80 ? 8 : 0);
	u64 root;
	u8 reason;

	if (!copy_entry(r, VTD_ROOT, addr, &root, 1))
		return FR_SRT_1;
	reason = vtd_check_root(&r->m->caps, root);
	if (reason)
		return reason;
	addr = page_of(root) + (sid & 0x7f) * 32;
	if (!copy_entry(r, VTD_CONTEXT, addr, ctx, 4))
		return FR_SCT_1;
	r->fpd = ctx[0] & CTX_FPD;
	return vtd_check_context(&r->m->caps, ctx);
}

/* "Root Entry", "Context Entry" of legacy mode. */
static u8 read_legacy(struct vtd_reader *r, u16 sid, u64 *ctx)
{
	u64 root[2];
	u64 addr;
	u8 reason;

	if (!copy_entry(r, VTD_ROOT, root_entry(r, sid), root, 2))
		return FR_LRT_1;
	reason = vtd_check_legacy_root(&r->m->caps, root);
	if (reason)
		return reason;
	addr = page_of(root[0]) + (sid & 0xff) * 16;
	if (!copy_entry(r, VTD_CONTEXT, addr, ctx, 2))
		return FR_LCT_1;
	ctx[2] = 0;
	ctx[3] = 0;
	r->fpd = ctx[0] & CTX_FPD;
	return vtd_check_legacy_context(&r->m->caps, ctx);
}

u8 vtd_read_context(struct vtd_reader *r, u16 sid, u64 *ctx)
{
	if (RTADDR_TTM(r->m->rtaddr) == TTM_LEGACY)
		return read_legacy(r, sid, ctx);
	return read_scalable(r, sid, ctx);
}

u8 vtd_read_directory(struct vtd_reader *r, u64 dir, u32 index, u64 *pde)
{
	if (!copy_entry(r, VTD_DIRECTORY, dir + index * 8ULL, pde, 1))
		return FR_SPD_1;
	r->fpd |= !!(*pde & PDE_FPD);
	return vtd_check_directory(&r->m->caps, *pde);
}

void vtd_legacy_entry(const u64 *ctx, u64 *pe)
{
	u8 pgtt = LCTX_TT(ctx[0]) == LCTX_PASSTHROUGH ? PGTT_PASSTHROUGH :
							PGTT_SECOND;

	memset(pe, 0, 64);
	pe[0] = PE_P | page_of(ctx[0]) | PE_AW_IS(LCTX_AW(ctx[1])) |
		PE_PGTT_IS(pgtt);
	pe[1] = LCTX_DID(ctx[1]);
}
