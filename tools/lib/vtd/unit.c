// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The unit and its devices: how they come and go, and the order of work.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"

void vvtd_config_init(struct vvtd_config *config)
{
	*config = (struct vvtd_config){
		.address_bits = 48,
		.pasid_bits = 20,
		.fault_records = 8,
		.max_mappings = 1 << 20,
		.max_tables = 1 << 14,
		.huge_pages = true,
		.coherent = true,
		.device_tlb = true,
		.pass_through = true,
	};
}

static bool config_sound(const struct vvtd_config *c,
			 const struct vvtd_ops *ops)
{
	if (c->address_bits < 32 || c->address_bits > 52 ||
	    c->pasid_bits < 6 || c->pasid_bits > 20 ||
	    c->fault_records < 1 || c->fault_records > 32)
		return false;
	if (c->page_requests && !(c->device_tlb && ops->respond && ops->now))
		return false;
	if (c->page_drain && !(c->page_requests && ops->drain))
		return false;
	if (c->virtual_commands && !(ops->pasid_alloc && ops->pasid_free))
		return false;
	if (c->second_stage &&
	    !(ops->domain_alloc && ops->domain_free && ops->map && ops->unmap))
		return false;
	if (c->legacy && !c->second_stage)
		return false;
	return ops->ptr && ops->msi && ops->bind && ops->replace &&
	       ops->unbind && ops->invalidate;
}

struct vvtd *vvtd_create(const struct vvtd_config *config,
			 const struct vvtd_ops *ops, void *ctx)
{
	struct vvtd *v;

	if (!config_sound(config, ops))
		return NULL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->cfg = *config;
	v->ops = *ops;
	v->ctx = ctx;
	if (config->virtual_commands) {
		v->pasids = calloc((1u << PASID_BITS) / 64, 8);
		if (!v->pasids) {
			free(v);
			return NULL;
		}
	}
	vv_registers_init(v);
	return v;
}

void vvtd_destroy(struct vvtd *v)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (!v->dev[i])
			continue;
		vv_groups_end(v->dev[i], true, VVTD_ANSWER_INVALID);
		vvtd_dev_remove(v->dev[i]);
	}
	vv_pasids_drop(v);
	free(v->pasids);
	free(v);
}

void vvtd_reset(struct vvtd *v)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i])
			vv_groups_end(v->dev[i], true, VVTD_ANSWER_INVALID);
	}
	vv_registers_init(v);
	vv_did_clear(&v->batch.pasids);
	vv_did_clear(&v->batch.iotlb);
	memset(&v->batch, 0, offsetof(struct batch, pasids));
	v->has_gcmd = false;
	v->serving = 0;
	v->waiting = false;
	v->translate = false;
	v->drop_pasids = true;
	vv_stale_all(v);
}

static bool any_stale(const struct vvtd *v)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i] && v->dev[i]->stale)
			return true;
	}
	return false;
}

static bool is_idle(const struct vvtd *v)
{
	u32 tail;

	return v->batch.phase == PHASE_IDLE && !vv_has_command(v) &&
	       !any_stale(v) && !vtd_queue_ready(&v->m, &tail);
}

static void enter(struct vvtd *v, enum phase phase)
{
	v->batch.phase = phase;
	v->batch.op = 0;
	v->batch.slot = 0;
	v->batch.pasid = 0;
}

/* A command, what has become stale, or the next batch. */
static void begin(struct vvtd *v)
{
	if (vv_has_command(v))
		vv_commands_begin(v);
	else if (!any_stale(v))
		vv_queue_fetch(v);
	enter(v, PHASE_SYNC);
}

static void complete(struct vvtd *v)
{
	vv_queue_complete(v);
	vv_commands_done(v);
	if (v->drop_pasids && !any_stale(v)) {
		vv_pasids_drop(v);
		v->drop_pasids = false;
	}
	enter(v, PHASE_IDLE);
}

/* One batch at most, and SYNC_WORK tables and host calls. */
enum vvtd_state vvtd_run(struct vvtd *v)
{
	int rc;

	if (v->waiting)
		return VVTD_WAITING;
	if (is_idle(v))
		return VVTD_IDLE;
	v->work = SYNC_WORK;
	if (v->batch.phase == PHASE_IDLE)
		begin(v);
	if (v->batch.phase == PHASE_SYNC) {
		if (!vv_sync(v))
			return VVTD_MORE;
		vv_shadows_begin(v);
		enter(v, PHASE_SHADOW);
	}
	if (v->batch.phase == PHASE_SHADOW) {
		if (!vv_shadows_invalidate(v))
			return VVTD_MORE;
		enter(v, PHASE_FLUSH);
	}
	do {
		rc = vv_flush(v);
	} while (rc == -EAGAIN && v->work);
	if (rc == -EAGAIN)
		return VVTD_MORE;
	if (rc == -EINPROGRESS) {
		v->waiting = true;
		return VVTD_WAITING;
	}
	complete(v);
	return is_idle(v) ? VVTD_IDLE : VVTD_MORE;
}

void vvtd_host_done(struct vvtd *v, int status)
{
	if (!v->waiting)
		return;
	v->waiting = false;
	vv_flushed(v, status);
}

void vvtd_stats(const struct vvtd *v, struct vvtd_stats *stats)
{
	*stats = v->stats;
}

static int find_slot(struct vvtd *v, u16 sid, u32 *slot)
{
	u32 i;

	*slot = VVTD_MAX_DEVS;
	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i] && v->dev[i]->sid == sid)
			return -EBUSY;
		if (!v->dev[i] && *slot == VVTD_MAX_DEVS)
			*slot = i;
	}
	return *slot < VVTD_MAX_DEVS ? 0 : -ENOSPC;
}

/* Devices that agree on it share a second stage. */
static u32 second_stage_of(struct vvtd *v, const struct vvtd_host_caps *caps)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i] && vvtd_same_second_stage(&v->dev[i]->caps, caps,
							NULL, 0))
			return v->dev[i]->second_stage;
	}
	return v->nr_second_stages++;
}

unsigned int vvtd_dev_second_stage(const struct vvtd_dev *dev)
{
	return dev->second_stage;
}

int vvtd_dev_add(struct vvtd *v, uint16_t sid,
		 const struct vvtd_host_caps *caps, void *host,
		 struct vvtd_dev **out)
{
	struct vvtd_dev *dev;
	u32 slot;
	int rc;

	rc = vvtd_check_host(&v->cfg, caps, NULL, 0);
	if (!rc)
		rc = find_slot(v, sid, &slot);
	if (rc)
		return rc;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	dev->group = calloc(MAX_GROUPS, sizeof(*dev->group));
	if (!dev->group) {
		free(dev);
		return -ENOMEM;
	}
	dev->v = v;
	dev->host = host;
	dev->sid = sid;
	dev->slot = slot;
	dev->caps = *caps;
	dev->second_stage = second_stage_of(v, caps);
	dev->stale = true;
	v->dev[slot] = dev;
	*out = dev;
	return 0;
}

void vvtd_dev_remove(struct vvtd_dev *dev)
{
	vv_groups_end(dev, false, 0);
	vv_unbind_all(dev);
	dev->v->dev[dev->slot] = NULL;
	free(dev->group);
	free(dev);
}

void vvtd_dev_reset(struct vvtd_dev *dev)
{
	vv_groups_end(dev, false, 0);
}

static u8 absent_reason(const struct vvtd_dev *dev, u32 pasid)
{
	if (dev->mode == MODE_OFF || dev->mode == MODE_BLOCKED)
		return dev->reason;
	if (dev->mode == MODE_LEGACY)
		return FR_RTA_2;
	if (pasid != VVTD_RID && !dev->paside)
		return FR_SCT_6;
	if (pasid / 64 >= dev->nr_dirs)
		return FR_SCT_7;
	return FR_SPT_2;
}

uint8_t vvtd_binding(const struct vvtd_dev *dev, uint32_t pasid,
		     struct vvtd_stage *stage)
{
	const struct binding *b = NULL;

	if (pasid >> PASID_BITS == 0)
		b = vv_binding(dev, pasid);
	*stage = (struct vvtd_stage){ .kind = VVTD_NONE };
	if (!b)
		return absent_reason(dev, pasid);
	if (b->kind == KIND_FAULTY)
		return b->table;
	vv_stage(b, stage);
	return FR_NONE;
}

/* What the unit's tables say of DMA that the host has stopped. */
static u8 find_reason(const struct vvtd_dev *dev, u32 pasid)
{
	struct vvtd_stage stage;
	u8 reason = vvtd_binding(dev, pasid, &stage);

	if (stage.kind == VVTD_FIRST_STAGE)
		return FR_SFS_2;
	if (dev->mode == MODE_LEGACY && stage.kind)
		return FR_LGN_3;
	return stage.kind ? FR_SSS_2 : reason;
}

void vvtd_dev_fault(struct vvtd_dev *dev, const struct vvtd_fault *fault)
{
	struct vvtd_fault f = *fault;

	if (!f.reason)
		f.reason = find_reason(dev, f.has_pasid ? f.pasid : VVTD_RID);
	if (f.reason)
		vv_fault(dev->v, dev->sid, &f);
}
