/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: whether a hit in a cache that memory no longer supports is one
 * that software has to live with, or one that it has a right not to see.
 *
 * Software changes tables in memory and the unit does not notice.  What it does
 * notice are the invalidations that tell of a change.  So each cached entry has
 * an age: the number of the last invalidation at the time when the entry was
 * known to agree with memory, that is, when it was loaded, or hit since and
 * found to agree.  A hit that disagrees is counted in u_outdated_hits.  It is
 * stale, and counted in u_stale_hits besides, as soon as
 * - an invalidation whose scope covers the entry was executed after that age,
 *   and a wait descriptor behind it has completed; and
 * - if the entry was made from another entry that was outdated when it was used
 *   (a PASID-table entry, a table's address, ...), the same holds for that one.
 *
 * An entry read from memory is dropped by the invalidation that covers it, so
 * what remains is an entry that outlived its own invalidation because it was
 * made again from an entry above it: the order of the invalidations was wrong.
 * Until the wait has completed, and before any invalidation that covers it, an
 * outdated hit is legal.  Software that never invalidates is not judged here;
 * it sees old data.
 *
 * One case cannot be told apart: software that invalidates the entry above with
 * a wait of its own and means to invalidate what hangs from it later, while
 * another invalidation for the latter has just completed.
 */
#ifndef VTDSIM_ORACLE_H
#define VTDSIM_ORACLE_H

#include "base.h"
#include "caches.h"

enum cache_id {
	CACHE_CONTEXT,
	CACHE_PASID,
	CACHE_IOTLB,		/* and paging structures */
	CACHE_DEVICE,
};

/* The tags of an entry. */
struct tag {
	u8 cache;		/* enum cache_id */
	u8 kind;		/* IOTLB: enum space_kind */
	bool leaf;
	bool any_did;		/* a cached fault: every DID names it */
	u16 sid;
	u16 did;
	u32 pasid;
	u64 addr;
	u64 size;
};

/* The scope of an invalidation; what is not "by" is "any". */
struct scope {
	u8 cache;
	bool by_sid, by_did, by_pasid, by_addr;
	bool second_only;	/* by address for second-stage entries only */
	bool with_first;	/* for entries with a first stage only */
	bool global;		/* device TLB: every PASID, but not none */
	bool hint;		/* leaf entries only */
	u16 sid_ignored;	/* bits of the source-id */
	u16 sid;
	u16 did;
	u32 pasid;
	u64 addr;
	u64 size;
};

struct unit;

struct age oracle_now(const struct unit *u);
void oracle_invalidated(struct unit *u, const struct scope *s);
void oracle_waited(struct unit *u);

/*
 * An entry was hit.  @age is the entry's; what is made of it inherits @made.
 * Returns true if the hit is stale.
 */
bool oracle_hit(struct unit *u, const struct tag *tag, struct age *age,
		bool agrees, struct age *made);
void oracle_destroy(struct unit *u);

#endif /* VTDSIM_ORACLE_H */
