// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine, its device TLB, resets and enables, and the ACPI table.
 */
#include <string.h>
#include "../caches.h"
#include "../dmar.h"
#include "../sim.h"
#include "../topology.h"
#include "harness.h"
#include "platform.h"

#define PASID	0x42

static struct vtdsim_desc op(u8 op, u64 addr, u32 len)
{
	return (struct vtdsim_desc){
		.op = op, .flags = VTDSIM_F_PASID, .pasid = PASID,
		.addr = addr, .len = len,
	};
}

/* Four contiguous pages of IA on pages that are not. */
struct buffer {
	u64 ia;
	u64 page[4];
	u64 leaf[4];
	u64 table;
};

static void buffer_map(struct world *w, struct buffer *b)
{
	int i;

	b->ia = 0x7f0000ff0000ULL;
	b->table = new_page(w);
	bind_first(w, PASID, 5, b->table);
	for (i = 3; i >= 0; i--) {
		b->page[i] = new_page(w);
		new_page(w);
		b->leaf[i] = map_first(w, b->table, 4, b->ia + i * 0x1000,
				       b->page[i], 1, FS_PAGE);
	}
}

static void buffer_init(struct world *w, struct buffer *b)
{
	world_init(w);
	buffer_map(w, b);
}

TEST(dma_write_read, "write and read across pages")
{
	struct vtdsim_desc d;
	struct buffer b;
	u32 i;

	buffer_init(w, &b);
	for (i = 0; i < 0x2000; i++)
		*local(w, i) = i * 7;
	d = op(VTDSIM_OP_WRITE, b.ia + 0x800, 0x2000);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(peek(w, b.page[1]) & 0xff, (u8)(0x800 * 7));
	d = op(VTDSIM_OP_READ, b.ia + 0x800, 0x2000);
	d.local = 0x4000;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT(!memcmp(local(w, 0), local(w, 0x4000), 0x2000));
	EXPECT_EQ(queue(w, 0)->head, 2);
	EXPECT_EQ(queue(w, 0)->busy, 0);
	EXPECT_EQ(w->ep->cnt.e_bytes, 0x4000);
}

TEST(dma_copy, "copy between two misaligned addresses")
{
	struct vtdsim_desc d;
	struct buffer b;
	u32 i;

	buffer_init(w, &b);
	for (i = 0; i < 0x1000; i += 8)
		poke(w, b.page[0] + i, i);
	d = op(VTDSIM_OP_COPY, b.ia + 0x10, 0xff0);
	d.addr2 = b.ia + 0x2f00;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(peek(w, b.page[2] + 0xf00), 0x10);
	EXPECT_EQ(peek(w, b.page[3]), 0x110);
}

TEST(dma_cas, "compare and swap")
{
	struct vtdsim_desc d, *slot;
	struct buffer b;

	buffer_init(w, &b);
	poke(w, b.page[0] + 8, 5);
	d = op(VTDSIM_OP_CAS, b.ia + 8, 8);
	d.operand = 5;
	d.operand2 = 6;
	slot = dma(w, &d);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	EXPECT_EQ(slot->result, 5);
	EXPECT_EQ(peek(w, b.page[0] + 8), 6);
	slot = dma(w, &d);
	EXPECT_EQ(slot->result, 6);
	EXPECT_EQ(peek(w, b.page[0] + 8), 6);
}

TEST(dma_fault, "a fault: reason and address in the descriptor")
{
	struct vtdsim_desc d, *slot;
	struct buffer b;

	buffer_init(w, &b);
	poke(w, b.leaf[1], 0);
	d = op(VTDSIM_OP_WRITE, b.ia + 0x100, 0x2000);
	d.cookie = 0x77;
	slot = dma(w, &d);
	EXPECT_EQ(slot->status, VTDSIM_FAULT);
	EXPECT_EQ(slot->reason, FR_SFS_2);
	EXPECT_EQ(slot->result, b.ia + 0x1000);
	EXPECT_EQ(slot->cookie, 0x77);
	EXPECT_EQ(w->ep->cnt.e_bytes, 0xf00);
}

TEST(dma_qpasid, "the queue's own PASID")
{
	struct vtdsim_desc d;
	struct buffer b;

	buffer_init(w, &b);
	d = op(VTDSIM_OP_READ, b.ia, 8);
	d.flags = VTDSIM_F_QPASID;
	d.pasid = 1;
	queue(w, 2)->pasid = PASID;
	EXPECT_EQ(post(w, 2, &d)->status, VTDSIM_PENDING);
	world_poll(w);
	EXPECT_EQ(queue(w, 2)->head, 1);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
}

TEST(dma_no_pasid, "without PASID: RID_PASID's table")
{
	struct vtdsim_desc d;
	struct buffer b;

	buffer_init(w, &b);
	d = op(VTDSIM_OP_READ, b.ia, 8);
	d.flags = 0;
	EXPECT_EQ(dma(w, &d)->reason, FR_SPD_2);
	poke(w, w->ctx + 8, PASID);
	submit(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
}

TEST(dma_message, "a dword to the interrupt range is an interrupt")
{
	struct vtdsim_desc d;

	world_init(w);
	d = op(VTDSIM_OP_WRITE, 0xfee00000, 4);
	d.flags = 0;
	*(u32 *)local(w, 0) = 0x31;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(w->msi_data[0], 0x31);
	d.len = 8;
	EXPECT_EQ(dma(w, &d)->reason, FR_SGN_8);
}

TEST(dma_unreachable, "a page that is not RAM is a fault without reason")
{
	struct vtdsim_desc d;
	struct buffer b;

	buffer_init(w, &b);
	map_first(w, b.table, 4, 0x5000, 0x30000000, 1, FS_PAGE);
	d = op(VTDSIM_OP_READ, 0x5000, 8);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_FAULT);
	EXPECT_EQ(dma(w, &d)->reason, 0);
}

static u8 status_of(struct world *w, struct vtdsim_desc d)
{
	return dma(w, &d)->status;
}

TEST(bad_desc, "descriptors that the engine refuses")
{
	struct vtdsim_desc d;
	struct buffer b;

	buffer_init(w, &b);
	EXPECT_EQ(status_of(w, op(VTDSIM_OP_LOOP + 1, 0, 0)),
		  VTDSIM_BAD_DESC);
	d = op(VTDSIM_OP_READ, b.ia, 0x10);
	d.local = VTDSIM_LOCAL_SIZE - 8;
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
	d.local = 0xfffffff8;
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
	d = op(VTDSIM_OP_READ, b.ia, 0xfffffff0);
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
	EXPECT_EQ(status_of(w, op(VTDSIM_OP_CAS, b.ia + 4, 8)),
		  VTDSIM_BAD_DESC);
	d = op(VTDSIM_OP_READ, b.ia, 8);
	d.pasid = 1 << 20;
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
	d = op(VTDSIM_OP_READ, b.ia, 8);
	d.flags = 0x80;
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
	d.flags = VTDSIM_F_PRIV;
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
	d.flags = VTDSIM_F_PASID | VTDSIM_F_PRI;
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
	d = op(VTDSIM_OP_EXPLAIN, b.ia, 0);
	d.local = VTDSIM_LOCAL_SIZE - 64;
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
	EXPECT_EQ(status_of(w, op(VTDSIM_OP_NOP, 0, 0)), VTDSIM_DONE);
	EXPECT_EQ(status_of(w, op(VTDSIM_OP_READ, b.ia, 0)), VTDSIM_DONE);
}

TEST(enables, "what configuration space has not enabled is not done")
{
	struct vtdsim_desc d;
	struct buffer b;

	buffer_init(w, &b);
	d = op(VTDSIM_OP_READ, b.ia, 8);
	regs(w)->ctl &= ~VTDSIM_CTL_PASID;
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
	regs(w)->ctl |= VTDSIM_CTL_PASID;
	regs(w)->ctl &= ~VTDSIM_CTL_BUS_MASTER;
	EXPECT_EQ(status_of(w, d), VTDSIM_ABORTED);
	/* Looking is not DMA. */
	EXPECT_EQ(status_of(w, op(VTDSIM_OP_EXPLAIN, b.ia, 0)), VTDSIM_DONE);
	regs(w)->ctl |= VTDSIM_CTL_BUS_MASTER;
	regs(w)->ctl &= ~VTDSIM_CTL_ATS;
	d.flags |= VTDSIM_F_ATS;
	EXPECT_EQ(status_of(w, d), VTDSIM_BAD_DESC);
}

TEST(stopped, "a queue that is not enabled starts nothing")
{
	struct vtdsim_desc d;
	struct buffer b;

	buffer_init(w, &b);
	d = op(VTDSIM_OP_READ, b.ia, 8);
	queue(w, 0)->enable = 0;
	EXPECT_EQ(status_of(w, d), VTDSIM_PENDING);
	queue(w, 0)->enable = 1;
	world_poll(w);
	EXPECT_EQ(queue(w, 0)->head, 1);
}

TEST(ring_wrap, "indices run freely, slots wrap")
{
	struct vtdsim_desc d;
	struct buffer b;
	u32 i;

	buffer_init(w, &b);
	d = op(VTDSIM_OP_READ, b.ia, 8);
	for (i = 0; i < 600; i++)
		EXPECT_EQ(status_of(w, d), VTDSIM_DONE);
	EXPECT_EQ(queue(w, 0)->head, 600);
}

static struct vtdsim_desc ats(u8 code, u64 addr)
{
	struct vtdsim_desc d = op(code, addr, 8);

	d.flags |= VTDSIM_F_ATS;
	return d;
}

TEST(ats_hit, "ATS: the second access is the device TLB's")
{
	struct buffer b;

	buffer_init(w, &b);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia)), VTDSIM_DONE);
	EXPECT_EQ(w->u->cnt.u_translations, 1);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia + 8)), VTDSIM_DONE);
	EXPECT_EQ(w->u->cnt.u_translations, 1);
	EXPECT_EQ(w->u->cnt.u_hits_devtlb, 1);
	EXPECT_EQ(w->ep->devtlb.nr_entries, 1);
}

TEST(ats_write, "ATS: a write asks again and sets the dirty bit")
{
	struct buffer b;

	buffer_init(w, &b);
	poke(w, b.leaf[0], b.page[0] | FS_TABLE);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia)), VTDSIM_DONE);
	EXPECT(!(peek(w, b.leaf[0]) & FS_D));
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_WRITE, b.ia)), VTDSIM_DONE);
	EXPECT(peek(w, b.leaf[0]) & FS_D);
}

TEST(ats_no_write, "ATS: without NWFS a read asks for writing, too")
{
	struct buffer b;

	world_prepare(w);
	w->cfg.unit[0].nwfs = 0;
	world_start(w);
	buffer_map(w, &b);
	poke(w, b.leaf[0], b.page[0] | FS_TABLE);
	poke(w, b.leaf[1], b.page[1] | FS_P | FS_US);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia)), VTDSIM_DONE);
	EXPECT(peek(w, b.leaf[0]) & FS_D);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_WRITE, b.ia)), VTDSIM_DONE);
	EXPECT_EQ(w->u->cnt.u_hits_devtlb, 1);
	/* Where it may not write, it may read. */
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia + 0x1000)),
		  VTDSIM_DONE);
	EXPECT(!(peek(w, b.leaf[1]) & FS_D));
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 0);
}

TEST(ats_denied, "ATS: a permission that is lacking is no fault")
{
	struct buffer b;

	buffer_init(w, &b);
	poke(w, b.leaf[0], b.page[0] | FS_P | FS_US);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_WRITE, b.ia)),
		  VTDSIM_ATS_DENIED);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia)), VTDSIM_DONE);
	poke(w, b.leaf[1], 0);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia + 0x1000)),
		  VTDSIM_ATS_DENIED);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
}

TEST(ats_fault, "ATS: a broken structure is a fault")
{
	struct vtdsim_desc d;
	struct buffer b;

	buffer_init(w, &b);
	d = ats(VTDSIM_OP_READ, b.ia);
	d.pasid = PASID + 1;
	EXPECT_EQ(status_of(w, d), VTDSIM_FAULT);
	EXPECT_EQ(w->u->cnt.u_faults, 1);
}

TEST(ats_priv, "ATS: translations of user and supervisor are apart")
{
	struct vtdsim_desc d;
	struct buffer b;
	u64 pe[8] = { PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP, PE_SRE };

	buffer_init(w, &b);
	pe[2] |= b.table;
	set_pasid(w, PASID, pe);
	poke(w, b.leaf[0], b.page[0] | FS_P | FS_RW);
	d = ats(VTDSIM_OP_READ, b.ia);
	d.flags |= VTDSIM_F_PRIV;
	EXPECT_EQ(status_of(w, d), VTDSIM_DONE);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia)),
		  VTDSIM_ATS_DENIED);
}

static bool in_devtlb(struct world *w, u32 pasid, u64 addr)
{
	struct space *sp = cache_space(&w->ep->devtlb, SPACE_DEVICE, 0, pasid,
				       false);

	return cache_find(&w->ep->devtlb, sp, addr, 1, true);
}

static void devtlb_fill(struct world *w, struct buffer *b)
{
	struct vtdsim_desc d;
	int i;

	buffer_init(w, b);
	bind_first(w, PASID + 1, 5, b->table);
	poke(w, w->ctx + 8, PASID);
	submit(w, d_context(1, 0, 0), 0);
	for (i = 0; i < 3; i++) {
		d = ats(VTDSIM_OP_READ, b->ia);
		d.flags = VTDSIM_F_ATS | (i ? VTDSIM_F_PASID : 0);
		d.pasid = i ? PASID + i - 1 : 0;
		EXPECT_EQ(status_of(w, d), VTDSIM_DONE);
		d.addr += 0x1000;
		EXPECT_EQ(status_of(w, d), VTDSIM_DONE);
	}
	EXPECT_EQ(w->ep->devtlb.nr_entries, 6);
}

TEST(devtlb_stale, "only a device-TLB invalidation reaches the device TLB")
{
	struct buffer b;

	devtlb_fill(w, &b);
	poke(w, b.leaf[0], 0);
	submit(w, d_iotlb(1, 0), 0);
	submit(w, d_pasid_cache(3, 0, 0), 0);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia)), VTDSIM_DONE);
	EXPECT_EQ(w->u->cnt.u_outdated_hits, 1);
	submit(w, d_pdevtlb(0, PASID), ALL_PASID_PAGES);
	EXPECT_EQ(status_of(w, ats(VTDSIM_OP_READ, b.ia)),
		  VTDSIM_ATS_DENIED);
}

TEST(devtlb_plain, "device-TLB invalidate: entries without PASID only")
{
	struct buffer b;

	devtlb_fill(w, &b);
	submit(w, d_devtlb(0), b.ia);
	EXPECT(!in_devtlb(w, PASID_NONE, b.ia));
	EXPECT(in_devtlb(w, PASID_NONE, b.ia + 0x1000));
	EXPECT(in_devtlb(w, PASID, b.ia));
	submit(w, d_devtlb(0), ALL_PAGES);
	EXPECT(!in_devtlb(w, PASID_NONE, b.ia + 0x1000));
	EXPECT_EQ(w->ep->devtlb.nr_entries, 4);
}

TEST(devtlb_pasid, "PASID-based: that PASID, that range")
{
	struct buffer b;

	devtlb_fill(w, &b);
	submit(w, d_pdevtlb(0, PASID), b.ia + 0x1000);
	EXPECT(in_devtlb(w, PASID, b.ia));
	EXPECT(!in_devtlb(w, PASID, b.ia + 0x1000));
	EXPECT(in_devtlb(w, PASID + 1, b.ia + 0x1000));
	EXPECT(in_devtlb(w, PASID_NONE, b.ia + 0x1000));
}

TEST(devtlb_size, "the size is where the lowest 0 of the address is")
{
	struct buffer b;

	devtlb_fill(w, &b);
	/* 16 KiB that begin behind the buffer. */
	submit(w, d_pdevtlb(0, PASID), (b.ia + 0x4000) | 0x1000 | BIT_ULL(11));
	EXPECT(in_devtlb(w, PASID, b.ia));
	EXPECT(in_devtlb(w, PASID + 1, b.ia));
	/* The 16 KiB that are the buffer. */
	submit(w, d_pdevtlb(0, PASID + 1), b.ia | 0x1000 | BIT_ULL(11));
	EXPECT(!in_devtlb(w, PASID + 1, b.ia));
	/* 8 KiB that are the first two pages. */
	submit(w, d_pdevtlb(0, PASID), b.ia | BIT_ULL(11));
	EXPECT(!in_devtlb(w, PASID, b.ia));
	EXPECT(!in_devtlb(w, PASID, b.ia + 0x1000));
	EXPECT(in_devtlb(w, PASID_NONE, b.ia));
}

TEST(devtlb_global, "PASID-based, global: every PASID, not those without")
{
	struct buffer b;

	devtlb_fill(w, &b);
	submit(w, d_pdevtlb(0, 0), ALL_PASID_PAGES | 1);
	EXPECT(!in_devtlb(w, PASID, b.ia));
	EXPECT(!in_devtlb(w, PASID + 1, b.ia));
	EXPECT(in_devtlb(w, PASID_NONE, b.ia));
}

TEST(devtlb_no_global, "global on a device that does not have it: one PASID")
{
	struct buffer b;

	devtlb_fill(w, &b);
	w->ep->flags &= ~VTDSIM_EP_ATS_GLOBAL;
	submit(w, d_pdevtlb(0, PASID), ALL_PASID_PAGES | 1);
	EXPECT(!in_devtlb(w, PASID, b.ia));
	EXPECT(in_devtlb(w, PASID + 1, b.ia));
}

TEST(devtlb_other, "an invalidation of another device keeps this one's")
{
	struct buffer b;

	devtlb_fill(w, &b);
	submit(w, d_pdevtlb(8, PASID), ALL_PASID_PAGES);
	submit(w, d_devtlb(8), ALL_PAGES);
	EXPECT_EQ(w->ep->devtlb.nr_entries, 6);
}

TEST(devtlb_disable, "ATS disabled: the device TLB is empty")
{
	struct buffer b;

	devtlb_fill(w, &b);
	regs(w)->ctl &= ~VTDSIM_CTL_ATS;
	world_poll(w);
	EXPECT_EQ(w->ep->devtlb.nr_entries, 0);
}

TEST(flr, "function-level reset: queues, device TLB and memory are as new")
{
	struct buffer b;

	devtlb_fill(w, &b);
	*local(w, 5) = 5;
	regs(w)->flr = 1;
	world_poll(w);
	EXPECT_EQ(regs(w)->flr, 0);
	EXPECT_EQ(w->ep->devtlb.nr_entries, 0);
	EXPECT_EQ(queue(w, 0)->tail, 0);
	EXPECT_EQ(queue(w, 0)->enable, 0);
	EXPECT_EQ(*local(w, 5), 0);
	EXPECT_EQ(regs(w)->magic, VTDSIM_REGS_MAGIC);
}

TEST(explain_op, "explain: the walk, in local memory")
{
	const struct vtdsim_explain *ex;
	struct vtdsim_desc d;
	struct buffer b;

	buffer_init(w, &b);
	ex = (const struct vtdsim_explain *)local(w, 0x100);
	d = op(VTDSIM_OP_EXPLAIN, b.ia + 0x1234, 0);
	d.local = 0x100;
	EXPECT_EQ(status_of(w, d), VTDSIM_DONE);
	EXPECT_EQ(ex->output, b.page[1] + 0x234);
	EXPECT_EQ(ex->nr_steps, 8);
	EXPECT_EQ(ex->pasid_entry[2], b.table);
	d.addr = 0;
	EXPECT_EQ(status_of(w, d), VTDSIM_DONE);
	EXPECT_EQ(ex->reason, FR_SFS_2);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
}

static struct vtdsim_census take(struct world *w, bool one, u32 pasid)
{
	struct vtdsim_desc d = op(VTDSIM_OP_CENSUS, 0, 0);

	d.flags = one ? VTDSIM_F_PASID : 0;
	d.pasid = pasid;
	EXPECT_EQ(status_of(w, d), VTDSIM_DONE);
	return *(struct vtdsim_census *)local(w, 0);
}

TEST(census_op, "census: what tables and caches hold of a PASID")
{
	struct vtdsim_census c;
	struct buffer b;
	struct nest n;

	devtlb_fill(w, &b);
	nest_init(w, &n, 0x9999, 6);
	read_at(w, 0x9999, n.ia);
	poke(w, pasid_entry(w, 7) + 16, 1);
	c = take(w, false, 0);
	EXPECT_EQ(c.present, 3);
	EXPECT_EQ(c.nested, 1);
	EXPECT_EQ(c.nonzero, 4);
	EXPECT_EQ(c.pasid_cache, 3);
	EXPECT_EQ(c.dev_tlb, 4);
	EXPECT_EQ(c.iotlb, 5);
	c = take(w, true, PASID);
	EXPECT_EQ(c.present, 1);
	EXPECT_EQ(c.nested, 0);
	EXPECT_EQ(c.pasid_cache, 1);
	EXPECT_EQ(c.iotlb, 2);
	EXPECT_EQ(c.paging_cache, 3);
	EXPECT_EQ(c.dev_tlb, 2);
	c = take(w, true, 0x9999);
	EXPECT_EQ(c.nested, 1);
	EXPECT_EQ(c.iotlb, 1);
	submit(w, d_piotlb(2, 6, 0x9999), 0);
	submit(w, d_pasid_cache(1, 6, 0x9999), 0);
	clear_pasid(w, 0x9999);
	c = take(w, true, 0x9999);
	EXPECT_EQ(c.present + c.nonzero + c.pasid_cache + c.iotlb +
		  c.paging_cache + c.dev_tlb, 0);
}

TEST(snapshot, "counters: exact once the mailbox reads 0")
{
	struct vtdsim_counters *c;
	struct buffer b;

	buffer_init(w, &b);
	c = (struct vtdsim_counters *)(w->ep->bar + VTDSIM_BAR_COUNTERS);
	EXPECT_EQ(status_of(w, op(VTDSIM_OP_READ, b.ia, 8)), VTDSIM_DONE);
	EXPECT_EQ(status_of(w, op(VTDSIM_OP_READ, 0, 8)), VTDSIM_FAULT);
	regs(w)->snapshot = 1;
	world_poll(w);
	EXPECT_EQ(regs(w)->snapshot, 0);
	EXPECT_EQ(c->u_translations, 2);
	EXPECT_EQ(c->u_faults_by_reason[FR_SFS_2], 1);
	EXPECT_EQ(c->e_dma_reads, 1);
	EXPECT_EQ(c->e_bytes, 8);
}

TEST(config, "the configuration page names units and endpoints")
{
	struct vtdsim_config *c;

	world_init(w);
	c = ram_ptr(&w->sim.ram, VTDSIM_WINDOW_BASE, sizeof(*c));
	EXPECT_EQ(c->magic, VTDSIM_CONFIG_MAGIC);
	EXPECT_EQ(c->nr_units, 1);
	EXPECT_EQ(c->unit[0].segment, 1);
	EXPECT_EQ(c->unit[0].nr_eps, 2);
	EXPECT_EQ(c->unit[0].regs, 0x1f100000);
	EXPECT_EQ(c->unit[0].ep[1].bar, 0x1f840000);
	EXPECT_EQ(c->unit[0].ep[1].pasid_bits, 20);
	EXPECT_EQ(c->unit[0].ep[0].flags, 0x3f);
	EXPECT_EQ(w->u->ep[1].sid, 8);
}

TEST(dmar, "the ACPI table: length, checksum, one DRHD per unit")
{
	u8 t[1024], sum = 0;
	size_t len, i;

	world_prepare(w);
	w->cfg.nr_units = 2;
	w->cfg.unit[1] = w->cfg.unit[0];
	w->cfg.unit[1].seg = 2;
	w->cfg.nr_eps[1] = 0;
	len = dmar_build(&w->cfg, t, sizeof(t));
	for (i = 0; i < len; i++)
		sum += t[i];
	EXPECT_EQ(sum, 0);
	EXPECT(!memcmp(t, "DMAR", 4));
	EXPECT_EQ(t[4] | t[5] << 8, len);
	EXPECT_EQ(t[36], 47);
	/* Two DRHDs, an ATSR and an SATC of two endpoints for the first. */
	EXPECT_EQ(len, 48 + 2 * 16 + 8 + 8 + 2 * 8);
	EXPECT_EQ(t[48], 0);
	EXPECT_EQ(t[52], 1);
	EXPECT_EQ(t[54], 1);
	EXPECT_EQ(t[56 + 2] << 16 | t[56 + 3] << 24, 0x1f100000);
	EXPECT_EQ(t[64 + 6], 2);
	EXPECT_EQ(t[80], 2);
	EXPECT_EQ(t[88], 5);
	w->cfg.nr_eps[0] = 0;
	EXPECT_EQ(dmar_build(&w->cfg, t, sizeof(t)), 48 + 2 * 16);
}

/* Two units on one segment; of the first, two functions are behind a root port. */
static void prepare_port(struct world *w)
{
	u32 e;

	world_prepare(w);
	w->cfg.unit[0].scope = 1;
	w->cfg.nr_eps[0] = 3;
	for (e = 0; e < 3; e++)
		ep_config_init(&w->cfg.ep[0][e]);
	w->cfg.ep[0][1].port = 1;
	w->cfg.ep[0][2].port = 1;
	w->cfg.nr_units = 2;
	unit_config_init(&w->cfg.unit[1]);
	w->cfg.unit[1].seg = 1;
	w->cfg.nr_eps[1] = 1;
	ep_config_init(&w->cfg.ep[1][0]);
}

TEST(config_segment, "endpoints of two units on one segment have addresses of their own")
{
	struct vtdsim_config *c;

	prepare_port(w);
	world_start(w);
	c = ram_ptr(&w->sim.ram, VTDSIM_WINDOW_BASE, sizeof(*c));
	EXPECT_EQ(c->unit[0].port, 0x80);
	EXPECT_EQ(c->unit[0].ep[0].port, 0);
	EXPECT_EQ(c->unit[0].ep[0].devfn, 0);
	EXPECT_EQ(c->unit[0].ep[0].bar, 0x1f800000);
	EXPECT_EQ(c->unit[0].ep[1].port, 1);
	EXPECT_EQ(c->unit[0].ep[1].devfn, 0);
	EXPECT_EQ(c->unit[0].ep[2].devfn, 1);
	EXPECT_EQ(c->unit[0].ep[2].bar, 0x1fc80000);
	EXPECT_EQ(c->unit[1].ep[0].devfn, 8);
	EXPECT_EQ(c->unit[1].ep[0].bar, 0x1f900000);
}

TEST(config_bus, "behind a root port the requester's bus is software's number")
{
	struct vtdsim_regs *r;

	prepare_port(w);
	world_start(w);
	r = (struct vtdsim_regs *)w->u->ep[2].bar;
	EXPECT_EQ(r->source_id, 0xff01);
	EXPECT(!unit_find_ep(w->u, 0x501));
	r->bus = 5;
	sim_poll(&w->sim);
	EXPECT_EQ(r->source_id, 0x501);
	EXPECT(unit_find_ep(w->u, 0x501) == &w->u->ep[2]);
	/* On the root bus it is the hardware's. */
	r = (struct vtdsim_regs *)w->u->ep[0].bar;
	r->bus = 5;
	sim_poll(&w->sim);
	EXPECT_EQ(r->source_id, 0);
	EXPECT(unit_find_ep(w->u, 0) == &w->u->ep[0]);
}

TEST(dmar_scopes, "a unit with scopes names its endpoints, by a path where they have one")
{
	static const u8 scopes[] = {
		5, 8, 0, 0, 1, 0, 0x1f, 7,
		1, 8, 0, 0, 0, 0, 0, 0,
		1, 10, 0, 0, 0, 0, 0x10, 0, 0, 0,
		1, 10, 0, 0, 0, 0, 0x10, 0, 0, 1,
	};
	u8 t[1024];
	size_t len;

	prepare_port(w);
	len = dmar_build(&w->cfg, t, sizeof(t));
	EXPECT_EQ(t[48 + 2], 16 + sizeof(scopes));
	EXPECT_EQ(t[48 + 4], 0);
	EXPECT(!memcmp(t + 64, scopes, sizeof(scopes)));
	/* The other comes after it and includes the rest of the segment. */
	EXPECT_EQ(t[100], 0);
	EXPECT_EQ(t[100 + 2], 16);
	EXPECT_EQ(t[100 + 4], 1);
	/* Two ATSRs, the ANDD, an SATC of one endpoint for each unit. */
	EXPECT_EQ(t[132], 4);
	EXPECT_EQ(t[132 + 2], 18);
	EXPECT_EQ(t[132 + 7], 1);
	EXPECT(!strcmp((char *)t + 132 + 8, "\\_SB.LNKA"));
	EXPECT_EQ(len, 100 + 16 + 2 * 8 + 18 + 2 * (8 + 8));
	EXPECT_EQ(t[len - 8], 1);
	EXPECT_EQ(t[len - 2], 1);
}

TEST(dmar_rmrr, "memory that firmware reserves for an endpoint")
{
	static const u8 rmrr[] = {
		1, 0, 34, 0, 0, 0, 1, 0,
		0, 0, 0x22, 0x1f, 0, 0, 0, 0,
		0xff, 0xff, 0x22, 0x1f, 0, 0, 0, 0,
		1, 10, 0, 0, 0, 0, 0x10, 0, 0, 1,
	};
	u8 t[1024];

	prepare_port(w);
	w->cfg.unit[0].scope = 0;
	w->cfg.nr_units = 1;
	w->cfg.ep[0][2].rmrr = 1;
	dmar_build(&w->cfg, t, sizeof(t));
	EXPECT(!memcmp(t + 64, rmrr, sizeof(rmrr)));
	EXPECT_EQ(t[64 + sizeof(rmrr)], 2);
}

/* ---- DMA that goes on until it is stopped ------------------------------------ */

static struct vtdsim_loop *loop_at(struct world *w, u32 offset)
{
	return (struct vtdsim_loop *)local(w, offset);
}

static struct vtdsim_desc loop_desc(u8 flags, u64 addr)
{
	return (struct vtdsim_desc){
		.op = VTDSIM_OP_LOOP, .flags = flags, .pasid = 0x42,
		.addr = addr,
	};
}

TEST(loop, "a loop goes on until it is stopped, and counts")
{
	struct vtdsim_desc d, *slot;
	struct vtdsim_loop *l;
	struct nest n;

	world_init(w);
	nest_init(w, &n, 0x42, 5);
	poke(w, n.page, 0x1111);
	l = loop_at(w, 0);
	l->dir = VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE;
	l->expect[0] = 0x1111;
	d = loop_desc(VTDSIM_F_PASID, n.ia);
	slot = dma(w, &d);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	EXPECT(l->reads > 100);
	EXPECT(l->writes > 100);
	EXPECT_EQ(peek(w, n.page + 8), l->writes);
	EXPECT_EQ(l->wrong, 0);
	poke(w, n.page, 0x2222);
	world_poll(w);
	EXPECT(l->wrong);
	EXPECT_EQ(l->wrong_value, 0x2222);
	l->stop = 1;
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	EXPECT_EQ(l->faults, 0);
}

TEST(loop_disable, "a queue that is disabled ends its loop")
{
	struct vtdsim_desc d, *slot;
	struct nest n;

	world_init(w);
	nest_init(w, &n, 0x42, 5);
	loop_at(w, 0)->dir = VTDSIM_LOOP_READ;
	d = loop_desc(VTDSIM_F_PASID, n.ia);
	slot = dma(w, &d);
	queue(w, 0)->enable = 0;
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	EXPECT_EQ(queue(w, 0)->busy, 0);
}

TEST(loop_pasids, "a loop takes its PASIDs and pages in turn")
{
	struct vtdsim_desc d;
	struct vtdsim_loop *l;
	u64 table, page, i;

	world_init(w);
	page = new_pages(w, 6);
	for (i = 0; i < 3; i++) {
		table = new_page(w);
		map_first(w, table, 4, 0x5000, page + i * 0x2000, 1, FS_PAGE);
		map_first(w, table, 4, 0x6000, page + i * 0x2000 + 0x1000, 1,
			  FS_PAGE);
		bind_first(w, 0x50 + i, 5, table);
	}
	l = loop_at(w, 0);
	l->dir = VTDSIM_LOOP_WRITE;
	l->nr_pages = 2;
	l->nr_pasids = 4;
	l->pasid[0] = 0x50;
	l->pasid[1] = 0x51;
	l->pasid[2] = 0x52;
	l->pasid[3] = 1 << 20;
	d = loop_desc(VTDSIM_F_PASID, 0x5010);
	dma(w, &d);
	for (i = 0; i < 5; i++)
		world_poll(w);
	for (i = 0; i < 6; i++)
		EXPECT(peek(w, page + i * 0x1000 + 0x18) > 1);
	EXPECT(l->failed);
	EXPECT_EQ(l->faults, 0);
}

TEST(loop_faults, "an access of a loop that fails is counted, and the loop goes on")
{
	struct vtdsim_desc d;
	struct vtdsim_loop *l;
	struct nest n;
	u64 reads;
	int i;

	world_init(w);
	nest_init(w, &n, 0x42, 5);
	l = loop_at(w, 0);
	l->dir = VTDSIM_LOOP_READ;
	clear_pasid(w, 0x42);
	d = loop_desc(VTDSIM_F_PASID, n.ia);
	dma(w, &d);
	EXPECT(l->faults);
	EXPECT_EQ(l->reads, 0);
	EXPECT_EQ(l->reasons[1], BIT_ULL(FR_SPT_2 - 64));
	bind_nested(w, 0x42, 5, n.first + GUEST_OFFSET, n.second);
	for (i = 0; i < 5; i++)
		world_poll(w);
	reads = l->reads;
	EXPECT(reads);
	world_poll(w);
	EXPECT(l->reads > reads);
}

TEST(loop_ats, "a loop by ATS is refused what is not mapped, or asks for it")
{
	struct vtdsim_desc d, *slot;
	struct vtdsim_loop *l;
	struct nest n;

	world_init(w);
	nest_init(w, &n, 0x42, 5);
	reg_write64(w->u, REG_PQA, new_page(w));
	poke(w, n.leaf, 0);
	l = loop_at(w, 0);
	l->dir = VTDSIM_LOOP_READ;
	d = loop_desc(VTDSIM_F_PASID | VTDSIM_F_ATS, n.ia);
	slot = dma(w, &d);
	EXPECT(l->denied);
	l->stop = 1;
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	l->stop = 0;
	d.flags |= VTDSIM_F_PRI;
	slot = dma(w, &d);
	EXPECT_EQ(regs(w)->pri_outstanding, 1);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	/* Nobody answers; it can be stopped all the same. */
	l->stop = 1;
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	EXPECT_EQ(regs(w)->pri_outstanding, 1);
}

TEST(ats_off, "ATS that goes off and on between two rounds empties the device TLB")
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ, .flags = VTDSIM_F_PASID | VTDSIM_F_ATS,
		.pasid = 0x42, .len = 8,
	};
	struct nest n;

	world_init(w);
	nest_init(w, &n, 0x42, 5);
	d.addr = n.ia;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT(w->ep->devtlb.nr_entries > 0);
	regs(w)->ctl |= VTDSIM_CTL_ATS_OFF;
	world_poll(w);
	EXPECT_EQ(w->ep->devtlb.nr_entries, 0);
	EXPECT_EQ(regs(w)->ctl & VTDSIM_CTL_ATS_OFF, 0);
	EXPECT(w->ep->ctl & VTDSIM_CTL_ATS);
	/* Someone waits for it, even when the device is not there. */
	regs(w)->gone = 1;
	world_poll(w);
	regs(w)->ctl |= VTDSIM_CTL_ATS_OFF;
	world_poll(w);
	EXPECT_EQ(regs(w)->ctl & VTDSIM_CTL_ATS_OFF, 0);
}

TEST(ats_lost, "a loop by ATS asks for nothing while ATS is off")
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_LOOP, .flags = VTDSIM_F_PASID | VTDSIM_F_ATS,
		.pasid = 0x42,
	};
	struct vtdsim_loop *l;
	struct nest n;
	u64 reads, asked;

	world_init(w);
	nest_init(w, &n, 0x42, 5);
	l = (struct vtdsim_loop *)local(w, 0);
	l->dir = VTDSIM_LOOP_READ;
	d.addr = n.ia;
	post(w, 0, &d);
	world_poll(w);
	EXPECT(l->reads > 0);
	regs(w)->ctl &= ~VTDSIM_CTL_ATS;
	sim_poll(&w->sim);
	reads = l->reads;
	asked = w->u->cnt.u_translations;
	world_poll(w);
	EXPECT_EQ(l->reads, reads);
	EXPECT_EQ(w->u->cnt.u_translations, asked);
	EXPECT_EQ(w->ep->devtlb.nr_entries, 0);
	EXPECT(l->denied > 0);
	regs(w)->ctl |= VTDSIM_CTL_ATS;
	world_poll(w);
	EXPECT(l->reads > reads);
	l->stop = 1;
	world_poll(w);
}
