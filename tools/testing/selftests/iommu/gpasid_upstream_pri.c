// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault queues of iommufd with PASIDs: what a record says, how it is answered,
 * and what ends it.  The test is the guest's fault handler.  Passes on an
 * unmodified Linux 7.3, too; see gpasid_upstream.c.
 *
 * What a reset does to page requests that are outstanding is left to
 * gpasid_pri: 7.3 keeps them, and answers a device that no longer asks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define PASID		1	/* what every Linux guest begins with */
#define OTHER_PASID	2
#define NO_ID		0x7ffffff0
#define HEAP_VA		(PROC_VA + GVM_SZ_1G)
#define F_DEMAND	(VTDSIM_F_ATS | VTDSIM_F_PRI)
#define WAIT_MS		8000	/* ample, under every checker */
#define GROUP		4	/* pages that the device asks for at a time */

/* The flags that the ABI has; 7.3 lets a bit of its own through beside them. */
#define FLAGS		(IOMMU_PGFAULT_FLAGS_PASID_VALID | \
			 IOMMU_PGFAULT_FLAGS_LAST_PAGE)

/* Does the device have an extended capability? */
static bool has_capability(const char *address, unsigned int id)
{
	unsigned int at = PCI_CFG_SPACE_SIZE;
	char path[128];
	__u32 header;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (at) {
		if (pread(fd, &header, sizeof(header), at) != sizeof(header))
			header = 0;
		if (header && PCI_EXT_CAP_ID(header) == id)
			break;
		at = header ? PCI_EXT_CAP_NEXT(header) : 0;
	}
	close(fd);
	return at;
}

/* The unit takes page requests only from where ATS is. */
static bool page_requests(const char *address)
{
	return has_capability(address, PCI_EXT_CAP_ID_ATS) &&
	       has_capability(address, PCI_EXT_CAP_ID_PRI);
}

FIXTURE(queue)
{
	struct bench b;
	struct gvm *vm;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, q;
	__u32 id, hp, hq;
	int fd;
	struct iommu_hwpt_pgfault f[16];
};

/* A table for each process, both with the queue; p's is attached to PASID. */
FIXTURE_SETUP(queue)
{
	self->vm = &self->b.vm;
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	self->fd = -1;
	ASSERT_EQ(0, bench_open(&self->b, GVM_PASID));
	ASSERT_EQ(0, bench_add_vfio(&self->b, EP_1A));
	if (!has_capability(EP_1A, PCI_EXT_CAP_ID_PASID))
		SKIP(return, "no PASIDs");
	if (!page_requests(EP_1A))
		SKIP(return, "no page requests");
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	ASSERT_EQ(0, gvm_fault_queue(self->vm, &self->id, &self->fd));
	ASSERT_EQ(0, gvm_hwpt_nested_fault(self->dev, &self->p.pt, self->id,
					   &self->hp));
	ASSERT_EQ(0, gvm_hwpt_nested_fault(self->dev, &self->q.pt, self->id,
					   &self->hq));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
}

FIXTURE_TEARDOWN(queue)
{
	EXPECT_EQ(0, bench_close(&self->b));
	if (self->fd >= 0)
		close(self->fd);
}

/* ---- the guest's handler ------------------------------------------------- */

/* Start a read of @pages of the heap from page @first in a queue; it waits. */
static int start_read(struct lab_dev *lab, unsigned int q, __u32 pasid,
		      unsigned int first, unsigned int pages)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = F_DEMAND | (pasid ? VTDSIM_F_PASID : 0),
		.pasid = pasid,
		.addr = HEAP_VA + first * GVM_SZ_4K,
		.len = (pages - 1) * GVM_SZ_4K + 8,
		.local = LAB_LOCAL(q),
		.operand = pages,
	};

	return lab_submit(lab, q, &d);
}

/* How the newest descriptor of a queue ended. */
static int ended(struct lab_dev *lab, unsigned int q)
{
	struct vtdsim_desc d;
	int rc = lab_wait(lab, q, WAIT_MS);

	if (rc)
		return rc;
	lab_result(lab, q, 0, &d);
	return d.status;
}

/* At least @want records; how many, or a negative errno. */
static int fault_read(int fd, struct iommu_hwpt_pgfault *f, int want, int max)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t len;
	int n = 0;

	while (n < want) {
		if (poll(&pfd, 1, WAIT_MS) <= 0)
			return -ETIMEDOUT;
		len = read(fd, f + n, (max - n) * sizeof(*f));
		if (len < 0)
			return -errno;
		n += len / sizeof(*f);
	}
	return n;
}

/* Is there something to read, now? */
static bool readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static int answer(int fd, __u32 cookie, __u32 code)
{
	struct iommu_hwpt_page_response r = { .cookie = cookie, .code = code };
	ssize_t n = write(fd, &r, sizeof(r));

	if (n < 0)
		return -errno;
	return n == sizeof(r) ? 0 : -EIO;
}

/* A page with TAG() of its number. */
static int page_in(struct bench *b, struct process *p, __u64 va)
{
	__u64 gpa = gvm_ram_alloc_page(&b->vm.ram);

	if (!gpa)
		return -ENOMEM;
	*(__u64 *)gvm_ram_ptr(&b->vm.ram, gpa, 8) =
		TAG((va - HEAP_VA) / GVM_SZ_4K);
	return gvm_pt_map(&p->pt, va, gpa, GVM_SZ_4K, GVM_SZ_4K, GVM_PT_RW);
}

static int serve(struct bench *b, struct process *p, int fd,
		 const struct iommu_hwpt_pgfault *f)
{
	int rc = page_in(b, p, f->addr);

	return rc ? rc : answer(fd, f->cookie, IOMMUFD_PAGE_RESP_SUCCESS);
}

/* ---- what is reported ---------------------------------------------------- */

TEST_F(queue, the_record_names_device_pasid_and_page)
{
	struct iommu_hwpt_pgfault *f = self->f;

	memset(f, 0xff, sizeof(*f));
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 3, 1));
	ASSERT_EQ(1, fault_read(self->fd, f, 1, 16));
	EXPECT_EQ(FLAGS, f->flags & FLAGS);
	EXPECT_EQ(self->dev->devid, f->dev_id);
	EXPECT_EQ(PASID, f->pasid);
	EXPECT_EQ(IOMMU_PGFAULT_PERM_READ, f->perm);
	EXPECT_EQ(HEAP_VA + 3 * GVM_SZ_4K, f->addr);
	EXPECT_EQ(0, f->length);
	EXPECT_EQ(0, f->__reserved);
	EXPECT_NE(0, f->cookie);
	EXPECT_FALSE(readable(self->fd));
	ASSERT_EQ(0, serve(&self->b, &self->p, self->fd, f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
	EXPECT_EQ(TAG(3), *(__u64 *)lab_local(self->lab, 0));
}

TEST_F(queue, the_record_tells_writes_from_reads)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_WRITE,
		.flags = F_DEMAND | VTDSIM_F_PASID,
		.pasid = PASID,
		.addr = HEAP_VA + 0x123,
		.len = 8,
	};

	ASSERT_EQ(0, lab_submit(self->lab, 0, &d));
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	EXPECT_EQ(IOMMU_PGFAULT_PERM_WRITE,
		  self->f->perm & IOMMU_PGFAULT_PERM_WRITE);
	EXPECT_EQ(HEAP_VA, self->f->addr);
	ASSERT_EQ(0, serve(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
}

TEST_F(queue, a_group_has_one_cookie_and_is_read_as_a_whole)
{
	struct iommu_hwpt_pgfault *f = self->f;
	int i;

	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, GROUP));
	ASSERT_EQ(-EINVAL, fault_read(self->fd, f, 1, GROUP - 1));
	ASSERT_EQ(GROUP, fault_read(self->fd, f, GROUP, 16));
	for (i = 0; i < GROUP; i++) {
		EXPECT_EQ(f[0].cookie, f[i].cookie);
		EXPECT_EQ(f[0].grpid, f[i].grpid);
		EXPECT_EQ(PASID, f[i].pasid);
		EXPECT_EQ(HEAP_VA + i * GVM_SZ_4K, f[i].addr);
		EXPECT_EQ(i == GROUP - 1 ? IOMMU_PGFAULT_FLAGS_LAST_PAGE : 0,
			  f[i].flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE);
		EXPECT_EQ(0, page_in(&self->b, &self->p, f[i].addr));
	}
	ASSERT_EQ(0, answer(self->fd, f[0].cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
}

TEST_F(queue, one_queue_serves_several_devices_and_pasids)
{
	struct iommu_hwpt_pgfault *f = self->f;
	int i, seen = 0;

	ASSERT_EQ(0, bench_add_vfio(&self->b, EP_1B));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, self->hq));
	ASSERT_EQ(0, gvm_pasid_attach(&self->b.dev[1], PASID, self->hq));
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	ASSERT_EQ(0, start_read(self->lab, 1, OTHER_PASID, 1, 1));
	ASSERT_EQ(0, start_read(&self->b.lab[1], 0, PASID, 2, 1));
	ASSERT_EQ(3, fault_read(self->fd, f, 3, 16));
	for (i = 0; i < 3; i++) {
		int page = (f[i].addr - HEAP_VA) / GVM_SZ_4K;

		seen |= 1 << page;
		EXPECT_EQ(page == 1 ? OTHER_PASID : PASID, f[i].pasid);
		EXPECT_EQ(self->b.dev[page / 2].devid, f[i].dev_id);
		ASSERT_EQ(0, serve(&self->b, page ? &self->q : &self->p,
				   self->fd, &f[i]));
	}
	EXPECT_EQ(7, seen);
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 1));
	EXPECT_EQ(VTDSIM_DONE, ended(&self->b.lab[1], 0));
	EXPECT_NE(f[0].cookie, f[1].cookie);
	EXPECT_NE(f[1].cookie, f[2].cookie);
}

TEST_F(queue, requests_of_the_rid_carry_no_pasid)
{
	struct iommu_hwpt_pgfault *f = self->f;

	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->hq));
	ASSERT_EQ(0, start_read(self->lab, 0, 0, 5, 1));
	ASSERT_EQ(1, fault_read(self->fd, f, 1, 16));
	EXPECT_EQ(IOMMU_PGFAULT_FLAGS_LAST_PAGE, f->flags & FLAGS);
	EXPECT_EQ(0, f->pasid);
	ASSERT_EQ(0, serve(&self->b, &self->q, self->fd, f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
	EXPECT_EQ(TAG(5), *(__u64 *)lab_local(self->lab, 0));
	/* And the PASID's go on when the RID is elsewhere again. */
	ASSERT_EQ(0, gvm_dev_attach(self->dev, self->vm->parent));
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 6, 1));
	ASSERT_EQ(1, fault_read(self->fd, f, 1, 16));
	EXPECT_EQ(PASID, f->pasid);
	ASSERT_EQ(0, serve(&self->b, &self->p, self->fd, f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
}

TEST_F(queue, each_hwpt_reports_to_its_own_queue)
{
	__u32 id, hwpt;
	int fd;

	ASSERT_EQ(0, gvm_fault_queue(self->vm, &id, &fd));
	ASSERT_EQ(0, gvm_hwpt_nested_fault(self->dev, &self->q.pt, id, &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, hwpt));
	ASSERT_EQ(0, start_read(self->lab, 0, OTHER_PASID, 0, 1));
	ASSERT_EQ(1, fault_read(fd, self->f, 1, 16));
	EXPECT_FALSE(readable(self->fd));
	EXPECT_EQ(-EINVAL, answer(self->fd, self->f->cookie,
				  IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(0, serve(&self->b, &self->q, fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
	EXPECT_EQ(0, close(fd));
}

/* A VMM without a virtual IOMMU can page its own memory in. */
TEST_F(queue, a_paging_hwpt_can_have_a_queue)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = GVM_HWPT_FAULT | GVM_HWPT_PASID,
		.dev_id = self->dev->devid,
		.fault_id = self->id,
	};
	struct gvm other = *self->vm;

	ASSERT_EQ(0, gvm_ioas_alloc(self->vm, &other.ioas));
	cmd.pt_id = other.ioas;
	ASSERT_EQ(0, gvm_ioctl(self->vm->iommufd, IOMMU_HWPT_ALLOC, &cmd));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, cmd.out_hwpt_id));
	ASSERT_EQ(0, start_read(self->lab, 0, OTHER_PASID, 0, 1));
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	EXPECT_EQ(OTHER_PASID, self->f->pasid);
	ASSERT_EQ(HEAP_VA, self->f->addr);
	ASSERT_EQ(0, gvm_map(&other, HEAP_VA, self->q.mem, GVM_SZ_4K,
			     GVM_MAP_RW));
	ASSERT_EQ(0, answer(self->fd, self->f->cookie,
			    IOMMUFD_PAGE_RESP_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
	EXPECT_EQ(TAG(2), *(__u64 *)lab_local(self->lab, 0));
	EXPECT_EQ(0, gvm_pasid_detach(self->dev, OTHER_PASID));
	EXPECT_EQ(0, gvm_destroy(self->vm, cmd.out_hwpt_id));
}

TEST_F(queue, without_a_queue_a_request_is_refused_at_once)
{
	__u32 hwpt;

	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->q.pt, GVM_HWPT_PASID,
				     &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, hwpt));
	ASSERT_EQ(0, start_read(self->lab, 0, OTHER_PASID, 0, 1));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0));
	EXPECT_FALSE(readable(self->fd));
}

/* ---- answers ------------------------------------------------------------- */

TEST_F(queue, an_answer_can_be_no)
{
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	ASSERT_EQ(0, answer(self->fd, self->f->cookie,
			    IOMMUFD_PAGE_RESP_INVALID));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0));
}

TEST_F(queue, an_answer_is_checked_and_counts_once)
{
	__u32 cookie;

	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	/* Not before it has been read. */
	EXPECT_EQ(-EINVAL, answer(self->fd, 1, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	cookie = self->f->cookie;
	EXPECT_EQ(-EINVAL, answer(self->fd, cookie + 1,
				  IOMMUFD_PAGE_RESP_SUCCESS));
	EXPECT_EQ(-EINVAL, answer(self->fd, cookie, 2));
	ASSERT_EQ(0, serve(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
	EXPECT_EQ(-EINVAL, answer(self->fd, cookie, IOMMUFD_PAGE_RESP_SUCCESS));
}

TEST_F(queue, answers_come_in_any_order_and_several_at_a_time)
{
	struct iommu_hwpt_page_response r[3] = { 0 };
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, start_read(self->lab, i, PASID, i, 1));
	ASSERT_EQ(2, fault_read(self->fd, self->f, 2, 16));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, page_in(&self->b, &self->p, self->f[i].addr));
		r[1 - i].cookie = self->f[i].cookie;
	}
	/* What comes before a wrong one counts. */
	r[2].cookie = r[0].cookie;
	EXPECT_EQ(2 * sizeof(*r), write(self->fd, r, sizeof(r)));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 1));
}

TEST_F(queue, the_file_takes_whole_records)
{
	char buf[3 * sizeof(struct iommu_hwpt_pgfault)] = { 0 };
	void *nowhere = mmap(NULL, 4096, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, nowhere);
	EXPECT_EQ(0, read(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(-1, read(self->fd, buf, sizeof(buf) - 1));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, write(self->fd, buf,
			    sizeof(struct iommu_hwpt_page_response) - 1));
	EXPECT_EQ(ESPIPE, errno);
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	while (!readable(self->fd))
		usleep(1000);
	EXPECT_EQ(-1, read(self->fd, nowhere, sizeof(*self->f)));
	EXPECT_EQ(EFAULT, errno);
	/* It is still there. */
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	ASSERT_EQ(0, serve(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
}

/* ---- what ends a request ------------------------------------------------- */

TEST_F(queue, a_detach_ends_the_requests_of_this_pasid_and_no_other)
{
	struct iommu_hwpt_pgfault *f = self->f;
	int mine, other;

	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OTHER_PASID, self->hp));
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	ASSERT_EQ(0, start_read(self->lab, 1, OTHER_PASID, 1, 1));
	ASSERT_EQ(2, fault_read(self->fd, f, 2, 16));
	mine = f[1].pasid == PASID;
	other = !mine;
	ASSERT_EQ(PASID, f[mine].pasid);
	ASSERT_EQ(OTHER_PASID, f[other].pasid);
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0));
	EXPECT_EQ(-EINVAL, answer(self->fd, f[mine].cookie,
				  IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(0, serve(&self->b, &self->p, self->fd, &f[other]));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 1));
}

TEST_F(queue, a_detach_ends_requests_that_are_not_read_yet)
{
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, GROUP));
	while (!readable(self->fd))
		usleep(1000);
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0));
	EXPECT_FALSE(readable(self->fd));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hp));
}

TEST_F(queue, a_replace_ends_the_requests_of_the_old_table)
{
	struct iommu_hwpt_pgfault *f = self->f;

	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	ASSERT_EQ(1, fault_read(self->fd, f, 1, 16));
	ASSERT_EQ(0, start_read(self->lab, 1, PASID, 1, 1));
	while (!readable(self->fd))
		usleep(1000);
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hq));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 1));
	EXPECT_FALSE(readable(self->fd));
	EXPECT_EQ(-EINVAL, answer(self->fd, f->cookie,
				  IOMMUFD_PAGE_RESP_SUCCESS));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hp));
	/* The new table's requests come to its own queue. */
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 2, 1));
	ASSERT_EQ(1, fault_read(self->fd, f, 1, 16));
	ASSERT_EQ(0, serve(&self->b, &self->q, self->fd, f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
}

TEST_F(queue, a_replace_can_take_the_queue_away_and_bring_it_back)
{
	__u32 hwpt;

	ASSERT_EQ(0, gvm_hwpt_nested(self->dev, &self->q.pt, GVM_HWPT_PASID,
				     &hwpt));
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, hwpt));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0));
	/* Whether a device that has no queue may still ask is the kernel's. */
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	EXPECT_NE(VTDSIM_DONE, ended(self->lab, 0));
	EXPECT_FALSE(readable(self->fd));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID, self->hp));
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	ASSERT_EQ(0, serve(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
}

TEST_F(queue, close_of_the_device_file_ends_its_requests)
{
	__u32 cookie;

	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	cookie = self->f->cookie;
	ASSERT_EQ(0, start_read(self->lab, 1, PASID, 1, 1));
	while (!readable(self->fd))
		usleep(1000);
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	EXPECT_FALSE(readable(self->fd));
	EXPECT_EQ(-EINVAL, answer(self->fd, cookie, IOMMUFD_PAGE_RESP_SUCCESS));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->hp));
}

TEST_F(queue, page_requests_work_after_a_reset)
{
	ASSERT_EQ(0, gvm_dev_reset(self->dev));
	ASSERT_EQ(0, gvm_dev_enable(self->dev, true));
	ASSERT_EQ(0, lab_dev_init(self->lab, self->dev->bar));
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	EXPECT_EQ(PASID, self->f->pasid);
	ASSERT_EQ(0, serve(&self->b, &self->p, self->fd, self->f));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0));
}

/* ---- references ---------------------------------------------------------- */

TEST_F(queue, a_queue_lives_as_long_as_its_file_and_its_hwpts)
{
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->id));
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->id));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	ASSERT_EQ(0, gvm_destroy(self->vm, self->hp));
	EXPECT_EQ(-EBUSY, gvm_destroy(self->vm, self->id));
	ASSERT_EQ(0, gvm_destroy(self->vm, self->hq));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->id));
}

TEST_F(queue, a_closed_file_leaves_requests_to_the_detach)
{
	ASSERT_EQ(0, start_read(self->lab, 0, PASID, 0, 1));
	ASSERT_EQ(1, fault_read(self->fd, self->f, 1, 16));
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 200));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	EXPECT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0));
}

TEST_F(queue, an_hwpt_wants_a_queue_that_is_there)
{
	__u32 hwpt;

	EXPECT_EQ(-ENOENT, gvm_hwpt_nested_fault(self->dev, &self->p.pt, NO_ID,
						 &hwpt));
	EXPECT_EQ(-ENOENT, gvm_hwpt_nested_fault(self->dev, &self->p.pt,
						 self->vm->ioas, &hwpt));
	/* Nothing is left of the attempt. */
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, PASID));
	ASSERT_EQ(0, gvm_destroy(self->vm, self->hp));
	ASSERT_EQ(0, gvm_destroy(self->vm, self->hq));
	ASSERT_EQ(0, gvm_dev_detach(self->dev));
	EXPECT_EQ(0, gvm_destroy(self->vm, self->vm->parent));
}

/* ---- a device that has no page requests ---------------------------------- */

TEST(a_device_without_page_requests_wants_hwpts_without_queue)
{
	struct process p;
	struct bench b;
	__u32 id, hwpt;
	int fd;

	if (page_requests(EP_1A))
		SKIP(return, "the device has page requests");
	if (!has_capability(EP_1A, PCI_EXT_CAP_ID_PASID))
		SKIP(return, "no PASIDs");
	ASSERT_EQ(0, bench_open(&b, GVM_PASID));
	ASSERT_EQ(0, bench_add_vfio(&b, EP_1A));
	ASSERT_EQ(0, bench_process(&b, &p, 1));
	ASSERT_EQ(0, gvm_fault_queue(&b.vm, &id, &fd));
	ASSERT_EQ(0, gvm_hwpt_nested_fault(&b.dev[0], &p.pt, id, &hwpt));
	EXPECT_EQ(-ENODEV, gvm_pasid_attach(&b.dev[0], PASID, hwpt));
	EXPECT_FALSE(entry_present(&b.lab[0], PASID));
	EXPECT_EQ(0, gvm_destroy(&b.vm, hwpt));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, bench_close(&b));
}

TEST_HARNESS_MAIN
