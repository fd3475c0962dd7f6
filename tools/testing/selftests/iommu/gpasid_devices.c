// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several devices: on one unit and across two, under one parent and under
 * several, of one context and of two.
 */
#include <pthread.h>
#include <stdatomic.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

FIXTURE(devices)
{
	struct bench b;
	struct process p, q;
	__u32 h;
};

FIXTURE_SETUP(devices)
{
	int i;

	ASSERT_EQ(0, bench_open(&self->b, 0));
	for (i = 0; i < NR_EPS; i++)
		ASSERT_EQ(0, bench_add(&self->b, endpoint[i]));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	ASSERT_EQ(0, gvm_pasid_alloc_identity(&self->b.vm, 0x101));
	self->h = 0x101;
}

FIXTURE_TEARDOWN(devices)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

static int bind_all(struct bench *b, struct process *p, __u32 gpasid)
{
	int i, rc = 0;

	for (i = 0; !rc && i < b->nr; i++)
		rc = gvm_bind(&b->dev[i], &p->pt, gpasid, NULL);
	return rc;
}

/*
 * How many devices read @then at @va, plain and by ATS, which nothing has
 * invalidated since memory said so; it says @now.
 */
static int still_seen_by(struct bench *b, __u32 h, __u64 va, __u64 then,
			 __u64 now)
{
	int i, n = 0;

	for (i = 0; i < b->nr; i++) {
		if (!may_be_outdated(&b->lab[i], peek(&b->lab[i], h, 0, va),
				     then, now))
			continue;
		if (b->info[i].out_caps & GPASID_CAP_ATS &&
		    !may_be_outdated(&b->lab[i],
				     peek(&b->lab[i], h, VTDSIM_F_ATS, va),
				     then, now))
			continue;
		n++;
	}
	return n;
}

/* How many devices read @want at @va, plain and by ATS. */
static int seen_by(struct bench *b, __u32 h, __u64 va, __u64 want)
{
	return still_seen_by(b, h, va, want, want);
}

static int refused_by(struct bench *b, __u32 h, __u64 va)
{
	int i, n = 0;

	for (i = 0; i < b->nr; i++)
		n += refused(peek(&b->lab[i], h, 0, va)) &&
		     refused(peek(&b->lab[i], h, VTDSIM_F_ATS, va));
	return n;
}

TEST_F(devices, share_one_pasid)
{
	ASSERT_EQ(0, bind_all(&self->b, &self->p, 0x101));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA, TAG(1)));
}

TEST_F(devices, are_unbound_one_by_one)
{
	int i;

	ASSERT_EQ(0, bind_all(&self->b, &self->p, 0x101));
	for (i = 0; i < NR_EPS; i++) {
		EXPECT_EQ(NR_EPS - i, seen_by(&self->b, self->h, PROC_VA, TAG(1)));
		ASSERT_EQ(0, gvm_unbind(&self->b.dev[i], self->h));
		EXPECT_EQ(-ENOENT, gvm_unbind(&self->b.dev[i], self->h));
		EXPECT_EQ(i + 1, refused_by(&self->b, self->h, PROC_VA));
	}
}

TEST_F(devices, all_lose_a_pasid_that_is_freed)
{
	int i;

	ASSERT_EQ(0, bind_all(&self->b, &self->p, 0x101));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA, TAG(1)));
	ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, self->h));
	EXPECT_EQ(NR_EPS, refused_by(&self->b, self->h, PROC_VA));
	for (i = 0; i < NR_EPS; i++)
		EXPECT_TRUE(nothing_left(&self->b.lab[i], self->h));
}

TEST_F(devices, leave_the_pasid_to_the_context_after_the_last_unbind)
{
	__u32 got = 0;
	int i;

	ASSERT_EQ(0, bind_all(&self->b, &self->p, 0x101));
	for (i = 0; i < NR_EPS; i++)
		ASSERT_EQ(0, gvm_unbind(&self->b.dev[i], 0x101));
	ASSERT_EQ(0, gvm_pasid_g2h(&self->b.vm, 0x101, &got));
	EXPECT_EQ(0x101, got);
	/* It can be another address space now. */
	ASSERT_EQ(0, bind_all(&self->b, &self->q, 0x101));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, 0x101, PROC_VA, TAG(2)));
}

TEST_F(devices, are_all_reached_by_an_invalidation)
{
	ASSERT_EQ(0, bind_all(&self->b, &self->p, 0x101));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA, TAG(1)));
	ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, self->q.page));
	EXPECT_EQ(NR_EPS, still_seen_by(&self->b, self->h, PROC_VA, TAG(1),
					TAG(2)));
	ASSERT_EQ(0, gvm_invalidate_range(&self->b.vm, 0x101, PROC_VA, 1, true));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA, TAG(2)));
	ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, self->p.page));
	ASSERT_EQ(0, gvm_invalidate_pasid(&self->b.vm, 0x101));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA, TAG(1)));
}

TEST_F(devices, are_all_reached_by_a_second_stage_unmap)
{
	__u64 va = PROC_VA + GVM_SZ_1G;
	int i;

	ASSERT_EQ(0, bind_all(&self->b, &self->p, 0x101));
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, HOTPLUG_GPA, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, gvm_map(&self->b.vm, HOTPLUG_GPA, i & 1 ?
				     self->p.mem : self->q.mem, GVM_SZ_4K,
				     GVM_MAP_RW));
		EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, va,
					  i & 1 ? TAG(1) : TAG(2)));
		ASSERT_EQ(0, gvm_unmap(&self->b.vm, HOTPLUG_GPA, GVM_SZ_4K));
		EXPECT_EQ(NR_EPS, refused_by(&self->b, self->h, va));
	}
}

/*
 * The IOTLB knows a translation by domain ID and PASID, not by device: one
 * PASID cannot mean two address spaces on one unit.
 */
TEST_F(devices, of_one_unit_cannot_have_different_tables_under_one_pasid)
{
	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 0x101, NULL));
	EXPECT_EQ(-EBUSY, gvm_bind(&self->b.dev[1], &self->q.pt, 0x101, NULL));
	EXPECT_TRUE(refused(peek_proc(&self->b.lab[1], self->h, 0)));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[0], self->h, 0));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[1], &self->p.pt, 0x101, NULL));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[1], self->h, 0));
}

/* One PASID, one table: a replace on one device is a replace on all. */
TEST_F(devices, are_all_given_the_new_table_by_a_replace)
{
	int i;

	ASSERT_EQ(0, bind_all(&self->b, &self->p, 0x101));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA, TAG(1)));
	for (i = 0; i < NR_EPS; i++) {
		ASSERT_EQ(0, gvm_replace(&self->b.dev[i], i & 1 ? &self->p.pt :
					 &self->q.pt, self->h));
		EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA,
					  i & 1 ? TAG(1) : TAG(2)));
	}
	/* Whoever comes later gets the table that is bound now, or none. */
	ASSERT_EQ(0, gvm_unbind(&self->b.dev[0], self->h));
	ASSERT_EQ(0, gvm_replace(&self->b.dev[1], &self->q.pt, self->h));
	EXPECT_EQ(-EBUSY, gvm_bind(&self->b.dev[0], &self->p.pt, 0x101, NULL));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->q.pt, 0x101, NULL));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA, TAG(2)));
}

struct racing_free {
	struct bench *b;
	__u32 h;
	atomic_int go;
	int rc;
};

static void *racing_free(void *arg)
{
	struct racing_free *f = arg;

	while (!f->go)
		;
	f->rc = gvm_pasid_free(&f->b->vm, f->h);
	return NULL;
}

/* A bind at the moment of the free comes too late, or the free takes it down. */
TEST_F_TIMEOUT(devices, do_not_keep_a_pasid_that_is_freed_during_a_bind, 120)
{
	int i, rc, taken = 0, late = 0;

	for (i = 0; i < 300; i++) {
		struct racing_free f = { .b = &self->b };
		pthread_t thread;

		ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 0x200, &f.h));
		ASSERT_EQ(0, pthread_create(&thread, NULL, racing_free, &f));
		f.go = 1;
		rc = gvm_bind_identity(&self->b.dev[2], &self->p.pt, f.h);
		ASSERT_EQ(0, pthread_join(thread, NULL));
		ASSERT_EQ(0, f.rc);
		if (rc) {
			ASSERT_EQ(-ENOENT, rc);
			late++;
		} else {
			taken++;
		}
		ASSERT_TRUE(nothing_left(&self->b.lab[0], f.h));
		ASSERT_TRUE(nothing_left(&self->b.lab[2], f.h));
		ASSERT_EQ(-ENOENT, gvm_unbind(&self->b.dev[2], f.h));
	}
	TH_LOG("%d taken down, %d came too late", taken, late);
}

TEST_F(devices, go_on_when_one_is_closed)
{
	ASSERT_EQ(0, bind_all(&self->b, &self->p, 0x101));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA, TAG(1)));
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[1], self->h, 0));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[1], self->h, VTDSIM_F_ATS));
	EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[2], self->h, 0));
	/* An open again is a device without bindings. */
	ASSERT_EQ(0, gvm_dev_add(&self->b.dev[0], &self->b.vm, EP_1A));
	ASSERT_EQ(0, lab_dev_init(&self->b.lab[0], self->b.dev[0].bar));
	EXPECT_TRUE(refused(peek_proc(&self->b.lab[0], self->h, 0)));
	ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 0x101, NULL));
	EXPECT_EQ(NR_EPS, seen_by(&self->b, self->h, PROC_VA, TAG(1)));
}

TEST_F(devices, of_one_unit_share_the_parents_domain)
{
	__u64 did[NR_EPS];
	int i;

	ASSERT_EQ(0, bind_all(&self->b, &self->p, 0x101));
	for (i = 0; i < NR_EPS; i++) {
		did[i] = entry_word(&self->b.lab[i], self->h, 1) & 0xffff;
		EXPECT_EQ(entry_word(&self->b.lab[i], 0, 1) & 0xffff, did[i]);
	}
	EXPECT_EQ(did[0], did[1]);
	EXPECT_EQ(did[2], did[3]);
}

/* ---- several parents -------------------------------------------------------------------- */

/*
 * Two memory maps in one context: the same guest-physical page is another one
 * for the device under the other parent.
 */
TEST(devices_under_different_parents_keep_their_own_memory)
{
	__u32 ioas, first, other, h;
	struct gvm_dev dev;
	struct lab_dev lab;
	struct process p;
	struct bench b;
	__u64 *twin;

	ASSERT_EQ(0, bench_open(&b, 0));
	ASSERT_EQ(0, bench_add(&b, EP_1A));
	ASSERT_EQ(0, bench_process(&b, &p, 1));
	ASSERT_EQ(0, gvm_ioas_alloc(&b.vm, &ioas));
	ASSERT_EQ(0, gvm_dev_open(&dev, EP_1B));
	ASSERT_EQ(0, gvm_dev_bind(&dev, &b.vm));
	ASSERT_EQ(0, gvm_parent_alloc(&b.vm, dev.devid, ioas, &other));
	ASSERT_EQ(0, gvm_dev_attach(&dev, other));
	ASSERT_EQ(0, gvm_dev_enable(&dev, true));
	ASSERT_EQ(0, gvm_dev_map_bar(&dev));
	ASSERT_EQ(0, lab_dev_init(&lab, dev.bar));
	/* The other map has a copy of the tables, and another page. */
	twin = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)twin);
	memcpy(twin, b.vm.ram.hva, RAM_SIZE);
	twin[(p.page - RAM_GPA) / 8] = TAG(7);
	first = b.vm.ioas;
	b.vm.ioas = ioas;
	ASSERT_EQ(0, gvm_map(&b.vm, RAM_GPA, twin, RAM_SIZE, GVM_MAP_RW));
	b.vm.ioas = first;
	ASSERT_EQ(0, gvm_bind(&b.dev[0], &p.pt, 0x101, &h));
	ASSERT_EQ(0, gvm_bind(&dev, &p.pt, 0x101, NULL));
	EXPECT_EQ(TAG(1), peek_proc(&b.lab[0], h, 0));
	EXPECT_EQ(TAG(7), peek_proc(&lab, h, 0));
	EXPECT_EQ(TAG(1), peek_proc(&b.lab[0], h, VTDSIM_F_ATS));
	EXPECT_EQ(TAG(7), peek_proc(&lab, h, VTDSIM_F_ATS));
	EXPECT_NE(entry_word(&b.lab[0], h, 1) & 0xffff,
		  entry_word(&lab, h, 1) & 0xffff);
	gvm_dev_close(&dev);
	munmap(twin, RAM_SIZE);
	EXPECT_EQ(0, bench_close(&b));
}

/* ---- two contexts ----------------------------------------------------------------------- */

TEST(contexts_on_one_unit_do_not_disturb_each_other)
{
	struct vtdsim_census c;
	struct process p, q;
	struct bench a, b;
	__u32 ha, hb;

	ASSERT_EQ(0, bench_open(&a, 0));
	ASSERT_EQ(0, bench_add(&a, EP_1A));
	ASSERT_EQ(0, bench_process(&a, &p, 1));
	ASSERT_EQ(0, gvm_bind(&a.dev[0], &p.pt, 0x101, &ha));
	ASSERT_EQ(0, bench_open(&b, 0));
	ASSERT_EQ(0, bench_add(&b, EP_1B));
	ASSERT_EQ(0, bench_process(&b, &q, 2));
	/* A number that is in use in another context cannot be had. */
	EXPECT_EQ(-ENOSPC, gvm_bind(&b.dev[0], &q.pt, 0x101, &hb));
	ASSERT_EQ(0, gvm_bind(&b.dev[0], &q.pt, 0x102, &hb));
	EXPECT_NE(entry_word(&a.lab[0], ha, 1) & 0xffff,
		  entry_word(&b.lab[0], hb, 1) & 0xffff);
	EXPECT_EQ(TAG(1), peek_proc(&a.lab[0], ha, 0));
	EXPECT_EQ(TAG(2), peek_proc(&b.lab[0], hb, 0));
	EXPECT_EQ(0, gvm_invalidate_pasid(&a.vm, 0x101));
	/* B's translation is where it was. */
	ASSERT_EQ(0, lab_census(&b.lab[0], hb, &c));
	EXPECT_GE(c.iotlb, 1);
	EXPECT_EQ(0, bench_close(&a));
	EXPECT_EQ(TAG(2), peek_proc(&b.lab[0], hb, 0));
	EXPECT_EQ(0, bench_close(&b));
}

TEST_HARNESS_MAIN
