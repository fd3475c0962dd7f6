// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replace: the guest gave a live PASID another table.  DMA sees the old table
 * or the new one, never a fault, and after the call the new one only.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "gpasid_dma_fixture.h"

TEST_F(dma, a_replace_takes_dma_to_the_new_table_at_once)
{
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, gvm_replace(self->dev, &self->q.pt, self->h));
		EXPECT_EQ(TAG(2), peek_proc(self->lab, self->h, variant->flags));
		ASSERT_EQ(0, gvm_replace(self->dev, &self->p.pt, self->h));
		EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	}
}

TEST_F(dma, a_replace_can_be_asked_for_by_the_guest_pasid)
{
	struct vfio_device_gpasid_bind arg = {
		.flags = VFIO_GPASID_BIND_GPASID | VFIO_GPASID_BIND_REPLACE,
		.addr_width = 48,
		.gpasid = 0x101,
		.pgtbl = self->q.pt.root,
	};

	ASSERT_EQ(0, gvm_bind_args(self->dev, &arg));
	EXPECT_EQ(self->h, arg.hpasid);
	EXPECT_EQ(TAG(2), peek_proc(self->lab, self->h, variant->flags));
	arg.hpasid = 0;
	arg.gpasid = 0x102;
	EXPECT_EQ(-ENOENT, gvm_bind_args(self->dev, &arg));
}

TEST_F(dma, a_replace_of_what_is_not_bound_fails)
{
	__u32 h;

	EXPECT_EQ(-ENOENT, gvm_replace(self->dev, &self->q.pt, 0x4444));
	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h));
	EXPECT_EQ(-ENOENT, gvm_replace(self->dev, &self->q.pt, h));
	EXPECT_FALSE(entry_present(self->lab, h));
}

TEST_F(dma, a_replace_that_fails_leaves_the_old_table)
{
	struct gvm_pt bad = self->q.pt;

	bad.root |= 8;
	EXPECT_EQ(-EINVAL, gvm_replace(self->dev, &bad, self->h));
	bad.root = 1ULL << 52;
	EXPECT_EQ(-EINVAL, gvm_replace(self->dev, &bad, self->h));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	EXPECT_EQ(self->p.pt.root,
		  entry_word(self->lab, self->h, 2) & ~0xfffULL);
}

/* Nor is there a bind whose PASID nobody would know. */
TEST_F(dma, a_replace_or_a_bind_that_cannot_answer_changes_nothing)
{
	struct vfio_device_gpasid_bind *arg;
	__u32 h;

	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h));
	arg = mmap(NULL, GVM_SZ_4K, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)arg);
	*arg = (struct vfio_device_gpasid_bind){
		.argsz = sizeof(*arg),
		.flags = VFIO_GPASID_BIND_REPLACE,
		.format = GPASID_FORMAT_VTD,
		.addr_width = 48,
		.hpasid = self->h,
		.pgtbl = self->q.pt.root,
	};
	ASSERT_EQ(0, mprotect(arg, GVM_SZ_4K, PROT_READ));
	EXPECT_EQ(-EFAULT, gvm_ioctl(self->dev->fd, VFIO_DEVICE_GPASID_BIND,
				     arg));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	ASSERT_EQ(0, mprotect(arg, GVM_SZ_4K, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, gvm_ioctl(self->dev->fd, VFIO_DEVICE_GPASID_BIND, arg));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, self->h, variant->flags));
	arg->flags = 0;
	arg->hpasid = h;
	ASSERT_EQ(0, mprotect(arg, GVM_SZ_4K, PROT_READ));
	EXPECT_EQ(-EFAULT, gvm_ioctl(self->dev->fd, VFIO_DEVICE_GPASID_BIND,
				     arg));
	EXPECT_FALSE(entry_present(self->lab, h));
	munmap(arg, GVM_SZ_4K);
}

TEST_F(dma, a_replace_by_the_same_table_is_fine)
{
	ASSERT_EQ(0, gvm_replace(self->dev, &self->p.pt, self->h));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
}

TEST_F(dma, a_replace_can_change_the_number_of_levels)
{
	struct process five;

	if (!(self->b.info[0].out_addr_widths & 2))
		SKIP(return, "no 5-level tables");
	ASSERT_EQ(0, bench_process_levels(&self->b, &five, 5, 5));
	ASSERT_EQ(0, gvm_replace(self->dev, &five.pt, self->h));
	EXPECT_EQ(TAG(5), peek_proc(self->lab, self->h, variant->flags));
	EXPECT_EQ(1, entry_word(self->lab, self->h, 2) >> 2 & 3);
	ASSERT_EQ(0, gvm_replace(self->dev, &self->p.pt, self->h));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
}

TEST_F(dma, a_replace_leaves_other_pasids_alone)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x102, &h));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, h, variant->flags));
	ASSERT_EQ(0, gvm_replace(self->dev, &self->q.pt, self->h));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, h, variant->flags));
}

TEST_F(dma, a_replace_keeps_unbind_and_free_as_they_were)
{
	ASSERT_EQ(0, gvm_replace(self->dev, &self->q.pt, self->h));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, self->h, variant->flags));
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_TRUE(nothing_left(self->lab, self->h));
	EXPECT_EQ(-ENOENT, gvm_replace(self->dev, &self->q.pt, self->h));
}

/* ---- while the device is at work -------------------------------------------------- */

/* What must happen before the test is over, and how long it may take. */
#define MIN_REPLACES	500
#define MIN_SEEN	500
#define MAX_SECONDS	60

/* Reads in flight at a time: the device does not pause during a replace. */
#define BURST		128

struct worker {
	struct lab_dev *lab;
	unsigned int q, flags;
	__u32 h;
	atomic_int stop;
	atomic_ulong seen[2];
	unsigned long wrong;
	__u64 last_wrong;
};

static int submit_burst(struct worker *w)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = w->flags | VTDSIM_F_PASID,
		.pasid = w->h,
		.addr = PROC_VA,
		.len = sizeof(__u64),
	};
	int i, rc = 0;

	for (i = 0; !rc && i < BURST; i++) {
		d.local = LAB_LOCAL(w->q) + i * sizeof(__u64);
		rc = lab_submit(w->lab, w->q, &d);
	}
	return rc ? rc : lab_wait(w->lab, w->q, 10000);
}

static void look_at(struct worker *w, int i)
{
	__u64 val = ((__u64 *)lab_local(w->lab, w->q))[i];
	struct vtdsim_desc d;

	lab_result(w->lab, w->q, BURST - 1 - i, &d);
	if (d.status == VTDSIM_DONE && val == TAG(1)) {
		w->seen[0]++;
	} else if (d.status == VTDSIM_DONE && val == TAG(2)) {
		w->seen[1]++;
	} else {
		w->wrong++;
		w->last_wrong = d.status == VTDSIM_FAULT ? FAULT(d.reason) :
				OTHER(d.status);
	}
}

/* Reads without a pause; what it reads must be one of the two tags. */
static void *work(void *arg)
{
	struct worker *w = arg;
	int i;

	while (!w->stop) {
		if (submit_burst(w)) {
			w->wrong++;
			break;
		}
		for (i = 0; i < BURST; i++)
			look_at(w, i);
	}
	return NULL;
}

static bool seen_enough(struct worker *w)
{
	return w->seen[0] >= MIN_SEEN && w->seen[1] >= MIN_SEEN;
}

/* One number, and the two tables that it changes between. */
struct target {
	struct gvm_dev *dev;
	__u32 pasid;
	const struct gvm_pt *pt[2];
	__u32 hwpt[2];		/* instead: HWPTs that it is attached to */
};

static int change(const struct target *t, int which)
{
	if (t->hwpt[0])
		return gvm_pasid_attach(t->dev, t->pasid, t->hwpt[which]);
	return gvm_replace(t->dev, t->pt[which], t->pasid);
}

static void start(struct __test_metadata *_metadata, struct worker *w,
		  pthread_t *thread, struct lab_dev *lab, __u32 pasid,
		  unsigned int flags)
{
	int i;

	for (i = 0; i < 2; i++) {
		w[i].lab = lab;
		w[i].q = i + 1;
		w[i].flags = flags;
		w[i].h = pasid;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, work, &w[i]));
	}
}

static void stop(struct __test_metadata *_metadata, struct worker *w,
		 pthread_t *thread)
{
	int i;

	for (i = 0; i < 2; i++) {
		w[i].stop = 1;
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
		EXPECT_EQ(0, w[i].wrong)
			TH_LOG("queue %d: %lu wrong, last %llx", i + 1,
			       w[i].wrong, w[i].last_wrong);
		EXPECT_TRUE(seen_enough(&w[i]))
			TH_LOG("queue %d: the tables read %lu and %lu times",
			       i + 1, w[i].seen[0], w[i].seen[1]);
	}
}

/* Change to and fro while two queues of the device read. */
static void change_under_dma(struct __test_metadata *_metadata,
			     struct lab_dev *lab, const struct target *t,
			     unsigned int flags)
{
	time_t end = time(NULL) + MAX_SECONDS;
	struct worker w[2] = { 0 };
	__u64 got = 0, want = 0;
	pthread_t thread[2];
	int n;

	start(_metadata, w, thread, lab, t->pasid, flags);
	for (n = 0; got == want && time(NULL) < end; n++) {
		if (n >= MIN_REPLACES && seen_enough(&w[0]) &&
		    seen_enough(&w[1]))
			break;
		ASSERT_EQ(0, change(t, !(n & 1)));
		/* From here on, what begins must see the new table. */
		want = n & 1 ? TAG(1) : TAG(2);
		got = peek_proc(lab, t->pasid, flags);
		EXPECT_EQ(want, got);
	}
	stop(_metadata, w, thread);
}

TEST_F_TIMEOUT(dma, a_replace_has_no_window_in_which_dma_faults, 2 * MAX_SECONDS)
{
	struct target t = {
		.dev = self->dev,
		.pasid = self->h,
		.pt = { &self->p.pt, &self->q.pt },
	};

	change_under_dma(_metadata, self->lab, &t, variant->flags);
}

TEST_F_TIMEOUT(dma, a_replace_of_the_hwpt_has_no_window_in_which_dma_faults,
	       2 * MAX_SECONDS)
{
	struct target t = { .dev = self->dev, .pasid = 7 };
	__u32 rid;

	ASSERT_EQ(0, gvm_hwpt_alloc(self->dev, self->b.vm.ioas, GVM_HWPT_PASID,
				    &rid));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, rid));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt, GVM_HWPT_PASID,
				     &t.hwpt[0]));
	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->q.pt, GVM_HWPT_PASID,
				     &t.hwpt[1]));
	ASSERT_EQ(0, change(&t, 0));
	change_under_dma(_metadata, self->lab, &t, variant->flags);
}

TEST_HARNESS_MAIN
