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

static void group_add(struct vvtd_dev *dev, const struct vvtd_page_request *rq,
		      u32 offset)
{
	dev->group[dev->nr_groups++] = (struct page_group){
		.cookie = rq->cookie, .since = dev->v->ops.now(dev->v->ctx),
		.pasid = rq->pasid, .offset = offset, .index = rq->group,
		.has_pasid = rq->has_pasid, .in_queue = true,
	};
}

/* False: answer @rq, if it is the last of its group, with *@answer. */
static bool enqueue(struct vvtd_dev *dev, const struct vvtd_page_request *rq,
		    u8 *answer)
{
	const struct vtd_page_request entry = {
		.addr = rq->addr, .pasid = rq->pasid, .sid = dev->sid,
		.index = rq->group, .has_pasid = rq->has_pasid,
		.read = rq->read, .write = rq->write, .exec = rq->exec,
		.priv = rq->privileged, .last = rq->last,
	};
	struct vvtd *v = dev->v;
	u32 offset;

	*answer = VVTD_ANSWER_SUCCESS;
	if (dev->nr_groups == MAX_GROUPS) {
		vtd_prs_set(&v->m, PRS_PRO);
		return false;
	}
	switch (vtd_page_request_queue(&v->m, &entry, &offset)) {
	case PRQ_QUEUED:
		break;
	case PRQ_UNREACHABLE:
		*answer = VVTD_ANSWER_FAILURE;
		return false;
	default:
		return false;
	}
	if (rq->last)
		group_add(dev, rq, offset);
	v->stats.page_requests++;
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
	const struct vtd_page_response r = vtd_page_response(d);
	u32 slot, i;

	for (slot = 0; slot < VVTD_MAX_DEVS; slot++) {
		struct vvtd_dev *dev = v->dev[slot];

		if (dev && dev->sid == r.sid &&
		    group_find(dev, r.index, r.has_pasid, r.pasid, &i))
			group_end(dev, i, answer_of(r.code));
	}
}

/* The guest has moved its head: what is between it and the tail, it has not seen. */
static void devices_see(struct vvtd *v, u32 head, u32 tail)
{
	u32 mask = vtd_page_queue_mask(&v->m);
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
	u32 mask = vtd_page_queue_mask(&v->m);

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
