// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test of the lab by a kernel that knows nothing of it: whole-device nested
 * translation as Linux 6.12 has it, with DMA by the endpoint, which passes both
 * stages.  Uses the kernel's own user ABI only; runs on an unmodified kernel.
 *
 * Linux 6.12 switches ATS off when a device is attached to a nested HWPT, so
 * that only the second stage alone is tried with it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <linux/iommufd.h>

#include <kselftest_harness.h>

#include <gvm.h>
#include "lab_dev.h"

#define RAM_GPA		0x10000000ULL
#define RAM_SIZE	(8ULL << 20)
#define SRC_VA		0x00007f1200000000ULL
#define DST_VA		0x00007f3400200000ULL
#define HOLE_VA		0x00007f5600000000ULL
#define NO_RAM_GPA	0x70000000ULL	/* nothing there in the second stage */
#define LEN		(5 * 4096)

static int nested_hwpt(struct gvm *vm, __u32 devid, __u64 pgtbl, __u32 *hwpt)
{
	struct iommu_hwpt_vtd_s1 s1 = { .pgtbl_addr = pgtbl, .addr_width = 48 };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = devid,
		.pt_id = vm->parent,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(s1),
		.data_uptr = (uintptr_t)&s1,
	};
	int rc = gvm_ioctl(vm->iommufd, IOMMU_HWPT_ALLOC, &cmd);

	*hwpt = cmd.out_hwpt_id;
	return rc;
}

static int invalidate(struct gvm *vm, __u32 hwpt, __u64 va, __u64 pages)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = { .addr = va, .npages = pages };
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.data_uptr = (uintptr_t)&inv,
		.entry_len = sizeof(inv),
		.entry_num = 1,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_HWPT_INVALIDATE, &cmd);
}

/* Requests without PASID.  Returns the descriptor's status. */
static int copy(struct lab_dev *lab, unsigned int flags, __u64 to, __u64 from,
		__u32 len, struct vtdsim_desc *desc)
{
	memset(desc, 0, sizeof(*desc));
	desc->op = VTDSIM_OP_COPY;
	desc->flags = flags;
	desc->addr = from;
	desc->addr2 = to;
	desc->len = len;
	return lab_run(lab, 0, desc);
}

static void pattern(__u8 *buf, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (i * 7 + (i >> 8) * 13 + seed) ^ 0x5a;
}

FIXTURE(nested)
{
	struct gvm vm;
	struct gvm_dev dev;
	struct gvm_pt pt;
	struct lab_dev lab;
	__u32 hwpt;
	__u64 src, dst;		/* guest-physical */
	__u8 *src_mem, *dst_mem;
};

FIXTURE_VARIANT(nested)
{
	const char *address;
};

FIXTURE_VARIANT_ADD(nested, unit1)
{
	.address = "0001:00:00.0",
};

FIXTURE_VARIANT_ADD(nested, unit2)
{
	.address = "0002:00:01.0",
};

FIXTURE_SETUP(nested)
{
	struct gvm_ram *ram = &self->vm.ram;

	self->dev.fd = -1;
	ASSERT_EQ(0, gvm_open(&self->vm, RAM_GPA, RAM_SIZE, GVM_SMALL_PAGES));
	ASSERT_EQ(0, gvm_dev_open(&self->dev, variant->address));
	ASSERT_EQ(0, gvm_dev_bind(&self->dev, &self->vm));
	ASSERT_EQ(0, gvm_parent_alloc(&self->vm, self->dev.devid, self->vm.ioas,
				      &self->vm.parent));

	self->src = gvm_ram_alloc(ram, LEN, 4096);
	self->dst = gvm_ram_alloc(ram, LEN, 4096);
	self->src_mem = gvm_ram_ptr(ram, self->src, LEN);
	self->dst_mem = gvm_ram_ptr(ram, self->dst, LEN);
	ASSERT_NE(NULL, self->src_mem);
	ASSERT_NE(NULL, self->dst_mem);
	pattern(self->src_mem, LEN, 1);

	ASSERT_EQ(0, gvm_pt_init(&self->pt, ram, 4));
	ASSERT_EQ(0, gvm_pt_map(&self->pt, SRC_VA, self->src, LEN, GVM_SZ_4K,
				GVM_PT_RO));
	ASSERT_EQ(0, gvm_pt_map(&self->pt, DST_VA, self->dst, LEN, GVM_SZ_4K,
				GVM_PT_RW));
	ASSERT_EQ(0, nested_hwpt(&self->vm, self->dev.devid, self->pt.root,
				 &self->hwpt));
	ASSERT_EQ(0, gvm_dev_attach(&self->dev, self->hwpt));
	ASSERT_EQ(0, gvm_dev_enable(&self->dev, true));
	ASSERT_EQ(0, gvm_dev_map_bar(&self->dev));
	ASSERT_EQ(0, lab_dev_init(&self->lab, self->dev.bar));
}

FIXTURE_TEARDOWN(nested)
{
	gvm_dev_close(&self->dev);
	gvm_close(&self->vm);
}

/* Every byte arrives, and the walk goes through both stages. */
TEST_F(nested, copy)
{
	static struct vtdsim_explain ex;
	unsigned int i, first = 0, second = 0;
	struct vtdsim_desc desc;
	__u8 want[LEN];

	/* Not aligned, so that it crosses pages on both sides at other places. */
	ASSERT_EQ(VTDSIM_DONE, copy(&self->lab, 0, DST_VA + 123,
				    SRC_VA + 45, LEN - 200, &desc))
		TH_LOG("%s, reason 0x%x at 0x%llx", lab_status_name(desc.status),
		       desc.reason, (unsigned long long)desc.result);
	memset(want, 0, sizeof(want));
	memcpy(want + 123, self->src_mem + 45, LEN - 200);
	ASSERT_EQ(0, memcmp(want, self->dst_mem, LEN));

	ASSERT_EQ(0, lab_explain(&self->lab, 0, DST_VA + 4096, &ex));
	EXPECT_EQ(0, ex.reason);
	EXPECT_EQ(self->dst + 4096, ex.gpa);
	for (i = 0; i < ex.nr_steps; i++) {
		first += ex.step[i].stage == VTDSIM_ST_FIRST;
		second += ex.step[i].stage == VTDSIM_ST_SECOND;
	}
	EXPECT_EQ(4, first);
	/* Four tables and the page, each translated by three or four levels. */
	EXPECT_LE(15, second);
}

/* The device sets accessed and dirty bits where the guest looks for them. */
TEST_F(nested, accessed_dirty)
{
	struct vtdsim_desc desc;
	__u64 *entry, leaf;

	ASSERT_EQ(VTDSIM_DONE, copy(&self->lab, 0, DST_VA, SRC_VA,
				    64, &desc));
	entry = gvm_pt_leaf(&self->pt, SRC_VA, &leaf);
	ASSERT_NE(NULL, entry);
	EXPECT_EQ(GVM_PT_A, *entry & (GVM_PT_A | GVM_PT_D));
	entry = gvm_pt_leaf(&self->pt, DST_VA, &leaf);
	ASSERT_NE(NULL, entry);
	EXPECT_EQ(GVM_PT_A | GVM_PT_D, *entry & (GVM_PT_A | GVM_PT_D));
}

/* What either stage does not allow does not happen. */
TEST_F(nested, denied)
{
	static const __u8 zero[LEN];
	struct vtdsim_desc desc;

	EXPECT_NE(VTDSIM_DONE, copy(&self->lab, 0, DST_VA, HOLE_VA,
				    64, &desc));
	EXPECT_EQ(VTDSIM_FAULT, desc.status);
	EXPECT_EQ(LAB_R_FS_NOT_PRESENT, desc.reason);

	/* The guest's table leads out of the guest's memory. */
	ASSERT_EQ(0, gvm_pt_map(&self->pt, HOLE_VA, NO_RAM_GPA, 4096, GVM_SZ_4K,
				GVM_PT_RW));
	ASSERT_EQ(0, invalidate(&self->vm, self->hwpt, HOLE_VA, 1));
	EXPECT_NE(VTDSIM_DONE, copy(&self->lab, 0, DST_VA, HOLE_VA,
				    64, &desc));

	/* A write to a page that the guest gave for reading. */
	EXPECT_NE(VTDSIM_DONE, copy(&self->lab, 0, SRC_VA, DST_VA,
				    64, &desc));
	EXPECT_EQ(0, memcmp(zero, self->dst_mem, LEN));
}

/* The hardware may keep a translation until it is told; then it must not. */
TEST_F(nested, invalidate)
{
	__u64 other = gvm_ram_alloc_page(&self->vm.ram);
	__u8 *mem = gvm_ram_ptr(&self->vm.ram, other, 4096);
	struct vtdsim_desc desc;

	ASSERT_NE(NULL, mem);
	pattern(mem, 4096, 99);
	ASSERT_EQ(VTDSIM_DONE, copy(&self->lab, 0, DST_VA, SRC_VA,
				    4096, &desc));
	EXPECT_EQ(0, memcmp(self->dst_mem, self->src_mem, 4096));

	ASSERT_EQ(0, gvm_pt_move(&self->pt, SRC_VA, other));
	ASSERT_EQ(0, invalidate(&self->vm, self->hwpt, SRC_VA, 1));
	ASSERT_EQ(VTDSIM_DONE, copy(&self->lab, 0, DST_VA, SRC_VA,
				    4096, &desc));
	EXPECT_EQ(0, memcmp(self->dst_mem, mem, 4096));
}

/* Attached to the second stage alone, the device speaks guest-physical. */
TEST_F(nested, second_stage_only)
{
	struct vtdsim_desc desc;

	ASSERT_EQ(0, gvm_dev_attach(&self->dev, self->vm.parent));
	ASSERT_EQ(VTDSIM_DONE, copy(&self->lab, 0, self->dst, self->src, LEN,
				    &desc));
	EXPECT_EQ(0, memcmp(self->dst_mem, self->src_mem, LEN));

	pattern(self->src_mem, LEN, 2);
	ASSERT_EQ(VTDSIM_DONE, copy(&self->lab, VTDSIM_F_ATS, self->dst,
				    self->src, LEN, &desc));
	EXPECT_EQ(0, memcmp(self->dst_mem, self->src_mem, LEN));
	EXPECT_NE(VTDSIM_DONE, copy(&self->lab, 0, DST_VA, SRC_VA,
				    64, &desc));
}

/* After detach nothing gets through any more. */
TEST_F(nested, detach)
{
	static const __u8 zero[LEN];
	struct vtdsim_desc desc;

	ASSERT_EQ(VTDSIM_DONE, copy(&self->lab, 0, DST_VA, SRC_VA,
				    64, &desc));
	memset(self->dst_mem, 0, LEN);
	ASSERT_EQ(0, gvm_dev_detach(&self->dev));
	EXPECT_NE(VTDSIM_DONE, copy(&self->lab, 0, DST_VA, SRC_VA,
				    64, &desc));
	EXPECT_EQ(0, memcmp(zero, self->dst_mem, LEN));
}

TEST_HARNESS_MAIN
