// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Translation Structure Formats": reserved fields and programming that a unit
 * does not support.
 */
#include "model.h"

static bool beyond_haw(const struct vtd_caps *c, u64 entry)
{
	return page_of(entry) >> c->haw;
}

/* "Scalable-Mode Root Entry": the half that covers the device number. */
u8 vtd_check_root(const struct vtd_caps *c, u64 half)
{
	if (!(half & ROOT_P))
		return FR_SRT_2;
	if (half & ROOT_RSVD || beyond_haw(c, half))
		return FR_SRT_3;
	return FR_NONE;
}

static bool context_reserved(const struct vtd_caps *c, const u64 *ctx)
{
	u64 rsvd0 = CTX_RSVD0;
	u64 rsvd1 = CTX_RSVD1;

	rsvd0 |= c->ecap & ECAP_DT ? 0 : CTX_DTE;
	rsvd0 |= c->ecap & ECAP_PASID ? 0 : CTX_PASIDE;
	rsvd0 |= c->ecap & ECAP_PRS ? 0 : CTX_PRE;
	rsvd1 |= c->ecap & ECAP_RPS ? 0 : GENMASK_ULL(19, 0);
	rsvd1 |= c->ecap & ECAP_RPRIVS ? 0 : CTX_RID_PRIV;
	return ctx[0] & rsvd0 || beyond_haw(c, ctx[0]) || ctx[1] & rsvd1 ||
	       ctx[2] || ctx[3];
}

/* "Scalable-Mode Context Entry" */
u8 vtd_check_context(const struct vtd_caps *c, const u64 *ctx)
{
	if (!(ctx[0] & CTX_P))
		return FR_SCT_2;
	if (context_reserved(c, ctx))
		return FR_SCT_3;
	if (ctx[0] & CTX_PRE && !(ctx[0] & CTX_DTE))
		return FR_SCT_4;
	return FR_NONE;
}

/* "Scalable-Mode PASID Directory Entry" */
u8 vtd_check_directory(const struct vtd_caps *c, u64 pde)
{
	if (!(pde & PDE_P))
		return FR_SPD_2;
	if (pde & PDE_RSVD || beyond_haw(c, pde))
		return FR_SPD_3;
	return FR_NONE;
}

static u64 reserved_by_capability(const struct vtd_caps *c, int qword)
{
	u64 rsvd = 0;

	switch (qword) {
	case 0:
		rsvd = PE_RSVD0 | (c->ecap & ECAP_SSADS ? 0 : PE_SSADE);
		break;
	case 1:
		/* Memory types (MTS) are not supported. */
		rsvd = PE_RSVD1 | GENMASK_ULL(63, 25);
		/* "Number of domains supported": 16 bits of DID, or fewer. */
		rsvd |= 0xffff & ~((1ULL << (4 + 2 * bits(c->cap, 2, 0))) - 1);
		rsvd |= c->ecap & ECAP_SMPWCS ? 0 : PE_PWSNP;
		rsvd |= c->ecap & ECAP_SC ? 0 : PE_PGSNP;
		break;
	case 2:
		rsvd = PE_RSVD2 | (c->ecap & ECAP_SRS ? 0 : PE_SRE);
		rsvd |= c->ecap & ECAP_ERS ? 0 : PE_ERE;
		rsvd |= c->ecap & ECAP_EAFS ? 0 : PE_EAFE;
		break;
	}
	return rsvd;
}

static bool pasid_entry_reserved(const struct vtd_caps *c, const u64 *pe)
{
	u8 pgtt = PE_PGTT(pe[0]);
	int i;

	for (i = 0; i < 3; i++) {
		if (pe[i] & reserved_by_capability(c, i))
			return true;
	}
	for (; i < 8; i++) {
		if (pe[i])
			return true;
	}
	if ((pgtt == PGTT_SECOND || pgtt == PGTT_NESTED) &&
	    beyond_haw(c, pe[0]))
		return true;
	return pgtt == PGTT_FIRST && beyond_haw(c, pe[2]);
}

static bool has_all(u64 ecap, u64 wanted)
{
	return (ecap & wanted) == wanted;
}

static bool pgtt_supported(u64 ecap, u8 pgtt)
{
	switch (pgtt) {
	case PGTT_FIRST:
		return has_all(ecap, ECAP_FSTS);
	case PGTT_SECOND:
		return has_all(ecap, ECAP_SSTS);
	case PGTT_NESTED:
		return has_all(ecap, ECAP_NEST | ECAP_FSTS | ECAP_SSTS);
	case PGTT_PASSTHROUGH:
		return has_all(ecap, ECAP_PT);
	}
	return false;
}

/* Fields that name something that the unit cannot do. */
static bool pasid_entry_invalid(const struct vtd_caps *c, const u64 *pe)
{
	u8 pgtt = PE_PGTT(pe[0]);

	if (!pgtt_supported(c->ecap, pgtt))
		return true;
	if ((pgtt == PGTT_SECOND || pgtt == PGTT_NESTED) &&
	    !(bits(c->cap, 12, 8) & BIT_ULL(PE_AW(pe[0]))))
		return true;
	if (pgtt == PGTT_FIRST || pgtt == PGTT_NESTED) {
		u8 mode = PE_FSPM(pe[2]);

		return mode > 1 || (mode == 1 && !(c->cap & CAP_FS5LP));
	}
	return false;
}

/* "Scalable-Mode PASID-Table Entry" */
u8 vtd_check_pasid(const struct vtd_caps *c, const u64 *pe)
{
	if (!(pe[0] & PE_P))
		return FR_SPT_2;
	if (pasid_entry_reserved(c, pe))
		return FR_SPT_3;
	if (pasid_entry_invalid(c, pe))
		return FR_SPT_4;
	return FR_NONE;
}

/* "Root Entry" of legacy mode. */
u8 vtd_check_legacy_root(const struct vtd_caps *c, const u64 *root)
{
	if (!(root[0] & ROOT_P))
		return FR_LRT_2;
	if (root[0] & ROOT_RSVD || root[1] || beyond_haw(c, root[0]))
		return FR_LRT_3;
	return FR_NONE;
}

static bool translation_type_supported(u64 ecap, u8 tt)
{
	switch (tt) {
	case LCTX_UNTRANSLATED:
		return true;
	case LCTX_ALL:
		return has_all(ecap, ECAP_DT);
	case LCTX_PASSTHROUGH:
		return has_all(ecap, ECAP_PT);
	}
	return false;
}

/* "Context Entry" of legacy mode. */
u8 vtd_check_legacy_context(const struct vtd_caps *c, const u64 *ctx)
{
	u64 dids = (1ULL << (4 + 2 * bits(c->cap, 2, 0))) - 1;

	if (!(ctx[0] & CTX_P))
		return FR_LCT_2;
	if (ctx[0] & LCTX_RSVD0 || ctx[1] & LCTX_RSVD1 ||
	    LCTX_DID(ctx[1]) & ~dids || beyond_haw(c, ctx[0]))
		return FR_LCT_3;
	if (!(bits(c->cap, 12, 8) & BIT_ULL(LCTX_AW(ctx[1]))) ||
	    !translation_type_supported(c->ecap, LCTX_TT(ctx[0])))
		return FR_LCT_4;
	return FR_NONE;
}
