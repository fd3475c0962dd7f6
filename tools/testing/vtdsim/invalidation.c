// SPDX-License-Identifier: GPL-2.0-only
/*
 * "Queued Invalidation Interface" and the scope of every descriptor.
 *
 * Descriptors are executed to the end, one at a time, so a wait descriptor has
 * nothing to wait for; and in order, but for overtake() in an adverse unit.  Nor
 * has a polite unit anything to drain: an access is over before the next
 * descriptor, a page request is in the queue, or answered, before its endpoint
 * goes on, and a response reaches the endpoint when its descriptor is executed.
 * In an adverse one (adverse.c) all of them may be on their way, and what drains
 * them makes them arrive.
 */
#include <time.h>
#include "adverse.h"
#include "base.h"
#include "caches.h"
#include "command.h"
#include "endpoint.h"
#include "failures.h"
#include "invalidation.h"
#include "model.h"
#include "oracle.h"
#include "page_requests.h"
#include "state.h"
#include "topology.h"
#include "trace.h"
#include "vtd.h"
#include "vtdsim_abi.h"

#define DESCS_PER_POLL	64
#define OVERTAKE_PERMILLE	500

/* Legacy mode: entries have a DID. */
static void drop_legacy_context(struct unit *u, const u64 *d)
{
	u16 did = INV_DID(d[0]);

	if (INV_G(d[0]) == 3)
		sid_cache_drop_in_did(&u->ctx, INV_SID(d[0]),
				      INV_FM(d[0]), did);
	else if (INV_G(d[0]) == 2)
		sid_cache_drop_did(&u->ctx, did);
	else
		sid_cache_drop_all(&u->ctx);
}

/* "Context-cache Invalidate Descriptor" */
void invalidation_context(struct unit *u, const u64 *d)
{
	u32 fm = INV_FM(d[0]);
	u16 sid = INV_SID(d[0]);

	write_buffer_flush(u);
	if (unit_is_legacy(u))
		drop_legacy_context(u, d);
	else if (INV_G(d[0]) == 3)
		sid_cache_drop(&u->ctx, sid, fm);
	else
		sid_cache_drop_all(&u->ctx);
	oracle_invalidated(u, &(struct scope){
		.cache = CACHE_CONTEXT, .by_sid = INV_G(d[0]) == 3,
		.sid = sid, .sid_ignored = vtd_sid_ignored(fm),
		.by_did = unit_is_legacy(u) && INV_G(d[0]) != 1,
		.did = INV_DID(d[0]),
	});
}

/* "PASID-cache Invalidate Descriptor" */
static void inv_pasid_cache(struct unit *u, const u64 *d)
{
	u16 did = INV_DID(d[0]);
	u32 pasid = INV_PASID(d[0]);

	write_buffer_flush(u);
	oracle_invalidated(u, &(struct scope){
		.cache = CACHE_PASID, .by_did = INV_G(d[0]) < 2, .did = did,
		.by_pasid = INV_G(d[0]) == 1, .pasid = pasid,
	});
	switch (INV_G(d[0])) {
	case 0:
		pasid_cache_drop_did(&u->pasids, did);
		break;
	case 1:
		pasid_cache_drop(&u->pasids, did, pasid);
		break;
	default:
		pasid_cache_drop_all(&u->pasids);
	}
}

/*
 * "Draining of Reads and Writes": requests that the unit has translated and that
 * are still on their way arrive.
 */
static void drain(struct unit *u, bool reads, bool writes)
{
	u32 e;

	for (e = 0; e < u->nr_eps; e++)
		ep_drain(&u->ep[e], false, reads, writes);
}

/* "IOTLB Invalidate" */
void invalidation_iotlb(struct unit *u, const u64 *d)
{
	u16 did = INV_DID(d[0]);
	u64 addr;
	u64 size = vtd_iotlb_range(&addr, d[1]);

	bool by_addr = INV_G(d[0]) == 3 && u->cfg.psi;

	write_buffer_flush(u);
	oracle_invalidated(u, &(struct scope){
		.cache = CACHE_IOTLB, .by_did = INV_G(d[0]) != 1, .did = did,
		.by_addr = by_addr, .second_only = true, .addr = addr,
		.size = size, .hint = INV_HINT(d[1]),
	});
	if (INV_G(d[0]) == 1)
		cache_drop_all(&u->iotlb);
	else if (!by_addr)
		cache_drop_did(&u->iotlb, did);
	else
		cache_drop_second_range(&u->iotlb, did, addr, size,
					INV_HINT(d[1]));
	drain(u, d[0] & IOTLB_DR, d[0] & IOTLB_DW);
}

/* "PASID-based-IOTLB Invalidate Descriptor" */
static void inv_piotlb(struct unit *u, const u64 *d)
{
	u16 did = INV_DID(d[0]);
	u32 pasid = INV_PASID(d[0]);
	u64 addr;
	u64 size = vtd_iotlb_range(&addr, d[1]);

	write_buffer_flush(u);
	oracle_invalidated(u, &(struct scope){
		.cache = CACHE_IOTLB, .by_did = true, .did = did,
		.by_pasid = true, .pasid = pasid, .with_first = true,
		.by_addr = INV_G(d[0]) == 3, .addr = addr, .size = size,
		.hint = INV_HINT(d[1]),
	});
	if (INV_G(d[0]) == 2)
		cache_drop_pasid(&u->iotlb, did, pasid);
	else
		cache_drop_pasid_range(&u->iotlb, did, pasid, addr, size,
				       INV_HINT(d[1]));
	/* The descriptor has no flags for it: it always drains. */
	drain(u, true, true);
}

/* Is one of the unit's errors on demand due? */
static bool error_due(struct unit *u, bool completion)
{
	bool due = false;
	u32 e;

	for (e = 0; e < u->nr_eps; e++)
		due |= ep_fails_unit(&u->ep[e], completion);
	return due;
}

/* "Invalidation Completion Error": a completion that nobody waits for. */
static void completion_error(struct unit *u, u16 sid)
{
	reg_write64(u, REG_IQERCD,
		    (reg_read64(u, REG_IQERCD) & GENMASK_ULL(47, 0)) |
		    IQERCD_ICESID(sid));
	vtd_fault_status_set(&u->m, FSTS_ICE);
}

/*
 * An endpoint that is not there, or does not answer, never completes the
 * request: "Invalidation Time-out Error".  Waits behind it are aborted, for
 * software to retry.
 */
static struct ep *device_of(struct unit *u, u16 sid)
{
	struct ep *ep = unit_find_ep(u, sid);

	if (ep && ep_answers(ep)) {
		if (error_due(u, true))
			completion_error(u, sid);
		return ep;
	}
	if (!u->timed_out) {
		trace_note(u, "invalidation time-out: %04x does not answer", sid);
		u->timed_out = true;
		u->timed_out_sid = sid;
	}
	return NULL;
}

/*
 * Reported when the queue has stopped: software takes the waits up to the head
 * for aborted, and those beyond it for pending.
 */
static void report_time_out(struct unit *u)
{
	u16 sid = u->timed_out_sid;
	u32 e;

	if (!u->timed_out)
		return;
	u->timed_out = false;
	for (e = 0; e < u->nr_eps; e++)
		sid = ep_names(&u->ep[e], sid);
	vtd_queue_timed_out(&u->m, sid);
}

static void inv_devtlb(struct unit *u, const u64 *d)
{
	u64 addr = d[1];
	u64 size = vtd_device_tlb_range(&addr, INV_S(d[1]));
	struct ep *ep = device_of(u, INV_SID(d[0]));

	if (ep)
		ep_invalidate(ep, false, 0, false, addr, size);
}

/* "PASID-based-Device-TLB Invalidate Descriptor" */
static void inv_pdevtlb(struct unit *u, const u64 *d)
{
	u64 addr = d[1];
	u64 size = vtd_device_tlb_range(&addr, INV_PASID_S(d[1]));
	struct ep *ep = device_of(u, INV_PASID_SID(d[0]));

	if (ep)
		ep_invalidate(ep, true, INV_PASID(d[0]), INV_ALL_PASIDS(d[1]),
			      addr, size);
}

/* "Interrupt Entry Cache Invalidate": no interrupt is remapped here. */
static void inv_iec(struct unit *u, const u64 *d)
{
	(void)d;
	write_buffer_flush(u);
}

/* "Page Stream Response": of older revisions, accepted, no effect. */
static void inv_pstream(struct unit *u, const u64 *d)
{
	(void)u;
	(void)d;
}

/* "Page Request Draining": those on their way, and responses likewise. */
static void drain_page_requests(struct unit *u)
{
	u32 e;

	for (e = 0; e < u->nr_eps; e++)
		page_messages_deliver(&u->ep[e]);
}

/* "Invalidation Wait Descriptor" */
static void inv_wait(struct unit *u, const u64 *d)
{
	if (u->timed_out)
		return;
	if (d[0] & WAIT_PD)
		drain_page_requests(u);
	oracle_waited(u);
	if (d[0] & (WAIT_SW | WAIT_IF))
		u->cnt.u_waits++;
	vtd_queue_waited(&u->m, d);
}

static const struct {
	void (*execute)(struct unit *u, const u64 *d);
	u8 counter;
} kinds[] = {
	[INV_CONTEXT] = { invalidation_context, VTDSIM_D_CONTEXT },
	[INV_IOTLB] = { invalidation_iotlb, VTDSIM_D_IOTLB },
	[INV_DEVTLB] = { inv_devtlb, VTDSIM_D_DEVTLB },
	[INV_IEC] = { inv_iec, VTDSIM_D_IEC },
	[INV_WAIT] = { inv_wait, VTDSIM_D_WAIT },
	[INV_PIOTLB] = { inv_piotlb, VTDSIM_D_PIOTLB },
	[INV_PASID_CACHE] = { inv_pasid_cache, VTDSIM_D_PASID_CACHE },
	[INV_PDEVTLB] = { inv_pdevtlb, VTDSIM_D_PDEVTLB },
	[INV_PGRP_RESP] = { page_response, VTDSIM_D_PGRP_RESP },
	[INV_PSTREAM_RESP] = { inv_pstream, VTDSIM_D_PSTREAM_RESP },
};

/* "Invalidation Queue Error": stop at the head until software clears it. */
static bool queue_error(struct unit *u, enum iqei info)
{
	u->cnt.u_iqe++;
	trace_note(u, "invalidation queue error %d at offset %#x", info,
		   u->m.iqh);
	vtd_queue_error(&u->m, info);
	return false;
}

static void execute(struct unit *u, const u64 *d)
{
	u8 type = inv_type(d[0]);

	trace_desc(u, d);
	u->cnt.u_desc[kinds[type].counter]++;
	u->cnt.u_desc_total++;
	kinds[type].execute(u, d);
}

/* The descriptor at offset @at: IQEI_NONE, or the error. */
static u8 fetch(struct unit *u, u64 iqa, u32 at, u64 *d)
{
	u8 info = vtd_queue_fetch(&u->m, iqa, at, d);
	u32 e;

	for (e = 0; e < u->nr_eps && !info; e++)
		if (ep_refuses(&u->ep[e], d))
			info = IQEI_TYPE;
	return info;
}

static bool may_overtake(const u64 *first, const u64 *second)
{
	u8 a = inv_type(first[0]), b = inv_type(second[0]);

	return (a == INV_CONTEXT || a == INV_PASID_CACHE) &&
	       (b == INV_DEVTLB || b == INV_PDEVTLB);
}

/*
 * Adverse: "Queued Invalidation Ordering Considerations".  The IOTLB's turn comes
 * when the context and PASID caches before it are done, the device TLB's when the
 * IOTLB before it is.  So a device TLB right behind a PASID cache need not wait.
 */
static bool overtake(struct unit *u, u64 iqa, u32 tail, const u64 *first)
{
	u32 next = vtd_queue_after(iqa, u->m.iqh);
	u64 d[4];

	if (next == tail || !adverse_chance(u, OVERTAKE_PERMILLE) ||
	    fetch(u, iqa, next, d) || !may_overtake(first, d))
		return false;
	u->iq_early = next;
	execute(u, d);
	return true;
}

static bool queue_advance(struct unit *u, u64 iqa)
{
	vtd_queue_advance(&u->m, vtd_queue_after(iqa, u->m.iqh));
	return true;
}

/* The one at the head, or the one behind it.  False: an error. */
static bool run_one(struct unit *u, u64 iqa, u32 tail)
{
	bool overtaken = u->iq_early != NOT_EARLY;
	u64 d[4] = { 0 };
	u8 info;

	if (u->m.iqh == u->iq_early) {
		u->iq_early = NOT_EARLY;
		return queue_advance(u, iqa);
	}
	info = !overtaken && error_due(u, false) ?
	       IQEI_TYPE : fetch(u, iqa, u->m.iqh, d);
	if (info) {
		trace_desc(u, d);
		return queue_error(u, info);
	}
	if (!overtaken && overtake(u, iqa, tail, d))
		return true;
	execute(u, d);
	return queue_advance(u, iqa);
}

static u64 clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Up to the tail, or @max descriptors. */
static void run_some(struct unit *u, u64 iqa, u32 tail, u32 max)
{
	u64 start = clock_ns();
	u32 i;

	for (i = 0; u->m.iqh != tail; i++) {
		if (i >= max && !u->timed_out)
			break;
		if (!run_one(u, iqa, tail))
			break;
	}
	u->cnt.u_queue_ns += clock_ns() - start;
}

/*
 * Up to the tail, in portions, so that a long submission does not hold up the
 * endpoints.  A time-out lets the queue run on to the tail, its waits aborted;
 * then it stops until software has cleared it.
 */
bool invalidation_poll(struct unit *u)
{
	u32 tail;
	u64 iqa;
	u8 info;

	if (!vtd_queue_ready(&u->m, &tail))
		return false;
	if (u->iq_rest) {
		u->iq_rest--;
		return true;
	}
	u->iq_rest = adverse_rest(u);
	iqa = reg_read64(u, REG_IQA);
	info = vtd_check_tail(iqa, u->m.iqh, tail, RTADDR_TTM(u->m.rtaddr));
	if (info)
		return queue_error(u, info);
	if (tail != u->iqt_seen) {
		u->iqt_seen = tail;
		u->cnt.u_submissions++;
	}
	run_some(u, iqa, tail, u->sim->cfg.adverse ? 1 : DESCS_PER_POLL);
	report_time_out(u);
	return true;
}
