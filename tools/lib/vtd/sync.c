// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Keep what the host has bound in step with the guest's tables.
 *
 * Whatever the guest has invalidated is read again; what differs from what is
 * bound is bound, replaced or unbound, and nothing else costs a host call.  To
 * read more than was invalidated is allowed: a cache may lose any entry at any
 * time.  A device's table is walked in portions; each vvtd_run() goes on where
 * the last one stopped.
 */
#include <errno.h>
#include "unit.h"

static void spend(struct vvtd *v)
{
	v->work -= !!v->work;
}

static bool is_bound(const struct binding *b)
{
	return b->kind && b->kind != KIND_FAULTY;
}

static bool same(const struct binding *a, const struct binding *b)
{
	if (a->kind != b->kind || a->flags != b->flags)
		return false;
	if (a->kind == VVTD_SHADOW)
		return a->shadow == b->shadow;
	return a->kind == VVTD_PASS_THROUGH || a->table == b->table;
}

static void count(struct vvtd *v, int rc)
{
	spend(v);
	v->stats.host_calls++;
	v->stats.host_errors += !!rc;
}

static void unbind(struct vvtd_dev *dev, u32 pasid, u32 handle)
{
	dev->v->ops.unbind(dev->v->ctx, dev->host, pasid, handle);
	count(dev->v, 0);
}

/* Bind or replace.  On failure nothing is bound. */
static int bind(struct vvtd_dev *dev, u32 pasid, const struct binding *now,
		struct binding *want)
{
	struct vvtd *v = dev->v;
	struct vvtd_stage stage;
	int rc;

	vv_stage(want, &stage);
	stage.handle = now->handle;
	if (is_bound(now))
		rc = v->ops.replace(v->ctx, dev->host, pasid, &stage);
	else
		rc = v->ops.bind(v->ctx, dev->host, pasid, &stage);
	count(v, rc);
	if (rc && is_bound(now))
		unbind(dev, pasid, now->handle);
	want->handle = stage.handle;
	return rc;
}

static void report(struct vvtd_dev *dev, u32 pasid, u8 reason)
{
	vv_fault(dev->v, dev->sid, &(struct vvtd_fault){
		.pasid = pasid, .has_pasid = pasid != VVTD_RID,
		.reason = reason,
	});
}

/* Nothing is bound, and DMA meets @reason. */
static void mark_faulty(struct binding *b, u8 reason)
{
	*b = (struct binding){ .kind = KIND_FAULTY, .table = reason };
}

static void release(struct vvtd *v, const struct binding *b)
{
	if (b->kind == VVTD_SHADOW)
		vv_shadow_put(v, b->shadow);
}

/* Room for a binding is made before the host is asked for it. */
static int make_room(struct vvtd_dev *dev, u32 pasid,
		     const struct binding *now)
{
	struct binding none;

	if (now->kind)
		return 0;
	mark_faulty(&none, FR_SPT_2);
	return vv_binding_set(dev, pasid, &none);
}

/* What differs: @now, a copy, becomes @want. */
static void change(struct vvtd_dev *dev, u32 pasid, const struct binding *now,
		   struct binding *want, bool fpd)
{
	int rc = 0;

	if (is_bound(want)) {
		rc = make_room(dev, pasid, now);
		if (!rc)
			rc = bind(dev, pasid, now, want);
	} else if (is_bound(now)) {
		unbind(dev, pasid, now->handle);
	}
	if (rc) {
		release(dev->v, want);
		mark_faulty(want, FR_SPT_4);
	}
	vv_binding_set(dev, pasid, want);
	if (want->kind == KIND_FAULTY && !fpd)
		report(dev, pasid, want->table);
	release(dev->v, now);
}

/* The reference to a shadow that @want may have is used up. */
static void apply(struct vvtd_dev *dev, u32 pasid, struct binding *want,
		  bool fpd)
{
	struct binding *b = vv_binding(dev, pasid);
	struct binding now = { .kind = VVTD_NONE };

	if (b)
		now = *b;
	if (!b && !want->kind)
		return;
	if (!b || !same(&now, want)) {
		change(dev, pasid, &now, want, fpd);
		return;
	}
	b->did = want->did;
	release(dev->v, want);
}

void vv_unbind_all(struct vvtd_dev *dev)
{
	u32 dir, i;

	for (dir = vv_next_dir(dev, 0); dir < NR_DIRS;
	     dir = vv_next_dir(dev, dir + 1)) {
		for (i = 0; i < 64; i++) {
			struct binding none = { .kind = VVTD_NONE };

			apply(dev, dir * 64 + i, &none, false);
		}
	}
}

/* Does the batch's invalidation reach what is cached, that is: bound? */
static bool is_covered(const struct vvtd_dev *dev, u32 pasid)
{
	const struct did_set *set = &dev->v->batch.pasids;
	const struct binding *b = vv_binding(dev, pasid);

	/* What is not present or not sound has no domain. */
	return dev->walk_all || set->all || !b || !is_bound(b) ||
	       vv_did_in(set, b->did);
}

/* What requests without PASID do where there is no PASID table. */
static void read_rid(struct vvtd_dev *dev, struct binding *want)
{
	*want = (struct binding){ .kind = VVTD_NONE };
	if (dev->mode == MODE_OFF)
		want->kind = VVTD_PASS_THROUGH;
	if (dev->mode == MODE_LEGACY)
		vv_decode_entry(dev, dev->legacy, want);
}

/* 64 entries, or NULL; @reason: why a directory entry that is set leads nowhere. */
static const u64 *read_directory(struct vvtd_dev *dev, u32 dir, u8 *reason,
				 bool *fpd)
{
	struct vtd_reader r = { .m = &dev->v->m };
	const u64 *leaf;
	u64 pde;

	*reason = FR_NONE;
	*fpd = false;
	if (dev->mode != MODE_SCALABLE || dir >= dev->nr_dirs)
		return NULL;
	*reason = vtd_read_directory(&r, dev->dir, dir, &pde);
	*fpd = r.fpd;
	if (*reason) {
		*reason = *reason == FR_SPD_2 ? FR_NONE : *reason;
		return NULL;
	}
	leaf = vv_ptr(dev->v, page_of(pde), 4096, false);
	dev->v->stats.tables++;
	if (!leaf)
		*reason = FR_SPT_1;
	return leaf;
}

/* What the guest wants of @pasid.  @entry: 64 bytes of its table, or NULL. */
static void wanted(struct vvtd_dev *dev, u32 pasid, const u64 *entry,
		   struct binding *want, bool *fpd)
{
	*fpd = false;
	if (entry && (pasid == VVTD_RID || dev->paside))
		vv_read_entry(dev, entry, want, fpd);
	else if (pasid == VVTD_RID)
		read_rid(dev, want);
	else
		*want = (struct binding){ .kind = VVTD_NONE };
}

/* One directory entry.  What is wrong with it is told of its first PASID. */
static void sync_directory(struct vvtd_dev *dev, u32 dir)
{
	struct binding want;
	const u64 *leaf;
	bool dir_fpd, fpd;
	u8 reason;
	u32 i;

	spend(dev->v);
	leaf = read_directory(dev, dir, &reason, &dir_fpd);
	for (i = 0; i < 64; i++) {
		u32 pasid = dir * 64 + i;

		if (!is_covered(dev, pasid))
			continue;
		wanted(dev, pasid, leaf ? leaf + i * 8 : NULL, &want, &fpd);
		if (reason && !i)
			mark_faulty(&want, reason);
		apply(dev, pasid, &want, fpd || dir_fpd);
	}
}

/* One entry. */
static void sync_pasid(struct vvtd_dev *dev, u16 did, u32 pasid)
{
	const struct binding *b = vv_binding(dev, pasid);
	struct binding want;
	bool dir_fpd, fpd;
	const u64 *leaf;
	u8 reason;

	if (b && is_bound(b) && b->did != did)
		return;
	leaf = read_directory(dev, pasid / 64, &reason, &dir_fpd);
	wanted(dev, pasid, leaf ? leaf + pasid % 64 * 8 : NULL, &want, &fpd);
	if (reason)
		mark_faulty(&want, reason);
	apply(dev, pasid, &want, fpd || dir_fpd);
}

/*
 * The first directory index from @dir on whose entry the guest has set, or
 * dev->nr_dirs.  Pages of the directory that are not RAM hold none; index 0,
 * which is always looked at, tells the guest of the usual case.
 */
static u32 next_present(struct vvtd_dev *dev, u32 dir)
{
	while (dir < dev->nr_dirs) {
		u32 end = (dir / 512 + 1) * 512;
		const u64 *p = vv_ptr(dev->v, dev->dir + dir * 8,
				      (end - dir) * 8, false);

		dev->v->stats.tables++;
		end = end < dev->nr_dirs ? end : dev->nr_dirs;
		for (; p && dir < end; dir++, p++) {
			if (load_acquire(p) & PDE_P)
				return dir;
		}
		dir = end;
	}
	return dev->nr_dirs;
}

static u32 next_directory(struct vvtd_dev *dev, u32 dir)
{
	u32 present = NR_DIRS;
	u32 bound = vv_next_dir(dev, dir);

	if (dev->mode == MODE_SCALABLE)
		present = next_present(dev, dir);
	if (present >= dev->nr_dirs)
		present = NR_DIRS;
	return present < bound ? present : bound;
}

/* False: there is more to do. */
static bool walk(struct vvtd_dev *dev)
{
	while (dev->next_dir < NR_DIRS) {
		if (!dev->v->work)
			return false;
		sync_directory(dev, dev->next_dir);
		dev->next_dir = next_directory(dev, dev->next_dir + 1);
	}
	dev->walk = false;
	dev->walk_all = false;
	return true;
}

static bool is_absent(u8 reason)
{
	return reason == FR_SRT_2 || reason == FR_SCT_2 ||
	       reason == FR_LRT_2 || reason == FR_LCT_2;
}

static void refresh(struct vvtd_dev *dev)
{
	u8 before = dev->reason;

	vv_read_context(dev);
	if (dev->reason && dev->reason != before && !is_absent(dev->reason) &&
	    !dev->fpd)
		report(dev, VVTD_RID, dev->reason);
	dev->stale = false;
	dev->walk = true;
	dev->walk_all = true;
	dev->next_dir = 0;
}

static bool sync_devices(struct vvtd *v)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		struct vvtd_dev *dev = v->dev[i];

		if (dev && dev->stale)
			refresh(dev);
		if (dev && dev->walk && !walk(dev))
			return false;
	}
	return true;
}

static void sync_selected(struct vvtd *v, const u64 *d)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i])
			sync_pasid(v->dev[i], INV_DID(d[0]),
				   INV_PASID(d[0]));
	}
}

/* False: there is more to do. */
bool vv_sync(struct vvtd *v)
{
	struct batch *b = &v->batch;

	if (!sync_devices(v))
		return false;
	for (; b->op < b->num; b->op++) {
		const u64 *d = b->d[b->op];

		if (inv_type(d[0]) != INV_PASID_CACHE || INV_G(d[0]) != 1)
			continue;
		if (!v->work)
			return false;
		spend(v);
		sync_selected(v, d);
	}
	return true;
}

void vv_stale_sid(struct vvtd *v, u16 sid, u32 fm)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i] && vtd_sid_matches(v->dev[i]->sid, sid, fm))
			v->dev[i]->stale = true;
	}
}

void vv_stale_all(struct vvtd *v)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i])
			v->dev[i]->stale = true;
	}
}
