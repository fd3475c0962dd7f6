// SPDX-License-Identifier: GPL-2.0-only
/*
 * What needs no PASIDs, on a unit of any mode: an IOAS attached to a device, DMA
 * through it, mappings that come and go.  Upstream's ABI alone, for units without
 * scalable mode, without a queue, with write buffers.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define ROUNDS	20
#define IOVA	HOTPLUG_GPA

FIXTURE(modes)
{
	struct gvm vm;
	struct gvm_dev dev;
	struct lab_dev lab;
	struct vtdsim_counters start;
	__u64 *page[2];
};

FIXTURE_VARIANT(modes)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(modes, plain)
{
	.flags = 0,
};

FIXTURE_VARIANT_ADD(modes, ats)
{
	.flags = VTDSIM_F_ATS,
};

/* Upstream's driver switches it on with an attach. */
static bool has_ats(struct gvm_dev *dev, struct lab_dev *lab)
{
	bool on;

	if (gvm_dev_attach(dev, dev->vm->ioas))
		return false;
	on = lab_regs(lab)->ctl & VTDSIM_CTL_ATS;
	return !gvm_dev_detach(dev) && on;
}

FIXTURE_SETUP(modes)
{
	int i;

	ASSERT_EQ(0, gvm_open(&self->vm, RAM_GPA, RAM_SIZE, 0));
	ASSERT_EQ(0, gvm_dev_open(&self->dev, EP_1A));
	ASSERT_EQ(0, gvm_dev_bind(&self->dev, &self->vm));
	ASSERT_EQ(0, gvm_dev_enable(&self->dev, true));
	ASSERT_EQ(0, gvm_dev_map_bar(&self->dev));
	ASSERT_EQ(0, lab_dev_init(&self->lab, self->dev.bar));
	ASSERT_EQ(0, lab_counters(&self->lab, &self->start));
	if (variant->flags && !has_ats(&self->dev, &self->lab))
		SKIP(return, "no ATS");
	for (i = 0; i < 2; i++) {
		self->page[i] = mmap(NULL, GVM_SZ_4K, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, (void *)self->page[i]);
		*self->page[i] = TAG(i);
	}
}

FIXTURE_TEARDOWN(modes)
{
	struct vtdsim_counters now;

	EXPECT_EQ(0, since(&self->lab, &self->start, &now));
	EXPECT_EQ(0, now.u_stale_hits);
	gvm_dev_close(&self->dev);
	gvm_close(&self->vm);
	munmap(self->page[0], GVM_SZ_4K);
	munmap(self->page[1], GVM_SZ_4K);
}

/* 8 bytes at @va without PASID, or one value for any refusal. */
static __u64 dma(struct lab_dev *lab, unsigned int flags, __u64 va, __u64 *write)
{
	struct vtdsim_desc d = {
		.op = write ? VTDSIM_OP_WRITE : VTDSIM_OP_READ,
		.flags = flags,
		.addr = va,
		.len = sizeof(__u64),
	};
	__u64 val;

	if (write)
		memcpy(lab_local(lab, 0), write, sizeof(*write));
	if (lab_run(lab, 0, &d) != VTDSIM_DONE)
		return DENIED;
	memcpy(&val, lab_local(lab, 0), sizeof(val));
	return val;
}

TEST_F(modes, nothing_is_reached_without_an_attach)
{
	EXPECT_EQ(DENIED, dma(&self->lab, variant->flags, RAM_GPA, NULL));
}

TEST_F(modes, an_attached_ioas_translates)
{
	__u64 gpa = gvm_ram_alloc_page(&self->vm.ram);
	__u64 *mem = gvm_ram_ptr(&self->vm.ram, gpa, GVM_SZ_4K);
	__u64 val = TAG(7);

	*mem = TAG(3);
	ASSERT_EQ(0, gvm_dev_attach(&self->dev, self->vm.ioas));
	EXPECT_EQ(TAG(3), dma(&self->lab, variant->flags, gpa, NULL));
	EXPECT_EQ(TAG(7), dma(&self->lab, variant->flags, gpa, &val));
	EXPECT_EQ(TAG(7), *mem);
	EXPECT_EQ(DENIED, dma(&self->lab, variant->flags, IOVA, NULL));
	ASSERT_EQ(0, gvm_dev_detach(&self->dev));
	EXPECT_EQ(DENIED, dma(&self->lab, variant->flags, gpa, NULL));
}

/* What was not there, asked for just before: seen as soon as the map returns. */
TEST_F(modes, a_new_mapping_is_seen_at_once)
{
	int i;

	ASSERT_EQ(0, gvm_dev_attach(&self->dev, self->vm.ioas));
	for (i = 0; i < ROUNDS; i++) {
		__u64 iova = IOVA + i * GVM_SZ_4K;

		EXPECT_EQ(DENIED, dma(&self->lab, variant->flags, iova, NULL));
		ASSERT_EQ(0, gvm_map(&self->vm, iova, self->page[0], GVM_SZ_4K,
				     GVM_MAP_RW));
		EXPECT_EQ(TAG(0), dma(&self->lab, variant->flags, iova, NULL));
	}
	ASSERT_EQ(0, gvm_unmap(&self->vm, IOVA, ROUNDS * GVM_SZ_4K));
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(DENIED, dma(&self->lab, variant->flags,
				      IOVA + i * GVM_SZ_4K, NULL));
}

TEST_F(modes, an_old_mapping_is_never_seen_again)
{
	int i;

	ASSERT_EQ(0, gvm_dev_attach(&self->dev, self->vm.ioas));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, gvm_map(&self->vm, IOVA, self->page[i & 1],
				     GVM_SZ_4K, GVM_MAP_RW));
		EXPECT_EQ(TAG(i & 1), dma(&self->lab, variant->flags, IOVA, NULL));
		ASSERT_EQ(0, gvm_unmap(&self->vm, IOVA, GVM_SZ_4K));
		EXPECT_EQ(DENIED, dma(&self->lab, variant->flags, IOVA, NULL));
	}
}

TEST_F(modes, attach_and_detach_follow_each_other)
{
	__u64 gpa = gvm_ram_alloc_page(&self->vm.ram);
	int i;

	*(__u64 *)gvm_ram_ptr(&self->vm.ram, gpa, GVM_SZ_4K) = TAG(3);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, gvm_dev_attach(&self->dev, self->vm.ioas));
		EXPECT_EQ(TAG(3), dma(&self->lab, variant->flags, gpa, NULL));
		ASSERT_EQ(0, gvm_dev_detach(&self->dev));
		EXPECT_EQ(DENIED, dma(&self->lab, variant->flags, gpa, NULL));
	}
}

/* ---- DMA that does not stop ----------------------------------------------------- */

#define WARM		60		/* accesses before a change */
#define AFTER_US	2000

/* 8 bytes of @va read and the next written, without PASID, until it is stopped. */
static int start(struct lab_dev *lab, unsigned int flags, __u64 va, __u64 tag,
		 __u64 or_tag)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_LOOP,
		.flags = flags,
		.addr = va,
		.local = LAB_LOCAL(0),
	};
	int rc;

	*lab_loop(lab, 0) = (struct vtdsim_loop){
		.dir = VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE,
		.expect = { tag, or_tag },
	};
	rc = lab_submit(lab, 0, &d);
	return rc ? rc : lab_loop_wait(lab, 0, WARM);
}

static bool still(const __u64 *page, __u64 was)
{
	usleep(AFTER_US);
	return __atomic_load_n(&page[1], __ATOMIC_ACQUIRE) == was;
}

TEST_F_TIMEOUT(modes, a_page_is_never_reached_after_its_unmap, 120)
{
	struct vtdsim_loop l;
	__u64 was;
	int i;

	ASSERT_EQ(0, gvm_dev_attach(&self->dev, self->vm.ioas));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, gvm_map(&self->vm, IOVA, self->page[0], GVM_SZ_4K,
				     GVM_MAP_RW));
		ASSERT_EQ(0, start(&self->lab, variant->flags, IOVA, TAG(0),
				   TAG(0)));
		ASSERT_EQ(0, gvm_unmap(&self->vm, IOVA, GVM_SZ_4K));
		was = self->page[0][1];
		EXPECT_TRUE(still(self->page[0], was));
		ASSERT_EQ(0, lab_loop_stop(&self->lab, 0, &l));
		EXPECT_EQ(0, l.wrong);
		EXPECT_NE(0, l.writes);
	}
}

TEST_F_TIMEOUT(modes, nothing_moves_after_a_detach, 120)
{
	struct vtdsim_loop l;
	__u64 was;
	int i;

	ASSERT_EQ(0, gvm_map(&self->vm, IOVA, self->page[0], GVM_SZ_4K,
			     GVM_MAP_RW));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, gvm_dev_attach(&self->dev, self->vm.ioas));
		ASSERT_EQ(0, start(&self->lab, variant->flags, IOVA, TAG(0),
				   TAG(0)));
		ASSERT_EQ(0, gvm_dev_detach(&self->dev));
		was = self->page[0][1];
		EXPECT_TRUE(still(self->page[0], was));
		ASSERT_EQ(0, lab_loop_stop(&self->lab, 0, &l));
		EXPECT_EQ(0, l.wrong);
	}
}

/* Whether DMA faults meanwhile is not promised; the log says how often. */
TEST_F_TIMEOUT(modes, after_a_replace_the_old_ioas_is_not_reached, 120)
{
	__u64 faults = 0, was;
	struct vtdsim_loop l;
	__u32 ioas[2];
	int i;

	ioas[0] = self->vm.ioas;
	ASSERT_EQ(0, gvm_map(&self->vm, IOVA, self->page[0], GVM_SZ_4K,
			     GVM_MAP_RW));
	ASSERT_EQ(0, gvm_ioas_alloc(&self->vm, &ioas[1]));
	self->vm.ioas = ioas[1];
	ASSERT_EQ(0, gvm_map(&self->vm, IOVA, self->page[1], GVM_SZ_4K,
			     GVM_MAP_RW));
	self->vm.ioas = ioas[0];
	ASSERT_EQ(0, gvm_dev_attach(&self->dev, ioas[0]));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, start(&self->lab, variant->flags, IOVA,
				   TAG(i & 1), TAG(~i & 1)));
		ASSERT_EQ(0, gvm_dev_attach(&self->dev, ioas[~i & 1]));
		was = self->page[i & 1][1];
		EXPECT_TRUE(still(self->page[i & 1], was));
		ASSERT_EQ(0, lab_loop_stop(&self->lab, 0, &l));
		EXPECT_EQ(0, l.wrong);
		faults += l.faults || l.denied;
	}
	TH_LOG("DMA faulted in %llu of %d replaces", faults, ROUNDS);
	ASSERT_EQ(0, gvm_dev_detach(&self->dev));
}

/* What a driver does before its device makes DMA. */
static int switch_on(const char *address)
{
	__u16 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	char path[64];
	int fd, n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	fd = open(path, O_RDWR | O_CLOEXEC);
	n = pwrite(fd, &command, sizeof(command), PCI_COMMAND);
	close(fd);
	return n == sizeof(command) ? 0 : -1;
}

/* A fault's report prints the tables, and a pass-through entry has none. */
TEST(a_fault_in_the_kernels_own_domain_is_survived)
{
	struct vtdsim_counters c;
	struct lab_dev lab;

	if (access("/sys/module/intel_gpasid", F_OK))
		SKIP(return, "an unmodified kernel does not survive it");
	ASSERT_EQ(0, lab_dev_open_sysfs(&lab, EP_1A));
	ASSERT_EQ(0, switch_on(EP_1A));
	ASSERT_EQ(0, lab_counters(&lab, &c));
	EXPECT_EQ(DENIED, dma(&lab, 0, 1ULL << 56, NULL));
	usleep(300000);
	ASSERT_EQ(0, since(&lab, &c, &c));
	EXPECT_EQ(1, c.u_faults);
	lab_dev_close(&lab);
}

TEST_HARNESS_MAIN
