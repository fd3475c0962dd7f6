// SPDX-License-Identifier: GPL-2.0-only
/*
 * ATS and page requests are the device's, whatever its RID is attached to: the
 * parent, a nested HWPT (what a guest with DMA remapping causes), or nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define HOTPLUG_VA	(PROC_VA + GVM_SZ_1G)

static int fault_alloc(struct gvm *vm, __u32 *id, int *fd)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };
	int rc = gvm_ioctl(vm->iommufd, IOMMU_FAULT_QUEUE_ALLOC, &cmd);

	if (!rc) {
		*id = cmd.out_fault_id;
		*fd = cmd.out_fault_fd;
	}
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

/* 8 bytes through the device TLB, without PASID; never without ATS. */
static __u64 peek_rid(struct lab_dev *lab, __u64 va)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = VTDSIM_F_ATS,
		.addr = va,
		.len = sizeof(__u64),
	};
	int status = lab_run(lab, 0, &d);
	__u64 val;

	memcpy(&val, lab_local(lab, 0), sizeof(val));
	switch (status) {
	case VTDSIM_DONE:
		return val;
	case VTDSIM_FAULT:
		return FAULT(d.reason);
	case VTDSIM_ATS_DENIED:
		return DENIED;
	}
	return OTHER((__u32)status);
}

/* Answers that the device found in its TLB, until now. */
static __u64 hits(struct lab_dev *lab)
{
	struct vtdsim_counters c;

	return lab_counters(lab, &c) ? ~0ULL : c.u_hits_devtlb;
}

static bool ats_is_on(struct lab_dev *lab)
{
	return lab_regs(lab)->ctl & VTDSIM_CTL_ATS;
}

static __u32 caps_of(struct gvm_dev *dev)
{
	struct vfio_device_gpasid_info info;

	return gvm_dev_info(dev, &info) ? 0 : info.out_caps;
}

FIXTURE(rid)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p;
	__u32 hwpt;
};

FIXTURE_SETUP(rid)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, nested_alloc(self->dev, self->p.pt.root, 0, &self->hwpt));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->hwpt));
}

FIXTURE_TEARDOWN(rid)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

TEST_F(rid, keeps_ats_and_pri_whatever_it_is_attached_to)
{
	__u32 want = GPASID_CAP_ATS | GPASID_CAP_PRI;

	EXPECT_TRUE(ats_is_on(self->lab));
	EXPECT_EQ(want, caps_of(self->dev) & want);
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	EXPECT_TRUE(ats_is_on(self->lab));
	EXPECT_EQ(want, caps_of(self->dev) & want);
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->b.vm.parent));
	EXPECT_TRUE(ats_is_on(self->lab));
	EXPECT_EQ(want, caps_of(self->dev) & want);
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->hwpt));
	EXPECT_TRUE(ats_is_on(self->lab));
	EXPECT_EQ(want, caps_of(self->dev) & want);
}

TEST_F(rid, keeps_ats_over_a_reset)
{
	ASSERT_EQ(0, gvm_dev_reset(self->dev));
	ASSERT_EQ(0, gvm_dev_enable(self->dev, true));
	ASSERT_EQ(0, lab_dev_restart(self->lab));
	EXPECT_TRUE(ats_is_on(self->lab));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, PROC_VA));
}

TEST_F(rid, translates_by_ats_through_both_stages)
{
	__u64 then = hits(self->lab);

	EXPECT_EQ(TAG(1), peek_rid(self->lab, PROC_VA));
	EXPECT_EQ(then, hits(self->lab));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, PROC_VA));
	EXPECT_EQ(then + 1, hits(self->lab));
}

TEST_F(rid, device_tlb_follows_the_second_stage)
{
	__u64 *mem = gvm_ram_ptr(&self->b.vm.ram, self->p.page, GVM_SZ_4K);
	__u64 then;

	ASSERT_EQ(0, gvm_map(&self->b.vm, HOTPLUG_GPA, mem, GVM_SZ_4K,
			     GVM_MAP_RW));
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, HOTPLUG_VA, HOTPLUG_GPA, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, HOTPLUG_VA));
	ASSERT_EQ(0, gvm_unmap(&self->b.vm, HOTPLUG_GPA, GVM_SZ_4K));
	then = hits(self->lab);
	EXPECT_EQ(DENIED, peek_rid(self->lab, HOTPLUG_VA));
	EXPECT_EQ(then, hits(self->lab));
}

TEST_F(rid, device_tlb_follows_the_guests_invalidation)
{
	__u64 other = gvm_ram_alloc_page(&self->b.vm.ram);
	__u64 then;

	ASSERT_NE(0, other);
	*(__u64 *)gvm_ram_ptr(&self->b.vm.ram, other, 8) = TAG(2);
	EXPECT_EQ(TAG(1), peek_rid(self->lab, PROC_VA));
	ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, other));
	ASSERT_EQ(0, invalidate(&self->b.vm, self->hwpt, PROC_VA, 1));
	then = hits(self->lab);
	EXPECT_EQ(TAG(2), peek_rid(self->lab, PROC_VA));
	EXPECT_EQ(then, hits(self->lab));
}

TEST_F(rid, device_tlb_is_flushed_by_replace_and_detach)
{
	__u64 then;

	EXPECT_EQ(TAG(1), peek_rid(self->lab, PROC_VA));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->b.vm.parent));
	then = hits(self->lab);
	EXPECT_EQ(DENIED, peek_rid(self->lab, PROC_VA));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, self->p.page));
	EXPECT_EQ(then, hits(self->lab));
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	EXPECT_EQ(FAULT(LAB_R_PASID_NOT_PRESENT),
		  peek_rid(self->lab, self->p.page));
	EXPECT_EQ(then, hits(self->lab));
}

/* Requests of the RID itself are not the matter: the device has PASIDs, too. */
/* What is on its way when the drain begins is the old HWPT's. */
TEST_F_TIMEOUT(rid, a_request_that_arrives_with_the_drain_is_not_the_next_hwpts, 240)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_PAGE_REQUEST,
		.flags = VTDSIM_F_ATS | VTDSIM_F_PRI,
		.addr = PROC_VA,
		.operand = VTDSIM_PRQ_READ | VTDSIM_PRQ_LAST |
			   VTDSIM_PRQ_GROUP(300),
	};
	struct pollfd next = { .events = POLLIN };
	__u32 fault[2], hwpt[2];
	int fd[2], i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fault_alloc(&self->b.vm, &fault[i], &fd[i]));
		ASSERT_EQ(0, nested_alloc(self->dev, self->p.pt.root, fault[i],
					  &hwpt[i]));
	}
	ASSERT_EQ(0, gvm_dev_attach(self->dev, hwpt[1]));
	for (i = 0; i < 20; i++) {
		lab_fail(self->lab, LAB_FAIL(late), 1);
		ASSERT_EQ(0, lab_submit(self->lab, 0, &d));
		while (!__atomic_load_n(&lab_regs(self->lab)->pri_outstanding,
					__ATOMIC_ACQUIRE))
			;
		ASSERT_EQ(0, gvm_dev_attach(self->dev, hwpt[i & 1]));
		next.fd = fd[i & 1];
		EXPECT_EQ(0, poll(&next, 1, 20));
		EXPECT_EQ(0, lab_wait(self->lab, 0, 8000));
	}
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->hwpt));
	for (i = 0; i < 2; i++)
		close(fd[i]);
}

TEST_F(rid, can_have_page_requests_switched_on_while_nested)
{
	__u32 fault, hwpt;
	int fd;

	ASSERT_EQ(0, fault_alloc(&self->b.vm, &fault, &fd));
	ASSERT_EQ(0, nested_alloc(self->dev, self->p.pt.root, fault, &hwpt));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, hwpt));
	EXPECT_NE(0, lab_regs(self->lab)->ctl & VTDSIM_CTL_PRI);
	EXPECT_EQ(TAG(1), peek_rid(self->lab, PROC_VA));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->hwpt));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, PROC_VA));
	close(fd);
}

/* Bus mastering of a device that no VMM has; its driver does not mind. */
static int master(const char *address)
{
	__u16 bits = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	char path[128];
	int fd, rc = 0;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pwrite(fd, &bits, sizeof(bits), PCI_COMMAND) != sizeof(bits))
		rc = -EIO;
	close(fd);
	return rc;
}

/* What the lab's first page begins with, read by its host-physical address. */
static int read_physical(struct lab_dev *lab, __u64 *val)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.addr = VTDSIM_WINDOW_BASE + VTDSIM_CONFIG_OFF,
		.len = sizeof(*val),
	};
	int status = lab_run(lab, 0, &d);

	memcpy(val, lab_local(lab, 0), sizeof(*val));
	return status;
}

TEST(pass_through_ends_when_a_vmm_takes_the_device)
{
	struct gvm_dev dev = { .fd = -1 };
	struct lab_dev lab = {};
	struct bench b;
	__u64 val;

	ASSERT_EQ(0, bench_open(&b, 0));
	ASSERT_EQ(0, gvm_dev_open(&dev, EP_1A));
	ASSERT_EQ(0, lab_dev_open_sysfs(&lab, EP_1A));
	/* The host's own domain; iommu=pt on the command line. */
	ASSERT_EQ(0, master(EP_1A));
	ASSERT_EQ(VTDSIM_DONE, read_physical(&lab, &val));
	EXPECT_EQ(VTDSIM_CONFIG_MAGIC, val);

	ASSERT_EQ(0, gvm_dev_bind(&dev, &b.vm));
	ASSERT_EQ(0, gvm_dev_enable(&dev, true));
	ASSERT_EQ(0, lab_dev_restart(&lab));
	EXPECT_EQ(VTDSIM_FAULT, read_physical(&lab, &val));

	gvm_dev_close(&dev);
	lab_dev_close(&lab);
	EXPECT_EQ(0, bench_close(&b));
}

TEST_HARNESS_MAIN
