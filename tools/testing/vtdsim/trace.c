// SPDX-License-Identifier: GPL-2.0-only
/*
 * What --trace prints and the counters at exit: the specification's terms, in
 * words.
 */
#include <stdarg.h>
#include "base.h"
#include "faults.h"
#include "request.h"
#include "state.h"
#include "trace.h"
#include "vtd.h"
#include "vtdsim_abi.h"

static const char * const desc_names[VTDSIM_NR_DESC_TYPES] = {
	[VTDSIM_D_CONTEXT] = "context-cache invalidate",
	[VTDSIM_D_PASID_CACHE] = "PASID-cache invalidate",
	[VTDSIM_D_IOTLB] = "IOTLB invalidate",
	[VTDSIM_D_PIOTLB] = "PASID-based-IOTLB invalidate",
	[VTDSIM_D_DEVTLB] = "device-TLB invalidate",
	[VTDSIM_D_PDEVTLB] = "PASID-based-device-TLB invalidate",
	[VTDSIM_D_IEC] = "interrupt-entry-cache invalidate",
	[VTDSIM_D_WAIT] = "invalidation wait",
	[VTDSIM_D_PGRP_RESP] = "page group response",
	[VTDSIM_D_PSTREAM_RESP] = "page stream response",
};

static void vnote(struct unit *u, const char *fmt, va_list args)
{
	fprintf(u->sim->trace, "vtdsim unit %u: ", u->index);
	vfprintf(u->sim->trace, fmt, args);
	fputc('\n', u->sim->trace);
}

void trace_note(struct unit *u, const char *fmt, ...)
{
	va_list args;

	if (!u->sim->trace)
		return;
	va_start(args, fmt);
	vnote(u, fmt, args);
	va_end(args);
}

static unsigned int did_of(const u64 *d)
{
	return INV_DID(d[0]);
}

static unsigned int pasid_of(const u64 *d)
{
	return INV_PASID(d[0]);
}

static void trace_context(struct unit *u, const u64 *d)
{
	static const char * const g[] = {
		"reserved", "global", "domain-selective", "device-selective",
	};

	trace_note(u, "context-cache invalidate, %s: source-id %04x mask %u",
		   g[INV_G(d[0])], (unsigned int)INV_SID(d[0]),
		   (unsigned int)INV_FM(d[0]));
}

static void trace_pasid_cache(struct unit *u, const u64 *d)
{
	static const char * const g[] = {
		"all PASIDs of the domain", "PASID-selective", "reserved",
		"global",
	};

	trace_note(u, "PASID-cache invalidate, %s: DID %u PASID %#x",
		   g[INV_G(d[0])], did_of(d), pasid_of(d));
}

static void trace_iotlb(struct unit *u, const u64 *d)
{
	static const char * const g[] = {
		"reserved", "global", "domain-selective", "page-selective",
	};

	trace_note(u, "IOTLB invalidate, %s: DID %u at %#llx mask %u hint %u",
		   g[INV_G(d[0])], did_of(d), page_of(d[1]),
		   (unsigned int)bits(d[1], 5, 0),
		   (unsigned int)INV_HINT(d[1]));
}

static void trace_piotlb(struct unit *u, const u64 *d)
{
	static const char * const g[] = {
		"reserved", "reserved", "PASID-selective", "page-selective",
	};

	trace_note(u, "PASID-based-IOTLB invalidate, %s: DID %u PASID %#x at %#llx mask %u hint %u",
		   g[INV_G(d[0])], did_of(d), pasid_of(d), page_of(d[1]),
		   (unsigned int)bits(d[1], 5, 0),
		   (unsigned int)INV_HINT(d[1]));
}

static void trace_devtlb(struct unit *u, const u64 *d)
{
	trace_note(u, "device-TLB invalidate: %04x at %#llx size bit %u",
		   (unsigned int)INV_SID(d[0]), page_of(d[1]),
		   (unsigned int)(d[1] & 1));
}

static void trace_pdevtlb(struct unit *u, const u64 *d)
{
	trace_note(u, "PASID-based-device-TLB invalidate: %04x PASID %#x%s at %#llx size bit %u",
		   did_of(d), pasid_of(d), d[1] & 1 ? " global" : "",
		   page_of(d[1]), (unsigned int)INV_PASID_S(d[1]));
}

static void trace_wait(struct unit *u, const u64 *d)
{
	trace_note(u, "invalidation wait:%s%s%s%s status %#x to %#llx",
		   d[0] & WAIT_SW ? " write" : "",
		   d[0] & WAIT_IF ? " interrupt" : "",
		   d[0] & WAIT_FN ? " fence" : "",
		   d[0] & WAIT_PD ? " page-request drain" : "",
		   (unsigned int)bits(d[0], 63, 32), d[1] & ~3ULL);
}

static void trace_response(struct unit *u, const u64 *d)
{
	trace_note(u, "page group response: source-id %04x PASID %#x group %u code %u",
		   did_of(d), pasid_of(d), (unsigned int)bits(d[1], 11, 3),
		   (unsigned int)bits(d[0], 15, 12));
}

void trace_desc(struct unit *u, const u64 *d)
{
	static void (* const decode[])(struct unit *u, const u64 *d) = {
		[INV_CONTEXT] = trace_context,
		[INV_IOTLB] = trace_iotlb,
		[INV_DEVTLB] = trace_devtlb,
		[INV_WAIT] = trace_wait,
		[INV_PIOTLB] = trace_piotlb,
		[INV_PASID_CACHE] = trace_pasid_cache,
		[INV_PDEVTLB] = trace_pdevtlb,
		[INV_PGRP_RESP] = trace_response,
	};
	u32 type = inv_type(d[0]);

	if (!u->sim->trace)
		return;
	if (type < ARRAY_SIZE(decode) && decode[type])
		decode[type](u, d);
	else
		trace_note(u, "descriptor of type %u: %#llx %#llx", type, d[0],
			   d[1]);
}

static const char *request_name(const struct request *rq)
{
	if (rq->page_request)
		return "page request";
	if (rq->at == AT_TRANSLATION)
		return rq->write ? "translation request (write)" :
				   "translation request (read)";
	if (rq->at == AT_TRANSLATED)
		return rq->write ? "translated write" : "translated read";
	if (rq->read && rq->write)
		return "atomic";
	return rq->write ? "write" : "read";
}

void trace_translation(struct unit *u, const struct request *rq,
		       const struct translation *t)
{
	static const char * const pgtt[8] = {
		"no table", "first stage", "second stage", "nested",
		"pass-through", "?", "?", "?",
	};
	char pasid[24] = "no PASID";

	if (!u->sim->trace)
		return;
	if (rq->has_pasid)
		snprintf(pasid, sizeof(pasid), "PASID %#x", rq->pasid);
	if (t->reason)
		trace_note(u, "%s by %04x, %s%s, address %#llx: fault %#x, %s%s",
			   request_name(rq), rq->sid, pasid,
			   rq->priv ? ", privileged" : "", rq->addr, t->reason,
			   fault_text(t->reason),
			   t->fpd ? " (reporting disabled)" : "");
	else
		trace_note(u, "%s by %04x, %s%s, address %#llx: %s, DID %u, to %#llx %s%s%s",
			   request_name(rq), rq->sid, pasid,
			   rq->priv ? ", privileged" : "", rq->addr,
			   pgtt[t->pgtt & 7], t->did, t->hpa,
			   t->read ? "r" : "-", t->write ? "w" : "-",
			   t->exec ? "x" : "-");
}

static void print_counter(FILE *f, const char *who, const char *what, u64 val)
{
	if (val)
		fprintf(f, "vtdsim %s: %s: %llu\n", who, what, val);
}

static void print_faults(FILE *f, const char *who, const u64 *by_reason)
{
	char what[80];
	u32 i;

	for (i = 0; i < 256; i++) {
		snprintf(what, sizeof(what), "fault %#x (%s)", i,
			 fault_text(i));
		print_counter(f, who, what, by_reason[i]);
	}
}

static void print_unit(FILE *f, const struct unit *u)
{
	const struct vtdsim_counters *c = &u->cnt;
	const struct {
		const char *name;
		u64 val;
	} list[] = {
		{ "descriptors", c->u_desc_total },
		{ "submissions", c->u_submissions },
		{ "waits", c->u_waits },
		{ "translations", c->u_translations },
		{ "walks", c->u_walks },
		{ "context-cache hits", c->u_hits_context },
		{ "PASID-cache hits", c->u_hits_pasid },
		{ "IOTLB hits", c->u_hits_iotlb },
		{ "paging-structure-cache hits", c->u_hits_paging },
		{ "device-TLB hits", c->u_hits_devtlb },
		{ "outdated hits", c->u_outdated_hits },
		{ "stale hits", c->u_stale_hits },
		{ "evictions", c->u_evictions },
		{ "page requests", c->u_page_requests },
		{ "page request overflows", c->u_prq_overflows },
		{ "invalidation queue errors", c->u_iqe },
		{ "faults", c->u_faults },
	};
	char who[32];
	size_t i;

	snprintf(who, sizeof(who), "unit %u", u->index);
	for (i = 0; i < VTDSIM_NR_DESC_TYPES; i++)
		print_counter(f, who, desc_names[i], c->u_desc[i]);
	for (i = 0; i < ARRAY_SIZE(list); i++)
		print_counter(f, who, list[i].name, list[i].val);
	print_faults(f, who, c->u_faults_by_reason);
}

static void print_ep(FILE *f, const struct ep *ep)
{
	const struct vtdsim_counters *c = &ep->cnt;
	char who[32];

	snprintf(who, sizeof(who), "endpoint %u.%u", ep->u->index, ep->index);
	print_counter(f, who, "DMA reads", c->e_dma_reads);
	print_counter(f, who, "DMA writes", c->e_dma_writes);
	print_counter(f, who, "bytes", c->e_bytes);
	print_counter(f, who, "page requests", c->e_page_requests);
	print_counter(f, who, "page responses", c->e_page_responses);
}

void counters_print(struct sim *sim, FILE *f)
{
	u32 i, e;

	for (i = 0; i < sim->nr_units; i++) {
		print_unit(f, &sim->unit[i]);
		for (e = 0; e < sim->unit[i].nr_eps; e++)
			print_ep(f, &sim->unit[i].ep[e]);
	}
}
