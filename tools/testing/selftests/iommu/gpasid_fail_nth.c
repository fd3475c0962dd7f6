// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation on the way of every ioctl fails in turn.  A call that fails
 * says -ENOMEM and leaves all state as it was, the device's PASID table among it;
 * what takes something down does not fail at all.
 *
 * Allocations are counted for this thread alone, so those of a unit's page-request
 * thread do not fail here: gpasid_memcg has them fail, at the limit of a cgroup.
 *
 * Needs a kernel with fault injection (the lab's debug kernel).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

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

/* The entries of the device's PASID table; caches come and go with DMA. */
static bool same_entries(struct lab_dev *lab, const struct vtdsim_census *then)
{
	struct vtdsim_census now;

	return !lab_census(lab, 0, &now) && now.present == then->present &&
	       now.nested == then->nested && now.nonzero == then->nonzero &&
	       now.page_requests == then->page_requests;
}

/*
 * Do @call with the first, second, ... allocation failing, until none fails any
 * more.  After a failure the PASID table is as before and @same must hold; after
 * a success @seen must hold, and @undo is done.
 */
#define SWEEP(call, same, undo)						\
	SWEEP_ERR(_rc == -ENOMEM, call, same, undo)

#define SWEEP_SEEN(call, same, seen, undo)				\
	SWEEP_ERR(_rc == -ENOMEM, call, same, seen; undo)

#define SWEEP_ERR(expected, call, same, undo) do {			\
	struct vtdsim_census _then;					\
	int _rc = 0;							\
									\
	self->nth.n = 0;						\
	do {								\
		ASSERT_GT(MAX_NTH, self->nth.n);			\
		ASSERT_EQ(0, lab_census(self->lab, 0, &_then));		\
		nth_begin(&self->nth);					\
		_rc = call;						\
		nth_end(&self->nth);					\
		if (_rc) {						\
			EXPECT_TRUE(self->nth.hit);			\
			EXPECT_TRUE(expected)				\
				TH_LOG("allocation %d: %d",		\
				       self->nth.n, _rc);		\
			EXPECT_TRUE(same_entries(self->lab, &_then))	\
				TH_LOG("allocation %d", self->nth.n);	\
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

TEST_F(fail, fault_file)
{
	int fd;

	SWEEP(gvm_faults_open(&self->b.vm, 0, 0, &fd), (void)fd,
	      EXPECT_EQ(0, close(fd)));
}

/* The first bind while the file is open switches page requests on. */
TEST_F(fail, bind_with_a_fault_file)
{
	__u32 h;
	int fd;

	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	ASSERT_EQ(0, gvm_pasid_alloc_identity(&self->b.vm, 0x300));
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, 0, &fd));
	SWEEP_SEEN(gvm_bind(self->dev, &self->q.pt, 0x300, &h),
		   books(_metadata, self->dev, 2, 0),
		   EXPECT_EQ(TAG(2), peek_proc(self->lab, h, 0)),
		   EXPECT_EQ(0, gvm_unbind(self->dev, h)));
	books(_metadata, self->dev, 2, 0);
	EXPECT_EQ(0, close(fd));
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

/*
 * In a kernel with iommufd's own tests, look-ups of its objects and of memory to
 * pin fail, too.
 */
static bool hwpt_error(int rc)
{
	return rc == -ENOMEM || rc == -ENOENT || rc == -EINVAL || rc == -EFAULT;
}

#define SWEEP_HWPT(call, same, seen, undo)				\
	SWEEP_ERR(hwpt_error(_rc), call, same, seen; undo)

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

/* 8 bytes by DMA without a PASID. */
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
				   OTHER((unsigned int)rc & 0xffff);
}

TEST_F(hwpt, attach_of_the_rid)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	SWEEP_HWPT(gvm_dev_attach(self->dev, self->hp),
		   EXPECT_TRUE(refused(peek_rid(self->lab, PROC_VA)));
		   EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, 0)),
		   EXPECT_EQ(TAG(1), peek_rid(self->lab, PROC_VA)),
		   EXPECT_EQ(0, gvm_dev_detach(self->dev)));
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->b.vm.parent));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, 0));
}

TEST_F(hwpt, replace_of_the_rids_domain)
{
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	SWEEP_HWPT(gvm_dev_attach(self->dev, self->hp),
		   EXPECT_EQ(TAG(1), peek_rid(self->lab, self->p.page));
		   EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, 0)),
		   EXPECT_EQ(TAG(1), peek_rid(self->lab, PROC_VA)),
		   EXPECT_EQ(0, gvm_dev_attach(self->dev, self->b.vm.parent)));
	EXPECT_EQ(TAG(2), peek_proc(self->lab, PASID, 0));
}

TEST_F(hwpt, map_of_a_file)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	const __u64 size = 4 * GVM_SZ_4K;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, size));
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, PROC_VA + GVM_SZ_1G, HOTPLUG_GPA,
				size, GVM_SZ_4K, GVM_PT_RW));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	SWEEP_HWPT(gvm_map_file(&self->b.vm, HOTPLUG_GPA, fd, 0, size, GVM_MAP_RW),
		   EXPECT_TRUE(refused(peek(self->lab, PASID, 0,
					    PROC_VA + GVM_SZ_1G)));
		   EXPECT_EQ(-ENOENT, gvm_unmap(&self->b.vm, HOTPLUG_GPA, size)),
		   EXPECT_EQ(0, peek(self->lab, PASID, 0, PROC_VA + GVM_SZ_1G)),
		   EXPECT_EQ(0, gvm_unmap(&self->b.vm, HOTPLUG_GPA, size)));
	EXPECT_EQ(0, close(fd));
}

TEST_F(hwpt, dirty_switch)
{
	__u32 parent;
	__u64 off;

	self->b.vm.flags |= GVM_DIRTY_TRACKING;
	ASSERT_EQ(0, gvm_parent_alloc(&self->b.vm, self->dev->devid,
				      self->b.vm.ioas, &parent));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, parent));
	off = entry_word(self->lab, PASID, 0);
	SWEEP_HWPT(gvm_dirty_tracking(&self->b.vm, parent, true),
		   EXPECT_EQ(off, entry_word(self->lab, PASID, 0)),
		   EXPECT_NE(off, entry_word(self->lab, PASID, 0)),
		   EXPECT_EQ(0, gvm_dirty_tracking(&self->b.vm, parent, false)));
	EXPECT_EQ(off, entry_word(self->lab, PASID, 0));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(0, gvm_destroy(&self->b.vm, parent));
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

/* ---- virtual devices that share one ------------------------------------------------ */

#define SYS_PCI		"/sys/bus/pci/"
#define PF		EP_1B
#define NR_VIRT		2

/* A VM with two virtual devices of the sample driver, the first with 0x101 bound. */
FIXTURE(vdcm)
{
	struct lab_dev look, *lab;	/* the function below, past its driver */
	struct gvm vm;
	struct gvm_dev virt[NR_VIRT];
	struct gvm_pt pt, other;
	struct nth nth;
	__u32 h;
};

static int pf_driver(const char *name)
{
	sysfs_write(SYS_PCI "devices/" PF "/driver/unbind", PF);
	return sysfs_write(SYS_PCI "devices/" PF "/driver_override", name) ?:
	       sysfs_write(SYS_PCI "drivers_probe", PF);
}

static int virt_add(struct gvm_dev *dev, struct gvm *vm, int number)
{
	char name[64];
	int rc;

	snprintf(name, sizeof(name), PF "/gpasid_vdcm.vdev.%d", number);
	rc = gvm_dev_open(dev, name);
	if (!rc)
		rc = gvm_dev_bind(dev, vm);
	return rc ?: gvm_dev_attach(dev, vm->ioas);
}

FIXTURE_SETUP(vdcm)
{
	int i;

	if (!injection_ready())
		SKIP(return, "no fault injection in this kernel");
	self->nth.fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->nth.fd);
	ASSERT_EQ(0, system("modprobe gpasid_vdcm"));
	ASSERT_EQ(0, pf_driver("gpasid_vdcm"));
	ASSERT_EQ(0, lab_dev_open_sysfs(&self->look, PF));
	self->lab = &self->look;
	ASSERT_EQ(0, gvm_open(&self->vm, RAM_GPA, GVM_SZ_2M, 0));
	for (i = 0; i < NR_VIRT; i++)
		ASSERT_EQ(0, virt_add(&self->virt[i], &self->vm, i));
	ASSERT_EQ(0, gvm_pt_init(&self->pt, &self->vm.ram, 4));
	ASSERT_EQ(0, gvm_pt_init(&self->other, &self->vm.ram, 4));
	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->vm, 0x101, &self->h));
	ASSERT_EQ(0, gvm_bind(&self->virt[0], &self->pt, 0x101, NULL));
}

FIXTURE_TEARDOWN(vdcm)
{
	int i;

	close(self->nth.fd);
	for (i = 0; i < NR_VIRT; i++)
		gvm_dev_close(&self->virt[i]);
	gvm_close(&self->vm);
	EXPECT_TRUE(nothing_left(&self->look, 0));
	lab_dev_close(&self->look);
	EXPECT_EQ(0, pf_driver("\n"));
}

TEST_F(vdcm, bind)
{
	__u32 h;

	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->vm, 0x102, &h));
	SWEEP_SEEN(gvm_bind(&self->virt[1], &self->other, 0x102, NULL),
		   books(_metadata, &self->virt[1], 2, 0),
		   EXPECT_TRUE(entry_present(self->lab, h)),
		   EXPECT_EQ(0, gvm_unbind(&self->virt[1], h)));
	books(_metadata, &self->virt[1], 2, 0);
}

TEST_F(vdcm, share)
{
	SWEEP_SEEN(gvm_bind(&self->virt[1], &self->pt, 0x101, NULL),
		   books(_metadata, &self->virt[1], 1, 0);
		   books(_metadata, &self->virt[0], 1, 1),
		   books(_metadata, &self->virt[1], 1, 1),
		   EXPECT_EQ(0, gvm_unbind(&self->virt[1], self->h)));
	books(_metadata, &self->virt[0], 1, 1);
	EXPECT_TRUE(entry_present(self->lab, self->h));
}

TEST_HARNESS_MAIN
