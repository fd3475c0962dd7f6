/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One translation under way; shared by translate.c, structures.c, walk.c, judge.c
 * and census.c.
 */
#ifndef VTDSIM_WALK_STATE_H
#define VTDSIM_WALK_STATE_H

#include "base.h"
#include "caches.h"
#include "vtdsim_abi.h"

struct request;
struct translation;
struct unit;

/* Not a fault: an entry changed under the walk, which has to begin again. */
#define WALK_AGAIN	0xff
/* Nor this: a cached table lacks rights that memory may give by now. */
#define WALK_FROM_ROOT	0xfe

/*
 * A paging entry that the walk went through, and the accessed and dirty bits
 * that it must have before the request may proceed.
 */
struct touch {
	u64 *p;
	u64 seen;
	u64 set;
	u64 dirty;		/* leaf: to add if the page is written */
	u64 addr;		/* first stage: of the entry; second: input */
	u8 level;
	bool first;
	bool leaf;
};

#define MAX_TOUCHES	64

/* What may be cached once the flags of the entries above it are set. */
struct pending {
	bool first;
	bool leaf;		/* of the second stage */
	int touch;		/* leaf: index in touch[], or -1 */
	u8 level;
	u16 rights;
	u16 table_rights;
	u64 ia;
	u64 hpa;
	u64 table;
};

#define MAX_PENDING	32

struct walk {
	struct unit *u;
	const struct request *rq;
	struct translation *t;
	struct vtdsim_explain *ex;
	bool peek;		/* neither uses caches nor changes anything */
	bool guess;		/* unasked: no faults, no flags, only caches */
	bool priv;		/* of the request, or RID_PRIV */
	bool fpd;
	u32 pasid;		/* of the request, or RID_PASID */
	u64 ctx[4];
	u64 pe[8];
	bool from_root;		/* first stage: use no cached tables */
	bool used_tables;	/* first stage: it did */
	u8 for_level;		/* what the second stage is being walked for */
	struct cache_entry *hit;	/* IOTLB: the translation comes from it */
	struct touch touch[MAX_TOUCHES];
	u32 nr_touches;
	struct pending pending[MAX_PENDING];
	u32 nr_pending;
	struct age age;
};

/* Result of a walk through one stage. */
struct leaf {
	u64 page;		/* output address, aligned to the level */
	u16 rights;		/* RIGHT_*, STATE_* */
	u8 level;
	int touch;		/* index of the leaf entry in touch[], or -1 */
};

#endif /* VTDSIM_WALK_STATE_H */
