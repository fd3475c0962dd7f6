// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: a device that is opened by its VFIO group takes no ioctl of ours, and
 * one that shares its IOMMU group has no guest PASIDs.
 *
 * The lab's functions behind a root port share a group when they are told not to
 * redirect completions: PASIDs need requests redirected.  Run it with
 * --ep unit=0,port=1 twice and
 * --append 'pci=config_acs=x01xx@0001:01:00.0;x01xx@0001:01:00.1'
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include <linux/vfio.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define GPASID	0x101

FIXTURE(group)
{
	struct bench b;
	struct process p;
};

FIXTURE_SETUP(group)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
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

TEST_HARNESS_MAIN
