// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Second-stage and legacy tables: what is mapped in the host's domains follows
 * the guest's tables, mapping by mapping.
 */
#include <errno.h>
#include <stdio.h>
#include "world.h"

#define A	0
#define B	1
#define RW	(SS_R | SS_W)

static u64 table;

static struct pe pe_second(u16 did, u64 root)
{
	return (struct pe){ .q = {
		PE_P | PE_PGTT_IS(PGTT_SECOND) | PE_AW_IS(2) | root, did,
	} };
}

/* The entry of @iova at @level; tables on the way are made. */
static u64 slot(struct world *w, u64 root, u64 iova, unsigned int level)
{
	unsigned int l;
	u64 at = root;

	for (l = 4;; l--) {
		at += (iova >> vtd_level_shift(l) & 511) * 8;
		if (l == level)
			return at;
		if (!(peek(w, at) & RW))
			poke(w, at, new_pages(w, 1) | RW);
		at = page_of(peek(w, at));
	}
}

static void map(struct world *w, u64 iova, u64 gpa, u64 flags)
{
	poke(w, slot(w, table, iova, 1), gpa | flags);
}

static void boot(struct world *w)
{
	w->cfg.second_stage = true;
	world_start(w);
	guest_boot(w);
	table = new_pages(w, 1);
}

static void switch_to(struct world *w, u32 dev, u16 did, u64 root)
{
	set_pasid(w, dev, 0, pe_second(did, root));
	all_changed(w);
}

static void changed(struct world *w, u64 iova, u32 am)
{
	submit_one(w, d_iotlb(3, 1), iova | am);
}

TEST(fill, "a domain is filled before a device is bound to it")
{
	boot(w);
	map(w, 0x5000, 0x9000, RW);
	map(w, 0x7fff12345000, 0xa000, SS_R);
	switch_to(w, A, 1, table);
	CALLS(w, "domain 0 for a\nmap 0 5000->9000+1000 rw\n"
	      "map 0 7fff12345000->a000+1000 r\nbind a 0 domain 0\n");
}

TEST(on_pasid, "a PASID may be bound to a second stage, too")
{
	boot(w);
	map(w, 0x5000, 0x9000, SS_W);
	set_pasid(w, A, 7, pe_second(1, table));
	pasid_changed(w, 1, 7);
	CALLS(w, "domain 0 for a\nmap 0 5000->9000+1000 w\nbind a 7 domain 0\n");
}

TEST(appears, "a mapping that appears is mapped, one that is gone is unmapped")
{
	boot(w);
	switch_to(w, A, 1, table);
	map(w, 0x5000, 0x9000, RW);
	CALLS(w, "domain 0 for a\nbind a 0 domain 0\n");
	changed(w, 0x5000, 0);
	CALLS(w, "map 0 5000->9000+1000 rw\n");
	map(w, 0x5000, 0, 0);
	changed(w, 0x5000, 0);
	CALLS(w, "unmap 0 5000+1000\n");
}

TEST(change, "a change is an unmap before a map")
{
	boot(w);
	map(w, 0x5000, 0x9000, RW);
	switch_to(w, A, 1, table);
	map(w, 0x5000, 0xb000, RW);
	changed(w, 0x5000, 0);
	map(w, 0x5000, 0xb000, SS_R);
	changed(w, 0x5000, 0);
	CALLS(w, "domain 0 for a\nmap 0 5000->9000+1000 rw\nbind a 0 domain 0\n"
	      "unmap 0 5000+1000\nmap 0 5000->b000+1000 rw\n"
	      "unmap 0 5000+1000\nmap 0 5000->b000+1000 r\n");
}

TEST(unchanged, "what is unchanged costs no host call, whatever is invalidated")
{
	boot(w);
	map(w, 0x5000, 0x9000, RW);
	switch_to(w, A, 1, table);
	w->host.len = 0;
	w->host.log[0] = 0;
	changed(w, 0x5000, 9);
	submit_one(w, d_iotlb(2, 1), 0);
	submit_one(w, d_iotlb(1, 0), 0);
	all_changed(w);
	CALLS(w, "");
}

TEST(range, "an invalidation of pages is of those pages and that domain")
{
	boot(w);
	switch_to(w, A, 1, table);
	map(w, 0x5000, 0x9000, RW);
	map(w, 0x8000, 0xa000, RW);
	changed(w, 0x4000, 1);
	CALLS(w, "domain 0 for a\nbind a 0 domain 0\nmap 0 5000->9000+1000 rw\n");
	submit_one(w, d_iotlb(3, 2), 0x8000);
	submit_one(w, d_iotlb(2, 2), 0);
	CALLS(w, "");
	submit_one(w, d_iotlb(2, 1), 0);
	CALLS(w, "map 0 8000->a000+1000 rw\n");
}

TEST(large, "large pages are mapped as such, and replaced by small ones")
{
	boot(w);
	poke(w, slot(w, table, 0x40000000, 3), 0x80000000 | SS_PS | RW);
	poke(w, slot(w, table, 0x200000, 2), 0x600000 | SS_PS | RW);
	switch_to(w, A, 1, table);
	CALLS(w, "domain 0 for a\nmap 0 200000->600000+200000 rw\n"
	      "map 0 40000000->80000000+40000000 rw\nbind a 0 domain 0\n");
	poke(w, slot(w, table, 0x200000, 2), new_pages(w, 1) | RW);
	map(w, 0x203000, 0x9000, RW);
	changed(w, 0x200000, 9);
	CALLS(w, "unmap 0 200000+200000\nmap 0 203000->9000+1000 rw\n");
	poke(w, slot(w, table, 0x200000, 2), 0x800000 | SS_PS | RW);
	changed(w, 0x200000, 9);
	CALLS(w, "unmap 0 200000+200000\nmap 0 200000->800000+200000 rw\n");
}

TEST(rights, "permissions are those of all levels together")
{
	u64 at;

	boot(w);
	map(w, 0x5000, 0x9000, RW);
	at = slot(w, table, 0x5000, 2);
	poke(w, at, (peek(w, at) & ~SS_W) | SS_R);
	switch_to(w, A, 1, table);
	CALLS(w, "domain 0 for a\nmap 0 5000->9000+1000 r\nbind a 0 domain 0\n");
	map(w, 0x5000, 0x9000, SS_W);
	changed(w, 0x5000, 0);
	CALLS(w, "unmap 0 5000+1000\n");
}

TEST(reserved, "entries with reserved fields map nothing")
{
	boot(w);
	map(w, 0x5000, 0x9000, RW | SS_SNP);
	map(w, 0x6000, BIT_ULL(50), RW);
	poke(w, slot(w, table, 0x200000, 2), 0x601000 | SS_PS | RW);
	poke(w, slot(w, table, 0x8000000000, 4), 0x600000 | SS_PS | RW);
	switch_to(w, A, 1, table);
	CALLS(w, "domain 0 for a\nbind a 0 domain 0\n");
}

TEST(no_table, "tables that are not RAM map nothing, and unmap what was there")
{
	boot(w);
	map(w, 0x5000, 0x9000, RW);
	switch_to(w, A, 1, table);
	poke(w, slot(w, table, 0x5000, 2), RAM_SIZE | RW);
	changed(w, 0x5000, 0);
	CALLS(w, "domain 0 for a\nmap 0 5000->9000+1000 rw\nbind a 0 domain 0\n"
	      "unmap 0 5000+1000\n");
}

TEST(shared, "devices of one domain share it, also late ones")
{
	boot(w);
	map(w, 0x5000, 0x9000, RW);
	switch_to(w, A, 1, table);
	set_pasid(w, B, 0, pe_second(1, table));
	add_device(w, B);
	CALLS(w, "domain 0 for a\nmap 0 5000->9000+1000 rw\nbind a 0 domain 0\n"
	      "bind b 0 domain 0\n");
	remove_device(w, A);
	CALLS(w, "unbind a 0\n");
	remove_device(w, B);
	CALLS(w, "unbind b 0\nfree domain 0\n");
}

TEST(replay, "a late device whose unit differs has a domain of its own, filled")
{
	boot(w);
	map(w, 0x5000, 0x9000, RW);
	switch_to(w, A, 1, table);
	w->caps.no_read_only = true;
	set_pasid(w, B, 0, pe_second(1, table));
	add_device(w, B);
	CALLS(w, "domain 0 for a\nmap 0 5000->9000+1000 rw\nbind a 0 domain 0\n"
	      "domain 1 for b\nmap 1 5000->9000+1000 rw\nbind b 0 domain 1\n");
	map(w, 0x6000, 0xa000, RW);
	changed(w, 0x6000, 0);
	CALLS(w, "map 1 6000->a000+1000 rw\nmap 0 6000->a000+1000 rw\n");
}

TEST(domain_switch, "a switch of the domain leaves nothing of the old one")
{
	u64 other;

	boot(w);
	map(w, 0x5000, 0x9000, RW);
	switch_to(w, A, 1, table);
	other = new_pages(w, 1);
	poke(w, slot(w, other, 0x7000, 1), 0xb000 | RW);
	switch_to(w, A, 2, other);
	CALLS(w, "domain 0 for a\nmap 0 5000->9000+1000 rw\nbind a 0 domain 0\n"
	      "domain 1 for a\nmap 1 7000->b000+1000 rw\n"
	      "replace a 0 domain 1\nfree domain 0\n");
	set_pasid(w, A, 0, pe_pass(3));
	all_changed(w);
	CALLS(w, "replace a 0 pass\nfree domain 1\n");
}

TEST(no_domain, "no domain, no binding: a fault, and tried again")
{
	boot(w);
	w->host.fail_after = 1;
	w->host.fail_with = -ENOMEM;
	switch_to(w, A, 1, table);
	CALLS(w, "");
	EXPECT_EQ(last_reason(w), FR_SPT_4);
	all_changed(w);
	CALLS(w, "domain 0 for a\nbind a 0 domain 0\n");
}

TEST(no_bind, "a refused bind leaves no domain")
{
	boot(w);
	w->host.fail_after = 2;
	w->host.fail_with = -EINVAL;
	switch_to(w, A, 1, table);
	CALLS(w, "domain 0 for a\nbind a 0 domain 0 fails\nfree domain 0\n");
}

TEST(no_map, "a mapping that the host refuses is left out and tried again")
{
	boot(w);
	switch_to(w, A, 1, table);
	map(w, 0x5000, 0x9000, RW);
	map(w, 0x6000, 0xa000, RW);
	w->host.fail_after = 1;
	w->host.fail_with = -EFAULT;
	changed(w, 0x4000, 2);
	changed(w, 0x4000, 2);
	CALLS(w, "domain 0 for a\nbind a 0 domain 0\n"
	      "map 0 5000->9000+1000 rw fails\nmap 0 6000->a000+1000 rw\n"
	      "map 0 5000->9000+1000 rw\n");
}

TEST(many, "more mappings than allowed leave the domain empty")
{
	u32 i;

	w->cfg.max_mappings = 3;
	boot(w);
	for (i = 0; i < 3; i++)
		map(w, i << 12, 0x9000, RW);
	switch_to(w, A, 1, table);
	EXPECT_EQ(w->host.last->num, 3);
	map(w, 0x4000, 0x9000, RW);
	changed(w, 0x4000, 0);
	EXPECT_EQ(w->host.last->num, 0);
	map(w, 0x4000, 0, 0);
	submit_one(w, d_iotlb(2, 1), 0);
	EXPECT_EQ(w->host.last->num, 3);
}

TEST(loop, "a table that leads to itself is walked no further than allowed")
{
	u32 i;

	w->cfg.max_tables = 40;
	boot(w);
	w->host.quiet = true;
	for (i = 0; i < 512; i++)
		poke(w, table + i * 8, table | RW);
	switch_to(w, A, 1, table);
	EXPECT_EQ(w->host.last->num, 0);
	submit_one(w, d_iotlb(2, 1), 0);
	EXPECT_EQ(w->host.last->num, 0);
	EXPECT_EQ(w->d[A].host.nr_bound, 1);
}

TEST(portions, "shadows of many tables are walked in portions, and all of them")
{
	u64 below = new_pages(w, 1);
	u32 i, level, n = 0;

	w->cfg.max_tables = 20000;
	boot(w);
	/* 512 times 512 times the same empty table. */
	for (level = 2; level < 4; level++) {
		u64 above = new_pages(w, 1);

		for (i = 0; i < 512; i++)
			poke(w, above + i * 8, below | RW);
		below = above;
	}
	poke(w, table, below | RW);
	for (i = 1; i <= 3; i++)
		set_pasid(w, A, i, pe_second(i, table));
	all_changed(w);
	queue(w, d_iotlb(1, 0), 0);
	queue(w, d_wait(WAIT_SW, 1), w->status);
	set64(w, REG_IQT, w->iqt);
	for (; vvtd_run(w->v) == VVTD_MORE; n++)
		EXPECT_EQ(peek(w, w->status), 0);
	EXPECT(n >= 1);
	EXPECT_EQ(peek(w, w->status), 1);
}

TEST(sparse, "seven tables for two distant pages, whatever the range")
{
	w->cfg.max_tables = 7;
	boot(w);
	map(w, 0x5000, 0x9000, RW);
	map(w, 0xfffffffff000, 0xa000, RW);
	switch_to(w, A, 1, table);
	EXPECT_EQ(w->host.last->num, 2);
}

TEST(too_many_domains, "more domains than the unit keeps: a fault")
{
	u32 i;

	boot(w);
	w->host.quiet = true;
	for (i = 0; i < 257; i++)
		set_pasid(w, A, 64 + i, pe_second(i, table));
	all_changed(w);
	EXPECT_EQ(w->d[A].host.nr_bound, 256);
	EXPECT_EQ(last_reason(w), FR_SPT_4);
}

/* ---- legacy mode --------------------------------------------------------------- */

static void boot_legacy(struct world *w, u64 tt)
{
	u64 root, ctx;

	w->cfg.second_stage = true;
	w->cfg.legacy = true;
	world_start(w);
	table = new_pages(w, 1);
	root = new_pages(w, 1);
	ctx = new_pages(w, 1);
	poke(w, root, ctx | ROOT_P);
	w->d[A].ctx = ctx + w->d[A].sid * 16;
	poke(w, w->d[A].ctx, table | CTX_P | tt << 2);
	poke(w, w->d[A].ctx + 8, 1 << 8 | 2);
	w->root = root;
	set64(w, REG_RTADDR, root);
	gcmd(w, GCMD_SRTP);
	set64(w, REG_IQA, w->iq | IQA_DW | 3);
	gcmd(w, GCMD_QIE | GCMD_TE);
}

TEST(legacy, "a legacy context entry's table is shadowed")
{
	struct vvtd_stage s;

	boot_legacy(w, LCTX_UNTRANSLATED);
	map(w, 0x5000, 0x9000, RW);
	changed(w, 0x5000, 0);
	CALLS(w, "bind a 0 pass\ndomain 0 for a\nreplace a 0 domain 0\n"
	      "map 0 5000->9000+1000 rw\n");
	EXPECT_EQ(vvtd_binding(w->d[A].dev, 5, &s), FR_RTA_2);
	vvtd_dev_fault(w->d[A].dev, &(struct vvtd_fault){ .addr = 0x1000 });
	EXPECT_EQ(last_reason(w), FR_LGN_3);
}

TEST(legacy_pass, "a legacy context entry passes through")
{
	boot_legacy(w, LCTX_PASSTHROUGH);
	CALLS(w, "bind a 0 pass\n");
}

/* What the context entry becomes, and the fault that it is. */
static void wrong_context(struct world *w, u64 lo, u64 hi, u8 reason)
{
	poke(w, w->d[A].ctx, lo);
	poke(w, w->d[A].ctx + 8, hi);
	submit_one(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(last_reason(w), reason);
	clear_faults(w);
}

TEST(legacy_wrong, "wrong legacy entries have their own reasons")
{
	const u64 lo = CTX_P, hi = 1 << 8 | 2;

	boot_legacy(w, LCTX_UNTRANSLATED);
	wrong_context(w, lo | BIT_ULL(5), hi, FR_LCT_3);
	wrong_context(w, lo, hi | 7, FR_LCT_4);
	wrong_context(w, lo, hi | BIT_ULL(30), FR_LCT_3);
	wrong_context(w, lo | 3 << 2, hi, FR_LCT_4);
	poke(w, w->d[A].ctx, 0);
	submit_one(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(nr_faults(w), 0);
	poke(w, w->root, RAM_SIZE | ROOT_P);
	wrong_context(w, lo, hi, FR_LCT_1);
	poke(w, w->root, peek(w, w->root) | 2);
	wrong_context(w, lo, hi, FR_LRT_3);
	poke(w, w->root, 0);
	submit_one(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(nr_faults(w), 0);
	set64(w, REG_RTADDR, RAM_SIZE);
	gcmd(w, GCMD_QIE | GCMD_TE | GCMD_SRTP);
	EXPECT_EQ(last_reason(w), FR_LRT_1);
}

TEST(legacy_off, "what legacy and second stage need is asked for")
{
	struct vvtd_ops ops = w->ops;

	w->cfg.legacy = true;
	EXPECT(!vvtd_create(&w->cfg, &ops, &w->host));
	w->cfg.second_stage = true;
	ops.unmap = NULL;
	EXPECT(!vvtd_create(&w->cfg, &ops, &w->host));
}

/* ---- at random ------------------------------------------------------------------- */

#define NR_IOVAS	64

static u64 state = 0x9e3779b97f4a7c15;

static u64 rnd(u64 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static u64 iova_of(u32 i)
{
	return (i % 8) << 12 | (u64)(i / 8 % 2) << 21 | (u64)(i / 16 % 2) << 30 |
	       (u64)(i / 32) << 39;
}

/* Walk from scratch: the leaf over @iova, or false. */
static bool lookup(struct world *w, u64 iova, struct host_map *m)
{
	u64 at = table;
	unsigned int l;

	m->prot = VVTD_READ | VVTD_WRITE;
	for (l = 4; l; l--) {
		u64 e = peek(w, at + (iova >> vtd_level_shift(l) & 511) * 8);

		m->prot &= e & 3;
		if (!m->prot)
			return false;
		if (l == 1 || (l < 4 && e & SS_PS)) {
			m->size = 1ULL << vtd_level_shift(l);
			m->iova = iova & ~(m->size - 1);
			m->gpa = e & GENMASK_ULL(51, 12) & ~(m->size - 1);
			return true;
		}
		at = page_of(e);
	}
	return false;
}

static bool agrees(struct world *w, u64 iova)
{
	const struct host_domain *d = w->host.last;
	struct host_map m;
	u32 i;

	if (!lookup(w, iova, &m))
		m.size = 0;
	for (i = 0; i < d->num; i++) {
		const struct host_map *h = &d->map[i];

		if (iova >= h->iova && iova - h->iova < h->size)
			return m.size && h->iova == m.iova && h->gpa == m.gpa &&
			       h->size == m.size && h->prot == m.prot;
	}
	return !m.size;
}

static void any_change(struct world *w)
{
	u64 iova = iova_of(rnd(NR_IOVAS));
	unsigned int level = rnd(8) ? 1 : 2 + rnd(2);
	u64 at = slot(w, table, iova, 3);
	u64 entry = 0x40000000 * (1 + rnd(3)) | rnd(4);

	if (level == 3) {
		poke(w, at, rnd(2) ? entry | SS_PS : 0);
	} else {
		if (peek(w, at) & SS_PS)
			poke(w, at, 0);
		at = slot(w, table, iova, 2);
		if (level == 1 && peek(w, at) & SS_PS)
			poke(w, at, 0);
		if (level == 2)
			poke(w, at, rnd(2) ? entry | SS_PS : 0);
		else
			poke(w, slot(w, table, iova, 1), entry);
	}
	/* What has been taken away by the way is larger than a page. */
	changed(w, iova & ~0x3fffffffULL, 18);
}

TEST(random, "after each of 3000 changes the domain is what a walk from scratch finds")
{
	u32 i, j;

	boot(w);
	w->host.quiet = true;
	switch_to(w, A, 1, table);
	for (i = 0; i < 3000; i++) {
		u64 page = w->next_page;

		any_change(w);
		for (j = 0; j < NR_IOVAS; j++)
			EXPECT(agrees(w, iova_of(j)));
		/* Keep to the memory that there is. */
		if (page > RAM_SIZE - 0x100000)
			break;
	}
	EXPECT_EQ(i, 3000);
}

int main(int argc, char **argv)
{
	return run_tests(argc, argv);
}
