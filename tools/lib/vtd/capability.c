// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Capability Register", "Extended Capability Register"
 */
#include "model.h"

struct flag {
	u32 on;
	u64 bit;
};

static u64 flags(const struct flag *flag, size_t num)
{
	u64 set = 0;
	size_t i;

	for (i = 0; i < num; i++)
		set |= flag[i].on ? flag[i].bit : 0;
	return set;
}

u64 vtd_capability(const struct vtd_features *f)
{
	const struct flag flag[] = {
		{ f->cm, CAP_CM }, { f->rwbf, CAP_RWBF }, { f->psi, CAP_PSI },
		{ f->fl1gp, CAP_FS1GP }, { f->fl5lp, CAP_FS5LP },
	};

	return CAP_ND(f->nd) | CAP_SAGAW(f->sagaw) | CAP_MGAW(f->mgaw - 1) |
	       CAP_FRO(REG_FRCD / 16) | CAP_SSLPS(f->sslps) |
	       CAP_NFR(f->nfr - 1) | CAP_MAMV(f->mamv) | CAP_DWD | CAP_DRD |
	       flags(flag, ARRAY_SIZE(flag));
}

u64 vtd_extended_capability(const struct vtd_features *f)
{
	const struct flag flag[] = {
		{ f->c, ECAP_C }, { f->dt, ECAP_DT }, { f->pt, ECAP_PT },
		{ f->sc, ECAP_SC }, { f->nest, ECAP_NEST },
		{ f->prs, ECAP_PRS }, { f->ers, ECAP_ERS },
		{ f->srs, ECAP_SRS }, { f->nwfs, ECAP_NWFS },
		{ f->eafs, ECAP_EAFS }, { f->pasid, ECAP_PASID },
		{ f->pds, ECAP_PDS }, { f->smts, ECAP_SMTS },
		{ f->slads, ECAP_SSADS }, { f->slts, ECAP_SSTS },
		{ f->flts, ECAP_FSTS }, { f->smpwc, ECAP_SMPWCS },
		{ f->qi, ECAP_QI }, { f->adms, ECAP_ADMS },
	};

	return ECAP_IRO(REG_IVA / 16) | ECAP_PSS(f->pss) |
	       flags(flag, ARRAY_SIZE(flag));
}
