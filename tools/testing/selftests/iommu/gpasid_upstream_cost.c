// SPDX-License-Identifier: GPL-2.0-only
/*
 * What attach, replace, detach and IOMMU_HWPT_INVALIDATE of a device's own PASIDs
 * ask of the VT-d unit, by the unit's own counters.  They are exact, so the tests
 * are: no time is measured here.
 *
 * The expectations follow what the unit can do (CAP.CM) and what the device can
 * do (ATS, global invalidate), so the same tests run in every boot of the lab.
 */
#include <stdint.h>
#include <stdlib.h>
#include <linux/iommufd.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define MANY	100
#define PASID	1

/* Descriptors of a submission that is full: there is no room for another range. */
#define CHUNK	46

FIXTURE(cost)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, q;
	__u32 hp, hq;
	struct vtdsim_counters before, c;
	bool cm, ats;
};

FIXTURE_SETUP(cost)
{
	ASSERT_EQ(0, bench_open(&self->b, GVM_PASID));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt, GVM_HWPT_PASID,
				     &self->hp));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->q.pt, GVM_HWPT_PASID,
				     &self->hq));
	self->cm = bench_caching_mode(&self->b, 0);
	self->ats = self->b.info[0].out_caps & GPASID_CAP_ATS;
}

FIXTURE_TEARDOWN(cost)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

/* Count what the unit above the device is asked to do by @call. */
#define COUNT(call) do {						\
	ASSERT_EQ(0, lab_counters(self->lab, &self->before));		\
	ASSERT_EQ(0, call);						\
	ASSERT_EQ(0, since(self->lab, &self->before, &self->c));	\
} while (0)

/* Told in full when it is not so. */
#define EXPECT_WAITS(n) do {						\
	unsigned int _waits = (n);					\
	char _buf[160];							\
									\
	EXPECT_EQ(_waits, self->c.u_waits)				\
		TH_LOG("%s", lab_descriptors(&self->c, _buf, 160));	\
	EXPECT_EQ(_waits, self->c.u_submissions)			\
		TH_LOG("%s", lab_descriptors(&self->c, _buf, 160));	\
} while (0)

/* PASID cache, IOTLB and device TLB, and one wait for all of them. */
#define EXPECT_ONE_ENTRY() do {						\
	EXPECT_WAITS(1);						\
	EXPECT_EQ(1, self->c.u_desc[VTDSIM_D_PASID_CACHE]);		\
	EXPECT_EQ(1, self->c.u_desc[VTDSIM_D_IOTLB] +			\
		     self->c.u_desc[VTDSIM_D_PIOTLB]);			\
	EXPECT_EQ(self->ats, self->c.u_desc[VTDSIM_D_PDEVTLB]);		\
	EXPECT_EQ(3 + self->ats, self->c.u_desc_total);			\
} while (0)

static void touch(struct bench *b, __u32 pasid)
{
	peek_proc(&b->lab[0], pasid, 0);
	if (b->info[0].out_caps & GPASID_CAP_ATS)
		peek_proc(&b->lab[0], pasid, VTDSIM_F_ATS);
}

/* A process of its own for each PASID would need more RAM than a test has. */
static int attach_some(struct bench *b, __u32 hwpt, __u32 first, __u32 last)
{
	__u32 pasid;
	int rc;

	for (pasid = first; pasid <= last; pasid++) {
		rc = gvm_pasid_attach(&b->dev[0], pasid, hwpt);
		if (rc)
			return rc;
		touch(b, pasid);
	}
	return 0;
}

TEST_F(cost, an_attach_asks_nothing_unless_caching_mode)
{
	__u32 pasid;

	for (pasid = 1; pasid <= MANY; pasid++) {
		COUNT(gvm_pasid_attach(self->dev, pasid, self->hp));
		if (!self->cm) {
			EXPECT_EQ(0, self->c.u_desc_total);
			continue;
		}
		EXPECT_GE(self->c.u_desc[VTDSIM_D_PASID_CACHE], 1);
		EXPECT_WAITS(1);
	}
}

TEST_F(cost, an_attach_is_seen_at_once_in_caching_mode)
{
	/* In caching mode what is not present is cached, too. */
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID + 1, self->hq));
	EXPECT_TRUE(refused(peek_proc(self->lab, PASID, 0)));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0));
}

TEST_F(cost, a_replace_waits_once)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	touch(&self->b, PASID);
	COUNT(gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_ONE_ENTRY();
	touch(&self->b, PASID);
	COUNT(gvm_pasid_attach(self->dev, PASID, self->b.vm.parent));
	EXPECT_ONE_ENTRY();
}

TEST_F(cost, a_detach_waits_once)
{
	int i;

	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
		touch(&self->b, PASID);
		COUNT(gvm_pasid_detach(self->dev, PASID));
		EXPECT_ONE_ENTRY();
	}
}

TEST_F(cost, replace_and_detach_cost_the_same_with_many_attached)
{
	ASSERT_EQ(0, attach_some(&self->b, self->hp, 2, MANY));
	ASSERT_EQ(0, attach_some(&self->b, self->hp, PASID, PASID));
	COUNT(gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_ONE_ENTRY();
	touch(&self->b, PASID);
	COUNT(gvm_pasid_detach(self->dev, PASID));
	EXPECT_ONE_ENTRY();
}

/* Another parent: everything in the entry changes, so it is taken down and made. */
TEST_F(cost, a_move_to_another_parent_costs_a_detach_and_an_attach)
{
	__u32 other;

	ASSERT_EQ(0, gvm_hwpt_alloc(self->dev, self->b.vm.ioas,
				    GVM_HWPT_PASID, &other));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	touch(&self->b, PASID);
	COUNT(gvm_pasid_attach(self->dev, PASID, other));
	EXPECT_WAITS(1 + self->cm);
	EXPECT_LE(self->c.u_desc_total, 4 + 3 * self->cm);
}

/* ---- invalidation ---------------------------------------------------------- */

/* @num single pages, each apart from the others. */
static int invalidate(struct gvm *vm, __u32 hwpt, unsigned int num)
{
	struct iommu_hwpt_vtd_s1_invalidate *inv = calloc(num, sizeof(*inv));
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.data_uptr = (uintptr_t)inv,
		.entry_len = sizeof(*inv),
		.entry_num = num,
	};
	unsigned int i;
	int rc;

	if (!inv)
		return -1;
	for (i = 0; i < num; i++) {
		inv[i].addr = PROC_VA + i * 3 * GVM_SZ_4K;
		inv[i].npages = 1;
	}
	rc = gvm_ioctl(vm->iommufd, IOMMU_HWPT_INVALIDATE, &cmd);
	free(inv);
	return rc ? rc : cmd.entry_num != num;
}

static const unsigned int ranges[] = { 1, 16, 512 };

#define EXPECT_RANGES(n, places) do {					\
	unsigned int _n = (n) * (places);				\
	unsigned int _descs = _n * (1 + self->ats);			\
									\
	EXPECT_WAITS((_descs + CHUNK - 1) / CHUNK);			\
	EXPECT_EQ(_n, self->c.u_desc[VTDSIM_D_PIOTLB]);			\
	EXPECT_EQ(_n * self->ats, self->c.u_desc[VTDSIM_D_PDEVTLB] +	\
		  self->c.u_desc[VTDSIM_D_DEVTLB]);			\
} while (0)

TEST_F(cost, an_array_of_ranges_waits_once_for_each_submission)
{
	unsigned int i;

	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	for (i = 0; i < 3; i++) {
		touch(&self->b, PASID);
		COUNT(invalidate(&self->b.vm, self->hp, ranges[i]));
		EXPECT_RANGES(ranges[i], 1);
	}
}

TEST_F(cost, an_invalidation_of_what_is_attached_nowhere_asks_nothing)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	COUNT(invalidate(&self->b.vm, self->hp, 16));
	EXPECT_EQ(0, self->c.u_desc_total);
}

TEST_F(cost, other_pasids_add_nothing_to_an_invalidation)
{
	ASSERT_EQ(0, attach_some(&self->b, self->hq, 2, MANY));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	COUNT(invalidate(&self->b.vm, self->hp, 16));
	EXPECT_RANGES(16, 1);
}

TEST_F(cost, pasids_of_one_hwpt_share_the_waits_of_an_invalidation)
{
	ASSERT_EQ(0, attach_some(&self->b, self->hp, 1, 4));
	COUNT(invalidate(&self->b.vm, self->hp, 16));
	EXPECT_RANGES(16, 4);
}

TEST_F(cost, the_rid_shares_the_waits_of_an_invalidation)
{
	unsigned int i;

	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->hp));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	for (i = 0; i < 3; i++) {
		COUNT(invalidate(&self->b.vm, self->hp, ranges[i]));
		EXPECT_RANGES(ranges[i], 2);
	}
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	COUNT(invalidate(&self->b.vm, self->hp, 16));
	EXPECT_RANGES(16, 1);
}

/* ---- the second stage ------------------------------------------------------ */

/* Map, touch and unmap one page of the second stage; counts the unmap. */
static int count_unmap(struct bench *b, void *mem, __u32 pasid,
		       struct vtdsim_counters *c)
{
	__u64 va = PROC_VA + GVM_SZ_1G;
	int rc = gvm_map(&b->vm, HOTPLUG_GPA, mem, GVM_SZ_4K, GVM_MAP_RW);

	if (rc)
		return rc;
	peek(&b->lab[0], pasid, 0, va);
	if (b->info[0].out_caps & GPASID_CAP_ATS)
		peek(&b->lab[0], pasid, VTDSIM_F_ATS, va);
	rc = lab_counters(&b->lab[0], c);
	if (!rc)
		rc = gvm_unmap(&b->vm, HOTPLUG_GPA, GVM_SZ_4K);
	return rc ? rc : since(&b->lab[0], c, c);
}

/* A device TLB that has no global invalidate must be asked PASID by PASID. */
static bool flat(const struct bench *b)
{
	return !(b->info[0].out_caps & GPASID_CAP_ATS) ||
	       b->info[0].out_caps & GPASID_CAP_ATS_GLOBAL;
}

TEST_F(cost, a_second_stage_unmap_costs_the_same_at_any_number)
{
	__u64 va = PROC_VA + GVM_SZ_1G;
	struct vtdsim_counters one;

	if (!flat(&self->b))
		SKIP(return, "no global invalidate");
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, HOTPLUG_GPA, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, count_unmap(&self->b, self->p.mem, PASID, &one));
	EXPECT_TRUE(refused(peek(self->lab, PASID, 0, va)));
	ASSERT_EQ(0, attach_some(&self->b, self->hq, 2, MANY));
	ASSERT_EQ(0, count_unmap(&self->b, self->p.mem, PASID, &self->c));
	EXPECT_EQ(one.u_desc_total, self->c.u_desc_total);
	EXPECT_EQ(one.u_waits, self->c.u_waits);
	EXPECT_LE(self->c.u_desc_total, 8);
	EXPECT_TRUE(refused(peek(self->lab, PASID, 0, va)));
	EXPECT_TRUE(refused(peek(self->lab, PASID, VTDSIM_F_ATS, va)));
}

/* ---- closing --------------------------------------------------------------- */

static int detach_some(struct bench *b, __u32 first, __u32 last)
{
	__u32 pasid;
	int rc = 0;

	for (pasid = first; pasid <= last && !rc; pasid++)
		rc = gvm_pasid_detach(&b->dev[0], pasid);
	return rc;
}

/*
 * What the unit above @address is asked while the device is closed, after @nr
 * attaches and, of these, @detached detaches.
 */
static int count_close(const char *address, __u32 nr, __u32 detached,
		       struct vtdsim_counters *c)
{
	struct lab_dev lab;
	struct process p;
	struct bench b;
	__u32 hwpt;
	int rc;

	rc = bench_open(&b, GVM_PASID);
	if (!rc)
		rc = bench_add(&b, address);
	if (!rc)
		rc = bench_process(&b, &p, 1);
	if (!rc)
		rc = gvm_hwpt_nested(&b.dev[0], &p.pt, GVM_HWPT_PASID, &hwpt);
	if (!rc)
		rc = attach_some(&b, hwpt, 1, nr);
	if (!rc)
		rc = detach_some(&b, 1, detached);
	if (!rc)
		rc = lab_dev_open_sysfs(&lab, address);
	if (!rc)
		rc = lab_counters(&lab, c);
	if (rc)
		return rc;
	bench_close_dev(&b, 0);
	rc = since(&lab, c, c);
	lab_dev_close(&lab);
	if (rc)
		return rc;
	return bench_close(&b);
}

TEST_F(cost, a_close_costs_the_same_at_any_number)
{
	struct vtdsim_counters none, some, many;
	char buf[160];

	ASSERT_EQ(0, count_close(EP_2A, 0, 0, &none));
	ASSERT_EQ(0, count_close(EP_2A, 2, 0, &some));
	ASSERT_EQ(0, count_close(EP_2A, MANY, 0, &many));
	TH_LOG("%3d attached: %s", 0, lab_descriptors(&none, buf, sizeof(buf)));
	TH_LOG("%3d attached: %s", 2, lab_descriptors(&some, buf, sizeof(buf)));
	TH_LOG("%3d attached: %s", MANY,
	       lab_descriptors(&many, buf, sizeof(buf)));
	EXPECT_LE(many.u_waits, none.u_waits + 2);
	if (!flat(&self->b))
		return;
	EXPECT_EQ(some.u_waits, many.u_waits);
	EXPECT_EQ(some.u_desc_total, many.u_desc_total);
}

/* What was bound is flushed by its unbind; nothing is left to flush. */
TEST_F(cost, a_close_costs_no_more_after_the_last_detach)
{
	struct vtdsim_counters never, after;
	char buf[160];

	ASSERT_EQ(0, count_close(EP_2A, 0, 0, &never));
	ASSERT_EQ(0, count_close(EP_2A, MANY, MANY, &after));
	EXPECT_EQ(never.u_waits, after.u_waits);
	EXPECT_EQ(never.u_submissions, after.u_submissions);
	EXPECT_EQ(never.u_desc_total, after.u_desc_total)
		TH_LOG("without: %s", lab_descriptors(&never, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(never.u_desc, after.u_desc, sizeof(never.u_desc)))
		TH_LOG("after:   %s", lab_descriptors(&after, buf, sizeof(buf)));
}

TEST_HARNESS_MAIN
