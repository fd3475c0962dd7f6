// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA that does not stop for a change: the device reads and writes on while its
 * PASID is unbound, replaced, invalidated, reset or closed.  Until the call
 * returns, no access faults where none should; after it, no byte moves and
 * nothing is cached.
 *
 * Most of it is a matter of chance, and of --adverse.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define ROUNDS		40
#define WARM		60	/* accesses before a change */
#define AFTER_US	2000	/* for what is late to arrive */
#define GPASID		0x101
#define ONLY(reason)	(1ULL << ((reason) - 64))	/* in reasons[1] */

FIXTURE(running)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, q;
	__u32 h;
};

FIXTURE_VARIANT(running)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(running, plain)
{
	.flags = 0,
};

FIXTURE_VARIANT_ADD(running, ats)
{
	.flags = VTDSIM_F_ATS,
};

FIXTURE_SETUP(running)
{
	ASSERT_EQ(0, bench_open(&self->b, GVM_DIRTY_TRACKING));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_add(&self->b, EP_1B));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
}

FIXTURE_TEARDOWN(running)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

static int start(struct lab_dev *lab, unsigned int q, __u32 pasid,
		 unsigned int flags, __u64 va, __u64 tag, __u64 or_tag)
{
	struct vtdsim_loop how = {
		.dir = VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE,
		.expect = { tag, or_tag },
	};
	int rc = lab_loop_start(lab, q, pasid, flags, va, &how);

	return rc ? rc : lab_loop_wait(lab, q, WARM);
}

/* From now on reads have to find @tag. */
static void expect_only(struct lab_dev *lab, unsigned int q, __u64 tag)
{
	struct vtdsim_loop *l = lab_loop(lab, q);

	__atomic_store_n(&l->expect[0], tag, __ATOMIC_RELEASE);
	__atomic_store_n(&l->expect[1], tag, __ATOMIC_RELEASE);
}

/* The number of the last write that has reached a page. */
static __u64 last_write(const __u64 *mem)
{
	return __atomic_load_n(&mem[1], __ATOMIC_ACQUIRE);
}

static bool still(const __u64 *mem, __u64 was)
{
	usleep(AFTER_US);
	return last_write(mem) == was;
}

/* All went well, and nothing was read that should not be. */
#define EXPECT_CLEAN(l) do {						\
	const struct vtdsim_loop *_l = (l);				\
									\
	EXPECT_EQ(0, _l->faults);					\
	EXPECT_EQ(0, _l->denied);					\
	EXPECT_EQ(0, _l->failed);					\
	EXPECT_EQ(0, _l->wrong)						\
		TH_LOG("read %llx", _l->wrong_value);			\
} while (0)

/* It met no entry that was half one thing and half another. */
#define EXPECT_ENDED_BY(l, reason) do {					\
	const struct vtdsim_loop *_l = (l);				\
									\
	EXPECT_EQ(0, _l->wrong);					\
	EXPECT_EQ(0, _l->reasons[0]);					\
	EXPECT_EQ(0, _l->reasons[1] & ~ONLY(reason))			\
		TH_LOG("reasons %llx", _l->reasons[1]);			\
	EXPECT_EQ(0, _l->reasons[2] | _l->reasons[3]);			\
} while (0)

TEST_F_TIMEOUT(running, nothing_moves_after_an_unbind, 120)
{
	struct vtdsim_loop l;
	__u64 was;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags,
				   PROC_VA, TAG(1), TAG(1)));
		ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
		was = last_write(self->p.mem);
		EXPECT_TRUE(nothing_left(self->lab, self->h));
		EXPECT_TRUE(still(self->p.mem, was));
		ASSERT_EQ(0, lab_loop_wait(self->lab, 0, 1));
		EXPECT_TRUE(nothing_left(self->lab, self->h));
		ASSERT_EQ(0, lab_loop_stop(self->lab, 0, &l));
		EXPECT_NE(0, l.faults);
		EXPECT_EQ(0, l.denied);
		EXPECT_ENDED_BY(&l, LAB_R_PASID_NOT_PRESENT);
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
	}
}

TEST_F_TIMEOUT(running, an_unbind_leaves_other_pasids_at_work, 120)
{
	struct vtdsim_loop how = { .dir = VTDSIM_LOOP_READ };
	struct vtdsim_loop l;
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, gvm_bind(&self->b.dev[i / 4], &self->p.pt,
				      GPASID + 1 + i, &how.pasid[i]));
	/* Four on each device, all through the caches of one unit. */
	how.expect[0] = TAG(1);
	how.nr_pasids = 4;
	ASSERT_EQ(0, lab_loop_start(self->lab, 1, 0, variant->flags, PROC_VA,
				    &how));
	memcpy(&how.pasid[0], &how.pasid[4], 4 * sizeof(how.pasid[0]));
	ASSERT_EQ(0, lab_loop_start(&self->b.lab[1], 1, 0, variant->flags,
				    PROC_VA, &how));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags,
				   PROC_VA, TAG(1), TAG(1)));
		ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
		ASSERT_EQ(0, lab_loop_stop(self->lab, 0, &l));
		EXPECT_EQ(0, l.denied);
		EXPECT_ENDED_BY(&l, LAB_R_PASID_NOT_PRESENT);
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, lab_loop_stop(&self->b.lab[i], 1, &l));
		EXPECT_LT(WARM, l.reads);
		EXPECT_CLEAN(&l);
	}
}

TEST_F_TIMEOUT(running, a_replace_has_no_window, 120)
{
	struct vtdsim_loop l;
	__u64 was;
	int i;

	ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags, PROC_VA,
			   TAG(1), TAG(2)));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, gvm_replace(self->dev, &self->q.pt, self->h));
		was = last_write(self->p.mem);
		expect_only(self->lab, 0, TAG(2));
		ASSERT_EQ(0, lab_loop_wait(self->lab, 0, WARM));
		EXPECT_EQ(was, last_write(self->p.mem));
		__atomic_store_n(&lab_loop(self->lab, 0)->expect[1], TAG(1),
				 __ATOMIC_RELEASE);
		ASSERT_EQ(0, gvm_replace(self->dev, &self->p.pt, self->h));
		was = last_write(self->q.mem);
		expect_only(self->lab, 0, TAG(1));
		ASSERT_EQ(0, lab_loop_wait(self->lab, 0, WARM));
		EXPECT_EQ(was, last_write(self->q.mem));
		__atomic_store_n(&lab_loop(self->lab, 0)->expect[1], TAG(2),
				 __ATOMIC_RELEASE);
	}
	ASSERT_EQ(0, lab_loop_stop(self->lab, 0, &l));
	EXPECT_CLEAN(&l);
}

TEST_F_TIMEOUT(running, the_guests_invalidation_ends_the_old_page, 120)
{
	struct process *to[2] = { &self->q, &self->p };
	struct vtdsim_loop l;
	__u64 was;
	int i;

	ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags, PROC_VA,
			   TAG(1), TAG(2)));
	for (i = 0; i < 2 * ROUNDS; i++) {
		ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, to[i & 1]->page));
		ASSERT_EQ(0, gvm_invalidate_range(&self->b.vm, GPASID, PROC_VA,
						  1, true));
		was = last_write(to[~i & 1]->mem);
		expect_only(self->lab, 0, *to[i & 1]->mem);
		ASSERT_EQ(0, lab_loop_wait(self->lab, 0, WARM));
		EXPECT_EQ(was, last_write(to[~i & 1]->mem));
		__atomic_store_n(&lab_loop(self->lab, 0)->expect[1],
				 *to[~i & 1]->mem, __ATOMIC_RELEASE);
	}
	ASSERT_EQ(0, lab_loop_stop(self->lab, 0, &l));
	EXPECT_CLEAN(&l);
}

TEST_F_TIMEOUT(running, a_page_is_never_reached_after_its_unmap, 120)
{
	__u64 va = PROC_VA + GVM_SZ_1G;
	struct vtdsim_loop l;
	__u64 *mem, was;
	int i;

	mem = mmap(NULL, GVM_SZ_4K, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)mem);
	*mem = TAG(3);
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, HOTPLUG_GPA, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, gvm_map(&self->b.vm, HOTPLUG_GPA, mem, GVM_SZ_4K,
				     GVM_MAP_RW));
		ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags, va,
				   TAG(3), TAG(3)));
		ASSERT_EQ(0, gvm_unmap(&self->b.vm, HOTPLUG_GPA, GVM_SZ_4K));
		was = last_write(mem);
		EXPECT_TRUE(still(mem, was));
		ASSERT_EQ(0, lab_loop_stop(self->lab, 0, &l));
		EXPECT_ENDED_BY(&l, LAB_R_SS_PERM);
		EXPECT_NE(0, l.writes);
	}
	munmap(mem, GVM_SZ_4K);
}

/* A written page is in the map, however the write and the start met. */
TEST_F_TIMEOUT(running, no_write_is_missed_by_dirty_tracking, 120)
{
	__u64 bit = (self->p.page - RAM_GPA) / GVM_SZ_4K;
	__u64 map[RAM_SIZE / GVM_SZ_4K / 64];
	struct gvm *vm = &self->b.vm;
	struct vtdsim_loop l;
	int i;

	if (!(self->b.info[0].out_caps & GPASID_CAP_DIRTY))
		SKIP(return, "no dirty tracking");
	ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags, PROC_VA,
			   TAG(1), TAG(1)));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, gvm_dirty_tracking(vm, vm->parent, true));
		ASSERT_EQ(0, lab_loop_wait(self->lab, 0, 4));
		memset(map, 0, sizeof(map));
		ASSERT_EQ(0, gvm_dirty_bitmap(vm, vm->parent, RAM_GPA, RAM_SIZE,
					      GVM_SZ_4K, false, map));
		EXPECT_EQ(1, map[bit / 64] >> bit % 64 & 1);
		/* And again, after the flags were cleared. */
		ASSERT_EQ(0, lab_loop_wait(self->lab, 0, 4));
		memset(map, 0, sizeof(map));
		ASSERT_EQ(0, gvm_dirty_bitmap(vm, vm->parent, RAM_GPA, RAM_SIZE,
					      GVM_SZ_4K, false, map));
		EXPECT_EQ(1, map[bit / 64] >> bit % 64 & 1);
		ASSERT_EQ(0, gvm_dirty_tracking(vm, vm->parent, false));
	}
	ASSERT_EQ(0, lab_loop_stop(self->lab, 0, &l));
	EXPECT_CLEAN(&l);
}

TEST_F_TIMEOUT(running, nothing_moves_after_a_free, 120)
{
	struct vtdsim_loop l;
	__u64 was;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags,
				   PROC_VA, TAG(1), TAG(1)));
		ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, self->h));
		was = last_write(self->p.mem);
		EXPECT_TRUE(still(self->p.mem, was));
		EXPECT_TRUE(nothing_left(self->lab, self->h));
		ASSERT_EQ(0, lab_loop_stop(self->lab, 0, &l));
		EXPECT_EQ(0, l.denied);
		EXPECT_ENDED_BY(&l, LAB_R_PASID_NOT_PRESENT);
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
	}
}

TEST_F_TIMEOUT(running, a_reset_stops_the_device_and_keeps_the_binding, 120)
{
	__u64 was;
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags,
				   PROC_VA, TAG(1), TAG(1)));
		ASSERT_EQ(0, gvm_dev_reset(self->dev));
		was = last_write(self->p.mem);
		EXPECT_TRUE(still(self->p.mem, was));
		ASSERT_EQ(0, gvm_dev_enable(self->dev, true));
		ASSERT_EQ(0, lab_dev_restart(self->lab));
		EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	}
}

TEST_F_TIMEOUT(running, nothing_moves_after_the_close_of_the_device, 120)
{
	__u64 was;

	ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags, PROC_VA,
			   TAG(1), TAG(1)));
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	was = last_write(self->p.mem);
	EXPECT_TRUE(still(self->p.mem, was));
}

/* ---- failures on demand ---------------------------------------------------------- */

/* Twice in a row, which is not often enough to end it: see gpasid_timeout. */
TEST_F_TIMEOUT(running, an_invalidation_that_times_out_is_tried_again, 120)
{
	struct vtdsim_loop l;
	__u64 was;
	int i;

	if (!variant->flags)
		SKIP(return, "no device TLB in use");
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags,
				   PROC_VA, TAG(1), TAG(1)));
		lab_fail(self->lab, LAB_FAIL(mute), 2);
		ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
		was = last_write(self->p.mem);
		EXPECT_EQ(0, lab_fails(self->lab, LAB_FAIL(mute)));
		EXPECT_TRUE(nothing_left(self->lab, self->h));
		EXPECT_TRUE(still(self->p.mem, was));
		ASSERT_EQ(0, lab_loop_stop(self->lab, 0, &l));
		EXPECT_EQ(0, l.denied);
		EXPECT_ENDED_BY(&l, LAB_R_PASID_NOT_PRESENT);
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
	}
}

TEST_F(running, a_completion_error_changes_nothing)
{
	if (!variant->flags)
		SKIP(return, "no device TLB in use");
	ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags, PROC_VA,
			   TAG(1), TAG(1)));
	lab_fail(self->lab, LAB_FAIL(ice_in), 1);
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_EQ(0, lab_fails(self->lab, LAB_FAIL(ice_in)));
	EXPECT_TRUE(nothing_left(self->lab, self->h));
}

/* ---- page requests --------------------------------------------------------------- */

TEST_F_TIMEOUT(running, an_unbind_ends_page_requests_that_nobody_answers, 120)
{
	struct vtdsim_loop how = { .dir = VTDSIM_LOOP_READ };
	struct vtdsim_loop l;
	int fd, i;

	if (!variant->flags ||
	    !(self->b.info[0].out_caps & GPASID_CAP_PRI))
		SKIP(return, "no page requests");
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, 0, &fd));
	for (i = 0; i < ROUNDS; i++) {
		/* One queue works, another waits for a page that nobody maps. */
		ASSERT_EQ(0, start(self->lab, 0, self->h, variant->flags,
				   PROC_VA, TAG(1), TAG(1)));
		ASSERT_EQ(0, lab_loop_start(self->lab, 1, self->h,
					    VTDSIM_F_ATS | VTDSIM_F_PRI,
					    PROC_VA + GVM_SZ_1G, &how));
		usleep(AFTER_US);
		ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
		EXPECT_TRUE(nothing_left(self->lab, self->h));
		ASSERT_EQ(0, lab_loop_stop(self->lab, 0, &l));
		ASSERT_EQ(0, lab_loop_stop(self->lab, 1, &l));
		EXPECT_EQ(0, l.reads);
		EXPECT_ENDED_BY(&l, LAB_R_PASID_NOT_PRESENT);
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
	}
	close(fd);
}

TEST_F_TIMEOUT(running, no_page_request_is_under_way_after_an_unbind, 120)
{
	unsigned int flags = VTDSIM_F_ATS | VTDSIM_F_PRI;
	struct vtdsim_loop how = { .dir = VTDSIM_LOOP_READ };
	__u64 va = PROC_VA + GVM_SZ_1G;
	struct iommu_gpasid_fault f;
	struct vtdsim_loop l;
	__u32 other;
	int fd, i;

	if (!variant->flags ||
	    !(self->b.info[0].out_caps & GPASID_CAP_PRI))
		SKIP(return, "no page requests");
	/* One may wait, and does: all others are answered at once. */
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 1, IOMMU_GPASID_FAULT_TIMEOUT_MAX,
				     &fd));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID + 1, &other));
	ASSERT_EQ(0, lab_loop_start(self->lab, 2, other, flags, va, &how));
	ASSERT_EQ(1, gvm_faults_read(fd, &f, 1, 5000));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, lab_loop_start(self->lab, 1, self->h, flags, va,
					    &how));
		ASSERT_EQ(0, lab_loop_wait(self->lab, 1, 8));
		ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
		EXPECT_TRUE(nothing_left(self->lab, self->h));
		ASSERT_EQ(0, lab_loop_stop(self->lab, 1, &l));
		EXPECT_EQ(0, l.reads);
		EXPECT_NE(0, l.failed);
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
	}
	ASSERT_EQ(0, lab_loop_stop(self->lab, 2, &l));
	close(fd);
}

TEST_HARNESS_MAIN
