// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "First-Stage Paging Entries", "Second-Stage Paging Entries": what both walks,
 * vtdsim's (walk.c) and the virtual unit's (shadow.c), read out of an entry.
 */
#include <assert.h>
#include "model.h"

static_assert(FS_PS == SS_PS, "one bit says in both formats: a large page");

bool vtd_paging_leaf(u64 entry, unsigned int level)
{
	return level == 1 || (level <= 3 && entry & SS_PS);
}

/* Bits of the address that no table or page of the unit can have. */
u64 vtd_beyond_width(unsigned int width)
{
	return width > 51 ? 0 : GENMASK_ULL(51, width);
}

/* "Second-Stage Paging Entries" */
u64 vtd_second_stage_reserved(const struct vtd_caps *c, unsigned int level,
			      bool leaf)
{
	u64 sizes = bits(c->cap, 37, 34);
	u64 rsvd = vtd_beyond_width(c->haw);

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
