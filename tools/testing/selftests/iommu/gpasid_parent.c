// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a binding has its second stage from: the parent that the bind names, or
 * that of the device's RID.  Afterwards the RID is free, and the binding keeps
 * its parent by itself.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <linux/iommufd.h>

#include "gpasid_dma_fixture.h"

/* An HWPT of the guest's table, for the RID of a device. */
static int nested_hwpt(struct gvm_dev *dev, __u64 pgtbl, __u32 *hwpt)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = pgtbl,
		.addr_width = 48,
	};
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = dev->devid,
		.pt_id = dev->vm->parent,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(s1),
		.data_uptr = (uintptr_t)&s1,
	};
	int rc = gvm_ioctl(dev->vm->iommufd, IOMMU_HWPT_ALLOC, &cmd);

	*hwpt = cmd.out_hwpt_id;
	return rc;
}

/* An HWPT of the VM's memory that cannot be a parent. */
static int plain_hwpt(struct gvm_dev *dev, __u32 *hwpt)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = dev->devid,
		.pt_id = dev->vm->ioas,
	};
	int rc = gvm_ioctl(dev->vm->iommufd, IOMMU_HWPT_ALLOC, &cmd);

	*hwpt = cmd.out_hwpt_id;
	return rc;
}

static int second_parent(struct gvm_dev *dev, __u32 *hwpt)
{
	return gvm_parent_alloc(dev->vm, dev->devid, dev->vm->ioas, hwpt);
}

/* 8 bytes by DMA without PASID. */
static __u64 peek_rid(struct lab_dev *lab, __u64 addr)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.addr = addr,
		.len = sizeof(__u64),
	};
	int rc = lab_run(lab, 0, &d);

	if (rc == VTDSIM_FAULT)
		return FAULT(d.reason);
	return rc == VTDSIM_DONE ? *(__u64 *)lab_local(lab, 0) :
				   OTHER((unsigned int)rc);
}

static int bind_under(struct gvm_dev *dev, struct process *p, __u32 pasid,
		      __u32 pt_id)
{
	struct vfio_device_gpasid_bind arg = {
		.flags = VFIO_GPASID_BIND_GPASID,
		.addr_width = 48,
		.gpasid = pasid,
		.pgtbl = p->pt.root,
		.pt_id = pt_id,
	};

	return gvm_bind_args(dev, &arg);
}

static __u64 second_stage(struct lab_dev *lab, __u32 pasid)
{
	return entry_word(lab, pasid, 0) & ~0xfffULL;
}

/* ---- the RID is free ---------------------------------------------------------- */

TEST_F(dma, goes_on_when_the_rid_is_detached)
{
	__u64 at = self->p.page;

	EXPECT_EQ(TAG(1), peek_rid(self->lab, at));
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	EXPECT_TRUE(refused(peek_rid(self->lab, at)));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	/* The second stage is alive under it. */
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, PROC_VA + GVM_SZ_1G, HOTPLUG_GPA,
				GVM_SZ_4K, GVM_SZ_4K, GVM_PT_RW));
	ASSERT_EQ(0, gvm_map(&self->b.vm, HOTPLUG_GPA, self->q.mem, GVM_SZ_4K,
			     GVM_MAP_RW));
	EXPECT_EQ(TAG(2), peek(self->lab, self->h, variant->flags,
			       PROC_VA + GVM_SZ_1G));
	ASSERT_EQ(0, gvm_unmap(&self->b.vm, HOTPLUG_GPA, GVM_SZ_4K));
	EXPECT_TRUE(refused(peek(self->lab, self->h, variant->flags,
				 PROC_VA + GVM_SZ_1G)));
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_TRUE(nothing_left(self->lab, self->h));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->b.vm.parent));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, at));
}

TEST_F(dma, goes_on_when_the_rid_has_another_parent)
{
	__u32 other;

	ASSERT_EQ(0, second_parent(self->dev, &other));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, other));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	/* A bind that names no parent takes the one that the RID has now. */
	ASSERT_EQ(0, gvm_bind(self->dev, &self->q.pt, 0x102, NULL));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, 0x102, variant->flags));
	EXPECT_EQ(second_stage(self->lab, 0), second_stage(self->lab, 0x102));
	EXPECT_NE(second_stage(self->lab, 0), second_stage(self->lab, self->h));
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, 0x102, variant->flags));
}

TEST_F(dma, goes_on_when_the_rid_is_nested)
{
	__u32 nested;

	ASSERT_EQ(0, nested_hwpt(self->dev, self->q.pt.root, &nested));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, nested));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	EXPECT_EQ(TAG(2), peek_rid(self->lab, PROC_VA));
	/* The parent of the RID's HWPT is the one to bind under. */
	ASSERT_EQ(0, gvm_bind(self->dev, &self->q.pt, 0x102, NULL));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, 0x102, variant->flags));
	EXPECT_EQ(second_stage(self->lab, self->h),
		  second_stage(self->lab, 0x102));
	ASSERT_EQ(0, gvm_unbind(self->dev, 0x102));
	EXPECT_EQ(TAG(2), peek_rid(self->lab, PROC_VA));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->b.vm.parent));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	EXPECT_EQ(TAG(1), peek_rid(self->lab, self->p.page));
}

struct reader {
	struct lab_dev *lab;
	__u32 pasid;
	unsigned int flags;
	atomic_int stop;
	unsigned long dma, wrong;
	__u64 got;
};

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	__u64 got;

	while (!r->stop) {
		got = peek_proc(r->lab, r->pasid, r->flags);
		r->dma++;
		if (got == TAG(1))
			continue;
		r->wrong++;
		r->got = got;
	}
	return NULL;
}

TEST_F_TIMEOUT(dma, never_faults_while_the_rid_is_moved, 120)
{
	struct reader r = {
		.lab = self->lab,
		.pasid = self->h,
		.flags = variant->flags,
	};
	__u32 to[4], i;
	pthread_t thread;

	to[0] = self->b.vm.parent;
	to[1] = self->b.vm.ioas;
	ASSERT_EQ(0, second_parent(self->dev, &to[2]));
	ASSERT_EQ(0, nested_hwpt(self->dev, self->q.pt.root, &to[3]));
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader_main, &r));
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(0, gvm_dev_attach(self->dev, to[i % 4]));
		if (i % 3 == 0)
			EXPECT_EQ(0, gvm_dev_detach(self->dev));
	}
	r.stop = 1;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, r.wrong) TH_LOG("%lu wrong, got %llx", r.wrong, r.got);
	EXPECT_GT(r.dma, 0);
	TH_LOG("%lu reads", r.dma);
}

/* ---- the parent that a bind names ------------------------------------------------- */

TEST_F(dma, works_under_a_parent_that_the_rid_is_not_on)
{
	__u32 other;

	ASSERT_EQ(0, second_parent(self->dev, &other));
	ASSERT_EQ(0, gvm_pasid_alloc_identity(&self->b.vm, 0x102));
	ASSERT_EQ(0, bind_under(self->dev, &self->q, 0x102, other));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, 0x102, variant->flags));
	EXPECT_NE(second_stage(self->lab, 0), second_stage(self->lab, 0x102));
	EXPECT_EQ(second_stage(self->lab, 0), second_stage(self->lab, self->h));
	EXPECT_NE(entry_word(self->lab, self->h, 1) & 0xffff,
		  entry_word(self->lab, 0x102, 1) & 0xffff);
}

TEST_F(dma, needs_no_attached_rid)
{
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	ASSERT_EQ(0, gvm_pasid_alloc_identity(&self->b.vm, 0x102));
	EXPECT_EQ(-ENODEV, bind_under(self->dev, &self->q, 0x102, 0));
	ASSERT_EQ(0, bind_under(self->dev, &self->q, 0x102,
				self->b.vm.parent));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, 0x102, variant->flags));
}

FIXTURE(parent)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p;
	__u32 other;
};

FIXTURE_SETUP(parent)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, gvm_pasid_alloc_identity(&self->b.vm, 0x101));
	ASSERT_EQ(0, second_parent(self->dev, &self->other));
}

FIXTURE_TEARDOWN(parent)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

/* The bind fails with @err, and its parent is as free as before. */
#define EXPECT_REFUSED(err, pasid, pt_id) do {				\
	EXPECT_EQ(err, bind_under(self->dev, &self->p, pasid, pt_id));	\
	EXPECT_TRUE(nothing_left(self->lab, 0));			\
} while (0)

TEST_F(parent, must_be_a_nest_parent)
{
	__u32 hwpt;

	EXPECT_REFUSED(-ENOENT, 0x101, self->b.vm.ioas);
	EXPECT_REFUSED(-ENOENT, 0x101, self->dev->devid);
	EXPECT_REFUSED(-ENOENT, 0x101, 0x7fff);
	ASSERT_EQ(0, plain_hwpt(self->dev, &hwpt));
	EXPECT_REFUSED(-EINVAL, 0x101, hwpt);
	ASSERT_EQ(0, nested_hwpt(self->dev, self->p.pt.root, &hwpt));
	EXPECT_REFUSED(-ENOENT, 0x101, hwpt);
	EXPECT_EQ(0, bind_under(self->dev, &self->p, 0x101, self->other));
}

TEST_F(parent, of_another_context_does_not_exist)
{
	struct gvm_dev dev;
	struct gvm vm;
	__u32 id;

	ASSERT_EQ(0, gvm_open(&vm, RAM_GPA, GVM_SZ_2M, 0));
	ASSERT_EQ(0, gvm_dev_open(&dev, EP_2A));
	ASSERT_EQ(0, gvm_dev_bind(&dev, &vm));
	/* A number that is a parent there and nothing here. */
	do {
		ASSERT_EQ(0, gvm_parent_alloc(&vm, dev.devid, vm.ioas, &id));
	} while (id <= self->other);
	EXPECT_REFUSED(-ENOENT, 0x101, id);
	gvm_dev_close(&dev);
	gvm_close(&vm);
}

TEST_F(parent, cannot_be_destroyed_under_a_binding)
{
	struct gvm *vm = &self->b.vm;

	ASSERT_EQ(0, bind_under(self->dev, &self->p, 0x101, self->other));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x102, NULL));
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	EXPECT_EQ(-EBUSY, gvm_destroy(vm, self->other));
	EXPECT_EQ(-EBUSY, gvm_destroy(vm, vm->parent));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, 0x101, 0));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, 0x102, 0));
	/* Unbind and free give it up. */
	ASSERT_EQ(0, gvm_unbind(self->dev, 0x101));
	EXPECT_EQ(0, gvm_destroy(vm, self->other));
	ASSERT_EQ(0, gvm_pasid_free(vm, 0x102));
	EXPECT_EQ(0, gvm_destroy(vm, vm->parent));
}

TEST_F(parent, is_given_up_with_the_last_of_many_bindings)
{
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, gvm_pasid_alloc_identity(&self->b.vm, 0x200 + i));
		ASSERT_EQ(0, bind_under(self->dev, &self->p, 0x200 + i,
					self->other));
	}
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(-EBUSY, gvm_destroy(&self->b.vm, self->other));
		ASSERT_EQ(0, gvm_unbind(self->dev, 0x200 + i));
	}
	EXPECT_EQ(0, gvm_destroy(&self->b.vm, self->other));
}

TEST_F(parent, is_given_up_when_the_device_is_closed)
{
	ASSERT_EQ(0, bind_under(self->dev, &self->p, 0x101, self->other));
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	EXPECT_EQ(0, gvm_destroy(&self->b.vm, self->other));
}

TEST_F(parent, is_not_kept_by_a_bind_that_fails)
{
	struct process bad = self->p;

	bad.pt.root |= 8;
	EXPECT_EQ(-EINVAL, bind_under(self->dev, &bad, 0x101, self->other));
	EXPECT_REFUSED(-ENOENT, 0x102, self->other);
	ASSERT_EQ(0, bind_under(self->dev, &self->p, 0x101, self->b.vm.parent));
	/* One PASID of a device has one parent. */
	EXPECT_EQ(-EBUSY, bind_under(self->dev, &self->p, 0x101, self->other));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, 0x101, 0));
	EXPECT_EQ(0, gvm_destroy(&self->b.vm, self->other));
}

TEST_HARNESS_MAIN
