// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Sets of domain IDs: a bit each, and a list of those that are set, so that a
 * set is emptied at the cost of what is in it.
 */
#include "unit.h"

void vv_did_add(struct did_set *set, u16 did)
{
	if (vv_did_in(set, did))
		return;
	set->map[did / 64] |= BIT_ULL(did % 64);
	set->did[set->num++] = did;
}

bool vv_did_in(const struct did_set *set, u16 did)
{
	return set->all || set->map[did / 64] & BIT_ULL(did % 64);
}

void vv_did_clear(struct did_set *set)
{
	u32 i;

	for (i = 0; i < set->num; i++)
		set->map[set->did[i] / 64] = 0;
	set->num = 0;
	set->all = false;
}
