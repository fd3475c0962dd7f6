// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device reads by its PASIDs after each call of iommufd's and VFIO's
 * own ABI: attach, replace, detach, invalidate, close.  Passes on an unmodified
 * Linux 7.3, too; see gpasid_upstream.c.
 *
 * 7.3 has a moment without an entry in each replace, in which DMA faults.  So
 * nothing here does DMA while a replace is on.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define PASID		1	/* what every Linux guest begins with */
#define OTHER_PASID	2
#define NO_ID		0x7ffffff0
#define SPARE_GPA	HOTPLUG_GPA

/*
 * One device, two processes, a nested HWPT for each, and each test twice: by
 * untranslated requests, and by ATS.
 */
FIXTURE(hwpt)
{
	struct bench b;
	struct gvm *vm;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, q;
	__u32 hp, hq;
};

FIXTURE_VARIANT(hwpt)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(hwpt, plain)
{
	.flags = 0,
};

FIXTURE_VARIANT_ADD(hwpt, ats)
{
	.flags = VTDSIM_F_ATS,
};

FIXTURE_SETUP(hwpt)
{
	unsigned int width;
	__u64 caps;

	self->vm = &self->b.vm;
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_open(&self->b, GVM_PASID));
	ASSERT_EQ(0, bench_add_vfio(&self->b, EP_1A));
	ASSERT_EQ(0, gvm_dev_pasid_info(self->dev, &width, &caps));
	if (!width)
		SKIP(return, "no PASIDs");
	if (variant->flags && (caps & GVM_HW_CAP_NO_ATS))
		SKIP(return, "no ATS");
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt, GVM_HWPT_PASID,
				     &self->hp));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->q.pt, GVM_HWPT_PASID,
				     &self->hq));
}

FIXTURE_TEARDOWN(hwpt)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

/* A read without PASID. */
static __u64 peek_rid(struct lab_dev *lab, unsigned int flags, __u64 addr)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = flags,
		.addr = addr,
		.len = sizeof(__u64),
	};
	__u64 val;
	int rc = lab_run(lab, 0, &d);

	memcpy(&val, lab_local(lab, 0), sizeof(val));
	if (rc == VTDSIM_FAULT)
		return FAULT(d.reason);
	if (rc == VTDSIM_ATS_DENIED)
		return DENIED;
	return rc == VTDSIM_DONE ? val : OTHER((unsigned int)rc & 0xffff);
}

/* ---- attach and replace -------------------------------------------------- */

TEST_F(hwpt, the_number_on_the_wire_is_the_one_that_was_asked_for)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, 0x1234, self->hq));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, 0x1234, variant->flags));
	EXPECT_TRUE(refused(peek_proc(self->lab, OTHER_PASID, variant->flags)));
	EXPECT_EQ(self->p.pt.root,
		  entry_word(self->lab, PASID, 2) & ~0xfffULL);
}

TEST_F(hwpt, one_hwpt_serves_several_pasids)
{
	__u32 pasid;

	for (pasid = 1; pasid <= 100; pasid++)
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, pasid, self->hp));
	for (pasid = 1; pasid <= 100; pasid++)
		EXPECT_EQ(TAG(1), peek_proc(self->lab, pasid, variant->flags));
}

TEST_F(hwpt, a_second_attach_is_a_replace)
{
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
		EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
		EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, variant->flags));
	}
}

TEST_F(hwpt, a_pasid_can_be_attached_to_the_parent_itself)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->vm->parent));
	EXPECT_EQ(TAG(1), peek(self->lab, PASID, variant->flags, self->p.page));
	EXPECT_EQ(TAG(2), peek(self->lab, PASID, variant->flags, self->q.page));
	EXPECT_TRUE(refused(peek_proc(self->lab, PASID, variant->flags)));
}

TEST_F(hwpt, a_pasid_changes_between_a_table_and_the_parent)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
		EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID,
					      self->vm->parent));
		EXPECT_EQ(TAG(2), peek(self->lab, PASID, variant->flags,
				       self->q.page));
		EXPECT_TRUE(refused(peek_proc(self->lab, PASID,
					      variant->flags)));
	}
}

/* A VMM without a virtual IOMMU: other memory for each PASID. */
TEST_F(hwpt, a_pasid_can_be_attached_to_a_paging_hwpt)
{
	struct gvm other = *self->vm;
	__u32 kind, hwpt;

	for (kind = 0; kind <= GVM_HWPT_NEST_PARENT; kind++) {
		ASSERT_EQ(0, gvm_ioas_alloc(self->vm, &other.ioas));
		ASSERT_EQ(0, gvm_map(&other, SPARE_GPA, self->q.mem, GVM_SZ_4K,
				     GVM_MAP_RW));
		ASSERT_EQ(0, gvm_hwpt_alloc(self->dev, other.ioas,
					    kind | GVM_HWPT_PASID, &hwpt));
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, hwpt));
		EXPECT_EQ(TAG(2), peek(self->lab, PASID, variant->flags,
				       SPARE_GPA));
		EXPECT_TRUE(refused(peek(self->lab, PASID, variant->flags,
					 self->p.page)));
		ASSERT_EQ(0, gvm_unmap(&other, SPARE_GPA, GVM_SZ_4K));
		EXPECT_TRUE(refused(peek(self->lab, PASID, variant->flags,
					 SPARE_GPA)));
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
		EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
		EXPECT_EQ(0, gvm_destroy(self->vm, hwpt));
		EXPECT_EQ(0, gvm_destroy(self->vm, other.ioas));
	}
}

TEST_F(hwpt, a_refused_replace_leaves_the_old_table)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(-ENOENT, gvm_pasid_attach(self->dev, PASID, NO_ID));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, self->vm->ioas));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
}

/* ---- detach -------------------------------------------------------------- */

TEST_F(hwpt, a_detach_ends_dma_by_this_pasid_and_no_other)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, self->hp));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, OTHER_PASID, variant->flags));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_TRUE(refused(peek_proc(self->lab, PASID, variant->flags)));
	EXPECT_EQ(FAULT(LAB_R_PASID_NOT_PRESENT), peek_proc(self->lab, PASID, 0));
	EXPECT_TRUE(nothing_left(self->lab, PASID));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, OTHER_PASID, variant->flags));
	EXPECT_EQ(TAG(2), peek_rid(self->lab, variant->flags, self->q.page));
}

TEST_F(hwpt, a_detach_of_what_is_not_attached_is_fine)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, OTHER_PASID));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, variant->flags));
}

/* ---- beside the RID ------------------------------------------------------ */

TEST_F(hwpt, pasids_outlive_the_attach_of_the_rid)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(TAG(2), peek_rid(self->lab, variant->flags, self->q.page));
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	EXPECT_TRUE(refused(peek_rid(self->lab, 0, self->q.page)));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, self->hq));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, OTHER_PASID, variant->flags));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->vm->parent));
	EXPECT_EQ(TAG(2), peek_rid(self->lab, variant->flags, self->q.page));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
}

/* A guest that remaps DMA has its RID on a nested HWPT, always. */
TEST_F(hwpt, the_rid_can_be_on_a_nested_hwpt_too)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->hq));
	EXPECT_EQ(TAG(2), peek_rid(self->lab, variant->flags, PROC_VA));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->hp));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, variant->flags, PROC_VA));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, variant->flags));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->vm->parent));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, variant->flags, self->p.page));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, variant->flags));
}

/* ---- invalidation -------------------------------------------------------- */

TEST_F(hwpt, an_unmap_of_guest_memory_reaches_every_pasid)
{
	__u64 page[2];
	__u32 pasid;
	int i;

	for (i = 0; i < 2; i++) {
		page[i] = gvm_ram_alloc_page(&self->vm->ram);
		ASSERT_NE(0, page[i]);
	}
	*(__u64 *)gvm_ram_ptr(&self->vm->ram, page[0], 8) = TAG(7);
	ASSERT_EQ(0, gvm_map(self->vm, SPARE_GPA,
			     gvm_ram_ptr(&self->vm->ram, page[0], GVM_SZ_4K),
			     GVM_SZ_4K, GVM_MAP_RW));
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, PROC_VA + GVM_SZ_1G, SPARE_GPA,
				GVM_SZ_4K, GVM_SZ_4K, GVM_PT_RW));
	for (pasid = 1; pasid <= 4; pasid++) {
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, pasid, self->hp));
		EXPECT_EQ(TAG(7), peek(self->lab, pasid, variant->flags,
				       PROC_VA + GVM_SZ_1G));
	}
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, 5, self->vm->parent));
	EXPECT_EQ(TAG(7), peek(self->lab, 5, variant->flags, SPARE_GPA));
	ASSERT_EQ(0, gvm_unmap(self->vm, SPARE_GPA, GVM_SZ_4K));
	for (pasid = 1; pasid <= 4; pasid++)
		EXPECT_TRUE(refused(peek(self->lab, pasid, variant->flags,
					 PROC_VA + GVM_SZ_1G)));
	EXPECT_TRUE(refused(peek(self->lab, 5, variant->flags, SPARE_GPA)));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
}

TEST_F(hwpt, an_invalidation_reaches_every_device_and_pasid_of_the_hwpt)
{
	__u64 page;
	int i, round;

	ASSERT_EQ(0, bench_add_vfio(&self->b, EP_1B));
	ASSERT_EQ(0, bench_add_vfio(&self->b, EP_2A));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, gvm_pasid_attach(&self->b.dev[i], 10 + i, self->hp));
		ASSERT_EQ(0, gvm_pasid_attach(&self->b.dev[i], 20, self->hp));
		EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[i], 10 + i,
					    variant->flags));
		EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[i], 20,
					    variant->flags));
	}
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->hp));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, variant->flags, PROC_VA));
	for (round = 0; round < 2; round++) {
		page = round ? self->p.page : self->q.page;
		ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, page));
		ASSERT_EQ(0, gvm_hwpt_invalidate(self->vm, self->hp,
						 round ? 0 : PROC_VA,
						 round ? ~0ULL : 1, !round));
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(TAG(2 - round),
				  peek_proc(&self->b.lab[i], 10 + i,
					    variant->flags));
			EXPECT_EQ(TAG(2 - round),
				  peek_proc(&self->b.lab[i], 20,
					    variant->flags));
		}
		EXPECT_EQ(TAG(2 - round),
			  peek_rid(self->lab, variant->flags, PROC_VA));
	}
}

/* ---- the same number twice ----------------------------------------------- */

TEST_F(hwpt, a_pasid_has_another_table_on_each_device)
{
	ASSERT_EQ(0, bench_add_vfio(&self->b, EP_1B));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_pasid_attach(&self->b.dev[1], PASID, self->hq));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	EXPECT_EQ(TAG(2), peek_proc(&self->b.lab[1], PASID, variant->flags));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	ASSERT_EQ(0, gvm_pasid_attach(&self->b.dev[1], PASID, self->hp));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, variant->flags));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[1], PASID, variant->flags));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_TRUE(refused(peek_proc(self->lab, PASID, variant->flags)));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[1], PASID, variant->flags));
}

TEST_F(hwpt, every_vm_has_a_pasid_1)
{
	struct process theirs;
	struct bench other;
	__u32 hwpt;

	ASSERT_EQ(0, bench_open(&other, GVM_PASID));
	ASSERT_EQ(0, bench_add_vfio(&other, EP_1B));
	ASSERT_EQ(0, bench_process(&other, &theirs, 3));
	ASSERT_EQ(0, gvm_hwpt_nested(&other.dev[0], &theirs.pt, GVM_HWPT_PASID,
				     &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_pasid_attach(&other.dev[0], PASID, hwpt));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	EXPECT_EQ(TAG(3), peek_proc(&other.lab[0], PASID, variant->flags));
	ASSERT_EQ(0, gvm_pasid_detach(&other.dev[0], PASID));
	EXPECT_TRUE(refused(peek_proc(&other.lab[0], PASID, variant->flags)));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	EXPECT_EQ(0, bench_close(&other));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
}

/* ---- the end of a file, and a reset -------------------------------------- */

TEST_F(hwpt, close_of_the_device_file_takes_all_pasids_off)
{
	__u32 pasid;

	for (pasid = 1; pasid <= 20; pasid++) {
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, pasid, pasid & 1 ?
					      self->hp : self->vm->parent));
		EXPECT_EQ(TAG(1), peek(self->lab, pasid, variant->flags,
				       pasid & 1 ? PROC_VA : self->p.page));
	}
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->hp));
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hp));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hq));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->vm->parent));
}

TEST_F(hwpt, a_device_outlives_the_file_of_its_iommufd)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, close(self->vm->iommufd));
	self->vm->iommufd = -1;
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, variant->flags));
}

TEST_F(hwpt, a_reset_of_the_device_keeps_its_pasids)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, self->vm->parent));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	ASSERT_EQ(0, gvm_dev_reset(self->dev));
	ASSERT_EQ(0, gvm_dev_enable(self->dev, true));
	ASSERT_EQ(0, lab_dev_init(self->lab, self->dev->bar));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, variant->flags));
	EXPECT_EQ(TAG(2), peek(self->lab, OTHER_PASID, variant->flags,
			       self->q.page));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, variant->flags));
}

/* ---- what else a table can be -------------------------------------------- */

TEST_F(hwpt, five_levels_are_five_levels)
{
	struct process five;
	__u32 hwpt;

	if (!(self->b.cap[0] >> 60 & 1))
		SKIP(return, "no 5-level tables");
	ASSERT_EQ(0, bench_process_levels(&self->b, &five, 5, 5));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &five.pt, GVM_HWPT_PASID,
				     &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, hwpt));
	EXPECT_EQ(TAG(5), peek_proc(self->lab, PASID, variant->flags));
	EXPECT_EQ(1, entry_word(self->lab, PASID, 2) >> 2 & 3);
}

/* What a VMM does for a live migration, on the parent only. */
TEST_F(hwpt, dirty_tracking_sees_what_pasids_write)
{
	__u64 map[RAM_SIZE / GVM_SZ_4K / 64];
	__u64 at = (self->p.page - RAM_GPA) / GVM_SZ_4K;
	__u32 parent, hwpt;

	if (gvm_hwpt_alloc(self->dev, self->vm->ioas, GVM_HWPT_NEST_PARENT |
			   GVM_HWPT_DIRTY | GVM_HWPT_PASID, &parent))
		SKIP(return, "no dirty tracking");
	self->vm->parent = parent;
	ASSERT_EQ(0, gvm_dev_attach(self->dev, parent));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt, GVM_HWPT_PASID,
				     &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, parent));
	ASSERT_EQ(0, gvm_dirty_tracking(self->vm, parent, true));
	memset(map, 0, sizeof(map));
	ASSERT_EQ(0, gvm_dirty_bitmap(self->vm, parent, RAM_GPA, RAM_SIZE,
				      GVM_SZ_4K, false, map));
	memset(map, 0, sizeof(map));
	ASSERT_EQ(TAG(8), poke(self->lab, PASID, variant->flags, PROC_VA,
			       TAG(8)));
	ASSERT_EQ(TAG(9), poke(self->lab, OTHER_PASID, variant->flags,
			       self->q.page, TAG(9)));
	ASSERT_EQ(0, gvm_dirty_bitmap(self->vm, parent, RAM_GPA, RAM_SIZE,
				      GVM_SZ_4K, false, map));
	EXPECT_EQ(1, map[at / 64] >> at % 64 & 1);
	at = (self->q.page - RAM_GPA) / GVM_SZ_4K;
	EXPECT_EQ(1, map[at / 64] >> at % 64 & 1);
	EXPECT_EQ(0, gvm_dirty_tracking(self->vm, parent, false));
}

TEST_HARNESS_MAIN
