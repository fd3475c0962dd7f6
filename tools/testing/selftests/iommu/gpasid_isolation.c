// SPDX-License-Identifier: GPL-2.0-only
/*
 * No VM waits for another VM's work.
 *
 * VM A, a process of its own on unit 1, does the worst of each kind in a loop.
 * VM B on unit 2 measures its own calls meanwhile, and before, when A rests.
 * What is compared is the time that nine of ten calls stay below, as a ratio
 * within this run: a processor that is shared explains a small one, a lock that
 * is held over A's work one of hundreds.  An idle time below a millisecond counts
 * as one.
 *
 * The lab plays both units in one thread, on the processors that the VMs run on:
 * it executes up to 64 of A's descriptors before it looks at B's unit again.  What
 * of B's wait is the lab's shows as its ratio to the time of such a portion, and
 * where A does DMA and computes, without a system call.
 *
 * gpasid_isolation [BOUND [CALLS]]
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpasid_utils.h"

#define BOUND		5000
#define CALLS		100
#define MAX_RATIO	25
#define SLICE		0.001	/* seconds; a shared processor explains as much */
#define INV_ENTRIES	4096
#define PORTION		64	/* descriptors that the lab executes at a time */

static unsigned int bound = BOUND, calls = CALLS;

/* ---- VM A ------------------------------------------------------------------------ */

static void load_bind_all(struct bench *b, struct process *p)
{
	unsigned int i;

	for (i = 1; i <= bound; i++)
		must(gvm_bind(&b->dev[0], &p->pt, i, NULL), "A binds");
}

static void load_unmap(struct bench *b, struct process *p)
{
	must(gvm_map(&b->vm, HOTPLUG_GPA, p->mem, GVM_SZ_4K, GVM_MAP_RW), "A maps");
	must(gvm_unmap(&b->vm, HOTPLUG_GPA, GVM_SZ_4K), "A unmaps");
}

static void load_invalidate(struct bench *b, struct process *p)
{
	static struct iommu_gpasid_inv inv[INV_ENTRIES];
	__u32 i, num = INV_ENTRIES;

	(void)p;
	for (i = 0; i < num; i++)
		inv[i] = (struct iommu_gpasid_inv){
			.pasid = 1 + i % bound, .addr = PROC_VA, .npages = 1,
		};
	must(gvm_invalidate(&b->vm, inv, &num), "A invalidates");
}

static void load_dirty(struct bench *b, struct process *p)
{
	static bool on;

	(void)p;
	on = !on;
	must(gvm_dirty_tracking(&b->vm, b->vm.parent, on), "A switches dirty tracking");
}

static void load_close(struct bench *b, struct process *p)
{
	gvm_dev_close(&b->dev[0]);
	must(gvm_dev_add(&b->dev[0], &b->vm, EP_1A), "A opens its device again");
	load_bind_all(b, p);
}

/* No kernel at work: the device does DMA on all queues, the process computes. */
static void load_hardware(struct bench *b, struct process *p)
{
	static const struct vtdsim_loop how = {
		.dir = VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE,
	};
	static bool on;
	double start = now();
	unsigned int q;

	(void)p;
	for (q = 0; q < VTDSIM_NR_QUEUES && !on; q++)
		must(lab_loop_start(&b->lab[0], q, 1, 0, PROC_VA, &how),
		     "A's device begins");
	on = true;
	while (now() - start < SLICE)
		;
}

#define NR_LOADS	6

static const struct load {
	const char *what;
	void (*once)(struct bench *b, struct process *p);
} load[NR_LOADS] = {
	{ "rests", NULL },
	{ "computes and its device does DMA", load_hardware },
	{ "unmaps a page", load_unmap },
	{ "invalidates thousands of ranges", load_invalidate },
	{ "switches dirty tracking", load_dirty },
	{ "binds, and closes its device", load_close },
};

/*
 * The device has no global invalidate: a descriptor for each PASID.  The shortest
 * of some, before anybody else is at work.
 */
static double portion_time(struct bench *b, struct process *p)
{
	double start, best = 1;
	int i;

	for (i = 0; i < 5; i++) {
		start = now();
		load_unmap(b, p);
		if (now() - start < best)
			best = now() - start;
	}
	return best * PORTION / bound;
}

static void load_main(const struct load *l, int ready)
{
	struct bench b;
	struct process p;
	double portion;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(bench_open(&b, GVM_DIRTY_TRACKING), "A opens");
	must(bench_add(&b, EP_1A), "A takes a device");
	must(bench_process(&b, &p, 1), "A's process");
	load_bind_all(&b, &p);
	portion = portion_time(&b, &p);
	if (write(ready, &portion, sizeof(portion)) != sizeof(portion))
		_exit(1);
	for (;;)
		l->once(&b, &p);
}

static pid_t start_load(const struct load *l, double *portion)
{
	int ready[2];
	pid_t pid;

	if (!l->once)
		return 0;
	must(pipe(ready) ? -errno : 0, "pipe");
	pid = fork();
	if (!pid)
		load_main(l, ready[1]);
	close(ready[1]);
	must(read(ready[0], portion, sizeof(*portion)) == sizeof(*portion) ?
	     0 : -EPIPE, "VM A");
	close(ready[0]);
	return pid;
}

/* ---- VM B ------------------------------------------------------------------------ */

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
		must(gvm_bind(&b->dev[1], &p->pt, 0xf0001, NULL), "B binds");
		must(gvm_unbind(&b->dev[1], 0xf0001), "B unbinds");
		break;
	case INVALIDATE:
		must(gvm_invalidate_pasid(&b->vm, 0xf0002), "B invalidates");
		break;
	case UNMAP:
		must(gvm_map(&b->vm, HOTPLUG_GPA, p->mem, GVM_SZ_4K, GVM_MAP_RW),
		     "B maps");
		must(gvm_unmap(&b->vm, HOTPLUG_GPA, GVM_SZ_4K), "B unmaps");
		break;
	}
}

static int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

struct latency {
	double p90;	/* seconds that nine of ten calls stay below */
	double worst;
};

static struct latency measure(struct bench *b, struct process *p, int what)
{
	double *t = calloc(calls, sizeof(*t)), start;
	struct latency l;
	unsigned int i;

	for (i = 0; i < calls; i++) {
		start = now();
		measured_call(b, p, what);
		t[i] = now() - start;
	}
	qsort(t, calls, sizeof(*t), by_value);
	l.p90 = t[calls * 9 / 10];
	l.worst = t[calls - 1];
	free(t);
	return l;
}

static void compare(struct bench *b, struct process *p, const struct load *l,
		    struct latency idle[])
{
	double portion = 0;
	pid_t pid = start_load(l, &portion);
	struct latency now_is;
	char what[160];
	int m;

	for (m = 0; m < NR_MEASURES; m++) {
		now_is = measure(b, p, m);
		if (!pid) {
			idle[m] = now_is;
			continue;
		}
		printf("# A %s: %s of B\n", l->what, measure_name[m]);
		printf("#   90%% below %.1f times its idle time, %.1f portions; worst %.1f times\n",
		       now_is.p90 / idle[m].p90, now_is.p90 / portion,
		       now_is.worst / idle[m].worst);
		snprintf(what, sizeof(what), "while A %s, %s of B does not wait for it",
			 l->what, measure_name[m]);
		check(now_is.p90 < MAX_RATIO * (idle[m].p90 > SLICE ?
						idle[m].p90 : SLICE), what);
	}
	if (pid) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	struct latency idle[NR_MEASURES];
	struct bench b;
	struct process p;
	int i;

	if (argc > 1)
		bound = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		calls = strtoul(argv[2], NULL, 0);
	must(bench_open(&b, 0), "B opens");
	must(bench_add(&b, EP_2A), "B takes a device");
	must(bench_add(&b, EP_2B), "B takes another");
	must(bench_process(&b, &p, 2), "B's process");
	must(gvm_pasid_alloc_identity(&b.vm, 0xf0001), "B allocates");
	must(gvm_bind(&b.dev[0], &p.pt, 0xf0002, NULL), "B binds");
	for (i = 0; i < NR_LOADS; i++)
		compare(&b, &p, &load[i], idle);
	check(!bench_close(&b), "B leaves nothing behind");
	return check_result("gpasid_isolation");
}
