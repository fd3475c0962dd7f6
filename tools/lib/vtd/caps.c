// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What the guest is shown against what the host has, with the reason in words.
 */
#include <errno.h>
#include <stdio.h>
#include "unit.h"

struct need {
	bool wanted;
	bool has;
	const char *why;
};

static int say(const struct need *need, size_t num, char *why, size_t len)
{
	size_t i;

	for (i = 0; i < num; i++) {
		if (!need[i].wanted || need[i].has)
			continue;
		if (len)
			snprintf(why, len, "%s", need[i].why);
		return -EOPNOTSUPP;
	}
	return 0;
}

int vvtd_check_host(const struct vvtd_config *c,
		    const struct vvtd_host_caps *h, char *why, size_t len)
{
	const struct need need[] = {
		{ true, h->ecap & ECAP_SMTS,
		  "the host unit has no scalable mode" },
		{ true, h->ecap & ECAP_FSTS,
		  "the host unit has no first-stage translation" },
		{ true, h->ecap & ECAP_NEST,
		  "the host unit has no nested translation" },
		{ c->five_level, h->cap & CAP_FS5LP,
		  "the guest may use five-level tables, the host unit has four levels" },
		{ c->huge_pages, h->cap & CAP_FS1GP,
		  "the guest may use first-stage pages of 1 GiB, the host unit has none" },
		{ c->supervisor, h->ecap & ECAP_SRS,
		  "the guest may allow privileged requests, the host unit does not" },
		{ c->extended_access, h->ecap & ECAP_EAFS,
		  "the guest may use extended accessed flags, the host unit has none" },
		{ c->coherent, h->ecap & ECAP_SMPWCS,
		  "the guest is told that page walks snoop, those of the host unit do not" },
		{ c->snoop_control, h->ecap & ECAP_SC,
		  "the guest may force snooping, the host unit has no snoop control" },
		{ h->pasid_bits, bits(h->ecap, 39, 35) + 1 >= c->pasid_bits,
		  "the guest is shown wider PASIDs than the host unit has" },
	};

	return say(need, ARRAY_SIZE(need), why, len);
}

bool vvtd_same_second_stage(const struct vvtd_host_caps *a,
			    const struct vvtd_host_caps *b, char *why,
			    size_t len)
{
	const u64 ecap = a->ecap ^ b->ecap;
	const u64 cap = a->cap ^ b->cap;
	const struct need need[] = {
		{ true, !(cap & (CAP_SAGAW(31) | CAP_MGAW(63))),
		  "the host units differ in the width of the second stage" },
		{ true, !(cap & CAP_SSLPS(15)),
		  "the host units differ in the page sizes of the second stage" },
		{ true, !(ecap & (ECAP_C | ECAP_SMPWCS)),
		  "the walks of one host unit snoop, those of the other do not" },
		{ true, !(ecap & ECAP_SC),
		  "one host unit has snoop control, the other has not" },
		{ true, !(ecap & ECAP_SSADS),
		  "one host unit tracks dirty pages, the other does not" },
		{ true, a->no_read_only == b->no_read_only,
		  "one host unit refuses read-only mappings under a nested entry" },
	};

	return !say(need, ARRAY_SIZE(need), why, len);
}
