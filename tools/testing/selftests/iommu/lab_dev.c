// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver of the lab's endpoints.
 *
 * The hardware polls the same memory, so every field that both sides use is
 * read and written by one atomic access, in the order that the ring asks for:
 * descriptor before tail, head before descriptor.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lab_dev.h"

/* Ample: the hardware answers in microseconds unless the machine is loaded. */
#define TIMEOUT_MS	10000

static __u32 load(const __u32 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(__u32 *p, __u32 val)
{
	__atomic_store_n(p, val, __ATOMIC_RELEASE);
}

static struct vtdsim_queue *queue(const struct lab_dev *lab, unsigned int q)
{
	return (void *)(lab->bar + VTDSIM_BAR_QUEUE(q));
}

static struct vtdsim_desc *slot(const struct lab_dev *lab, unsigned int q,
				__u32 index)
{
	struct vtdsim_desc *ring = (void *)(lab->bar + VTDSIM_BAR_QUEUE(q) +
					    VTDSIM_QUEUE_RING);

	return ring + index % VTDSIM_RING_ENTRIES;
}

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* Until *p is @want.  Spin first: an answer usually takes microseconds. */
static int wait_for(const __u32 *p, __u32 want, unsigned int ms)
{
	long long end = now_us() + ms * 1000LL;
	unsigned int spins = 0;

	while (load(p) != want) {
		if (++spins < 200)
			continue;
		if (now_us() > end)
			return load(p) == want ? 0 : -ETIMEDOUT;
		if (spins < 5000)
			sched_yield();
		else
			usleep(50);
	}
	return 0;
}

static int restart_queues(struct lab_dev *lab, unsigned int first)
{
	unsigned int q;
	int rc;

	if (lab_regs(lab)->magic != VTDSIM_REGS_MAGIC)
		return -ENODEV;
	for (q = first; q < VTDSIM_NR_QUEUES; q++) {
		store(&queue(lab, q)->enable, 1);
		rc = lab_wait(lab, q, TIMEOUT_MS);
		if (rc)
			return rc;
	}
	return 0;
}

int lab_dev_restart(struct lab_dev *lab)
{
	return restart_queues(lab, 0);
}

int lab_look_restart(struct lab_dev *lab)
{
	return restart_queues(lab, LAB_Q_LOOK);
}

int lab_dev_init(struct lab_dev *lab, void *bar)
{
	memset(lab, 0, sizeof(*lab));
	lab->bar = bar;
	return lab_dev_restart(lab);
}

int lab_dev_open_sysfs(struct lab_dev *lab, const char *address)
{
	char path[128];
	void *bar;
	int fd, rc;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0",
		 address);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	bar = mmap(NULL, VTDSIM_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   fd, 0);
	rc = -errno;
	close(fd);
	if (bar == MAP_FAILED)
		return rc;
	rc = lab_dev_init(lab, bar);
	lab->size = VTDSIM_BAR_SIZE;
	if (rc)
		lab_dev_close(lab);
	return rc;
}

void lab_dev_close(struct lab_dev *lab)
{
	if (lab->size)
		munmap(lab->bar, lab->size);
	memset(lab, 0, sizeof(*lab));
}

const struct vtdsim_regs *lab_regs(const struct lab_dev *lab)
{
	return (void *)(lab->bar + VTDSIM_BAR_REGS);
}

void lab_fail(struct lab_dev *lab, size_t what, __u32 times)
{
	store((__u32 *)(lab->bar + VTDSIM_BAR_REGS + what), times);
}

__u32 lab_fails(const struct lab_dev *lab, size_t what)
{
	return load((__u32 *)(lab->bar + VTDSIM_BAR_REGS + what));
}

bool lab_forgets(const struct lab_dev *lab)
{
	return lab_fails(lab, offsetof(struct vtdsim_regs, forgets));
}

void *lab_local(const struct lab_dev *lab, unsigned int q)
{
	return lab->bar + VTDSIM_BAR_LOCAL + LAB_LOCAL(q);
}

int lab_submit(struct lab_dev *lab, unsigned int q,
	       const struct vtdsim_desc *desc)
{
	struct vtdsim_queue *queue_regs = queue(lab, q);
	__u32 tail = queue_regs->tail;
	struct vtdsim_desc *d = slot(lab, q, tail);

	if (tail - load(&queue_regs->head) >= VTDSIM_RING_ENTRIES)
		return -EBUSY;
	memcpy(d, desc, sizeof(*d));
	d->status = VTDSIM_PENDING;
	d->reason = 0;
	store(&queue_regs->tail, tail + 1);
	return 0;
}

int lab_wait(struct lab_dev *lab, unsigned int q, unsigned int ms)
{
	return wait_for(&queue(lab, q)->head, queue(lab, q)->tail, ms);
}

void lab_result(struct lab_dev *lab, unsigned int q, unsigned int back,
		struct vtdsim_desc *desc)
{
	memcpy(desc, slot(lab, q, queue(lab, q)->tail - 1 - back),
	       sizeof(*desc));
}

int lab_run(struct lab_dev *lab, unsigned int q, struct vtdsim_desc *desc)
{
	int rc = lab_submit(lab, q, desc);

	if (!rc)
		rc = lab_wait(lab, q, TIMEOUT_MS);
	if (rc)
		return rc;
	lab_result(lab, q, 0, desc);
	return desc->status;
}

int lab_copy(struct lab_dev *lab, unsigned int q, __u32 pasid,
	     unsigned int flags, __u64 to, __u64 from, __u32 len)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_COPY,
		.flags = flags | VTDSIM_F_PASID,
		.pasid = pasid,
		.addr = from,
		.addr2 = to,
		.len = len,
		.local = LAB_LOCAL(q),
	};

	return lab_run(lab, q, &d);
}

int lab_read(struct lab_dev *lab, unsigned int q, __u32 pasid,
	     unsigned int flags, __u64 from, void *buf, __u32 len)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = flags | VTDSIM_F_PASID,
		.pasid = pasid,
		.addr = from,
		.len = len,
		.local = LAB_LOCAL(q),
	};
	int rc;

	if (len > LAB_LOCAL_SIZE)
		return -EINVAL;
	rc = lab_run(lab, q, &d);
	if (rc == VTDSIM_DONE)
		memcpy(buf, lab_local(lab, q), len);
	return rc;
}

int lab_write(struct lab_dev *lab, unsigned int q, __u32 pasid,
	      unsigned int flags, __u64 to, const void *buf, __u32 len)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_WRITE,
		.flags = flags | VTDSIM_F_PASID,
		.pasid = pasid,
		.addr = to,
		.len = len,
		.local = LAB_LOCAL(q),
	};

	if (len > LAB_LOCAL_SIZE)
		return -EINVAL;
	memcpy(lab_local(lab, q), buf, len);
	return lab_run(lab, q, &d);
}

struct vtdsim_loop *lab_loop(const struct lab_dev *lab, unsigned int q)
{
	return lab_local(lab, q);
}

int lab_loop_start(struct lab_dev *lab, unsigned int q, __u32 pasid,
		   unsigned int flags, __u64 va, const struct vtdsim_loop *how)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_LOOP,
		.flags = flags | VTDSIM_F_PASID,
		.pasid = pasid,
		.addr = va,
		.local = LAB_LOCAL(q),
	};

	*lab_loop(lab, q) = *how;
	return lab_submit(lab, q, &d);
}

static __u64 load64(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

__u64 lab_loop_tried(const struct lab_dev *lab, unsigned int q)
{
	const struct vtdsim_loop *l = lab_loop(lab, q);

	return load64(&l->reads) + load64(&l->writes) + load64(&l->faults) +
	       load64(&l->denied) + load64(&l->failed);
}

int lab_loop_wait(const struct lab_dev *lab, unsigned int q, __u64 more)
{
	/* So many may be under way. */
	__u64 want = lab_loop_tried(lab, q) + more + VTDSIM_LOOP_FLIGHTS;
	long long end = now_us() + TIMEOUT_MS * 1000LL;

	while (lab_loop_tried(lab, q) < want) {
		if (now_us() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

int lab_loop_stop(struct lab_dev *lab, unsigned int q, struct vtdsim_loop *out)
{
	int rc;

	store(&lab_loop(lab, q)->stop, 1);
	rc = lab_wait(lab, q, TIMEOUT_MS);
	if (!rc)
		memcpy(out, lab_loop(lab, q), sizeof(*out));
	return rc;
}

/* A look into the unit: the answer comes back in local memory. */
static int look(struct lab_dev *lab, unsigned int op, __u32 pasid, __u64 addr,
		void *out, size_t len)
{
	struct vtdsim_desc d = {
		.op = op,
		.flags = pasid ? VTDSIM_F_PASID : 0,
		.pasid = pasid,
		.addr = addr,
		.len = len,
		.local = LAB_LOCAL(LAB_Q_LOOK),
	};
	int rc;

	memset(lab_local(lab, LAB_Q_LOOK), 0, len);
	rc = lab_run(lab, LAB_Q_LOOK, &d);
	if (rc < 0)
		return rc;
	if (rc != VTDSIM_DONE)
		return -EIO;
	memcpy(out, lab_local(lab, LAB_Q_LOOK), len);
	return 0;
}

int lab_explain(struct lab_dev *lab, __u32 pasid, __u64 addr,
		struct vtdsim_explain *out)
{
	return look(lab, VTDSIM_OP_EXPLAIN, pasid, addr, out, sizeof(*out));
}

int lab_census(struct lab_dev *lab, __u32 pasid, struct vtdsim_census *out)
{
	return look(lab, VTDSIM_OP_CENSUS, pasid, 0, out, sizeof(*out));
}

int lab_counters(struct lab_dev *lab, struct vtdsim_counters *out)
{
	struct vtdsim_regs *regs = (void *)(lab->bar + VTDSIM_BAR_REGS);
	int rc;

	store(&regs->snapshot, 1);
	rc = wait_for(&regs->snapshot, 0, TIMEOUT_MS);
	if (rc)
		return rc;
	memcpy(out, lab->bar + VTDSIM_BAR_COUNTERS, sizeof(*out));
	return 0;
}

void lab_counters_sub(const struct vtdsim_counters *now,
		      const struct vtdsim_counters *then,
		      struct vtdsim_counters *out)
{
	const __u64 *a = (const void *)now, *b = (const void *)then;
	__u64 *d = (void *)out;
	size_t i;

	for (i = 0; i < sizeof(*out) / sizeof(*d); i++)
		d[i] = a[i] - b[i];
}

const char *lab_status_name(int status)
{
	static const char * const name[] = {
		[VTDSIM_PENDING] = "pending",
		[VTDSIM_DONE] = "done",
		[VTDSIM_FAULT] = "fault",
		[VTDSIM_ATS_DENIED] = "ATS denied",
		[VTDSIM_PRI_FAILED] = "page request failed",
		[VTDSIM_BAD_DESC] = "bad descriptor",
		[VTDSIM_ABORTED] = "aborted",
	};

	if (status < 0)
		return strerror(-status);
	if (status >= (int)(sizeof(name) / sizeof(*name)) || !name[status])
		return "unknown";
	return name[status];
}

const char *lab_reason_name(unsigned int reason)
{
	switch (reason) {
	case 0:
		return "none";
	case LAB_R_DIR_NOT_PRESENT:
		return "PASID-directory entry not present";
	case LAB_R_PASID_NOT_PRESENT:
		return "PASID-table entry not present";
	case LAB_R_PASID_RESERVED:
		return "reserved bit set in the PASID-table entry";
	case LAB_R_PASID_INVALID:
		return "invalid PASID-table entry";
	case LAB_R_ERE_CLEAR:
		return "execute requests are not enabled";
	case LAB_R_SRE_CLEAR:
		return "supervisor requests are not enabled";
	case LAB_R_FS_NOT_PRESENT:
		return "first-stage entry not present";
	case LAB_R_SS_PERM:
		return "second stage forbids the access";
	case LAB_R_NOT_CANONICAL:
		return "address is not canonical";
	case LAB_R_USER:
		return "supervisor page, user request";
	case LAB_R_EXEC:
		return "page may not be executed";
	case LAB_R_WRITE:
		return "page may not be written";
	case LAB_R_READ:
		return "page may not be read";
	}
	return "see VT-d, Fault conditions";
}

const char *lab_descriptors(const struct vtdsim_counters *c, char *buf,
			    size_t size)
{
	static const char * const name[VTDSIM_NR_DESC_TYPES] = {
		"context", "PASID cache", "IOTLB", "PASID IOTLB", "device TLB",
		"PASID device TLB", "IEC", "wait", "page response",
		"stream response",
	};
	size_t at = 0;
	int i;

	for (i = 0; i < VTDSIM_NR_DESC_TYPES && at < size; i++) {
		if (c->u_desc[i])
			at += snprintf(buf + at, size - at, "%s%s %llu",
				       at ? ", " : "", name[i], c->u_desc[i]);
	}
	if (!at)
		snprintf(buf, size, "none");
	return buf;
}
