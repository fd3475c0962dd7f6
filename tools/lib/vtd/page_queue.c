// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Page Request Queue", and the response that comes back.
 */
#include "model.h"

#define PRQ_ENTRY	32

void vtd_prs_set(struct vtd_model *m, u32 bit)
{
	bool was;

	vtd_sync(m);
	was = m->prs & bit;
	m->prs |= bit;
	m->prs_again |= was ? bit : 0;
	m->ops->publish(m);
	if (!was)
		vtd_event_raise(m, &m->ev_prq);
}

u32 vtd_page_queue_mask(const struct vtd_model *m)
{
	return (0x1000u << bits(vtd_get64(m, REG_PQA), 2, 0)) - PRQ_ENTRY;
}

/* "Page Request Descriptor" */
static void write_entry(u64 *p, const struct vtd_page_request *rq)
{
	u64 d0 = 1 | (u64)rq->sid << 16;
	u64 d1 = page_of(rq->addr) | (u64)(rq->index & 511) << 3;

	if (rq->has_pasid)
		d0 |= BIT_ULL(8) | (u64)(rq->pasid & 0xfffff) << 32;
	d0 |= rq->exec ? BIT_ULL(52) : 0;
	d0 |= rq->priv ? BIT_ULL(53) : 0;
	d1 |= rq->read ? BIT_ULL(0) : 0;
	d1 |= rq->write ? BIT_ULL(1) : 0;
	d1 |= rq->last ? BIT_ULL(2) : 0;
	p[0] = d0;
	p[1] = d1;
	p[2] = 0;
	p[3] = 0;
}

/*
 * "Page Request Overflow": a request that finds the queue full, or an overflow
 * that software has not cleared, is discarded.
 */
enum prq_result vtd_page_request_queue(struct vtd_model *m,
				       const struct vtd_page_request *rq,
				       u32 *offset)
{
	u64 base = page_of(vtd_get64(m, REG_PQA));
	u32 mask = vtd_page_queue_mask(m);
	u32 head = vtd_get64(m, REG_PQH) & mask;
	u32 tail = vtd_get64(m, REG_PQT) & mask;
	u32 next = (tail + PRQ_ENTRY) & mask;
	u64 *p;

	if (m->prs & PRS_PRO || next == head) {
		vtd_prs_set(m, PRS_PRO);
		return PRQ_OVERFLOWED;
	}
	p = base ? m->ops->ptr(m, base + tail, PRQ_ENTRY, true) : NULL;
	if (!p)
		return PRQ_UNREACHABLE;
	write_entry(p, rq);
	if (m->ops->queued)
		m->ops->queued(m, tail, p, head == tail);
	*offset = tail;
	vtd_set64(m, REG_PQT, next);
	vtd_prs_set(m, PRS_PPR);
	return PRQ_QUEUED;
}

struct vtd_page_response vtd_page_response(const u64 *d)
{
	return (struct vtd_page_response){
		.pasid = bits(d[0], 51, 32), .sid = bits(d[0], 31, 16),
		.index = bits(d[1], 11, 3), .has_pasid = d[0] & BIT_ULL(4),
		.code = bits(d[0], 15, 12),
	};
}
