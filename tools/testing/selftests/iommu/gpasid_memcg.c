// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of a VM whose memory cgroup is full.
 *
 * VM A, a process in a cgroup of its own, floods the unit with page requests, as
 * far as its memory goes.  VM B has a device on the same unit and answers its own
 * page requests: they are handled by the unit's one thread, which must not wait
 * for A's memory.  Times are compared as ratios within the run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define CGROUPS		"/tmp/cgroup"
#define CGROUP		CGROUPS "/a"
#define HEAP_VA		(PROC_VA + GVM_SZ_1G)
#define PASID_A		0x301
#define PASID_B		0x302
#define F_DEMAND	(VTDSIM_F_PASID | VTDSIM_F_ATS | VTDSIM_F_PRI)
#define FLOOD		2000	/* fewer than a device may have incomplete */
#define PARTIAL_SIZE	64	/* bytes that one takes at least */
#define ROUNDS		40
#define MAX_RATIO	25
#define DRAIN_US	200000	/* each processor gives back its own */
#define SLICE		0.002	/* seconds that a shared processor explains */

static int open_vm(struct bench *b, struct process *p, const char *address,
		   __u32 pasid)
{
	__u32 h;
	int fd;

	if (bench_open(b, 0) || bench_add(b, address) || bench_process(b, p, 1))
		return -1;
	if (gvm_faults_open(&b->vm, IOMMU_GPASID_FAULT_LIMIT_MAX, 0, &fd) ||
	    gvm_bind(&b->dev[0], &p->pt, pasid, &h))
		return -1;
	return fd;
}

/* ---- VM A ------------------------------------------------------------------------ */

static int set_limit(const char *file, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), CGROUP "/%s", file);
	return sysfs_write(path, value);
}

static int open_file(const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), CGROUP "/%s", file);
	return open(path, O_RDWR);
}

static bool put(int fd, const char *value)
{
	return pwrite(fd, value, strlen(value), 0) == (ssize_t)strlen(value);
}

/*
 * What the cgroup has now is all that it may have: no page of the process is
 * still to come, and what the kernel charges in advance is given back, as it is
 * when memory.high is below what is charged.  To open a file would charge again.
 */
static int close_limit(const char *file)
{
	int limit = open_file(file), high = open_file("memory.high");
	int current = open(CGROUP "/memory.current", O_RDONLY);
	char bytes[32] = "";

	if (limit < 0 || high < 0 || current < 0 ||
	    mlockall(MCL_CURRENT | MCL_FUTURE) || !put(high, "0"))
		return -EIO;
	usleep(DRAIN_US);
	if (!put(high, "max") || pread(current, bytes, sizeof(bytes) - 1, 0) <= 0 ||
	    !put(limit, bytes))
		return -EIO;
	return 0;
}

/* The value of a line in a file of the cgroup, or negative. */
static long cgroup_stat(const char *file, const char *line)
{
	long found = -1, value;
	char path[64], name[64];
	FILE *f;

	snprintf(path, sizeof(path), CGROUP "/%s", file);
	f = fopen(path, "r");
	while (f && found < 0 && fscanf(f, "%63s %ld", name, &value) == 2)
		if (!strcmp(name, line))
			found = value;
	if (f)
		fclose(f);
	return found;
}

/* Page requests that A has sent; shared memory. */
static volatile __u64 *sent;

/*
 * Requests of groups that never end, which wait in the kernel and use A's memory,
 * and DMA whose page nobody brings.
 */
static void flood(struct bench *b)
{
	struct vtdsim_desc partial = {
		.op = VTDSIM_OP_PAGE_REQUEST, .flags = VTDSIM_F_PASID,
		.pasid = PASID_A, .addr = HEAP_VA,
	};
	struct vtdsim_desc demand = {
		.op = VTDSIM_OP_READ, .flags = F_DEMAND, .pasid = PASID_A,
		.addr = HEAP_VA, .len = 8, .local = LAB_LOCAL(1),
	};
	struct vtdsim_counters before, c;
	unsigned int i;

	if (lab_counters(&b->lab[0], &before))
		_exit(1);
	for (i = 0;; i++) {
		partial.operand = VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(256 + i % 256);
		lab_submit(&b->lab[0], 0, &partial);
		lab_submit(&b->lab[0], 1, &demand);
		usleep(100);
		if (i % 64 || lab_counters(&b->lab[0], &c))
			continue;
		*sent = c.e_page_requests - before.e_page_requests;
	}
}

static void vm_a(const char *limit, int ready)
{
	struct bench b;
	struct process p;
	char said = 'y';

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (set_limit("cgroup.procs", "0") || open_vm(&b, &p, EP_1A, PASID_A) < 0)
		said = 'n';
	if (limit && close_limit(limit))
		said = 'n';
	if (write(ready, &said, 1) != 1 || said != 'y')
		_exit(1);
	flood(&b);
}

static pid_t start_a(const char *limit)
{
	char said = 'n';
	int ready[2];
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid)
		vm_a(limit, ready[1]);
	close(ready[1]);
	if (read(ready[0], &said, 1) != 1 || said != 'y')
		pid = -1;
	close(ready[0]);
	return pid;
}

/* ---- VM B ------------------------------------------------------------------------ */

FIXTURE(memcg)
{
	struct bench b;
	struct process p;
	int fd;
	pid_t a;
};

FIXTURE_VARIANT(memcg)
{
	const char *limit;
};

FIXTURE_VARIANT_ADD(memcg, at_max)
{
	.limit = "memory.max",
};

FIXTURE_VARIANT_ADD(memcg, above_high)
{
	.limit = "memory.high",
};

FIXTURE_SETUP(memcg)
{
	self->a = 0;
	sent = mmap(NULL, sizeof(*sent), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)sent);
	mkdir(CGROUPS, 0755);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		SKIP(return, "no cgroups in this kernel");
	ASSERT_EQ(0, sysfs_write(CGROUPS "/cgroup.subtree_control", "+memory"));
	mkdir(CGROUP, 0755);
	ASSERT_EQ(0, set_limit("memory.max", "max"));
	ASSERT_EQ(0, set_limit("memory.high", "max"));
	self->fd = open_vm(&self->b, &self->p, EP_1B, PASID_B);
	ASSERT_LE(0, self->fd);
	if (!(self->b.info[0].out_caps & GPASID_CAP_PRI))
		SKIP(return, "no page requests");
}

FIXTURE_TEARDOWN(memcg)
{
	if (self->a > 0) {
		kill(self->a, SIGKILL);
		waitpid(self->a, NULL, 0);
	}
	if (self->b.nr)
		EXPECT_EQ(0, bench_close(&self->b));
	rmdir(CGROUP);
	umount(CGROUPS);
}

/* One page request of B, from the request to the end of the DMA; seconds. */
static double round_trip(struct bench *b, int fd)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ, .flags = F_DEMAND, .pasid = PASID_B,
		.addr = HEAP_VA, .len = 8, .local = LAB_LOCAL(1),
	};
	struct iommu_gpasid_fault f;
	double start = now();

	if (lab_submit(&b->lab[0], 1, &d) ||
	    gvm_faults_read(fd, &f, 1, 8000) != 1 ||
	    gvm_faults_answer(fd, f.cookie, IOMMU_GPASID_FAULT_INVALID) ||
	    lab_wait(&b->lab[0], 1, 8000))
		return -1;
	return now() - start;
}

static int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

/* What nine of ten stay below; negative: one did not come back. */
static double measure(struct bench *b, int fd)
{
	double t[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		t[i] = round_trip(b, fd);
		if (t[i] < 0)
			return -1;
	}
	qsort(t, ROUNDS, sizeof(t[0]), by_value);
	return t[ROUNDS * 9 / 10];
}

TEST_F_TIMEOUT(memcg, of_one_vm_delays_no_page_request_of_another, 120)
{
	double idle = measure(&self->b, self->fd), loaded;
	int i;

	ASSERT_LT(0, idle);
	self->a = start_a(variant->limit);
	ASSERT_LT(0, self->a);
	for (i = 0; i < 300 && *sent < FLOOD; i++)
		usleep(100000);
	ASSERT_LE(FLOOD, *sent);
	loaded = measure(&self->b, self->fd);
	ASSERT_LT(0, loaded);
	TH_LOG("%.1f times the idle time", loaded / idle);
	EXPECT_LT(loaded, MAX_RATIO * (idle > SLICE ? idle : SLICE));
	/* Nor is a process killed for the sake of a page request. */
	EXPECT_EQ(0, cgroup_stat("memory.events", "oom"));
	EXPECT_EQ(0, waitpid(self->a, NULL, WNOHANG));
}

/* ---- requests of incomplete groups --------------------------------------------------- */

/* Bytes of the cgroup in slabs, or negative. */
static long slab_bytes(void)
{
	return cgroup_stat("memory.stat", "slab_unreclaimable");
}

/* Requests of groups that never end; bytes that they have charged, or negative. */
static long send_partial(void)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_PAGE_REQUEST, .flags = VTDSIM_F_PASID,
		.pasid = PASID_A, .addr = HEAP_VA,
	};
	struct process p;
	struct bench b;
	long before;
	int i;

	if (set_limit("cgroup.procs", "0") || open_vm(&b, &p, EP_2A, PASID_A) < 0)
		return -1;
	before = slab_bytes();
	for (i = 0; i < FLOOD; i++) {
		d.operand = VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(256 + i % 256);
		while (lab_submit(&b.lab[0], 0, &d))
			usleep(1000);
		usleep(100);
	}
	if (lab_wait(&b.lab[0], 0, 10000))
		return -2;
	/* The unit's thread may be behind. */
	for (i = 0; i < 50 && slab_bytes() - before < FLOOD * PARTIAL_SIZE; i++)
		usleep(100000);
	return slab_bytes() - before;
}

/* What @fn returns in a process of its own. */
static long in_child(long (*fn)(void))
{
	long left = LONG_MIN;
	int result[2];
	pid_t pid;

	if (pipe(result))
		return LONG_MIN;
	pid = fork();
	if (!pid) {
		left = fn();
		_exit(write(result[1], &left, sizeof(left)) != sizeof(left));
	}
	close(result[1]);
	if (read(result[0], &left, sizeof(left)) != sizeof(left))
		left = LONG_MIN;
	close(result[0]);
	waitpid(pid, NULL, 0);
	return left;
}

TEST_F_TIMEOUT(memcg, pays_for_requests_of_incomplete_groups, 120)
{
	long bytes = in_child(send_partial);

	TH_LOG("%ld KiB charged for %d requests", bytes / 1024, FLOOD);
	EXPECT_LE(FLOOD * PARTIAL_SIZE, bytes);
}

/* ---- PASID tables ------------------------------------------------------------------ */

#define TABLE_PAGES	2000
#define TABLE_STRIDE	64	/* entries in a page */
#define TABLE_FIRST	0x80000

static long charged(void)
{
	char text[32] = "";
	int fd = open(CGROUP "/memory.current", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return atol(text);
}

/* Attach one PASID after another; bytes that it has left charged, or negative. */
static long attach_all_over(void)
{
	struct process p;
	struct bench b;
	__u32 hwpt, i;
	long before;

	if (set_limit("cgroup.procs", "0") || bench_open(&b, GVM_PASID) ||
	    bench_add_vfio(&b, EP_2B) || bench_process(&b, &p, 1) ||
	    gvm_hwpt_nested(&b.dev[0], &p.pt, GVM_HWPT_PASID, &hwpt))
		return LONG_MIN;
	before = charged();
	for (i = 0; i < TABLE_PAGES; i++) {
		if (gvm_pasid_attach(&b.dev[0], TABLE_FIRST + i * TABLE_STRIDE,
				     hwpt) ||
		    gvm_pasid_detach(&b.dev[0], TABLE_FIRST + i * TABLE_STRIDE))
			return LONG_MIN;
	}
	return charged() - before;
}

/* They stay with the device, whatever VM has it. */
TEST_F_TIMEOUT(memcg, does_not_pay_for_pages_of_a_pasid_table, 240)
{
	long left = in_child(attach_all_over);

	ASSERT_NE(LONG_MIN, left);
	TH_LOG("%ld KiB charged for %d pages", left / 1024, TABLE_PAGES);
	EXPECT_LT(-(1 << 20), left);
	EXPECT_GT(TABLE_PAGES * 4096 / 2, left);
}

TEST_HARNESS_MAIN
