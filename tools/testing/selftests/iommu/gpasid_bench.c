// SPDX-License-Identifier: GPL-2.0-only
/*
 * What operations on guest PASIDs cost while N of them are bound, on this
 * project's kernel and on an unmodified one alike.  For scripts/bench:
 *
 *	gpasid_bench upstream|own SAMPLES [close:]N...
 *	gpasid_bench memory upstream|own N
 *	gpasid_bench native SAMPLES N...
 *
 * A line for each operation and N has the samples, comma by comma:
 *
 *	cost: OPERATION N descriptors=D,... waits=W,... ns=T,... unit=U,...
 *
 * Descriptors, waits and U (the time that they took the unit) are the unit's own
 * counters.  Samples are taken of cycles, such as attach, replace and detach of
 * the N-th PASID, so that each finds the same state.  A sample is the fastest
 * call of a burst, but a close's, which is a single call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_abi.h"
#include "native_sva.h"

#define DEVICE		EP_1A
#define MAX_STEPS	8
#define MAX_SAMPLES	64
#define LEAST_SAMPLES	3
#define BUDGET		3.0		/* seconds for one cycle's samples */
#define BURST		8		/* calls, of which the fastest is a sample */
#define BURST_TIME	0.1		/* seconds after which no other call begins */
#define WARM_UPS	4		/* cycles before: code that QEMU translates, caches */
#define WARM_UP		0.1		/* seconds after which no other one begins */
#define NATIVE_PAGES	(MAX_SAMPLES * BURST + WARM_UPS)
#define FEW		100		/* not counted: caches that grow once */

struct sample {
	__u64 descriptors, waits, ns, unit;
};

static const struct abi *abi;
static struct lab_dev *eye;	/* the endpoint that the unit is seen through */
static unsigned int samples;

/* ---- samples ------------------------------------------------------------- */

static void take(const struct step *step, __u32 n, struct sample *s)
{
	struct vtdsim_counters c;
	double t;

	must(lab_counters(eye, &c), "counters");
	t = now();
	must(step->run(n), step->op);
	s->ns = (now() - t) * 1e9;
	must(since(eye, &c, &c), "counters");
	s->descriptors = c.u_desc_total;
	s->waits = c.u_waits;
	s->unit = c.u_queue_ns;
}

static void print_list(const char *name, const __u64 *first, unsigned int nr)
{
	const __u64 stride = sizeof(struct sample) / sizeof(*first);
	unsigned int i;

	printf(" %s=", name);
	for (i = 0; i < nr; i++)
		printf("%s%llu", i ? "," : "", first[i * stride]);
}

static void print_samples(const char *op, __u32 n, const struct sample *s,
			  unsigned int nr)
{
	printf("cost: %s %u", op, n);
	print_list("descriptors", &s->descriptors, nr);
	print_list("waits", &s->waits, nr);
	print_list("ns", &s->ns, nr);
	print_list("unit", &s->unit, nr);
	printf("\n");
}

static void warm_up(const struct step *step, __u32 n)
{
	double start = now();
	unsigned int i, nr;
	struct sample s;

	for (nr = 0; nr < WARM_UPS && now() - start < WARM_UP; nr++)
		for (i = 0; step[i].op; i++)
			take(&step[i], n, &s);
}

/*
 * Some rounds of the steps: of each step the fastest call, which is one that
 * nothing came in between on a machine that has other things to do.
 */
static void burst(const struct step *step, __u32 n, struct sample *best[])
{
	double start = now();
	struct sample s;
	int i, round;

	for (round = 0; round < BURST && now() - start < BURST_TIME; round++) {
		for (i = 0; step[i].op; i++) {
			take(&step[i], n, &s);
			if (!round || s.ns < best[i]->ns)
				*best[i] = s;
		}
	}
}

/* Run the steps one after the other, again and again; end with an empty one. */
static void cycle(const struct step *step, __u32 n)
{
	static struct sample s[MAX_STEPS][MAX_SAMPLES];
	struct sample *best[MAX_STEPS];
	unsigned int i, nr;
	double start;

	warm_up(step, n);
	start = now();
	for (nr = 0; nr < samples; nr++) {
		if (nr >= LEAST_SAMPLES && now() - start > BUDGET)
			break;
		for (i = 0; i < MAX_STEPS; i++)
			best[i] = &s[i][nr];
		burst(step, n, best);
	}
	for (i = 0; step[i].op; i++)
		print_samples(step[i].op, n, s[i], nr);
}

/* ---- operations ---------------------------------------------------------- */

static int null_ioctl(__u32 n)
{
	(void)n;
	return ioctl(vm_bench.vm.iommufd, _IO(';', 0xff), NULL) < 0 ?
	       0 : -EINVAL;
}

static int invalidate_1(__u32 n)
{
	return abi->invalidate(n, 1);
}

static int invalidate_16(__u32 n)
{
	return abi->invalidate(n, 16);
}

static int invalidate_512(__u32 n)
{
	return abi->invalidate(n, BENCH_RANGES);
}

static int close_device(__u32 n)
{
	(void)n;
	gvm_dev_close(&vm_bench.dev[0]);
	vm_bench.lab[0].bar = NULL;
	return 0;
}

static const struct step cycle_null[] = { { "null_ioctl", null_ioctl }, { } };
static const struct step cycle_inv_1[] = { { "invalidate_1", invalidate_1 }, { } };
static const struct step cycle_inv_16[] = { { "invalidate_16", invalidate_16 }, { } };
static const struct step cycle_inv_512[] = { { "invalidate_512", invalidate_512 }, { } };
static const struct step cycle_page[] = {
	{ "map_page", bench_map_page }, { "unmap_page", bench_unmap_page }, { }
};

static const struct step cycle_64m[] = {
	{ "map_64m", bench_map_64m }, { "unmap_64m", bench_unmap_64m }, { }
};

static const struct step cycle_dirty[] = {
	{ "dirty_start", bench_dirty_start }, { "dirty_stop", bench_dirty_stop }, { }
};

/* ---- page requests ------------------------------------------------------- */

static struct bench_pri pri = { .va = BENCH_PRI_VA };

static int page_request(__u32 n)
{
	(void)n;
	return bench_page_request(abi, &pri);
}

static const struct step cycle_pri[] = { { "page_request", page_request }, { } };

static void page_requests(__u32 n)
{
	pri.lab = &vm_bench.lab[0];
	pri.pasid = n;
	pri.fd = abi->pri_open(n);
	must(pri.fd < 0 ? pri.fd : 0, "page requests");
	cycle(cycle_pri, n);
	must(abi->pri_close(n, pri.fd), "no page requests");
}

/* ---- costs --------------------------------------------------------------- */

static void attach_again(__u32 n)
{
	__u32 i;

	bench_vm_reopen(DEVICE);
	for (i = 1; i <= n; i++)
		must(abi->attach(i), "attach again");
}

/* Each time the device is opened again and all is as before. */
static void closes(__u32 n)
{
	static const struct step step = { "close", close_device };
	struct sample s[MAX_SAMPLES];
	struct lab_dev lab;
	double start = now();
	unsigned int nr = 0;

	must(lab_dev_open_sysfs(&lab, DEVICE), "sysfs");
	eye = &lab;
	do {
		must(lab_look_restart(&lab), "look at the endpoint");
		take(&step, n, &s[nr++]);
		attach_again(n);
	} while (nr < samples && now() - start < 2 * BUDGET);
	print_samples(step.op, n, s, nr);
	eye = &vm_bench.lab[0];
	lab_dev_close(&lab);
}

static void costs_at(__u32 n, bool last)
{
	const struct step churn[] = {
		{ "allocate", abi->allocate }, { "attach", abi->attach },
		{ "replace", abi->replace }, { "detach", abi->detach },
		{ "free", abi->release }, { }
	};

	cycle(cycle_null, n);
	cycle(churn, n);
	bench_grow(abi, n - 1, n);
	cycle(cycle_inv_1, n);
	cycle(cycle_inv_16, n);
	cycle(cycle_inv_512, n);
	cycle(cycle_page, n);
	cycle(cycle_64m, n);
	cycle(cycle_dirty, n);
	closes(n);
	page_requests(n);
	if (last)
		return;
	/* A close after page requests has more to do: none that is measured. */
	close_device(n);
	attach_again(n);
}

static void open_vm(__u32 max)
{
	bench_vm_open(abi, DEVICE, max);
	eye = &vm_bench.lab[0];
}

/* "close:N" wants the close alone. */
static const char close_only[] = "close:";

static __u32 number_of(const char *arg)
{
	size_t skip = strlen(close_only);

	return strtoul(arg + (strncmp(arg, close_only, skip) ? 0 : skip), NULL, 0);
}

static int costs(int nr, char **number)
{
	__u32 bound = 0, n;
	int i;

	open_vm(number_of(number[nr - 1]));
	for (i = 0; i < nr; i++) {
		n = number_of(number[i]);
		must(n > bound && n <= BENCH_MAX_PASIDS ? 0 : -EINVAL, number[i]);
		bench_grow(abi, bound, n - 1);
		bound = n;
		if (*number[i] != *close_only) {
			costs_at(n, i == nr - 1);
			continue;
		}
		bench_grow(abi, n - 1, n);
		closes(n);
	}
	check(!bench_close(&vm_bench), "nothing is left");
	return check_result("gpasid_bench");
}

/* ---- memory -------------------------------------------------------------- */

static long long mem_line(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "r");
	size_t len = strlen(name);
	long long kb = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':')
			kb = atoll(line + len + 1);
	if (f)
		fclose(f);
	return kb * 1024;
}

/* Objects of the kernel, and pages of the IOMMU's own tables. */
struct memory {
	long long slab, pages;
};

static struct memory memory_now(void)
{
	return (struct memory){
		.slab = mem_line("Slab") + mem_line("Percpu") +
			mem_line("VmallocUsed"),
		.pages = mem_line("SecPageTables"),
	};
}

static struct memory each_of(int (*what)(__u32 n), __u32 first, __u32 last)
{
	struct memory m = memory_now(), end;
	__u32 n;

	for (n = first; n <= last; n++)
		must(what(n), "fill");
	end = memory_now();
	return (struct memory){
		.slab = (end.slab - m.slab) / (last - first + 1),
		.pages = (end.pages - m.pages) / (last - first + 1),
	};
}

static void print_memory(const char *of, __u32 n, const struct memory *m)
{
	printf("memory: %s %u slab=%lld pages=%lld\n", of, n, m->slab, m->pages);
}

static int weigh(const char *number)
{
	__u32 n = strtoul(number, NULL, 0);
	struct memory object, attachment;

	must(n > FEW ? 0 : -EINVAL, number);
	open_vm(n);
	bench_grow(abi, 0, FEW);
	object = each_of(abi->allocate, FEW + 1, n);
	attachment = each_of(abi->attach, FEW + 1, n);
	print_memory("object", n, &object);
	print_memory("attachment", n, &attachment);
	check(!bench_close(&vm_bench), "nothing is left");
	return check_result("gpasid_bench");
}

/* ---- the kernel's own SVA ------------------------------------------------ */

static int native_fd;

static int native_attach(__u32 n)
{
	(void)n;
	native_fd = native_sva_file();
	return native_fd < 0 ? native_fd : 0;
}

static int native_detach(__u32 n)
{
	(void)n;
	return close(native_fd) ? -errno : 0;
}

static const struct step cycle_native[] = {
	{ "attach", native_attach }, { "detach", native_detach }, { }
};

/* A process with a bond of its own, until this one ends. */
static void native_holder(void)
{
	int ready[2];
	char c;

	must(pipe(ready) ? -errno : 0, "pipe");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (native_sva_file() < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	must(read(ready[0], &c, 1) == 1 ? 0 : -EPIPE, "process");
	close(ready[0]);
}

/* The kernel handles the page fault: this process's memory is touched by DMA. */
static void native_pages(void)
{
	struct native_sva n;
	void *buf = mmap(NULL, NATIVE_PAGES * GVM_SZ_4K,
			 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	must(buf == MAP_FAILED ? -errno : 0, "memory");
	native_sva_open(&n);
	eye = &n.lab;
	pri = (struct bench_pri){
		.lab = &n.lab, .pasid = n.pasid, .va = (__u64)buf, .fd = -1,
	};
	cycle(cycle_pri, 1);
	native_sva_close(&n);
}

static int native(int nr, char **number)
{
	__u32 bound = 0, n;
	struct lab_dev lab;
	int i;

	native_pages();
	must(native_sva_take(), "vtdsim_sva");
	must(lab_dev_open_sysfs(&lab, NATIVE), "sysfs");
	eye = &lab;
	for (i = 0; i < nr; i++) {
		n = strtoul(number[i], NULL, 0);
		for (; bound + 1 < n; bound++)
			native_holder();
		cycle(cycle_native, n);
	}
	return check_result("gpasid_bench");
}

static int not_so(void)
{
	fprintf(stderr, "usage: gpasid_bench upstream|own|native SAMPLES N...\n"
			"       gpasid_bench memory upstream|own N\n");
	return 2;
}

static const struct abi *abi_of(const char *name)
{
	return !strcmp(name, abi_own.name) ? &abi_own : &abi_upstream;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return not_so();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(argv[1], "memory")) {
		abi = abi_of(argv[2]);
		return weigh(argv[3]);
	}
	samples = atoi(argv[2]);
	if (samples < LEAST_SAMPLES || samples > MAX_SAMPLES)
		return not_so();
	if (!strcmp(argv[1], "native"))
		return native(argc - 3, argv + 3);
	abi = abi_of(argv[1]);
	return costs(argc - 3, argv + 3);
}
