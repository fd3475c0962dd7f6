// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Queued Invalidation Interface": fetch a batch, and complete it.
 */
#include <string.h>
#include "unit.h"

/* "Context-cache Invalidate Descriptor"; entries have no DID in this mode. */
static void note_context(struct vvtd *v, const u64 *d)
{
	if (INV_G(d[0]) == 3)
		vv_stale_sid(v, INV_SID(d[0]), INV_FM(d[0]));
	else
		vv_stale_all(v);
}

static void note_set(struct did_set *set, const u64 *d, bool all)
{
	if (all)
		set->all = true;
	else
		vv_did_add(set, INV_DID(d[0]));
}

/* What a descriptor asks to be looked at. */
static void note(struct vvtd *v, const u64 *d)
{
	struct batch *b = &v->batch;
	u8 g = INV_G(d[0]);

	switch (inv_type(d[0])) {
	case INV_CONTEXT:
		note_context(v, d);
		break;
	case INV_PASID_CACHE:
		if (g != 1)
			note_set(&b->pasids, d, g == 3);
		break;
	case INV_IOTLB:
		if (g != 3)
			note_set(&b->iotlb, d, g == 1);
		break;
	}
}

static void walk_all_devices(struct vvtd *v)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i]) {
			v->dev[i]->walk = true;
			v->dev[i]->next_dir = 0;
		}
	}
}

void vv_queue_fetch(struct vvtd *v)
{
	u32 tail = vtd_get32(&v->m, REG_IQT);
	u64 iqa = vtd_get64(&v->m, REG_IQA);
	struct batch *b = &v->batch;

	b->head = v->m.iqh;
	b->error = vtd_check_tail(iqa, b->head, tail, RTADDR_TTM(v->m.rtaddr));
	while (!b->error && b->head != tail && b->num < BATCH_DESCS) {
		b->error = vtd_queue_fetch(&v->m, iqa, b->head,
					   b->d[b->num]);
		if (b->error)
			break;
		note(v, b->d[b->num++]);
		b->head = vtd_queue_after(iqa, b->head);
	}
	v->stats.descriptors += b->num;
	if (b->pasids.all || b->pasids.num)
		walk_all_devices(v);
}

static void drain(struct vvtd *v)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i])
			v->ops.drain(v->ctx, v->dev[i]->host);
	}
}

/* "Invalidation Wait Descriptor"; after a time-out it is aborted. */
static void complete_wait(struct vvtd *v, const u64 *d)
{
	if (v->batch.timed_out)
		return;
	if (d[0] & WAIT_PD)
		drain(v);
	vtd_queue_waited(&v->m, d);
}

/* The host has done all that the batch asks for. */
void vv_queue_complete(struct vvtd *v)
{
	struct batch *b = &v->batch;
	u32 i;

	if (b->num)
		vtd_queue_advance(&v->m, b->head);
	for (i = 0; i < b->num; i++) {
		switch (inv_type(b->d[i][0])) {
		case INV_WAIT:
			complete_wait(v, b->d[i]);
			break;
		case INV_PGRP_RESP:
			vv_page_response(v, b->d[i]);
			break;
		}
	}
	if (b->timed_out)
		vtd_queue_timed_out(&v->m, b->timed_out_sid);
	if (b->error)
		vtd_queue_error(&v->m, b->error);
	vv_did_clear(&b->pasids);
	vv_did_clear(&b->iotlb);
	b->num = 0;
	b->error = IQEI_NONE;
	b->timed_out = false;
}
