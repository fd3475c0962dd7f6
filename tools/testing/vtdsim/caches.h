/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Caching Translation Information": the caches of a unit and of an endpoint.
 *
 * Nothing leaves a cache unless an invalidation names it, so that a missing
 * invalidation shows as an old translation.  The limit, far beyond what a test
 * fills, is there for the memory of the machine.
 */
#ifndef VTDSIM_CACHES_H
#define VTDSIM_CACHES_H

#include "base.h"
#include "model.h"

/*
 * IOTLB, paging-structure caches and device TLBs: translations are kept per
 * address space, and an address space is named by the tags that the
 * specification gives in "Tagging of Cached Translations".
 */
enum space_kind {
	SPACE_PASID,	/* DID and PASID: first stage, nested, pass-through */
	SPACE_SECOND,	/* DID */
	SPACE_DEVICE,	/* device TLB: PASID or none */
};

/* Rights that a translation has collected; checked against each request. */
#define RIGHT_FS_W	0x01
#define RIGHT_FS_U	0x02
#define RIGHT_FS_X	0x04
#define RIGHT_SS_R	0x08
#define RIGHT_SS_W	0x10
#define RIGHT_SS_X	0x20
#define RIGHT_ALL	0x3f
/* State of the entries that it was made from. */
#define STATE_FS_DIRTY	0x040
#define STATE_SS_DIRTY	0x080
#define STATE_SS_ACCESSED 0x100

/* For the oracle; @taint: of what outdated entry this one was made, or 0. */
struct age {
	u64 agreed;
	u32 taint;
};

struct space {
	struct space *next;	/* hash chain, by PASID */
	struct list did_node;	/* spaces with the same DID */
	struct list entries;
	u64 nr;
	u8 kind;
	u16 did;
	u32 pasid;
};

struct cache_entry {
	struct cache_entry *next;	/* hash chain */
	struct list node;		/* in its space */
	struct space *space;
	u64 page;		/* input address >> shift of the level */
	u64 out;		/* leaf: page; else: table that the entry points to */
	u64 gpa;		/* nested: the same, guest-physical */
	u16 rights;		/* RIGHT_*, STATE_* */
	u8 level;
	bool leaf;
	u8 reason;		/* CM: the fault that is cached, or FR_NONE */
	/* Nested, not leaf: what the second stage gave for the table. */
	u16 table_rights;
	struct age age;
};

struct cache {
	struct space **spaces;
	struct cache_entry **entries;
	struct list *dids;	/* 65536 heads */
	u64 nr_spaces;
	u64 nr_entries;
	u64 max_entries;
	u64 victim;		/* bucket: where the next has to leave */
	u64 space_mask;
	u64 entry_mask;
};

#define level_shift(level)	vtd_level_shift(level)

void cache_init(struct cache *c);
void cache_destroy(struct cache *c);
struct space *cache_space(struct cache *c, u8 kind, u16 did, u32 pasid,
			  bool create);
struct cache_entry *cache_find(struct cache *c, struct space *sp, u64 addr,
			       unsigned int level, bool leaf);
struct cache_entry *cache_insert(struct cache *c, struct space *sp, u64 addr,
				 unsigned int level, bool leaf);
void cache_remove(struct cache *c, struct cache_entry *e);

/* Invalidations; each says what it drops. */
void cache_drop_all(struct cache *c);
void cache_drop_did(struct cache *c, u16 did);
void cache_drop_faults(struct cache *c);
void cache_drop_second_range(struct cache *c, u16 did, u64 addr, u64 size,
			     bool hint);
void cache_drop_pasid(struct cache *c, u16 did, u32 pasid);
void cache_drop_pasid_range(struct cache *c, u16 did, u32 pasid, u64 addr,
			    u64 size, bool hint);
void cache_drop_device(struct cache *c, bool has_pasid, u32 pasid, bool global,
		       u64 addr, u64 size);
void cache_count(struct cache *c, bool one, u32 pasid, u64 *leaf, u64 *paging);

/* Context cache: tagged by source-id, so an array is exact. */
struct ctx_entry {
	bool valid;
	u8 reason;		/* CM: the fault that is cached */
	bool fpd;
	u16 did;		/* legacy mode */
	struct age age;
	u64 val[4];
};

struct sid_cache {
	struct ctx_entry *e;	/* 65536 */
};

void sid_cache_init(struct sid_cache *c);
void sid_cache_destroy(struct sid_cache *c);
void sid_cache_drop_all(struct sid_cache *c);
void sid_cache_drop(struct sid_cache *c, u16 sid, u32 function_mask);
void sid_cache_drop_in_did(struct sid_cache *c, u16 sid, u32 function_mask,
			   u16 did);
void sid_cache_drop_did(struct sid_cache *c, u16 did);
void sid_cache_drop_faults(struct sid_cache *c);

/* PASID cache: tagged by source-id and PASID; DID is for invalidation. */
struct pasid_entry {
	struct pasid_entry *next;	/* hash chain, by PASID */
	struct list did_node;
	u16 sid;
	u16 did;
	u32 pasid;
	u8 reason;		/* CM: the fault that is cached */
	bool fpd;
	struct age age;
	u64 val[8];
};

struct pasid_cache {
	struct pasid_entry **hash;
	struct list *dids;
	struct list faults;	/* cached faults: they have no DID */
	u64 mask;
	u64 nr;
	u64 max;
	u64 victim;
};

void pasid_cache_init(struct pasid_cache *c);
void pasid_cache_destroy(struct pasid_cache *c);
struct pasid_entry *pasid_cache_find(struct pasid_cache *c, u16 sid, u32 pasid);
struct pasid_entry *pasid_cache_insert(struct pasid_cache *c, u16 sid,
				       u32 pasid, u16 did, u8 reason);
void pasid_cache_remove(struct pasid_cache *c, struct pasid_entry *e);
void pasid_cache_drop_all(struct pasid_cache *c);
void pasid_cache_drop_did(struct pasid_cache *c, u16 did);
void pasid_cache_drop_faults(struct pasid_cache *c);
void pasid_cache_drop(struct pasid_cache *c, u16 did, u32 pasid);
u64 pasid_cache_count(struct pasid_cache *c, u16 sid, bool one, u32 pasid);

#endif /* VTDSIM_CACHES_H */
