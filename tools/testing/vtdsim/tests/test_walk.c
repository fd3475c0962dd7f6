// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translations that succeed: where they lead, and which accessed and dirty
 * bits they leave.
 */
#include <stdint.h>
#include "../translate.h"
#include "harness.h"
#include "platform.h"

#define PASID	0x1234
#define IA	0x7f1234567000ULL

TEST(first_4k, "first stage, 4 levels, 4 KiB page")
{
	u64 table, page;

	world_init(w);
	table = new_page(w);
	page = new_page(w);
	map_first(w, table, 4, IA, page, 1, FS_PAGE);
	bind_first(w, PASID, 5, table);
	EXPECT_EQ(target(w, PASID, IA + 0x123), page + 0x123);
}

TEST(first_5, "first stage, 5 levels, address of 57 bits")
{
	u64 pe[8] = { PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP };
	u64 ia = 0x00fedcba98765000ULL;
	u64 page;

	world_init(w);
	pe[2] = new_page(w) | 1 << 2;
	page = new_page(w);
	map_first(w, page_of(pe[2]), 5, ia, page, 1, FS_PAGE);
	set_pasid(w, PASID, pe);
	EXPECT_EQ(target(w, PASID, ia + 8), page + 8);
}

TEST(first_upper_half, "first stage, canonical address with upper bits set")
{
	u64 ia = 0xffff800012345000ULL;
	u64 table, page;

	world_init(w);
	table = new_page(w);
	page = new_page(w);
	map_first(w, table, 4, ia, page, 1, FS_PAGE);
	bind_first(w, PASID, 5, table);
	EXPECT_EQ(target(w, PASID, ia), page);
}

TEST(first_large, "first stage, 2 MiB and 1 GiB pages")
{
	u64 table;

	world_init(w);
	table = new_page(w);
	map_first(w, table, 4, 0x40000000, 0x200000, 2, FS_PAGE);
	map_first(w, table, 4, 0x8000000000ULL, 0, 3, FS_PAGE | BIT_ULL(12));
	bind_first(w, PASID, 5, table);
	EXPECT_EQ(target(w, PASID, 0x40012345), 0x212345);
	EXPECT_EQ(target(w, PASID, 0x8000000000ULL + 0x1234567), 0x1234567);
}

static void second(struct world *w, int levels, u64 ia)
{
	u64 pe[8] = { PGTT_SECOND << 6 | PE_P, 5 | PE_PWSNP };
	u64 table, page;

	world_init(w);
	table = new_page(w);
	page = new_page(w);
	map_second(w, table, levels, ia, page, 1, SS_PAGE);
	pe[0] |= table | (u64)(levels - 2) << 2;
	set_pasid(w, PASID, pe);
	EXPECT_EQ(target(w, PASID, ia + 0x10), page + 0x10);
}

TEST(second_3, "second stage, 3 levels")
{
	second(w, 3, 0x7fffffe000ULL);
}

TEST(second_4, "second stage, 4 levels")
{
	second(w, 4, 0xffffffffe000ULL);
}

TEST(second_5, "second stage, 5 levels")
{
	second(w, 5, 0x1ffffffffffe000ULL);
}

TEST(second_large, "second stage, 2 MiB and 1 GiB pages")
{
	u64 table;

	world_init(w);
	table = new_page(w);
	map_second(w, table, 4, 0x40000000, 0x400000, 2, SS_PAGE);
	map_second(w, table, 4, 0x80000000, 0, 3, SS_PAGE);
	bind_second(w, PASID, 5, table);
	EXPECT_EQ(target(w, PASID, 0x40001000), 0x401000);
	EXPECT_EQ(target(w, PASID, 0x80000000 + 0x7654321), 0x7654321);
}

TEST(nested, "nested: tables and page by the second stage")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	EXPECT_EQ(target(w, PASID, n.ia + 0xabc), n.page + 0xabc);
}

TEST(nested_sizes, "nested: the smaller page of both stages counts")
{
	struct nest n;
	u64 leaf;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	/* A first-stage page of 2 MiB over second-stage pages of 4 KiB. */
	leaf = entry_at(w, n.first, 4, n.ia, 2, GUEST_OFFSET);
	poke(w, leaf, (0x200000 + GUEST_OFFSET) | FS_PAGE | FS_PS);
	map_second(w, n.second, 4, 0x200000 + GUEST_OFFSET, 0x300000, 1,
		   SS_PAGE);
	map_second(w, n.second, 4, 0x201000 + GUEST_OFFSET, 0x340000, 1,
		   SS_PAGE);
	EXPECT_EQ(target(w, PASID, (n.ia & ~0x1fffffULL) + 8), 0x300008);
	EXPECT_EQ(target(w, PASID, (n.ia & ~0x1fffffULL) + 0x1008), 0x340008);
}

TEST(passthrough, "pass-through: the address is the host's")
{
	u64 pe[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 1 };

	world_init(w);
	set_pasid(w, PASID, pe);
	EXPECT_EQ(target(w, PASID, 0x123456789ULL), 0x123456789ULL);
}

TEST(rid_pasid, "a request without PASID goes by RID_PASID")
{
	u64 table, page;

	world_init(w);
	table = new_page(w);
	page = new_page(w);
	map_second(w, table, 4, 0x5000, page, 1, SS_PAGE);
	bind_second(w, 77, 5, table);
	poke(w, w->ctx + 8, 77);
	EXPECT_EQ(target(w, PASID_NONE, 0x5004), page + 4);
}

TEST(rid_priv, "RID_PRIV makes such a request a supervisor's")
{
	u64 pe[8] = { PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP, PE_SRE };
	u64 page;

	world_init(w);
	page = new_page(w);
	pe[2] |= new_page(w);
	map_first(w, page_of(pe[2]), 4, IA, page, 1, FS_P | FS_RW);
	set_pasid(w, 77, pe);
	poke(w, w->ctx + 8, 77 | CTX_RID_PRIV);
	EXPECT_EQ(target(w, PASID_NONE, IA), page);
}

TEST(off, "remapping disabled: addresses pass, requests with PASID do not")
{
	struct request rq;
	struct translation t;

	world_init(w);
	reg_write32(w->u, REG_GCMD, GCMD_QIE);
	world_poll(w);
	EXPECT_EQ(target(w, PASID_NONE, 0x4444), 0x4444);
	rq = req(w, PASID, 0x4444);
	translate(w->u, &rq, &t);
	EXPECT(t.aborted);
}

TEST(sid_upper, "a device number beyond 15 goes by the upper context table")
{
	struct request rq;
	struct translation t;
	u64 contexts, pe[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 1 };

	world_init(w);
	contexts = new_page(w);
	poke(w, w->root + 8, contexts | ROOT_P);
	poke(w, contexts + 0x7f * 32, peek(w, w->ctx));
	set_pasid(w, PASID, pe);
	rq = req(w, PASID, 0x3000);
	rq.sid = 0xff;
	EXPECT_EQ(do_request(w, &rq, &t), 0);
}

TEST(pasid_top, "the largest PASID has its entry")
{
	u64 pe[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 1 };

	world_init(w);
	set_pasid(w, 0xfffff, pe);
	EXPECT_EQ(target(w, 0xfffff, 0x3000), 0x3000);
}

TEST(first_ad, "first stage: A in every entry, D in the leaf of a write")
{
	u64 table, page, leaf;
	int l;

	world_init(w);
	table = new_page(w);
	page = new_page(w);
	leaf = map_first(w, table, 4, IA, page, 1, FS_TABLE);
	bind_first(w, PASID, 5, table);
	EXPECT_EQ(read_at(w, PASID, IA), 0);
	for (l = 4; l >= 1; l--)
		EXPECT(peek(w, entry_at(w, table, 4, IA, l, 0)) & FS_A);
	EXPECT(!(peek(w, leaf) & FS_D));
	EXPECT(!(peek(w, leaf) & FS_EA));
	/* The read is cached: the write must set the bit all the same. */
	EXPECT_EQ(write_at(w, PASID, IA), 0);
	EXPECT(peek(w, leaf) & FS_D);
	EXPECT(!(peek(w, entry_at(w, table, 4, IA, 2, 0)) & FS_D));
}

TEST(first_no_ad_on_fault, "first stage: a refused write sets no D")
{
	u64 table, leaf;

	world_init(w);
	table = new_page(w);
	leaf = map_first(w, table, 4, IA, new_page(w), 1, FS_P | FS_US);
	bind_first(w, PASID, 5, table);
	EXPECT_EQ(write_at(w, PASID, IA), FR_SGN_6);
	EXPECT(!(peek(w, leaf) & FS_D));
}

TEST(first_ea, "EAFE: the extended-accessed bit too")
{
	u64 pe[8] = { PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP, PE_EAFE };
	u64 leaf;

	world_init(w);
	pe[2] |= new_page(w);
	leaf = map_first(w, page_of(pe[2]), 4, IA, new_page(w), 1, FS_TABLE);
	set_pasid(w, PASID, pe);
	EXPECT_EQ(read_at(w, PASID, IA), 0);
	EXPECT_EQ(peek(w, leaf) & (FS_A | FS_EA), FS_A | FS_EA);
	EXPECT(peek(w, entry_at(w, page_of(pe[2]), 4, IA, 3, 0)) & FS_EA);
}

TEST(nested_ad, "nested: guest's A/D bits are set through the second stage")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT_EQ(peek(w, n.leaf) & (FS_A | FS_D), FS_A | FS_D);
	/* SSADE is off: the second stage stays as it is. */
	EXPECT(!(peek(w, n.leaf2) & (SS_A | SS_D)));
}

static void ssade(struct world *w, u32 pasid)
{
	poke(w, pasid_entry(w, pasid), peek(w, pasid_entry(w, pasid)) |
	     PE_SSADE);
}

TEST(second_ad, "SSADE: A on every access, D on a write, second stage")
{
	u64 table, leaf;

	world_init(w);
	table = new_page(w);
	leaf = map_second(w, table, 4, 0x5000, new_page(w), 1, SS_PAGE);
	bind_second(w, PASID, 5, table);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
	EXPECT(!(peek(w, leaf) & (SS_A | SS_D)));
	ssade(w, PASID);
	submit(w, d_pasid_cache(1, 5, PASID), 0);
	submit(w, d_iotlb(2, 5), 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	EXPECT(peek(w, leaf) & SS_A);
	EXPECT(!(peek(w, leaf) & SS_D));
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
	EXPECT(peek(w, leaf) & SS_D);
}

TEST(nested_ssade, "SSADE, nested: data page and the pages of the tables")
{
	struct nest n;
	u64 tables2;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	ssade(w, PASID);
	tables2 = entry_at(w, n.second, 4, page_of(n.leaf) + GUEST_OFFSET, 1,
			   0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
	EXPECT(peek(w, n.leaf2) & SS_A);
	EXPECT(!(peek(w, n.leaf2) & SS_D));
	/* Setting A in the guest's leaf wrote to the page that holds it. */
	EXPECT_EQ(peek(w, tables2) & (SS_A | SS_D), SS_A | SS_D);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT(peek(w, n.leaf2) & SS_D);
}

TEST(write_twice, "a write after a write is answered by the IOTLB")
{
	struct nest n;
	u64 walks;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	ssade(w, PASID);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	walks = w->u->cnt.u_walks;
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	EXPECT_EQ(w->u->cnt.u_walks, walks);
}

TEST(write_twice_second, "likewise with the second stage alone")
{
	u64 table, walks;

	world_init(w);
	table = new_page(w);
	map_second(w, table, 4, 0x5000, new_page(w), 1, SS_PAGE);
	bind_second(w, PASID, 5, table);
	ssade(w, PASID);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
	walks = w->u->cnt.u_walks;
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
	EXPECT_EQ(w->u->cnt.u_walks, walks);
}

static struct request privileged(struct world *w, bool write)
{
	struct request rq = req(w, PASID, IA);

	rq.priv = true;
	rq.read = !write;
	rq.write = write;
	return rq;
}

static u64 bind_supervisor(struct world *w, u64 pe2, u64 leaf)
{
	u64 pe[8] = { PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP, PE_SRE | pe2 };

	pe[2] |= new_page(w);
	set_pasid(w, PASID, pe);
	return map_first(w, page_of(pe[2]), 4, IA, new_page(w), 1, leaf);
}

TEST(supervisor, "SRE: a supervisor's request reaches a supervisor's page")
{
	struct translation t;
	struct request rq;

	world_init(w);
	bind_supervisor(w, 0, FS_P | FS_RW);
	rq = privileged(w, true);
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SGN_2);
}

TEST(wpe_off, "WPE clear: a supervisor may write a read-only page")
{
	struct translation t;
	struct request rq;

	world_init(w);
	bind_supervisor(w, 0, FS_P | FS_US);
	rq = privileged(w, true);
	EXPECT_EQ(do_request(w, &rq, &t), 0);
}

TEST(execute, "ERE: execute a page without XD")
{
	u64 pe[8] = {
		PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP, PE_ERE | PE_NXE,
	};
	struct translation t;
	struct request rq;

	world_init(w);
	pe[2] |= new_page(w);
	set_pasid(w, PASID, pe);
	map_first(w, page_of(pe[2]), 4, IA, new_page(w), 1, FS_PAGE);
	rq = req(w, PASID, IA);
	rq.exec = true;
	EXPECT_EQ(do_request(w, &rq, &t), 0);
}

TEST(xd_ignored, "NXE clear: XD means nothing")
{
	u64 pe[8] = { PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP, PE_ERE };
	struct translation t;
	struct request rq;

	world_init(w);
	pe[2] |= new_page(w);
	set_pasid(w, PASID, pe);
	map_first(w, page_of(pe[2]), 4, IA, new_page(w), 1, FS_PAGE | FS_XD);
	rq = req(w, PASID, IA);
	rq.exec = true;
	EXPECT_EQ(do_request(w, &rq, &t), 0);
}

TEST(explain, "an explanation shows every entry and changes nothing")
{
	struct vtdsim_explain ex;
	struct translation t;
	struct nest n;
	struct request rq;
	u32 i, first = 0, second = 0;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	rq = req(w, PASID, n.ia + 0x18);
	translate_peek(w->u, &rq, &t, &ex);
	EXPECT_EQ(ex.reason, 0);
	EXPECT_EQ(ex.output, n.page + 0x18);
	EXPECT_EQ(ex.gpa, n.page + GUEST_OFFSET + 0x18);
	EXPECT_EQ(ex.pgtt, PGTT_NESTED);
	EXPECT_EQ(ex.did, 5);
	for (i = 0; i < ex.nr_steps; i++) {
		first += ex.step[i].stage == VTDSIM_ST_FIRST;
		second += ex.step[i].stage == VTDSIM_ST_SECOND;
	}
	/* 4 levels, and 4 more for each table and for the page. */
	EXPECT_EQ(first, 4);
	EXPECT_EQ(second, 20);
	EXPECT_EQ(ex.nr_steps, 4 + 24);
	EXPECT_EQ(ex.step[4].for_level, 4);
	EXPECT_EQ(ex.step[ex.nr_steps - 1].for_level, 0);
	EXPECT_EQ(peek(w, n.leaf) & (FS_A | FS_D), 0);
	EXPECT_EQ(w->u->cnt.u_walks, 0);
	EXPECT_EQ(w->u->iotlb.nr_entries, 0);
}

TEST(high_memory, "RAM beyond the PCI hole stands at 4 GiB")
{
	struct ram ram = { NULL, 0xc0000000ULL, 0 };

	(void)w;
	ram.low = ram_low_size(ram.size);
	EXPECT_EQ(ram.low, 0x80000000);
	EXPECT_EQ(ram_low_size(0x20000000), 0x20000000);
	ram.base = (u8 *)0x1000;
	EXPECT_EQ((uintptr_t)ram_ptr(&ram, 0x7ffffff8, 8), 0x80000ff8);
	EXPECT(!ram_ptr(&ram, 0x7ffffff9, 8));
	EXPECT(!ram_ptr(&ram, 0x80000000, 1));
	EXPECT_EQ((uintptr_t)ram_ptr(&ram, 0x100000000, 8), 0x80001000);
	EXPECT(!ram_ptr(&ram, 0x13ffffff9, 8));
	EXPECT(!ram_ptr(&ram, ~0ULL, 8));
}
