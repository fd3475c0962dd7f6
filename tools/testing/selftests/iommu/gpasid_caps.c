// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware that lacks something: what VFIO_DEVICE_GPASID_INFO tells of it, and
 * that a bind is either served or refused with the specified errno.  Meant for
 * boots of the lab with other units and endpoints; passes on all of them.
 */
#include <kselftest_harness.h>

#include "gpasid_utils.h"

/* Bits of VT-d's CAP and ECAP. */
#define CAP_FS5LP(cap)		((cap) >> 60 & 1)
#define CAP_SSLPS(cap)		((cap) >> 34 & 0xf)
#define ECAP_SMPWC(ecap)	((ecap) >> 48 & 1)
#define ECAP_SSADS(ecap)	((ecap) >> 45 & 1)
#define ECAP_PASID(ecap)	((ecap) >> 40 & 1)
#define ECAP_PSS(ecap)		((ecap) >> 35 & 0x1f)
#define ECAP_EAFS(ecap)		((ecap) >> 34 & 1)
#define ECAP_SRS(ecap)		((ecap) >> 31 & 1)
#define ECAP_NEST(ecap)		((ecap) >> 26 & 1)
#define ECAP_DT(ecap)		((ecap) >> 2 & 1)

FIXTURE(caps)
{
	struct gvm vm;
	struct gvm_dev dev;
	struct lab_dev lab;
	struct gvm_pt pt;
	struct vfio_device_gpasid_info info;
	__u64 cap, ecap, page;
	bool nested;
};

/* One endpoint of each unit: a boot can try two kinds of hardware. */
FIXTURE_VARIANT(caps)
{
	const char *ep;
};

FIXTURE_VARIANT_ADD(caps, first)
{
	.ep = EP_1A,
};

FIXTURE_VARIANT_ADD(caps, second)
{
	.ep = EP_2A,
};

FIXTURE_SETUP(caps)
{
	struct vtdsim_counters c;
	__u32 to;

	ASSERT_EQ(0, gvm_open(&self->vm, RAM_GPA, RAM_SIZE, 0));
	ASSERT_EQ(0, gvm_dev_open(&self->dev, variant->ep));
	ASSERT_EQ(0, gvm_dev_bind(&self->dev, &self->vm));
	to = self->vm.ioas;
	if (!gvm_parent_alloc(&self->vm, self->dev.devid, to, &self->vm.parent))
		to = self->vm.parent;
	ASSERT_EQ(0, gvm_dev_attach(&self->dev, to));
	ASSERT_EQ(0, gvm_dev_enable(&self->dev, true));
	ASSERT_EQ(0, gvm_dev_map_bar(&self->dev));
	ASSERT_EQ(0, lab_dev_init(&self->lab, self->dev.bar));
	ASSERT_EQ(0, lab_counters(&self->lab, &c));
	ASSERT_EQ(0, gvm_dev_info(&self->dev, &self->info));
	ASSERT_EQ(0, gvm_dev_vtd_caps(&self->dev, &self->cap, &self->ecap));
	ASSERT_EQ(0, gvm_pt_init(&self->pt, &self->vm.ram, 4));
	self->page = gvm_ram_alloc_page(&self->vm.ram);
	ASSERT_EQ(0, gvm_pt_map(&self->pt, PROC_VA, self->page, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW));
	*(__u64 *)gvm_ram_ptr(&self->vm.ram, self->page, 8) = TAG(1);
	self->nested = self->info.out_caps & GPASID_CAP_NEST &&
		       self->info.out_pasid_bits;
}

FIXTURE_TEARDOWN(caps)
{
	gvm_dev_close(&self->dev);
	gvm_close(&self->vm);
	ASSERT_EQ(0, lab_dev_open_sysfs(&self->lab, variant->ep));
	EXPECT_TRUE(nothing_left(&self->lab, 0));
	lab_dev_close(&self->lab);
}

TEST_F(caps, nesting_needs_pasids_and_coherent_walks)
{
	EXPECT_EQ(ECAP_NEST(self->ecap) && ECAP_SMPWC(self->ecap) &&
		  self->info.out_pasid_bits,
		  !!(self->info.out_caps & GPASID_CAP_NEST));
}

TEST_F(caps, address_widths_are_the_units)
{
	if (!self->nested)
		SKIP(return, "no nesting");
	EXPECT_EQ(1 + 2 * CAP_FS5LP(self->cap), self->info.out_addr_widths);
}

TEST_F(caps, first_stage_flags_are_the_units)
{
	__u64 want = 0;

	if (ECAP_SRS(self->ecap))
		want |= GPASID_VTD_SRE | GPASID_VTD_WPE;
	if (ECAP_EAFS(self->ecap))
		want |= GPASID_VTD_EAFE;
	if (!self->nested)
		SKIP(return, "no nesting");
	EXPECT_EQ(want, self->info.out_vtd_flags);
}

TEST_F(caps, the_pasid_width_is_the_smaller_of_unit_and_device)
{
	EXPECT_LE(self->info.out_pasid_bits, 20);
	EXPECT_LE(self->info.out_pasid_bits, ECAP_PASID(self->ecap) ?
		  ECAP_PSS(self->ecap) + 1 : 0);
}

TEST_F(caps, ats_is_told_as_the_hardware_has_it)
{
	bool ats = lab_regs(&self->lab)->ctl & VTDSIM_CTL_ATS;

	EXPECT_EQ(ats, !!(self->info.out_caps & GPASID_CAP_ATS));
	if (!ECAP_DT(self->ecap))
		EXPECT_FALSE(ats);
	if (!ats)
		EXPECT_EQ(0, self->info.out_caps & (GPASID_CAP_ATS_GLOBAL |
						    GPASID_CAP_PRI));
}

TEST_F(caps, dirty_tracking_is_told_as_the_unit_has_it)
{
	EXPECT_EQ(ECAP_SSADS(self->ecap) && ECAP_SMPWC(self->ecap),
		  !!(self->info.out_caps & GPASID_CAP_DIRTY));
}

TEST_F(caps, the_vtd_format_is_known_where_there_is_nesting)
{
	EXPECT_EQ(self->nested ? 1 << GPASID_FORMAT_VTD : 0,
		  self->info.out_formats);
}

TEST_F(caps, a_bind_is_served_or_refused_with_eopnotsupp)
{
	__u32 h, allocated = ~0U;
	int rc = gvm_bind(&self->dev, &self->pt, 0x101, &h);

	if (self->nested) {
		ASSERT_EQ(0, rc);
		EXPECT_EQ(TAG(1), peek_proc(&self->lab, h, 0));
		EXPECT_EQ(TAG(1), peek_proc(&self->lab, h, VTDSIM_F_ATS));
		return;
	}
	EXPECT_EQ(-EOPNOTSUPP, rc);
	ASSERT_EQ(0, gvm_quota_get(&self->vm, NULL, &allocated, NULL));
	EXPECT_EQ(0, allocated);
	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->vm, 0x101, &h));
}

TEST_F(caps, every_pasid_of_the_width_can_be_used_and_none_beyond)
{
	struct iommu_gpasid_alloc cmd = { .size = sizeof(cmd) };
	__u32 end = 1U << self->info.out_pasid_bits;

	if (!self->nested)
		SKIP(return, "no nesting");
	cmd.min = end - 1;
	cmd.max = end - 1;
	ASSERT_EQ(0, gvm_ioctl(self->vm.iommufd, IOMMU_GPASID_ALLOC, &cmd));
	ASSERT_EQ(0, gvm_bind_identity(&self->dev, &self->pt, end - 1));
	EXPECT_EQ(TAG(1), peek_proc(&self->lab, end - 1, 0));
	if (end == 1 << 20)
		return;
	cmd.min = end;
	cmd.max = end;
	ASSERT_EQ(0, gvm_ioctl(self->vm.iommufd, IOMMU_GPASID_ALLOC, &cmd));
	EXPECT_EQ(-EINVAL, gvm_bind_identity(&self->dev, &self->pt, end));
}

/* There are more numbers than a narrow device has. */
TEST_F_TIMEOUT(caps, no_pasid_is_given_out_that_the_device_cannot_use, 240)
{
	__u32 h, i, max = 1U << self->info.out_pasid_bits;

	if (self->info.out_pasid_bits > 15 || !self->nested)
		SKIP(return, "no narrow device");
	for (i = 0; i < max; i++) {
		if (gvm_pasid_alloc(&self->vm, &h))
			break;
		ASSERT_LT(h, max);
	}
	EXPECT_EQ(-ENOSPC, gvm_pasid_alloc(&self->vm, &h));
	EXPECT_LT(max / 2, i);
}

/*
 * A parent that was made for the first unit maps what that one can walk.  Each
 * DMA of another that cannot would end in a fault.
 */
TEST(a_unit_without_the_parents_superpages_is_refused)
{
	struct gvm_dev other;
	__u64 cap, ecap;
	struct process p;
	struct bench b;
	__u32 hwpt;
	int rc;

	ASSERT_EQ(0, bench_open(&b, GVM_PASID));
	rc = bench_add_vfio(&b, EP_1A);
	if (rc == -EOPNOTSUPP)
		SKIP(return, "no nesting");
	ASSERT_EQ(0, rc);
	ASSERT_EQ(0, gvm_dev_open(&other, EP_2A));
	ASSERT_EQ(0, gvm_dev_bind(&other, &b.vm));
	ASSERT_EQ(0, gvm_dev_vtd_caps(&other, &cap, &ecap));
	if (CAP_SSLPS(cap) == CAP_SSLPS(b.cap[0]))
		SKIP(goto out, "units with the same superpages");
	EXPECT_EQ(-EINVAL, gvm_dev_attach(&other, b.vm.parent));
	ASSERT_EQ(0, bench_process(&b, &p, 1));
	ASSERT_EQ(0, gvm_hwpt_nested(&b.dev[0], &p.pt,
				     GVM_HWPT_PASID, &hwpt));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(&other, 1, hwpt));
	EXPECT_EQ(0, gvm_pasid_attach(&b.dev[0], 1, hwpt));
out:
	gvm_dev_close(&other);
	EXPECT_EQ(0, bench_close(&b));
}

TEST_HARNESS_MAIN
