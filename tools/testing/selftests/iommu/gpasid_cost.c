// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each operation asks of the VT-d unit, by the unit's own counters.  They
 * are exact, so the tests are: no time is measured here.
 *
 * The expectations follow what the unit can do (CAP.CM) and what the device can
 * do (ATS, global invalidate), so the same tests run in every boot of the lab.
 */
#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define MANY	10000
#define SOME	100

FIXTURE(cost)
{
	struct bench b;
	struct process p, q;
	struct vtdsim_counters before, c;
	bool cm, ats;
};

FIXTURE_SETUP(cost)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	self->cm = bench_caching_mode(&self->b, 0);
	self->ats = self->b.info[0].out_caps & GPASID_CAP_ATS;
}

FIXTURE_TEARDOWN(cost)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

/* Count what the unit above the first device is asked to do by @call. */
#define COUNT(call) do {						\
	ASSERT_EQ(0, lab_counters(&self->b.lab[0], &self->before));	\
	ASSERT_EQ(0, call);						\
	ASSERT_EQ(0, since(&self->b.lab[0], &self->before, &self->c));	\
} while (0)

/* One submission that ends with one wait; told in full when it is not so. */
#define EXPECT_ONE_WAIT() do {						\
	char _buf[160];							\
									\
	EXPECT_EQ(1, self->c.u_waits)					\
		TH_LOG("%s", lab_descriptors(&self->c, _buf, 160));	\
	EXPECT_EQ(1, self->c.u_submissions)				\
		TH_LOG("%s", lab_descriptors(&self->c, _buf, 160));	\
} while (0)

/*
 * @n descriptors in whole chunks, each of them one submission and one wait.  The
 * bound of a chunk is the driver's: interrupts are off while one is waited for.
 */
#define CHUNK_LEAST	32
#define CHUNK_MOST	64

#define EXPECT_CHUNKS(n) do {						\
	__u64 _n = n;							\
									\
	EXPECT_EQ(_n + self->c.u_waits, self->c.u_desc_total);		\
	EXPECT_EQ(self->c.u_submissions, self->c.u_waits);		\
	EXPECT_LE(self->c.u_waits, (_n + CHUNK_LEAST - 1) / CHUNK_LEAST); \
	EXPECT_GE(self->c.u_waits * CHUNK_MOST, _n);			\
} while (0)

static void touch(struct bench *b, int dev, __u32 h)
{
	peek_proc(&b->lab[dev], h, 0);
	if (b->info[dev].out_caps & GPASID_CAP_ATS)
		peek_proc(&b->lab[dev], h, VTDSIM_F_ATS);
}

/* Bind gPASIDs [first, last] to @p. */
static int bind_some(struct bench *b, int dev, struct process *p, int first,
		     int last)
{
	__u32 h;
	int i, rc;

	for (i = first; i <= last; i++) {
		rc = gvm_bind(&b->dev[dev], &p->pt, i, &h);
		if (rc)
			return rc;
		if (i % 64 == 0)
			touch(b, dev, h);
	}
	return 0;
}

TEST_F(cost, a_look_up_asks_nothing)
{
	__u32 h, got;

	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 1, &h));
	COUNT(gvm_pasid_g2h(&self->b.vm, 1, &got));
	EXPECT_EQ(0, self->c.u_desc_total);
	COUNT(gvm_pasid_h2g(&self->b.vm, h, &got));
	EXPECT_EQ(0, self->c.u_desc_total);
}

TEST_F(cost, a_bind_asks_nothing_unless_caching_mode)
{
	__u32 h;
	int i;

	for (i = 1; i <= SOME; i++) {
		COUNT(gvm_bind(&self->b.dev[0], &self->p.pt, i, &h));
		if (!self->cm) {
			EXPECT_EQ(0, self->c.u_desc_total);
			continue;
		}
		EXPECT_GE(self->c.u_desc[VTDSIM_D_PASID_CACHE], 1);
		EXPECT_ONE_WAIT();
	}
}

TEST_F(cost, a_bind_is_seen_at_once_in_caching_mode)
{
	/* In caching mode what is not present is cached, too. */
	EXPECT_TRUE(refused(peek_proc(&self->b.lab[0], 5, 0)));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 5, NULL));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[0], 5, 0));
}

TEST_F(cost, an_unbind_waits_once)
{
	__u32 h;
	int i;

	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, i, &h));
		touch(&self->b, 0, h);
		COUNT(gvm_unbind(&self->b.dev[0], h));
		EXPECT_ONE_WAIT();
		EXPECT_EQ(1, self->c.u_desc[VTDSIM_D_PASID_CACHE]);
		EXPECT_EQ(self->ats, self->c.u_desc[VTDSIM_D_PDEVTLB]);
		EXPECT_EQ(1, self->c.u_desc[VTDSIM_D_IOTLB] +
			     self->c.u_desc[VTDSIM_D_PIOTLB]);
		EXPECT_EQ(3 + self->ats, self->c.u_desc_total);
	}
}

TEST_F(cost, a_free_of_a_bound_pasid_waits_once)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 1, &h));
	touch(&self->b, 0, h);
	COUNT(gvm_pasid_free(&self->b.vm, h));
	EXPECT_ONE_WAIT();
}

TEST_F(cost, a_replace_waits_once)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 1, &h));
	touch(&self->b, 0, h);
	COUNT(gvm_replace(&self->b.dev[0], &self->q.pt, h));
	EXPECT_ONE_WAIT();
	EXPECT_EQ(3 + self->ats, self->c.u_desc_total);
}

TEST_F(cost, unbind_and_replace_cost_the_same_with_many_bound)
{
	__u32 h;

	ASSERT_EQ(0, bind_some(&self->b, 0, &self->p, 2, 1000));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 1, &h));
	touch(&self->b, 0, h);
	COUNT(gvm_replace(&self->b.dev[0], &self->q.pt, h));
	EXPECT_ONE_WAIT();
	EXPECT_EQ(3 + self->ats, self->c.u_desc_total);
	COUNT(gvm_unbind(&self->b.dev[0], h));
	EXPECT_ONE_WAIT();
	EXPECT_EQ(3 + self->ats, self->c.u_desc_total);
}

TEST_F(cost, an_invalidation_waits_once)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 1, &h));
	touch(&self->b, 0, h);
	COUNT(gvm_invalidate_range(&self->b.vm, 1, PROC_VA, 1, true));
	EXPECT_ONE_WAIT();
	EXPECT_EQ(1, self->c.u_desc[VTDSIM_D_PIOTLB]);
	EXPECT_EQ(self->ats, self->c.u_desc[VTDSIM_D_PDEVTLB]);
	COUNT(gvm_invalidate_pasid(&self->b.vm, 1));
	EXPECT_ONE_WAIT();
	EXPECT_EQ(1, self->c.u_desc[VTDSIM_D_PIOTLB]);
	EXPECT_EQ(self->ats, self->c.u_desc[VTDSIM_D_PDEVTLB]);
}

TEST_F(cost, an_array_of_invalidations_waits_once_for_each_chunk)
{
	struct iommu_gpasid_inv inv[32];
	__u32 h, num = 32;
	int i;

	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 1, &h));
	for (i = 0; i < 32; i++)
		inv[i] = (struct iommu_gpasid_inv){
			.pasid = h,
			.addr = PROC_VA + i * 0x3000ULL,
			.npages = 1,
		};
	COUNT(gvm_invalidate(&self->b.vm, inv, &num));
	EXPECT_EQ(32, num);
	EXPECT_CHUNKS(32 + 32 * self->ats);
	EXPECT_EQ(32, self->c.u_desc[VTDSIM_D_PIOTLB]);
	EXPECT_EQ(32 * self->ats, self->c.u_desc[VTDSIM_D_PDEVTLB]);
}

TEST_F(cost, an_array_waits_once_for_each_unit_and_chunk)
{
	struct iommu_gpasid_inv inv[16];
	__u32 num = 16;
	int i;

	ASSERT_EQ(0, bench_add(&self->b, EP_1B));
	ASSERT_EQ(0, bench_add(&self->b, EP_2A));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, gvm_bind(&self->b.dev[i], &self->p.pt, 1, NULL));
	for (i = 0; i < 16; i++)
		inv[i] = (struct iommu_gpasid_inv){
			.pasid = 1,
			.flags = IOMMU_GPASID_INV_BY_GPASID,
			.addr = PROC_VA + i * 0x5000ULL,
			.npages = 1,
		};
	/* Two devices of the first unit share the IOTLB, not the device TLB. */
	COUNT(gvm_invalidate(&self->b.vm, inv, &num));
	EXPECT_CHUNKS(16 + 2 * 16 * self->ats);
	ASSERT_EQ(0, lab_counters(&self->b.lab[2], &self->before));
	ASSERT_EQ(0, gvm_invalidate(&self->b.vm, inv, &num));
	ASSERT_EQ(0, since(&self->b.lab[2], &self->before, &self->c));
	EXPECT_ONE_WAIT();
}

/* ---- the second stage ------------------------------------------------------------ */

/* Map, touch and unmap one page of the second stage; counts the unmap. */
static int count_unmap(struct bench *b, int dev, void *mem, __u32 h,
		       struct vtdsim_counters *c)
{
	__u64 va = PROC_VA + GVM_SZ_1G;
	int rc = gvm_map(&b->vm, HOTPLUG_GPA, mem, GVM_SZ_4K, GVM_MAP_RW);

	if (rc)
		return rc;
	peek(&b->lab[dev], h, 0, va);
	if (b->info[dev].out_caps & GPASID_CAP_ATS)
		peek(&b->lab[dev], h, VTDSIM_F_ATS, va);
	rc = lab_counters(&b->lab[dev], c);
	if (!rc)
		rc = gvm_unmap(&b->vm, HOTPLUG_GPA, GVM_SZ_4K);
	return rc ? rc : since(&b->lab[dev], c, c);
}

/* A device TLB that has no global invalidate must be asked PASID by PASID. */
static bool flat(const struct bench *b)
{
	return !(b->info[0].out_caps & GPASID_CAP_ATS) ||
	       b->info[0].out_caps & GPASID_CAP_ATS_GLOBAL;
}

TEST_F_TIMEOUT(cost, a_second_stage_unmap_costs_the_same_at_any_number, 300)
{
	static const int n[] = { 1, SOME, MANY };
	__u64 total = 0, waits = 0;
	int i, bound = 0;
	char buf[160];
	__u32 h;

	if (!flat(&self->b))
		SKIP(return, "no global invalidate");
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, PROC_VA + GVM_SZ_1G, HOTPLUG_GPA,
				GVM_SZ_4K, GVM_SZ_4K, GVM_PT_RW));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 0xfffff, &h));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, bind_some(&self->b, 0, &self->p, bound + 1,
				       n[i] - 1));
		bound = n[i] - 1;
		ASSERT_EQ(0, count_unmap(&self->b, 0, self->p.mem, h, &self->c));
		TH_LOG("%5d bound: %s", n[i],
		       lab_descriptors(&self->c, buf, sizeof(buf)));
		if (!i) {
			total = self->c.u_desc_total;
			waits = self->c.u_waits;
		}
		EXPECT_EQ(total, self->c.u_desc_total);
		EXPECT_EQ(waits, self->c.u_waits);
		EXPECT_TRUE(refused(peek(&self->b.lab[0], h, 0,
					 PROC_VA + GVM_SZ_1G)));
		EXPECT_TRUE(refused(peek(&self->b.lab[0], h, VTDSIM_F_ATS,
					 PROC_VA + GVM_SZ_1G)));
	}
	EXPECT_LE(total, 8);
}

TEST_F(cost, a_second_stage_unmap_costs_no_more_with_one_pasid_on_two_devices)
{
	__u64 one;
	__u32 h;

	if (!flat(&self->b))
		SKIP(return, "no global invalidate");
	ASSERT_EQ(0, bench_add(&self->b, EP_1B));
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, PROC_VA + GVM_SZ_1G, HOTPLUG_GPA,
				GVM_SZ_4K, GVM_SZ_4K, GVM_PT_RW));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 1, &h));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[1], &self->p.pt, 1, NULL));
	ASSERT_EQ(0, count_unmap(&self->b, 0, self->p.mem, h, &self->c));
	one = self->c.u_desc_total;
	ASSERT_EQ(0, bind_some(&self->b, 0, &self->p, 2, 200));
	ASSERT_EQ(0, bind_some(&self->b, 1, &self->q, 300, 500));
	ASSERT_EQ(0, count_unmap(&self->b, 1, self->p.mem, h, &self->c));
	EXPECT_EQ(one, self->c.u_desc_total);
}

TEST_F(cost, a_second_stage_unmap_asks_pasid_by_pasid_without_global_invalidate)
{
	__u64 va = PROC_VA + GVM_SZ_1G, one;
	__u32 h[SOME];
	int i;

	if (flat(&self->b))
		SKIP(return, "one invalidation serves all PASIDs");
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, HOTPLUG_GPA, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 1, &h[0]));
	ASSERT_EQ(0, count_unmap(&self->b, 0, self->p.mem, h[0], &self->c));
	one = self->c.u_desc[VTDSIM_D_PDEVTLB];
	for (i = 1; i < SOME; i++)
		ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 1 + i,
				      &h[i]));
	ASSERT_EQ(0, gvm_map(&self->b.vm, HOTPLUG_GPA, self->p.mem, GVM_SZ_4K,
			     GVM_MAP_RW));
	for (i = 0; i < SOME; i++)
		EXPECT_EQ(TAG(1), peek(&self->b.lab[0], h[i], VTDSIM_F_ATS, va));
	COUNT(gvm_unmap(&self->b.vm, HOTPLUG_GPA, GVM_SZ_4K));
	EXPECT_EQ(one + SOME - 1, self->c.u_desc[VTDSIM_D_PDEVTLB]);
	for (i = 0; i < SOME; i++)
		EXPECT_TRUE(refused(peek(&self->b.lab[0], h[i], VTDSIM_F_ATS,
					 va)));
}

/* ---- closing ------------------------------------------------------------------------- */

static int unbind_some(struct bench *b, int dev, int first, int last)
{
	int i, rc = 0;

	for (i = first; i <= last && !rc; i++)
		rc = gvm_unbind(&b->dev[dev], i);
	return rc;
}

/*
 * What the unit above @address is asked while the device is closed, after @n
 * binds and, of these, @unbound unbinds.
 */
static int count_close(const char *address, int n, int unbound,
		       struct vtdsim_counters *c)
{
	struct lab_dev lab;
	struct process p;
	struct bench b;
	int rc;

	rc = bench_open(&b, 0);
	if (!rc)
		rc = bench_add(&b, address);
	if (!rc)
		rc = bench_process(&b, &p, 1);
	if (!rc)
		rc = bind_some(&b, 0, &p, 1, n);
	if (!rc)
		rc = unbind_some(&b, 0, 1, unbound);
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

TEST_F_TIMEOUT(cost, a_close_costs_the_same_at_any_number, 300)
{
	struct vtdsim_counters none, some, many;
	char buf[160];

	ASSERT_EQ(0, count_close(EP_2A, 0, 0, &none));
	ASSERT_EQ(0, count_close(EP_2A, 2, 0, &some));
	ASSERT_EQ(0, count_close(EP_2A, 2000, 0, &many));
	TH_LOG("   0 bound: %s", lab_descriptors(&none, buf, sizeof(buf)));
	TH_LOG("   2 bound: %s", lab_descriptors(&some, buf, sizeof(buf)));
	TH_LOG("2000 bound: %s", lab_descriptors(&many, buf, sizeof(buf)));
	EXPECT_EQ(some.u_waits, many.u_waits);
	EXPECT_LE(many.u_waits, none.u_waits + 2);
	if (flat(&self->b))
		EXPECT_EQ(some.u_desc_total, many.u_desc_total);
}

/* What was bound is flushed by its unbind; nothing is left to flush. */
TEST_F(cost, a_close_costs_no_more_after_the_last_unbind)
{
	struct vtdsim_counters never, after;
	char buf[160];

	ASSERT_EQ(0, count_close(EP_2A, 0, 0, &never));
	ASSERT_EQ(0, count_close(EP_2A, 70, 70, &after));
	EXPECT_EQ(never.u_waits, after.u_waits);
	EXPECT_EQ(never.u_submissions, after.u_submissions);
	EXPECT_EQ(never.u_desc_total, after.u_desc_total)
		TH_LOG("without: %s", lab_descriptors(&never, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(never.u_desc, after.u_desc, sizeof(never.u_desc)))
		TH_LOG("after:   %s", lab_descriptors(&after, buf, sizeof(buf)));
}

TEST_HARNESS_MAIN
