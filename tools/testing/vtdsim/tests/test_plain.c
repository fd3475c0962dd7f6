// SPDX-License-Identifier: GPL-2.0-only
/*
 * The unit and the plain walker on random tables: they agree on every
 * translation and every fault, with caches that are cold and that are warm.
 */
#include "../caches.h"
#include "plain.h"

#define PASID	0x42
#define DID	5
#define ROUNDS	20000
#define PER_WORLD 500

static u64 state;

static u64 draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static bool one_in(u32 n)
{
	return !(draw() % n);
}

struct scene {
	u64 pe[8];
	u64 entry[64];		/* of both stages, on the way */
	u32 nr;
	struct plain_request rq;
};

static void remember(struct scene *s, u64 at)
{
	if (s->nr < ARRAY_SIZE(s->entry))
		s->entry[s->nr++] = at;
}

static u64 first_flags(void)
{
	return FS_P | (one_in(8) ? 0 : FS_RW) | (one_in(8) ? 0 : FS_US) |
	       (one_in(2) ? FS_A : 0) | (one_in(2) ? FS_EA : 0) |
	       (one_in(8) ? FS_XD : 0);
}

static u64 second_flags(void)
{
	return (one_in(12) ? 0 : SS_R) | (one_in(12) ? 0 : SS_W) |
	       (one_in(4) ? 0 : SS_X) | (one_in(2) ? SS_A : 0) |
	       (one_in(2) ? SS_D : 0);
}

/* The second stage's way to @gpa, which leads to @hpa. */
static void second_to(struct world *w, struct scene *s, u64 gpa, u64 hpa,
		      int page_level)
{
	int level = 2 + PE_AW(s->pe[0]);
	u64 table = page_of(s->pe[0]);

	for (; level >= page_level; level--) {
		u64 at = table + (gpa >> level_shift(level) & 511) * 8;

		remember(s, at);
		if (level == page_level)
			poke(w, at, (hpa & ~((1ULL << level_shift(level)) - 1)) |
			     second_flags() | (level > 1 ? SS_PS : 0));
		else if (!peek(w, at))
			poke(w, at, new_page(w) | second_flags());
		else if (level <= 3 && peek(w, at) & SS_PS)
			return;
		table = peek(w, at) & GENMASK_ULL(51, 12);
	}
}

static u64 guest_page(struct world *w, struct scene *s, bool nested)
{
	u64 hpa = new_page(w);

	if (nested)
		second_to(w, s, hpa + GUEST_OFFSET, hpa, 1);
	return hpa;
}

static void first_to(struct world *w, struct scene *s, bool nested, u64 out)
{
	int page_level = one_in(2) ? 1 : 1 + draw() % 3;
	int level = PE_FSPM(s->pe[2]) ? 5 : 4;
	u64 offset = nested ? GUEST_OFFSET : 0;
	u64 table = guest_page(w, s, nested);

	s->pe[2] |= table + offset;
	for (; level >= page_level; level--) {
		u64 at = table + (s->rq.addr >> level_shift(level) & 511) * 8;

		remember(s, at);
		if (level == page_level) {
			poke(w, at, (out & ~((1ULL << level_shift(level)) - 1)) |
			     first_flags() | (one_in(2) ? FS_D : 0) |
			     (level > 1 ? FS_PS : 0));
			return;
		}
		table = guest_page(w, s, nested);
		poke(w, at, (table + offset) | first_flags());
	}
}

/* A page of the second stage for what the first stage's leaf gave. */
static void data_page(struct world *w, struct scene *s, u64 gpa)
{
	u64 hpa = draw() & GENMASK_ULL(one_in(8) ? 31 : 46, 12);

	second_to(w, s, gpa, hpa, one_in(2) ? 1 : 1 + draw() % 3);
}

static void entry_flags(struct scene *s, int type)
{
	s->pe[0] |= (u64)type << 6 | PE_P;
	s->pe[1] |= DID | (one_in(6) ? 0 : PE_PWSNP);
	if (type & 2)
		s->pe[0] |= (one_in(2) ? PE_SSADE : 0) | (one_in(3) ? PE_SSEE : 0);
	s->pe[2] |= PE_SRE | PE_ERE;
	if (type & 1)
		s->pe[2] |= (one_in(2) ? PE_WPE : 0) | (one_in(2) ? PE_NXE : 0) |
			    (one_in(2) ? PE_SMEP : 0) | (one_in(2) ? PE_EAFE : 0);
}

static void build(struct world *w, struct scene *s)
{
	int type = 1 + draw() % 4;
	bool nested = type == PGTT_NESTED;
	u64 gpa;

	*s = (struct scene){ .rq = {
		.write = one_in(2), .exec = one_in(4), .priv = one_in(4),
	} };
	if (s->rq.write)
		s->rq.exec = false;
	entry_flags(s, type);
	s->rq.addr = draw() & GENMASK_ULL(46, 0) & ~7ULL;
	gpa = draw() & GENMASK_ULL(37, 12);
	if (type & 2)
		s->pe[0] |= new_page(w) | (1 + draw() % 3) << 2;
	if (type == PGTT_SECOND && PE_AW(s->pe[0]) == 1)
		s->rq.addr &= GENMASK_ULL(38, 3);
	if (nested)
		s->pe[0] |= 2 << 2;
	if (type & 1 && one_in(2))
		s->pe[2] |= 1 << 2;
	if (type & 1)
		first_to(w, s, nested, nested ? gpa : draw() & GENMASK_ULL(46, 12));
	if (type == PGTT_SECOND)
		data_page(w, s, page_of(s->rq.addr));
	if (nested)
		data_page(w, s, gpa);
}

static void damage(struct world *w, struct scene *s)
{
	u32 n = draw() % 3;

	while (n-- && s->nr) {
		u64 at = s->entry[draw() % s->nr];

		poke(w, at, peek(w, at) ^ BIT_ULL(draw() % 64));
	}
	if (one_in(20))
		s->rq.addr ^= BIT_ULL(draw() % 64) & ~7ULL;
}

static bool agrees(struct world *w, const struct scene *s, u8 reason, u64 hpa)
{
	struct request rq = req(w, PASID, s->rq.addr);
	struct translation t;

	rq.read = !s->rq.write;
	rq.write = s->rq.write;
	rq.exec = s->rq.exec;
	rq.priv = s->rq.priv;
	do_request(w, &rq, &t);
	if (t.reason == reason && (reason || t.hpa == hpa))
		return true;
	printf("# unit: %#x %#llx, plain: %#x %#llx; type %u address %#llx w%u x%u p%u\n",
	       t.reason, t.hpa, reason, hpa, (u32)PE_PGTT(s->pe[0]),
	       s->rq.addr, s->rq.write, s->rq.exec, s->rq.priv);
	return false;
}

static void forget(struct world *w)
{
	const u64 d[12] = {
		d_context(1, 0, 0), 0, 0, 0, d_pasid_cache(3, 0, 0), 0, 0, 0,
		d_iotlb(1, 0),
	};

	submit_many(w, d, 3);
}

TEST(random, "unit and plain walker agree on random tables")
{
	u64 hpa, translated = 0, wrong = 0, seen[256] = { 0 };
	struct scene s;
	u32 i, kinds = 0;
	u8 reason;

	state = 0x123456789ULL;
	for (i = 0; i < ROUNDS; i++) {
		if (!(i % PER_WORLD)) {
			world_end(w);
			world_init(w);
		}
		build(w, &s);
		damage(w, &s);
		set_pasid(w, PASID, s.pe);
		reason = plain_translate(w, s.pe, &s.rq, &hpa);
		/* Cold, then warm. */
		wrong += !agrees(w, &s, reason, hpa);
		wrong += !agrees(w, &s, reason, hpa);
		EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
		translated += !reason;
		seen[reason]++;
		forget(w);
	}
	for (i = 0; i < 256; i++)
		kinds += !!seen[i];
	EXPECT_EQ(wrong, 0);
	/* The tables are neither all good nor all bad. */
	EXPECT(translated > ROUNDS / 4);
	EXPECT(translated < ROUNDS * 3 / 4);
	EXPECT(kinds > 15);
}
