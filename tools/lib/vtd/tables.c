// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The guest's root, context and PASID tables: what they say, as of now.  Each
 * entry is copied once and then judged, for the guest may write meanwhile.
 */
#include "unit.h"

/* No more than one page, and within it; NULL also beyond the address width. */
void *vv_ptr(struct vvtd *v, u64 gpa, size_t len, bool write)
{
	if ((gpa | (gpa + len - 1)) >> v->m.caps.haw)
		return NULL;
	return v->ops.ptr(v->ctx, gpa, len, write);
}

static bool copy_entry(struct vvtd *v, u64 gpa, u64 *to, u32 nr)
{
	const u64 *p = vv_ptr(v, gpa, nr * 8, false);
	u32 i;

	v->stats.tables++;
	if (!p)
		return false;
	for (i = 0; i < nr; i++)
		to[i] = load_acquire(&p[i]);
	return true;
}

static u8 read_root(struct vvtd_dev *dev, u64 *half)
{
	struct vvtd *v = dev->v;
	u64 addr = page_of(v->m.rtaddr) + (dev->sid >> 8) * 16;

	if (dev->sid & 0x80)
		addr += 8;
	if (!copy_entry(v, addr, half, 1))
		return FR_SRT_1;
	return vtd_check_root(&v->m.caps, *half);
}

static void take_context(struct vvtd_dev *dev, const u64 *ctx)
{
	const struct vvtd_config *cfg = &dev->v->cfg;
	u32 most = 1u << (cfg->pasid_bits > 6 ? cfg->pasid_bits - 6 : 0);
	u32 size = vtd_directory_size(ctx[0]);

	dev->mode = MODE_SCALABLE;
	dev->dir = page_of(ctx[0]);
	dev->nr_dirs = size < most ? size : most;
	dev->dte = ctx[0] & CTX_DTE;
	dev->pre = ctx[0] & CTX_PRE;
	dev->paside = ctx[0] & CTX_PASIDE;
}

static u8 read_scalable(struct vvtd_dev *dev)
{
	u64 root, ctx[4];
	u8 reason = read_root(dev, &root);

	if (reason)
		return reason;
	if (!copy_entry(dev->v, page_of(root) + (dev->sid & 0x7f) * 32, ctx, 4))
		return FR_SCT_1;
	dev->fpd = ctx[0] & CTX_FPD;
	reason = vtd_check_context(&dev->v->m.caps, ctx);
	if (!reason)
		take_context(dev, ctx);
	return reason;
}

static void take_legacy(struct vvtd_dev *dev, const u64 *ctx)
{
	u8 pgtt = LCTX_TT(ctx[0]) == LCTX_PASSTHROUGH ? PGTT_PASSTHROUGH :
							PGTT_SECOND;

	dev->mode = MODE_LEGACY;
	dev->dte = LCTX_TT(ctx[0]) == LCTX_ALL;
	dev->legacy[0] = PE_P | page_of(ctx[0]) | PE_AW_IS(LCTX_AW(ctx[1])) |
			 PE_PGTT_IS(pgtt);
	dev->legacy[1] = LCTX_DID(ctx[1]);
}

static u8 read_legacy(struct vvtd_dev *dev)
{
	struct vvtd *v = dev->v;
	u64 root[2], ctx[2];
	u8 reason;

	if (!copy_entry(v, page_of(v->m.rtaddr) + (dev->sid >> 8) * 16, root, 2))
		return FR_LRT_1;
	reason = vtd_check_legacy_root(&v->m.caps, root);
	if (reason)
		return reason;
	if (!copy_entry(v, page_of(root[0]) + (dev->sid & 0xff) * 16, ctx, 2))
		return FR_LCT_1;
	dev->fpd = ctx[0] & CTX_FPD;
	reason = vtd_check_legacy_context(&v->m.caps, ctx);
	if (!reason)
		take_legacy(dev, ctx);
	return reason;
}

/* How the device's requests are to be treated, to dev->mode and what follows. */
void vv_read_context(struct vvtd_dev *dev)
{
	struct vvtd *v = dev->v;
	u8 reason;

	dev->fpd = false;
	dev->pre = false;
	dev->dte = false;
	dev->paside = false;
	dev->nr_dirs = 0;
	dev->reason = FR_NONE;
	dev->mode = MODE_OFF;
	if (!v->translate)
		return;
	switch (RTADDR_TTM(v->m.rtaddr)) {
	case TTM_SCALABLE:
		reason = read_scalable(dev);
		break;
	case TTM_LEGACY:
		reason = v->cfg.legacy ? read_legacy(dev) : FR_RTA_1;
		break;
	default:
		reason = FR_RTA_1;
	}
	if (!reason)
		return;
	dev->mode = MODE_BLOCKED;
	dev->reason = reason;
}

static u8 first_stage_flags(const struct vvtd_dev *dev, const u64 *pe)
{
	u8 flags = 0;

	flags |= pe[2] & PE_SRE ? VVTD_SUPERVISOR : 0;
	flags |= pe[2] & PE_EAFE ? VVTD_EXT_ACCESS : 0;
	flags |= pe[2] & PE_WPE ? VVTD_WRITE_PROTECT : 0;
	flags |= PE_FSPM(pe[2]) ? VVTD_FIVE_LEVEL : 0;
	if (dev->pre && dev->caps.page_requests)
		flags |= VVTD_PAGE_REQUESTS;
	return flags;
}

static void faulty(struct binding *want, u8 reason)
{
	want->kind = KIND_FAULTY;
	want->table = reason;
}

/* What an entry that is present asks for; it may be any bytes. */
void vv_decode_entry(struct vvtd_dev *dev, const u64 *pe, struct binding *want)
{
	u8 reason = vtd_check_pasid(&dev->v->m.caps, pe);

	want->did = PE_DID(pe[1]);
	if (reason) {
		faulty(want, reason);
		return;
	}
	switch (PE_PGTT(pe[0])) {
	case PGTT_FIRST:
		want->kind = VVTD_FIRST_STAGE;
		want->table = page_of(pe[2]);
		want->flags = first_stage_flags(dev, pe);
		break;
	case PGTT_SECOND:
		want->kind = VVTD_SHADOW;
		if (vv_shadow_get(dev, pe, &want->shadow))
			faulty(want, FR_SPT_4);
		break;
	default:
		want->kind = VVTD_PASS_THROUGH;
	}
}

/* The PASID-table entry at @p, which the guest may be writing. */
void vv_read_entry(struct vvtd_dev *dev, const u64 *p, struct binding *want,
		   bool *fpd)
{
	u64 pe[8];
	int i;

	*want = (struct binding){ .kind = VVTD_NONE };
	*fpd = false;
	pe[0] = load_acquire(&p[0]);
	if (!(pe[0] & PE_P))
		return;
	for (i = 1; i < 8; i++)
		pe[i] = load_acquire(&p[i]);
	*fpd = pe[0] & PE_FPD;
	vv_decode_entry(dev, pe, want);
}
