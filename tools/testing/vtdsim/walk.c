// SPDX-License-Identifier: GPL-2.0-only
/*
 * "First-Stage Translation", "Second-Stage Translation", "Nested Translation":
 * one page walker for both formats, the IOTLB and the paging-structure caches.
 *
 * A walk only collects: the entries that it went through stand in w->touch[]
 * with the accessed and dirty bits that they need.  Once the request turns out
 * to be allowed, commit() sets those bits, each by one compare-and-swap; if an
 * entry is no longer what the walk saw, the translation begins again.
 *
 * The virtual unit of a VMM has another walk (tools/lib/vtd/shadow.c): of all
 * addresses of a range, side by side with what is mapped already, in one stage and
 * without caches, accessed and dirty bits or faults, for the host's unit has these.
 * What both read out of an entry is in tools/lib/vtd/paging.c.
 */
#include <string.h>
#include "adverse.h"
#include "base.h"
#include "caches.h"
#include "config.h"
#include "judge.h"
#include "model.h"
#include "platform.h"
#include "request.h"
#include "state.h"
#include "vtd.h"
#include "vtdsim_abi.h"
#include "walk.h"
#include "walk_state.h"

/* What distinguishes the stages; @fr_* are the faults of each. */
struct pt_format {
	u8 stage;		/* enum vtdsim_stage */
	u8 fr_root;
	u8 fr_access;
	u8 fr_reserved;
	u8 fr_absent;
	u8 fr_no_snoop;
	u64 accessed;
	u64 dirty;
	u64 (*present)(const struct walk *w);
	u64 (*reserved)(const struct walk *w, unsigned int level, bool leaf);
	u16 (*rights)(const struct walk *w, u64 entry);
};

/* A page table in use. */
struct stage {
	const struct pt_format *fmt;
	struct space *space;
	u8 kind;
	bool nested;		/* table addresses are guest-physical */
	bool ad;		/* accessed and dirty bits are in use */
	unsigned int levels;
	u64 root;
	u64 accessed;
};

/* Where a walk stands: about to read an entry of a table at @level. */
struct cursor {
	unsigned int level;
	u16 rights;
	u16 table_rights;	/* nested: of the table's page, second stage */
	bool located;
	u64 table;		/* as the entry above names it */
	u64 hpa;
};

static u8 second_stage(struct walk *w, u64 gpa, bool dirty, struct leaf *leaf);

static u64 low_bits(unsigned int shift)
{
	return (1ULL << shift) - 1;
}

/* "First-Stage Paging Entries" */
static u64 first_present(const struct walk *w)
{
	(void)w;
	return FS_P;
}

static u64 first_reserved(const struct walk *w, unsigned int level, bool leaf)
{
	const struct unit_config *c = &w->u->cfg;
	u64 rsvd = 0;

	/* Nested: a guest-physical address, checked by its translation. */
	if (PE_PGTT(w->pe[0]) == PGTT_FIRST)
		rsvd = vtd_beyond_width(c->haw);
	if (level > 3 || (level == 3 && !c->fl1gp))
		rsvd |= FS_PS;
	if (leaf && level > 1)
		rsvd |= GENMASK_ULL(level_shift(level) - 1, 13);
	return rsvd;
}

static u16 first_rights(const struct walk *w, u64 entry)
{
	u16 rights = RIGHT_SS_R | RIGHT_SS_W | RIGHT_SS_X;

	if (entry & FS_RW)
		rights |= RIGHT_FS_W;
	if (entry & FS_US)
		rights |= RIGHT_FS_U;
	if (!(entry & FS_XD) || !(w->pe[2] & PE_NXE))
		rights |= RIGHT_FS_X;
	return rights;
}

static const struct pt_format first_format = {
	.stage = VTDSIM_ST_FIRST,
	.fr_root = FR_SFS_4,
	.fr_access = FR_SFS_1,
	.fr_reserved = FR_SFS_3,
	.fr_absent = FR_SFS_2,
	.fr_no_snoop = FR_SFS_9,
	.accessed = FS_A,
	.dirty = FS_D,
	.present = first_present,
	.reserved = first_reserved,
	.rights = first_rights,
};

/* "Second-Stage Paging Entries" */
static u64 second_present(const struct walk *w)
{
	return SS_R | SS_W | (w->pe[0] & PE_SSEE ? SS_X : 0);
}

static u64 second_reserved(const struct walk *w, unsigned int level, bool leaf)
{
	return vtd_second_stage_reserved(&w->u->m.caps, level, leaf);
}

static u16 second_rights(const struct walk *w, u64 entry)
{
	u16 rights = RIGHT_FS_W | RIGHT_FS_U | RIGHT_FS_X;

	if (entry & SS_R)
		rights |= RIGHT_SS_R;
	if (entry & SS_W)
		rights |= RIGHT_SS_W;
	if (entry & SS_X || !(w->pe[0] & PE_SSEE))
		rights |= RIGHT_SS_X;
	return rights;
}

static const struct pt_format second_format = {
	.stage = VTDSIM_ST_SECOND,
	.fr_root = FR_SSS_4,
	.fr_access = FR_SSS_1,
	.fr_reserved = FR_SSS_3,
	.fr_absent = FR_SSS_2,
	.fr_no_snoop = FR_SSS_5,
	.accessed = SS_A,
	.dirty = SS_D,
	.present = second_present,
	.reserved = second_reserved,
	.rights = second_rights,
};

static unsigned int second_stage_width(const u64 *pe)
{
	return 30 + 9 * PE_AW(pe[0]);
}

static void first_stage_init(struct walk *w, struct stage *st)
{
	bool nested = PE_PGTT(w->pe[0]) == PGTT_NESTED;

	*st = (struct stage){
		.fmt = &first_format,
		.kind = SPACE_PASID,
		.nested = nested,
		.ad = true,
		.levels = PE_FSPM(w->pe[2]) ? 5 : 4,
		.root = page_of(w->pe[2]),
		.accessed = FS_A | (w->pe[2] & PE_EAFE ? FS_EA : 0),
	};
	st->space = cache_space(&w->u->iotlb, st->kind, PE_DID(w->pe[1]),
				w->pasid, false);
}

static void second_stage_init(struct walk *w, struct stage *st)
{
	*st = (struct stage){
		.fmt = &second_format,
		.kind = SPACE_SECOND,
		.ad = w->pe[0] & PE_SSADE,
		.levels = 2 + PE_AW(w->pe[0]),
		.root = page_of(w->pe[0]),
		.accessed = SS_A,
	};
	st->space = cache_space(&w->u->iotlb, SPACE_SECOND,
				PE_DID(w->pe[1]), PASID_NONE, false);
}

/* The space to insert into; looked up late, for an eviction may free it. */
static struct space *stage_space(struct walk *w, const struct stage *st)
{
	bool tagged = st->kind != SPACE_SECOND;

	return cache_space(&w->u->iotlb, st->kind, PE_DID(w->pe[1]),
			   tagged ? w->pasid : PASID_NONE, true);
}

static int touch(struct walk *w, const struct stage *st, u64 *p, u64 entry,
		 u64 addr, unsigned int level, bool leaf)
{
	struct touch *t;

	if (!st->ad || w->nr_touches == MAX_TOUCHES)
		return -1;
	t = &w->touch[w->nr_touches];
	*t = (struct touch){
		.p = p,
		.seen = entry,
		.set = st->accessed,
		.dirty = leaf ? st->fmt->dirty : 0,
		.addr = addr,
		.level = level,
		.first = st->fmt == &first_format,
		.leaf = leaf,
	};
	return w->nr_touches++;
}

/* Where the table stands in memory: in nested mode by the second stage. */
static u8 locate_table(struct walk *w, const struct stage *st,
		       struct cursor *c)
{
	struct leaf s;
	u8 reason;

	c->located = true;
	if (!st->nested) {
		c->hpa = c->table;
		return FR_NONE;
	}
	w->for_level = c->level;
	reason = second_stage(w, c->table, false, &s);
	w->for_level = 0;
	if (reason)
		return reason == FR_SGN_5 ? FR_SFS_5 : reason;
	if (!(s.rights & RIGHT_SS_R))
		return c->level == st->levels ? FR_SFS_6 : FR_SFS_7;
	c->hpa = s.page | (c->table & low_bits(level_shift(s.level)));
	c->table_rights = s.rights;
	return FR_NONE;
}

static void insert_table(struct walk *w, const struct pending *p)
{
	bool first = p->first;
	struct cache_entry *e;
	struct space *sp;

	sp = cache_space(&w->u->iotlb, first ? SPACE_PASID : SPACE_SECOND,
			 PE_DID(w->pe[1]), first ? w->pasid : PASID_NONE, true);
	e = cache_insert(&w->u->iotlb, sp, p->ia, p->level, false);
	e->out = p->hpa;
	e->gpa = p->table;
	e->rights = p->rights;
	e->table_rights = p->table_rights;
	e->age = w->age;
}

/* @leaf: an entry that itself may lack the flag, for its own state says so. */
static bool accessed_so_far(const struct walk *w, int leaf)
{
	int i;

	for (i = 0; i < (int)w->nr_touches; i++) {
		const struct touch *t = &w->touch[i];
		u64 accessed = t->set & ~t->dirty;

		if (i != leaf && (t->seen & accessed) != accessed)
			return false;
	}
	return true;
}

/*
 * "Accessed, Extended Accessed, and Dirty Flags": no entry is cached before its
 * accessed flag is set.  Where one is not, what was found waits for commit().
 */
static void paging_insert(struct walk *w, struct stage *st, u64 ia,
			  const struct cursor *c)
{
	const struct pending p = {
		.first = st->kind == SPACE_PASID,
		.level = c->level + 1,
		.rights = c->rights,
		.table_rights = c->table_rights,
		.ia = ia,
		.hpa = c->hpa,
		.table = c->table,
	};

	if (w->peek || c->level == st->levels)
		return;
	if (accessed_so_far(w, -1))
		insert_table(w, &p);
	else if (w->nr_pending < MAX_PENDING)
		w->pending[w->nr_pending++] = p;
}

/*
 * The walk itself, from where @c stands down to a leaf, or until the table at
 * level @stop has been located.
 */
static u8 walk_from(struct walk *w, struct stage *st, u64 ia, struct cursor *c,
		    unsigned int stop, struct leaf *leaf)
{
	for (;; c->level--, c->located = false) {
		unsigned int shift = level_shift(c->level);
		u64 offset = (ia >> shift & 511) * 8;
		u64 entry, *p;
		u8 reason;
		bool last;

		if (!c->located) {
			reason = locate_table(w, st, c);
			if (reason)
				return reason;
			paging_insert(w, st, ia, c);
		}
		if (c->level == stop)
			return FR_NONE;
		p = ram_ptr(&w->u->sim->ram, c->hpa + offset, 8);
		if (!p)
			return c->level == st->levels ? st->fmt->fr_root :
							st->fmt->fr_access;
		entry = load_acquire(p);
		explain_step(w, st->fmt->stage, c->level, c->hpa + offset,
			     entry);
		if (!(entry & st->fmt->present(w)))
			return st->fmt->fr_absent;
		last = vtd_paging_leaf(entry, c->level);
		if (entry & st->fmt->reserved(w, c->level, last))
			return st->fmt->fr_reserved;
		c->rights &= st->fmt->rights(w, entry);
		leaf->touch = touch(w, st, p, entry,
				    st->fmt == &first_format ?
				    c->table + offset : ia, c->level, last);
		c->table = vtd_paging_address(entry);
		if (last) {
			leaf->page = c->table & ~low_bits(shift);
			leaf->level = c->level;
			leaf->rights = c->rights;
			return FR_NONE;
		}
	}
}

static void cursor_at_root(const struct stage *st, struct cursor *c)
{
	*c = (struct cursor){
		.level = st->levels,
		.rights = RIGHT_ALL,
		.table = st->root,
	};
}

/* A walk that only looks, beside @w: same tables, no caches, no effects. */
static void peek_beside(const struct walk *w, struct walk *fresh)
{
	fresh->u = w->u;
	fresh->rq = w->rq;
	fresh->t = w->t;
	fresh->ex = NULL;
	fresh->peek = true;
	fresh->priv = w->priv;
	fresh->pasid = w->pasid;
	fresh->nr_touches = 0;
	fresh->for_level = 0;
	memcpy(fresh->pe, w->pe, sizeof(fresh->pe));
}

static void check_paging_hit(struct walk *w, const struct stage *st, u64 ia,
			     const struct cursor *hit, struct cache_entry *e)
{
	struct stage again = *st;
	struct walk fresh;
	struct cursor c;
	struct leaf leaf = { .touch = -1 };
	u8 reason;

	if (w->u->sim->cfg.no_oracle)
		return;
	peek_beside(w, &fresh);
	cursor_at_root(st, &c);
	reason = walk_from(&fresh, &again, ia, &c, hit->level, &leaf);
	judge_entry(w, "paging-structure cache", e, ia,
		    !reason && c.level == hit->level && c.hpa == hit->hpa &&
		    !(hit->rights & ~c.rights));
}

/* "Paging-Structure Caches": begin as deep as they allow. */
static void paging_lookup(struct walk *w, struct stage *st, u64 ia,
			  struct cursor *c)
{
	struct cache_entry *e = NULL;
	unsigned int level;

	cursor_at_root(st, c);
	if (w->peek || (w->from_root && st->kind == SPACE_PASID))
		return;
	for (level = 2; level <= st->levels && !e; level++)
		e = cache_find(&w->u->iotlb, st->space, ia, level, false);
	if (!e)
		return;
	if (sim_evict(w->u)) {
		cache_remove(&w->u->iotlb, e);
		st->space = NULL;
		return;
	}
	c->level = e->level - 1;
	c->rights = e->rights;
	c->table_rights = e->table_rights;
	c->table = e->gpa;
	c->hpa = e->out;
	c->located = true;
	w->used_tables |= st->kind == SPACE_PASID;
	w->u->cnt.u_hits_paging++;
	check_paging_hit(w, st, ia, c, e);
}

static u8 walk_stage(struct walk *w, struct stage *st, u64 ia,
		     struct leaf *leaf)
{
	struct cursor c;

	leaf->touch = -1;
	paging_lookup(w, st, ia, &c);
	return walk_from(w, st, ia, &c, 0, leaf);
}

static struct cache_entry *leaf_lookup(struct walk *w, struct space *sp,
				       u64 ia)
{
	struct cache_entry *e = NULL;
	unsigned int level;

	for (level = 1; level <= 3 && !e; level++)
		e = cache_find(&w->u->iotlb, sp, ia, level, true);
	if (e && sim_evict(w->u)) {
		cache_remove(&w->u->iotlb, e);
		return NULL;
	}
	return e;
}

static void leaf_from_entry(const struct cache_entry *e, struct leaf *leaf)
{
	leaf->page = e->out;
	leaf->rights = e->rights;
	leaf->level = e->level;
	leaf->touch = -1;
}

static bool second_agrees(struct walk *w, const struct cache_entry *e,
			  u64 gpa, bool dirty)
{
	struct walk fresh;
	struct leaf leaf;
	u8 reason;

	peek_beside(w, &fresh);
	reason = second_stage(&fresh, gpa, false, &leaf);
	if (reason || reason != e->reason)
		return reason == e->reason;
	return (leaf.page | (gpa & low_bits(level_shift(leaf.level)))) ==
	       (e->out | (gpa & low_bits(level_shift(e->level)))) &&
	       !(e->rights & RIGHT_ALL & ~leaf.rights) &&
	       (!dirty || leaf.touch < 0 ||
		fresh.touch[leaf.touch].seen & SS_D);
}

static struct cache_entry *second_hit(struct walk *w, struct space *sp,
				      u64 gpa, bool dirty)
{
	struct cache_entry *e = leaf_lookup(w, sp, gpa);

	if (!e)
		return NULL;
	if (!e->reason && w->pe[0] & PE_SSADE) {
		if (!(e->rights & STATE_SS_ACCESSED))
			return NULL;
		if (dirty && e->rights & RIGHT_SS_W &&
		    !(e->rights & STATE_SS_DIRTY))
			return NULL;
	}
	w->u->cnt.u_hits_iotlb++;
	if (!w->u->sim->cfg.no_oracle)
		judge_entry(w, "IOTLB, second stage", e, gpa,
			    second_agrees(w, e, gpa, dirty &&
					  e->rights & RIGHT_SS_W));
	return e;
}

/* Where the part of a page at @level is that holds @addr. */
static u64 part_of(u64 page, u64 addr, u8 page_level, u8 level)
{
	return page | (addr & low_bits(level_shift(page_level)) &
		       ~low_bits(level_shift(level)));
}

static void insert_second(struct walk *w, u64 gpa, u8 page_level, u64 page,
			  u16 rights)
{
	u8 level = adverse_level(w->u, page_level);
	struct cache_entry *e;
	struct space *sp;

	sp = cache_space(&w->u->iotlb, SPACE_SECOND, PE_DID(w->pe[1]),
			 PASID_NONE, true);
	e = cache_insert(&w->u->iotlb, sp, gpa, level, true);
	e->reason = FR_NONE;
	e->out = part_of(page, gpa, page_level, level);
	e->rights = rights;
	e->age = w->age;
}

/* CM: that there is no translation is cached. */
static void insert_second_fault(struct walk *w, u64 gpa, u8 reason)
{
	struct cache_entry *e;
	struct space *sp;

	if (w->guess || !unit_caches_faults(w->u))
		return;
	sp = cache_space(&w->u->iotlb, SPACE_SECOND, PE_DID(w->pe[1]),
			 PASID_NONE, true);
	e = cache_insert(&w->u->iotlb, sp, gpa, 1, true);
	e->reason = reason;
	e->age = w->age;
}

/* The flags that the entry had, or that were not needed without SSADE. */
static u16 leaf_state(const struct walk *w, int touch, u64 flags)
{
	if (touch >= 0)
		flags |= w->touch[touch].seen;
	else
		flags = SS_A | SS_D;
	return (flags & SS_A ? STATE_SS_ACCESSED : 0) |
	       (flags & SS_D ? STATE_SS_DIRTY : 0);
}

static void second_insert(struct walk *w, u64 gpa, u8 reason,
			  const struct leaf *leaf)
{
	if (w->peek)
		return;
	if (reason)
		insert_second_fault(w, gpa, reason);
	else if (accessed_so_far(w, leaf->touch))
		insert_second(w, gpa, leaf->level, leaf->page, leaf->rights |
			      leaf_state(w, leaf->touch, 0));
	else if (w->nr_pending < MAX_PENDING)
		w->pending[w->nr_pending++] = (struct pending){
			.leaf = true, .touch = leaf->touch,
			.level = leaf->level, .rights = leaf->rights,
			.ia = gpa, .hpa = leaf->page,
		};
}

/* All flags are set: what waited for them can be cached. */
static void insert_pending(struct walk *w)
{
	u32 i;

	for (i = 0; i < w->nr_pending; i++) {
		const struct pending *p = &w->pending[i];
		u64 set = p->leaf && p->touch >= 0 ? w->touch[p->touch].set : 0;

		if (p->leaf)
			insert_second(w, p->ia, p->level, p->hpa, p->rights |
				      leaf_state(w, p->touch, set));
		else
			insert_table(w, p);
	}
	w->nr_pending = 0;
}

/*
 * "Second-Stage Translation" of @gpa.  @dirty: the page is to be written, so
 * its entry needs the dirty bit, where dirty bits are in use.
 */
static u8 second_stage(struct walk *w, u64 gpa, bool dirty, struct leaf *leaf)
{
	struct cache_entry *e = NULL;
	struct stage st;
	u8 reason;

	if (gpa >> second_stage_width(w->pe) || gpa >> (w->u->cfg.mgaw - 1) > 1)
		return FR_SGN_5;
	second_stage_init(w, &st);
	if (!w->peek)
		e = second_hit(w, st.space, gpa, dirty);
	if (e) {
		leaf_from_entry(e, leaf);
		return e->reason;
	}
	second_stage_init(w, &st);
	reason = walk_stage(w, &st, gpa, leaf);
	second_insert(w, gpa, reason, leaf);
	if (!reason && dirty && leaf->touch >= 0 && leaf->rights & RIGHT_SS_W)
		w->touch[leaf->touch].set |= SS_D;
	return reason;
}

static bool translates_twice(const struct walk *w)
{
	return PE_PGTT(w->pe[0]) == PGTT_NESTED;
}

static bool has_first_stage(const struct walk *w)
{
	return translates_twice(w) || PE_PGTT(w->pe[0]) == PGTT_FIRST;
}

static u8 check_first_rights(const struct walk *w, u16 rights, bool write,
			     bool exec)
{
	if (!w->priv && !(rights & RIGHT_FS_U))
		return FR_SGN_2;
	if (write && !(rights & RIGHT_FS_W) &&
	    (!w->priv || w->pe[2] & PE_WPE))
		return FR_SGN_6;
	if (exec && !(rights & RIGHT_FS_X))
		return FR_SGN_3;
	if (exec && w->priv && w->pe[2] & PE_SMEP && rights & RIGHT_FS_U)
		return FR_SGN_3;
	return FR_NONE;
}

/* "Access Rights" of both stages. */
static u8 check_rights(const struct walk *w, u16 rights, bool read, bool write,
		       bool exec)
{
	u8 reason = FR_NONE;

	if (has_first_stage(w))
		reason = check_first_rights(w, rights, write, exec);
	if (reason)
		return reason;
	if (read && !(rights & RIGHT_SS_R))
		return FR_SGN_7;
	if (write && !(rights & RIGHT_SS_W))
		return FR_SGN_6;
	if (exec && !(rights & RIGHT_SS_X))
		return FR_SGN_3;
	return FR_NONE;
}

static u8 check_request(const struct walk *w, u16 rights)
{
	const struct request *rq = w->rq;

	/* A translation request asks what is allowed. */
	if (rq->at == AT_TRANSLATION)
		return FR_NONE;
	return check_rights(w, rights, rq->read, rq->write, rq->exec);
}

static bool will_write(const struct walk *w, u16 rights)
{
	return w->rq->write && !check_rights(w, rights, false, true, false);
}

static u8 output(struct walk *w, u64 page, u8 level, u16 rights)
{
	struct translation *t = w->t;

	t->hpa = page | (w->rq->addr & low_bits(level_shift(level)));
	t->level = level;
	t->read = !check_rights(w, rights, true, false, false);
	t->write = !check_rights(w, rights, false, true, false);
	/* Without a write request the dirty bit was not set: not for writing. */
	if (w->rq->at == AT_TRANSLATION && !w->rq->write)
		t->write = false;
	t->exec = !check_rights(w, rights, true, false, true);
	if (t->hpa >= INTR_BASE && t->hpa < INTR_END)
		return FR_SGN_8;
	return check_request(w, rights);
}

/* "Accessed and Dirty Flags": what a first-stage update needs beneath it. */
static u8 prepare_first_update(struct walk *w, const struct touch *t)
{
	struct vtdsim_explain *ex = w->ex;
	struct leaf s;
	u8 reason;

	if (!translates_twice(w))
		return FR_NONE;
	w->ex = NULL;
	reason = second_stage(w, t->addr, true, &s);
	w->ex = ex;
	if (reason)
		return reason;
	return s.rights & RIGHT_SS_W ? FR_NONE : FR_SFS_8;
}

/* May every update that is needed be made? */
static u8 prepare_updates(struct walk *w)
{
	u32 i;

	for (i = 0; i < w->nr_touches; i++) {
		struct touch *t = &w->touch[i];
		u8 reason = FR_NONE;

		if ((t->seen & t->set) == t->set)
			continue;
		if (w->guess)
			return FR_SFS_9;
		if (!(w->pe[1] & PE_PWSNP))
			return t->first ? FR_SFS_9 : FR_SSS_5;
		if (t->first)
			reason = prepare_first_update(w, t);
		if (reason)
			return reason;
	}
	return FR_NONE;
}

/* The second-stage leaf is cached already: let it know of the new state. */
static void note_update(struct walk *w, const struct touch *t)
{
	struct cache_entry *e;
	struct stage st;

	if (t->first || !t->leaf)
		return;
	second_stage_init(w, &st);
	e = cache_find(&w->u->iotlb, st.space, t->addr, t->level, true);
	if (!e)
		return;
	e->rights |= STATE_SS_ACCESSED;
	e->rights |= (t->set | t->seen) & SS_D ? STATE_SS_DIRTY : 0;
}

static bool update_entry(const struct touch *t)
{
	u64 old = t->seen;

	while ((old & t->set) != t->set) {
		if (cmpxchg(t->p, &old, old | t->set))
			break;
		if ((old ^ t->seen) & ~(t->set | t->dirty))
			return false;
	}
	return true;
}

static bool flags_set(const struct walk *w)
{
	u32 i;

	for (i = 0; i < w->nr_touches; i++) {
		if ((w->touch[i].seen & w->touch[i].set) != w->touch[i].set)
			return false;
	}
	return true;
}

static u8 commit(struct walk *w)
{
	u8 reason = prepare_updates(w);
	u32 i;

	if (reason || w->peek)
		return reason;
	if (!flags_set(w))
		adverse_pause(w->u);
	for (i = 0; i < w->nr_touches; i++) {
		if (!update_entry(&w->touch[i]))
			return WALK_AGAIN;
		note_update(w, &w->touch[i]);
	}
	insert_pending(w);
	return FR_NONE;
}

static bool lacks_dirty(const struct walk *w, int touch)
{
	return touch >= 0 && !(w->touch[touch].seen & w->touch[touch].dirty);
}

/*
 * Would the cached translation do?  Software may raise first-stage permissions
 * without an invalidation, so a lack of them is never taken from the cache.
 */
static bool first_usable(struct walk *w, const struct cache_entry *e)
{
	const struct request *rq = w->rq;

	if (check_rights(w, e->rights, rq->read, rq->write, rq->exec))
		return false;
	if (!will_write(w, e->rights))
		return true;
	if (!(e->rights & STATE_FS_DIRTY))
		return false;
	return !translates_twice(w) || !(w->pe[0] & PE_SSADE) ||
	       e->rights & STATE_SS_DIRTY;
}

static bool first_hit(struct walk *w, const struct stage *st, u8 *reason)
{
	struct cache_entry *e = leaf_lookup(w, st->space, w->rq->addr);

	if (!e || !first_usable(w, e))
		return false;
	w->u->cnt.u_hits_iotlb++;
	w->t->gpa = e->gpa | (w->rq->addr & low_bits(level_shift(e->level)));
	*reason = output(w, e->out, e->level, e->rights);
	w->hit = e;
	return true;
}

static void first_insert(struct walk *w, const struct stage *st,
			 const struct leaf *l, u64 gpa_page)
{
	u8 level = adverse_level(w->u, l->level);
	u64 ia = w->rq->addr;
	struct cache_entry *e;

	e = cache_insert(&w->u->iotlb, stage_space(w, st), ia, level, true);
	e->out = part_of(l->page, ia, l->level, level);
	e->gpa = part_of(gpa_page, ia, l->level, level);
	e->rights = l->rights;
	e->age = w->age;
}

/* The address that the first stage gave, through the second. */
static u8 combine(struct walk *w, struct leaf *l, struct leaf *s, u64 *gpa)
{
	u64 ia = w->rq->addr;
	unsigned int shift;
	u8 reason;

	*gpa = l->page | (ia & low_bits(level_shift(l->level)));
	w->t->gpa = *gpa;
	if (*gpa >= INTR_BASE && *gpa < INTR_END)
		return FR_SGN_8;
	reason = second_stage(w, *gpa, will_write(w, l->rights), s);
	if (reason)
		return reason;
	l->rights &= s->rights | RIGHT_FS_W | RIGHT_FS_U | RIGHT_FS_X;
	if (s->level < l->level)
		l->level = s->level;
	shift = level_shift(l->level);
	l->page = (s->page | (*gpa & low_bits(level_shift(s->level)))) &
		  ~low_bits(shift);
	return FR_NONE;
}

static void mark_dirty(struct walk *w, int touch)
{
	if (touch < 0)
		return;
	if (lacks_dirty(w, touch))
		w->t->needs_dirty = true;
	w->touch[touch].set |= w->touch[touch].dirty;
}

static u8 first_finish(struct walk *w, const struct stage *st, struct leaf *l,
		       struct leaf *s, u64 gpa)
{
	bool write = will_write(w, l->rights);
	int data = l->touch;
	u8 reason;

	reason = output(w, l->page, l->level, l->rights);
	if (reason)
		return reason;
	if (write) {
		mark_dirty(w, data);
		mark_dirty(w, st->nested ? s->touch : -1);
	}
	reason = commit(w);
	if (reason || w->peek)
		return reason;
	if (write || !lacks_dirty(w, data))
		l->rights |= STATE_FS_DIRTY;
	if (write || s->rights & STATE_SS_DIRTY || !(w->pe[0] & PE_SSADE))
		l->rights |= STATE_SS_DIRTY;
	first_insert(w, st, l, gpa & ~low_bits(level_shift(l->level)));
	return FR_NONE;
}

static bool canonical(u64 addr, unsigned int levels)
{
	unsigned int top = 11 + 9 * levels;
	u64 upper = addr >> top;

	return !upper || upper == ~0ULL >> top;
}

/* "First-Stage Translation", alone or over a second stage. */
static u8 translate_first(struct walk *w)
{
	struct leaf l, s = { .touch = -1 };
	struct stage st;
	u64 gpa = 0;
	u8 reason;

	first_stage_init(w, &st);
	if (!canonical(w->rq->addr, st.levels))
		return FR_SGN_1;
	if (!w->peek && first_hit(w, &st, &reason))
		return reason;
	if (!w->peek)
		w->u->cnt.u_walks++;
	first_stage_init(w, &st);
	reason = walk_stage(w, &st, w->rq->addr, &l);
	/* As above, and for the rights of tables as well. */
	if (!reason && w->used_tables &&
	    check_first_rights(w, l.rights, w->rq->write, w->rq->exec))
		return WALK_FROM_ROOT;
	if (!reason && st.nested)
		reason = combine(w, &l, &s, &gpa);
	if (reason)
		return reason;
	return first_finish(w, &st, &l, &s, gpa);
}

/* "Second-Stage Translation" of the request's own address. */
static u8 translate_second(struct walk *w)
{
	u64 hits = w->u->cnt.u_hits_iotlb;
	struct leaf l;
	u8 reason;

	reason = second_stage(w, w->rq->addr, w->rq->write, &l);
	if (!w->peek && w->u->cnt.u_hits_iotlb == hits)
		w->u->cnt.u_walks++;
	if (reason)
		return reason;
	reason = output(w, l.page, l.level, l.rights);
	if (reason)
		return reason;
	if (will_write(w, l.rights))
		mark_dirty(w, l.touch);
	return commit(w);
}

static u8 translate_passthrough(struct walk *w)
{
	const u16 rights = RIGHT_ALL | STATE_FS_DIRTY | STATE_SS_DIRTY;
	const struct leaf l = {
		.page = page_of(w->rq->addr), .level = 1, .rights = rights,
	};
	struct stage st;
	u8 reason;

	if (w->rq->addr >> w->u->cfg.haw)
		return FR_SGN_4;
	first_stage_init(w, &st);
	if (!w->peek && first_hit(w, &st, &reason))
		return reason;
	if (!w->peek)
		w->u->cnt.u_walks++;
	reason = output(w, l.page, 1, rights);
	if (!reason && !w->peek)
		first_insert(w, &st, &l, 0);
	return reason;
}

/* "PASID Granular Translation Type" */
u8 walk_pages(struct walk *w)
{
	switch (PE_PGTT(w->pe[0])) {
	case PGTT_FIRST:
	case PGTT_NESTED:
		return translate_first(w);
	case PGTT_SECOND:
		return translate_second(w);
	default:
		return translate_passthrough(w);
	}
}
