// SPDX-License-Identifier: GPL-2.0-only
/*
 * "First-Stage Translation", "Second-Stage Translation", "Nested Translation",
 * for a unit with every capability that world_prepare() gives it.
 */
#include "platform.h"
#include "plain.h"

#define ADDRESS	0x000ffffffffff000ULL
#define B(n)	(1ULL << (n))

struct plain {
	struct world *w;
	const u64 *pe;
	const struct plain_request *rq;
	u64 entry_at[5];	/* first stage: where its entries stand */
	u64 entry[5];
	u64 need[5];		/* flags of each */
	int nr;
	u8 unsnooped;		/* the first flag to set, if that cannot be done */
};

struct page {
	u64 out;
	u64 all;		/* bits that every entry on the way has */
	u64 any;		/* bits that one of them has */
	u64 leaf;
	u64 size;
};

static bool nested(const struct plain *p)
{
	return (p->pe[0] >> 6 & 7) == 3;
}

/* "Accessed, Extended Accessed, and Dirty Flags": without PWSNP, a fault. */
static void flag_needed(struct plain *p, u8 reason)
{
	if (!(p->pe[1] & B(23)) && !p->unsnooped)
		p->unsnooped = reason;
}

static u8 second(struct plain *p, u64 gpa, bool written, struct page *pg)
{
	int top = 2 + (p->pe[0] >> 2 & 7), level;
	bool ssee = p->pe[0] & B(5), ssade = p->pe[0] & B(9);
	u64 table = p->pe[0] & ADDRESS;

	if (gpa >> (12 + 9 * top))
		return FR_SGN_5;
	pg->all = ~0ULL;
	for (level = top;; level--) {
		u64 *at = ram_ptr(&p->w->sim.ram, table +
				  (gpa >> (3 + 9 * level) & 511) * 8, 8);
		bool page = level == 1 || (level <= 3 && at && *at & B(7));

		pg->size = B(3 + 9 * level);
		if (!at)
			return level == top ? FR_SSS_4 : FR_SSS_1;
		if (!(*at & (ssee ? 7 : 3)))
			return FR_SSS_2;
		if (*at >> 48 & 15 || (level > 3 && *at & B(7)))
			return FR_SSS_3;
		if (!page && *at & (B(11) | B(62)))
			return FR_SSS_3;
		if (page && *at & (pg->size - 1) & ~0xfffULL)
			return FR_SSS_3;
		pg->all &= *at;
		if (ssade && (!(*at & B(8)) || (page && written && !(*at & B(9)))))
			flag_needed(p, FR_SSS_5);
		table = *at & ADDRESS;
		if (page)
			break;
	}
	pg->out = (table & ~(pg->size - 1)) | (gpa & (pg->size - 1));
	return FR_NONE;
}

static u8 find_table(struct plain *p, u64 table, bool root, u64 *hpa)
{
	struct page pg;
	u8 reason;

	*hpa = table;
	if (!nested(p))
		return FR_NONE;
	reason = second(p, table, false, &pg);
	if (reason)
		return reason == FR_SGN_5 ? FR_SFS_5 : reason;
	if (!(pg.all & 1))
		return root ? FR_SFS_6 : FR_SFS_7;
	*hpa = pg.out;
	return FR_NONE;
}

static u8 first(struct plain *p, struct page *pg)
{
	int top = p->pe[2] & B(2) ? 5 : 4, level;
	u64 ia = p->rq->addr, table = p->pe[2] & ADDRESS, hpa;
	u64 upper = ia >> (11 + 9 * top);
	u8 reason;

	if (upper && upper != ~0ULL >> (11 + 9 * top))
		return FR_SGN_1;
	pg->all = ~0ULL;
	pg->any = 0;
	for (level = top;; level--) {
		u64 offset = (ia >> (3 + 9 * level) & 511) * 8, *at;
		bool page;

		reason = find_table(p, table, level == top, &hpa);
		if (reason)
			return reason;
		at = ram_ptr(&p->w->sim.ram, hpa + offset, 8);
		pg->size = B(3 + 9 * level);
		if (!at)
			return level == top ? FR_SFS_4 : FR_SFS_1;
		if (!(*at & 1))
			return FR_SFS_2;
		if ((!nested(p) && *at >> 48 & 15) || (level > 3 && *at & B(7)))
			return FR_SFS_3;
		page = level == 1 || (level <= 3 && *at & B(7));
		p->need[p->nr] = B(5) | (p->pe[2] & B(7) ? B(10) : 0) |
				 (page && p->rq->write ? B(6) : 0);
		p->entry_at[p->nr] = table + offset;
		p->entry[p->nr++] = *at;
		if (~*at & p->need[p->nr - 1])
			flag_needed(p, FR_SFS_9);
		pg->all &= *at;
		pg->any |= *at;
		table = *at & ADDRESS;
		if (page)
			break;
	}
	/* Bit 12 of a large page's entry is its PAT bit. */
	if (level > 1 && table & (pg->size - 1) & ~0x1fffULL)
		return FR_SFS_3;
	pg->leaf = p->entry[p->nr - 1];
	pg->out = (table & ~(pg->size - 1)) | (ia & (pg->size - 1));
	return FR_NONE;
}

static bool first_writable(const struct plain *p, const struct page *f)
{
	return f->all & B(1) || (p->rq->priv && !(p->pe[2] & B(4)));
}

static u8 first_rights(const struct plain *p, const struct page *f)
{
	if (!p->rq->priv && !(f->all & B(2)))
		return FR_SGN_2;
	if (p->rq->write && !first_writable(p, f))
		return FR_SGN_6;
	if (p->rq->exec && f->any & B(63) && p->pe[2] & B(5))
		return FR_SGN_3;
	if (p->rq->exec && p->rq->priv && p->pe[2] & B(6) && f->all & B(2))
		return FR_SGN_3;
	return FR_NONE;
}

static u8 second_rights(const struct plain *p, const struct page *s)
{
	if (!p->rq->write && !(s->all & 1))
		return FR_SGN_7;
	if (p->rq->write && !(s->all & 2))
		return FR_SGN_6;
	if (p->rq->exec && p->pe[0] & B(5) && !(s->all & 4))
		return FR_SGN_3;
	return FR_NONE;
}

/* Nested: the second stage has to let the flags be written. */
static u8 first_flags(struct plain *p)
{
	struct page pg;
	u8 reason;
	int i;

	for (i = 0; nested(p) && i < p->nr; i++) {
		if ((p->entry[i] & p->need[i]) == p->need[i])
			continue;
		reason = second(p, p->entry_at[i], true, &pg);
		if (reason)
			return reason;
		if (!(pg.all & 2))
			return FR_SFS_8;
	}
	return FR_NONE;
}

static bool interrupt(u64 addr)
{
	return addr >> 20 == 0xfee;
}

u8 plain_translate(struct world *w, const u64 *pe,
		   const struct plain_request *rq, u64 *hpa)
{
	struct plain p = { .w = w, .pe = pe, .rq = rq };
	struct page f = { 0 }, s = { 0 };
	int type = pe[0] >> 6 & 7;
	u8 reason = FR_NONE;

	*hpa = rq->addr;
	if (type == 1 || type == 3) {
		reason = first(&p, &f);
		*hpa = f.out;
	}
	if (!reason && type == 3 && interrupt(*hpa))
		reason = FR_SGN_8;
	if (!reason && (type == 2 || type == 3)) {
		/* Not to be written where the first stage forbids it. */
		reason = second(&p, *hpa, rq->write &&
				(type == 2 || !first_rights(&p, &f)), &s);
		*hpa = s.out;
	}
	if (!reason && type == 4 && rq->addr >> 48)
		reason = FR_SGN_4;
	if (!reason && interrupt(*hpa))
		reason = FR_SGN_8;
	if (!reason && type & 1)
		reason = first_rights(&p, &f);
	if (!reason && type & 2)
		reason = second_rights(&p, &s);
	if (!reason)
		reason = p.unsnooped;
	if (!reason && type & 1)
		reason = first_flags(&p);
	return reason;
}
