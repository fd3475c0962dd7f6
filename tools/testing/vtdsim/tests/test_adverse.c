// SPDX-License-Identifier: GPL-2.0-only
/*
 * --adverse: what stays on its way, what makes it arrive, and what comes into
 * the caches unasked.
 */
#include <stdlib.h>
#include <string.h>
#include "../caches.h"
#include "../page_requests.h"
#include "../sim.h"
#include "harness.h"

#define PASID	0x42
#define DID	5
#define LONG	1000000		/* rounds */

static void adverse(struct world *w, u32 seed)
{
	world_prepare(w);
	w->cfg.adverse = true;
	w->cfg.seed = seed;
	world_start(w);
}

/* More rounds than anything rests. */
static void settle(struct world *w)
{
	int i;

	for (i = 0; i < 100; i++)
		world_poll(w);
}

static struct vtdsim_desc access(u8 op, u8 flags, u64 addr)
{
	return (struct vtdsim_desc){
		.op = op, .flags = VTDSIM_F_PASID | flags, .pasid = PASID,
		.addr = addr, .len = 8,
	};
}

/* An access whose address is translated, and that does not arrive by itself. */
static struct vtdsim_desc *hang(struct world *w, u8 op, u8 flags, u64 addr)
{
	struct vtdsim_desc d = access(op, flags, addr);
	struct dma *q = &w->ep->q[0];
	struct vtdsim_desc *slot;

	do {
		slot = post(w, 0, &d);
		while (!slot->status && !q->flight[0].active)
			sim_poll(&w->sim);
	} while (!q->flight[0].active);
	q->flight[0].rounds = LONG;
	return slot;
}

static bool on_its_way(struct world *w)
{
	return w->ep->q[0].flight[0].active;
}

static void page(struct world *w, struct nest *n)
{
	nest_init(w, n, PASID, DID);
	/* What is read late would not be there any more. */
	poke(w, n->page, 0x1111);
}

TEST(polite, "the polite mode draws nothing by chance")
{
	struct vtdsim_desc d;
	struct nest n;
	u64 random;

	world_init(w);
	random = w->sim.random;
	page(w, &n);
	d = access(VTDSIM_OP_COPY, VTDSIM_F_ATS, n.ia);
	d.addr2 = n.ia + 8;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	submit(w, d_iotlb(2, DID), 0);
	submit(w, d_wait(WAIT_SW, 1), w->status);
	EXPECT_EQ(w->sim.random, random);
}

TEST(one, "one descriptor a round, with rests")
{
	u32 head, rounds = 0;
	u64 d[160] = { 0 };
	int i;

	adverse(w, 1);
	for (i = 0; i < 40; i++) {
		d[i * 4] = d_wait(WAIT_SW, i);
		d[i * 4 + 1] = w->status;
	}
	for (i = 0; i < 160; i++)
		poke(w, w->iq + i * 8, d[i]);
	reg_write64(w->u, REG_IQT, 40 * 32);
	while (w->u->m.iqh != 40 * 32) {
		head = w->u->m.iqh;
		sim_poll(&w->sim);
		EXPECT(w->u->m.iqh - head <= 32);
		rounds++;
	}
	EXPECT(rounds > 40);
	EXPECT_EQ(peek(w, w->status) & ~0u, 39);
}

/*
 * Is the device TLB's invalidation ever executed before what stands in front of
 * it?  The trace has them in the order of their execution.
 */
static bool device_tlb_first(struct world *w, u32 seed, const u64 *between)
{
	u64 d[3][4] = { { 0 } };
	const char *cache, *tlb;
	char *text;
	u32 n = 0;
	bool first;

	adverse(w, seed);
	w->u->ep[0].ctl |= VTDSIM_CTL_ATS;
	d[n++][0] = d_pasid_cache(1, DID, PASID);
	if (between)
		d[n++][0] = *between;
	d[n][0] = d_pdevtlb(w->ep->sid, PASID);
	d[n++][1] = ALL_PASID_PAGES;
	trace_begin(w);
	submit_many(w, d[0], n);
	settle(w);
	text = trace_end(w);
	EXPECT(queue_idle(w));
	EXPECT_EQ(w->u->cnt.u_desc[VTDSIM_D_PASID_CACHE], 1);
	EXPECT_EQ(w->u->cnt.u_desc[VTDSIM_D_PDEVTLB], 1);
	cache = strstr(text, "PASID-cache");
	tlb = strstr(text, "device-TLB");
	EXPECT(cache && tlb);
	first = tlb < cache;
	free(text);
	world_end(w);
	return first;
}

TEST(early, "a device TLB overtakes a PASID cache, unless an IOTLB stands between")
{
	const u64 between = d_piotlb(2, DID, PASID);
	u32 seed, alone = 0, behind = 0;

	for (seed = 1; seed < 30; seed++) {
		alone += device_tlb_first(w, seed, NULL);
		behind += device_tlb_first(w, seed, &between);
	}
	EXPECT(alone > 0);
	EXPECT(alone < 29);
	EXPECT_EQ(behind, 0);
	world_init(w);
}

TEST(write, "a write on its way is drained by DW, by nothing less")
{
	struct nest n;

	adverse(w, 1);
	page(w, &n);
	poke(w, (u64)VTDSIM_WINDOW_BASE + VTDSIM_BAR_OFF(0, 0) +
	     VTDSIM_BAR_LOCAL, 0x2222);
	hang(w, VTDSIM_OP_WRITE, 0, n.ia);
	poke(w, n.page, 0x3333);
	submit(w, d_pasid_cache(1, DID, PASID), 0);
	submit(w, d_iotlb(2, DID) | IOTLB_DR, 0);
	submit(w, d_pdevtlb(w->ep->sid, PASID), ALL_PASID_PAGES);
	submit(w, d_wait(WAIT_SW, 1), w->status);
	settle(w);
	EXPECT(queue_idle(w));
	EXPECT(on_its_way(w));
	EXPECT_EQ(peek(w, n.page), 0x3333);
	submit(w, d_iotlb(2, DID) | IOTLB_DW, 0);
	settle(w);
	EXPECT(!on_its_way(w));
	EXPECT_EQ(peek(w, n.page), 0x2222);
}

TEST(read, "a read on its way is drained by DR")
{
	struct vtdsim_desc *slot;
	struct nest n;

	adverse(w, 1);
	page(w, &n);
	slot = hang(w, VTDSIM_OP_READ, 0, n.ia);
	submit(w, d_iotlb(2, DID) | IOTLB_DW, 0);
	settle(w);
	EXPECT(on_its_way(w));
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	poke(w, n.page, 0x3333);
	submit(w, d_iotlb(2, DID) | IOTLB_DR, 0);
	settle(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	EXPECT_EQ(*(u64 *)local(w, 0), 0x3333);
}

TEST(piotlb, "a PASID-based IOTLB invalidation always drains")
{
	struct vtdsim_desc *slot;
	struct nest n;

	adverse(w, 1);
	page(w, &n);
	slot = hang(w, VTDSIM_OP_READ, 0, n.ia);
	submit(w, d_piotlb(2, DID, PASID), 0);
	settle(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
}

TEST(translated, "a translated request is drained by the device TLB's invalidation")
{
	struct vtdsim_desc *slot;
	struct nest n;

	adverse(w, 1);
	page(w, &n);
	slot = hang(w, VTDSIM_OP_READ, VTDSIM_F_ATS, n.ia);
	submit(w, d_iotlb(2, DID) | IOTLB_DR | IOTLB_DW, 0);
	submit(w, d_piotlb(2, DID, PASID), 0);
	settle(w);
	EXPECT(on_its_way(w));
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	submit(w, d_pdevtlb(w->ep->sid, PASID), ALL_PASID_PAGES);
	settle(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
}

static u32 nr_on_their_way(struct world *w)
{
	u32 i, nr = 0;

	for (i = 0; i < VTDSIM_LOOP_FLIGHTS; i++)
		nr += w->ep->q[0].flight[i].active;
	return nr;
}

TEST(loop, "of a loop several accesses are on their way, and all are drained")
{
	struct vtdsim_desc d = access(VTDSIM_OP_LOOP, 0, 0);
	struct vtdsim_loop *l;
	u32 i, most = 0;
	struct nest n;
	u64 done;

	adverse(w, 1);
	page(w, &n);
	l = (struct vtdsim_loop *)local(w, 0);
	l->dir = VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE;
	l->expect[0] = 0x1111;
	d.addr = n.ia;
	post(w, 0, &d);
	for (i = 0; i < 1000; i++) {
		sim_poll(&w->sim);
		if (nr_on_their_way(w) > most)
			most = nr_on_their_way(w);
	}
	EXPECT_EQ(most, VTDSIM_LOOP_FLIGHTS);
	EXPECT(l->reads > 100 && l->writes > 100);
	EXPECT_EQ(l->wrong, 0);
	EXPECT_EQ(peek(w, n.page + 8), l->writes);

	/* Without room for more nothing begins, until a drain makes it. */
	while (nr_on_their_way(w) < VTDSIM_LOOP_FLIGHTS)
		sim_poll(&w->sim);
	for (i = 0; i < VTDSIM_LOOP_FLIGHTS; i++)
		w->ep->q[0].flight[i].rounds = LONG;
	done = l->reads + l->writes;
	settle(w);
	EXPECT_EQ(l->reads + l->writes, done);
	submit(w, d_piotlb(2, DID, PASID), 0);
	settle(w);
	EXPECT(l->reads + l->writes >= done + VTDSIM_LOOP_FLIGHTS);
	l->stop = 1;
	world_poll(w);
	EXPECT_EQ(nr_on_their_way(w), 0);
	EXPECT_EQ(l->wrong, 0);
	EXPECT_EQ(l->faults, 0);
}

TEST(copy, "every operation ends right, however late its halves are")
{
	struct vtdsim_desc d = access(VTDSIM_OP_COPY, 0, 0);
	struct vtdsim_desc *slot;
	u64 from, to, table, i;
	u32 seed;

	for (seed = 1; seed < 30; seed++) {
		adverse(w, seed);
		table = new_page(w);
		from = new_pages(w, 3);
		to = new_pages(w, 3);
		for (i = 0; i < 3; i++) {
			map_first(w, table, 4, 0x100000 + i * 0x1000,
				  from + i * 0x1000, 1, FS_PAGE);
			map_first(w, table, 4, 0x200000 + i * 0x1000,
				  to + i * 0x1000, 1, FS_PAGE);
		}
		bind_first(w, PASID, DID, table);
		for (i = 0; i < 0x3000; i += 8)
			poke(w, from + i, i * seed);
		d.addr = 0x100010;
		d.addr2 = 0x200008;
		d.len = 0x2800;
		slot = dma(w, &d);
		settle(w);
		EXPECT_EQ(slot->status, VTDSIM_DONE);
		for (i = 0; i < d.len; i += 8)
			EXPECT_EQ(peek(w, to + 8 + i), (i + 16) * seed);
		EXPECT_EQ(peek(w, to + 8 + d.len), 0);
		world_end(w);
	}
	adverse(w, 1);
}

TEST(late_request, "a page request on its way arrives by a wait with PD")
{
	struct request rq = { .read = true, .has_pasid = true, .pasid = PASID };
	struct page_group *g;

	adverse(w, 1);
	reg_write64(w->u, REG_PQA, new_page(w));
	rq.sid = w->ep->sid;
	g = page_request_send(w->ep, &rq, 1);
	if (!w->ep->nr_msgs) {
		page_group_put(g);
		g = page_request_send(w->ep, &rq, 1);
	}
	EXPECT_EQ(w->ep->nr_msgs, 1);
	w->ep->msg[0].rounds = LONG;
	submit(w, d_wait(WAIT_SW, 1), w->status);
	settle(w);
	EXPECT_EQ(w->ep->nr_msgs, 1);
	submit(w, d_wait(WAIT_SW | WAIT_PD, 2), w->status);
	settle(w);
	EXPECT_EQ(w->ep->nr_msgs, 0);
	EXPECT_EQ(reg_read64(w->u, REG_PQT), 32);
	page_group_put(g);
}

/* ---- entries in pieces ------------------------------------------------------ */

static u64 victim;

static void zero_entry(void *ctx)
{
	int i;

	for (i = 0; i < 8; i++)
		poke(ctx, victim + i * 8, 0);
}

static void clear_present(void *ctx)
{
	poke(ctx, victim, peek(ctx, victim) & ~PE_P);
}

TEST(torn, "an entry that is zeroed while present is read torn")
{
	struct nest n;

	adverse(w, 1);
	nest_init(w, &n, PASID, DID);
	victim = pasid_entry(w, PASID);
	w->sim.paused = zero_entry;
	/* P and the second stage as they were, no first stage: the root is 0. */
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SSS_2);
}

TEST(untorn, "one whose P is cleared first is read whole, or not present")
{
	struct nest n;

	adverse(w, 1);
	nest_init(w, &n, PASID, DID);
	victim = pasid_entry(w, PASID);
	w->sim.paused = clear_present;
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	submit(w, d_pasid_cache(1, DID, PASID), 0);
	settle(w);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SPT_2);
}

/* ---- what comes unasked --------------------------------------------------- */

TEST(prefetch_pasid, "PASID-table entries that are present come in unasked")
{
	u64 table, i;

	adverse(w, 1);
	table = new_page(w);
	map_first(w, table, 4, 0x5000, new_page(w), 1, FS_PAGE);
	for (i = PASID & ~63; i < PASID; i++)
		bind_first(w, i, DID, table);
	bind_first(w, PASID, DID, table);
	clear_pasid(w, PASID - 1);
	for (i = 0; i < 5000; i++)
		EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	EXPECT(pasid_cache_find(&w->u->pasids, w->ep->sid, PASID - 2));
	EXPECT(!pasid_cache_find(&w->u->pasids, w->ep->sid, PASID - 1));
	EXPECT(!w->u->cnt.u_faults);
}

static bool cached(struct world *w, u64 addr)
{
	struct space *sp = cache_space(&w->u->iotlb, SPACE_PASID, DID, PASID,
				       false);

	return cache_find(&w->u->iotlb, sp, addr, 1, true);
}

TEST(prefetch_page, "neighbours come in unasked, if that changes nothing")
{
	u64 table, i, bare, dirty, came = 0;

	adverse(w, 1);
	table = new_page(w);
	dirty = map_first(w, table, 4, 0x4000, new_page(w), 1,
			  FS_P | FS_US | FS_A);
	map_first(w, table, 4, 0x5000, new_page(w), 1, FS_PAGE);
	bare = map_first(w, table, 4, 0x6000, new_page(w), 1, FS_P | FS_US);
	bind_first(w, PASID, DID, table);
	for (i = 0; i < 1000; i++) {
		EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
		came += cached(w, 0x4000);
		EXPECT(!cached(w, 0x6000));
	}
	EXPECT(came > 10);
	EXPECT(!(peek(w, bare) & FS_A));
	EXPECT(!(peek(w, dirty) & FS_D));
	EXPECT(!w->u->cnt.u_faults);
}

static bool second_cached(struct world *w, u64 addr, int level)
{
	struct space *sp = cache_space(&w->u->iotlb, SPACE_SECOND, DID,
				       PASID_NONE, false);

	return cache_find(&w->u->iotlb, sp, addr, level, true);
}

TEST(pieces, "large pages are cached whole or in parts, and dropped as a whole")
{
	u64 table, at, i, data = 0x1000000;
	int whole = 0, parts = 0;

	adverse(w, 1);
	table = new_page(w);
	map_second(w, table, 4, 0x200000, data, 2, SS_PAGE);
	bind_second(w, PASID, DID, table);
	for (i = 0; i < 40; i++) {
		at = 0x200000 + i * 0x1000;
		EXPECT_EQ(target(w, PASID, at), data + i * 0x1000);
		whole += second_cached(w, at, 2);
		parts += second_cached(w, at, 1);
		submit(w, d_iotlb(3, DID), d_addr(0x200000, 9, false));
		settle(w);
		EXPECT(!second_cached(w, at, 1));
		EXPECT(!second_cached(w, at, 2));
	}
	EXPECT(whole > 5);
	EXPECT(parts > 5);
}

/* ---- the sum ------------------------------------------------------------------ */

static void churn(struct world *w, u32 seed, const u64 *inv, u64 *left)
{
	struct vtdsim_desc d = access(VTDSIM_OP_READ, 0, 0);
	struct nest n;
	int i, j;

	adverse(w, seed);
	nest_init(w, &n, PASID, DID);
	d.addr = n.ia;
	for (i = 0; i < 100; i++) {
		bind_nested(w, PASID, DID, n.first + GUEST_OFFSET, n.second);
		for (j = 0; j < 12; j++)
			post(w, j % 4, &d);
		for (j = 0; j < 3; j++)
			sim_poll(&w->sim);
		victim = pasid_entry(w, PASID);
		clear_present(w);
		submit_many(w, inv, 3);
		settle(w);
		*left += !!cache_space(&w->u->iotlb, SPACE_PASID, DID, PASID,
				       false);
		submit(w, d_iotlb(2, DID), 0);
		settle(w);
	}
}

TEST(orders, "unbinds under DMA: the right order leaves nothing, the wrong one does")
{
	u64 right[12] = { d_pasid_cache(1, DID, PASID) };
	u64 wrong[12] = { d_iotlb(2, DID) | IOTLB_DR | IOTLB_DW };
	u64 left = 0;

	right[4] = wrong[0];
	wrong[4] = right[0];
	right[8] = d_wait(WAIT_SW, 1);
	right[9] = 0x80000;
	wrong[8] = right[8];
	wrong[9] = right[9];
	churn(w, 7, right, &left);
	EXPECT_EQ(left, 0);
	EXPECT_EQ(w->u->cnt.u_stale_hits, 0);
	world_end(w);
	churn(w, 7, wrong, &left);
	EXPECT(left > 10);
}

/* All but the time, which the host's clock tells. */
static struct vtdsim_counters counts(const struct world *w)
{
	struct vtdsim_counters c = w->u->cnt;

	c.u_queue_ns = 0;
	return c;
}

TEST(repeat, "the same seed gives the same run")
{
	u64 inv[12] = { d_pasid_cache(1, DID, PASID) };
	struct vtdsim_counters c, again;
	u64 left = 0;

	inv[4] = d_iotlb(2, DID);
	inv[8] = d_wait(WAIT_SW, 1);
	inv[9] = 0x80000;
	churn(w, 7, inv, &left);
	c = counts(w);
	world_end(w);
	churn(w, 7, inv, &left);
	again = counts(w);
	EXPECT(!memcmp(&c, &again, sizeof(c)));
	world_end(w);
	churn(w, 8, inv, &left);
	again = counts(w);
	EXPECT(memcmp(&c, &again, sizeof(c)));
}

TEST(loop_stops, "a loop whose accesses are late can be stopped")
{
	struct vtdsim_desc d = access(VTDSIM_OP_LOOP, 0, 0);
	struct vtdsim_desc *slot;
	struct vtdsim_loop *l;
	struct nest n;

	adverse(w, 1);
	page(w, &n);
	d.addr = n.ia;
	l = (struct vtdsim_loop *)local(w, 0);
	l->dir = VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE;
	l->expect[0] = 0x1111;
	slot = dma(w, &d);
	settle(w);
	EXPECT(l->writes);
	EXPECT_EQ(peek(w, n.page + 8), l->writes);
	l->stop = 1;
	settle(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	EXPECT_EQ(l->wrong, 0);
}
