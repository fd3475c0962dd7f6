// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user ABI of guest PASIDs: sizes, flags, errno, numbers and quotas.  One
 * test for each rule of include/uapi/linux/gpasid.h.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/vfio.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define MAX_PASID	0xfffffU

/* ---- sizes, flags and reserved fields of every command ---------------------- */

FIXTURE(abi)
{
	struct bench b;
	struct process p;
	__u32 hpasid;
	int fd;
	char arg[256];
};

FIXTURE_VARIANT(abi)
{
	unsigned long cmd;
	bool vfio;
	size_t size;
	size_t reserved;	/* offset of a reserved field, 0 for none */
};

FIXTURE_VARIANT_ADD(abi, alloc)
{
	.cmd = IOMMU_GPASID_ALLOC,
	.size = sizeof(struct iommu_gpasid_alloc),
};

FIXTURE_VARIANT_ADD(abi, free)
{
	.cmd = IOMMU_GPASID_FREE,
	.size = sizeof(struct iommu_gpasid_free),
	.reserved = offsetof(struct iommu_gpasid_free, __reserved),
};

FIXTURE_VARIANT_ADD(abi, lookup)
{
	.cmd = IOMMU_GPASID_LOOKUP,
	.size = sizeof(struct iommu_gpasid_lookup),
};

FIXTURE_VARIANT_ADD(abi, quota)
{
	.cmd = IOMMU_GPASID_QUOTA,
	.size = sizeof(struct iommu_gpasid_quota),
	.reserved = offsetof(struct iommu_gpasid_quota, __reserved),
};

FIXTURE_VARIANT_ADD(abi, invalidate)
{
	.cmd = IOMMU_GPASID_INVALIDATE,
	.size = sizeof(struct iommu_gpasid_invalidate),
};

FIXTURE_VARIANT_ADD(abi, bind)
{
	.cmd = VFIO_DEVICE_GPASID_BIND,
	.vfio = true,
	.size = sizeof(struct vfio_device_gpasid_bind),
	.reserved = offsetof(struct vfio_device_gpasid_bind, __reserved),
};

FIXTURE_VARIANT_ADD(abi, unbind)
{
	.cmd = VFIO_DEVICE_GPASID_UNBIND,
	.vfio = true,
	.size = sizeof(struct vfio_device_gpasid_unbind),
	.reserved = offsetof(struct vfio_device_gpasid_unbind, __reserved),
};

FIXTURE_VARIANT_ADD(abi, info)
{
	.cmd = VFIO_DEVICE_GPASID_INFO,
	.vfio = true,
	.size = sizeof(struct vfio_device_gpasid_info),
};

/* An argument with which the command would succeed, size apart. */
static void good_argument(void *arg, unsigned long cmd, __u32 hpasid,
			  __u64 pgtbl)
{
	if (cmd == IOMMU_GPASID_FREE)
		((struct iommu_gpasid_free *)arg)->pasid = hpasid;
	if (cmd == IOMMU_GPASID_LOOKUP)
		((struct iommu_gpasid_lookup *)arg)->pasid = hpasid;
	if (cmd == VFIO_DEVICE_GPASID_UNBIND)
		((struct vfio_device_gpasid_unbind *)arg)->pasid = hpasid;
	if (cmd == IOMMU_GPASID_INVALIDATE)
		((struct iommu_gpasid_invalidate *)arg)->entry_len =
			sizeof(struct iommu_gpasid_inv);
	if (cmd == VFIO_DEVICE_GPASID_BIND) {
		struct vfio_device_gpasid_bind *bind = arg;

		bind->format = GPASID_FORMAT_VTD;
		bind->addr_width = 48;
		bind->flags = VFIO_GPASID_BIND_GPASID;
		bind->gpasid = 0x777;
		bind->pgtbl = pgtbl;
	}
}

FIXTURE_SETUP(abi)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 0x101, &self->hpasid));
	ASSERT_EQ(0, gvm_pasid_alloc_identity(&self->b.vm, 0x777));
	self->fd = variant->vfio ? self->b.dev[0].fd : self->b.vm.iommufd;
	memset(self->arg, 0, sizeof(self->arg));
	good_argument(self->arg, variant->cmd, self->hpasid, self->p.pt.root);
}

FIXTURE_TEARDOWN(abi)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

static int call(int fd, unsigned long cmd, void *arg, __u32 size)
{
	*(__u32 *)arg = size;
	return gvm_ioctl(fd, cmd, arg);
}

TEST_F(abi, a_complete_argument_is_taken)
{
	ASSERT_EQ(0, call(self->fd, variant->cmd, self->arg, variant->size));
}

TEST_F(abi, a_size_too_small_is_refused)
{
	__u32 size;

	for (size = 0; size < 8; size++)
		EXPECT_EQ(-EINVAL, call(self->fd, variant->cmd, self->arg, size))
			TH_LOG("size %u", size);
}

TEST_F(abi, a_larger_argument_with_zeros_behind_is_taken)
{
	ASSERT_EQ(0, call(self->fd, variant->cmd, self->arg,
			  variant->size + 64));
}

TEST_F(abi, what_the_kernel_does_not_know_must_be_zero)
{
	self->arg[variant->size + 63] = 1;
	EXPECT_EQ(-E2BIG, call(self->fd, variant->cmd, self->arg,
			       variant->size + 64));
	self->arg[variant->size + 63] = 0;
	self->arg[variant->size] = 1;
	EXPECT_EQ(-E2BIG, call(self->fd, variant->cmd, self->arg,
			       variant->size + 64));
	EXPECT_TRUE(entry_present(&self->b.lab[0], self->hpasid));
}

TEST_F(abi, unknown_flags_are_refused)
{
	__u32 *flags = (__u32 *)self->arg + 1;
	__u32 good = *flags;
	int bit;

	for (bit = 2; bit < 32; bit++) {
		*flags = good | 1U << bit;
		EXPECT_EQ(-EINVAL, call(self->fd, variant->cmd, self->arg,
					variant->size))
			TH_LOG("flag %d", bit);
	}
	EXPECT_TRUE(entry_present(&self->b.lab[0], self->hpasid));
}

TEST_F(abi, reserved_fields_must_be_zero)
{
	if (!variant->reserved)
		SKIP(return, "no reserved field");
	self->arg[variant->reserved] = 1;
	EXPECT_EQ(-EINVAL, call(self->fd, variant->cmd, self->arg,
				variant->size));
	EXPECT_TRUE(entry_present(&self->b.lab[0], self->hpasid));
}

/* The kernel looks through no more than a page. */
TEST_F(abi, a_size_above_a_page_is_refused)
{
	char *page;

	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	memcpy(page, self->arg, sizeof(self->arg));
	EXPECT_EQ(-E2BIG, call(self->fd, variant->cmd, page, 4097));
	EXPECT_EQ(-E2BIG, call(self->fd, variant->cmd, page, ~0U));
	EXPECT_EQ(0, call(self->fd, variant->cmd, page, 4096));
	munmap(page, 8192);
}

TEST_F(abi, memory_that_is_not_there_is_a_fault)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *edge;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + 4096, 4096));
	EXPECT_EQ(-EFAULT, gvm_ioctl(self->fd, variant->cmd, NULL));
	edge = page + 4096 - 8;
	EXPECT_EQ(-EFAULT, call(self->fd, variant->cmd, edge, variant->size));
	munmap(page, 4096);
}

TEST(a_file_that_is_not_bound_to_iommufd_is_refused)
{
	struct vfio_device_gpasid_info info = { .argsz = sizeof(info) };
	struct vfio_device_gpasid_unbind unbind = {
		.argsz = sizeof(unbind), .pasid = 1,
	};
	struct vfio_device_gpasid_bind bind = {
		.argsz = sizeof(bind), .format = GPASID_FORMAT_VTD,
		.addr_width = 48, .hpasid = 1,
	};
	struct gvm_dev dev;

	ASSERT_EQ(0, gvm_dev_open(&dev, EP_2A));
	EXPECT_EQ(-EINVAL, gvm_ioctl(dev.fd, VFIO_DEVICE_GPASID_BIND, &bind));
	EXPECT_EQ(-EINVAL, gvm_ioctl(dev.fd, VFIO_DEVICE_GPASID_UNBIND,
				     &unbind));
	EXPECT_EQ(-EINVAL, gvm_ioctl(dev.fd, VFIO_DEVICE_GPASID_INFO, &info));
	gvm_dev_close(&dev);
}

/* ---- PASID numbers ------------------------------------------------------------- */

FIXTURE(pasid)
{
	struct bench b;
};

FIXTURE_SETUP(pasid)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
}

FIXTURE_TEARDOWN(pasid)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

static int alloc_range(struct gvm *vm, __u32 min, __u32 max, __u32 *out)
{
	struct iommu_gpasid_alloc cmd = {
		.size = sizeof(cmd),
		.min = min,
		.max = max,
	};
	int rc = gvm_ioctl(vm->iommufd, IOMMU_GPASID_ALLOC, &cmd);

	*out = cmd.out_hpasid;
	return rc;
}

static void allocated_is(struct __test_metadata *_metadata, struct gvm *vm,
			 __u32 want)
{
	__u32 allocated = ~0U, pending = ~0U;

	ASSERT_EQ(0, gvm_quota_get(vm, NULL, &allocated, &pending));
	EXPECT_EQ(want, allocated);
	EXPECT_EQ(0, pending);
}

TEST_F(pasid, are_given_out_once)
{
	__u32 h[64];
	int i, j;

	for (i = 0; i < 64; i++) {
		ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h[i]));
		EXPECT_GT(h[i], 0);
		EXPECT_LE(h[i], MAX_PASID);
		for (j = 0; j < i; j++)
			EXPECT_NE(h[i], h[j]);
	}
	allocated_is(_metadata, &self->b.vm, 64);
}

TEST_F(pasid, come_from_the_range_asked_for)
{
	__u32 h;
	int i;

	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, alloc_range(&self->b.vm, 0x8000, 0x8007, &h));
		EXPECT_GE(h, 0x8000);
		EXPECT_LE(h, 0x8007);
	}
	EXPECT_EQ(-ENOSPC, alloc_range(&self->b.vm, 0x8000, 0x8007, &h));
	ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, 0x8003));
	ASSERT_EQ(0, alloc_range(&self->b.vm, 0x8000, 0x8007, &h));
	EXPECT_EQ(0x8003, h);
	ASSERT_EQ(0, alloc_range(&self->b.vm, MAX_PASID, MAX_PASID, &h));
	EXPECT_EQ(MAX_PASID, h);
	ASSERT_EQ(0, alloc_range(&self->b.vm, MAX_PASID - 1, 0, &h));
	EXPECT_EQ(MAX_PASID - 1, h);
}

TEST_F(pasid, ranges_that_make_no_sense_are_refused)
{
	__u32 h;

	EXPECT_EQ(-EINVAL, alloc_range(&self->b.vm, 9, 8, &h));
	EXPECT_EQ(-EINVAL, alloc_range(&self->b.vm, 0, MAX_PASID + 1, &h));
	EXPECT_EQ(-EINVAL, alloc_range(&self->b.vm, MAX_PASID + 1, 0, &h));
	EXPECT_EQ(-EINVAL, alloc_range(&self->b.vm, 1, ~0U, &h));
	allocated_is(_metadata, &self->b.vm, 0);
}

TEST_F(pasid, guest_numbers_have_20_bits_and_are_not_0)
{
	__u32 h;

	EXPECT_EQ(-EINVAL, gvm_pasid_alloc_guest(&self->b.vm, 0, &h));
	EXPECT_EQ(-EINVAL, gvm_pasid_alloc_guest(&self->b.vm, MAX_PASID + 1, &h));
	EXPECT_EQ(-EINVAL, gvm_pasid_alloc_guest(&self->b.vm, ~0U, &h));
	EXPECT_EQ(0, gvm_pasid_alloc_guest(&self->b.vm, MAX_PASID, &h));
}

TEST_F(pasid, guest_numbers_are_unique_in_a_context)
{
	__u32 h[2];

	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->b.vm, 0x101, &h[0]));
	EXPECT_EQ(-EEXIST, gvm_pasid_alloc_guest(&self->b.vm, 0x101, &h[1]));
	/* The guest's own 0x101 is taken, whatever the host's is. */
	EXPECT_EQ(-EEXIST, gvm_pasid_alloc_identity(&self->b.vm, 0x101));
	allocated_is(_metadata, &self->b.vm, 1);
}

TEST_F(pasid, guest_and_host_numbers_are_found_by_each_other)
{
	__u32 h[8], got;
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->b.vm, 0x100 + i, &h[i]));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, gvm_pasid_g2h(&self->b.vm, 0x100 + i, &got));
		EXPECT_EQ(h[i], got);
		ASSERT_EQ(0, gvm_pasid_h2g(&self->b.vm, h[i], &got));
		EXPECT_EQ(0x100 + i, got);
	}
}

TEST_F(pasid, look_ups_of_what_is_not_there_fail)
{
	__u32 h, got;

	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->b.vm, 0x101, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->b.vm, ~0U, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_h2g(&self->b.vm, 0, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_h2g(&self->b.vm, 0x12345, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_h2g(&self->b.vm, ~0U, &got));
	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h));
	EXPECT_EQ(-ENOENT, gvm_pasid_h2g(&self->b.vm, h, &got));
}

TEST_F(pasid, free_clears_both_directions)
{
	__u32 h, again, got;

	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->b.vm, 0x101, &h));
	ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, h));
	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->b.vm, 0x101, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_h2g(&self->b.vm, h, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_free(&self->b.vm, h));
	EXPECT_EQ(0, gvm_pasid_alloc_guest(&self->b.vm, 0x101, &again));
	ASSERT_EQ(0, gvm_pasid_g2h(&self->b.vm, 0x101, &got));
	EXPECT_EQ(again, got);
}

TEST_F(pasid, can_be_freed_by_the_guest_number)
{
	__u32 h, got;

	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->b.vm, 0x101, &h));
	EXPECT_EQ(-ENOENT, gvm_pasid_free_guest(&self->b.vm, 0x102));
	EXPECT_EQ(0, gvm_pasid_free_guest(&self->b.vm, 0x101));
	EXPECT_EQ(-ENOENT, gvm_pasid_h2g(&self->b.vm, h, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_free_guest(&self->b.vm, 0x101));
	allocated_is(_metadata, &self->b.vm, 0);
}

TEST_F(pasid, freeing_what_is_not_there_fails)
{
	EXPECT_EQ(-ENOENT, gvm_pasid_free(&self->b.vm, 0));
	EXPECT_EQ(-ENOENT, gvm_pasid_free(&self->b.vm, 0x4321));
	EXPECT_EQ(-ENOENT, gvm_pasid_free(&self->b.vm, MAX_PASID + 1));
	EXPECT_EQ(-ENOENT, gvm_pasid_free(&self->b.vm, ~0U));
}

TEST_F(pasid, of_a_closed_context_can_be_had_again)
{
	struct gvm other;
	__u32 h;

	ASSERT_EQ(0, gvm_open(&other, RAM_GPA, GVM_SZ_2M, 0));
	ASSERT_EQ(0, alloc_range(&other, 0x9000, 0x9000, &h));
	EXPECT_EQ(-ENOSPC, alloc_range(&self->b.vm, 0x9000, 0x9000, &h));
	gvm_close(&other);
	EXPECT_EQ(0, alloc_range(&self->b.vm, 0x9000, 0x9000, &h));
}

/* ---- quota ------------------------------------------------------------------------ */

TEST_F(pasid, quota_is_a_limit)
{
	__u32 h[4], quota;

	ASSERT_EQ(0, gvm_quota_set(&self->b.vm, 3));
	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, &quota, NULL, NULL));
	EXPECT_EQ(3, quota);
	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h[0]));
	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h[1]));
	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h[2]));
	EXPECT_EQ(-ENOSPC, gvm_pasid_alloc(&self->b.vm, &h[3]));
	EXPECT_EQ(-ENOSPC, gvm_pasid_alloc_guest(&self->b.vm, 5, &h[3]));
	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->b.vm, 5, &h[3]));
	allocated_is(_metadata, &self->b.vm, 3);
	ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, h[1]));
	EXPECT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h[3]));
	ASSERT_EQ(0, gvm_quota_set(&self->b.vm, 4));
	EXPECT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h[1]));
}

TEST_F(pasid, quota_cannot_go_below_what_is_allocated)
{
	__u32 h[3], quota;
	int i;

	ASSERT_EQ(0, gvm_quota_set(&self->b.vm, 8));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h[i]));
	EXPECT_EQ(-EBUSY, gvm_quota_set(&self->b.vm, 2));
	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, &quota, NULL, NULL));
	EXPECT_EQ(8, quota);
	EXPECT_EQ(0, gvm_quota_set(&self->b.vm, 3));
}

/* Switch an effective capability on or off; it stays permitted. */
static int set_capability(int which, bool on)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	__u32 bit = CAP_TO_MASK(which);

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[CAP_TO_INDEX(which)].effective &= ~bit;
	data[CAP_TO_INDEX(which)].effective |= on ? bit : 0;
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

TEST_F(pasid, quota_is_raised_by_the_privileged_only)
{
	__u32 quota;

	ASSERT_EQ(0, set_capability(CAP_SYS_RESOURCE, false));
	EXPECT_EQ(0, gvm_quota_set(&self->b.vm, 8));
	EXPECT_EQ(-EPERM, gvm_quota_set(&self->b.vm, 9));
	EXPECT_EQ(0, gvm_quota_set(&self->b.vm, 8));
	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, &quota, NULL, NULL));
	EXPECT_EQ(8, quota);
	ASSERT_EQ(0, set_capability(CAP_SYS_RESOURCE, true));
	EXPECT_EQ(0, gvm_quota_set(&self->b.vm, 9));
}

TEST_F(pasid, quota_of_nothing_or_beyond_all_is_refused)
{
	__u32 before, after;

	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, &before, NULL, NULL));
	EXPECT_EQ(-EINVAL, gvm_quota_set(&self->b.vm, 0));
	EXPECT_EQ(-ENOSPC, gvm_quota_set(&self->b.vm, ~0U));
	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, &after, NULL, NULL));
	EXPECT_EQ(before, after);
}

TEST_F(pasid, quota_is_not_set_by_a_call_that_cannot_answer)
{
	struct iommu_gpasid_quota *cmd;
	__u32 before, after;

	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, &before, NULL, NULL));
	cmd = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)cmd);
	cmd->size = sizeof(*cmd);
	cmd->flags = IOMMU_GPASID_QUOTA_SET;
	cmd->quota = before - 1;
	ASSERT_EQ(0, mprotect(cmd, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, gvm_ioctl(self->b.vm.iommufd, IOMMU_GPASID_QUOTA,
				     cmd));
	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, &after, NULL, NULL));
	EXPECT_EQ(before, after);
	ASSERT_EQ(0, mprotect(cmd, 4096, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, gvm_ioctl(self->b.vm.iommufd, IOMMU_GPASID_QUOTA, cmd));
	EXPECT_EQ(before - 1, cmd->quota);
	munmap(cmd, 4096);
}

/* Nor is a PASID allocated whose number nobody would know. */
TEST_F(pasid, numbers_are_not_given_out_by_a_call_that_cannot_answer)
{
	struct iommu_gpasid_alloc *cmd;

	cmd = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)cmd);
	cmd->size = sizeof(*cmd);
	cmd->flags = IOMMU_GPASID_ALLOC_GPASID;
	cmd->gpasid = 0x101;
	ASSERT_EQ(0, mprotect(cmd, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, gvm_ioctl(self->b.vm.iommufd, IOMMU_GPASID_ALLOC,
				     cmd));
	allocated_is(_metadata, &self->b.vm, 0);
	munmap(cmd, 4096);
}

/* ---- two contexts -------------------------------------------------------------------- */

FIXTURE(isolation)
{
	struct bench a, b;
	struct process pa, pb;
	__u32 victim;
};

FIXTURE_SETUP(isolation)
{
	ASSERT_EQ(0, bench_open(&self->a, 0));
	ASSERT_EQ(0, bench_add(&self->a, EP_1A));
	ASSERT_EQ(0, bench_process(&self->a, &self->pa, 1));
	ASSERT_EQ(0, gvm_bind(&self->a.dev[0], &self->pa.pt, 0x101,
			      &self->victim));
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1B));
	ASSERT_EQ(0, bench_process(&self->b, &self->pb, 2));
}

FIXTURE_TEARDOWN(isolation)
{
	__u32 h = 0;

	/* Whatever was tried, the victim did not notice. */
	EXPECT_EQ(TAG(1), peek_proc(&self->a.lab[0], self->victim, 0));
	EXPECT_EQ(0, gvm_pasid_g2h(&self->a.vm, 0x101, &h));
	EXPECT_EQ(self->victim, h);
	EXPECT_EQ(0, bench_close(&self->b));
	EXPECT_EQ(TAG(1), peek_proc(&self->a.lab[0], self->victim, 0));
	EXPECT_EQ(0, bench_close(&self->a));
}

TEST_F(isolation, a_pasid_of_another_context_cannot_be_bound)
{
	EXPECT_EQ(-ENOENT, gvm_bind_identity(&self->b.dev[0], &self->pb.pt,
					     self->victim));
	EXPECT_FALSE(entry_present(&self->b.lab[0], self->victim));
	ASSERT_EQ(0, gvm_dev_info(&self->b.dev[0], &self->b.info[0]));
	EXPECT_EQ(0, self->b.info[0].out_bound);
}

TEST_F(isolation, a_pasid_of_another_context_cannot_be_replaced)
{
	EXPECT_EQ(-ENOENT, gvm_replace(&self->b.dev[0], &self->pb.pt,
				       self->victim));
}

TEST_F(isolation, a_pasid_of_another_context_cannot_be_unbound)
{
	EXPECT_EQ(-ENOENT, gvm_unbind(&self->b.dev[0], self->victim));
	EXPECT_EQ(-ENOENT, gvm_unbind_guest(&self->b.dev[0], 0x101));
}

TEST_F(isolation, a_pasid_of_another_context_cannot_be_freed)
{
	EXPECT_EQ(-ENOENT, gvm_pasid_free(&self->b.vm, self->victim));
	EXPECT_EQ(-ENOENT, gvm_pasid_free_guest(&self->b.vm, 0x101));
}

TEST_F(isolation, a_pasid_of_another_context_cannot_be_seen)
{
	__u32 got;

	EXPECT_EQ(-ENOENT, gvm_pasid_h2g(&self->b.vm, self->victim, &got));
	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->b.vm, 0x101, &got));
	allocated_is(_metadata, &self->b.vm, 0);
}

TEST_F(isolation, a_pasid_of_another_context_cannot_be_invalidated)
{
	struct iommu_gpasid_inv inv = {
		.pasid = self->victim,
		.flags = IOMMU_GPASID_INV_PASID,
	};
	struct vtdsim_counters before, diff;
	__u32 num = 1;

	ASSERT_EQ(0, lab_counters(&self->b.lab[0], &before));
	EXPECT_EQ(-ENOENT, gvm_invalidate(&self->b.vm, &inv, &num));
	EXPECT_EQ(0, num);
	ASSERT_EQ(0, since(&self->b.lab[0], &before, &diff));
	EXPECT_EQ(0, diff.u_desc_total);
}

/* A guest may have invalidations in its queue for a PASID that it has given up. */
TEST_F(isolation, an_invalidation_can_pass_over_what_is_not_bound)
{
	struct iommu_gpasid_inv inv[3] = {
		{ .flags = IOMMU_GPASID_INV_PASID },
		{ .pasid = self->victim, .flags = IOMMU_GPASID_INV_PASID },
		{ .flags = IOMMU_GPASID_INV_PASID },
	};
	struct iommu_gpasid_invalidate cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_GPASID_INVALIDATE_SKIP,
		.entry_uptr = (uintptr_t)inv,
		.entry_len = sizeof(inv[0]),
		.entry_num = 3,
	};
	struct vtdsim_counters before, diff;
	__u32 h;

	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->pb.pt, 0x102, &h));
	inv[0].pasid = h;
	inv[2].pasid = h;
	ASSERT_EQ(0, lab_counters(&self->b.lab[0], &before));
	EXPECT_EQ(0, gvm_ioctl(self->b.vm.iommufd, IOMMU_GPASID_INVALIDATE,
			       &cmd));
	EXPECT_EQ(3, cmd.entry_num);
	ASSERT_EQ(0, since(&self->b.lab[0], &before, &diff));
	EXPECT_EQ(2, diff.u_desc[VTDSIM_D_PIOTLB]);
	cmd.flags = 0;
	EXPECT_EQ(-ENOENT, gvm_ioctl(self->b.vm.iommufd,
				     IOMMU_GPASID_INVALIDATE, &cmd));
	EXPECT_EQ(1, cmd.entry_num);
	cmd.flags = IOMMU_GPASID_INVALIDATE_SKIP << 1;
	EXPECT_EQ(-EINVAL, gvm_ioctl(self->b.vm.iommufd,
				     IOMMU_GPASID_INVALIDATE, &cmd));
}

/* One that has never had a PASID, either. */
TEST_F(isolation, a_context_without_pasids_can_pass_over_any)
{
	struct iommu_gpasid_inv inv = { .flags = IOMMU_GPASID_INV_PASID };
	struct iommu_gpasid_invalidate cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_GPASID_INVALIDATE_SKIP,
		.entry_uptr = (uintptr_t)&inv,
		.entry_len = sizeof(inv),
		.entry_num = 1,
	};
	struct gvm vm;

	inv.pasid = self->victim;
	ASSERT_EQ(0, gvm_open(&vm, 0, GVM_SZ_4K, 0));
	EXPECT_EQ(0, gvm_ioctl(vm.iommufd, IOMMU_GPASID_INVALIDATE, &cmd));
	EXPECT_EQ(1, cmd.entry_num);
	cmd.flags = 0;
	EXPECT_EQ(-ENOENT, gvm_ioctl(vm.iommufd, IOMMU_GPASID_INVALIDATE,
				     &cmd));
	EXPECT_EQ(0, cmd.entry_num);
	cmd.entry_num = 1;
	inv.npages = 1;
	EXPECT_EQ(-EINVAL, gvm_ioctl(vm.iommufd, IOMMU_GPASID_INVALIDATE,
				     &cmd));
	gvm_close(&vm);
}

TEST_F(isolation, guest_numbers_are_each_contexts_own)
{
	__u32 h, got = 0;

	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->b.vm, 0x101, &h));
	EXPECT_NE(self->victim, h);
	ASSERT_EQ(0, gvm_pasid_g2h(&self->b.vm, 0x101, &got));
	EXPECT_EQ(h, got);
}

TEST_F(isolation, a_host_number_is_one_contexts)
{
	EXPECT_EQ(-ENOSPC, gvm_pasid_alloc_identity(&self->b.vm, self->victim));
	EXPECT_EQ(-ENOSPC, gvm_bind(&self->b.dev[0], &self->pb.pt,
				    self->victim, NULL));
	allocated_is(_metadata, &self->b.vm, 0);
}

TEST_F(isolation, a_device_does_not_reach_by_a_pasid_bound_on_another)
{
	EXPECT_TRUE(refused(peek_proc(&self->b.lab[0], self->victim, 0)));
	EXPECT_TRUE(refused(peek_proc(&self->b.lab[0], self->victim,
				      VTDSIM_F_ATS)));
}

TEST_HARNESS_MAIN
