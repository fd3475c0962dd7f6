// SPDX-License-Identifier: GPL-2.0-only
/*
 * No VM waits for another VM's work.
 *
 * VM A, a process of its own on unit 1, does the worst of each kind in a loop, and
 * says how long one takes.  VM C on unit 2 measures its own calls: before, when
 * nobody else is at work, and while A is inside.  Only a lock of the host could
 * couple them, and what waits for one waits for the rest of A's work.  So what is
 * compared is C's waiting with how long A's work takes, in the same run: the
 * median must be far below and no call may take more than a part of it.
 *
 * The lab plays both units in one thread, on the processors that the VMs run on:
 * it executes up to 64 of A's descriptors before it looks at C's unit again, which
 * a real unit does not.  What of C's wait that is shows as its ratio to the time of
 * such a portion; and a VM without system calls, which does DMA and computes,
 * shows what a processor that is shared explains.  Where A's work is shorter than
 * that, it is the limit.
 *
 * A machine that is busy with something else makes a call late, and not one in
 * each of some tries: the best of them counts.
 *
 * gpasid_isolation [BOUND [CALLS [LOAD]]]; LOAD: one of load[], by its index
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpasid_utils.h"

#define BOUND		20000
#define CALLS		10
#define TRIES		6
#define MEDIAN_PART	24	/* of A's work, that the median stays below */
#define WORST_PART	4
#define SHARED_CPU	2	/* times what it is with a VM that computes */
#define SLICE		0.001	/* seconds that A computes at a time */
#define MEDIAN_SLICE	0.004	/* seconds that a scheduler explains */
#define WORST_SLICE	0.016
#define SPREAD		8	/* calls during one piece of A's work */
#define PATIENCE	120	/* seconds for the calls of a try */
#define INV_ENTRIES	4096
#define PORTION		64	/* descriptors that the lab executes at a time */

static unsigned int bound = BOUND, calls = CALLS;

/**
 * struct gauge - What a VM that works says of it; in shared memory
 * @inside: it is in the system call that others may not wait for
 * @nr: how many of these it has done
 * @total: seconds that all of them took
 * @descs: descriptors that its unit has executed meanwhile
 */
struct gauge {
	bool inside;
	unsigned int nr;
	double total;
	__u64 descs;
};

/* ---- VMs that work ---------------------------------------------------------------- */

struct worker {
	struct bench b;
	struct process p;
	struct gauge *gauge;
	const char *address;
	__u32 first;	/* host-wide PASID */
	struct lab_dev unit;	/* its unit's counters, also without the device */
	struct vtdsim_counters before;
};

static double begin(struct worker *w)
{
	must(lab_counters(&w->unit, &w->before), "the unit counts");
	__atomic_store_n(&w->gauge->inside, true, __ATOMIC_RELEASE);
	return now();
}

static void end(struct worker *w, double start)
{
	struct vtdsim_counters c;

	__atomic_store_n(&w->gauge->inside, false, __ATOMIC_RELEASE);
	w->gauge->total += now() - start;
	must(since(&w->unit, &w->before, &c), "the unit counts");
	w->gauge->descs += c.u_desc_total;
	__atomic_add_fetch(&w->gauge->nr, 1, __ATOMIC_RELEASE);
}

static void load_bind_all(struct worker *w)
{
	unsigned int i;

	for (i = 0; i < bound; i++)
		must(gvm_bind(&w->b.dev[0], &w->p.pt, w->first + i, NULL), "A binds");
}

static void load_unmap(struct worker *w)
{
	double start;

	must(gvm_map(&w->b.vm, HOTPLUG_GPA, w->p.mem, GVM_SZ_4K, GVM_MAP_RW), "A maps");
	start = begin(w);
	must(gvm_unmap(&w->b.vm, HOTPLUG_GPA, GVM_SZ_4K), "A unmaps");
	end(w, start);
}

static void invalidate_thousands(struct worker *w)
{
	struct iommu_gpasid_inv *inv = calloc(INV_ENTRIES, sizeof(*inv));
	__u32 i, num = INV_ENTRIES;

	for (i = 0; i < num; i++)
		inv[i] = (struct iommu_gpasid_inv){
			.pasid = w->first + i % bound, .addr = PROC_VA, .npages = 1,
		};
	must(gvm_invalidate(&w->b.vm, inv, &num), "A invalidates");
	free(inv);
}

static void *invalidate_main(void *arg)
{
	for (;;)
		invalidate_thousands(arg);
	return NULL;
}

/* Two threads; how long it takes is what one of them says. */
static void load_invalidate(struct worker *w)
{
	static pthread_t other;
	double start;

	if (!other)
		must(-pthread_create(&other, NULL, invalidate_main, w), "A's thread");
	start = begin(w);
	invalidate_thousands(w);
	end(w, start);
}

static void load_dirty(struct worker *w)
{
	static bool on;
	double start = begin(w);

	on = !on;
	must(gvm_dirty_tracking(&w->b.vm, w->b.vm.parent, on),
	     "A switches dirty tracking");
	end(w, start);
}

static void load_close(struct worker *w)
{
	double start = begin(w);

	gvm_dev_close(&w->b.dev[0]);
	end(w, start);
	must(gvm_dev_add(&w->b.dev[0], &w->b.vm, w->address), "A opens its device again");
	load_bind_all(w);
}

/* No kernel at work: the device does DMA on all queues, the process computes. */
static void load_hardware(struct worker *w)
{
	static const struct vtdsim_loop how = {
		.dir = VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE,
	};
	static bool on;
	double start = now();
	unsigned int q;

	for (q = 0; q < VTDSIM_NR_QUEUES && !on; q++)
		must(lab_loop_start(&w->b.lab[0], q, w->first, 0, PROC_VA, &how),
		     "A's device begins");
	on = true;
	w->gauge->inside = true;
	while (now() - start < SLICE)
		;
}

typedef void (*work_fn)(struct worker *w);

/* @other: what a second VM does at the same time on another device of unit 1 */
struct load {
	const char *what;
	work_fn once, other;
};

static const struct load control = {
	"computes and its device does DMA", load_hardware, NULL,
};

#define NR_LOADS	5

static const struct load load[NR_LOADS] = {
	{ "unmaps a page", load_unmap, NULL },
	{ "invalidates thousands of ranges in two threads", load_invalidate, NULL },
	{ "switches dirty tracking", load_dirty, NULL },
	{ "binds, and closes its device", load_close, NULL },
	{ "closes its device, and B switches dirty tracking", load_close, load_dirty },
};

static void work_main(work_fn once, struct worker *w, int ready)
{
	char c = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(bench_open(&w->b, GVM_DIRTY_TRACKING), "A opens");
	must(bench_add(&w->b, w->address), "A takes a device");
	must(bench_process(&w->b, &w->p, 1), "A's process");
	must(lab_dev_open_sysfs(&w->unit, w->address), "A's unit");
	load_bind_all(w);
	if (write(ready, &c, 1) != 1)
		_exit(1);
	for (;;)
		once(w);
}

static pid_t start_work(work_fn once, const char *address, __u32 first,
			struct gauge *gauge)
{
	struct worker w = { .address = address, .first = first, .gauge = gauge };
	int ready[2];
	pid_t pid;
	char c;

	must(pipe(ready) ? -errno : 0, "pipe");
	pid = fork();
	if (!pid)
		work_main(once, &w, ready[1]);
	close(ready[1]);
	must(read(ready[0], &c, 1) == 1 ? 0 : -EPIPE, "VM A");
	close(ready[0]);
	return pid;
}

static void end_work(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- VM C ------------------------------------------------------------------------ */

enum { FIRST_BIND, INVALIDATE, UNMAP, NR_MEASURES };

static const char * const measure_name[] = {
	"the first bind on its device, and the unbind",
	"an invalidation",
	"an unmap",
};

static void measured_call(struct bench *b, struct process *p, int measure)
{
	switch (measure) {
	case FIRST_BIND:
		must(gvm_bind(&b->dev[1], &p->pt, 0xf0001, NULL), "C binds");
		must(gvm_unbind(&b->dev[1], 0xf0001), "C unbinds");
		break;
	case INVALIDATE:
		must(gvm_invalidate_pasid(&b->vm, 0xf0002), "C invalidates");
		break;
	case UNMAP:
		must(gvm_map(&b->vm, HOTPLUG_GPA, p->mem, GVM_SZ_4K, GVM_MAP_RW),
		     "C maps");
		must(gvm_unmap(&b->vm, HOTPLUG_GPA, GVM_SZ_4K), "C unmaps");
		break;
	}
}

static double work_time(const struct gauge *gauge)
{
	return gauge->total / gauge->nr;
}

static int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

/* Seconds. */
struct latency {
	double median, worst;
};

/*
 * Calls that begin while the VM of @gauge is inside, at all points of what it does
 * there; NULL: whenever.
 */
static struct latency measure(struct bench *b, struct process *p, int what,
			      const struct gauge *gauge)
{
	double *t = calloc(calls, sizeof(*t)), start, until = now() + PATIENCE;
	struct latency l;
	unsigned int i;

	for (i = 0; i < calls; i++) {
		if (gauge)
			usleep(1e6 * work_time(gauge) / SPREAD);
		while (gauge && !__atomic_load_n(&gauge->inside, __ATOMIC_ACQUIRE)) {
			must(now() < until ? 0 : -ETIMEDOUT, "A works");
			usleep(100);
		}
		start = now();
		measured_call(b, p, what);
		t[i] = now() - start;
	}
	qsort(t, calls, sizeof(*t), by_value);
	l.median = t[calls / 2];
	l.worst = t[calls - 1];
	free(t);
	return l;
}

static void keep_best(struct latency *best, const struct latency *l)
{
	if (l->median < best->median)
		best->median = l->median;
	if (l->worst < best->worst)
		best->worst = l->worst;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

/* What one piece of A's work explains: a part of it, or a processor that is shared. */
static struct latency limit(const struct gauge *gauge, const struct latency *idle,
			    const struct latency *shared)
{
	double work = work_time(gauge);

	return (struct latency){
		.median = larger(larger(work / MEDIAN_PART, MEDIAN_SLICE), SHARED_CPU *
				 larger(idle->median, shared->median)),
		.worst = larger(larger(work / WORST_PART, WORST_SLICE), SHARED_CPU *
				larger(idle->worst, shared->worst)),
	};
}

/* The best of some tries; the first that is within the limit is good enough. */
static void compare(struct bench *b, struct process *p, const struct load *l,
		    int m, const struct gauge *gauge, const struct latency *idle,
		    const struct latency *shared)
{
	struct latency best = { 1e9, 1e9 }, most, got;
	double work, portion;
	char what[160];
	int i;

	for (i = 0; i < TRIES; i++) {
		got = measure(b, p, m, gauge);
		keep_best(&best, &got);
		most = limit(gauge, idle, shared);
		if (best.median < most.median && best.worst < most.worst)
			break;
	}
	work = work_time(gauge);
	portion = gauge->total * PORTION / (gauge->descs + 1);
	printf("# A %s, %.1f ms, %llu descriptors: %s of C\n", l->what, work * 1e3,
	       gauge->descs / gauge->nr, measure_name[m]);
	printf("#   median %.2f ms, %.1f times idle, 1/%.0f of A's work, %.1f portions\n",
	       best.median * 1e3, best.median / idle->median, work / best.median,
	       best.median / portion);
	printf("#   worst  %.2f ms, %.1f times idle, 1/%.0f of A's work, %.1f portions\n",
	       best.worst * 1e3, best.worst / idle->worst, work / best.worst,
	       best.worst / portion);
	snprintf(what, sizeof(what), "while A %s, %s of C does not wait for it",
		 l->what, measure_name[m]);
	check(best.median < most.median, what);
	snprintf(what, sizeof(what), "while A %s, %s of C at its worst does not wait for it",
		 l->what, measure_name[m]);
	check(best.worst < most.worst, what);
}

static void compare_all(struct bench *b, struct process *p, const struct load *l,
			const struct latency idle[], const struct latency shared[])
{
	size_t size = 2 * sizeof(struct gauge);
	struct gauge *gauge = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid, other = 0;
	double until;
	int m;

	must(gauge == MAP_FAILED ? -errno : 0, "mmap");
	if (l->other)
		other = start_work(l->other, EP_1B, 1 + bound, &gauge[1]);
	pid = start_work(l->once, EP_1A, 1, &gauge[0]);
	until = now() + PATIENCE;
	while (!__atomic_load_n(&gauge->nr, __ATOMIC_ACQUIRE)) {
		must(now() < until ? 0 : -ETIMEDOUT, "A's work ends");
		usleep(1000);
	}
	for (m = 0; m < NR_MEASURES; m++)
		compare(b, p, l, m, &gauge[0], &idle[m], &shared[m]);
	end_work(pid);
	if (other)
		end_work(other);
	munmap(gauge, size);
}

/* The best of some tries. */
static void measure_all(struct bench *b, struct process *p, struct latency l[])
{
	struct latency got;
	int i, m;

	for (m = 0; m < NR_MEASURES; m++) {
		l[m] = (struct latency){ 1e9, 1e9 };
		for (i = 0; i < TRIES; i++) {
			got = measure(b, p, m, NULL);
			keep_best(&l[m], &got);
		}
	}
}

int main(int argc, char **argv)
{
	struct latency idle[NR_MEASURES], shared[NR_MEASURES];
	struct gauge gauge = {};
	struct bench b;
	struct process p;
	unsigned int i, first = 0, last = NR_LOADS - 1;
	pid_t pid;

	if (argc > 1)
		bound = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		calls = strtoul(argv[2], NULL, 0);
	if (argc > 3) {
		first = strtoul(argv[3], NULL, 0) % NR_LOADS;
		last = first;
	}
	must(bench_open(&b, 0), "C opens");
	must(bench_add(&b, EP_2A), "C takes a device");
	must(bench_add(&b, EP_2B), "C takes another");
	must(bench_process(&b, &p, 2), "C's process");
	must(gvm_pasid_alloc_identity(&b.vm, 0xf0001), "C allocates");
	must(gvm_bind(&b.dev[0], &p.pt, 0xf0002, NULL), "C binds");
	measure_all(&b, &p, idle);
	pid = start_work(control.once, EP_1A, 1, &gauge);
	measure_all(&b, &p, shared);
	end_work(pid);
	for (i = 0; i < NR_MEASURES; i++)
		printf("# %s of C: idle %.2f, worst %.2f ms; beside a VM that %s %.2f, %.2f ms\n",
		       measure_name[i], idle[i].median * 1e3, idle[i].worst * 1e3,
		       control.what, shared[i].median * 1e3, shared[i].worst * 1e3);
	for (i = first; i <= last; i++)
		compare_all(&b, &p, &load[i], idle, shared);
	check(!bench_close(&b), "C leaves nothing behind");
	return check_result("gpasid_isolation");
}
