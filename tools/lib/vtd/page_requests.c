// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Page Request Services": from the host's record of a page request, over the
 * guest's page request queue, to the guest's response and back to the host.
 *
 * A group is known from its last request on, until it has been answered: by the
 * guest, by the unit itself, or by the host.  What the guest can no longer see,
 * because it has overwritten its queue, is answered with success: the device
 * asks again.
 */
#include <stdlib.h>
#include <string.h>
#include "unit.h"

#define PRQ_ENTRY	32

static u32 queue_mask(const struct vvtd *v)
{
	return (0x1000u << bits(vtd_get64(&v->m, REG_PQA), 2, 0)) - PRQ_ENTRY;
}

static void respond(struct vvtd_dev *dev, u64 cookie, u8 answer)
{
	dev->v->ops.respond(dev->v->ctx, dev->host, cookie, answer);
}

static void group_forget(struct vvtd_dev *dev, u32 i)
{
	dev->group[i] = dev->group[--dev->nr_groups];
}

static void group_end(struct vvtd_dev *dev, u32 i, u8 answer)
{
	u64 cookie = dev->group[i].cookie;

	group_forget(dev, i);
	respond(dev, cookie, answer);
}

static bool group_find(const struct vvtd_dev *dev, u16 index, bool has_pasid,
		       u32 pasid, u32 *i)
{
	for (*i = 0; *i < dev->nr_groups; ++*i) {
		const struct page_group *g = &dev->group[*i];

		if (g->index == index && g->has_pasid == has_pasid &&
		    (!has_pasid || g->pasid == pasid))
			return true;
	}
	return false;
}

void vv_groups_end(struct vvtd_dev *dev, bool answered, u8 answer)
{
	while (dev->nr_groups) {
		if (answered)
			group_end(dev, 0, answer);
		else
			group_forget(dev, 0);
	}
}

static void prs_set(struct vvtd *v, u32 bit)
{
	bool was = v->m.prs & bit;

	v->m.prs |= bit;
	v->m.ops->publish(&v->m);
	if (!was)
		vtd_event_raise(&v->m, &v->m.ev_prq);
}

/* "Page Request Descriptor" */
static void write_entry(u64 *p, u16 sid, const struct vvtd_page_request *rq)
{
	u64 d0 = 1 | (u64)sid << 16;
	u64 d1 = page_of(rq->addr) | (u64)(rq->group & 511) << 3;

	if (rq->has_pasid)
		d0 |= BIT_ULL(8) | (u64)(rq->pasid & 0xfffff) << 32;
	d0 |= rq->exec ? BIT_ULL(52) : 0;
	d0 |= rq->privileged ? BIT_ULL(53) : 0;
	d1 |= rq->read ? BIT_ULL(0) : 0;
	d1 |= rq->write ? BIT_ULL(1) : 0;
	d1 |= rq->last ? BIT_ULL(2) : 0;
	p[0] = d0;
	p[1] = d1;
	p[2] = 0;
	p[3] = 0;
}

static void group_add(struct vvtd_dev *dev, const struct vvtd_page_request *rq,
		      u32 offset)
{
	dev->group[dev->nr_groups++] = (struct page_group){
		.cookie = rq->cookie, .since = dev->v->ops.now(dev->v->ctx),
		.pasid = rq->pasid, .offset = offset, .index = rq->group,
		.has_pasid = rq->has_pasid, .in_queue = true,
	};
}

/*
 * "Page Request Queue", "Page Request Overflow".  False: answer @rq, if it is
 * the last of its group, with *@answer.
 */
static bool enqueue(struct vvtd_dev *dev, const struct vvtd_page_request *rq,
		    u8 *answer)
{
	struct vvtd *v = dev->v;
	u32 mask = queue_mask(v);
	u32 head = vtd_get32(&v->m, REG_PQH) & mask;
	u32 tail = vtd_get32(&v->m, REG_PQT) & mask;
	u32 next = (tail + PRQ_ENTRY) & mask;
	u64 base = page_of(vtd_get64(&v->m, REG_PQA));
	u64 *p;

	*answer = VVTD_ANSWER_SUCCESS;
	if (v->m.prs & PRS_PRO || next == head ||
	    dev->nr_groups == MAX_GROUPS) {
		prs_set(v, PRS_PRO);
		return false;
	}
	*answer = VVTD_ANSWER_FAILURE;
	p = base ? vv_ptr(v, base + tail, PRQ_ENTRY, true) : NULL;
	if (!p)
		return false;
	write_entry(p, dev->sid, rq);
	if (rq->last)
		group_add(dev, rq, tail);
	vtd_set32(&v->m, REG_PQT, next);
	v->stats.page_requests++;
	prs_set(v, PRS_PPR);
	return true;
}

static bool is_allowed(struct vvtd_dev *dev, const struct vvtd_page_request *rq)
{
	u32 i;

	if (dev->mode != MODE_SCALABLE || !dev->pre ||
	    (rq->has_pasid && !dev->paside))
		return false;
	/* The index of a group is free again once it has been answered. */
	return !group_find(dev, rq->group, rq->has_pasid, rq->pasid, &i);
}

void vvtd_page_request(struct vvtd_dev *dev, const struct vvtd_page_request *rq)
{
	u8 answer = VVTD_ANSWER_INVALID;

	if (is_allowed(dev, rq) && enqueue(dev, rq, &answer))
		return;
	if (rq->last)
		respond(dev, rq->cookie, answer);
}

void vvtd_page_request_ended(struct vvtd_dev *dev, uint64_t cookie)
{
	u32 i = 0;

	while (i < dev->nr_groups) {
		if (dev->group[i].cookie == cookie)
			group_forget(dev, i);
		else
			i++;
	}
}

static u8 answer_of(u8 code)
{
	if (code == PRQ_SUCCESS || code == PRQ_INVALID)
		return code;
	return VVTD_ANSWER_FAILURE;
}

/* "Page Group Response Descriptor" */
void vv_page_response(struct vvtd *v, const u64 *d)
{
	u16 sid = bits(d[0], 31, 16);
	u32 slot, i;

	for (slot = 0; slot < VVTD_MAX_DEVS; slot++) {
		struct vvtd_dev *dev = v->dev[slot];

		if (!dev || dev->sid != sid)
			continue;
		if (group_find(dev, bits(d[1], 11, 3), d[0] & BIT_ULL(4),
			       bits(d[0], 51, 32), &i))
			group_end(dev, i, answer_of(bits(d[0], 15, 12)));
	}
}

/* The guest has moved its head: what is between it and the tail, it has not seen. */
static void devices_see(struct vvtd *v, u32 head, u32 tail)
{
	u32 mask = queue_mask(v);
	u32 slot, i;

	for (slot = 0; slot < VVTD_MAX_DEVS; slot++) {
		struct vvtd_dev *dev = v->dev[slot];

		for (i = 0; dev && i < dev->nr_groups; i++) {
			struct page_group *g = &dev->group[i];

			g->in_queue &= ((g->offset - head) & mask) <
				       ((tail - head) & mask);
		}
	}
}

void vv_page_queue_moved(struct vvtd *v)
{
	u32 mask = queue_mask(v);

	devices_see(v, vtd_get32(&v->m, REG_PQH) & mask, vtd_get32(&v->m, REG_PQT) & mask);
}

/* The guest moves its queue, or its tail: what it has not seen, it never will. */
void vv_page_queue_dropped(struct vvtd *v)
{
	u32 slot, i;

	for (slot = 0; slot < VVTD_MAX_DEVS; slot++) {
		struct vvtd_dev *dev = v->dev[slot];

		for (i = 0; dev && i < dev->nr_groups;) {
			if (dev->group[i].in_queue)
				group_end(dev, i, VVTD_ANSWER_SUCCESS);
			else
				i++;
		}
	}
}

void vvtd_expire(struct vvtd *v)
{
	u64 now = v->ops.now(v->ctx);
	u32 slot, i;

	if (!v->cfg.group_timeout_ns)
		return;
	for (slot = 0; slot < VVTD_MAX_DEVS; slot++) {
		struct vvtd_dev *dev = v->dev[slot];

		for (i = 0; dev && i < dev->nr_groups;) {
			if (now - dev->group[i].since >=
			    v->cfg.group_timeout_ns)
				group_end(dev, i, VVTD_ANSWER_INVALID);
			else
				i++;
		}
	}
}
