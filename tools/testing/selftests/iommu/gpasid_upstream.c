// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PASID part of iommufd's and VFIO's own ABI, call by call with each errno.
 * Passes on an unmodified Linux 7.3, which is the reference, and asks the same
 * of this project's kernel:
 *
 *	scripts/lab run --kernel DIR --no-gpasid -- build/selftests/gpasid_upstream
 *
 * What DMA does after the calls is gpasid_upstream_dma's, fault queues are
 * gpasid_upstream_pri's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define PASID		1	/* what every Linux guest begins with */
#define OTHER_PASID	2
#define NO_ID		0x7ffffff0
#define ECAP_NEST	(1ULL << 26)

/* ---- one device, two processes, a nested HWPT for each ------------------- */

FIXTURE(abi)
{
	struct bench b;
	struct gvm *vm;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, q;
	__u32 hp, hq;
	unsigned int width;
	__u64 caps;
};

FIXTURE_SETUP(abi)
{
	self->vm = &self->b.vm;
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_open(&self->b, GVM_PASID));
	ASSERT_EQ(0, bench_add_vfio(&self->b, EP_1A));
	ASSERT_EQ(0, gvm_dev_pasid_info(self->dev, &self->width, &self->caps));
	if (!self->width)
		SKIP(return, "no PASIDs");
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt, GVM_HWPT_PASID,
				     &self->hp));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->q.pt, GVM_HWPT_PASID,
				     &self->hq));
}

FIXTURE_TEARDOWN(abi)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

/* ---- IOMMU_HWPT_ALLOC ---------------------------------------------------- */

/* Everything that the ioctl can say; size and dev_id are filled in. */
static int alloc_args(struct gvm_dev *dev, struct iommu_hwpt_alloc *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->dev_id = dev->devid;
	return gvm_ioctl(dev->vm->iommufd, IOMMU_HWPT_ALLOC, cmd);
}

static void nested_args(struct gvm_dev *dev, struct iommu_hwpt_alloc *cmd,
			struct iommu_hwpt_vtd_s1 *s1)
{
	memset(cmd, 0, sizeof(*cmd));
	cmd->flags = GVM_HWPT_PASID;
	cmd->pt_id = dev->vm->parent;
	cmd->data_type = IOMMU_HWPT_DATA_VTD_S1;
	cmd->data_len = sizeof(*s1);
	cmd->data_uptr = (uintptr_t)s1;
}

TEST_F(abi, alloc_takes_the_pasid_flag_with_any_other_of_a_paging_hwpt)
{
	__u32 kinds = GVM_HWPT_NEST_PARENT | GVM_HWPT_DIRTY;
	int dirty_rc = self->caps & GVM_HW_CAP_DIRTY ? 0 : -EOPNOTSUPP;
	__u32 flags, hwpt;

	for (flags = 0; flags <= kinds; flags++) {
		int want = flags & GVM_HWPT_DIRTY ? dirty_rc : 0;

		ASSERT_EQ(want, gvm_hwpt_alloc(self->dev, self->vm->ioas,
					       flags | GVM_HWPT_PASID, &hwpt))
			TH_LOG("flags %x", flags);
		if (!want)
			EXPECT_EQ(0, gvm_destroy(self->vm, hwpt));
	}
}

TEST_F(abi, alloc_takes_the_pasid_flag_for_a_nested_hwpt)
{
	__u32 with, without;

	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt, GVM_HWPT_PASID,
				     &with));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt, 0, &without));
	EXPECT_NE(with, without);
	EXPECT_EQ(0, gvm_destroy(self->vm, with));
	EXPECT_EQ(0, gvm_destroy(self->vm, without));
}

TEST_F(abi, alloc_refuses_other_flags)
{
	struct iommu_hwpt_vtd_s1 s1 = { .addr_width = 48 };
	struct iommu_hwpt_alloc cmd;
	__u32 bit, hwpt;

	for (bit = 1 << 4; bit; bit <<= 1) {
		EXPECT_EQ(-EOPNOTSUPP,
			  gvm_hwpt_alloc(self->dev, self->vm->ioas,
					 bit | GVM_HWPT_PASID, &hwpt));
		nested_args(self->dev, &cmd, &s1);
		cmd.flags |= bit;
		EXPECT_EQ(-EOPNOTSUPP, alloc_args(self->dev, &cmd));
	}
	/* A parent's faults are the nested HWPTs'. */
	EXPECT_EQ(-EOPNOTSUPP, gvm_hwpt_alloc(self->dev, self->vm->ioas,
					      GVM_HWPT_NEST_PARENT |
					      GVM_HWPT_FAULT | GVM_HWPT_PASID,
					      &hwpt));
	/* What belongs to the second stage. */
	for (bit = GVM_HWPT_NEST_PARENT; bit <= GVM_HWPT_DIRTY; bit <<= 1) {
		nested_args(self->dev, &cmd, &s1);
		cmd.flags |= bit;
		EXPECT_EQ(-EOPNOTSUPP, alloc_args(self->dev, &cmd));
	}
}

TEST_F(abi, alloc_checks_its_reserved_fields_and_its_data)
{
	struct iommu_hwpt_vtd_s1 s1 = { .addr_width = 48 };
	struct iommu_hwpt_alloc cmd;

	nested_args(self->dev, &cmd, &s1);
	cmd.__reserved = 1;
	EXPECT_EQ(-EOPNOTSUPP, alloc_args(self->dev, &cmd));
	nested_args(self->dev, &cmd, &s1);
	cmd.data_type = IOMMU_HWPT_DATA_NONE;
	EXPECT_EQ(-EINVAL, alloc_args(self->dev, &cmd));
	cmd.data_len = 0;
	EXPECT_EQ(-EOPNOTSUPP, alloc_args(self->dev, &cmd));
	nested_args(self->dev, &cmd, &s1);
	cmd.data_len = 0;
	EXPECT_EQ(-EINVAL, alloc_args(self->dev, &cmd));
	cmd.data_len = sizeof(s1) - 1;
	EXPECT_EQ(-EINVAL, alloc_args(self->dev, &cmd));
	cmd.data_type = IOMMU_HWPT_DATA_VTD_S1 + 1;
	cmd.data_len = sizeof(s1);
	EXPECT_EQ(-EOPNOTSUPP, alloc_args(self->dev, &cmd));
	nested_args(self->dev, &cmd, &s1);
	cmd.data_uptr = 0;
	EXPECT_EQ(-EFAULT, alloc_args(self->dev, &cmd));
	/* A second stage has no data. */
	nested_args(self->dev, &cmd, &s1);
	cmd.pt_id = self->vm->ioas;
	EXPECT_EQ(-EOPNOTSUPP, alloc_args(self->dev, &cmd));
	/* The structure of a later kernel is not taken, whatever it says. */
	nested_args(self->dev, &cmd, &s1);
	cmd.data_len = sizeof(s1) + 8;
	EXPECT_EQ(-EINVAL, alloc_args(self->dev, &cmd));
}

TEST_F(abi, alloc_wants_a_device_and_a_parent)
{
	struct iommu_hwpt_vtd_s1 s1 = { .addr_width = 48 };
	struct iommu_hwpt_alloc cmd;
	__u32 paging;

	nested_args(self->dev, &cmd, &s1);
	cmd.size = sizeof(cmd);
	cmd.dev_id = NO_ID;
	EXPECT_EQ(-ENOENT, gvm_ioctl(self->vm->iommufd, IOMMU_HWPT_ALLOC, &cmd));
	cmd.dev_id = self->hp;
	EXPECT_EQ(-ENOENT, gvm_ioctl(self->vm->iommufd, IOMMU_HWPT_ALLOC, &cmd));
	cmd.pt_id = NO_ID;
	EXPECT_EQ(-EINVAL, alloc_args(self->dev, &cmd));
	cmd.pt_id = self->dev->devid;
	EXPECT_EQ(-EINVAL, alloc_args(self->dev, &cmd));
	cmd.pt_id = self->hp;
	EXPECT_EQ(-EINVAL, alloc_args(self->dev, &cmd));
	/* A second stage that was not made to be one of two. */
	ASSERT_EQ(0, gvm_hwpt_alloc(self->dev, self->vm->ioas, GVM_HWPT_PASID,
				    &paging));
	cmd.pt_id = paging;
	EXPECT_EQ(-EINVAL, alloc_args(self->dev, &cmd));
}

/* ---- the structures of VFIO ---------------------------------------------- */

static int attach_raw(struct gvm_dev *dev, __u32 argsz, __u32 flags,
		      __u32 pt_id, __u32 pasid)
{
	struct { struct gvm_attach_pt pt; char more[4096]; } cmd = {
		.pt = {
			.argsz = argsz,
			.flags = flags,
			.pt_id = pt_id,
			.pasid = pasid,
		},
	};

	return gvm_ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
}

static int detach_raw(struct gvm_dev *dev, __u32 argsz, __u32 flags,
		      __u32 pasid)
{
	struct { struct gvm_detach_pt pt; char more[4096]; } cmd = {
		.pt = {
			.argsz = argsz,
			.flags = flags,
			.pasid = pasid,
		},
	};

	return gvm_ioctl(dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

/* The last @size bytes before a page that is not there. */
static void *at_the_edge(size_t size)
{
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (two == MAP_FAILED)
		return NULL;
	if (munmap(two + 4096, 4096))
		return NULL;
	return two + 4096 - size;
}

TEST_F(abi, attach_wants_argsz_to_cover_the_fields_that_it_reads)
{
	__u32 parent = self->vm->parent;

	EXPECT_EQ(-EINVAL, attach_raw(self->dev, 0, 0, parent, 0));
	EXPECT_EQ(-EINVAL, attach_raw(self->dev, 11, 0, parent, 0));
	EXPECT_EQ(0, attach_raw(self->dev, 12, 0, parent, 0));
	EXPECT_EQ(-EINVAL, attach_raw(self->dev, 12, GVM_BY_PASID, parent, PASID));
	EXPECT_EQ(-EINVAL, attach_raw(self->dev, 15, GVM_BY_PASID, parent, PASID));
	EXPECT_FALSE(entry_present(self->lab, PASID));
	EXPECT_EQ(0, attach_raw(self->dev, 16, GVM_BY_PASID, parent, PASID));
	EXPECT_TRUE(entry_present(self->lab, PASID));
	EXPECT_EQ(0, attach_raw(self->dev, 4096, GVM_BY_PASID, parent, PASID));
	EXPECT_EQ(0, attach_raw(self->dev, ~0U, GVM_BY_PASID, parent, PASID));
}

TEST_F(abi, detach_wants_argsz_to_cover_the_fields_that_it_reads)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(-EINVAL, detach_raw(self->dev, 0, 0, 0));
	EXPECT_EQ(-EINVAL, detach_raw(self->dev, 7, 0, 0));
	EXPECT_EQ(-EINVAL, detach_raw(self->dev, 8, GVM_BY_PASID, PASID));
	EXPECT_EQ(-EINVAL, detach_raw(self->dev, 11, GVM_BY_PASID, PASID));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0));
	EXPECT_EQ(0, detach_raw(self->dev, 12, GVM_BY_PASID, PASID));
	EXPECT_FALSE(entry_present(self->lab, PASID));
	EXPECT_EQ(0, detach_raw(self->dev, ~0U, GVM_BY_PASID, PASID));
	EXPECT_EQ(0, detach_raw(self->dev, 8, 0, 0));
}

TEST_F(abi, attach_and_detach_refuse_other_flags)
{
	__u32 bit;

	for (bit = 2; bit; bit <<= 1) {
		EXPECT_EQ(-EINVAL, attach_raw(self->dev, 16, bit | GVM_BY_PASID,
					      self->hp, PASID));
		EXPECT_EQ(-EINVAL, attach_raw(self->dev, 16, bit, self->hp, 0));
		EXPECT_EQ(-EINVAL, detach_raw(self->dev, 12, bit | GVM_BY_PASID,
					      PASID));
		EXPECT_EQ(-EINVAL, detach_raw(self->dev, 12, bit, 0));
	}
	EXPECT_FALSE(entry_present(self->lab, PASID));
}

/* A program that was built with the shorter structures hands over no more. */
TEST_F(abi, nothing_is_read_beyond_what_the_flags_ask_for)
{
	struct gvm_attach_pt *attach = at_the_edge(12);
	struct gvm_detach_pt *detach = at_the_edge(8);

	ASSERT_NE(NULL, attach);
	ASSERT_NE(NULL, detach);
	attach->argsz = 16;
	attach->flags = 0;
	attach->pt_id = self->vm->parent;
	EXPECT_EQ(0, gvm_ioctl(self->dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
			       attach));
	attach->flags = GVM_BY_PASID;
	EXPECT_EQ(-EFAULT, gvm_ioctl(self->dev->fd,
				     VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach));
	detach->argsz = 12;
	detach->flags = GVM_BY_PASID;
	EXPECT_EQ(-EFAULT, gvm_ioctl(self->dev->fd,
				     VFIO_DEVICE_DETACH_IOMMUFD_PT, detach));
	detach->flags = 0;
	EXPECT_EQ(0, gvm_ioctl(self->dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT,
			       detach));
}

TEST_F(abi, the_pasid_field_says_nothing_without_its_flag)
{
	EXPECT_EQ(0, attach_raw(self->dev, 16, 0, self->vm->parent, PASID));
	EXPECT_FALSE(entry_present(self->lab, PASID));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(0, detach_raw(self->dev, 12, 0, PASID));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0));
}

TEST(a_device_file_without_an_iommufd_attaches_nothing)
{
	struct gvm_dev dev;

	ASSERT_EQ(0, gvm_dev_open(&dev, EP_1A));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(&dev, PASID, 1));
	EXPECT_EQ(-EINVAL, gvm_pasid_detach(&dev, PASID));
	gvm_dev_close(&dev);
}

/* ---- what can be attached ------------------------------------------------ */

TEST_F(abi, attach_returns_the_id_of_the_hwpt)
{
	struct gvm_attach_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = GVM_BY_PASID,
		.pt_id = self->hp,
		.pasid = PASID,
	};

	ASSERT_EQ(0, gvm_ioctl(self->dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT,
			       &cmd));
	EXPECT_EQ(self->hp, cmd.pt_id);
}

TEST_F(abi, attach_wants_an_hwpt)
{
	__u32 fault;
	int fd;

	EXPECT_EQ(-ENOENT, gvm_pasid_attach(self->dev, PASID, NO_ID));
	EXPECT_EQ(-ENOENT, gvm_pasid_attach(self->dev, PASID, 0));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, self->dev->devid));
	ASSERT_EQ(0, gvm_fault_queue(self->vm, &fault, &fd));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, fault));
	EXPECT_EQ(0, close(fd));
	EXPECT_FALSE(entry_present(self->lab, PASID));
}

/* The HWPT that iommufd makes for an IOAS is none for PASIDs. */
TEST_F(abi, attach_refuses_an_ioas)
{
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, self->vm->ioas));
	EXPECT_FALSE(entry_present(self->lab, PASID));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, self->vm->ioas));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0));
}

TEST_F(abi, attach_wants_the_pasid_flag_of_the_hwpt)
{
	__u32 nested, paging;

	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt, 0, &nested));
	ASSERT_EQ(0, gvm_hwpt_alloc(self->dev, self->vm->ioas, 0, &paging));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, nested));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, paging));
	EXPECT_FALSE(entry_present(self->lab, PASID));
	/* Neither is it what a PASID can be changed to. */
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, nested));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, paging));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, 0));
	EXPECT_EQ(0, gvm_destroy(self->vm, nested));
	EXPECT_EQ(0, gvm_destroy(self->vm, paging));
}

TEST_F(abi, attach_wants_the_pasid_flag_of_the_hwpt_of_the_rid)
{
	__u32 plain;

	ASSERT_EQ(0, gvm_hwpt_alloc(self->dev, self->vm->ioas,
				    GVM_HWPT_NEST_PARENT, &plain));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, plain));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_FALSE(entry_present(self->lab, PASID));
	/* A RID that is attached to nothing asks for nothing. */
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0));
}

TEST_F(abi, a_rid_beside_pasids_keeps_to_hwpts_with_the_flag)
{
	__u32 plain, nested;

	ASSERT_EQ(0, gvm_hwpt_alloc(self->dev, self->vm->ioas,
				    GVM_HWPT_NEST_PARENT, &plain));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt, 0, &nested));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(-EINVAL, gvm_dev_attach(self->dev, plain));
	EXPECT_EQ(-EINVAL, gvm_dev_attach(self->dev, nested));
	EXPECT_EQ(-EINVAL, gvm_dev_attach(self->dev, self->vm->ioas));
	EXPECT_EQ(0, gvm_dev_attach(self->dev, self->hq));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0));
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	EXPECT_EQ(-EINVAL, gvm_dev_attach(self->dev, plain));
	EXPECT_EQ(-EINVAL, gvm_dev_attach(self->dev, self->vm->ioas));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(0, gvm_dev_attach(self->dev, plain));
}

TEST_F(abi, attach_checks_the_pasid_against_the_width)
{
	__u32 last = (1U << self->width) - 1;

	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, last + 1, self->hp));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, 0x7fffffff, self->hp));
	EXPECT_EQ(-ENOSPC, gvm_pasid_attach(self->dev, 0x80000000, self->hp));
	EXPECT_EQ(-ENOSPC, gvm_pasid_attach(self->dev, 0xffffffff, self->hp));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hp));
	EXPECT_EQ(0, gvm_pasid_attach(self->dev, last, self->hq));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, last, 0));
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, last + 1));
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, 0xffffffff));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, last, 0));
}

/*
 * PASID 0 is the RID's.  With the RID attached that is -EBUSY.  Without, 7.3
 * attaches the RID by mistake; no program should depend on that.
 */
TEST_F(abi, attach_refuses_pasid_0_while_the_rid_is_attached)
{
	EXPECT_EQ(-EBUSY, gvm_pasid_attach(self->dev, 0, self->hp));
	EXPECT_EQ(-EBUSY, gvm_pasid_attach(self->dev, 0, self->vm->parent));
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, 0));
	EXPECT_EQ(self->vm->parent, self->dev->hwpt);
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->dev->hwpt));
}

/*
 * What the unit cannot do shows at the attach, not at the allocation.  7.3 has
 * taken the old entry away by then, so what DMA reads afterwards is not asked.
 */
TEST_F(abi, attach_checks_the_format_of_the_table)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = self->p.pt.root,
		.addr_width = 39,
	};
	struct iommu_hwpt_alloc cmd;

	nested_args(self->dev, &cmd, &s1);
	ASSERT_EQ(0, alloc_args(self->dev, &cmd));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, cmd.out_hwpt_id));
	EXPECT_FALSE(entry_present(self->lab, PASID));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, PASID, cmd.out_hwpt_id));
	EXPECT_EQ(0, gvm_destroy(self->vm, cmd.out_hwpt_id));
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->hq));
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hq));
}

/* ---- references ---------------------------------------------------------- */

TEST_F(abi, an_attached_hwpt_cannot_be_destroyed)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, self->hp));
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->hp));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->hp));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, OTHER_PASID));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hp));
	EXPECT_EQ(-ENOENT, gvm_pasid_attach(self->dev, PASID, self->hp));
}

TEST_F(abi, a_replaced_hwpt_can_be_destroyed_at_once)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hp));
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->hq));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->vm->parent));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hq));
}

TEST_F(abi, a_refused_attach_keeps_no_reference)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(self->dev, 1U << self->width,
					    self->hq));
	EXPECT_EQ(-EBUSY, gvm_pasid_attach(self->dev, 0, self->hq));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hq));
}

TEST_F(abi, an_attach_of_what_is_attached_changes_nothing)
{
	struct vtdsim_counters c;

	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, lab_counters(self->lab, &c));
	EXPECT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, since(self->lab, &c, &c));
	EXPECT_EQ(0, c.u_desc_total);
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hp));
}

TEST_F(abi, a_parent_lives_as_long_as_what_stands_on_it)
{
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->vm->parent));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hp));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hq));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->vm->parent));
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->vm->parent));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->vm->parent));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->vm->ioas));
}

TEST_F(abi, a_bound_device_cannot_be_destroyed)
{
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->dev->devid));
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->dev->devid));
}

/* ---- IOMMU_HWPT_INVALIDATE ----------------------------------------------- */

static int inval_args(struct gvm *vm, __u32 hwpt,
		      struct iommu_hwpt_vtd_s1_invalidate *inv, __u32 *num)
{
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.data_uptr = (uintptr_t)inv,
		.entry_len = sizeof(*inv),
		.entry_num = *num,
	};
	int rc = gvm_ioctl(vm->iommufd, IOMMU_HWPT_INVALIDATE, &cmd);

	*num = cmd.entry_num;
	return rc;
}

TEST_F(abi, an_invalidation_of_what_is_attached_nowhere_is_fine)
{
	EXPECT_EQ(0, gvm_hwpt_invalidate(self->vm, self->hp, PROC_VA, 1, true));
	EXPECT_EQ(0, gvm_hwpt_invalidate_all(self->vm, self->hp));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(0, gvm_hwpt_invalidate_all(self->vm, self->hp));
}

TEST_F(abi, an_invalidation_wants_a_nested_hwpt)
{
	EXPECT_EQ(-ENOENT, gvm_hwpt_invalidate_all(self->vm, NO_ID));
	EXPECT_EQ(-EINVAL, gvm_hwpt_invalidate_all(self->vm, self->vm->parent));
	EXPECT_EQ(-EINVAL, gvm_hwpt_invalidate_all(self->vm, self->vm->ioas));
	EXPECT_EQ(-EINVAL, gvm_hwpt_invalidate_all(self->vm, self->dev->devid));
}

TEST_F(abi, an_invalidation_is_checked_entry_by_entry)
{
	static const struct {
		struct iommu_hwpt_vtd_s1_invalidate inv;
		int rc;
	} bad[] = {
		{ { .addr = PROC_VA + 1, .npages = 1 }, -EINVAL },
		{ { .addr = PROC_VA, .npages = ~0ULL }, -EINVAL },
		{ { .addr = PROC_VA, .npages = 1, .flags = 2 }, -EOPNOTSUPP },
		{ { .npages = 1, .__reserved = 1 }, -EOPNOTSUPP },
	};
	struct iommu_hwpt_vtd_s1_invalidate inv[3] = {
		{ .addr = PROC_VA, .npages = 1 },
		{ .npages = ~0ULL },
	};
	unsigned int i;
	__u32 num;

	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		/* What came before it is done, and counted. */
		inv[2] = bad[i].inv;
		num = 3;
		EXPECT_EQ(bad[i].rc, inval_args(self->vm, self->hp, inv, &num));
		EXPECT_EQ(2, num);
		num = 1;
		EXPECT_EQ(bad[i].rc, inval_args(self->vm, self->hp, inv + 2,
						&num));
		EXPECT_EQ(0, num);
	}
	num = 2;
	EXPECT_EQ(0, inval_args(self->vm, self->hp, inv, &num));
	EXPECT_EQ(2, num);
}

TEST_F(abi, an_invalidation_is_checked_as_a_whole)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = { .npages = ~0ULL };
	const struct iommu_hwpt_invalidate good = {
		.size = sizeof(good),
		.hwpt_id = self->hp,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.data_uptr = (uintptr_t)&inv,
		.entry_len = sizeof(inv),
		.entry_num = 1,
	};
	struct iommu_hwpt_invalidate cmd = good;
	int fd = self->vm->iommufd;

	cmd.__reserved = 1;
	EXPECT_EQ(-EOPNOTSUPP, gvm_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd));
	EXPECT_EQ(0, cmd.entry_num);
	cmd = good;
	cmd.data_type++;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd));
	EXPECT_EQ(0, cmd.entry_num);
	cmd = good;
	cmd.data_uptr = 0;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd));
	cmd = good;
	cmd.entry_len = 0;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd));
	cmd = good;
	cmd.entry_len = sizeof(inv) - 1;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd));
	cmd = good;
	cmd.entry_len = 4097;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd));
	/* No call may keep a processor for as long as it likes. */
	cmd = good;
	cmd.entry_num = (1 << 19) + 1;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd));
	EXPECT_EQ(0, cmd.entry_num);
	/* How a VMM asks whether the type is known. */
	cmd = good;
	cmd.entry_num = 0;
	cmd.entry_len = 0;
	cmd.data_uptr = 0;
	EXPECT_EQ(0, gvm_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd));
	cmd.data_type++;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd));
}

/* ---- IOMMU_GET_HW_INFO --------------------------------------------------- */

TEST_F(abi, hw_info_tells_of_pasids_what_the_device_has_enabled)
{
	__u32 ctl = lab_regs(self->lab)->ctl;
	__u64 want = 0;

	EXPECT_EQ(VTDSIM_CTL_PASID, ctl & VTDSIM_CTL_PASID);
	EXPECT_LE(self->width, 20);
	if (ctl & VTDSIM_CTL_PASID_EXEC)
		want |= GVM_HW_CAP_PASID_EXEC;
	if (ctl & VTDSIM_CTL_PASID_PRIV)
		want |= GVM_HW_CAP_PASID_PRIV;
	if (!(ctl & VTDSIM_CTL_ATS))
		want |= GVM_HW_CAP_NO_ATS;
	EXPECT_EQ(want, self->caps & ~(__u64)GVM_HW_CAP_DIRTY);
}

TEST_F(abi, hw_info_fills_a_longer_buffer_with_zeros)
{
	struct { struct iommu_hw_info_vtd vtd; __u64 more[2]; } buf;
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = self->dev->devid,
		.data_len = sizeof(buf),
		.data_uptr = (uintptr_t)&buf,
	};

	memset(&buf, 0xff, sizeof(buf));
	ASSERT_EQ(0, gvm_ioctl(self->vm->iommufd, IOMMU_GET_HW_INFO, &cmd));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, cmd.out_data_type);
	EXPECT_EQ(sizeof(buf.vtd), cmd.data_len);
	EXPECT_EQ(self->b.ecap[0], buf.vtd.ecap_reg);
	EXPECT_EQ(0, buf.more[0] | buf.more[1]);
	/* The length is told without a buffer, too. */
	cmd.data_len = 0;
	cmd.data_uptr = 0;
	ASSERT_EQ(0, gvm_ioctl(self->vm->iommufd, IOMMU_GET_HW_INFO, &cmd));
	EXPECT_EQ(sizeof(buf.vtd), cmd.data_len);
}

/* out_data_type is in_data_type, too, where the flag says so. */
static int hw_info_type(struct gvm_dev *dev, __u32 flags, __u32 *type)
{
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = dev->devid,
		.out_data_type = *type,
	};
	int rc = gvm_ioctl(dev->vm->iommufd, IOMMU_GET_HW_INFO, &cmd);

	*type = cmd.out_data_type;
	return rc;
}

TEST_F(abi, hw_info_is_of_the_type_that_is_asked_for)
{
	__u32 type = IOMMU_HW_INFO_TYPE_INTEL_VTD + 1;

	EXPECT_EQ(0, hw_info_type(self->dev, 0, &type));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, type);
	EXPECT_EQ(0, hw_info_type(self->dev, GVM_HW_INFO_INPUT_TYPE, &type));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, type);
	type = 0;
	EXPECT_EQ(0, hw_info_type(self->dev, GVM_HW_INFO_INPUT_TYPE, &type));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, type);
	type = IOMMU_HW_INFO_TYPE_INTEL_VTD + 1;
	EXPECT_EQ(-EOPNOTSUPP, hw_info_type(self->dev, GVM_HW_INFO_INPUT_TYPE,
					    &type));
}

TEST_F(abi, hw_info_checks_its_arguments)
{
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = self->dev->devid,
	};

	cmd.flags = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, gvm_ioctl(self->vm->iommufd, IOMMU_GET_HW_INFO,
					 &cmd));
	cmd.flags = 0;
	cmd.__reserved[2] = 1;
	EXPECT_EQ(-EOPNOTSUPP, gvm_ioctl(self->vm->iommufd, IOMMU_GET_HW_INFO,
					 &cmd));
	cmd.__reserved[2] = 0;
	cmd.dev_id = self->hp;
	EXPECT_EQ(-ENOENT, gvm_ioctl(self->vm->iommufd, IOMMU_GET_HW_INFO,
				     &cmd));
}

/* ---- IOMMU_IOAS_MAP_FILE --------------------------------------------------- */

/* A memfd of @pages, each of which begins with TAG(page). */
static int tagged_memfd(unsigned int pages)
{
	int fd = memfd_create("tagged", MFD_CLOEXEC);
	unsigned int i;
	__u64 tag;

	for (i = 0; fd >= 0 && i < pages; i++) {
		tag = TAG(i);
		if (pwrite(fd, &tag, sizeof(tag), i * GVM_SZ_4K) != sizeof(tag) ||
		    ftruncate(fd, (i + 1) * GVM_SZ_4K)) {
			close(fd);
			fd = -1;
		}
	}
	return fd;
}

TEST_F(abi, a_file_is_memory_that_nobody_has_mapped)
{
	__u64 va = PROC_VA + GVM_SZ_1G, val;
	int i, fd = tagged_memfd(40);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, HOTPLUG_GPA, 32 * GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, gvm_map_file(self->vm, HOTPLUG_GPA, fd, 8 * GVM_SZ_4K,
				  32 * GVM_SZ_4K, GVM_MAP_RW));
	for (i = 0; i < 32; i++)
		EXPECT_EQ(TAG(8 + i), peek(self->lab, PASID, 0,
					   va + i * GVM_SZ_4K));
	EXPECT_EQ(TAG(77), poke(self->lab, PASID, 0, va, TAG(77)));
	ASSERT_EQ(sizeof(val), pread(fd, &val, sizeof(val), 8 * GVM_SZ_4K));
	EXPECT_EQ(TAG(77), val);
	/* The mapping keeps the file, and another HWPT on the IOAS has it, too. */
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(TAG(9), peek(self->lab, PASID, 0, va + GVM_SZ_4K));
	ASSERT_EQ(0, gvm_unmap(self->vm, HOTPLUG_GPA, 32 * GVM_SZ_4K));
	EXPECT_TRUE(refused(peek(self->lab, PASID, 0, va)));
}

TEST_F(abi, a_second_hwpt_has_what_a_file_was_mapped_to_before)
{
	int fd = tagged_memfd(4);
	__u32 paging;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, gvm_map_file(self->vm, HOTPLUG_GPA, fd, 0, 4 * GVM_SZ_4K,
				  GVM_MAP_RW));
	EXPECT_EQ(0, close(fd));
	ASSERT_EQ(0, gvm_hwpt_alloc(self->dev, self->vm->ioas, GVM_HWPT_PASID,
				    &paging));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, paging));
	EXPECT_EQ(TAG(3), peek(self->lab, PASID, 0,
			       HOTPLUG_GPA + 3 * GVM_SZ_4K));
}

TEST_F(abi, map_file_checks_its_arguments)
{
	const struct gvm_ioas_map_file good = {
		.size = sizeof(good),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = self->vm->ioas,
		.fd = tagged_memfd(4),
		.length = GVM_SZ_4K,
		.iova = HOTPLUG_GPA,
	};
	struct gvm_ioas_map_file cmd = good;
	int fd = self->vm->iommufd;

	cmd.flags |= 1 << 3;
	EXPECT_EQ(-EOPNOTSUPP, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	cmd = good;
	cmd.flags = IOMMU_IOAS_MAP_FIXED_IOVA;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	cmd = good;
	cmd.ioas_id = self->hp;
	EXPECT_EQ(-ENOENT, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	cmd = good;
	cmd.fd = -1;
	EXPECT_EQ(-EBADF, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	cmd = good;
	cmd.fd = fd;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	cmd = good;
	cmd.length = 0;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	cmd = good;
	cmd.start = 4 * GVM_SZ_4K;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	cmd = good;
	cmd.start = ~0xfffULL;
	cmd.length = 2 * GVM_SZ_4K;
	EXPECT_EQ(-EOVERFLOW, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	cmd = good;
	EXPECT_EQ(0, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	EXPECT_EQ(HOTPLUG_GPA, cmd.iova);
	EXPECT_EQ(-EEXIST, gvm_ioctl(fd, GVM_IOAS_MAP_FILE, &cmd));
	EXPECT_EQ(0, close(good.fd));
}

/*
 * Nothing is attached to the IOAS, so no page is looked for.  A file that holds the
 * context would be held by it in turn: neither would ever be released.
 */
TEST(a_file_that_is_not_memory_is_refused_before_a_page_of_it_is_pinned)
{
	struct gvm_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.length = GVM_SZ_4K,
		.iova = HOTPLUG_GPA,
	};
	struct gvm_dev dev;
	struct gvm vm;
	int zero;

	ASSERT_EQ(0, gvm_open(&vm, RAM_GPA, GVM_SZ_2M, 0));
	ASSERT_EQ(0, gvm_dev_open(&dev, EP_1A));
	ASSERT_EQ(0, gvm_dev_bind(&dev, &vm));
	cmd.ioas_id = vm.ioas;
	cmd.fd = vm.iommufd;
	EXPECT_EQ(-EINVAL, gvm_ioctl(vm.iommufd, GVM_IOAS_MAP_FILE, &cmd));
	cmd.fd = dev.fd;
	EXPECT_EQ(-EINVAL, gvm_ioctl(vm.iommufd, GVM_IOAS_MAP_FILE, &cmd));
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, zero);
	cmd.fd = zero;
	EXPECT_EQ(-EINVAL, gvm_ioctl(vm.iommufd, GVM_IOAS_MAP_FILE, &cmd));
	close(zero);
	cmd.fd = tagged_memfd(1);
	ASSERT_LE(0, cmd.fd);
	EXPECT_EQ(0, gvm_ioctl(vm.iommufd, GVM_IOAS_MAP_FILE, &cmd));
	close(cmd.fd);
	gvm_dev_close(&dev);
	gvm_close(&vm);
	/* A device that is held cannot be opened again. */
	ASSERT_EQ(0, gvm_dev_open(&dev, EP_1A));
	gvm_dev_close(&dev);
}

/* As for a shared mapping of a process. */
TEST(a_file_that_is_sealed_against_writes_is_mapped_to_be_read)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct gvm vm;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, GVM_SZ_4K));
	ASSERT_EQ(0, gvm_open(&vm, RAM_GPA, GVM_SZ_2M, 0));
	ASSERT_EQ(0, gvm_map_file(&vm, HOTPLUG_GPA, fd, 0, GVM_SZ_4K,
				  GVM_MAP_RW));
	EXPECT_EQ(-1, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	EXPECT_EQ(-EPERM, gvm_map_file(&vm, HOTPLUG_GPA + GVM_SZ_4K, fd, 0,
				       GVM_SZ_4K, GVM_MAP_RW));
	ASSERT_EQ(0, gvm_unmap(&vm, HOTPLUG_GPA, GVM_SZ_4K));

	EXPECT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(-EPERM, gvm_map_file(&vm, HOTPLUG_GPA, fd, 0, GVM_SZ_4K,
				       GVM_MAP_RW));
	EXPECT_EQ(0, gvm_map_file(&vm, HOTPLUG_GPA, fd, 0, GVM_SZ_4K,
				  GVM_MAP_READ));
	EXPECT_EQ(0, close(fd));
	gvm_close(&vm);
}

/* ---- units of two kinds -------------------------------------------------- */

/* -EINVAL tells a VMM to allocate another HWPT for this device; nothing else does. */
TEST(a_unit_that_cannot_nest_refuses_a_parent_of_another)
{
	__u64 cap, ecap;
	struct gvm_dev other;
	struct process p;
	struct bench b;
	__u32 hwpt;

	ASSERT_EQ(0, bench_open(&b, GVM_PASID));
	ASSERT_EQ(0, gvm_dev_open(&other, EP_2A));
	ASSERT_EQ(0, gvm_dev_bind(&other, &b.vm));
	ASSERT_EQ(0, gvm_dev_vtd_caps(&other, &cap, &ecap));
	if (ecap & ECAP_NEST) {
		gvm_dev_close(&other);
		EXPECT_EQ(0, bench_close(&b));
		SKIP(return, "every unit can nest");
	}
	ASSERT_EQ(0, bench_add_vfio(&b, EP_1A));
	ASSERT_EQ(0, bench_process(&b, &p, 1));
	ASSERT_EQ(0, gvm_hwpt_nested(&b.dev[0], &p.pt, GVM_HWPT_PASID, &hwpt));
	EXPECT_EQ(-EINVAL, gvm_dev_attach(&other, b.vm.parent));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(&other, PASID, b.vm.parent));
	EXPECT_EQ(-EINVAL, gvm_pasid_attach(&other, PASID, hwpt));
	EXPECT_EQ(0, gvm_destroy(&b.vm, hwpt));
	/* And for this device there is neither parent nor nested HWPT. */
	EXPECT_EQ(-EOPNOTSUPP, gvm_hwpt_nested(&other, &p.pt, GVM_HWPT_PASID,
					       &hwpt));
	EXPECT_EQ(-EOPNOTSUPP, gvm_hwpt_alloc(&other, b.vm.ioas,
					      GVM_HWPT_NEST_PARENT |
					      GVM_HWPT_PASID, &hwpt));
	gvm_dev_close(&other);
	EXPECT_EQ(0, bench_close(&b));
}

/* ---- a device that has no PASIDs ----------------------------------------- */

/*
 * 7.3 answers 0 to the attach and does nothing, on which no program should
 * depend; the test asks only what comes of it.
 */
TEST(a_device_without_pasids_gets_none)
{
	unsigned int width;
	struct bench b;
	__u64 caps;
	__u32 hwpt;

	ASSERT_EQ(0, bench_open(&b, GVM_PASID));
	ASSERT_EQ(0, bench_add_vfio(&b, EP_1A));
	ASSERT_EQ(0, gvm_dev_pasid_info(&b.dev[0], &width, &caps));
	if (width) {
		EXPECT_EQ(0, bench_close(&b));
		SKIP(return, "the device has PASIDs");
	}
	EXPECT_EQ(0, caps & (GVM_HW_CAP_PASID_EXEC | GVM_HW_CAP_PASID_PRIV));
	/* The flag is about the HWPT, and another device may have PASIDs. */
	ASSERT_EQ(0, gvm_hwpt_alloc(&b.dev[0], b.vm.ioas, GVM_HWPT_PASID,
				    &hwpt));
	gvm_pasid_attach(&b.dev[0], PASID, hwpt);
	EXPECT_FALSE(entry_present(&b.lab[0], PASID));
	EXPECT_EQ(0, gvm_pasid_detach(&b.dev[0], PASID));
	EXPECT_EQ(0, gvm_destroy(&b.vm, hwpt));
	EXPECT_EQ(0, bench_close(&b));
}

TEST_HARNESS_MAIN
