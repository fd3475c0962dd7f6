// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is cached, by which tags, and what every invalidation drops and keeps.
 *
 * The pattern: make a translation, change the tables without telling, see the
 * old translation; invalidate, see the new one, or still the old one if the
 * invalidation is not meant for it.
 */
#include <string.h>
#include "../caches.h"
#include "harness.h"

#define PASID	0x42
#define OTHER	0x43

/* Two pages; a first-stage table whose leaf can be moved from one to other. */
struct move {
	u64 table;
	u64 leaf;
	u64 from;
	u64 to;
	u64 ia;
};

static void first_move_init(struct world *w, struct move *m, u32 pasid, u16 did)
{
	m->ia = 0x7f1234567000ULL;
	m->table = new_page(w);
	m->from = new_page(w);
	m->to = new_page(w);
	m->leaf = map_first(w, m->table, 4, m->ia, m->from, 1, FS_PAGE);
	bind_first(w, pasid, did, m->table);
	EXPECT_EQ(target(w, pasid, m->ia), m->from);
	poke(w, m->leaf, m->to | FS_PAGE);
	EXPECT_EQ(target(w, pasid, m->ia), m->from);
}

static void second_move_init(struct world *w, struct move *m, u32 pasid,
			     u16 did)
{
	m->ia = 0x123456000ULL;
	m->table = new_page(w);
	m->from = new_page(w);
	m->to = new_page(w);
	m->leaf = map_second(w, m->table, 4, m->ia, m->from, 1, SS_PAGE);
	bind_second(w, pasid, did, m->table);
	EXPECT_EQ(target(w, pasid, m->ia), m->from);
	poke(w, m->leaf, m->to | SS_PAGE);
	EXPECT_EQ(target(w, pasid, m->ia), m->from);
}

/* Nested; @first_leaf chooses which stage moves. */
static void nested_move_init(struct world *w, struct move *m, u32 pasid,
			     u16 did, bool first_leaf)
{
	struct nest n;

	nest_init(w, &n, pasid, did);
	m->ia = n.ia;
	m->table = n.first;
	m->from = n.page;
	m->to = new_page(w);
	map_second(w, n.second, 4, m->to + GUEST_OFFSET, m->to, 1, SS_PAGE);
	m->leaf = first_leaf ? n.leaf : n.leaf2;
	EXPECT_EQ(target(w, pasid, m->ia), m->from);
	if (first_leaf)
		poke(w, n.leaf, (m->to + GUEST_OFFSET) | FS_PAGE);
	else
		poke(w, n.leaf2, m->to | SS_PAGE);
	EXPECT_EQ(target(w, pasid, m->ia), m->from);
}

static bool stays(struct world *w, const struct move *m, u32 pasid)
{
	return target(w, pasid, m->ia) == m->from;
}

static bool moved(struct world *w, const struct move *m, u32 pasid)
{
	return target(w, pasid, m->ia) == m->to;
}

TEST(hits, "a second request is answered by the caches alone")
{
	struct vtdsim_counters c;
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	c = w->u->cnt;
	EXPECT_EQ(c.u_walks, 1);
	EXPECT_EQ(read_at(w, PASID, n.ia + 8), 0);
	EXPECT_EQ(w->u->cnt.u_walks, 1);
	EXPECT_EQ(w->u->cnt.u_hits_context, c.u_hits_context + 1);
	EXPECT_EQ(w->u->cnt.u_hits_pasid, c.u_hits_pasid + 1);
	EXPECT_EQ(w->u->cnt.u_hits_iotlb, c.u_hits_iotlb + 1);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
}

TEST(oracle, "the oracle counts hits that memory no longer supports")
{
	struct move m;

	world_init(w);
	first_move_init(w, &m, PASID, 5);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	submit(w, d_piotlb(2, 5, PASID), 0);
	EXPECT(moved(w, &m, PASID));
	EXPECT(moved(w, &m, PASID));
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
}

TEST(oracle_off, "--no-oracle counts none")
{
	struct move m;

	world_prepare(w);
	w->cfg.no_oracle = true;
	world_start(w);
	first_move_init(w, &m, PASID, 5);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
}

TEST(oracle_rights, "a right that was taken away makes a hit outdated")
{
	struct move m;

	world_init(w);
	m.table = new_page(w);
	m.leaf = map_first(w, m.table, 4, 0x5000, new_page(w), 1, FS_PAGE);
	bind_first(w, PASID, 5, m.table);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
	poke(w, m.leaf, peek(w, m.leaf) & ~FS_RW);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	submit(w, d_piotlb(2, 5, PASID), 0);
	EXPECT_EQ(write_at(w, PASID, 0x5000), FR_SGN_6);
}

TEST(oracle_dirty, "a dirty bit cleared behind a cached write is outdated")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	poke(w, pasid_entry(w, PASID), peek(w, pasid_entry(w, PASID)) |
	     PE_SSADE);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
	poke(w, n.leaf2, peek(w, n.leaf2) & ~SS_D);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	EXPECT(!(peek(w, n.leaf2) & SS_D));
	submit(w, d_iotlb(3, 5), d_addr(n.page + GUEST_OFFSET, 0, true));
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT(peek(w, n.leaf2) & SS_D);
}

/* SSADE is set, of the caches only the PASID cache is told. */
static void ssade_late(struct world *w)
{
	poke(w, pasid_entry(w, PASID), peek(w, pasid_entry(w, PASID)) |
	     PE_SSADE);
	submit(w, d_pasid_cache(1, 5, PASID), 0);
}

TEST(oracle_ssade, "cached before SSADE was set: a write sets no dirty bit")
{
	u64 table, leaf;

	world_init(w);
	table = new_page(w);
	leaf = map_second(w, table, 4, 0x5000, new_page(w), 1, SS_PAGE);
	bind_second(w, PASID, 5, table);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	ssade_late(w);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	EXPECT(!(peek(w, leaf) & SS_D));
	submit(w, d_iotlb(2, 5), 0);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	EXPECT(peek(w, leaf) & SS_D);
}

TEST(oracle_ssade_nested, "likewise nested, by the whole or by the second stage")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	ssade_late(w);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	submit(w, d_piotlb(2, 5, PASID), 0);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 2);
	EXPECT(!(peek(w, n.leaf2) & SS_D));
	submit(w, d_iotlb(2, 5), 0);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 2);
	EXPECT(peek(w, n.leaf2) & SS_D);
}

TEST(oracle_dirty_device, "likewise behind a write right in the device TLB")
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_WRITE, .flags = VTDSIM_F_PASID | VTDSIM_F_ATS,
		.pasid = PASID, .len = 8,
	};
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	poke(w, pasid_entry(w, PASID), peek(w, pasid_entry(w, PASID)) |
	     PE_SSADE);
	d.addr = n.ia;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
	poke(w, n.leaf2, peek(w, n.leaf2) & ~SS_D);
	submit(w, d_iotlb(3, 5), d_addr(n.page + GUEST_OFFSET, 0, true));
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	submit(w, d_pdevtlb(w->ep->sid, PASID), ALL_PASID_PAGES);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	EXPECT(peek(w, n.leaf2) & SS_D);
}

TEST(oracle_ats, "what a translation request is granted is checked as well")
{
	struct translation t;
	struct request rq;
	struct move m;

	world_init(w);
	m.table = new_page(w);
	m.leaf = map_first(w, m.table, 4, 0x5000, new_page(w), 1, FS_PAGE);
	bind_first(w, PASID, 5, m.table);
	rq = req(w, PASID, 0x5000);
	rq.at = AT_TRANSLATION;
	rq.write = true;
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	poke(w, m.leaf, peek(w, m.leaf) & ~FS_RW);
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	EXPECT(t.write);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
}

TEST(raised, "first-stage rights may be raised without an invalidation")
{
	struct move m;

	world_init(w);
	m.table = new_page(w);
	m.leaf = map_first(w, m.table, 4, 0x5000, new_page(w), 1,
			   FS_P | FS_US);
	bind_first(w, PASID, 5, m.table);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	EXPECT_EQ(write_at(w, PASID, 0x5000), FR_SGN_6);
	poke(w, m.leaf, peek(w, m.leaf) | FS_RW);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
}

TEST(raised_table, "so may those of the tables above, though they are cached")
{
	u64 table, top, other;

	world_init(w);
	table = new_page(w);
	map_first(w, table, 4, 0x5000, new_page(w), 1, FS_PAGE);
	other = map_first(w, table, 4, 0x6000, new_page(w), 1, FS_PAGE);
	bind_first(w, PASID, 5, table);
	top = entry_at(w, table, 4, 0x5000, 4, 0);
	poke(w, top, peek(w, top) & ~FS_RW);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	EXPECT_EQ(write_at(w, PASID, 0x5000), FR_SGN_6);
	poke(w, top, peek(w, top) | FS_RW);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
	EXPECT_EQ(write_at(w, PASID, 0x6000), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
	EXPECT(peek(w, other) & FS_D);
}

TEST(raised_table_ats, "likewise for what a translation request is granted")
{
	struct translation t;
	struct request rq;
	u64 table, top;

	world_init(w);
	table = new_page(w);
	map_first(w, table, 4, 0x5000, new_page(w), 1, FS_PAGE);
	bind_first(w, PASID, 5, table);
	top = entry_at(w, table, 4, 0x5000, 4, 0);
	poke(w, top, peek(w, top) & ~FS_RW);
	rq = req(w, PASID, 0x5000);
	rq.at = AT_TRANSLATION;
	rq.write = true;
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	EXPECT(!t.write);
	poke(w, top, peek(w, top) | FS_RW);
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	EXPECT(t.write);
}

TEST(accessed_first, "no table is cached before the flag above it is set")
{
	u64 table, leaf, top;

	world_init(w);
	table = new_page(w);
	leaf = map_first(w, table, 4, 0x5000, 0, 1, 0);
	bind_first(w, PASID, 5, table);
	top = entry_at(w, table, 4, 0x5000, 4, 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SFS_2);
	EXPECT(!(peek(w, top) & FS_A));
	poke(w, leaf, new_page(w) | FS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	EXPECT(peek(w, top) & FS_A);
	EXPECT(peek(w, entry_at(w, table, 4, 0x5000, 2, 0)) & FS_A);
	/* With the flags set, a walk that fails leaves what it found. */
	submit(w, d_piotlb(2, 5, PASID), 0);
	poke(w, leaf, 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SFS_2);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SFS_2);
	EXPECT_EQ(w->u->cnt.u_hits_paging, 1);
}

TEST(accessed_second, "the same in the second stage, with SSADE")
{
	u64 table, leaf, top;

	world_init(w);
	table = new_page(w);
	leaf = map_second(w, table, 4, 0x5000, 0, 1, 0);
	bind_second(w, PASID, 5, table);
	poke(w, pasid_entry(w, PASID), peek(w, pasid_entry(w, PASID)) |
	     PE_SSADE);
	top = entry_at(w, table, 4, 0x5000, 4, 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_2);
	poke(w, leaf, new_page(w) | SS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	EXPECT(peek(w, top) & SS_A);
}

TEST(accessed_leaf, "nor a page, while a flag above it is not set")
{
	u64 table, leaf;

	world_init(w);
	table = new_page(w);
	leaf = map_second(w, table, 4, 0x5000, new_page(w), 1,
			  SS_PAGE | SS_A | SS_D);
	bind_second(w, PASID, 5, table);
	poke(w, pasid_entry(w, PASID), peek(w, pasid_entry(w, PASID)) |
	     PE_SSADE);
	poke(w, pasid_entry(w, PASID) + 8, 5);
	/* Without PWSNP no flag can be set, however often it is tried. */
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_5);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_5);
	EXPECT_EQ(w->u->iotlb.nr_entries, 0);
	EXPECT_EQ(peek(w, leaf) & (SS_A | SS_D), SS_A | SS_D);
}

TEST(oracle_no_dirty, "a write that is refused needs no dirty flag")
{
	u64 table;

	world_init(w);
	table = new_page(w);
	map_second(w, table, 4, 0x5000, new_page(w), 1, SS_R);
	bind_second(w, PASID, 5, table);
	poke(w, pasid_entry(w, PASID), peek(w, pasid_entry(w, PASID)) |
	     PE_SSADE);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	EXPECT_EQ(write_at(w, PASID, 0x5000), FR_SGN_6);
	EXPECT_EQ(write_at(w, PASID, 0x5000), FR_SGN_6);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
}

static void pass(struct world *w)
{
	u64 pe[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 5 };

	set_pasid(w, PASID, pe);
	EXPECT_EQ(target(w, PASID, 0x5000), 0x5000);
}

TEST(pass_cached, "a pass-through translation is cached by domain and PASID")
{
	u64 hits;

	world_init(w);
	pass(w);
	hits = w->u->cnt.u_hits_iotlb;
	EXPECT_EQ(target(w, PASID, 0x5008), 0x5008);
	EXPECT_EQ(w->u->cnt.u_hits_iotlb, hits + 1);
	EXPECT_EQ(write_at(w, PASID, 0x5008), 0);
	EXPECT_EQ(w->u->cnt.u_hits_iotlb, hits + 2);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
	submit(w, d_piotlb(2, 6, PASID), 0);
	EXPECT_EQ(w->u->iotlb.nr_entries, 1);
	submit(w, d_piotlb(2, 5, PASID), 0);
	EXPECT_EQ(w->u->iotlb.nr_entries, 0);
}

TEST(pass_left, "one that is not flushed answers for the first stage that follows")
{
	struct nest n;

	world_init(w);
	pass(w);
	nest_init(w, &n, PASID, 5);
	submit(w, d_pasid_cache(1, 5, PASID), 0);
	EXPECT_EQ(target(w, PASID, 0x5000), 0x5000);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	submit(w, d_iotlb(2, 5), 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SFS_2);
}

TEST(raised_second, "second-stage rights may not: the cached ones count")
{
	struct move m;

	world_init(w);
	m.table = new_page(w);
	m.leaf = map_second(w, m.table, 4, 0x5000, new_page(w), 1, SS_R);
	bind_second(w, PASID, 5, m.table);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	poke(w, m.leaf, peek(w, m.leaf) | SS_W);
	EXPECT_EQ(write_at(w, PASID, 0x5000), FR_SGN_6);
	submit(w, d_iotlb(2, 5), 0);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
}

/* The context cache */

static bool ctx_cached(struct world *w, u16 sid)
{
	return w->u->ctx.e[sid].valid;
}

static void warm(struct world *w)
{
	struct request rq;
	struct translation t;
	u64 pe[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 5 };
	u64 pe2[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 6 };

	set_pasid(w, PASID, pe);
	set_pasid(w, OTHER, pe2);
	rq = req(w, PASID, 0x1000);
	do_request(w, &rq, &t);
	rq.pasid = OTHER;
	do_request(w, &rq, &t);
	rq.sid = 8;
	do_request(w, &rq, &t);
	rq.pasid = PASID;
	do_request(w, &rq, &t);
}

static bool pasid_cached(struct world *w, u16 sid, u32 pasid)
{
	return pasid_cache_find(&w->u->pasids, sid, pasid);
}

TEST(ctx_stale, "a context entry is cached by source-id")
{
	world_init(w);
	warm(w);
	poke(w, w->ctx, 0);
	EXPECT_EQ(read_at(w, PASID, 0x2000), 0);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	submit(w, d_context(3, 0, 0), 0);
	EXPECT_EQ(read_at(w, PASID, 0x1000), FR_SCT_2);
}

TEST(ctx_global, "context cache, global: all, and only the context cache")
{
	u64 iotlb;

	world_init(w);
	warm(w);
	iotlb = w->u->iotlb.nr_entries;
	submit(w, d_context(1, 0, 0), 0);
	EXPECT(!ctx_cached(w, 0));
	EXPECT(!ctx_cached(w, 8));
	EXPECT(pasid_cached(w, 0, PASID));
	EXPECT_EQ(w->u->iotlb.nr_entries, iotlb);
}

TEST(ctx_domain, "context cache, domain: entries have no DID, so all")
{
	world_init(w);
	warm(w);
	submit(w, d_context(2, 0, 0), 0);
	EXPECT(!ctx_cached(w, 0));
	EXPECT(!ctx_cached(w, 8));
}

TEST(ctx_device, "context cache, device: that source-id")
{
	world_init(w);
	warm(w);
	submit(w, d_context(3, 8, 0), 0);
	EXPECT(ctx_cached(w, 0));
	EXPECT(!ctx_cached(w, 8));
}

TEST(ctx_mask, "context cache, device: the function mask")
{
	static const u8 dropped[4][8] = {
		{ 1, 0, 0, 0, 0, 0, 0, 0 },
		{ 1, 0, 0, 0, 1, 0, 0, 0 },
		{ 1, 0, 1, 0, 1, 0, 1, 0 },
		{ 1, 1, 1, 1, 1, 1, 1, 1 },
	};
	u32 fm, fn;

	world_init(w);
	for (fm = 0; fm < 4; fm++) {
		for (fn = 0; fn < 16; fn++)
			w->u->ctx.e[fn].valid = true;
		submit(w, d_context(3, 0, fm), 0);
		for (fn = 0; fn < 8; fn++)
			EXPECT_EQ(ctx_cached(w, fn), !dropped[fm][fn]);
		EXPECT(ctx_cached(w, 8));
	}
}

/* The PASID cache */

TEST(pasid_stale, "a PASID-table entry is cached by source-id and PASID")
{
	world_init(w);
	warm(w);
	clear_pasid(w, PASID);
	EXPECT_EQ(read_at(w, PASID, 0x1000), 0);
	EXPECT(w->u->cnt.u_outdated_hits);
	submit(w, d_pasid_cache(1, 5, PASID), 0);
	EXPECT_EQ(read_at(w, PASID, 0x1000), FR_SPT_2);
}

TEST(pasid_selective, "PASID cache, PASID-selective: DID and PASID, any device")
{
	world_init(w);
	warm(w);
	submit(w, d_pasid_cache(1, 5, PASID), 0);
	EXPECT(!pasid_cached(w, 0, PASID));
	EXPECT(!pasid_cached(w, 8, PASID));
	EXPECT(pasid_cached(w, 0, OTHER));
	EXPECT(ctx_cached(w, 0));
}

TEST(pasid_wrong_did, "PASID cache, PASID-selective: not with another DID")
{
	world_init(w);
	warm(w);
	submit(w, d_pasid_cache(1, 6, PASID), 0);
	EXPECT(pasid_cached(w, 0, PASID));
	submit(w, d_pasid_cache(1, 5, OTHER), 0);
	EXPECT(pasid_cached(w, 0, OTHER));
}

TEST(pasid_domain, "PASID cache, all PASIDs of a domain")
{
	world_init(w);
	warm(w);
	submit(w, d_pasid_cache(0, 6, PASID), 0);
	EXPECT(pasid_cached(w, 0, PASID));
	EXPECT(!pasid_cached(w, 0, OTHER));
	EXPECT(!pasid_cached(w, 8, OTHER));
}

TEST(pasid_global, "PASID cache, global")
{
	world_init(w);
	warm(w);
	submit(w, d_pasid_cache(3, 0, 0), 0);
	EXPECT_EQ(w->u->pasids.nr, 0);
}

TEST(pasid_only, "a PASID-cache invalidation keeps the IOTLB")
{
	struct move m;

	world_init(w);
	first_move_init(w, &m, PASID, 5);
	submit(w, d_pasid_cache(1, 5, PASID), 0);
	submit(w, d_pasid_cache(0, 5, 0), 0);
	submit(w, d_pasid_cache(3, 0, 0), 0);
	submit(w, d_context(1, 0, 0), 0);
	EXPECT(stays(w, &m, PASID));
}

/* IOTLB invalidate */

TEST(iotlb_global, "IOTLB, global: every kind of entry")
{
	struct move a, b, c;

	world_init(w);
	first_move_init(w, &a, PASID, 5);
	second_move_init(w, &b, OTHER, 6);
	nested_move_init(w, &c, OTHER + 1, 7, true);
	submit(w, d_iotlb(1, 0), 0);
	EXPECT_EQ(w->u->iotlb.nr_entries, 0);
	EXPECT(moved(w, &a, PASID));
	EXPECT(moved(w, &b, OTHER));
	EXPECT(moved(w, &c, OTHER + 1));
}

TEST(iotlb_domain, "IOTLB, domain: every kind of entry with that DID")
{
	struct move a, b, c, d;

	world_init(w);
	first_move_init(w, &a, PASID, 5);
	second_move_init(w, &b, OTHER, 8);
	nested_move_init(w, &c, OTHER + 1, 5, true);
	second_move_init(w, &d, OTHER + 2, 6);
	submit(w, d_iotlb(2, 5), 0);
	EXPECT(stays(w, &b, OTHER));
	submit(w, d_iotlb(2, 8), 0);
	EXPECT(moved(w, &a, PASID));
	EXPECT(moved(w, &b, OTHER));
	EXPECT(moved(w, &c, OTHER + 1));
	EXPECT(stays(w, &d, OTHER + 2));
}

TEST(iotlb_page, "IOTLB, page: second-stage entries of the range")
{
	struct move a;
	u64 next, old;

	world_init(w);
	second_move_init(w, &a, PASID, 5);
	old = new_page(w);
	next = map_second(w, a.table, 4, a.ia + 0x1000, old, 1, SS_PAGE);
	EXPECT_EQ(target(w, PASID, a.ia + 0x1000), old);
	poke(w, next, a.to | SS_PAGE);
	submit(w, d_iotlb(3, 5), d_addr(a.ia, 0, false));
	EXPECT(moved(w, &a, PASID));
	EXPECT_EQ(target(w, PASID, a.ia + 0x1000), old);
	/* AM 1 covers both. */
	submit(w, d_iotlb(3, 5), d_addr(a.ia, 1, false));
	EXPECT_EQ(target(w, PASID, a.ia + 0x1000), a.to);
}

TEST(iotlb_page_did, "IOTLB, page: not with another DID")
{
	struct move a;

	world_init(w);
	second_move_init(w, &a, PASID, 5);
	submit(w, d_iotlb(3, 6), d_addr(a.ia, 0, false));
	EXPECT(stays(w, &a, PASID));
}

TEST(iotlb_page_large, "IOTLB, page: a large page goes if it overlaps")
{
	u64 table, leaf;

	world_init(w);
	table = new_page(w);
	leaf = map_second(w, table, 4, 0x40000000, 0x400000, 2, SS_PAGE);
	bind_second(w, PASID, 5, table);
	EXPECT_EQ(target(w, PASID, 0x40000000), 0x400000);
	poke(w, leaf, 0x600000 | SS_PAGE | SS_PS);
	EXPECT_EQ(target(w, PASID, 0x40000000), 0x400000);
	submit(w, d_iotlb(3, 5), d_addr(0x40200000, 9, false));
	EXPECT_EQ(target(w, PASID, 0x40000000), 0x400000);
	submit(w, d_iotlb(3, 5), d_addr(0x401ff000, 0, false));
	EXPECT_EQ(target(w, PASID, 0x40000000), 0x600000);
}

TEST(iotlb_page_nested, "IOTLB, page: all nested entries of the domain")
{
	struct move a, b;

	world_init(w);
	nested_move_init(w, &a, PASID, 5, false);
	nested_move_init(w, &b, OTHER, 6, false);
	submit(w, d_iotlb(3, 5),
	       d_addr(a.from + GUEST_OFFSET, 0, true));
	EXPECT(moved(w, &a, PASID));
	EXPECT(stays(w, &b, OTHER));
}

TEST(iotlb_page_nested_any, "IOTLB, page: nested ones whatever the address")
{
	struct move a;

	world_init(w);
	nested_move_init(w, &a, PASID, 5, true);
	submit(w, d_iotlb(3, 5), d_addr(0x1000, 0, true));
	EXPECT(moved(w, &a, PASID));
}

TEST(iotlb_page_second_kept, "IOTLB, page: second-stage entries inside nested stay")
{
	struct move a;

	world_init(w);
	nested_move_init(w, &a, PASID, 5, false);
	/* Another page: the GPA's own entry survives and is used. */
	submit(w, d_iotlb(3, 5), d_addr(0x1000, 0, false));
	EXPECT(stays(w, &a, PASID));
}

TEST(iotlb_page_first, "IOTLB, page: all first-stage entries of the domain")
{
	struct move a, b;

	world_init(w);
	first_move_init(w, &a, PASID, 5);
	first_move_init(w, &b, OTHER, 6);
	submit(w, d_iotlb(3, 5), d_addr(0x1000, 0, false));
	EXPECT(moved(w, &a, PASID));
	EXPECT(stays(w, &b, OTHER));
}

TEST(iotlb_no_psi, "IOTLB, page, on a unit without PSI: the domain")
{
	struct move a;

	world_prepare(w);
	w->cfg.unit[0].psi = 0;
	world_start(w);
	second_move_init(w, &a, PASID, 5);
	submit(w, d_iotlb(3, 5), d_addr(0x1000, 0, false));
	EXPECT(moved(w, &a, PASID));
}

TEST(iotlb_only, "an IOTLB invalidation keeps context and PASID cache")
{
	world_init(w);
	warm(w);
	submit(w, d_iotlb(1, 0), 0);
	EXPECT(ctx_cached(w, 0));
	EXPECT(pasid_cached(w, 0, PASID));
}

/* PASID-based IOTLB invalidate */

TEST(piotlb_pasid, "PASID-based IOTLB, PASID: first-stage and nested entries")
{
	struct move a, b;

	world_init(w);
	first_move_init(w, &a, PASID, 5);
	nested_move_init(w, &b, OTHER, 6, true);
	submit(w, d_piotlb(2, 5, PASID), 0);
	EXPECT(moved(w, &a, PASID));
	EXPECT(stays(w, &b, OTHER));
	submit(w, d_piotlb(2, 6, OTHER), 0);
	EXPECT(moved(w, &b, OTHER));
}

TEST(piotlb_tags, "PASID-based IOTLB: DID and PASID must both match")
{
	struct move a;

	world_init(w);
	first_move_init(w, &a, PASID, 5);
	submit(w, d_piotlb(2, 6, PASID), 0);
	submit(w, d_piotlb(2, 5, OTHER), 0);
	submit(w, d_piotlb(3, 6, PASID), d_addr(a.ia, 0, false));
	submit(w, d_piotlb(3, 5, OTHER), d_addr(a.ia, 0, false));
	EXPECT(stays(w, &a, PASID));
}

TEST(piotlb_second, "PASID-based IOTLB: second-stage entries stay")
{
	struct move a;

	world_init(w);
	second_move_init(w, &a, PASID, 5);
	submit(w, d_piotlb(2, 5, PASID), 0);
	submit(w, d_piotlb(3, 5, PASID), d_addr(a.ia, 0, false));
	EXPECT(stays(w, &a, PASID));
}

TEST(piotlb_nested_second, "PASID-based IOTLB: nor is the GPA's entry dropped")
{
	struct move a;

	world_init(w);
	nested_move_init(w, &a, PASID, 5, false);
	submit(w, d_piotlb(2, 5, PASID), 0);
	EXPECT(stays(w, &a, PASID));
	submit(w, d_iotlb(2, 5), 0);
	EXPECT(moved(w, &a, PASID));
}

TEST(piotlb_page, "PASID-based IOTLB, page: that range of that PASID")
{
	struct move a, b;
	u64 next, old;

	world_init(w);
	first_move_init(w, &a, PASID, 5);
	first_move_init(w, &b, OTHER, 5);
	old = new_page(w);
	next = map_first(w, a.table, 4, a.ia + 0x1000, old, 1, FS_PAGE);
	EXPECT_EQ(target(w, PASID, a.ia + 0x1000), old);
	poke(w, next, a.to | FS_PAGE);
	submit(w, d_piotlb(3, 5, PASID), d_addr(a.ia, 0, false));
	EXPECT(moved(w, &a, PASID));
	EXPECT(stays(w, &b, OTHER));
	EXPECT_EQ(target(w, PASID, a.ia + 0x1000), old);
}

TEST(piotlb_page_nested, "PASID-based IOTLB, page: nested entries too")
{
	struct move a;

	world_init(w);
	nested_move_init(w, &a, PASID, 5, true);
	submit(w, d_piotlb(3, 5, PASID), d_addr(a.ia + 0x1000, 0, false));
	EXPECT(stays(w, &a, PASID));
	submit(w, d_piotlb(3, 5, PASID), d_addr(a.ia, 0, true));
	EXPECT(moved(w, &a, PASID));
}

TEST(piotlb_page_wide, "PASID-based IOTLB, page: the largest mask is all")
{
	struct move a;

	world_init(w);
	first_move_init(w, &a, PASID, 5);
	submit(w, d_piotlb(3, 5, PASID), d_addr(0, 52, false));
	EXPECT(moved(w, &a, PASID));
}

TEST(range_of_many, "a small range out of many entries: exactly that range")
{
	u64 table, leaf[256], page;
	u32 i;

	world_init(w);
	table = new_page(w);
	page = new_pages(w, 2);
	bind_first(w, PASID, 5, table);
	for (i = 0; i < 256; i++) {
		leaf[i] = map_first(w, table, 4, i * 0x1000ULL, page, 1,
				    FS_PAGE);
		EXPECT_EQ(target(w, PASID, i * 0x1000ULL), page);
		poke(w, leaf[i], (page + 0x1000) | FS_PAGE);
	}
	submit(w, d_piotlb(3, 5, PASID), d_addr(0x40000, 2, true));
	for (i = 0; i < 256; i++)
		EXPECT_EQ(target(w, PASID, i * 0x1000ULL),
			  i >= 0x40 && i < 0x44 ? page + 0x1000 : page);
}

/* Paging-structure caches */

/* Give @ia another table below @level, then see whether it is used. */
static void move_table(struct world *w, struct move *m, int level, u64 flags)
{
	u64 at = entry_at(w, m->table, 4, m->ia, level, 0);
	u64 table = new_page(w);
	int l;

	m->to = new_page(w);
	poke(w, at, table | flags);
	for (l = level - 1; l > 1; l--) {
		u64 next = new_page(w);

		poke(w, table + (m->ia >> level_shift(l) & 511) * 8,
		     next | flags);
		table = next;
	}
	/* The neighbour of the page that is cached already. */
	poke(w, table + (m->ia >> 12 & 511) * 8, m->to | flags);
}

static void first_table_init(struct world *w, struct move *m, int level)
{
	m->ia = 0x7f1234567000ULL;
	m->table = new_page(w);
	m->from = new_page(w);
	map_first(w, m->table, 4, m->ia, m->from, 1, FS_PAGE);
	bind_first(w, PASID, 5, m->table);
	EXPECT_EQ(target(w, PASID, m->ia), m->from);
	move_table(w, m, level, FS_PAGE & ~FS_D);
}

TEST(paging_hint, "paging-structure caches: the hint keeps them, or not")
{
	struct move m;
	int level;

	for (level = 2; level <= 4; level++) {
		world_init(w);
		first_table_init(w, &m, level);
		submit(w, d_piotlb(3, 5, PASID), d_addr(m.ia, 0, true));
		EXPECT(stays(w, &m, PASID));
		EXPECT(w->u->cnt.u_hits_paging);
		EXPECT(w->u->cnt.u_outdated_hits);
		submit(w, d_piotlb(3, 5, PASID), d_addr(m.ia, 0, false));
		EXPECT(moved(w, &m, PASID));
		world_end(w);
	}
	memset(w, 0, sizeof(*w));
}

TEST(paging_second, "paging-structure caches of the second stage likewise")
{
	struct move m;

	world_init(w);
	m.ia = 0x123456000ULL;
	m.table = new_page(w);
	m.from = new_page(w);
	map_second(w, m.table, 4, m.ia, m.from, 1, SS_PAGE);
	bind_second(w, PASID, 5, m.table);
	EXPECT_EQ(target(w, PASID, m.ia), m.from);
	move_table(w, &m, 3, SS_PAGE);
	submit(w, d_iotlb(3, 5), d_addr(m.ia, 0, true));
	EXPECT(stays(w, &m, PASID));
	submit(w, d_iotlb(3, 5), d_addr(m.ia, 0, false));
	EXPECT(moved(w, &m, PASID));
}

TEST(paging_nested, "nested: a table's page moves in the second stage")
{
	struct nest n;
	u64 copy, leaf2, page2;
	u32 i;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	EXPECT_EQ(target(w, PASID, n.ia), n.page);
	/* The guest's last table is copied elsewhere, and there changed. */
	copy = new_page(w);
	page2 = new_page(w);
	for (i = 0; i < 512; i++)
		poke(w, copy + i * 8, peek(w, page_of(n.leaf) + i * 8));
	map_second(w, n.second, 4, page2 + GUEST_OFFSET, page2, 1, SS_PAGE);
	poke(w, copy + (n.leaf & 0xfff), (page2 + GUEST_OFFSET) | FS_PAGE);
	leaf2 = entry_at(w, n.second, 4, page_of(n.leaf) + GUEST_OFFSET, 1, 0);
	poke(w, leaf2, copy | SS_PAGE);
	submit(w, d_piotlb(3, 5, PASID), d_addr(n.ia, 0, true));
	EXPECT_EQ(target(w, PASID, n.ia), n.page);
	/* Even with the hint: to the guest's tables it is data that moved. */
	submit(w, d_iotlb(3, 5),
	       d_addr(page_of(n.leaf) + GUEST_OFFSET, 0, true));
	EXPECT_EQ(target(w, PASID, n.ia), page2);
}

TEST(paging_pasid, "paging-structure caches go with their PASID")
{
	struct move m;

	world_init(w);
	first_table_init(w, &m, 3);
	submit(w, d_piotlb(2, 5, PASID), 0);
	EXPECT(moved(w, &m, PASID));
}

/* Caching Mode */

TEST(cm_off, "CM clear: what is not there is not cached")
{
	u64 table;

	world_init(w);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SPD_2);
	table = new_page(w);
	bind_second(w, PASID, 5, table);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_2);
	map_second(w, table, 4, 0x5000, 0x5000, 1, SS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
}

static void cm_init(struct world *w)
{
	world_prepare(w);
	w->cfg.unit[0].cm = 1;
	world_start(w);
}

TEST(cm_context, "CM set: a missing context entry is cached")
{
	u64 ctx;

	cm_init(w);
	ctx = peek(w, w->ctx);
	poke(w, w->ctx, 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SCT_2);
	poke(w, w->ctx, ctx);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SCT_2);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	submit(w, d_context(3, 0, 0), 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SPD_2);
}

TEST(cm_pasid, "CM set: a missing PASID-table entry is cached")
{
	cm_init(w);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SPD_2);
	bind_second(w, PASID, 5, new_page(w));
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SPD_2);
	submit(w, d_pasid_cache(1, 5, OTHER), 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SPD_2);
	submit(w, d_pasid_cache(1, 5, PASID), 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_2);
}

TEST(cm_pasid_domain, "CM set: such an entry goes with any domain")
{
	cm_init(w);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SPD_2);
	bind_second(w, PASID, 5, new_page(w));
	submit(w, d_pasid_cache(0, 5, 0), 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_2);
}

TEST(cm_second, "CM set: a missing second-stage page is cached")
{
	u64 table;

	cm_init(w);
	table = new_page(w);
	bind_second(w, PASID, 5, table);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_2);
	map_second(w, table, 4, 0x5000, 0x5000, 1, SS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_2);
	submit(w, d_iotlb(3, 5), d_addr(0x6000, 0, false));
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_2);
	submit(w, d_iotlb(3, 5), d_addr(0x5000, 0, false));
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
}

TEST(cm_first, "CM set: a missing first-stage page is not cached")
{
	u64 table;

	cm_init(w);
	table = new_page(w);
	bind_first(w, PASID, 5, table);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SFS_2);
	map_first(w, table, 4, 0x5000, 0x5000, 1, FS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
}

/* Random eviction */

TEST(evict, "--evict: caches forget at random, and are never wrong for it")
{
	struct nest n;
	u32 i;

	world_prepare(w);
	w->cfg.evict = 300;
	w->cfg.seed = 7;
	world_start(w);
	nest_init(w, &n, PASID, 5);
	for (i = 0; i < 2000; i++) {
		if (i & 1)
			EXPECT_EQ(write_at(w, PASID, n.ia), 0);
		else
			EXPECT_EQ(target(w, PASID, n.ia + i), n.page + i);
	}
	EXPECT(w->u->cnt.u_evictions > 100);
	EXPECT(w->u->cnt.u_hits_iotlb > 100);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
}

TEST(evict_all, "--evict 1000: nothing stale is ever seen")
{
	struct nest n;
	u64 to;

	world_prepare(w);
	w->cfg.evict = 1000;
	world_start(w);
	nest_init(w, &n, PASID, 5);
	EXPECT_EQ(target(w, PASID, n.ia), n.page);
	to = new_page(w);
	map_second(w, n.second, 4, to + GUEST_OFFSET, to, 1, SS_PAGE);
	poke(w, n.leaf, (to + GUEST_OFFSET) | FS_PAGE);
	EXPECT_EQ(target(w, PASID, n.ia), to);
}

/* Size */

TEST(many, "a million translations stay, and go by their own tag alone")
{
	const u32 nr = 1 << 20;
	struct cache c;
	struct space *sp;
	u32 i;

	(void)w;
	cache_init(&c);
	for (i = 1; i < nr; i++) {
		sp = cache_space(&c, SPACE_PASID, i & 3, i, true);
		cache_insert(&c, sp, 0x5000, 1, true)->out = i;
	}
	EXPECT_EQ(c.nr_entries, nr - 1);
	for (i = 1; i < nr; i += 2)
		cache_drop_pasid(&c, i & 3, i);
	EXPECT_EQ(c.nr_entries, nr / 2 - 1);
	cache_drop_did(&c, 2);
	EXPECT_EQ(c.nr_entries, nr / 4 - 1);
	sp = cache_space(&c, SPACE_PASID, 0, 0x80000, false);
	EXPECT_EQ(cache_find(&c, sp, 0x5fff, 1, true)->out, 0x80000);
	cache_drop_second_range(&c, 0, 0x1000, 0x1000, false);
	EXPECT_EQ(c.nr_entries, 0);
	cache_destroy(&c);
}

TEST(bounded, "a cache that is full takes what is new and drops something")
{
	struct space *sp;
	struct cache c;
	u64 i, left = 0;

	(void)w;
	cache_init(&c);
	c.max_entries = 100;
	for (i = 0; i < 1000; i++) {
		sp = cache_space(&c, SPACE_PASID, 5, i / 10, true);
		cache_insert(&c, sp, i << 12, 1, true);
		EXPECT(cache_find(&c, sp, i << 12, 1, true));
	}
	EXPECT_EQ(c.nr_entries, 100);
	for (i = 0; i < 1000; i++) {
		sp = cache_space(&c, SPACE_PASID, 5, i / 10, false);
		left += !!cache_find(&c, sp, i << 12, 1, true);
	}
	EXPECT_EQ(left, 100);
	EXPECT(c.nr_spaces <= 100);
	cache_destroy(&c);
}

TEST(bounded_pasids, "so does the PASID cache")
{
	struct pasid_cache c;
	u32 i, left = 0;

	(void)w;
	pasid_cache_init(&c);
	c.max = 100;
	for (i = 0; i < 1000; i++) {
		pasid_cache_insert(&c, 0, i, i & 3, FR_NONE);
		EXPECT(pasid_cache_find(&c, 0, i));
	}
	for (i = 0; i < 1000; i++)
		left += !!pasid_cache_find(&c, 0, i);
	EXPECT_EQ(left, 100);
	EXPECT_EQ(c.nr, 100);
	pasid_cache_destroy(&c);
}

TEST(tables_5, "five levels: the deepest table that is cached is the start")
{
	u64 pe[8] = { PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP };
	u64 ia = 0x00fedcba98765000ULL, table;
	int level;

	world_init(w);
	table = new_page(w);
	pe[2] = table | 1 << 2;
	map_first(w, table, 5, ia, new_page(w), 1, FS_PAGE);
	map_first(w, table, 5, ia + 0x1000, new_page(w), 1, FS_PAGE);
	set_pasid(w, PASID, pe);
	EXPECT_EQ(read_at(w, PASID, ia), 0);
	for (level = 2; level <= 5; level++) {
		struct space *sp = cache_space(&w->u->iotlb, SPACE_PASID, 5,
					       PASID, false);

		EXPECT(cache_find(&w->u->iotlb, sp, ia, level, false));
	}
	/* The upper levels are not read again. */
	poke(w, table + (ia >> 48 & 511) * 8, 0);
	EXPECT_EQ(read_at(w, PASID, ia + 0x1000), 0);
	EXPECT_EQ(w->u->cnt.u_hits_paging, 1);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	/* Another address of the same top entry finds only that one. */
	EXPECT_EQ(read_at(w, PASID, ia ^ BIT_ULL(40)), FR_SFS_2);
	EXPECT_EQ(w->u->cnt.u_hits_paging, 2);
	submit(w, d_piotlb(2, 5, PASID), 0);
	EXPECT_EQ(read_at(w, PASID, ia), FR_SFS_2);
}

static u64 moving, moved_to;

static void move_once(void *ctx)
{
	if (moving)
		poke(ctx, moving, moved_to | FS_P | FS_US);
	moving = 0;
}

TEST(walk_again, "an entry that changes before its flag is set is walked again")
{
	u64 table, from;

	world_prepare(w);
	w->cfg.adverse = true;
	world_start(w);
	table = new_page(w);
	from = new_page(w);
	moved_to = new_page(w);
	moving = map_first(w, table, 4, 0x5000, from, 1, FS_P | FS_US);
	map_first(w, table, 4, 0x6000, from, 1, FS_PAGE);
	bind_first(w, PASID, 5, table);
	/* What remains to be read is the leaf. */
	EXPECT_EQ(target(w, PASID, 0x6000), from);
	w->sim.paused = move_once;
	EXPECT_EQ(target(w, PASID, 0x5000), moved_to);
	EXPECT_EQ(target(w, PASID, 0x5000), moved_to);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
}
