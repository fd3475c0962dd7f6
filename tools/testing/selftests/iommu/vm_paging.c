// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a guest: DMA to memory of a process that is not resident.  The device asks
 * for pages, and the guest's kernel finds them as for an access of a processor.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm_paging.h"

#define PAGE		4096U
#define PAGES		(PAGING_SIZE / PAGE)
#define PAGED		(VTDSIM_F_ATS | VTDSIM_F_PRI)

static struct {
	struct lab_dev *lab;
	unsigned int queue;
	__u32 pasid;
	char *resident;
	char *fresh;
	char *back;		/* a second area, where bytes come back */
} p;

void paging_begin(struct lab_dev *lab, unsigned int queue, __u32 pasid,
		  char *resident)
{
	p.lab = lab;
	p.queue = queue;
	p.pasid = pasid;
	p.resident = resident;
}

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* Of @size bytes in a file of their own, which has no page yet. */
static char *file_memory(size_t size)
{
	int fd = memfd_create("paging", MFD_CLOEXEC);
	char *mem = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, size))
		mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return mem == MAP_FAILED ? NULL : mem;
}

/* Pages that the file behind @mem has. */
static unsigned int resident_pages(char *mem)
{
	unsigned char in[PAGES];
	unsigned int i, n = 0;

	if (mincore(mem, PAGING_SIZE, in))
		return ~0U;
	for (i = 0; i < PAGES; i++)
		n += in[i] & 1;
	return n;
}

static unsigned int same(const char *a, const char *b)
{
	unsigned int i, n = 0;

	for (i = 0; i < PAGING_SIZE; i++)
		n += a[i] == b[i];
	return n;
}

void paging_fresh(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	p.fresh = file_memory(PAGING_SIZE);
	p.back = file_memory(PAGING_SIZE);
	if (!p.fresh || !p.back) {
		answer("rc=%d", -errno);
		return;
	}
	answer("rc=0 va=%llx pages=%u resident=%u",
	       (unsigned long long)(uintptr_t)p.fresh, PAGES,
	       resident_pages(p.fresh));
}

static void copy(char *to, char *from, const char *compare)
{
	struct vtdsim_desc d;
	long long us = now_us();
	int status = lab_copy(p.lab, p.queue, p.pasid, PAGED, (uintptr_t)to,
			      (uintptr_t)from, PAGING_SIZE);

	us = now_us() - us;
	lab_result(p.lab, p.queue, 0, &d);
	answer("status=%d reason=%x same=%u us=%lld resident=%u", status,
	       d.reason, status == VTDSIM_DONE ? same(to, compare) : 0, us,
	       resident_pages(to));
}

void paging_fill(unsigned long long a, unsigned long long b)
{
	unsigned int i;

	(void)a;
	(void)b;
	for (i = 0; i < PAGING_SIZE; i++)
		p.resident[i] = i * 11 + (i >> 8) * 5 + p.pasid;
	copy(p.fresh, p.resident, p.resident);
}

void paging_drain(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	copy(p.back, p.fresh, p.resident);
}

void paging_evict(unsigned long long a, unsigned long long b)
{
	int rc = madvise(p.fresh, PAGING_SIZE, MADV_DONTNEED);

	(void)a;
	(void)b;
	if (!rc)
		rc = madvise(p.back, PAGING_SIZE, MADV_DONTNEED);
	answer("rc=%d", rc ? -errno : 0);
}

/* 8 bytes of @page, by the device. */
static int poke(char *page, __u64 val)
{
	return lab_write(p.lab, p.queue, p.pasid, PAGED, (uintptr_t)page, &val,
			 sizeof(val));
}

/* The child says by its exit status whether its page is as it was. */
static pid_t fork_child(const __u64 *page, __u64 val, int wait_fd)
{
	pid_t pid = fork();
	char c;

	if (pid)
		return pid;
	if (read(wait_fd, &c, 1) != 1)
		_exit(2);
	_exit(*(volatile const __u64 *)page == val ? 0 : 1);
}

void paging_fork(unsigned long long a, unsigned long long b)
{
	__u64 *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int before, after, go[2], status = -1;
	pid_t pid;

	(void)a;
	(void)b;
	if (page == MAP_FAILED || pipe2(go, O_CLOEXEC)) {
		answer("rc=%d", -errno);
		return;
	}
	before = poke((char *)page, 0x0b);
	pid = fork_child(page, 0x0b, go[0]);
	after = poke((char *)page, 0x0a);
	if (write(go[1], "", 1) != 1 || waitpid(pid, &status, 0) != pid)
		status = -1;
	answer("rc=0 before=%d after=%d child=%d parent=%llx", before, after,
	       status, (unsigned long long)*page);
	close(go[0]);
	close(go[1]);
	munmap(page, PAGE);
}

void paging_cut(unsigned long long a, unsigned long long b)
{
	struct vtdsim_desc d;
	__u64 val;
	int rc = munmap(p.fresh, PAGING_SIZE) ? -errno : 0;
	int status = lab_read(p.lab, p.queue, p.pasid, PAGED,
			      (uintptr_t)p.fresh, &val, sizeof(val));

	(void)a;
	(void)b;
	lab_result(p.lab, p.queue, 0, &d);
	answer("rc=%d status=%d reason=%x", rc, status, d.reason);
	p.fresh = NULL;
}

/* As slow as it may be, DMA goes on. */
static int wait_for_accesses(void)
{
	__u64 before;
	int rc;

	do {
		before = lab_loop_tried(p.lab, p.queue);
		rc = lab_loop_wait(p.lab, p.queue, 2 * PAGES);
	} while (rc == -ETIMEDOUT && lab_loop_tried(p.lab, p.queue) > before);
	return rc;
}

/* Its pages leave again and again, and the device asks for them. */
void paging_loop(unsigned long long rounds, unsigned long long b)
{
	const struct vtdsim_loop how = {
		.dir = VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE, .nr_pages = PAGES,
	};
	int rc = lab_loop_start(p.lab, p.queue, p.pasid, PAGED,
				(uintptr_t)p.fresh, &how);
	const struct vtdsim_loop *l = lab_loop(p.lab, p.queue);

	(void)b;
	while (!rc && rounds--) {
		rc = wait_for_accesses();
		if (!rc && madvise(p.fresh, PAGING_SIZE, MADV_DONTNEED))
			rc = -errno;
	}
	answer("rc=%d tried=%llu failed=%llu faults=%llu denied=%llu", rc,
	       lab_loop_tried(p.lab, p.queue), l->failed, l->faults, l->denied);
}
