// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA through random PASIDs in several queues while pages of the second stage
 * are unmapped and mapped elsewhere, and PASIDs are unbound and bound.
 *
 * Two ways to see that nothing is missed.  At rest: DMA pauses while the second
 * stage changes, then no hit in any cache may be stale.  At work: DMA goes on,
 * and each slot of guest memory carries an epoch; a DMA that began and ended in
 * one epoch must have seen exactly what that epoch says.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define NR_SLOTS	32
#define NR_PAGES	64
#define NR_PROCS	8
#define NR_PASIDS	64
#define SLOT_VA(s)	(PROC_VA + GVM_SZ_1G + (s) * GVM_SZ_4K)
#define SLOT_GPA(s)	(HOTPLUG_GPA + (s) * GVM_SZ_4K)
#define UNMAPPED	(-1)

/*
 * A page of guest memory.  @epoch is odd while it changes; while it is even,
 * @page says what is behind it.
 */
struct slot {
	atomic_uint epoch;
	atomic_int page;
};

struct pasid {
	atomic_uint epoch;	/* odd while it is bound or unbound */
	atomic_uint h;		/* 0: not bound */
};

FIXTURE(stress)
{
	struct bench b;
	struct process proc[NR_PROCS];
	struct pasid pasid[NR_PASIDS];
	struct slot slot[NR_SLOTS];
	__u64 *page[NR_PAGES];
	bool used[NR_PAGES];
	unsigned int seed;
	int seconds;
};

static int map_slot(struct gvm *vm, struct slot *slot, int s, __u64 **page,
		    bool *used, int to)
{
	int from = slot->page, rc = 0;

	if (to != UNMAPPED && used[to])
		return 0;
	slot->epoch++;
	if (from != UNMAPPED) {
		rc = gvm_unmap(vm, SLOT_GPA(s), GVM_SZ_4K);
		used[from] = false;
	}
	slot->page = UNMAPPED;
	if (!rc && to != UNMAPPED) {
		rc = gvm_map(vm, SLOT_GPA(s), page[to], GVM_SZ_4K, GVM_MAP_RW);
		used[to] = true;
		slot->page = to;
	}
	slot->epoch++;
	return rc;
}

FIXTURE_SETUP(stress)
{
	const char *seconds = getenv("STRESS_SECONDS");
	__u32 h;
	int i;

	self->seconds = seconds ? atoi(seconds) : 5;
	self->seed = time(NULL);
	TH_LOG("seed %u", self->seed);
	ASSERT_EQ(0, bench_open_size(&self->b, 0, 4 * RAM_SIZE));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_add(&self->b, EP_1B));
	for (i = 0; i < NR_PAGES; i++) {
		self->page[i] = gvm_ram_ptr(&self->b.vm.ram,
					    gvm_ram_alloc_page(&self->b.vm.ram),
					    GVM_SZ_4K);
		ASSERT_NE(NULL, self->page[i]);
		*self->page[i] = TAG(1000 + i);
	}
	for (i = 0; i < NR_PROCS; i++) {
		ASSERT_EQ(0, bench_process(&self->b, &self->proc[i], i));
		ASSERT_EQ(0, gvm_pt_map(&self->proc[i].pt, SLOT_VA(0),
					SLOT_GPA(0), NR_SLOTS * GVM_SZ_4K,
					GVM_SZ_4K, GVM_PT_RW));
	}
	for (i = 0; i < NR_PASIDS; i++) {
		ASSERT_EQ(0, gvm_bind(&self->b.dev[i & 1],
				      &self->proc[i % NR_PROCS].pt, 1 + i, &h));
		self->pasid[i].h = h;
	}
	for (i = 0; i < NR_SLOTS; i++) {
		self->slot[i].page = UNMAPPED;
		ASSERT_EQ(0, map_slot(&self->b.vm, &self->slot[i], i, self->page,
				      self->used, i));
	}
}

FIXTURE_TEARDOWN(stress)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

static bool has_ats(struct bench *b)
{
	return b->info[0].out_caps & GPASID_CAP_ATS;
}

TEST_F_TIMEOUT(stress, no_hit_is_stale_when_dma_rests_during_changes, 120)
{
	time_t end = time(NULL) + self->seconds;
	unsigned long dma = 0, changes = 0;
	int i, s, n, to, flags;
	__u64 got, want;

	while (time(NULL) < end) {
		for (i = 0; i < 200; i++, dma++) {
			n = rand_r(&self->seed) % NR_PASIDS;
			s = rand_r(&self->seed) % NR_SLOTS;
			flags = has_ats(&self->b) && rand_r(&self->seed) & 64 ?
				VTDSIM_F_ATS : 0;
			got = peek(&self->b.lab[n & 1], self->pasid[n].h, flags,
				   SLOT_VA(s));
			if (self->slot[s].page == UNMAPPED) {
				ASSERT_TRUE(refused(got)) TH_LOG("%llx", got);
				continue;
			}
			want = TAG(1000 + self->slot[s].page);
			ASSERT_EQ(want, got);
		}
		for (i = 0; i < 8; i++, changes++) {
			s = rand_r(&self->seed) % NR_SLOTS;
			to = rand_r(&self->seed) % (NR_PAGES + 16);
			if (to >= NR_PAGES)
				to = UNMAPPED;
			ASSERT_EQ(0, map_slot(&self->b.vm, &self->slot[s], s,
					      self->page, self->used, to));
		}
	}
	TH_LOG("%lu DMAs, %lu changes of the second stage", dma, changes);
}

struct dma_thread {
	struct lab_dev *lab;
	struct pasid *pasid;
	struct slot *slot;
	unsigned int dev, q, seed;
	bool ats;
	atomic_int stop;
	unsigned long dma, sure, wrong;
	__u64 got, want;
};

/* One DMA; when nothing changed meanwhile, the result is certain. */
static void one_dma(struct dma_thread *t)
{
	int n = (rand_r(&t->seed) % (NR_PASIDS / 2)) * 2 + t->dev;
	int s = rand_r(&t->seed) % NR_SLOTS;
	unsigned int pe = t->pasid[n].epoch, se = t->slot[s].epoch;
	unsigned int h = t->pasid[n].h;
	int page = t->slot[s].page, rc;
	bool ok;
	__u64 val = 0;

	/* The number of a PASID that is not bound may be another's by now. */
	if (pe & 1 || se & 1 || !h)
		return;
	rc = lab_read(t->lab, t->q, h, t->ats && rand_r(&t->seed) & 64 ?
		      VTDSIM_F_ATS : 0, SLOT_VA(s), &val, sizeof(val));
	t->dma++;
	if (t->pasid[n].epoch != pe || t->slot[s].epoch != se)
		return;
	t->sure++;
	if (page == UNMAPPED)
		ok = rc == VTDSIM_FAULT || rc == VTDSIM_ATS_DENIED;
	else
		ok = rc == VTDSIM_DONE && val == TAG(1000 + page);
	if (ok)
		return;
	t->wrong++;
	t->got = (__u64)rc << 56 | val;
	t->want = page;
}

static void *dma_main(void *arg)
{
	struct dma_thread *t = arg;

	while (!t->stop)
		one_dma(t);
	return NULL;
}

/* Unbind or bind one PASID. */
static int turn_pasid(struct bench *b, struct pasid *p, int n,
		      struct process *proc)
{
	__u32 h = p->h;
	int rc;

	p->epoch++;
	if (h) {
		rc = gvm_unbind(&b->dev[n & 1], h);
		p->h = 0;
	} else {
		rc = gvm_bind(&b->dev[n & 1], &proc->pt, 1 + n, &h);
		p->h = h;
	}
	p->epoch++;
	return rc;
}

TEST_F_TIMEOUT(stress, dma_sees_what_is_mapped_while_all_changes, 120)
{
	struct dma_thread t[4] = { 0 };
	unsigned long changes = 0;
	pthread_t thread[4];
	int i, s, n, to;
	time_t end;

	for (i = 0; i < 4; i++) {
		t[i].lab = &self->b.lab[i & 1];
		t[i].pasid = self->pasid;
		t[i].slot = self->slot;
		t[i].dev = i & 1;
		t[i].q = 1 + i / 2;
		t[i].seed = self->seed + i;
		t[i].ats = has_ats(&self->b);
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, dma_main, &t[i]));
	}
	for (end = time(NULL) + self->seconds; time(NULL) < end; changes++) {
		s = rand_r(&self->seed) % NR_SLOTS;
		to = rand_r(&self->seed) % (NR_PAGES + 16);
		EXPECT_EQ(0, map_slot(&self->b.vm, &self->slot[s], s,
				      self->page, self->used,
				      to < NR_PAGES ? to : UNMAPPED));
		n = rand_r(&self->seed) % NR_PASIDS;
		EXPECT_EQ(0, turn_pasid(&self->b, &self->pasid[n], n,
					&self->proc[n % NR_PROCS]));
		usleep(200);
	}
	for (i = 0; i < 4; i++) {
		t[i].stop = 1;
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
		TH_LOG("queue %u of device %u: %lu DMAs, %lu judged, %lu changes",
		       t[i].q, t[i].dev, t[i].dma, t[i].sure, changes);
		EXPECT_EQ(0, t[i].wrong)
			TH_LOG("%lu wrong, got %llx, wanted page %lld",
			       t[i].wrong, t[i].got, (long long)t[i].want);
		EXPECT_GT(t[i].sure, 0);
	}
}

/* ---- bind, look up, invalidate and free by many threads ------------------------- */

struct ioctl_thread {
	struct bench *b;
	struct process *proc;
	unsigned int seed;
	atomic_int stop;
	unsigned long calls;
	int bad;
};

/* Any errno that the header gives for a race is fine; others are not. */
static bool race_errno(int rc)
{
	return !rc || rc == -ENOENT || rc == -EEXIST || rc == -EBUSY ||
	       rc == -ENOSPC;
}

static void one_ioctl(struct ioctl_thread *t)
{
	__u32 g = 1 + rand_r(&t->seed) % 4, h = 0, num = 1;
	struct gvm_dev *dev = &t->b->dev[rand_r(&t->seed) >> 4 & 1];
	struct iommu_gpasid_inv inv = {
		.pasid = g,
		.flags = IOMMU_GPASID_INV_BY_GPASID | IOMMU_GPASID_INV_PASID,
	};
	int rc = 0;

	switch (rand_r(&t->seed) >> 4 & 7) {
	case 0:
		rc = gvm_pasid_alloc_identity(&t->b->vm, g);
		break;
	case 1:
		rc = gvm_pasid_free_guest(&t->b->vm, g);
		break;
	case 2:
	case 3:
		rc = gvm_bind(dev, &t->proc->pt, g, &h);
		break;
	case 4:
		rc = gvm_unbind_guest(dev, g);
		break;
	case 5:
		rc = gvm_pasid_g2h(&t->b->vm, g, &h);
		if (!rc)
			rc = gvm_replace(dev, &t->proc->pt, h);
		break;
	case 6:
		rc = gvm_invalidate(&t->b->vm, &inv, &num);
		break;
	case 7:
		rc = gvm_pasid_g2h(&t->b->vm, g, &h);
		if (!rc)
			rc = gvm_pasid_h2g(&t->b->vm, h, &g);
		break;
	}
	t->calls++;
	if (!race_errno(rc))
		t->bad = rc;
}

static void *ioctl_main(void *arg)
{
	struct ioctl_thread *t = arg;

	while (!t->stop)
		one_ioctl(t);
	return NULL;
}

TEST_F_TIMEOUT(stress, ioctls_race_without_harm, 120)
{
	struct ioctl_thread t[4] = { 0 };
	pthread_t thread[4];
	__u32 g, h, allocated;
	int i;

	for (i = 0; i < NR_PASIDS; i++)
		ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, self->pasid[i].h));
	for (i = 0; i < 4; i++) {
		t[i].b = &self->b;
		t[i].proc = &self->proc[0];
		t[i].seed = self->seed + i;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, ioctl_main, &t[i]));
	}
	sleep(self->seconds);
	for (i = 0; i < 4; i++) {
		t[i].stop = 1;
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
		TH_LOG("%lu calls", t[i].calls);
		EXPECT_EQ(0, t[i].bad);
	}
	/* What is left can be cleared away, and the books agree. */
	for (g = 1; g <= 4; g++)
		if (!gvm_pasid_g2h(&self->b.vm, g, &h))
			EXPECT_EQ(0, gvm_pasid_free(&self->b.vm, h));
	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, NULL, &allocated, NULL));
	EXPECT_EQ(0, allocated);
	EXPECT_TRUE(nothing_left(&self->b.lab[0], 0));
	EXPECT_TRUE(nothing_left(&self->b.lab[1], 0));
}

TEST_HARNESS_MAIN
