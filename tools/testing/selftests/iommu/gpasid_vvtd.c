// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual VT-d unit over iommufd and VFIO: the test plays the guest, which
 * writes tables, registers and descriptors; the device does DMA by what the
 * guest has written.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../../lib/vtd/iommufd.h"
#include "../../../lib/vtd/vtd.h"

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define SID	0x0008
#define PASID	5

FIXTURE(vvtd)
{
	struct bench b;
	struct gvm *vm;
	struct lab_dev *lab;
	struct process p, q;
	struct vvtd_iommufd host;
	struct vvtd *v;
	struct vvtd_dev *dev;
	u64 ctx, entries, iq, status, prq;
	u32 iqt;
};

#define GUEST	FIXTURE_DATA(vvtd)

/* The guest's RAM is all that the unit may reach. */
static void *ram_ptr(void *ctx, uint64_t gpa, size_t len, bool write)
{
	struct gvm *vm = ctx;

	(void)write;
	return gvm_ram_ptr(&vm->ram, gpa, len);
}

static void msi(void *ctx, uint64_t addr, uint32_t data)
{
	(void)ctx;
	(void)addr;
	(void)data;
}

static uint64_t no_time(void *ctx)
{
	(void)ctx;
	return 0;
}

static const struct vvtd_ops ops = {
	.ptr = ram_ptr,
	.msi = msi,
	.now = no_time,
	.bind = vvtd_iommufd_bind,
	.replace = vvtd_iommufd_replace,
	.unbind = vvtd_iommufd_unbind,
	.invalidate = vvtd_iommufd_invalidate,
	.respond = vvtd_iommufd_respond,
	.domain_alloc = vvtd_iommufd_domain_alloc,
	.domain_free = vvtd_iommufd_domain_free,
	.map = vvtd_iommufd_map,
	.unmap = vvtd_iommufd_unmap,
};

static u64 *at(struct gvm *vm, u64 gpa)
{
	return gvm_ram_ptr(&vm->ram, gpa, 8);
}

static void run(struct vvtd *v)
{
	while (vvtd_run(v) == VVTD_MORE)
		;
}

/* A descriptor and a wait for it; returns the status that the wait wrote. */
static u64 submit(GUEST *self, u64 d0, u64 d1)
{
	u64 *q = at(self->vm, self->iq + self->iqt);

	*at(self->vm, self->status) = 0;
	memset(q, 0, 64);
	q[0] = d0;
	q[1] = d1;
	q[4] = INV_WAIT | WAIT_SW | 1ULL << 32;
	q[5] = self->status;
	self->iqt = (self->iqt + 64) % 4096;
	vvtd_write(self->v, REG_IQT, 8, self->iqt);
	run(self->v);
	return *at(self->vm, self->status);
}

static u64 pasid_changed(GUEST *self)
{
	return submit(self, INV_PASID_CACHE | 1 << 4 | 2 << 16 |
		      (u64)PASID << 32, 0);
}

static void set_entry(GUEST *self, u32 pasid, u64 q0, u64 q2)
{
	u64 *e = at(self->vm, self->entries + pasid * 64);

	e[2] = q2;
	e[1] = 2;
	e[0] = q0;
}

static void first_stage(GUEST *self, const struct gvm_pt *pt)
{
	set_entry(self, PASID, PE_P | PE_PGTT_IS(PGTT_FIRST), pt->root);
}

/* Root, context, directory and PASID table of the device; queues. */
static void guest_boot(GUEST *self)
{
	u64 root = gvm_ram_alloc_page(&self->vm->ram);
	u64 table = gvm_ram_alloc_page(&self->vm->ram);
	u64 dir = gvm_ram_alloc_page(&self->vm->ram);

	self->entries = gvm_ram_alloc_page(&self->vm->ram);
	self->iq = gvm_ram_alloc_page(&self->vm->ram);
	self->status = gvm_ram_alloc_page(&self->vm->ram);
	self->prq = gvm_ram_alloc_page(&self->vm->ram);
	self->ctx = table + SID * 32;
	*at(self->vm, root) = table | ROOT_P;
	*at(self->vm, self->ctx) = dir | CTX_P | CTX_DTE | CTX_PASIDE | CTX_PRE;
	*at(self->vm, dir) = self->entries | PDE_P;
	set_entry(self, 0, PE_P | PE_PGTT_IS(PGTT_PASSTHROUGH), 0);
	vvtd_write(self->v, REG_RTADDR, 8, root | TTM_SCALABLE << 10);
	vvtd_write(self->v, REG_GCMD, 4, GCMD_SRTP);
	run(self->v);
	vvtd_write(self->v, REG_IQA, 8, self->iq | IQA_DW);
	vvtd_write(self->v, REG_PQA, 8, self->prq);
	vvtd_write(self->v, REG_GCMD, 4, GCMD_QIE | GCMD_TE);
	run(self->v);
}

FIXTURE_SETUP(vvtd)
{
	struct vvtd_config config;
	struct vvtd_host_caps caps;
	char why[128] = "";
	int fd;

	self->vm = &self->b.vm;
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_open(&self->b, GVM_PASID));
	ASSERT_EQ(0, bench_add_vfio(&self->b, EP_1A));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	self->host = (struct vvtd_iommufd){
		.iommufd = self->vm->iommufd,
		.vfio = self->b.dev[0].fd,
		.devid = self->b.dev[0].devid,
		.parent = self->vm->parent,
		.ioas = self->vm->ioas,
	};
	ASSERT_EQ(0, gvm_fault_queue(self->vm, &self->host.fault_id, &fd));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	self->host.fault_fd = fd;
	ASSERT_EQ(0, vvtd_iommufd_caps(&self->host, &caps));
	vvtd_config_init(&config);
	config.page_requests = true;
	config.second_stage = true;
	ASSERT_EQ(0, vvtd_check_host(&config, &caps, why, sizeof(why)));
	self->v = vvtd_create(&config, &ops, self->vm);
	ASSERT_NE(NULL, self->v);
	ASSERT_EQ(0, vvtd_dev_add(self->v, SID, &caps, &self->host, &self->dev));
	run(self->v);
	guest_boot(self);
}

FIXTURE_TEARDOWN(vvtd)
{
	if (self->v)
		vvtd_destroy(self->v);
	close(self->host.fault_fd);
	EXPECT_EQ(0, bench_close(&self->b));
}

TEST_F(vvtd, an_entry_of_the_guest_is_bound_by_its_invalidation)
{
	EXPECT_TRUE(refused(peek_proc(self->lab, PASID, 0)));
	first_stage(self, &self->p.pt);
	ASSERT_EQ(1, pasid_changed(self));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0));
	EXPECT_EQ(self->p.pt.root, entry_word(self->lab, PASID, 2) & ~0xfffULL);
}

TEST_F(vvtd, a_changed_entry_is_replaced_and_one_that_is_gone_unbound)
{
	first_stage(self, &self->p.pt);
	ASSERT_EQ(1, pasid_changed(self));
	first_stage(self, &self->q.pt);
	ASSERT_EQ(1, pasid_changed(self));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, 0));
	set_entry(self, PASID, 0, 0);
	ASSERT_EQ(1, pasid_changed(self));
	EXPECT_TRUE(refused(peek_proc(self->lab, PASID, 0)));
	EXPECT_TRUE(nothing_left(self->lab, PASID));
}

TEST_F(vvtd, a_pass_through_entry_reaches_guest_physical_memory)
{
	set_entry(self, PASID, PE_P | PE_PGTT_IS(PGTT_PASSTHROUGH), 0);
	ASSERT_EQ(1, pasid_changed(self));
	EXPECT_EQ(TAG(1), peek(self->lab, PASID, 0, self->p.page));
}

TEST_F(vvtd, an_unmap_of_the_guest_is_seen_by_the_device_after_its_invalidation)
{
	first_stage(self, &self->p.pt);
	ASSERT_EQ(1, pasid_changed(self));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, VTDSIM_F_ATS));
	ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, self->q.page));
	ASSERT_EQ(1, submit(self, INV_PIOTLB | 3 << 4 | 2 << 16 |
			    (u64)PASID << 32, PROC_VA | BIT_ULL(6)));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, VTDSIM_F_ATS));
}

/* A table of four levels, with room for one page at IOVA; its leaf entry. */
#define IOVA	0x1234567000ULL

static u64 *second_stage(GUEST *self, u64 *root)
{
	u64 table = gvm_ram_alloc_page(&self->vm->ram);
	int level;

	*root = table;
	for (level = 4; level > 1; level--) {
		u64 next = gvm_ram_alloc_page(&self->vm->ram);

		at(self->vm, table)[IOVA >> (3 + 9 * level) & 511] =
			next | SS_R | SS_W;
		table = next;
	}
	return &at(self->vm, table)[IOVA >> 12 & 511];
}

TEST_F(vvtd, a_second_stage_table_of_the_guest_is_shadowed)
{
	u64 root, *leaf = second_stage(self, &root);

	*leaf = self->p.page | SS_R | SS_W;
	set_entry(self, PASID, PE_P | PE_PGTT_IS(PGTT_SECOND) | PE_AW_IS(2) |
		  root, 0);
	ASSERT_EQ(1, pasid_changed(self));
	EXPECT_EQ(TAG(1), peek(self->lab, PASID, 0, IOVA));
	EXPECT_TRUE(refused(peek(self->lab, PASID, 0, IOVA + 0x1000)));
	*leaf = self->q.page | SS_R;
	ASSERT_EQ(1, submit(self, INV_IOTLB | 3 << 4 | 2 << 16, IOVA));
	EXPECT_EQ(TAG(2), peek(self->lab, PASID, 0, IOVA));
	EXPECT_TRUE(refused(poke(self->lab, PASID, 0, IOVA, 1)));
	*leaf = 0;
	ASSERT_EQ(1, submit(self, INV_IOTLB | 2 << 4 | 2 << 16, 0));
	EXPECT_TRUE(refused(peek(self->lab, PASID, 0, IOVA)));
	set_entry(self, PASID, 0, 0);
	ASSERT_EQ(1, pasid_changed(self));
	EXPECT_TRUE(nothing_left(self->lab, PASID));
}

TEST_F(vvtd, a_wrong_entry_is_a_fault_of_the_guest_and_binds_nothing)
{
	set_entry(self, PASID, PE_P | PE_PGTT_IS(7), 0);
	ASSERT_EQ(1, pasid_changed(self));
	EXPECT_EQ(FR_SPT_4, vvtd_read(self->v, REG_FRCD + 12, 4) & 0xff);
	EXPECT_FALSE(entry_present(self->lab, PASID));
}

TEST_F(vvtd, translation_off_leaves_the_device_without_pasids)
{
	first_stage(self, &self->p.pt);
	ASSERT_EQ(1, pasid_changed(self));
	vvtd_write(self->v, REG_GCMD, 4, GCMD_QIE);
	run(self->v);
	EXPECT_TRUE(nothing_left(self->lab, PASID));
}

TEST_F(vvtd, a_page_request_is_answered_by_the_guest)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ, .flags = VTDSIM_F_PASID | VTDSIM_F_ATS |
						VTDSIM_F_PRI,
		.pasid = PASID, .addr = PROC_VA + 0x1000, .len = 8,
	};
	u64 *entry = at(self->vm, self->prq);
	int i;

	first_stage(self, &self->p.pt);
	ASSERT_EQ(1, pasid_changed(self));
	ASSERT_EQ(0, lab_submit(self->lab, 0, &d));
	for (i = 0; i < 20000 && !entry[0]; i++) {
		ASSERT_LE(0, vvtd_iommufd_page_requests(&self->host, self->dev));
		usleep(1000);
	}
	EXPECT_EQ(1 | BIT_ULL(8) | SID << 16 | (u64)PASID << 32,
		  entry[0] & ~(BIT_ULL(52) | BIT_ULL(53)));
	EXPECT_EQ(PROC_VA + 0x1000, entry[1] & ~0xfffULL);
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, PROC_VA + 0x1000, self->q.page,
				4096, GVM_SZ_4K, GVM_PT_RW));
	ASSERT_EQ(1, submit(self, (INV_PGRP_RESP & 15) | BIT_ULL(4) |
			    SID << 16 | (u64)PASID << 32,
			    entry[1] & 0xff8));
	ASSERT_EQ(0, lab_wait(self->lab, 0, 20000));
	lab_result(self->lab, 0, 0, &d);
	EXPECT_EQ(VTDSIM_DONE, d.status);
	EXPECT_EQ(TAG(2), *(u64 *)lab_local(self->lab, 0));
}

TEST_HARNESS_MAIN
