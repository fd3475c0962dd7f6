// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Second-stage tables of the guest, shadowed into domains of the host.
 *
 * A shadow remembers what it has mapped in a tree of the shape of the guest's
 * table.  An invalidation walks both side by side: what is new is mapped, what
 * is not there any more is unmapped, what differs is unmapped and then mapped,
 * and parts that are empty in both are skipped, whatever range is invalidated.
 * Each leaf of the guest is a mapping of its own, for hosts can only unmap what
 * they mapped as a whole.
 *
 * A guest may build a table that leads to itself and so is larger than anything:
 * the walk ends at max_tables and max_mappings, and the domain is left empty
 * until its next invalidation.
 *
 * This is not the page walk of hardware, which vtdsim has (walk.c): that one
 * takes a single address through both stages, and has caches, accessed and dirty
 * bits, and a fault for each way to fail.  Here a range of addresses of one stage
 * is walked, nothing of the guest's is changed, and what is wrong is not mapped.
 * What both read out of an entry is in paging.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"

/* In a leaf[], beside the guest-physical address. */
#define MAPPED_READ	VVTD_READ
#define MAPPED_WRITE	VVTD_WRITE
#define MAPPED_PROT	(MAPPED_READ | MAPPED_WRITE)

struct shadow_table {
	u64 leaf[512];
	struct shadow_table *sub[512];
	u32 used;
};

/* One for each domain of the guest on a second stage; bindings hold it. */
struct shadow {
	struct shadow *next;
	struct vvtd *v;
	void *domain;
	u64 root;
	u32 second_stage;
	u16 did;
	u8 levels;
	u32 refs;
	bool stale;		/* the batch's invalidations are to be looked at */
	struct shadow_table *top;
	u32 nr_mappings;
	u32 visited;		/* tables of the guest, in this walk */
};

/* One table of a walk: the guest's, if it is there, and ours, if it is. */
struct pair {
	struct shadow *s;
	struct shadow_table **ours;
	u64 gpa;
	bool theirs;
	u8 level;
	u8 prot;		/* of the tables above */
	u64 base;		/* input address of entry 0 */
};

static u64 span(u8 level)
{
	return 1ULL << vtd_level_shift(level);
}

static void count(struct shadow *s, int rc)
{
	s->v->stats.host_calls++;
	s->v->stats.host_errors += !!rc;
	s->v->work -= !!s->v->work;
}

static void unmap(struct shadow *s, u64 iova, u64 size)
{
	s->v->ops.unmap(s->v->ctx, s->domain, iova, size);
	count(s, 0);
}

static struct shadow_table *table_make(struct shadow_table **ours)
{
	if (!*ours)
		*ours = calloc(1, sizeof(**ours));
	return *ours;
}

static void table_trim(struct shadow_table **ours)
{
	if (!*ours || (*ours)->used)
		return;
	free(*ours);
	*ours = NULL;
}

static void leaf_unmap(const struct pair *p, u32 i)
{
	struct shadow_table *t = *p->ours;

	unmap(p->s, p->base + i * span(p->level), span(p->level));
	t->leaf[i] = 0;
	t->used--;
	p->s->nr_mappings--;
}

/* -ENOSPC, -ENOMEM: give up.  What the host refuses is left out. */
static int leaf_map(const struct pair *p, u32 i, u64 want)
{
	struct shadow *s = p->s;
	struct shadow_table *t;
	int rc;

	if (s->nr_mappings >= s->v->cfg.max_mappings)
		return -ENOSPC;
	t = table_make(p->ours);
	if (!t)
		return -ENOMEM;
	rc = s->v->ops.map(s->v->ctx, s->domain, p->base + i * span(p->level),
			   page_of(want), span(p->level), want & MAPPED_PROT);
	count(s, rc);
	if (rc)
		return 0;
	t->leaf[i] = want;
	t->used++;
	s->nr_mappings++;
	return 0;
}

static struct pair below(const struct pair *p, u32 i, struct shadow_table **ours)
{
	return (struct pair){
		.s = p->s, .ours = ours, .level = p->level - 1,
		.base = p->base + i * span(p->level),
	};
}

/* Returns how many mappings the tables held. */
static u32 free_tables(struct shadow_table *t)
{
	u32 i, n = 0;

	for (i = 0; t && i < 512; i++)
		n += !!t->leaf[i] + free_tables(t->sub[i]);
	free(t);
	return n;
}

/* All that is below, in one call. */
static void drop(const struct pair *p)
{
	u32 n = free_tables(*p->ours);

	*p->ours = NULL;
	p->s->nr_mappings -= n;
	if (n)
		unmap(p->s, p->base, span(p->level + 1));
}

static void drop_sub(const struct pair *p, u32 i)
{
	struct shadow_table *t = *p->ours;
	struct pair sub;

	if (!t || !t->sub[i])
		return;
	sub = below(p, i, &t->sub[i]);
	drop(&sub);
	t->used--;
}

static u8 rights(u64 entry)
{
	return (entry & SS_R ? MAPPED_READ : 0) |
	       (entry & SS_W ? MAPPED_WRITE : 0);
}

static int sync_table(const struct pair *p, u64 first, u64 last);

/* The entry leads to a table: go there if there is anything to be seen. */
static int sync_sub(const struct pair *p, u32 i, u64 entry, u64 first, u64 last)
{
	struct shadow_table *t = table_make(p->ours);
	struct pair sub;
	bool was;
	int rc;

	if (!t)
		return -ENOMEM;
	was = t->sub[i];
	sub = below(p, i, &t->sub[i]);
	sub.gpa = vtd_paging_address(entry);
	sub.theirs = true;
	sub.prot = p->prot & rights(entry);
	rc = sync_table(&sub, first, last);
	t->used += !!t->sub[i] - was;
	return rc;
}

static int sync_leaf(const struct pair *p, u32 i, u64 want)
{
	struct shadow_table *t = *p->ours;

	drop_sub(p, i);
	if (t && t->leaf[i] == want)
		return 0;
	if (t && t->leaf[i])
		leaf_unmap(p, i);
	return want ? leaf_map(p, i, want) : 0;
}

static int sync_entry(const struct pair *p, u32 i, u64 entry, u64 first,
		      u64 last)
{
	const struct vtd_caps *caps = &p->s->v->m.caps;
	bool leaf = vtd_paging_leaf(entry, p->level);
	u8 prot = p->prot & rights(entry);
	u64 want;

	if (!prot || entry & vtd_second_stage_reserved(caps, p->level, leaf))
		return sync_leaf(p, i, 0);
	if (leaf) {
		want = vtd_paging_address(entry) & ~(span(p->level) - 1);
		return sync_leaf(p, i, want | prot);
	}
	if (*p->ours && (*p->ours)->leaf[i])
		leaf_unmap(p, i);
	return sync_sub(p, i, entry, first, last);
}

/* Entries for [first, last], which lies within the table's own range. */
static int sync_table(const struct pair *p, u64 first, u64 last)
{
	u32 i = (first - p->base) / span(p->level);
	u32 end = (last - p->base) / span(p->level);
	const u64 *theirs = NULL;
	int rc = 0;

	if (p->theirs && p->s->visited++ >= p->s->v->cfg.max_tables)
		return -ENOSPC;
	if (p->theirs)
		theirs = vv_ptr(p->s->v, p->gpa, 4096, false);
	for (; i <= end && !rc; i++) {
		u64 low = p->base + i * span(p->level);
		u64 high = low + span(p->level) - 1;
		u64 entry = theirs ? load_acquire(&theirs[i]) : 0;

		if (!entry && !*p->ours)
			continue;
		rc = sync_entry(p, i, entry, low > first ? low : first,
				high < last ? high : last);
	}
	table_trim(p->ours);
	return rc;
}

/* A table has 512 entries, which are cheap beside host calls. */
#define TABLES_PER_WORK	8

static void charge(struct shadow *s)
{
	u32 work = s->visited / TABLES_PER_WORK + 1;

	s->v->work -= s->v->work < work ? s->v->work : work;
}

static u64 last_address(const struct shadow *s)
{
	return span(s->levels + 1) - 1;
}

/* Bring [first, last] in step, or all to nothing. */
static void sync_shadow(struct shadow *s, u64 first, u64 last)
{
	struct pair top = {
		.s = s, .ours = &s->top, .gpa = s->root, .theirs = true,
		.level = s->levels, .prot = MAPPED_PROT,
	};

	s->visited = 0;
	if (last > last_address(s))
		last = last_address(s);
	if (first <= last && sync_table(&top, first, last))
		drop(&top);
	charge(s);
}

static struct shadow *find(struct vvtd_dev *dev, u64 root, u8 levels, u16 did)
{
	struct shadow *s;

	for (s = dev->v->shadows; s; s = s->next) {
		if (s->root == root && s->levels == levels && s->did == did &&
		    s->second_stage == dev->second_stage)
			break;
	}
	return s;
}

static int make(struct vvtd_dev *dev, u64 root, u8 levels, u16 did,
		struct shadow **out)
{
	struct vvtd *v = dev->v;
	struct shadow *s;
	int rc;

	if (v->nr_shadows == MAX_SHADOWS)
		return -ENOSPC;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	rc = v->ops.domain_alloc(v->ctx, dev->host, &s->domain);
	if (rc) {
		free(s);
		return rc;
	}
	s->v = v;
	s->root = root;
	s->levels = levels;
	s->did = did;
	s->second_stage = dev->second_stage;
	s->next = v->shadows;
	v->shadows = s;
	v->nr_shadows++;
	sync_shadow(s, 0, last_address(s));
	*out = s;
	return 0;
}

/* The shadow for a PASID-table entry: filled before a device is bound to it. */
int vv_shadow_get(struct vvtd_dev *dev, const u64 *pe, struct shadow **out)
{
	u8 levels = 2 + PE_AW(pe[0]);
	u64 root = page_of(pe[0]);
	u16 did = PE_DID(pe[1]);
	int rc = 0;

	*out = find(dev, root, levels, did);
	if (!*out)
		rc = make(dev, root, levels, did, out);
	if (!rc)
		(*out)->refs++;
	return rc;
}

/* The last reference: nothing is bound, so the host drops the domain whole. */
void vv_shadow_put(struct vvtd *v, struct shadow *s)
{
	struct shadow **p = &v->shadows;

	if (--s->refs)
		return;
	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	v->nr_shadows--;
	v->ops.domain_free(v->ctx, s->domain);
	free_tables(s->top);
	free(s);
}

void *vv_shadow_domain(const struct shadow *s)
{
	return s->domain;
}

static void invalidate_pages(struct shadow *s)
{
	const struct batch *b = &s->v->batch;
	u32 i;

	for (i = 0; i < b->num; i++) {
		const u64 *d = b->d[i];
		u64 addr, size;

		if (inv_type(d[0]) != INV_IOTLB || INV_G(d[0]) != 3 ||
		    INV_DID(d[0]) != s->did)
			continue;
		size = vtd_iotlb_range(&addr, d[1]);
		sync_shadow(s, addr, addr + size - 1);
	}
}

void vv_shadows_begin(struct vvtd *v)
{
	struct shadow *s;

	for (s = v->shadows; s; s = s->next)
		s->stale = true;
}

/*
 * The IOTLB invalidations of the batch: a whole domain at most once.  False:
 * there is more to do.
 */
bool vv_shadows_invalidate(struct vvtd *v)
{
	struct shadow *s;

	for (s = v->shadows; s; s = s->next) {
		if (!s->stale)
			continue;
		if (!v->work)
			return false;
		s->stale = false;
		if (vv_did_in(&v->batch.iotlb, s->did))
			sync_shadow(s, 0, last_address(s));
		else
			invalidate_pages(s);
	}
	return true;
}
