// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What the guest's context and PASID-table entries ask for, as of now.
 */
#include "unit.h"

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

static void take_legacy(struct vvtd_dev *dev, const u64 *ctx)
{
	dev->mode = MODE_LEGACY;
	dev->dte = LCTX_TT(ctx[0]) == LCTX_ALL;
	vtd_legacy_entry(ctx, dev->legacy);
}

static void count_table(struct vtd_reader *r, enum vtd_table what, u64 addr,
			u64 entry)
{
	(void)what;
	(void)addr;
	(void)entry;
	container_of(r->m, struct vvtd, m)->stats.tables++;
}

static bool has_mode(const struct vvtd *v, u8 ttm)
{
	return ttm == TTM_SCALABLE || (ttm == TTM_LEGACY && v->cfg.legacy);
}

static u8 read_tables(struct vvtd_dev *dev)
{
	struct vtd_reader r = { .m = &dev->v->m, .saw = count_table };
	u8 ttm = RTADDR_TTM(dev->v->m.rtaddr);
	u64 ctx[4];
	u8 reason;

	if (!has_mode(dev->v, ttm))
		return FR_RTA_1;
	reason = vtd_read_context(&r, dev->sid, ctx);
	dev->fpd = r.fpd;
	if (reason)
		return reason;
	if (ttm == TTM_LEGACY)
		take_legacy(dev, ctx);
	else
		take_context(dev, ctx);
	return FR_NONE;
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
	reason = read_tables(dev);
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
