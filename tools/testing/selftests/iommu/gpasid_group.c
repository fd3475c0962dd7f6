// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: a device that is opened by its VFIO group takes no ioctl of ours, and
 * one that shares its IOMMU group has no guest PASIDs.  Nor has one whose
 * requests are not redirected to the IOMMU: its PASIDs are never enabled.
 *
 * The lab's functions behind a root port share a group when one is told not to
 * redirect completions, and the other not to redirect requests.  Run it with
 * --ep unit=0,port=1 twice and
 * --append 'pci=config_acs=x01xx@0001:01:00.0;x10xx@0001:01:00.1'
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include <linux/vfio.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define GPASID	0x101
#define PASID	1

FIXTURE(group)
{
	struct bench b;
	struct process p;
};

FIXTURE_SETUP(group)
{
	ASSERT_EQ(0, bench_open(&self->b, GVM_PASID));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
}

FIXTURE_TEARDOWN(group)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

/* ---- opened by the group ------------------------------------------------------ */

TEST_F(group, a_file_opened_by_its_group_takes_no_ioctl_of_ours)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct gvm_dev dev = { .vm = &self->b.vm };
	struct vfio_device_gpasid_info gpasid;

	dev.fd = open_by_group(&self->b.vm, EP_1A);
	if (dev.fd == -ENOENT)
		SKIP(return, "no VFIO groups");
	ASSERT_LE(0, dev.fd);
	EXPECT_EQ(0, gvm_ioctl(dev.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(-ENOTTY, gvm_dev_info(&dev, &gpasid));
	EXPECT_EQ(-ENOTTY, gvm_bind(&dev, &self->p.pt, GPASID, NULL));
	EXPECT_EQ(-ENOTTY, gvm_unbind(&dev, GPASID));
	close(dev.fd);
}

/* ---- not alone ------------------------------------------------------------------ */

static bool share_a_group(const char *a, const char *b)
{
	char path[256];

	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%s/iommu_group/devices/%s", a, b);
	return !access(path, F_OK);
}

TEST_F(group, a_device_that_is_not_alone_in_its_group_has_no_guest_pasids)
{
	__u32 h = 0;

	ASSERT_TRUE(share_a_group(EP_1P, EP_1Q));
	ASSERT_EQ(0, bench_add(&self->b, EP_1P));
	/* It is nothing else that it lacks. */
	EXPECT_TRUE(self->b.info[0].out_caps & GPASID_CAP_NEST);
	EXPECT_NE(0, self->b.info[0].out_pasid_bits);
	EXPECT_EQ(-EOPNOTSUPP, gvm_bind(&self->b.dev[0], &self->p.pt, GPASID, &h));
	EXPECT_FALSE(entry_present(&self->b.lab[0], GPASID));
}

TEST_F(group, a_pasid_of_a_device_that_is_not_alone_is_attached_to_no_hwpt)
{
	__u32 hwpt;

	ASSERT_TRUE(share_a_group(EP_1P, EP_1Q));
	ASSERT_EQ(0, bench_add(&self->b, EP_1P));
	ASSERT_EQ(0, gvm_hwpt_nested(&self->b.dev[0], &self->p.pt,
				     GVM_HWPT_PASID, &hwpt));
	EXPECT_EQ(-EOPNOTSUPP, gvm_pasid_attach(&self->b.dev[0], PASID, hwpt));
	EXPECT_FALSE(entry_present(&self->b.lab[0], PASID));
	/* The same HWPT serves a device that is alone. */
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	EXPECT_EQ(0, gvm_pasid_attach(&self->b.dev[1], PASID, hwpt));
	EXPECT_TRUE(entry_present(&self->b.lab[1], PASID));
}

/* ---- PASIDs not enabled --------------------------------------------------------- */

TEST_F(group, a_device_whose_pasids_are_not_enabled_is_told_to_have_none)
{
	struct gvm_dev *dev = &self->b.dev[0];
	unsigned int width = 99;
	__u64 caps;

	ASSERT_EQ(0, bench_add(&self->b, EP_1Q));
	EXPECT_EQ(0, lab_regs(&self->b.lab[0])->ctl & VTDSIM_CTL_PASID);
	ASSERT_EQ(0, gvm_dev_pasid_info(dev, &width, &caps));
	EXPECT_EQ(0, width);
	EXPECT_EQ(0, caps & (GVM_HW_CAP_PASID_EXEC | GVM_HW_CAP_PASID_PRIV));
	EXPECT_EQ(0, self->b.info[0].out_pasid_bits);
	EXPECT_FALSE(self->b.info[0].out_caps & GPASID_CAP_NEST);
}

TEST_F(group, a_device_whose_pasids_are_not_enabled_binds_none)
{
	__u32 hwpt;

	ASSERT_EQ(0, bench_add(&self->b, EP_1Q));
	EXPECT_EQ(-EOPNOTSUPP, gvm_bind(&self->b.dev[0], &self->p.pt, GPASID,
					NULL));
	ASSERT_EQ(0, gvm_hwpt_alloc(&self->b.dev[0], self->b.vm.ioas,
				    GVM_HWPT_NEST_PARENT | GVM_HWPT_PASID,
				    &hwpt));
	EXPECT_EQ(-EOPNOTSUPP, gvm_pasid_attach(&self->b.dev[0], PASID, hwpt));
	EXPECT_FALSE(entry_present(&self->b.lab[0], PASID));
}

TEST_HARNESS_MAIN
