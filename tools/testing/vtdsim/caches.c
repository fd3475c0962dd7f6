// SPDX-License-Identifier: GPL-2.0-only
/*
 * "Caching Translation Information": containers for what hardware may keep.
 *
 * A cache entry is found by its tags and dropped by its tags.  To keep an
 * invalidation as cheap as what it drops, entries hang from address spaces
 * (struct space), and address spaces from their domain-id.  A space lives as
 * long as it has entries.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base.h"
#include "caches.h"
#include "model.h"
#include "vtd.h"

#define NR_DIDS		65536
#define HASH_START	1024
#define MAX_ENTRIES	(1ULL << 20)
#define MAX_PASIDS	(1ULL << 21)	/* all of two endpoints */

static void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

static struct list *did_heads(void)
{
	struct list *heads = xcalloc(NR_DIDS, sizeof(*heads));
	size_t i;

	for (i = 0; i < NR_DIDS; i++)
		list_init(&heads[i]);
	return heads;
}

static u64 mix(u64 x)
{
	x *= 0x9e3779b97f4a7c15ULL;
	return x ^ (x >> 29);
}

/* Spaces with a PASID must be found by it; the others by their DID. */
static u64 space_hash(u16 did, u32 pasid)
{
	return mix(pasid == PASID_NONE ? did : pasid);
}

static u64 entry_hash(const struct space *sp, u64 page, unsigned int level,
		      bool leaf)
{
	return mix((u64)(uintptr_t)sp ^ mix(page * 16 + level * 2 + leaf));
}

void cache_init(struct cache *c)
{
	memset(c, 0, sizeof(*c));
	c->spaces = xcalloc(HASH_START, sizeof(*c->spaces));
	c->entries = xcalloc(HASH_START, sizeof(*c->entries));
	c->max_entries = MAX_ENTRIES;
	c->space_mask = HASH_START - 1;
	c->entry_mask = HASH_START - 1;
	c->dids = did_heads();
}

void cache_destroy(struct cache *c)
{
	cache_drop_all(c);
	free(c->spaces);
	free(c->entries);
	free(c->dids);
}

static void grow_spaces(struct cache *c)
{
	u64 mask = c->space_mask * 2 + 1;
	struct space **t = xcalloc(mask + 1, sizeof(*t));
	struct space *sp, *next;
	u64 i, h;

	for (i = 0; i <= c->space_mask; i++) {
		for (sp = c->spaces[i]; sp; sp = next) {
			next = sp->next;
			h = space_hash(sp->did, sp->pasid) & mask;
			sp->next = t[h];
			t[h] = sp;
		}
	}
	free(c->spaces);
	c->spaces = t;
	c->space_mask = mask;
}

static void grow_entries(struct cache *c)
{
	u64 mask = c->entry_mask * 2 + 1;
	struct cache_entry **t = xcalloc(mask + 1, sizeof(*t));
	struct cache_entry *e, *next;
	u64 i, h;

	for (i = 0; i <= c->entry_mask; i++) {
		for (e = c->entries[i]; e; e = next) {
			next = e->next;
			h = entry_hash(e->space, e->page, e->level, e->leaf);
			e->next = t[h & mask];
			t[h & mask] = e;
		}
	}
	free(c->entries);
	c->entries = t;
	c->entry_mask = mask;
}

struct space *cache_space(struct cache *c, u8 kind, u16 did, u32 pasid,
			  bool create)
{
	u64 h = space_hash(did, pasid) & c->space_mask;
	struct space *sp;

	for (sp = c->spaces[h]; sp; sp = sp->next) {
		if (sp->pasid == pasid && sp->did == did && sp->kind == kind)
			return sp;
	}
	if (!create)
		return NULL;
	if (c->nr_spaces > c->space_mask) {
		grow_spaces(c);
		h = space_hash(did, pasid) & c->space_mask;
	}
	sp = xcalloc(1, sizeof(*sp));
	sp->kind = kind;
	sp->did = did;
	sp->pasid = pasid;
	list_init(&sp->entries);
	list_add(&sp->did_node, &c->dids[did]);
	sp->next = c->spaces[h];
	c->spaces[h] = sp;
	c->nr_spaces++;
	return sp;
}

static void space_free(struct cache *c, struct space *sp)
{
	struct space **p;

	p = &c->spaces[space_hash(sp->did, sp->pasid) & c->space_mask];
	while (*p != sp)
		p = &(*p)->next;
	*p = sp->next;
	list_del(&sp->did_node);
	c->nr_spaces--;
	free(sp);
}

struct cache_entry *cache_find(struct cache *c, struct space *sp, u64 addr,
			       unsigned int level, bool leaf)
{
	u64 page = addr >> level_shift(level);
	struct cache_entry *e;

	if (!sp)
		return NULL;
	e = c->entries[entry_hash(sp, page, level, leaf) & c->entry_mask];
	for (; e; e = e->next) {
		if (e->page == page && e->space == sp && e->level == level &&
		    e->leaf == leaf)
			return e;
	}
	return NULL;
}

static void entry_free(struct cache *c, struct cache_entry *e)
{
	struct cache_entry **p;
	u64 h = entry_hash(e->space, e->page, e->level, e->leaf);

	p = &c->entries[h & c->entry_mask];
	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	list_del(&e->node);
	e->space->nr--;
	c->nr_entries--;
	free(e);
}

/* The cache is full: some entry leaves, of @kept maybe, which stays itself. */
static void make_room(struct cache *c, const struct space *kept)
{
	struct cache_entry *e;
	struct space *sp;

	do {
		c->victim = (c->victim + 1) & c->entry_mask;
		e = c->entries[c->victim];
	} while (!e);
	sp = e->space;
	entry_free(c, e);
	if (!sp->nr && sp != kept)
		space_free(c, sp);
}

/* A fresh entry; one with the same tags is reused, as hardware would. */
struct cache_entry *cache_insert(struct cache *c, struct space *sp, u64 addr,
				 unsigned int level, bool leaf)
{
	struct cache_entry *e = cache_find(c, sp, addr, level, leaf);
	u64 h;

	if (e)
		return e;
	if (c->nr_entries >= c->max_entries)
		make_room(c, sp);
	if (c->nr_entries > c->entry_mask)
		grow_entries(c);
	e = xcalloc(1, sizeof(*e));
	e->space = sp;
	e->page = addr >> level_shift(level);
	e->level = level;
	e->leaf = leaf;
	h = entry_hash(sp, e->page, level, leaf) & c->entry_mask;
	e->next = c->entries[h];
	c->entries[h] = e;
	list_add(&e->node, &sp->entries);
	sp->nr++;
	c->nr_entries++;
	return e;
}

void cache_remove(struct cache *c, struct cache_entry *e)
{
	struct space *sp = e->space;

	entry_free(c, e);
	if (!sp->nr)
		space_free(c, sp);
}

static void drop_space(struct cache *c, struct space *sp)
{
	struct list *pos, *tmp;

	if (!sp)
		return;
	for (pos = sp->entries.next, tmp = pos->next; pos != &sp->entries;
	     pos = tmp, tmp = pos->next)
		entry_free(c, container_of(pos, struct cache_entry, node));
	space_free(c, sp);
}

/*
 * An entry goes if its page overlaps the range.  With the invalidation hint
 * software says that only leaf entries changed: what points to tables may stay.
 */
static bool entry_in_range(const struct cache_entry *e, u64 addr, u64 size,
			   bool hint)
{
	unsigned int shift = level_shift(e->level);
	u64 last = addr + size - 1;

	if (hint && !e->leaf)
		return false;
	return e->page >= addr >> shift && e->page <= last >> shift;
}

static void scan_range(struct cache *c, struct space *sp, u64 addr, u64 size,
		       bool hint)
{
	struct list *pos, *tmp;
	struct cache_entry *e;

	for (pos = sp->entries.next, tmp = pos->next; pos != &sp->entries;
	     pos = tmp, tmp = pos->next) {
		e = container_of(pos, struct cache_entry, node);
		if (entry_in_range(e, addr, size, hint))
			entry_free(c, e);
	}
}

static void probe_page(struct cache *c, struct space *sp, u64 addr, bool hint)
{
	struct cache_entry *e;
	unsigned int level;

	for (level = 1; level <= 5; level++) {
		e = cache_find(c, sp, addr, level, true);
		if (e)
			entry_free(c, e);
		e = hint ? NULL : cache_find(c, sp, addr, level, false);
		if (e)
			entry_free(c, e);
	}
}

/* Look up every page of a small range, look at every entry otherwise. */
static void drop_range(struct cache *c, struct space *sp, u64 addr, u64 size,
		       bool hint)
{
	u64 i;

	if (!sp)
		return;
	if (size >> 12 < sp->nr / 16) {
		for (i = 0; i < size; i += 0x1000)
			probe_page(c, sp, addr + i, hint);
	} else {
		scan_range(c, sp, addr, size, hint);
	}
	if (!sp->nr)
		space_free(c, sp);
}

void cache_drop_all(struct cache *c)
{
	u32 did;

	for (did = 0; did < NR_DIDS && c->nr_spaces; did++)
		cache_drop_did(c, did);
}

void cache_drop_did(struct cache *c, u16 did)
{
	struct list *pos, *tmp;

	for (pos = c->dids[did].next, tmp = pos->next; pos != &c->dids[did];
	     pos = tmp, tmp = pos->next)
		drop_space(c, container_of(pos, struct space, did_node));
}

static void drop_faults(struct cache *c, struct space *sp)
{
	struct list *pos, *tmp;
	struct cache_entry *e;

	for (pos = sp->entries.next, tmp = pos->next; pos != &sp->entries;
	     pos = tmp, tmp = pos->next) {
		e = container_of(pos, struct cache_entry, node);
		if (e->reason)
			entry_free(c, e);
	}
	if (!sp->nr)
		space_free(c, sp);
}

void cache_drop_faults(struct cache *c)
{
	struct list *pos, *tmp;
	u32 did;

	for (did = 0; did < NR_DIDS; did++) {
		for (pos = c->dids[did].next, tmp = pos->next;
		     pos != &c->dids[did]; pos = tmp, tmp = pos->next)
			drop_faults(c, container_of(pos, struct space, did_node));
	}
}

/*
 * "IOTLB Invalidate", page-selective-within-domain: second-stage entries by
 * address; entries made with a first stage by domain, for the address that
 * they are tagged with is not the one that software names.
 */
void cache_drop_second_range(struct cache *c, u16 did, u64 addr, u64 size,
			     bool hint)
{
	struct list *pos, *tmp;
	struct space *sp;

	for (pos = c->dids[did].next, tmp = pos->next; pos != &c->dids[did];
	     pos = tmp, tmp = pos->next) {
		sp = container_of(pos, struct space, did_node);
		if (sp->kind == SPACE_SECOND)
			drop_range(c, sp, addr, size, hint);
		else
			drop_space(c, sp);
	}
}

/* "PASID-based-IOTLB Invalidate", PASID-selective-within-domain */
void cache_drop_pasid(struct cache *c, u16 did, u32 pasid)
{
	drop_space(c, cache_space(c, SPACE_PASID, did, pasid, false));
}

/* "PASID-based-IOTLB Invalidate", page-selective-within-PASID */
void cache_drop_pasid_range(struct cache *c, u16 did, u32 pasid, u64 addr,
			    u64 size, bool hint)
{
	drop_range(c, cache_space(c, SPACE_PASID, did, pasid, false), addr,
		   size, hint);
}

static void drop_device_pasids(struct cache *c, u64 addr, u64 size)
{
	struct list *pos, *tmp;
	struct space *sp;

	for (pos = c->dids[0].next, tmp = pos->next; pos != &c->dids[0];
	     pos = tmp, tmp = pos->next) {
		sp = container_of(pos, struct space, did_node);
		if (sp->pasid != PASID_NONE)
			drop_range(c, sp, addr, size, false);
	}
}

/* A device TLB's invalidate request; @global: whatever the PASID is. */
void cache_drop_device(struct cache *c, bool has_pasid, u32 pasid, bool global,
		       u64 addr, u64 size)
{
	struct space *sp;

	if (has_pasid && global) {
		drop_device_pasids(c, addr, size);
		return;
	}
	sp = cache_space(c, SPACE_DEVICE, 0, has_pasid ? pasid : PASID_NONE,
			 false);
	drop_range(c, sp, addr, size, false);
}

static void count_space(const struct space *sp, u64 *leaf, u64 *paging)
{
	const struct list *pos;

	for (pos = sp->entries.next; pos != &sp->entries; pos = pos->next) {
		if (container_of(pos, struct cache_entry, node)->leaf)
			(*leaf)++;
		else
			(*paging)++;
	}
}

/* Entries tagged with a PASID: with @pasid, or with any but 0. */
void cache_count(struct cache *c, bool one, u32 pasid, u64 *leaf, u64 *paging)
{
	u64 i = one ? space_hash(0, pasid) & c->space_mask : 0;
	struct space *sp;

	do {
		for (sp = c->spaces[i]; sp; sp = sp->next) {
			if (sp->pasid != PASID_NONE &&
			    (one ? sp->pasid == pasid : sp->pasid != 0))
				count_space(sp, leaf, paging);
		}
	} while (!one && ++i <= c->space_mask);
}

void sid_cache_init(struct sid_cache *c)
{
	c->e = xcalloc(65536, sizeof(*c->e));
}

void sid_cache_destroy(struct sid_cache *c)
{
	free(c->e);
}

void sid_cache_drop_all(struct sid_cache *c)
{
	u32 i;

	for (i = 0; i < 65536; i++)
		c->e[i].valid = false;
}

/* Legacy mode: those of a domain.  A cached fault has domain ID 0. */
void sid_cache_drop_did(struct sid_cache *c, u16 did)
{
	u32 i;

	for (i = 0; i < 65536; i++) {
		if (c->e[i].did == did)
			c->e[i].valid = false;
	}
}

void sid_cache_drop_faults(struct sid_cache *c)
{
	u32 i;

	for (i = 0; i < 65536; i++) {
		if (c->e[i].reason)
			c->e[i].valid = false;
	}
}

static void drop_functions(struct sid_cache *c, u16 sid, u32 function_mask,
			   const u16 *did)
{
	u16 mask = vtd_sid_ignored(function_mask);
	struct ctx_entry *e;
	u32 fn;

	for (fn = 0; fn < 8; fn++) {
		e = &c->e[(sid & ~7) | fn];
		if (((fn ^ sid) & 7 & ~mask) == 0 && (!did || e->did == *did))
			e->valid = false;
	}
}

/* "Context-cache Invalidate": @function_mask is FM, low bits first ignored. */
void sid_cache_drop(struct sid_cache *c, u16 sid, u32 function_mask)
{
	drop_functions(c, sid, function_mask, NULL);
}

/* The same in legacy mode, where the entry must be of the domain, too. */
void sid_cache_drop_in_did(struct sid_cache *c, u16 sid, u32 function_mask,
			   u16 did)
{
	drop_functions(c, sid, function_mask, &did);
}

void pasid_cache_init(struct pasid_cache *c)
{
	memset(c, 0, sizeof(*c));
	c->hash = xcalloc(HASH_START, sizeof(*c->hash));
	c->mask = HASH_START - 1;
	c->max = MAX_PASIDS;
	c->dids = did_heads();
	list_init(&c->faults);
}

void pasid_cache_destroy(struct pasid_cache *c)
{
	pasid_cache_drop_all(c);
	free(c->hash);
	free(c->dids);
}

static void pasid_cache_grow(struct pasid_cache *c)
{
	u64 mask = c->mask * 2 + 1;
	struct pasid_entry **t = xcalloc(mask + 1, sizeof(*t));
	struct pasid_entry *e, *next;
	u64 i, h;

	for (i = 0; i <= c->mask; i++) {
		for (e = c->hash[i]; e; e = next) {
			next = e->next;
			h = mix(e->pasid) & mask;
			e->next = t[h];
			t[h] = e;
		}
	}
	free(c->hash);
	c->hash = t;
	c->mask = mask;
}

struct pasid_entry *pasid_cache_find(struct pasid_cache *c, u16 sid, u32 pasid)
{
	struct pasid_entry *e = c->hash[mix(pasid) & c->mask];

	while (e && (e->pasid != pasid || e->sid != sid))
		e = e->next;
	return e;
}

struct pasid_entry *pasid_cache_insert(struct pasid_cache *c, u16 sid,
				       u32 pasid, u16 did, u8 reason)
{
	struct pasid_entry *e;
	u64 h;

	while (c->nr >= c->max) {
		c->victim = (c->victim + 1) & c->mask;
		if (c->hash[c->victim])
			pasid_cache_remove(c, c->hash[c->victim]);
	}
	if (c->nr > c->mask)
		pasid_cache_grow(c);
	e = xcalloc(1, sizeof(*e));
	e->sid = sid;
	e->pasid = pasid;
	e->did = did;
	e->reason = reason;
	h = mix(pasid) & c->mask;
	e->next = c->hash[h];
	c->hash[h] = e;
	list_add(&e->did_node, reason ? &c->faults : &c->dids[did]);
	c->nr++;
	return e;
}

void pasid_cache_remove(struct pasid_cache *c, struct pasid_entry *e)
{
	struct pasid_entry **p = &c->hash[mix(e->pasid) & c->mask];

	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	list_del(&e->did_node);
	c->nr--;
	free(e);
}

static void pasid_cache_drop_list(struct pasid_cache *c, struct list *head)
{
	struct list *pos, *tmp;

	for (pos = head->next, tmp = pos->next; pos != head;
	     pos = tmp, tmp = pos->next)
		pasid_cache_remove(c, container_of(pos, struct pasid_entry,
						   did_node));
}

void pasid_cache_drop_all(struct pasid_cache *c)
{
	u32 did;

	pasid_cache_drop_list(c, &c->faults);
	for (did = 0; did < NR_DIDS && c->nr; did++)
		pasid_cache_drop_list(c, &c->dids[did]);
}

void pasid_cache_drop_faults(struct pasid_cache *c)
{
	pasid_cache_drop_list(c, &c->faults);
}

/* Cached faults came from entries without a valid DID: any DID names them. */
void pasid_cache_drop_did(struct pasid_cache *c, u16 did)
{
	pasid_cache_drop_list(c, &c->faults);
	pasid_cache_drop_list(c, &c->dids[did]);
}

void pasid_cache_drop(struct pasid_cache *c, u16 did, u32 pasid)
{
	struct pasid_entry *e = c->hash[mix(pasid) & c->mask];
	struct pasid_entry *next;

	for (; e; e = next) {
		next = e->next;
		if (e->pasid == pasid && (e->reason || e->did == did))
			pasid_cache_remove(c, e);
	}
}

u64 pasid_cache_count(struct pasid_cache *c, u16 sid, bool one, u32 pasid)
{
	u64 i = one ? mix(pasid) & c->mask : 0;
	struct pasid_entry *e;
	u64 n = 0;

	do {
		for (e = c->hash[i]; e; e = e->next) {
			if (e->sid == sid && !e->reason &&
			    (one ? e->pasid == pasid : e->pasid != 0))
				n++;
		}
	} while (!one && ++i <= c->mask);
	return n;
}
