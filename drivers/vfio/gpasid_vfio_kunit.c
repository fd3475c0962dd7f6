// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what the ioctls for guest PASIDs do between a user and a driver,
 * with drivers that the lab does not have.
 *
 * Called without a device or a file: vfio_gpasid_ioctl() needs neither.
 */
#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/vfio-gpasid.h>
#include <uapi/linux/gpasid.h>

static void __user *user_copy(struct kunit *test, const void *from, size_t size)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE,
					   PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	void __user *to = (void __user *)addr;

	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	KUNIT_ASSERT_EQ(test, 0, copy_to_user(to, from, size));

	return to;
}

/* The driver of a device that has little to tell. */
static int fake_info(void *priv, struct gpasid_caps *caps, u32 *bound)
{
	caps->caps = GPASID_CAP_NEST;
	return 0;
}

static const struct vfio_gpasid_ops fake_ops = {
	.info = fake_info,
};

/* Neither what was on the kernel's stack, nor what the user has left there. */
static void info_that_a_driver_leaves_out_is_0(struct kunit *test)
{
	struct vfio_device_gpasid_info info, want = {
		.argsz = sizeof(want),
		.out_caps = GPASID_CAP_NEST,
	};
	void __user *arg;

	if (!IS_ENABLED(CONFIG_INIT_STACK_ALL_PATTERN))
		kunit_skip(test, "the stack may hold zeroes by chance");
	memset(&info, 0xff, sizeof(info));
	info.argsz = sizeof(info);
	info.flags = 0;
	arg = user_copy(test, &info, sizeof(info));

	KUNIT_ASSERT_EQ(test, 0, vfio_gpasid_ioctl(&fake_ops, NULL,
						   VFIO_DEVICE_GPASID_INFO, arg));
	KUNIT_ASSERT_EQ(test, 0, copy_from_user(&info, arg, sizeof(info)));
	KUNIT_EXPECT_MEMEQ(test, &want, &info, sizeof(info));
}

static struct kunit_case gpasid_vfio_cases[] = {
	KUNIT_CASE(info_that_a_driver_leaves_out_is_0),
	{}
};

static struct kunit_suite gpasid_vfio_suite = {
	.name = "gpasid_vfio",
	.test_cases = gpasid_vfio_cases,
};

kunit_test_suite(gpasid_vfio_suite);

MODULE_DESCRIPTION("KUnit tests for guest PASIDs on VFIO device files");
MODULE_LICENSE("GPL");
