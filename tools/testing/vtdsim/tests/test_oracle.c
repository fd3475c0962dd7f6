// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle: which outdated hits software has to live with, and which it has a
 * right not to see.
 *
 * Descriptors are submitted one by one, with DMA between them, as hardware may
 * do it with those of one submission.
 */
#include "harness.h"

#define PASID	0x42
#define DID	5

static u64 stale(struct world *w)
{
	return w->u->cnt.u_stale_hits;
}

static u64 outdated(struct world *w)
{
	return w->u->cnt.u_outdated_hits;
}

static void wait_done(struct world *w)
{
	submit(w, d_wait(WAIT_SW, 1), w->status);
}

/* A page of @did's that is no part of what a test looks at. */
static void other_invalidation(struct world *w)
{
	submit(w, d_piotlb(3, DID, PASID), d_addr(0x7000, 0, false));
	wait_done(w);
}

static void unpresent(struct world *w, u32 pasid)
{
	u64 at = pasid_entry(w, pasid);

	poke(w, at, peek(w, at) & ~PE_P);
}

TEST(change, "a change that software has not told of makes no hit stale")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	poke(w, n.leaf, 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	other_invalidation(w);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(outdated(w), 2);
	EXPECT_EQ(stale(w), 0);
}

TEST(told, "the right order leaves nothing to hit")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	unpresent(w, PASID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	submit(w, d_pasid_cache(1, DID, PASID), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SPT_2);
	submit(w, d_iotlb(2, DID), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SPT_2);
	wait_done(w);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SPT_2);
	EXPECT_EQ(stale(w), 0);
}

/* Replace: the entry stays present, so what is left behind can be hit. */
static void replace_wrongly(struct world *w, struct nest *n, u64 iotlb)
{
	u64 other = new_page(w);

	nest_init(w, n, PASID, DID);
	map_nested(w, other, n->ia, n->page + GUEST_OFFSET, FS_TABLE);
	EXPECT_EQ(read_at(w, PASID, n->ia), 0);
	poke(w, pasid_entry(w, PASID) + 16, other + GUEST_OFFSET);
	poke(w, n->leaf, 0);
	submit(w, iotlb, 0);
}

TEST(order, "IOTLB before PASID cache: stale once the wait has completed")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	poke(w, pasid_entry(w, PASID) + 16, new_page(w) + GUEST_OFFSET);
	submit(w, d_piotlb(2, DID, PASID), 0);
	/* Made again by the old entry. */
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	submit(w, d_pasid_cache(1, DID, PASID), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 0);
	wait_done(w);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 1);
}

TEST(order_quiet, "the same without DMA between them leaves nothing stale")
{
	struct nest n;

	world_init(w);
	replace_wrongly(w, &n, d_piotlb(2, DID, PASID));
	submit(w, d_pasid_cache(1, DID, PASID), 0);
	wait_done(w);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 0);
	EXPECT_EQ(outdated(w), 0);
}

TEST(above_legal, "made again from an entry that software has not told of is legal")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	poke(w, pasid_entry(w, PASID) + 16, new_page(w) + GUEST_OFFSET);
	/* The guest invalidates for reasons of its own. */
	submit(w, d_piotlb(2, DID, PASID), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	wait_done(w);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 0);
	EXPECT(outdated(w));
}

static struct vtdsim_desc ats_read(u64 addr)
{
	return (struct vtdsim_desc){
		.op = VTDSIM_OP_READ, .flags = VTDSIM_F_PASID | VTDSIM_F_ATS,
		.pasid = PASID, .len = 8, .addr = addr,
	};
}

TEST(order_device, "device TLB before IOTLB: stale once the wait has completed")
{
	struct vtdsim_desc d;
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	d = ats_read(n.ia);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	poke(w, n.leaf2, new_page(w) | SS_PAGE);
	submit(w, d_pdevtlb(w->ep->sid, PASID), ALL_PASID_PAGES);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	submit(w, d_iotlb(2, DID), 0);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(stale(w), 0);
	wait_done(w);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(stale(w), 1);
}

TEST(order_second, "a second-stage unmap, IOTLB before device TLB: nothing stale")
{
	struct vtdsim_desc d;
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	d = ats_read(n.ia);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	poke(w, n.leaf2, 0);
	submit(w, d_iotlb(3, DID), d_addr(n.page + GUEST_OFFSET, 0, true));
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	submit(w, d_pdevtlb(w->ep->sid, PASID), ALL_PASID_PAGES);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_ATS_DENIED);
	wait_done(w);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_ATS_DENIED);
	EXPECT_EQ(stale(w), 0);
}

TEST(order_context, "PASID cache before context cache: stale after the wait")
{
	u64 dir = 0, table, at;
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	/* Another directory, empty. */
	dir = new_pages(w, 32);
	poke(w, w->ctx, dir | (peek(w, w->ctx) & 0xfff));
	submit(w, d_pasid_cache(3, 0, 0), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	submit(w, d_context(3, w->ep->sid, 0), 0);
	wait_done(w);
	EXPECT_EQ(stale(w), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT(stale(w));
	/* Where the entries agree with the new tables nothing is stale. */
	at = stale(w);
	table = new_page(w);
	poke(w, dir + (PASID >> 6) * 8, table | PDE_P);
	bind_nested(w, PASID, DID, n.first + GUEST_OFFSET, n.second);
	poke(w, table + (PASID & 63) * 64, peek(w, pasid_entry(w, PASID)));
	poke(w, table + (PASID & 63) * 64 + 8, peek(w, pasid_entry(w, PASID) + 8));
	poke(w, table + (PASID & 63) * 64 + 16, peek(w, pasid_entry(w, PASID) + 16));
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), at);
}

TEST(agreed, "an entry that was seen to agree is judged from then on only")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	poke(w, pasid_entry(w, PASID) + 16, new_page(w) + GUEST_OFFSET);
	submit(w, d_piotlb(2, DID, PASID), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	submit(w, d_pasid_cache(1, DID, PASID), 0);
	wait_done(w);
	/* Back to what the entry was made of, and away again. */
	poke(w, pasid_entry(w, PASID) + 16, n.first + GUEST_OFFSET);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 0);
	poke(w, n.leaf, 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 0);
}

TEST(scope, "only an invalidation that covers the entry counts")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	poke(w, pasid_entry(w, PASID) + 16, new_page(w) + GUEST_OFFSET);
	submit(w, d_piotlb(2, DID, PASID + 1), 0);
	submit(w, d_piotlb(2, DID + 1, PASID), 0);
	submit(w, d_piotlb(3, DID, PASID), d_addr(n.ia + 0x1000, 0, false));
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	submit(w, d_pasid_cache(1, DID, PASID), 0);
	wait_done(w);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 0);
}

TEST(aborted, "a wait that was aborted has not completed")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	poke(w, pasid_entry(w, PASID) + 16, new_page(w) + GUEST_OFFSET);
	submit(w, d_piotlb(2, DID, PASID), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	{
		u64 d[12] = { d_pasid_cache(1, DID, PASID) };

		d[4] = d_devtlb(0x7f);
		d[5] = ALL_PAGES;
		d[8] = d_wait(WAIT_SW, 1);
		d[9] = w->status;
		submit_many(w, d, 3);
	}
	EXPECT(reg_read32(w->u, REG_FSTS) & FSTS_ITE);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 0);
	reg_write32(w->u, REG_FSTS, FSTS_ITE);
	world_poll(w);
	wait_done(w);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 1);
}

TEST(forgotten, "what cannot be judged any more counts as legal")
{
	struct nest n;
	u32 i;

	world_init(w);
	nest_init(w, &n, PASID, DID);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	poke(w, pasid_entry(w, PASID) + 16, new_page(w) + GUEST_OFFSET);
	submit(w, d_piotlb(2, DID, PASID), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	submit(w, d_pasid_cache(1, DID, PASID), 0);
	for (i = 0; i < 70000; i++)
		submit(w, d_piotlb(2, DID + 1, PASID), 0);
	wait_done(w);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT_EQ(stale(w), 0);
}
