// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bind and unbind: what a bind accepts, what the hardware then sees, where DMA
 * goes, and that nothing is left afterwards.
 */
#include <signal.h>
#include <sys/wait.h>

#include "gpasid_dma_fixture.h"

#define ENTRY_P		0x1ULL
#define ENTRY_ADDR	(~0xfffULL)

/* ---- DMA, untranslated and by ATS -------------------------------------------- */

/*
 * Whether the caches that a test is about to see empty hold something of the
 * PASID.  An adverse unit may have dropped it by chance: it is filled again.
 */
static bool is_cached(struct lab_dev *lab, __u32 pasid, unsigned int flags)
{
	struct vtdsim_census c;
	int tries = lab_forgets(lab) ? 20 : 1;

	while (tries--) {
		if (lab_census(lab, pasid, &c))
			return false;
		if (c.pasid_cache && (flags ? c.dev_tlb : c.iotlb))
			return true;
		peek_proc(lab, pasid, flags);
	}
	return false;
}

TEST_F(dma, goes_through_both_stages)
{
	__u64 from = 0x0000123456789000ULL, to = 0x0000000000400000ULL;
	__u32 len = 16 * GVM_SZ_4K, at;
	char *a, *b;
	__u64 gpa;

	for (at = 0; at < len; at += GVM_SZ_4K) {
		gpa = gvm_ram_alloc_page(&self->b.vm.ram);
		ASSERT_EQ(0, gvm_pt_map(&self->p.pt, from + len - GVM_SZ_4K - at,
					gpa, GVM_SZ_4K, GVM_SZ_4K, GVM_PT_RW));
		memset(gvm_ram_ptr(&self->b.vm.ram, gpa, GVM_SZ_4K),
		       at >> 12 | 0x80, GVM_SZ_4K);
		gpa = gvm_ram_alloc_page(&self->b.vm.ram);
		ASSERT_EQ(0, gvm_pt_map(&self->p.pt, to + at, gpa, GVM_SZ_4K,
					GVM_SZ_4K, GVM_PT_RW));
	}
	ASSERT_EQ(VTDSIM_DONE, lab_copy(self->lab, 0, self->h, variant->flags,
					to, from, len));
	for (at = 0; at < len; at += GVM_SZ_4K) {
		ASSERT_EQ(0, gvm_pt_translate(&self->p.pt, from + at, &gpa));
		a = gvm_ram_ptr(&self->b.vm.ram, gpa, GVM_SZ_4K);
		ASSERT_EQ(0, gvm_pt_translate(&self->p.pt, to + at, &gpa));
		b = gvm_ram_ptr(&self->b.vm.ram, gpa, GVM_SZ_4K);
		EXPECT_EQ(0, memcmp(a, b, GVM_SZ_4K));
		EXPECT_EQ((char)(0x8f - (at >> 12)), *b);
	}
}

TEST_F(dma, of_each_pasid_sees_its_own_process)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->q.pt, 0x102, &h));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, h, variant->flags));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	EXPECT_EQ(77, poke(self->lab, h, variant->flags, PROC_VA + 8, 77));
	EXPECT_EQ(77, self->q.mem[1]);
	EXPECT_EQ(0, self->p.mem[1]);
}

TEST_F(dma, honours_the_guests_permissions)
{
	__u64 va = PROC_VA + GVM_SZ_2M, res;

	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, self->p.page, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RO));
	EXPECT_EQ(TAG(1), peek(self->lab, self->h, variant->flags, va));
	res = poke(self->lab, self->h, variant->flags, va, 1);
	EXPECT_EQ(variant->flags ? DENIED : FAULT(LAB_R_WRITE), res);
	EXPECT_EQ(TAG(1), *self->p.mem);
	res = peek(self->lab, self->h, variant->flags, va + GVM_SZ_4K);
	EXPECT_EQ(variant->flags ? DENIED : FAULT(LAB_R_FS_NOT_PRESENT), res);
}

TEST_F(dma, sets_accessed_and_dirty_in_the_guests_table)
{
	__u64 *leaf = gvm_pt_leaf(&self->p.pt, PROC_VA, NULL);

	ASSERT_NE(NULL, leaf);
	EXPECT_EQ(GVM_PT_A, *leaf & GVM_PT_A);
	EXPECT_EQ(5, poke(self->lab, self->h, variant->flags, PROC_VA, 5));
	EXPECT_EQ(GVM_PT_D, *leaf & GVM_PT_D);
}

TEST_F(dma, after_unbind_fails_with_the_specified_reason)
{
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_TRUE(refused(peek_proc(self->lab, self->h, variant->flags)));
	EXPECT_EQ(FAULT(LAB_R_PASID_NOT_PRESENT),
		  peek_proc(self->lab, self->h, 0));
	EXPECT_TRUE(refused(poke(self->lab, self->h, variant->flags, PROC_VA, 9)));
	EXPECT_EQ(TAG(1), *self->p.mem);
}

TEST_F(dma, leaves_nothing_in_any_cache_after_unbind)
{
	struct vtdsim_census c;

	ASSERT_TRUE(is_cached(self->lab, self->h, variant->flags));
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	ASSERT_EQ(0, lab_census(self->lab, self->h, &c));
	EXPECT_EQ(0, c.present);
	EXPECT_EQ(0, c.nonzero);
	EXPECT_EQ(0, c.pasid_cache);
	EXPECT_EQ(0, c.iotlb);
	EXPECT_EQ(0, c.paging_cache);
	EXPECT_EQ(0, c.dev_tlb);
}

TEST_F(dma, by_a_pasid_bound_anew_uses_the_new_table)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x200, &h));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, h, variant->flags));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, h, 0));
	ASSERT_EQ(0, gvm_unbind(self->dev, h));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->q.pt, 0x200, NULL));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, h, variant->flags));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, h, 0));
}

TEST_F(dma, by_a_number_given_out_again_uses_the_new_table)
{
	struct iommu_gpasid_alloc a = {
		.size = sizeof(a),
		.min = 0x5000,
		.max = 0x5000,
	};
	int i;

	for (i = 0; i < 4; i++) {
		struct process *p = i % 2 ? &self->q : &self->p;

		ASSERT_EQ(0, gvm_ioctl(self->b.vm.iommufd, IOMMU_GPASID_ALLOC,
				       &a));
		ASSERT_EQ(0, gvm_bind_identity(self->dev, &p->pt, 0x5000));
		EXPECT_EQ(TAG(1 + i % 2),
			  peek_proc(self->lab, 0x5000, variant->flags));
		ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, 0x5000));
		EXPECT_TRUE(nothing_left(self->lab, 0x5000));
		EXPECT_TRUE(refused(peek_proc(self->lab, 0x5000,
					      variant->flags)));
	}
}

TEST_F(dma, of_others_goes_on_over_an_unbind)
{
	struct vtdsim_census c;
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->q.pt, 0x102, &h));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, h, variant->flags));
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	ASSERT_EQ(0, lab_census(self->lab, h, &c));
	EXPECT_EQ(1, c.present);
	EXPECT_EQ(TAG(2), peek_proc(self->lab, h, variant->flags));
}

TEST_F(dma, free_takes_the_binding_down)
{
	__u32 got;

	ASSERT_TRUE(is_cached(self->lab, self->h, variant->flags));
	ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, self->h));
	EXPECT_TRUE(nothing_left(self->lab, self->h));
	EXPECT_TRUE(refused(peek_proc(self->lab, self->h, variant->flags)));
	EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, self->h));
	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->b.vm, 0x101, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_free(&self->b.vm, self->h));
}

TEST_F(dma, without_pasid_goes_by_the_second_stage_alone)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = variant->flags,
		.addr = self->p.page,
		.len = 8,
	};

	ASSERT_EQ(VTDSIM_DONE, lab_run(self->lab, 0, &d));
	EXPECT_EQ(TAG(1), *(__u64 *)lab_local(self->lab, 0));
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	ASSERT_EQ(VTDSIM_DONE, lab_run(self->lab, 0, &d));
}

/* ---- the second stage changes under a binding ---------------------------------- */

/* A guest page outside of RAM, mapped by @p at @va, backed by @mem. */
static int plug_page(struct gvm *vm, struct process *p, __u64 va, void *mem)
{
	int rc = gvm_map(vm, HOTPLUG_GPA, mem, GVM_SZ_4K, GVM_MAP_RW);

	if (rc)
		return rc;
	return gvm_pt_map(&p->pt, va, HOTPLUG_GPA, GVM_SZ_4K, GVM_SZ_4K,
			  GVM_PT_RW);
}

TEST_F(dma, does_not_reach_a_page_that_left_the_second_stage)
{
	__u64 va = PROC_VA + GVM_SZ_1G, res;

	ASSERT_EQ(0, plug_page(&self->b.vm, &self->p, va, self->q.mem));
	EXPECT_EQ(TAG(2), peek(self->lab, self->h, variant->flags, va));
	ASSERT_EQ(0, gvm_unmap(&self->b.vm, HOTPLUG_GPA, GVM_SZ_4K));
	res = peek(self->lab, self->h, variant->flags, va);
	EXPECT_TRUE(refused(res)) TH_LOG("result %llx", res);
	EXPECT_TRUE(refused(poke(self->lab, self->h, variant->flags, va, 3)));
	EXPECT_EQ(TAG(2), *self->q.mem);
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
}

TEST_F(dma, follows_a_page_that_moves_in_the_second_stage)
{
	__u64 va = PROC_VA + GVM_SZ_1G;

	ASSERT_EQ(0, plug_page(&self->b.vm, &self->p, va, self->q.mem));
	EXPECT_EQ(TAG(2), peek(self->lab, self->h, variant->flags, va));
	ASSERT_EQ(0, gvm_unmap(&self->b.vm, HOTPLUG_GPA, GVM_SZ_4K));
	ASSERT_EQ(0, gvm_map(&self->b.vm, HOTPLUG_GPA, self->p.mem, GVM_SZ_4K,
			     GVM_MAP_RW));
	EXPECT_EQ(TAG(1), peek(self->lab, self->h, variant->flags, va));
}

TEST_F(dma, does_not_walk_a_table_that_left_the_second_stage)
{
	struct gvm_ram *ram = &self->b.vm.ram;
	__u64 va = 1ULL << 46;
	struct process p = self->p;
	__u32 h;

	/* The same root once more, where it can be unplugged. */
	ASSERT_EQ(0, gvm_map(&self->b.vm, HOTPLUG_GPA,
			     gvm_ram_ptr(ram, self->p.pt.root, GVM_SZ_4K),
			     GVM_SZ_4K, GVM_MAP_RW));
	p.pt.root = HOTPLUG_GPA;
	ASSERT_EQ(0, gvm_bind(self->dev, &p.pt, 0x102, &h));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, h, variant->flags));
	ASSERT_EQ(0, gvm_unmap(&self->b.vm, HOTPLUG_GPA, GVM_SZ_4K));
	EXPECT_TRUE(refused(peek_proc(self->lab, h, variant->flags)));
	EXPECT_TRUE(refused(peek(self->lab, h, variant->flags, va)));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
}

TEST_F(dma, cannot_write_what_the_second_stage_maps_read_only)
{
	__u64 va = PROC_VA + GVM_SZ_1G;
	__u64 *page;

	page = gvm_ram_ptr(&self->b.vm.ram, self->q.page, GVM_SZ_4K);
	if (self->b.info[0].out_errata & GPASID_ERRATA_772415) {
		/* No such mapping may stand under a nested entry. */
		EXPECT_EQ(-EINVAL, gvm_map(&self->b.vm, HOTPLUG_GPA, page,
					   GVM_SZ_4K, GVM_MAP_READ));
		return;
	}
	ASSERT_EQ(0, gvm_map(&self->b.vm, HOTPLUG_GPA, page, GVM_SZ_4K,
			     GVM_MAP_READ));
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, HOTPLUG_GPA, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW));
	EXPECT_EQ(TAG(2), peek(self->lab, self->h, variant->flags, va));
	EXPECT_TRUE(refused(poke(self->lab, self->h, variant->flags, va, 3)));
	EXPECT_EQ(TAG(2), *page);
}

/* ---- the guest's invalidations ------------------------------------------------------ */

TEST_F(dma, uses_a_moved_page_after_the_guests_page_invalidation)
{
	ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, self->q.page));
	EXPECT_TRUE(may_be_outdated(self->lab,
				    peek_proc(self->lab, self->h,
					      variant->flags),
				    TAG(1), TAG(2)));
	ASSERT_EQ(0, gvm_invalidate_range(&self->b.vm, 0x101, PROC_VA, 1, true));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, self->h, variant->flags));
}

TEST_F(dma, uses_a_moved_page_after_the_guests_pasid_invalidation)
{
	ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, self->q.page));
	EXPECT_TRUE(may_be_outdated(self->lab,
				    peek_proc(self->lab, self->h,
					      variant->flags),
				    TAG(1), TAG(2)));
	ASSERT_EQ(0, gvm_invalidate_pasid(&self->b.vm, 0x101));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, self->h, variant->flags));
}

TEST_F(dma, uses_moved_tables_after_an_invalidation_of_all_levels)
{
	struct process r;
	__u64 *top, *other;

	/* Another table hangs under the same root entry of the process. */
	ASSERT_EQ(0, bench_process(&self->b, &r, 3));
	top = gvm_ram_ptr(&self->b.vm.ram, self->p.pt.root, GVM_SZ_4K);
	other = gvm_ram_ptr(&self->b.vm.ram, r.pt.root, GVM_SZ_4K);
	top[PROC_VA >> 39 & 0x1ff] = other[PROC_VA >> 39 & 0x1ff];
	ASSERT_EQ(0, gvm_invalidate_range(&self->b.vm, 0x101, PROC_VA, 1, false));
	EXPECT_EQ(TAG(3), peek_proc(self->lab, self->h, variant->flags));
}

TEST_F(dma, never_covers_less_than_the_range_asked)
{
	static const struct {
		__u64 first, npages;
	} range[] = {
		{ 0, 1 }, { 1, 1 }, { 3, 1 }, { 1, 2 }, { 3, 2 }, { 2, 3 },
		{ 5, 6 }, { 7, 2 }, { 1, 14 }, { 0, 16 }, { 15, 1 }, { 7, 9 },
	};
	__u64 va = PROC_VA + GVM_SZ_1G, gpa[2][16];
	unsigned int i, j, now = 0;

	for (i = 0; i < 32; i++) {
		gpa[i / 16][i % 16] = gvm_ram_alloc_page(&self->b.vm.ram);
		*(__u64 *)gvm_ram_ptr(&self->b.vm.ram, gpa[i / 16][i % 16], 8) =
			TAG(i);
	}
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va + i * GVM_SZ_4K,
					gpa[0][i], GVM_SZ_4K, GVM_SZ_4K,
					GVM_PT_RW));
	for (i = 0; i < sizeof(range) / sizeof(*range); i++) {
		for (j = 0; j < 16; j++)
			peek(self->lab, self->h, variant->flags,
			     va + j * GVM_SZ_4K);
		now ^= 1;
		for (j = 0; j < 16; j++)
			gvm_pt_move(&self->p.pt, va + j * GVM_SZ_4K,
				    gpa[now][j]);
		ASSERT_EQ(0, gvm_invalidate_range(&self->b.vm, 0x101,
						  va + range[i].first * GVM_SZ_4K,
						  range[i].npages, true));
		for (j = 0; j < range[i].npages; j++)
			EXPECT_EQ(TAG(now * 16 + range[i].first + j),
				  peek(self->lab, self->h, variant->flags,
				       va + (range[i].first + j) * GVM_SZ_4K))
				TH_LOG("range %u, page %u", i, j);
		ASSERT_EQ(0, gvm_invalidate_pasid(&self->b.vm, 0x101));
	}
}

/* ---- what the hardware sees -------------------------------------------------------------- */

FIXTURE(entry)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p;
	struct vtdsim_explain e;
};

FIXTURE_SETUP(entry)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
}

FIXTURE_TEARDOWN(entry)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

TEST_F(entry, is_nested_on_the_parents_table_and_domain)
{
	struct vtdsim_explain rid;
	__u64 *w = self->e.pasid_entry;
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &h));
	ASSERT_EQ(0, lab_explain(self->lab, h, PROC_VA, &self->e));
	ASSERT_EQ(0, lab_explain(self->lab, 0, self->p.page, &rid));
	EXPECT_EQ(1, w[0] & 0x3);		/* present, faults reported */
	EXPECT_EQ(3, w[0] >> 6 & 7);		/* nested */
	EXPECT_EQ(0, w[0] >> 5 & 1);
	EXPECT_EQ(0, w[0] >> 10 & 3);
	EXPECT_EQ(rid.pasid_entry[0] & ENTRY_ADDR, w[0] & ENTRY_ADDR);
	EXPECT_EQ(rid.pasid_entry[0] >> 2 & 7, w[0] >> 2 & 7);	/* AW */
	EXPECT_EQ(rid.pasid_entry[1] & 0xffff, w[1] & 0xffff);	/* DID */
	EXPECT_EQ(self->p.pt.root, w[2] & ENTRY_ADDR);
	EXPECT_EQ(0, w[2] & 0xfff);		/* 4 levels, no SRE, WPE, EAFE */
	EXPECT_EQ(0, w[3] | w[4] | w[5] | w[6] | w[7]);
	EXPECT_EQ(0, self->e.reason);
	EXPECT_EQ(self->p.page, self->e.gpa);
}

TEST_F(entry, snoops_page_walks_and_pages_where_the_unit_can)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &h));
	ASSERT_EQ(0, lab_explain(self->lab, h, PROC_VA, &self->e));
	/* PWSNP as ECAP.SMPWC; PGSNP, as VFIO enforces coherency by ECAP.SC. */
	EXPECT_EQ(self->b.ecap[0] >> 48 & 1,
		  self->e.pasid_entry[1] >> 23 & 1);
	EXPECT_EQ(self->b.ecap[0] >> 7 & 1,
		  self->e.pasid_entry[1] >> 24 & 1);
}

TEST_F(entry, shares_one_domain_id_among_all_bindings)
{
	__u64 did;
	__u32 h[8];
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101 + i, &h[i]));
	did = entry_word(self->lab, h[0], 1) & 0xffff;
	for (i = 1; i < 8; i++)
		EXPECT_EQ(did, entry_word(self->lab, h[i], 1) & 0xffff);
}

TEST_F(entry, is_all_zero_after_unbind)
{
	struct vtdsim_census c;
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &h));
	EXPECT_TRUE(entry_present(self->lab, h));
	ASSERT_EQ(0, lab_census(self->lab, h, &c));
	EXPECT_EQ(1, c.nested);
	EXPECT_EQ(1, c.nonzero);
	ASSERT_EQ(0, gvm_unbind(self->dev, h));
	EXPECT_FALSE(entry_present(self->lab, h));
	ASSERT_EQ(0, lab_census(self->lab, h, &c));
	EXPECT_EQ(0, c.nested);
	EXPECT_EQ(0, c.nonzero);
}

TEST_F(entry, walks_five_levels_for_a_57_bit_table)
{
	__u64 va = 0x00ab000000000000ULL;
	struct process p;
	__u32 h;

	ASSERT_EQ(0, bench_process_levels(&self->b, &p, 5, 5));
	if (!(self->b.info[0].out_addr_widths & 2)) {
		EXPECT_EQ(-EOPNOTSUPP, gvm_bind(self->dev, &p.pt, 0x101, &h));
		EXPECT_TRUE(nothing_left(self->lab, 0));
		return;
	}
	ASSERT_EQ(0, gvm_pt_map(&p.pt, va, p.page, GVM_SZ_4K, GVM_SZ_4K,
				GVM_PT_RW));
	ASSERT_EQ(0, gvm_bind(self->dev, &p.pt, 0x101, &h));
	EXPECT_EQ(1, entry_word(self->lab, h, 2) >> 2 & 3);
	EXPECT_EQ(TAG(5), peek(self->lab, h, 0, va));
	EXPECT_EQ(TAG(5), peek_proc(self->lab, h, 0));
	EXPECT_EQ(FAULT(LAB_R_NOT_CANONICAL), peek(self->lab, h, 0, 1ULL << 57));
}

TEST_F(entry, refuses_addresses_beyond_a_48_bit_table)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &h));
	EXPECT_EQ(FAULT(LAB_R_NOT_CANONICAL), peek(self->lab, h, 0, 1ULL << 47));
}

static int bind_flags(struct gvm_dev *dev, struct process *p, __u32 gpasid,
		      __u64 vtd_flags, __u32 *h)
{
	struct vfio_device_gpasid_bind args = {
		.flags = VFIO_GPASID_BIND_GPASID,
		.addr_width = 48,
		.gpasid = gpasid,
		.pgtbl = p->pt.root,
		.vtd_flags = vtd_flags,
	};
	int rc = gvm_pasid_alloc_identity(dev->vm, gpasid);

	rc = rc ? rc : gvm_bind_args(dev, &args);
	*h = args.hpasid;
	return rc;
}

TEST_F(entry, takes_supervisor_requests_only_with_sre)
{
	__u64 va = PROC_VA + GVM_SZ_2M;
	__u32 user, super;

	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, self->p.page, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_W));
	ASSERT_EQ(0, bind_flags(self->dev, &self->p, 0x101, 0, &user));
	EXPECT_EQ(FAULT(LAB_R_USER), peek(self->lab, user, 0, va));
	EXPECT_EQ(FAULT(LAB_R_SRE_CLEAR),
		  peek(self->lab, user, VTDSIM_F_PRIV, va));
	if (!(self->b.info[0].out_vtd_flags & GPASID_VTD_SRE)) {
		EXPECT_EQ(-EOPNOTSUPP, bind_flags(self->dev, &self->p, 0x102,
						  GPASID_VTD_SRE, &super));
		return;
	}
	ASSERT_EQ(0, bind_flags(self->dev, &self->p, 0x102, GPASID_VTD_SRE,
				&super));
	EXPECT_EQ(1, entry_word(self->lab, super, 2) & 1);
	EXPECT_EQ(TAG(1), peek(self->lab, super, VTDSIM_F_PRIV, va));
	EXPECT_EQ(FAULT(LAB_R_USER), peek(self->lab, super, 0, va));
}

TEST_F(entry, keeps_supervisor_writes_off_read_only_pages_with_wpe)
{
	__u64 va = PROC_VA + GVM_SZ_2M;
	__u64 flags = GPASID_VTD_SRE | GPASID_VTD_WPE;
	__u32 with, without;

	if (!(self->b.info[0].out_vtd_flags & GPASID_VTD_WPE)) {
		EXPECT_EQ(-EOPNOTSUPP, bind_flags(self->dev, &self->p, 0x101,
						  flags, &with));
		return;
	}
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, self->p.page, GVM_SZ_4K,
				GVM_SZ_4K, 0));
	ASSERT_EQ(0, bind_flags(self->dev, &self->p, 0x101, flags, &with));
	ASSERT_EQ(0, bind_flags(self->dev, &self->p, 0x102, GPASID_VTD_SRE,
				&without));
	EXPECT_EQ(1, entry_word(self->lab, with, 2) >> 4 & 1);
	EXPECT_EQ(FAULT(LAB_R_WRITE),
		  poke(self->lab, with, VTDSIM_F_PRIV, va, 8));
	EXPECT_EQ(TAG(1), *self->p.mem);
	EXPECT_EQ(8, poke(self->lab, without, VTDSIM_F_PRIV, va, 8));
}

/* There is no flag to ask for execution by: the guest's XD bit stands alone. */
TEST_F(entry, takes_no_requests_to_execute)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &h));
	EXPECT_EQ(FAULT(LAB_R_ERE_CLEAR),
		  peek_proc(self->lab, h, VTDSIM_F_EXEC));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, h, 0));
}

TEST_F(entry, sets_extended_accessed_only_with_eafe)
{
	__u64 *leaf = gvm_pt_leaf(&self->p.pt, PROC_VA, NULL);
	__u32 with, without;

	ASSERT_EQ(0, bind_flags(self->dev, &self->p, 0x102, 0, &without));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, without, 0));
	EXPECT_EQ(0, *leaf & GVM_PT_EA);
	if (!(self->b.info[0].out_vtd_flags & GPASID_VTD_EAFE)) {
		EXPECT_EQ(-EOPNOTSUPP, bind_flags(self->dev, &self->p, 0x101,
						  GPASID_VTD_EAFE, &with));
		return;
	}
	ASSERT_EQ(0, bind_flags(self->dev, &self->p, 0x101, GPASID_VTD_EAFE,
				&with));
	EXPECT_EQ(1, entry_word(self->lab, with, 2) >> 7 & 1);
	EXPECT_EQ(TAG(1), peek_proc(self->lab, with, 0));
	EXPECT_EQ(GVM_PT_EA, *leaf & GVM_PT_EA);
}

TEST_F(entry, serves_large_guest_pages)
{
	__u64 page = gvm_ram_alloc(&self->b.vm.ram, GVM_SZ_2M, GVM_SZ_2M);
	__u64 va = PROC_VA + GVM_SZ_1G;
	__u64 *last;
	__u32 h;

	ASSERT_NE(0, page);
	last = gvm_ram_ptr(&self->b.vm.ram, page + GVM_SZ_2M - 8, 8);
	*last = TAG(9);
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, page, GVM_SZ_2M, GVM_SZ_2M,
				GVM_PT_RW));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &h));
	EXPECT_EQ(TAG(9), peek(self->lab, h, 0, va + GVM_SZ_2M - 8));
	EXPECT_EQ(FAULT(LAB_R_FS_NOT_PRESENT),
		  peek(self->lab, h, 0, va + GVM_SZ_2M));
}

/* ---- what a bind accepts ------------------------------------------------------------------ */

FIXTURE(args)
{
	struct bench b;
	struct gvm_dev *dev;
	struct process p, q;
	struct vfio_device_gpasid_bind arg;
};

FIXTURE_SETUP(args)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	self->dev = &self->b.dev[0];
	self->arg.flags = VFIO_GPASID_BIND_GPASID;
	self->arg.addr_width = 48;
	self->arg.gpasid = 0x101;
	self->arg.pgtbl = self->p.pt.root;
	/* What a test asks for is all that its bind can fail for. */
	ASSERT_EQ(0, gvm_pasid_alloc_identity(&self->b.vm, 0x101));
}

FIXTURE_TEARDOWN(args)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

/* How many PASIDs the device has bound and the context has allocated. */
static void state_is(struct __test_metadata *_metadata, struct gvm_dev *dev,
		     __u32 bound, __u32 allocated)
{
	struct vfio_device_gpasid_info info;
	__u32 got = ~0U, pending = ~0U;

	ASSERT_EQ(0, gvm_dev_info(dev, &info));
	EXPECT_EQ(bound, info.out_bound);
	ASSERT_EQ(0, gvm_quota_get(dev->vm, NULL, &got, &pending));
	EXPECT_EQ(allocated, got);
	EXPECT_EQ(0, pending);
}

/* The bind fails with @err and changes nothing. */
#define EXPECT_REFUSED(err, arg) do {					\
	EXPECT_EQ(err, gvm_bind_args(self->dev, arg));			\
	EXPECT_TRUE(nothing_left(&self->b.lab[0], 0));			\
	state_is(_metadata, self->dev, 0, 1);				\
} while (0)

TEST_F(args, format_must_be_known)
{
	struct vfio_device_gpasid_bind arg = self->arg;
	__u32 format[] = { 0, 2, 3, ~0U };
	int i;

	arg.argsz = sizeof(arg);
	for (i = 0; i < 4; i++) {
		arg.format = format[i];
		EXPECT_EQ(-EINVAL, gvm_ioctl(self->dev->fd,
					     VFIO_DEVICE_GPASID_BIND, &arg));
	}
	state_is(_metadata, self->dev, 0, 1);
}

TEST_F(args, address_width_must_be_48_or_57)
{
	__u32 width[] = { 0, 39, 47, 49, 56, 58, 64, ~0U };
	int i;

	for (i = 0; i < 8; i++) {
		self->arg.addr_width = width[i];
		EXPECT_REFUSED(-EINVAL, &self->arg);
	}
}

TEST_F(args, table_must_be_aligned_to_a_page)
{
	__u64 low[] = { 1, 8, 0x10, 0x800, 0xfff };
	int i;

	for (i = 0; i < 5; i++) {
		self->arg.pgtbl = self->p.pt.root | low[i];
		EXPECT_REFUSED(-EINVAL, &self->arg);
	}
}

TEST_F(args, table_must_be_inside_the_guest_physical_width)
{
	__u64 addr[] = { 1ULL << 57, 1ULL << 52, 1ULL << 63, ~0xfffULL };
	int i;

	for (i = 0; i < 4; i++) {
		self->arg.pgtbl = addr[i];
		EXPECT_REFUSED(-EINVAL, &self->arg);
	}
}

TEST_F(args, vtd_flags_must_be_known)
{
	int bit;

	for (bit = 3; bit < 64; bit++) {
		self->arg.vtd_flags = 1ULL << bit;
		EXPECT_REFUSED(-EINVAL, &self->arg);
	}
}

TEST_F(args, write_protection_needs_supervisor_requests)
{
	self->arg.vtd_flags = GPASID_VTD_WPE;
	EXPECT_REFUSED(-EINVAL, &self->arg);
}

TEST_F(args, guest_pasid_has_20_bits_and_is_not_0)
{
	__u32 gpasid[] = { 0, 1 << 20, ~0U };
	int i;

	for (i = 0; i < 3; i++) {
		self->arg.gpasid = gpasid[i];
		EXPECT_REFUSED(-EINVAL, &self->arg);
	}
}

TEST_F(args, a_guest_pasid_without_its_flag_is_refused)
{
	self->arg.flags = 0;
	self->arg.hpasid = 0x101;
	EXPECT_REFUSED(-EINVAL, &self->arg);
	self->arg.gpasid = 0;
	EXPECT_EQ(0, gvm_bind_args(self->dev, &self->arg));
}

TEST_F(args, a_bind_names_a_pasid)
{
	self->arg.flags = 0;
	self->arg.gpasid = 0;
	EXPECT_REFUSED(-EINVAL, &self->arg);
}

TEST_F(args, flags_must_be_known_and_reserved_fields_0)
{
	int bit;

	for (bit = 2; bit < 32; bit++) {
		self->arg.flags = VFIO_GPASID_BIND_GPASID | 1U << bit;
		EXPECT_REFUSED(-EINVAL, &self->arg);
	}
	self->arg.flags = VFIO_GPASID_BIND_GPASID;
	self->arg.__reserved = 1;
	EXPECT_REFUSED(-EINVAL, &self->arg);
}

TEST_F(args, host_pasid_must_be_of_this_context)
{
	struct gvm other;

	ASSERT_EQ(0, gvm_open(&other, RAM_GPA, GVM_SZ_4K, 0));
	ASSERT_EQ(0, gvm_pasid_alloc_identity(&other, 0x4444));
	self->arg.gpasid = 0x4444;
	EXPECT_REFUSED(-ENOENT, &self->arg);
	self->arg.flags = 0;
	self->arg.gpasid = 0;
	self->arg.hpasid = 0x4444;
	EXPECT_REFUSED(-ENOENT, &self->arg);
	gvm_close(&other);
}

TEST_F(args, host_pasid_is_limited_by_the_device)
{
	self->arg.flags = 0;
	self->arg.gpasid = 0;
	self->arg.hpasid = 1U << self->b.info[0].out_pasid_bits;
	EXPECT_REFUSED(-EINVAL, &self->arg);
	self->arg.hpasid = ~0U;
	EXPECT_REFUSED(-EINVAL, &self->arg);
}

TEST_F(args, a_bind_allocates_nothing)
{
	__u32 h;

	self->arg.gpasid = 0x102;
	EXPECT_REFUSED(-ENOENT, &self->arg);
	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->b.vm, 0x102, &h));
	EXPECT_EQ(-ENOENT, gvm_pasid_free(&self->b.vm, 0x102));
}

TEST_F(args, a_second_bind_of_the_same_pasid_is_busy)
{
	struct vfio_device_gpasid_bind again = self->arg;

	ASSERT_EQ(0, gvm_bind_args(self->dev, &self->arg));
	EXPECT_EQ(-EBUSY, gvm_bind_args(self->dev, &again));
	again.hpasid = self->arg.hpasid;
	EXPECT_EQ(-EBUSY, gvm_bind_args(self->dev, &again));
	again.pgtbl = self->q.pt.root;
	EXPECT_EQ(-EBUSY, gvm_bind_args(self->dev, &again));
	again.flags = 0;
	again.gpasid = 0;
	EXPECT_EQ(-EBUSY, gvm_bind_args(self->dev, &again));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[0], self->arg.hpasid, 0));
	state_is(_metadata, self->dev, 1, 1);
}

/* Nobody translates what the guest writes into a physical device. */
TEST_F(args, a_guest_pasid_is_its_host_pasid)
{
	__u32 h;

	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h));
	ASSERT_NE(0x101, h);
	self->arg.hpasid = h;
	EXPECT_EQ(-EINVAL, gvm_bind_args(self->dev, &self->arg));
	EXPECT_FALSE(entry_present(&self->b.lab[0], h));
	EXPECT_FALSE(entry_present(&self->b.lab[0], 0x101));
	self->arg.hpasid = 0x101;
	EXPECT_EQ(0, gvm_bind_args(self->dev, &self->arg));
}

TEST_F(args, a_host_pasid_that_is_mapped_cannot_be_bound)
{
	__u32 h, g = 0;

	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->b.vm, 0x300, &h));
	ASSERT_NE(0x300, h);
	EXPECT_EQ(-EINVAL, gvm_bind_identity(self->dev, &self->p.pt, h));
	self->arg.hpasid = h;
	self->arg.gpasid = h;
	EXPECT_EQ(-EINVAL, gvm_bind_args(self->dev, &self->arg));
	self->arg.gpasid = 0x300;
	EXPECT_EQ(-EINVAL, gvm_bind_args(self->dev, &self->arg));
	/* That number as a host PASID is somebody else's, or nobody's. */
	self->arg.hpasid = 0;
	EXPECT_EQ(-ENOENT, gvm_bind_args(self->dev, &self->arg));
	EXPECT_TRUE(nothing_left(&self->b.lab[0], 0));
	ASSERT_EQ(0, gvm_pasid_h2g(&self->b.vm, h, &g));
	EXPECT_EQ(0x300, g);
}

TEST_F(args, a_bind_gives_a_host_pasid_no_guest_pasid)
{
	__u32 h, got;

	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h));
	self->arg.gpasid = h;
	ASSERT_EQ(0, gvm_bind_args(self->dev, &self->arg));
	EXPECT_EQ(h, self->arg.hpasid);
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[0], h, 0));
	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->b.vm, h, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_h2g(&self->b.vm, h, &got));
	ASSERT_EQ(0, gvm_unbind_guest(self->dev, h));
	state_is(_metadata, self->dev, 0, 2);
}

TEST_F(args, a_bind_by_guest_pasid_uses_the_host_pasid_of_that_number)
{
	ASSERT_EQ(0, gvm_bind_args(self->dev, &self->arg));
	EXPECT_EQ(0x101, self->arg.hpasid);
	EXPECT_TRUE(entry_present(&self->b.lab[0], 0x101));
	state_is(_metadata, self->dev, 1, 1);
}

TEST_F(args, a_host_pasid_outlives_its_binding)
{
	__u32 got = 0;

	ASSERT_EQ(0, gvm_bind_args(self->dev, &self->arg));
	state_is(_metadata, self->dev, 1, 1);
	ASSERT_EQ(0, gvm_unbind(self->dev, 0x101));
	state_is(_metadata, self->dev, 0, 1);
	EXPECT_EQ(0, gvm_pasid_g2h(&self->b.vm, 0x101, &got));
	EXPECT_EQ(0x101, got);
	EXPECT_EQ(0, gvm_pasid_free(&self->b.vm, 0x101));
	state_is(_metadata, self->dev, 0, 0);
}

TEST_F(args, unbind_by_guest_and_by_host_pasid_is_the_same)
{
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, gvm_bind_args(self->dev, &self->arg));
		EXPECT_EQ(-ENOENT, gvm_unbind_guest(self->dev, 0x102));
		EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, 0x102));
		EXPECT_EQ(0, i ? gvm_unbind(self->dev, 0x101) :
				 gvm_unbind_guest(self->dev, 0x101));
		EXPECT_TRUE(nothing_left(&self->b.lab[0], 0));
		EXPECT_EQ(-ENOENT, gvm_unbind_guest(self->dev, 0x101));
		EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, 0x101));
	}
}

TEST_F(args, unbind_of_what_is_not_bound_fails)
{
	__u32 h;

	EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, 0));
	EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, 0x4444));
	EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, ~0U));
	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h));
	EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, h));
	ASSERT_EQ(0, gvm_bind_identity(self->dev, &self->p.pt, h));
	EXPECT_EQ(0, gvm_unbind(self->dev, h));
	EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, h));
}

TEST_F(args, info_counts_what_is_bound)
{
	__u32 h[3];
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, i + 1, &h[i]));
	state_is(_metadata, self->dev, 3, 4);
	ASSERT_EQ(0, gvm_unbind(self->dev, h[1]));
	state_is(_metadata, self->dev, 2, 4);
}

TEST_F(args, a_device_that_is_not_attached_is_refused)
{
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	EXPECT_EQ(-ENODEV, gvm_bind_args(self->dev, &self->arg));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->b.vm.ioas));
	EXPECT_EQ(-ENODEV, gvm_bind_args(self->dev, &self->arg));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->b.vm.parent));
	EXPECT_EQ(0, gvm_bind_args(self->dev, &self->arg));
}

/* ---- invalidation arrays -------------------------------------------------------------------- */

FIXTURE(invalidate)
{
	struct bench b;
	struct gvm_dev *dev;
	struct process p;
	__u32 h;
	struct vtdsim_counters before;
};

FIXTURE_SETUP(invalidate)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	self->dev = &self->b.dev[0];
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[0], self->h, 0));
	ASSERT_EQ(0, lab_counters(&self->b.lab[0], &self->before));
}

FIXTURE_TEARDOWN(invalidate)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

/* One entry that must be refused, without a descriptor. */
#define EXPECT_INV_REFUSED(err, entry) do {				\
	struct iommu_gpasid_inv _inv = entry;				\
	struct vtdsim_counters _diff;					\
	__u32 _num = 1;							\
									\
	EXPECT_EQ(err, gvm_invalidate(&self->b.vm, &_inv, &_num));	\
	EXPECT_EQ(0, _num);						\
	ASSERT_EQ(0, since(&self->b.lab[0], &self->before, &_diff));	\
	EXPECT_EQ(0, _diff.u_desc_total);				\
} while (0)

TEST_F(invalidate, ranges_that_make_no_sense_are_refused)
{
	struct iommu_gpasid_inv inv = { .pasid = self->h, .npages = 1 };

	inv.addr = 0x1001;
	EXPECT_INV_REFUSED(-EINVAL, inv);
	inv.addr = 0x1000;
	inv.npages = 0;
	EXPECT_INV_REFUSED(-EINVAL, inv);
	inv.addr = 0xfffffffffffff000ULL;
	inv.npages = 2;
	EXPECT_INV_REFUSED(-EINVAL, inv);
	inv.addr = 0x1000;
	inv.npages = 1ULL << 52;
	EXPECT_INV_REFUSED(-EINVAL, inv);
	inv.npages = ~0ULL;
	EXPECT_INV_REFUSED(-EINVAL, inv);
}

TEST_F(invalidate, flags_must_be_known)
{
	struct iommu_gpasid_inv inv = { .pasid = self->h, .npages = 1 };
	int bit;

	for (bit = 3; bit < 32; bit++) {
		inv.flags = 1U << bit;
		EXPECT_INV_REFUSED(-EINVAL, inv);
	}
}

TEST_F(invalidate, a_whole_pasid_has_no_range)
{
	struct iommu_gpasid_inv inv = {
		.pasid = self->h,
		.flags = IOMMU_GPASID_INV_PASID,
		.npages = 1,
	};

	EXPECT_INV_REFUSED(-EINVAL, inv);
	inv.npages = 0;
	inv.addr = 0x1000;
	EXPECT_INV_REFUSED(-EINVAL, inv);
}

TEST_F(invalidate, a_pasid_must_be_bound)
{
	struct iommu_gpasid_inv inv = { .npages = 1 };
	__u32 h;

	/* Allocated is not bound, whether it has a guest PASID or not. */
	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->b.vm, 0x202, &h));
	inv.pasid = h;
	EXPECT_INV_REFUSED(-ENOENT, inv);
	inv.pasid = 0x4444;
	EXPECT_INV_REFUSED(-ENOENT, inv);
	inv.pasid = 0x202;
	inv.flags = IOMMU_GPASID_INV_BY_GPASID;
	EXPECT_INV_REFUSED(-ENOENT, inv);
	inv.pasid = ~0U;
	EXPECT_INV_REFUSED(-ENOENT, inv);
}

TEST_F(invalidate, an_array_ends_at_the_entry_in_error)
{
	struct iommu_gpasid_inv inv[4] = {
		{ .pasid = self->h, .addr = PROC_VA, .npages = 1 },
		{ .pasid = self->h, .addr = PROC_VA + 0x2000, .npages = 1 },
		{ .pasid = 0x4444, .addr = PROC_VA, .npages = 1 },
		{ .pasid = self->h, .addr = PROC_VA + 0x4000, .npages = 1 },
	};
	struct process q;
	__u32 num = 4;

	/* What stood before the error is done. */
	ASSERT_EQ(0, bench_process(&self->b, &q, 2));
	ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, q.page));
	EXPECT_EQ(-ENOENT, gvm_invalidate(&self->b.vm, inv, &num));
	EXPECT_EQ(2, num);
	EXPECT_EQ(TAG(2), peek_proc(&self->b.lab[0], self->h, 0));
	inv[0].addr = 1;
	num = 4;
	EXPECT_EQ(-EINVAL, gvm_invalidate(&self->b.vm, inv, &num));
	EXPECT_EQ(0, num);
}

TEST_F(invalidate, an_empty_array_does_nothing)
{
	struct vtdsim_counters diff;
	__u32 num = 0;

	EXPECT_EQ(0, gvm_invalidate(&self->b.vm, NULL, &num));
	ASSERT_EQ(0, since(&self->b.lab[0], &self->before, &diff));
	EXPECT_EQ(0, diff.u_desc_total);
}

TEST_F(invalidate, entries_have_a_size_too)
{
	struct {
		struct iommu_gpasid_inv inv;
		__u64 more;
	} entry[2] = {
		{ .inv = { .pasid = self->h, .npages = 1 } },
		{ .inv = { .pasid = self->h, .npages = 1 } },
	};
	struct iommu_gpasid_invalidate cmd = {
		.size = sizeof(cmd),
		.entry_uptr = (uintptr_t)entry,
		.entry_len = sizeof(entry[0]),
		.entry_num = 2,
	};
	int fd = self->b.vm.iommufd;

	EXPECT_EQ(0, gvm_ioctl(fd, IOMMU_GPASID_INVALIDATE, &cmd));
	EXPECT_EQ(2, cmd.entry_num);
	entry[1].more = 1;
	EXPECT_EQ(-E2BIG, gvm_ioctl(fd, IOMMU_GPASID_INVALIDATE, &cmd));
	EXPECT_EQ(1, cmd.entry_num);
	cmd.entry_len = sizeof(struct iommu_gpasid_inv) - 1;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_GPASID_INVALIDATE, &cmd));
	cmd.entry_len = sizeof(struct iommu_gpasid_inv);
	cmd.entry_num = 1;
	cmd.entry_uptr = 8;
	EXPECT_EQ(-EFAULT, gvm_ioctl(fd, IOMMU_GPASID_INVALIDATE, &cmd));
	EXPECT_EQ(0, cmd.entry_num);
}

/* Else one call looks through gigabytes for something that is not zero. */
TEST_F(invalidate, an_entry_is_not_larger_than_a_page)
{
	struct iommu_gpasid_invalidate cmd = { .size = sizeof(cmd) };
	struct iommu_gpasid_inv *inv;

	inv = mmap(NULL, 2 * GVM_SZ_4K, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)inv);
	inv->pasid = self->h;
	inv->npages = 1;
	cmd.entry_uptr = (uintptr_t)inv;
	cmd.entry_num = 1;
	cmd.entry_len = GVM_SZ_4K;
	EXPECT_EQ(0, gvm_ioctl(self->b.vm.iommufd, IOMMU_GPASID_INVALIDATE,
			       &cmd));
	EXPECT_EQ(1, cmd.entry_num);
	cmd.entry_len = GVM_SZ_4K + 1;
	EXPECT_EQ(-E2BIG, gvm_ioctl(self->b.vm.iommufd, IOMMU_GPASID_INVALIDATE,
				    &cmd));
	EXPECT_EQ(0, cmd.entry_num);
	munmap(inv, 2 * GVM_SZ_4K);
}

TEST_F(invalidate, a_long_array_is_done_to_its_end)
{
	static struct iommu_gpasid_inv inv[1000];
	__u32 num = 1000;
	int i;

	for (i = 0; i < 1000; i++) {
		inv[i].pasid = 0x101;
		inv[i].flags = IOMMU_GPASID_INV_BY_GPASID |
			       IOMMU_GPASID_INV_LEAF;
		inv[i].addr = PROC_VA + (999 - i) * 0x2000ULL;
		inv[i].npages = 1;
	}
	ASSERT_EQ(0, gvm_pt_unmap(&self->p.pt, PROC_VA, GVM_SZ_4K));
	EXPECT_TRUE(may_be_outdated(&self->b.lab[0],
				    peek_proc(&self->b.lab[0], self->h, 0),
				    TAG(1), FAULT(LAB_R_FS_NOT_PRESENT)));
	EXPECT_EQ(0, gvm_invalidate(&self->b.vm, inv, &num));
	EXPECT_EQ(1000, num);
	EXPECT_EQ(FAULT(LAB_R_FS_NOT_PRESENT),
		  peek_proc(&self->b.lab[0], self->h, 0));
}

#define NR_LONG		32768
#define TRIES		5

static void long_invalidation(struct gvm *vm, struct iommu_gpasid_inv *inv, int ready)
{
	__u32 num = NR_LONG;

	if (write(ready, "y", 1) == 1)
		gvm_invalidate(vm, inv, &num);
	_exit(0);
}

/*
 * Start it in a child, and kill that after @before; how long it went on, seconds.
 * One that was through before does not count.
 */
static double killed_after(struct gvm *vm, struct iommu_gpasid_inv *inv,
			   double before)
{
	double start = 0;
	int ready[2], status = 0;
	pid_t pid;
	char c;

	if (pipe(ready))
		return 1e9;
	pid = fork();
	if (!pid)
		long_invalidation(vm, inv, ready[1]);
	close(ready[1]);
	if (read(ready[0], &c, 1) == 1) {
		usleep(1e6 * before);
		start = now();
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	close(ready[0]);
	return WIFSIGNALED(status) ? now() - start : 1e9;
}

/* A process of a busy machine may end late, but not each of some. */
TEST_F_TIMEOUT(invalidate, a_killed_process_does_not_go_on, 240)
{
	static struct iommu_gpasid_inv inv[NR_LONG];
	double whole = 1e9, best = 1e9, start, t;
	__u32 num = NR_LONG;
	int i;

	for (i = 0; i < NR_LONG; i++)
		inv[i] = (struct iommu_gpasid_inv){
			.pasid = self->h, .addr = PROC_VA + i * 0x2000ULL, .npages = 1,
		};
	/* The shortest: the first one may have to wait for the unit to wake up. */
	for (i = 0; i < 3; i++) {
		start = now();
		ASSERT_EQ(0, gvm_invalidate(&self->b.vm, inv, &num));
		t = now() - start;
		whole = t < whole ? t : whole;
	}
	for (i = 0; i < TRIES && best > whole / 4; i++) {
		t = killed_after(&self->b.vm, inv, whole / 8);
		best = t < best ? t : best;
	}
	TH_LOG("%.0f ms in all, %.0f ms after a kill", whole * 1e3, best * 1e3);
	EXPECT_LT(best, whole / 4);
}

TEST_HARNESS_MAIN
