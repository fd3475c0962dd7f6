/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_JUDGE_H
#define VTDSIM_JUDGE_H

#include "base.h"

struct age;
struct cache_entry;
struct tag;
struct walk;

/*
 * The oracle's word on a hit: whether the entry @agrees with memory, and if not,
 * what is made of it from here on is as old as it is.
 */
void judge_hit(struct walk *w, const char *what, const struct tag *tag,
	       struct age *age, u64 addr, bool agrees);

/* The same for an entry of the IOTLB or of the paging-structure caches. */
void judge_entry(struct walk *w, const char *what, struct cache_entry *e,
		 u64 addr, bool agrees);

void explain_step(struct walk *w, u8 stage, u8 level, u64 addr, u64 entry);

#endif /* VTDSIM_JUDGE_H */
