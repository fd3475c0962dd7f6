// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Second-Stage Paging Entries"
 */
#include "model.h"

bool vtd_second_stage_leaf(u64 entry, unsigned int level)
{
	return level == 1 || (level <= 3 && entry & SS_PS);
}

u64 vtd_second_stage_reserved(const struct vtd_caps *c, unsigned int level,
			      bool leaf)
{
	u64 sizes = bits(c->cap, 37, 34);
	u64 rsvd = c->haw > 51 ? 0 : GENMASK_ULL(51, c->haw);

	if (level > 3 || (level > 1 && !(sizes & BIT_ULL(level - 2))))
		rsvd |= SS_PS;
	if (leaf && level > 1)
		rsvd |= GENMASK_ULL(vtd_level_shift(level) - 1, 12);
	if (!leaf || !(c->ecap & ECAP_SC))
		rsvd |= SS_SNP;
	if (!leaf || !(c->ecap & ECAP_DT))
		rsvd |= SS_TM;
	return rsvd;
}
