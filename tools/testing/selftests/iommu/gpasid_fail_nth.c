// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation on the way of every ioctl fails in turn.  A call that fails
 * says -ENOMEM and leaves all state as it was; what takes something down does
 * not fail at all.
 *
 * Needs a kernel with fault injection (the lab's debug kernel).
 */
#define _GNU_SOURCE
#include <fcntl.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define MAX_NTH		1000

/* Fault injection into this thread alone, for any allocation. */
static bool injection_ready(void)
{
	static const char * const path[] = {
		DEBUGFS "failslab/ignore-gfp-wait",
		DEBUGFS "fail_page_alloc/ignore-gfp-wait",
		DEBUGFS "fail_page_alloc/ignore-gfp-highmem",
	};
	int i;

	for (i = 0; i < 3; i++)
		if (sysfs_write(path[i], "N"))
			return false;
	sysfs_write(DEBUGFS "failslab/verbose", "0");
	sysfs_write(DEBUGFS "fail_page_alloc/verbose", "0");
	sysfs_write(DEBUGFS "fail_page_alloc/min-order", "0");
	return !access("/proc/thread-self/fail-nth", R_OK | W_OK);
}

struct nth {
	int fd;
	int n;
	bool hit;	/* the allocation came, and was refused */
};

static void nth_begin(struct nth *nth)
{
	char buf[16];
	int len = snprintf(buf, sizeof(buf), "%d", ++nth->n);

	nth->hit = pwrite(nth->fd, buf, len, 0) != len;
}

/* After the call: was it hit?  Looking must not be hit itself. */
static void nth_end(struct nth *nth)
{
	char buf[16] = "";
	int tries;

	if (pread(nth->fd, buf, sizeof(buf) - 1, 0) <= 0)
		buf[0] = '1';
	nth->hit = atoi(buf) == 0;
	for (tries = 0; tries < 10; tries++)
		if (pwrite(nth->fd, "0", 1, 0) == 1)
			break;
}

FIXTURE(fail)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, q;
	struct nth nth;
	__u32 h;
};

FIXTURE_SETUP(fail)
{
	if (!injection_ready())
		SKIP(return, "no fault injection in this kernel");
	self->nth.fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->nth.fd);
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	ASSERT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
}

FIXTURE_TEARDOWN(fail)
{
	close(self->nth.fd);
	EXPECT_EQ(0, bench_close(&self->b));
}

static void books(struct __test_metadata *_metadata, struct gvm_dev *dev,
		  __u32 allocated, __u32 bound)
{
	struct vfio_device_gpasid_info info;
	__u32 got = ~0U;

	ASSERT_EQ(0, gvm_quota_get(dev->vm, NULL, &got, NULL));
	EXPECT_EQ(allocated, got);
	ASSERT_EQ(0, gvm_dev_info(dev, &info));
	EXPECT_EQ(bound, info.out_bound);
}

/*
 * Do @call with the first, second, ... allocation failing, until none fails any
 * more.  After a failure @same must hold; after a success @undo is done.
 */
#define SWEEP(call, same, undo)						\
	SWEEP_ERR(_rc == -ENOMEM, call, same, undo)

#define SWEEP_ERR(expected, call, same, undo) do {			\
	int _rc = 0;							\
									\
	self->nth.n = 0;						\
	do {								\
		ASSERT_GT(MAX_NTH, self->nth.n);			\
		nth_begin(&self->nth);					\
		_rc = call;						\
		nth_end(&self->nth);					\
		if (_rc) {						\
			EXPECT_TRUE(self->nth.hit);			\
			EXPECT_TRUE(expected)				\
				TH_LOG("allocation %d: %d",		\
				       self->nth.n, _rc);		\
			same;						\
		} else {						\
			undo;						\
		}							\
	} while (self->nth.hit);					\
	EXPECT_EQ(0, _rc);						\
	TH_LOG("%d allocations", self->nth.n - 1);			\
} while (0)

TEST_F(fail, alloc)
{
	__u32 h;

	SWEEP(gvm_pasid_alloc(&self->b.vm, &h),
	      books(_metadata, self->dev, 1, 1),
	      EXPECT_EQ(0, gvm_pasid_free(&self->b.vm, h)));
	books(_metadata, self->dev, 1, 1);
}

TEST_F(fail, alloc_with_a_guest_pasid)
{
	__u32 h, got;

	SWEEP(gvm_pasid_alloc_guest(&self->b.vm, 0x300, &h),
	      EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->b.vm, 0x300, &got)),
	      EXPECT_EQ(0, gvm_pasid_free(&self->b.vm, h)));
	books(_metadata, self->dev, 1, 1);
}

TEST_F(fail, first_alloc_of_a_context)
{
	struct gvm vm;
	__u32 h, i;

	for (i = 1; i < MAX_NTH; i++) {
		int rc;

		ASSERT_EQ(0, gvm_open(&vm, RAM_GPA, GVM_SZ_4K, 0));
		self->nth.n = i - 1;
		nth_begin(&self->nth);
		rc = gvm_pasid_alloc(&vm, &h);
		nth_end(&self->nth);
		EXPECT_EQ(rc ? -ENOMEM : 0, rc);
		/* The context is as good as before. */
		EXPECT_EQ(0, gvm_pasid_alloc(&vm, &h));
		gvm_close(&vm);
		if (!self->nth.hit)
			break;
	}
	EXPECT_GT(i, 1);
}

TEST_F(fail, bind)
{
	__u32 h;

	ASSERT_EQ(0, gvm_pasid_alloc_identity(&self->b.vm, 0x300));
	SWEEP(gvm_bind(self->dev, &self->q.pt, 0x300, &h),
	      books(_metadata, self->dev, 2, 1),
	      EXPECT_EQ(0, gvm_unbind(self->dev, h)));
	books(_metadata, self->dev, 2, 1);
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
}

/* A PASID far off needs another page of the PASID table. */
TEST_F(fail, bind_where_the_pasid_table_has_no_page)
{
	struct iommu_gpasid_alloc cmd = { .size = sizeof(cmd) };
	int i, rc;

	for (i = 1; i < MAX_NTH; i++) {
		cmd.min = 0x20000 + i * 512;
		cmd.max = cmd.min;
		ASSERT_EQ(0, gvm_ioctl(self->b.vm.iommufd, IOMMU_GPASID_ALLOC,
				       &cmd));
		self->nth.n = i - 1;
		nth_begin(&self->nth);
		rc = gvm_bind_identity(self->dev, &self->q.pt, cmd.min);
		nth_end(&self->nth);
		EXPECT_EQ(rc ? -ENOMEM : 0, rc);
		books(_metadata, self->dev, 2, rc ? 1 : 2);
		EXPECT_EQ(!rc, entry_present(self->lab, cmd.min));
		if (!rc)
			EXPECT_EQ(TAG(2), peek_proc(self->lab, cmd.min, 0));
		EXPECT_EQ(0, gvm_pasid_free(&self->b.vm, cmd.min));
		if (!self->nth.hit)
			break;
	}
	EXPECT_GT(i, 1);
}

TEST_F(fail, replace)
{
	SWEEP(gvm_replace(self->dev, &self->q.pt, self->h),
	      EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, 0)),
	      EXPECT_EQ(0, gvm_replace(self->dev, &self->p.pt, self->h)));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
}

TEST_F(fail, look_ups)
{
	__u32 got;

	SWEEP(gvm_pasid_g2h(&self->b.vm, 0x101, &got), (void)got, (void)got);
	SWEEP(gvm_pasid_h2g(&self->b.vm, self->h, &got), (void)got, (void)got);
	SWEEP(gvm_quota_get(&self->b.vm, &got, NULL, NULL), (void)got, (void)got);
	SWEEP(gvm_quota_set(&self->b.vm, 100), (void)got, (void)got);
}

TEST_F(fail, invalidate)
{
	struct iommu_gpasid_inv inv[64];
	__u32 num = 64, i;

	for (i = 0; i < 64; i++)
		inv[i] = (struct iommu_gpasid_inv){
			.pasid = self->h,
			.addr = PROC_VA + i * GVM_SZ_2M,
			.npages = 1,
		};
	SWEEP(gvm_invalidate(&self->b.vm, inv, &num), num = 64,
	      EXPECT_EQ(64, num));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
}

/* ---- what takes something down does not fail ------------------------------------- */

#define NEVER(prepare, call) do {					\
	int _rc = 0;							\
									\
	self->nth.n = 0;						\
	do {								\
		ASSERT_GT(MAX_NTH, self->nth.n);			\
		prepare;						\
		nth_begin(&self->nth);					\
		_rc = call;						\
		nth_end(&self->nth);					\
		ASSERT_EQ(0, _rc)					\
			TH_LOG("allocation %d", self->nth.n);		\
	} while (self->nth.hit);					\
} while (0)

TEST_F(fail, unbind_never)
{
	__u32 h;

	NEVER(ASSERT_EQ(0, gvm_bind(self->dev, &self->q.pt, 0x300, &h)),
	      gvm_unbind(self->dev, h));
	books(_metadata, self->dev, 2, 1);
}

TEST_F(fail, free_of_a_bound_pasid_never)
{
	__u32 h;

	NEVER(ASSERT_EQ(0, gvm_bind(self->dev, &self->q.pt, 0x300, &h)),
	      gvm_pasid_free_guest(&self->b.vm, 0x300));
	books(_metadata, self->dev, 1, 1);
	EXPECT_TRUE(nothing_left(self->lab, h));
}

static int close_fd(int *fd)
{
	int rc = close(*fd) ? -errno : 0;

	*fd = -1;
	return rc;
}

static int bench_two(struct bench *b, struct process *p, __u32 *h)
{
	int rc = bench_open_size(b, 0, GVM_SZ_2M);

	if (!rc)
		rc = bench_add(b, EP_2A);
	if (!rc)
		rc = bench_process(b, p, 3);
	if (!rc)
		rc = gvm_bind(&b->dev[0], &p->pt, 0x201, h);
	return rc;
}

TEST_F_TIMEOUT(fail, close_of_a_device_never, 300)
{
	struct bench two = { 0 };
	struct process p;
	__u32 h;

	NEVER(ASSERT_EQ(0, bench_close(&two));
	      ASSERT_EQ(0, bench_two(&two, &p, &h));
	      munmap(two.dev[0].bar, two.dev[0].bar_size);
	      two.dev[0].bar = NULL; two.lab[0].bar = NULL,
	      close_fd(&two.dev[0].fd));
	EXPECT_EQ(0, bench_close(&two));
}

TEST_F_TIMEOUT(fail, close_of_a_context_never, 300)
{
	struct bench two = { 0 };
	struct process p;
	__u32 h;

	NEVER(ASSERT_EQ(0, bench_close(&two));
	      ASSERT_EQ(0, bench_two(&two, &p, &h));
	      ASSERT_EQ(0, bench_close_dev(&two, 0)),
	      close_fd(&two.vm.iommufd));
	EXPECT_EQ(0, bench_close(&two));
}

/* ---- HWPTs and the device's own PASIDs ----------------------------------------- */

#define PASID	7

/* In a kernel with iommufd's own tests, look-ups of its objects fail, too. */
#define SWEEP_HWPT(call, same, seen, undo)				\
	SWEEP_ERR(_rc == -ENOMEM || _rc == -ENOENT || _rc == -EINVAL,	\
		  call, same, seen; undo)

FIXTURE(hwpt)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, q;
	struct nth nth;
	__u32 hp, hq;
};

FIXTURE_SETUP(hwpt)
{
	if (!injection_ready())
		SKIP(return, "no fault injection in this kernel");
	self->nth.fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->nth.fd);
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
}

/* Whatever has failed, no reference is left on an HWPT. */
FIXTURE_TEARDOWN(hwpt)
{
	close(self->nth.fd);
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(0, gvm_destroy(&self->b.vm, self->hp));
	EXPECT_EQ(0, gvm_destroy(&self->b.vm, self->hq));
	EXPECT_EQ(0, bench_close(&self->b));
}

TEST_F(hwpt, alloc_nested)
{
	__u32 hwpt;

	SWEEP_HWPT(gvm_hwpt_nested(self->dev, &self->p.pt, GVM_HWPT_PASID,
				   &hwpt),
		   (void)hwpt, (void)hwpt,
		   EXPECT_EQ(0, gvm_destroy(&self->b.vm, hwpt)));
}

TEST_F(hwpt, alloc_paging)
{
	__u32 hwpt;

	SWEEP_HWPT(gvm_hwpt_alloc(self->dev, self->b.vm.ioas, GVM_HWPT_PASID,
				  &hwpt),
		   (void)hwpt, (void)hwpt,
		   EXPECT_EQ(0, gvm_destroy(&self->b.vm, hwpt)));
}

TEST_F(hwpt, attach)
{
	SWEEP_HWPT(gvm_pasid_attach(self->dev, PASID, self->hp),
		   EXPECT_FALSE(entry_present(self->lab, PASID)),
		   EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0)),
		   EXPECT_EQ(0, gvm_pasid_detach(self->dev, PASID)));
}

/* A PASID far off needs another page of the PASID table. */
TEST_F(hwpt, attach_where_the_pasid_table_has_no_page)
{
	__u32 pasid = 0x20000;

	SWEEP_HWPT(gvm_pasid_attach(self->dev, pasid, self->hp),
		   EXPECT_FALSE(entry_present(self->lab, pasid)); pasid += 512,
		   EXPECT_EQ(TAG(1), peek_proc(self->lab, pasid, 0)),
		   EXPECT_EQ(0, gvm_pasid_detach(self->dev, pasid)));
}

TEST_F(hwpt, attach_with_a_fault_queue)
{
	__u32 fault, hwpt;
	int fd;

	ASSERT_EQ(0, gvm_fault_queue(&self->b.vm, &fault, &fd));
	ASSERT_EQ(0, gvm_hwpt_nested_fault(self->dev, &self->p.pt, fault,
					   &hwpt));
	SWEEP_HWPT(gvm_pasid_attach(self->dev, PASID, hwpt),
		   EXPECT_FALSE(entry_present(self->lab, PASID)),
		   EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0)),
		   EXPECT_EQ(0, gvm_pasid_detach(self->dev, PASID)));
	EXPECT_EQ(0, gvm_destroy(&self->b.vm, hwpt));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, gvm_destroy(&self->b.vm, fault));
}

TEST_F(hwpt, replace)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	SWEEP_HWPT(gvm_pasid_attach(self->dev, PASID, self->hq),
		   EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0)),
		   EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, 0)),
		   EXPECT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp)));
}

TEST_F(hwpt, replace_under_another_parent)
{
	__u32 other;

	ASSERT_EQ(0, gvm_hwpt_alloc(self->dev, self->b.vm.ioas, GVM_HWPT_PASID,
				    &other));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	SWEEP_HWPT(gvm_pasid_attach(self->dev, PASID, other),
		   EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0)),
		   EXPECT_EQ(TAG(1), peek(self->lab, PASID, 0, self->p.page)),
		   EXPECT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp)));
	EXPECT_EQ(0, gvm_destroy(&self->b.vm, other));
}

TEST_F(hwpt, invalidate)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	SWEEP_HWPT(gvm_hwpt_invalidate(&self->b.vm, self->hp, PROC_VA, 1, true),
		   (void)self, (void)self, (void)self);
	EXPECT_EQ(TAG(1), peek_proc(self->lab, PASID, 0));
}

TEST_F(hwpt, detach_never)
{
	NEVER(ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp)),
	      gvm_pasid_detach(self->dev, PASID));
	EXPECT_TRUE(nothing_left(self->lab, PASID));
}

TEST_F(hwpt, destroy_never)
{
	__u32 hwpt;

	NEVER(ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->p.pt,
					   GVM_HWPT_PASID, &hwpt)),
	      gvm_destroy(&self->b.vm, hwpt));
}

static int attach_two(struct bench *b, struct process *p, __u32 *hwpt)
{
	int rc = bench_open_size(b, GVM_PASID, GVM_SZ_2M);

	if (!rc)
		rc = bench_add(b, EP_2A);
	if (!rc)
		rc = bench_process(b, p, 3);
	if (!rc)
		rc = gvm_hwpt_nested(&b->dev[0], &p->pt, GVM_HWPT_PASID, hwpt);
	if (!rc)
		rc = gvm_pasid_attach(&b->dev[0], PASID, *hwpt);
	if (!rc)
		rc = gvm_pasid_attach(&b->dev[0], PASID + 1, *hwpt);
	return rc;
}

TEST_F_TIMEOUT(hwpt, close_of_a_device_never, 300)
{
	struct bench two = { 0 };
	struct process p;
	__u32 hwpt;

	NEVER(ASSERT_EQ(0, bench_close(&two));
	      ASSERT_EQ(0, attach_two(&two, &p, &hwpt));
	      munmap(two.dev[0].bar, two.dev[0].bar_size);
	      two.dev[0].bar = NULL; two.lab[0].bar = NULL,
	      close_fd(&two.dev[0].fd));
	EXPECT_EQ(0, bench_close(&two));
}

TEST_HARNESS_MAIN
