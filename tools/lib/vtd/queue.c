// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Queued Invalidation Interface": fetch a batch, and complete it.
 */
#include <string.h>
#include "unit.h"

static u8 ttm(const struct vvtd *v)
{
	return RTADDR_TTM(v->m.rtaddr);
}

bool vv_queue_ready(const struct vvtd *v)
{
	return v->m.gsts & GCMD_QIE &&
	       !(v->m.fsts & (FSTS_IQE | FSTS_ITE)) &&
	       vtd_get32(&v->m, REG_IQH) != vtd_get32(&v->m, REG_IQT);
}

static u8 fetch(struct vvtd *v, u64 iqa, u32 head, u64 *d)
{
	u32 words = iqa & IQA_DW ? 4 : 2;
	const u64 *p = vv_ptr(v, page_of(iqa) + head, words * 8, false);
	u32 i;

	if (!p)
		return IQEI_FETCH;
	for (i = 0; i < 4; i++)
		d[i] = i < words ? load_acquire(&p[i]) : 0;
	return vtd_check_descriptor(&v->m.caps, d, iqa & IQA_DW, ttm(v));
}

/* "Context-cache Invalidate Descriptor"; entries have no DID in this mode. */
static void note_context(struct vvtd *v, const u64 *d)
{
	if (INV_G(d[0]) == 3)
		vv_stale_sid(v, bits(d[0], 47, 32), bits(d[0], 49, 48));
	else
		vv_stale_all(v);
}

static void note_set(struct did_set *set, const u64 *d, bool all)
{
	if (all)
		set->all = true;
	else
		vv_did_add(set, bits(d[0], 31, 16));
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

	b->head = vtd_get32(&v->m, REG_IQH);
	b->error = vtd_check_tail(iqa, b->head, tail, ttm(v));
	while (!b->error && b->head != tail && b->num < BATCH_DESCS) {
		b->error = fetch(v, iqa, b->head, b->d[b->num]);
		if (b->error)
			break;
		note(v, b->d[b->num++]);
		b->head = (b->head + (iqa & IQA_DW ? 32 : 16)) %
			  (0x1000u << IQA_QS(iqa));
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

static void complete_event(struct vvtd *v)
{
	if (v->m.ics & ICS_IWC)
		return;
	v->m.ics |= ICS_IWC;
	v->m.ops->publish(&v->m);
	vtd_event_raise(&v->m, &v->m.ev_inv);
}

/* "Invalidation Wait Descriptor"; after a time-out it is aborted. */
static void complete_wait(struct vvtd *v, const u64 *d)
{
	u32 *status;

	if (v->batch.timed_out)
		return;
	if (d[0] & WAIT_PD)
		drain(v);
	if (d[0] & WAIT_SW) {
		status = vv_ptr(v, d[1] & ~3ULL, 4, true);
		if (status)
			store_release(status, (u32)bits(d[0], 63, 32));
	}
	if (d[0] & WAIT_IF)
		complete_event(v);
}

static void queue_error(struct vvtd *v, u8 error)
{
	vtd_set32(&v->m, REG_IQERCD, (vtd_get32(&v->m, REG_IQERCD) & ~15u) | error);
	vtd_fault_status_set(&v->m, FSTS_IQE);
}

/* "Invalidation Time-out Error" */
static void time_out(struct vvtd *v)
{
	u64 rest = vtd_get64(&v->m, REG_IQERCD) & ~GENMASK_ULL(47, 32);

	vtd_set64(&v->m, REG_IQERCD, rest | IQERCD_ITESID(v->batch.timed_out_sid));
	vtd_fault_status_set(&v->m, FSTS_ITE);
}

/* The host has done all that the batch asks for. */
void vv_queue_complete(struct vvtd *v)
{
	struct batch *b = &v->batch;
	u32 i;

	if (b->num)
		vtd_set32(&v->m, REG_IQH, b->head);
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
		time_out(v);
	if (b->error)
		queue_error(v, b->error);
	vv_did_clear(&b->pasids);
	vv_did_clear(&b->iotlb);
	b->num = 0;
	b->error = IQEI_NONE;
	b->timed_out = false;
}
