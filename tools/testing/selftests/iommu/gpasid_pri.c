// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests: a device that meets a page which the guest has not mapped asks
 * for it, the request reaches the VMM as a guest fault, and the answer reaches
 * the device.  The test is the guest's fault handler.
 *
 * Nothing waits for ever: whichever way the one who should answer goes, the DMA
 * ends and nothing is left.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <sys/resource.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define HEAP_VA		(PROC_VA + GVM_SZ_1G)
#define GPASID		0x101
#define GPASID_OTHER	0x201	/* of a second VM */
#define F_DEMAND	(VTDSIM_F_PASID | VTDSIM_F_ATS | VTDSIM_F_PRI)
#define WAIT_MS		8000	/* ample, under every checker */
#define QUICK_MS	300	/* a time limit that a test waits for */

FIXTURE(pri)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p;
	__u32 h;
	int fd;
	struct iommu_gpasid_fault f[64];
};

FIXTURE_SETUP(pri)
{
	self->fd = -1;
	/* A thousand pages, and what is left over for the other tests. */
	ASSERT_EQ(0, bench_open_size(&self->b, 0, 2 * RAM_SIZE));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	if (!(self->b.info[0].out_caps & GPASID_CAP_PRI))
		SKIP(return, "no page requests");
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, 0, &self->fd));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
}

FIXTURE_TEARDOWN(pri)
{
	EXPECT_EQ(0, bench_close(&self->b));
	if (self->fd >= 0)
		close(self->fd);
}

/* Start a read of one page of the heap in a queue; it waits for the page. */
static int start_read(struct lab_dev *lab, unsigned int q, __u32 h, int page)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = F_DEMAND,
		.pasid = h,
		.addr = HEAP_VA + page * GVM_SZ_4K,
		.len = 8,
		.local = LAB_LOCAL(q),
	};

	return lab_submit(lab, q, &d);
}

/* How the newest descriptor of a queue ended. */
static int ended(struct lab_dev *lab, unsigned int q, unsigned int ms)
{
	struct vtdsim_desc d;
	int rc = lab_wait(lab, q, ms);

	if (rc)
		return rc;
	lab_result(lab, q, 0, &d);
	return d.status;
}

/* The guest's handler: a page with TAG() of its number. */
static int page_in(struct bench *b, struct process *p, __u64 va)
{
	__u64 gpa = gvm_ram_alloc_page(&b->vm.ram);

	if (!gpa)
		return -ENOMEM;
	*(__u64 *)gvm_ram_ptr(&b->vm.ram, gpa, 8) =
		TAG((va - HEAP_VA) / GVM_SZ_4K);
	return gvm_pt_map(&p->pt, va, gpa, GVM_SZ_4K, GVM_SZ_4K, GVM_PT_RW);
}

static int serve_one(struct bench *b, struct process *p, int fd,
		     const struct iommu_gpasid_fault *f)
{
	int rc = page_in(b, p, f->addr);

	if (rc && rc != -EEXIST)
		return rc;
	if (!(f->flags & IOMMU_GPASID_FAULT_LAST))
		return 0;
	return gvm_faults_answer(fd, f->cookie, IOMMU_GPASID_FAULT_SUCCESS);
}

/* Serve until the queue has nothing to do; how many requests came. */
static int serve(struct bench *b, struct process *p, int fd, unsigned int q)
{
	struct iommu_gpasid_fault f[16];
	int n, i, rc, served = 0;
	time_t end = time(NULL) + 60;

	while (lab_wait(&b->lab[0], q, 0)) {
		if (time(NULL) > end)
			return -ETIMEDOUT;
		n = gvm_faults_read(fd, f, 16, 10);
		if (n < 0)
			return n;
		for (i = 0; i < n; i++, served++) {
			rc = serve_one(b, p, fd, &f[i]);
			if (rc)
				return rc;
		}
	}
	return served;
}

/* ---- what is reported ------------------------------------------------------- */

TEST_F(pri, the_record_says_what_the_device_asked)
{
	struct iommu_gpasid_fault *f = self->f;

	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 3));
	ASSERT_EQ(1, gvm_faults_read(self->fd, f, 64, WAIT_MS));
	EXPECT_EQ(GPASID, f->gpasid);
	EXPECT_EQ(self->dev->devid, f->dev_id);
	EXPECT_EQ(HEAP_VA + 3 * GVM_SZ_4K, f->addr);
	EXPECT_EQ(IOMMU_GPASID_FAULT_READ, f->perm);
	EXPECT_EQ(IOMMU_GPASID_FAULT_LAST, f->flags);
	EXPECT_EQ(0, f->__reserved);
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	EXPECT_EQ(TAG(3), *(__u64 *)lab_local(self->lab, 0));
	EXPECT_EQ(0, gvm_faults_read(self->fd, f, 64, 0));
}

TEST_F(pri, the_record_tells_writes_from_reads)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_WRITE,
		.flags = F_DEMAND,
		.pasid = self->h,
		.addr = HEAP_VA + 0x123,
		.len = 8,
	};

	ASSERT_EQ(0, lab_submit(self->lab, 0, &d));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	EXPECT_EQ(IOMMU_GPASID_FAULT_WRITE,
		  self->f->perm & IOMMU_GPASID_FAULT_WRITE);
	EXPECT_EQ(HEAP_VA, self->f->addr);
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(pri, a_host_pasid_without_a_guest_pasid_is_reported_by_its_number)
{
	__u32 h;

	ASSERT_EQ(0, gvm_pasid_alloc(&self->b.vm, &h));
	ASSERT_EQ(0, gvm_bind_identity(self->dev, &self->p.pt, h));
	ASSERT_EQ(0, start_read(self->lab, 0, h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	EXPECT_EQ(h, self->f->gpasid);
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(pri, a_group_has_one_cookie_and_one_last_request)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = F_DEMAND,
		.pasid = self->h,
		.addr = HEAP_VA,
		.len = 8 * GVM_SZ_4K / 2,
		.operand = 4,
	};
	int i, n = 0;

	ASSERT_EQ(0, lab_submit(self->lab, 0, &d));
	while (n < 4) {
		i = gvm_faults_read(self->fd, self->f + n, 64 - n, WAIT_MS);
		ASSERT_GT(i, 0);
		n += i;
	}
	ASSERT_EQ(4, n);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(self->f[0].cookie, self->f[i].cookie);
		EXPECT_EQ(self->f[0].group, self->f[i].group);
		EXPECT_EQ(HEAP_VA + i * GVM_SZ_4K, self->f[i].addr);
		EXPECT_EQ(i == 3 ? IOMMU_GPASID_FAULT_LAST : 0, self->f[i].flags);
		EXPECT_EQ(0, page_in(&self->b, &self->p, self->f[i].addr));
	}
	ASSERT_EQ(0, gvm_faults_answer(self->fd, self->f[0].cookie,
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

/* ---- demand paging ------------------------------------------------------------- */

static void demand_paging(struct __test_metadata *_metadata,
			  struct _test_data_pri *self, int pages, int group)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_COPY,
		.flags = F_DEMAND,
		.pasid = self->h,
		.addr = HEAP_VA,
		.addr2 = HEAP_VA + GVM_SZ_1G,
		.len = pages * GVM_SZ_4K,
		.operand = group,
	};
	struct vtdsim_counters c;
	struct timespec t[2];
	__u64 from, to;
	int i, n;

	ASSERT_EQ(0, lab_counters(self->lab, &c));
	clock_gettime(CLOCK_MONOTONIC, &t[0]);
	ASSERT_EQ(0, lab_submit(self->lab, 0, &d));
	n = serve(&self->b, &self->p, self->fd, 0);
	clock_gettime(CLOCK_MONOTONIC, &t[1]);
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	EXPECT_EQ(2 * pages, n);
	ASSERT_EQ(0, since(self->lab, &c, &c));
	for (i = 0; i < pages; i++) {
		ASSERT_EQ(0, gvm_pt_translate(&self->p.pt, d.addr + i * GVM_SZ_4K,
					      &from));
		ASSERT_EQ(0, gvm_pt_translate(&self->p.pt, d.addr2 + i * GVM_SZ_4K,
					      &to));
		EXPECT_EQ(TAG(i), *(__u64 *)gvm_ram_ptr(&self->b.vm.ram, from, 8));
		EXPECT_EQ(0, memcmp(gvm_ram_ptr(&self->b.vm.ram, from, GVM_SZ_4K),
				    gvm_ram_ptr(&self->b.vm.ram, to, GVM_SZ_4K),
				    GVM_SZ_4K));
	}
	TH_LOG("%d requests in groups of %d: %.0f a second; %llu responses, %llu descriptors",
	       n, group, n / (t[1].tv_sec - t[0].tv_sec +
			      (t[1].tv_nsec - t[0].tv_nsec) / 1e9),
	       c.u_desc[VTDSIM_D_PGRP_RESP], c.u_desc_total);
	/* One response for a group, and one wait behind it. */
	EXPECT_EQ(c.e_page_responses, c.u_desc[VTDSIM_D_PGRP_RESP]);
	EXPECT_LE(c.u_desc_total, 2 * c.u_desc[VTDSIM_D_PGRP_RESP]);
	EXPECT_EQ(0, c.u_faults);
}

TEST_F_TIMEOUT(pri, a_thousand_pages_are_paged_in_one_by_one, 120)
{
	demand_paging(_metadata, self, 1000, 1);
}

TEST_F_TIMEOUT(pri, a_thousand_pages_are_paged_in_by_groups, 120)
{
	demand_paging(_metadata, self, 1000, 16);
}

TEST_F(pri, answers_may_come_out_of_order)
{
	struct iommu_gpasid_fault f[LAB_NR_DMA_Q];
	unsigned int q;
	int i, n = 0;

	for (q = 0; q < LAB_NR_DMA_Q; q++)
		ASSERT_EQ(0, start_read(self->lab, q, self->h, q));
	while (n < LAB_NR_DMA_Q) {
		i = gvm_faults_read(self->fd, f + n, LAB_NR_DMA_Q - n, WAIT_MS);
		ASSERT_GT(i, 0);
		n += i;
	}
	for (i = n - 1; i >= 0; i--) {
		q = (f[i].addr - HEAP_VA) / GVM_SZ_4K;
		EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, q, 0));
		ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, &f[i]));
		EXPECT_EQ(VTDSIM_DONE, ended(self->lab, q, WAIT_MS));
		EXPECT_EQ(TAG(q), *(__u64 *)lab_local(self->lab, q));
	}
}

TEST_F(pri, many_answers_fit_in_one_write)
{
	struct iommu_gpasid_fault_response r[LAB_NR_DMA_Q + 1] = { 0 };
	struct iommu_gpasid_fault f;
	int q;

	for (q = 0; q < LAB_NR_DMA_Q; q++) {
		ASSERT_EQ(0, start_read(self->lab, q, self->h, q));
		ASSERT_EQ(1, gvm_faults_read(self->fd, &f, 1, WAIT_MS));
		ASSERT_EQ(0, page_in(&self->b, &self->p, f.addr));
		r[q].cookie = f.cookie;
	}
	/* The last is in error: what stands before it is taken. */
	r[q].cookie = ~0ULL;
	EXPECT_EQ(q * sizeof(r[0]), write(self->fd, r, sizeof(r)));
	for (q = 0; q < LAB_NR_DMA_Q; q++)
		EXPECT_EQ(VTDSIM_DONE, ended(self->lab, q, WAIT_MS));
}

/* ---- other answers -------------------------------------------------------------- */

TEST_F(pri, an_invalid_page_ends_the_dma)
{
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, self->f->cookie,
				       IOMMU_GPASID_FAULT_INVALID));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0, WAIT_MS));
	/* The next one is asked for as ever. */
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 1));
	EXPECT_EQ(1, serve(&self->b, &self->p, self->fd, 0));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(pri, a_failure_ends_the_dma)
{
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, self->f->cookie,
				       IOMMU_GPASID_FAULT_FAILURE));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0, WAIT_MS));
	/* The device asks no more, */
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 1));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0, WAIT_MS));
	EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 0));
	/* until it is reset. */
	ASSERT_EQ(0, gvm_dev_reset(self->dev));
	ASSERT_EQ(0, gvm_dev_enable(self->dev, true));
	ASSERT_EQ(0, lab_dev_restart(self->lab));
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 1));
	EXPECT_EQ(1, serve(&self->b, &self->p, self->fd, 0));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(pri, an_answer_without_its_question_is_refused)
{
	struct iommu_gpasid_fault_response r = { 0 };

	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, 0, 0));
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, 12345, 0));
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, self->f->cookie + 1, 0));
	EXPECT_EQ(-EINVAL, gvm_faults_answer(self->fd, self->f->cookie, 3));
	r.cookie = self->f->cookie;
	r.__reserved = 1;
	EXPECT_EQ(-1, write(self->fd, &r, sizeof(r)));
	EXPECT_EQ(EINVAL, errno);
	r.__reserved = 0;
	EXPECT_EQ(-1, write(self->fd, &r, sizeof(r) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 0));
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, self->f->cookie, 0));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, self->f->cookie, 0));
}

TEST_F(pri, a_group_must_be_read_before_it_is_answered)
{
	struct iommu_gpasid_fault first;

	/* Cookies can be guessed; reading cannot be left out. */
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, &first, 1, WAIT_MS));
	ASSERT_EQ(0, start_read(self->lab, 1, self->h, 1));
	usleep(100000);
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, first.cookie + 1, 0));
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, &first));
	EXPECT_EQ(1, serve(&self->b, &self->p, self->fd, 1));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 1, WAIT_MS));
}

TEST_F(pri, the_fault_of_another_context_cannot_be_answered)
{
	struct gvm other;
	int fd;

	ASSERT_EQ(0, gvm_open(&other, RAM_GPA, GVM_SZ_4K, 0));
	ASSERT_EQ(0, gvm_faults_open(&other, 0, 0, &fd));
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	EXPECT_EQ(0, gvm_faults_read(fd, self->f, 64, 200));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	EXPECT_EQ(-ENOENT, gvm_faults_answer(fd, self->f->cookie, 1));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 50));
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	close(fd);
	gvm_close(&other);
}

/* ---- the file ---------------------------------------------------------------------- */

TEST_F(pri, a_context_has_one_fault_file)
{
	struct iommu_gpasid_fault_alloc cmd = { .size = sizeof(cmd) };
	int fd = self->b.vm.iommufd;

	EXPECT_EQ(-EBUSY, gvm_ioctl(fd, IOMMU_GPASID_FAULT_ALLOC, &cmd));
	close(self->fd);
	cmd.limit = IOMMU_GPASID_FAULT_LIMIT_MAX + 1;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_GPASID_FAULT_ALLOC, &cmd));
	cmd.limit = 7;
	cmd.timeout_ms = IOMMU_GPASID_FAULT_TIMEOUT_MAX + 1;
	EXPECT_EQ(-EINVAL, gvm_ioctl(fd, IOMMU_GPASID_FAULT_ALLOC, &cmd));
	cmd.timeout_ms = 1234;
	ASSERT_EQ(0, gvm_ioctl(fd, IOMMU_GPASID_FAULT_ALLOC, &cmd));
	EXPECT_EQ(7, cmd.limit);
	EXPECT_EQ(1234, cmd.timeout_ms);
	self->fd = cmd.out_fault_fd;
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD) & FD_CLOEXEC);
}

TEST_F(pri, defaults_are_told)
{
	struct iommu_gpasid_fault_alloc cmd = { .size = sizeof(cmd) };

	close(self->fd);
	ASSERT_EQ(0, gvm_ioctl(self->b.vm.iommufd, IOMMU_GPASID_FAULT_ALLOC,
			       &cmd));
	EXPECT_GT(cmd.limit, 0);
	EXPECT_GT(cmd.timeout_ms, 0);
	self->fd = cmd.out_fault_fd;
}

TEST_F(pri, reading_and_polling_follow_the_queue)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	int flags = fcntl(self->fd, F_GETFL);

	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, flags | O_NONBLOCK));
	EXPECT_EQ(-1, read(self->fd, self->f, sizeof(self->f)));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	EXPECT_EQ(1, poll(&pfd, 1, WAIT_MS));
	EXPECT_EQ(POLLIN, pfd.revents & POLLIN);
	/* A buffer too small for one record. */
	EXPECT_EQ(-1, read(self->fd, self->f, sizeof(self->f[0]) - 1));
	EXPECT_EQ(sizeof(self->f[0]), read(self->fd, self->f, sizeof(self->f)));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(pri, a_record_that_cannot_be_copied_can_be_read_again)
{
	struct iommu_gpasid_fault *page;

	page = mmap(NULL, GVM_SZ_4K, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)page);
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	EXPECT_EQ(-EFAULT, gvm_faults_read(self->fd, page, 1, WAIT_MS));
	EXPECT_EQ(-EFAULT, gvm_faults_read(self->fd, page, 1, WAIT_MS));
	/* Not read is not asked: it cannot be answered either. */
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, 1, 0));
	ASSERT_EQ(0, mprotect(page, GVM_SZ_4K, PROT_READ | PROT_WRITE));
	ASSERT_EQ(1, gvm_faults_read(self->fd, page, 1, WAIT_MS));
	EXPECT_EQ(HEAP_VA, page->addr);
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, page));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	munmap(page, GVM_SZ_4K);
}

/* A buffer that can be written to at times. */
struct flicker {
	void *page;
	atomic_int stop;
};

static void *flicker_main(void *arg)
{
	struct flicker *f = arg;

	while (!f->stop) {
		mprotect(f->page, GVM_SZ_4K, PROT_READ);
		usleep(50);
		mprotect(f->page, GVM_SZ_4K, PROT_READ | PROT_WRITE);
		usleep(50);
	}
	return NULL;
}

/* Read one record, however often it takes; how often it failed. */
static int read_at_last(int fd, struct iommu_gpasid_fault *f)
{
	int n, failed;

	for (failed = 0; ; failed++) {
		n = gvm_faults_read(fd, f, 1, WAIT_MS);
		if (n != -EFAULT)
			return n == 1 ? failed : -EIO;
	}
}

TEST_F_TIMEOUT(pri, no_record_is_lost_to_a_buffer_that_comes_and_goes, 120)
{
	struct flicker f = { 0 };
	int i, n, failed = 0;
	pthread_t thread;

	f.page = mmap(NULL, GVM_SZ_4K, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, f.page);
	ASSERT_EQ(0, pthread_create(&thread, NULL, flicker_main, &f));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, start_read(self->lab, 0, self->h, i));
		n = read_at_last(self->fd, f.page);
		ASSERT_LE(0, n) TH_LOG("request %d", i);
		failed += n;
		memcpy(self->f, f.page, sizeof(self->f[0]));
		EXPECT_EQ(HEAP_VA + i * GVM_SZ_4K, self->f->addr);
		ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, self->f));
		EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	}
	f.stop = 1;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_GT(failed, 0);
	TH_LOG("100 records, %d reads failed", failed);
	munmap(f.page, GVM_SZ_4K);
}

TEST(without_a_fault_file_nobody_is_asked)
{
	struct process p;
	struct bench b;
	__u32 h;
	int rc;

	ASSERT_EQ(0, bench_open(&b, 0));
	ASSERT_EQ(0, bench_add(&b, EP_2A));
	ASSERT_EQ(0, bench_process(&b, &p, 1));
	ASSERT_EQ(0, gvm_bind(&b.dev[0], &p.pt, GPASID, &h));
	ASSERT_EQ(0, start_read(&b.lab[0], 0, h, 0));
	rc = ended(&b.lab[0], 0, WAIT_MS);
	EXPECT_EQ(VTDSIM_ATS_DENIED, rc)
		TH_LOG("%s", lab_status_name(rc));
	EXPECT_EQ(0, bench_close(&b));
}

/* ---- nothing waits for ever --------------------------------------------------------- */

static bool gave_up(int status)
{
	return status == VTDSIM_PRI_FAILED || status == VTDSIM_ATS_DENIED ||
	       status == VTDSIM_FAULT || status == VTDSIM_ABORTED;
}

TEST_F(pri, what_is_not_answered_fails_in_time)
{
	close(self->fd);
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, QUICK_MS, &self->fd));
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0, WAIT_MS));
	/* The answer that comes late finds no question. */
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, self->f->cookie, 0));
	/* One that nobody read fails, too, and is not read later. */
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 1));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0, WAIT_MS));
	EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 0));
}

static int pause_limits(int fd, __u32 flags)
{
	struct iommu_gpasid_fault_pause arg = {
		.size = sizeof(arg), .flags = flags,
	};

	return gvm_ioctl(fd, IOMMU_GPASID_FAULT_PAUSE, &arg);
}

/* Both a group from before the pause and one that arrives in it. */
TEST_F(pri, the_time_of_a_paused_vm_does_not_count)
{
	int q;

	close(self->fd);
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, QUICK_MS, &self->fd));
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	ASSERT_EQ(0, pause_limits(self->fd, IOMMU_GPASID_FAULT_PAUSED));
	ASSERT_EQ(0, start_read(self->lab, 1, self->h, 1));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 4 * QUICK_MS));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 1, 0));
	ASSERT_EQ(0, pause_limits(self->fd, 0));
	for (q = 0; q < 2; q++)
		EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, q, WAIT_MS));
}

TEST_F(pri, a_paused_vm_can_answer)
{
	ASSERT_EQ(0, pause_limits(self->fd, IOMMU_GPASID_FAULT_PAUSED));
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	EXPECT_EQ(1, serve(&self->b, &self->p, self->fd, 0));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, 0));
}

TEST_F(pri, a_pause_knows_its_size_and_flags)
{
	struct iommu_gpasid_fault_pause arg = { .size = sizeof(arg) - 1 };

	EXPECT_EQ(-EINVAL, gvm_ioctl(self->fd, IOMMU_GPASID_FAULT_PAUSE, &arg));
	EXPECT_EQ(-EINVAL, pause_limits(self->fd, 2));
	EXPECT_EQ(-ENOTTY, gvm_ioctl(self->fd, IOMMU_GPASID_FAULT_ALLOC, &arg));
}

TEST_F(pri, a_read_takes_whole_records_as_many_as_there_are)
{
	const size_t size = sizeof(self->f[0]);

	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(0, start_read(self->lab, 1, self->h, 1));
	EXPECT_EQ(-1, read(self->fd, self->f, size - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->fd, self->f, size + 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->fd, self->f, 0));
	EXPECT_EQ(EINVAL, errno);
	while (gvm_faults_read(self->fd, self->f, 1, WAIT_MS) == 0)
		usleep(1000);
	EXPECT_EQ(size, read(self->fd, self->f, sizeof(self->f)));
}

TEST_F(pri, a_fault_file_needs_a_descriptor)
{
	struct rlimit was, none;
	int fd;

	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &was));
	none = was;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, gvm_faults_open(&self->b.vm, 0, 0, &fd));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &was));
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, 0, &self->fd));
}

/*
 * What is on its way when the drain begins is in the queue after it, and the old
 * binding's.
 */
TEST_F_TIMEOUT(pri, a_request_that_arrives_with_the_drain_is_not_the_next_owners, 240)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_PAGE_REQUEST,
		.flags = F_DEMAND,
		.addr = HEAP_VA,
		.operand = VTDSIM_PRQ_READ | VTDSIM_PRQ_LAST |
			   VTDSIM_PRQ_GROUP(300),
	};
	int i;

	for (i = 0; i < 20; i++) {
		lab_fail(self->lab, LAB_FAIL(late), 1);
		d.pasid = self->h;
		ASSERT_EQ(0, lab_submit(self->lab, 0, &d));
		while (!__atomic_load_n(&lab_regs(self->lab)->pri_outstanding,
					__ATOMIC_ACQUIRE))
			;
		ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID,
				      &self->h));
		EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 20));
		ASSERT_EQ(0, lab_wait(self->lab, 0, WAIT_MS));
	}
}

TEST_F(pri, closing_the_file_answers_what_is_outstanding)
{
	int q;

	for (q = 0; q < LAB_NR_DMA_Q; q++)
		ASSERT_EQ(0, start_read(self->lab, q, self->h, q));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 1, WAIT_MS));
	close(self->fd);
	self->fd = -1;
	for (q = 0; q < LAB_NR_DMA_Q; q++)
		EXPECT_TRUE(gave_up(ended(self->lab, q, WAIT_MS)));
}

TEST_F(pri, an_unbind_answers_what_is_outstanding)
{
	__u64 cookie;
	int q;

	for (q = 0; q < LAB_NR_DMA_Q; q++)
		ASSERT_EQ(0, start_read(self->lab, q, self->h, q));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 1, WAIT_MS));
	cookie = self->f->cookie;
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_TRUE(nothing_left(self->lab, self->h));
	for (q = 0; q < LAB_NR_DMA_Q; q++)
		EXPECT_TRUE(gave_up(ended(self->lab, q, WAIT_MS)));
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, cookie, 0));
	EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 0));
}

TEST_F(pri, a_free_answers_what_is_outstanding)
{
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 1, WAIT_MS));
	ASSERT_EQ(0, start_read(self->lab, 1, self->h, 1));
	ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, self->h));
	EXPECT_TRUE(nothing_left(self->lab, self->h));
	EXPECT_TRUE(gave_up(ended(self->lab, 0, WAIT_MS)));
	EXPECT_TRUE(gave_up(ended(self->lab, 1, WAIT_MS)));
	EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 0));
}

TEST_F(pri, an_unbind_leaves_the_requests_of_others)
{
	struct process q;
	__u32 h;

	ASSERT_EQ(0, bench_process(&self->b, &q, 2));
	ASSERT_EQ(0, gvm_bind(self->dev, &q.pt, 0x102, &h));
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 1, WAIT_MS));
	ASSERT_EQ(0, start_read(self->lab, 1, h, 1));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f + 1, 1, WAIT_MS));
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_TRUE(gave_up(ended(self->lab, 0, WAIT_MS)));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 1, 0));
	ASSERT_EQ(0, serve_one(&self->b, &q, self->fd, self->f + 1));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 1, WAIT_MS));
}

TEST_F(pri, closing_the_device_with_requests_outstanding_leaves_nothing)
{
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 1, WAIT_MS));
	ASSERT_EQ(0, start_read(self->lab, 1, self->h, 1));
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, self->f->cookie, 0));
	EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 0));
}

TEST_F(pri, closing_the_context_with_requests_outstanding_leaves_nothing)
{
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 1, WAIT_MS));
	close(self->b.vm.iommufd);
	self->b.vm.iommufd = -1;
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, self->f->cookie, 0));
}

TEST_F(pri, the_context_can_go_before_the_fault_file)
{
	struct gvm vm;
	int fd;

	ASSERT_EQ(0, gvm_open(&vm, RAM_GPA, GVM_SZ_4K, 0));
	ASSERT_EQ(0, gvm_faults_open(&vm, 0, 0, &fd));
	gvm_close(&vm);
	EXPECT_EQ(-ENOENT, gvm_faults_answer(fd, 1, 0));
	EXPECT_EQ(0, close(fd));
}

/* A VM with requests outstanding, some of them read; waits to be killed. */
static void victim(int ready)
{
	struct iommu_gpasid_fault f;
	struct process p;
	struct bench b;
	int fd, rc;
	__u32 h;

	rc = bench_open(&b, 0) || bench_add(&b, EP_1B) ||
	     bench_process(&b, &p, 1) || gvm_faults_open(&b.vm, 0, 0, &fd) ||
	     gvm_bind(&b.dev[0], &p.pt, GPASID_OTHER, &h) ||
	     start_read(&b.lab[0], 0, h, 0) ||
	     gvm_faults_read(fd, &f, 1, WAIT_MS) != 1 ||
	     start_read(&b.lab[0], 1, h, 1);
	if (write(ready, rc ? "n" : "y", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static bool kill_with_requests(int ms)
{
	int ready[2], status;
	char c = 0;
	pid_t pid;

	if (pipe(ready))
		return false;
	pid = fork();
	if (!pid)
		victim(ready[1]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		c = 0;
	close(ready[0]);
	usleep(ms * 1000);
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && c == 'y';
}

TEST_F_TIMEOUT(pri, a_vm_killed_with_requests_outstanding_leaves_nothing, 120)
{
	struct vtdsim_census c;
	struct lab_dev lab;
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(kill_with_requests(i));
		ASSERT_EQ(0, lab_dev_open_sysfs(&lab, EP_1B));
		ASSERT_EQ(0, lab_census(&lab, 0, &c));
		EXPECT_EQ(0, c.present);
		EXPECT_EQ(0, c.page_requests);
		lab_dev_close(&lab);
		/* Meanwhile this VM's requests are served as ever. */
		ASSERT_EQ(0, start_read(self->lab, 0, self->h, i));
		EXPECT_EQ(1, serve(&self->b, &self->p, self->fd, 0));
		EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	}
}

TEST_F_TIMEOUT(pri, every_way_to_die_in_a_loop, 120)
{
	int i;

	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, start_read(self->lab, 0, self->h, 500 + i));
		if (i & 4)
			ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 1, WAIT_MS));
		if (i & 8)
			usleep(1000);
		switch (i & 3) {
		case 0:
			ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
			break;
		case 1:
			ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, self->h));
			break;
		case 2:
			close(self->fd);
			EXPECT_TRUE(gave_up(ended(self->lab, 0, WAIT_MS)));
			ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
			ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, 0, &self->fd));
			break;
		case 3:
			ASSERT_EQ(0, gvm_dev_reset(self->dev));
			ASSERT_EQ(0, gvm_dev_enable(self->dev, true));
			ASSERT_EQ(0, lab_dev_restart(self->lab));
			ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
			break;
		}
		/* A reset leaves an empty ring; else the descriptor has failed. */
		if ((i & 3) != 3)
			EXPECT_TRUE(gave_up(ended(self->lab, 0, WAIT_MS)));
		EXPECT_TRUE(nothing_left(self->lab, 0));
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
	}
}

/* ---- partial groups, floods and overflow ---------------------------------------------- */

static int raw_request(struct lab_dev *lab, unsigned int q, __u32 h, __u64 va,
		       __u64 what)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_PAGE_REQUEST,
		.flags = F_DEMAND,
		.pasid = h,
		.addr = va,
		.operand = what,
	};

	return lab_submit(lab, q, &d);
}

TEST_F(pri, a_partial_group_waits_for_its_last_request)
{
	__u64 group = VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(300);
	int n;

	ASSERT_EQ(0, raw_request(self->lab, 0, self->h, HEAP_VA, group));
	ASSERT_EQ(0, raw_request(self->lab, 0, self->h, HEAP_VA + 0x1000, group));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 200));
	ASSERT_EQ(0, raw_request(self->lab, 0, self->h, HEAP_VA + 0x2000,
				 group | VTDSIM_PRQ_LAST));
	n = gvm_faults_read(self->fd, self->f, 64, WAIT_MS);
	ASSERT_EQ(3, n);
	EXPECT_EQ(300, self->f[2].group);
	EXPECT_EQ(HEAP_VA, self->f[0].addr);
	EXPECT_EQ(IOMMU_GPASID_FAULT_LAST, self->f[2].flags);
	ASSERT_EQ(0, gvm_faults_answer(self->fd, self->f[2].cookie, 0));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(pri, a_request_to_execute_is_told)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_PAGE_REQUEST,
		.flags = F_DEMAND | VTDSIM_F_EXEC,
		.pasid = self->h,
		.addr = HEAP_VA,
		.operand = VTDSIM_PRQ_READ | VTDSIM_PRQ_LAST |
			   VTDSIM_PRQ_GROUP(303),
	};

	ASSERT_EQ(0, lab_submit(self->lab, 0, &d));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	EXPECT_EQ(IOMMU_GPASID_FAULT_READ | IOMMU_GPASID_FAULT_EXEC,
		  self->f->perm);
	ASSERT_EQ(0, gvm_faults_answer(self->fd, self->f->cookie, 0));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(pri, a_partial_group_is_dropped_by_the_unbind)
{
	__u64 group = VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(301);
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, raw_request(self->lab, 0, self->h,
					 HEAP_VA + i * GVM_SZ_4K, group));
		EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
		if (i % 5 == 4) {
			ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
			ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID,
					      &self->h));
		}
	}
	EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 0));
}

TEST_F(pri, groups_beyond_the_limit_fail_at_once)
{
	int q, good = 0, bad = 0;

	close(self->fd);
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 1, 0, &self->fd));
	for (q = 0; q < LAB_NR_DMA_Q; q++)
		ASSERT_EQ(0, start_read(self->lab, q, self->h, q));
	/* One waits for its answer, the others have failed. */
	for (q = 0; q < LAB_NR_DMA_Q; q++) {
		if (lab_wait(self->lab, q, 1000) == -ETIMEDOUT)
			good++;
		else
			bad += ended(self->lab, q, 0) == VTDSIM_PRI_FAILED;
	}
	EXPECT_EQ(1, good);
	EXPECT_EQ(LAB_NR_DMA_Q - 1, bad);
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, self->f));
	q = (self->f->addr - HEAP_VA) / GVM_SZ_4K;
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, q, WAIT_MS));
}

/* Requests without end, which nobody answers. */
struct flood {
	struct lab_dev *lab;
	__u32 h;
	atomic_int stop;
	unsigned long sent;
};

static void *flood_main(void *arg)
{
	struct flood *f = arg;
	unsigned int q;

	while (!f->stop) {
		for (q = 0; q < LAB_NR_DMA_Q; q++)
			f->sent += !start_read(f->lab, q, f->h, f->sent % 4096);
		usleep(100);
	}
	return NULL;
}

TEST_F_TIMEOUT(pri, one_vm_that_floods_does_not_starve_another, 120)
{
	struct flood f = { 0 };
	struct process p;
	pthread_t thread;
	struct bench b;
	int i, fd;

	ASSERT_EQ(0, bench_open(&b, 0));
	ASSERT_EQ(0, bench_add(&b, EP_1B));
	ASSERT_EQ(0, bench_process(&b, &p, 2));
	ASSERT_EQ(0, gvm_faults_open(&b.vm, 4, 50, &fd));
	ASSERT_EQ(0, gvm_bind(&b.dev[0], &p.pt, GPASID_OTHER, &f.h));
	f.lab = &b.lab[0];
	ASSERT_EQ(0, pthread_create(&thread, NULL, flood_main, &f));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, start_read(self->lab, 0, self->h, i));
		ASSERT_EQ(1, serve(&self->b, &self->p, self->fd, 0));
		EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
		EXPECT_EQ(TAG(i), *(__u64 *)lab_local(self->lab, 0));
	}
	f.stop = 1;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	TH_LOG("200 served beside %lu of the flood", f.sent);
	EXPECT_EQ(0, bench_close(&b));
	close(fd);
}

/*
 * Page requests go on with a bind and off with an unbind; a bind that fails
 * must not put out what waits for its answer under another binding.
 */
TEST_F_TIMEOUT(pri, a_bind_that_fails_leaves_the_requests_of_others, 120)
{
	struct vfio_device_gpasid_bind missing = {
		.flags = VFIO_GPASID_BIND_GPASID,
		.addr_width = 48,
		.gpasid = GPASID + 1,
	};
	struct flood f = { .lab = self->lab };
	pthread_t thread;
	int i;

	missing.pgtbl = self->p.pt.root;
	ASSERT_EQ(0, start_read(self->lab, 0, self->h, 0));
	ASSERT_EQ(1, gvm_faults_read(self->fd, self->f, 64, WAIT_MS));
	for (i = 0; i < 20; i++)
		EXPECT_EQ(-ENOENT, gvm_bind_args(self->dev, &missing));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 0));
	ASSERT_EQ(0, serve_one(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));

	/* The same where the first bind came before the fault file. */
	close(self->fd);
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, 0, &self->fd));
	f.h = self->h;
	ASSERT_EQ(0, pthread_create(&thread, NULL, flood_main, &f));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(-ENOENT, gvm_bind_args(self->dev, &missing));
	f.stop = 1;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	close(self->fd);
	self->fd = -1;
	for (i = 0; i < LAB_NR_DMA_Q; i++)
		EXPECT_NE(-ETIMEDOUT, lab_wait(self->lab, i, WAIT_MS));
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Keep the kernel's page-request thread from this processor. */
static void hog(void)
{
	struct sched_param param = { .sched_priority = 99 };

	sched_setscheduler(0, SCHED_FIFO, &param);
}

static atomic_int hogs, hog_stop;

static void *hog_main(void *arg)
{
	stay_on((long)arg);
	hog();
	hogs++;
	while (!hog_stop)
		;
	return NULL;
}

TEST_F_TIMEOUT(pri, an_overflow_of_the_request_queue_is_survived, 120)
{
	__u64 group = VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(302);
	long cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct sched_param normal = { 0 };
	struct vtdsim_counters c;
	pthread_t thread[64];
	int i;

	ASSERT_EQ(0, lab_counters(self->lab, &c));
	/* First, or the hogs would take this thread's processor away. */
	stay_on(0);
	for (cpu = 1; cpu < cpus && cpu < 64; cpu++)
		ASSERT_EQ(0, pthread_create(&thread[cpu], NULL, hog_main,
					    (void *)cpu));
	while (hogs < cpus - 1)
		usleep(100);
	hog();
	/* More than the queue has room for, and nobody takes them out. */
	for (i = 0; i < 3000; i++)
		while (raw_request(self->lab, 0, self->h, HEAP_VA +
				   i % 64 * GVM_SZ_4K, group))
			;
	while (lab_wait(self->lab, 0, 0))
		;
	hog_stop = 1;
	sched_setscheduler(0, SCHED_OTHER, &normal);
	for (cpu = 1; cpu < cpus && cpu < 64; cpu++)
		ASSERT_EQ(0, pthread_join(thread[cpu], NULL));
	ASSERT_EQ(0, since(self->lab, &c, &c));
	EXPECT_EQ(3000, c.e_page_requests);
	EXPECT_GE(c.u_prq_overflows, 1);
	/*
	 * The group ends: with what is left of it, or with nothing but its last
	 * request, or with an answer by the unit while the overflow lasts.
	 */
	ASSERT_EQ(0, raw_request(self->lab, 0, self->h, HEAP_VA,
				 group | VTDSIM_PRQ_LAST));
	EXPECT_GE(serve(&self->b, &self->p, self->fd, 0), 0);
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	/* And new requests are served. */
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, start_read(self->lab, 0, self->h, 5000 + i));
		EXPECT_EQ(1, serve(&self->b, &self->p, self->fd, 0));
		EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	}
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_TRUE(nothing_left(self->lab, 0));
}

TEST_HARNESS_MAIN
