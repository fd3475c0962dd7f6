// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many bindings on one device: 100,000 and then every PASID there is, 2^20 - 1.
 * Binds them, measures memory and costs at each size, does DMA through ten
 * thousand chosen at random, and closes.
 *
 *	gpasid_scale [N ...]
 *
 * Wants the lab with the release kernel and 4 GiB: the PASID table alone takes
 * 64 MiB.  Times are printed as ratios within this run, counts are checked.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gpasid_utils.h"

#define NR_DMA		10000
#define PROBE_VA	(PROC_VA + GVM_SZ_1G)
#define NR_PROCS	16
#define MAX_PASIDS	0xfffffU

static struct bench b;
static struct process proc[NR_PROCS];

/* A line of /proc/meminfo, in bytes. */
static long long mem_line(const char *name)
{
	long long kb = 0;
	char line[128];
	size_t len = strlen(name);
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, len) || line[len] != ':')
			continue;
		kb = atoll(line + len + 1);
		break;
	}
	if (f)
		fclose(f);
	return kb * 1024;
}

/* Objects of the kernel, and all memory that is neither free nor cache. */
static void memory(long long *slab, long long *used)
{
	*slab = mem_line("Slab") + mem_line("Percpu") + mem_line("VmallocUsed");
	*used = mem_line("MemTotal") - mem_line("MemFree") - mem_line("Cached");
}

static void setup(__u32 n)
{
	int i;

	/* Nothing is left to processes of the host. */
	must(sysfs_write("/sys/module/ioasid/parameters/host_reserve", "0"),
	     "host_reserve");
	must(bench_open(&b, 0), "open");
	must(bench_add(&b, EP_1A), "add " EP_1A);
	if (gvm_quota_set(&b.vm, n))
		printf("      the quota stays as it is\n");
	for (i = 0; i < NR_PROCS; i++) {
		must(bench_process(&b, &proc[i], i), "process");
		must(gvm_pt_map(&proc[i].pt, PROBE_VA, HOTPLUG_GPA, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW), "map");
	}
}

/* Bind guest PASIDs (from, to]; seconds. */
static double bind_up_to(__u32 from, __u32 to)
{
	double t = now();
	__u32 g;

	for (g = from + 1; g <= to; g++) {
		must(gvm_pasid_alloc_identity(&b.vm, g), "allocate");
		must(gvm_bind_identity(&b.dev[0], &proc[g % NR_PROCS].pt, g),
		     "bind");
	}
	return now() - t;
}

/*
 * Bind up to @n and see what each binding took.  The PASID table is made of
 * pages and shows in the second figure only, 64 bytes for each entry, as does
 * what this program itself writes to.
 */
static double bind_and_weigh(__u32 n)
{
	long long slab[2], used[2];
	char text[128];
	double t;

	memory(&slab[0], &used[0]);
	t = bind_up_to(100, n) / (n - 100);
	memory(&slab[1], &used[1]);
	slab[1] = (slab[1] - slab[0]) / (n - 100);
	used[1] = (used[1] - used[0]) / (n - 100);
	snprintf(text, sizeof(text),
		 "a binding takes %lld bytes beside its PASID entry (all memory: %lld with it)",
		 slab[1], used[1]);
	check(slab[1] <= 256, text);
	return t;
}

static void dma_through_random(__u32 n)
{
	int i, wrong = 0, stale = 0;
	double t = now();
	char text[80];
	__u32 g;

	for (i = 0; i < NR_DMA; i++) {
		g = 1 + (((__u32)rand() << 8) ^ rand()) % n;
		wrong += peek_proc(&b.lab[0], g, i & 1 ? VTDSIM_F_ATS : 0)
			 != TAG(g % NR_PROCS);
		/* Two looks into the other stage, for the unmap to come. */
		stale += refused(peek(&b.lab[0], g, VTDSIM_F_ATS, PROBE_VA));
	}
	snprintf(text, sizeof(text),
		 "DMA through %d PASIDs at random: %d wrong, %.1f us each",
		 NR_DMA, wrong + stale, (now() - t) / NR_DMA / 2 * 1e6);
	check(!wrong && !stale, text);
}

/* Descriptors of an unmap of a page that 10,000 PASIDs have just used. */
static __u64 unmap_cost(__u32 n, double *t)
{
	struct vtdsim_counters c;
	int i, left = 0;
	char buf[128];
	__u32 g;

	must(lab_counters(&b.lab[0], &c), "counters");
	*t = now();
	must(gvm_unmap(&b.vm, HOTPLUG_GPA, GVM_SZ_4K), "unmap");
	*t = now() - *t;
	must(since(&b.lab[0], &c, &c), "counters");
	for (i = 0; i < 1000; i++) {
		g = 1 + (((__u32)rand() << 8) ^ rand()) % n;
		left += !refused(peek(&b.lab[0], g, i & 1 ? VTDSIM_F_ATS : 0,
				      PROBE_VA));
	}
	printf("      unmap of a page with %u bound: %s\n", n,
	       lab_descriptors(&c, buf, sizeof(buf)));
	check(!left, "no PASID reaches the page any more");
	return c.u_desc_total;
}

/* What each operation on one binding costs. */
enum op {
	OP_UNBIND,
	OP_BIND,
	OP_REPLACE,
	NR_OPS,
};

static const char * const op_name[NR_OPS] = { "unbind", "bind", "replace" };

static int do_op(enum op op, __u32 g)
{
	if (op == OP_UNBIND)
		return gvm_unbind(&b.dev[0], g);
	if (op == OP_BIND)
		return gvm_bind_identity(&b.dev[0],
					 &proc[(g + 1) % NR_PROCS].pt, g);
	return gvm_replace(&b.dev[0], &proc[g % NR_PROCS].pt, g);
}

/* The guest PASID ends as it began. */
static void op_costs(__u32 n, __u32 g, struct vtdsim_counters c[NR_OPS])
{
	char buf[96];
	int i;

	for (i = 0; i < NR_OPS; i++) {
		must(lab_counters(&b.lab[0], &c[i]), "counters");
		must(do_op(i, g), op_name[i]);
		must(since(&b.lab[0], &c[i], &c[i]), "counters");
		printf("      %s with %u bound: %s\n", op_name[i], n,
		       lab_descriptors(&c[i], buf, sizeof(buf)));
	}
}

static void compare_ops(const struct vtdsim_counters c[2][NR_OPS])
{
	char text[80];
	int i;

	for (i = 0; i < NR_OPS; i++) {
		snprintf(text, sizeof(text), "%s: the same as with 100 bound",
			 op_name[i]);
		check(!memcmp(c[0][i].u_desc, c[1][i].u_desc,
			      sizeof(c[0][i].u_desc)), text);
	}
}

/* Seconds for a look-up: the best of several rounds, as others share the CPU. */
static double look_up(__u32 n)
{
	__u32 g, h, i, round, wrong = 0;
	double t, best = 1;

	for (round = 0; round < 10; round++) {
		t = now();
		for (i = 0; i < NR_DMA / 10; i++) {
			g = 1 + (((__u32)rand() << 8) ^ rand()) % n;
			wrong += gvm_pasid_g2h(&b.vm, g, &h) || h != g;
		}
		t = (now() - t) / (NR_DMA / 10);
		if (t < best)
			best = t;
	}
	check(!wrong, "gPASID to hPASID is right for 10,000 at random");
	return best;
}

static void close_all(__u32 n)
{
	struct vtdsim_counters c;
	struct lab_dev lab;
	char text[128], buf[96];
	double t;

	must(lab_dev_open_sysfs(&lab, EP_1A), "sysfs");
	must(lab_counters(&lab, &c), "counters");
	t = now();
	gvm_dev_close(&b.dev[0]);
	b.lab[0].bar = NULL;
	t = now() - t;
	must(since(&lab, &c, &c), "counters");
	snprintf(text, sizeof(text), "close with %u bound: %.2f s, %s", n, t,
		 lab_descriptors(&c, buf, sizeof(buf)));
	check(c.u_waits <= 8, text);
	must(lab_dev_restart(&lab), "DMA engine");
	check(nothing_left(&lab, 0), "no entry and no cached translation is left");
	lab_dev_close(&lab);
	check(!bench_close(&b), "nothing else is left either");
}

/* @n bindings beside a few; costs at 1 and at @n must be the same. */
static void run(__u32 n)
{
	static struct vtdsim_counters ops[2][NR_OPS];
	__u64 unmap[2];
	double t[2], look[2];

	printf("%u bindings on one device\n", n);
	setup(n);
	must(gvm_map(&b.vm, HOTPLUG_GPA, proc[0].mem, GVM_SZ_4K, GVM_MAP_RW),
	     "map");
	t[0] = bind_up_to(0, 100) / 100;
	look[0] = look_up(100);
	op_costs(100, 50, ops[0]);
	unmap[0] = unmap_cost(100, &t[1]);
	t[1] = bind_and_weigh(n);
	printf("      bind: %.1f us each, %.2f of the first 100\n", t[1] * 1e6,
	       t[1] / t[0]);
	must(gvm_map(&b.vm, HOTPLUG_GPA, proc[0].mem, GVM_SZ_4K, GVM_MAP_RW),
	     "map");
	dma_through_random(n);
	look[1] = look_up(n);
	printf("      look-up: %.2f us, %.2f of that with 100 bound\n",
	       look[1] * 1e6, look[1] / look[0]);
	unmap[1] = unmap_cost(n, &t[0]);
	check(unmap[0] == unmap[1], "an unmap costs what it cost with 100 bound");
	op_costs(n, n / 2, ops[1]);
	compare_ops(ops);
	close_all(n);
}

int main(int argc, char **argv)
{
	int i;

	srand(1);
	if (argc < 2) {
		run(100000);
		run(MAX_PASIDS);
	}
	for (i = 1; i < argc; i++)
		run(strtoul(argv[i], NULL, 0));
	return check_result("scale");
}
