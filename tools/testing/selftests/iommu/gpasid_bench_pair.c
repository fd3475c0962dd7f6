// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a second VM sees while the first one works: the latency of its bind and
 * of its invalidation, on an unmodified kernel and on this project's alike.
 *
 *	gpasid_bench_pair N MILLISECONDS
 *
 * Each VM is a process with one device; both devices are below one unit, as the
 * devices of a socket are.  The first has N PASIDs bound and does one kind of
 * operation again and again; the second measures for that long at least, and
 * until one such operation has begun and ended, if that is not too long.  In three rounds, for
 * scripts/bench: "cost:" lines as of gpasid_bench, one with the medians of the
 * rounds, one with the worst of each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdnoreturn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_abi.h"

#define ROUNDS		3
#define MAX_TIMES	4000
#define REQUESTS	32	/* pages, while a queue for their requests is open */
#define PATIENCE	20.0	/* seconds; a part of the first VM's operation will do */

static const struct abi *abi = &abi_upstream;

/* ---- the first VM -------------------------------------------------------- */

static __u32 bound;

static int load_attach(__u32 n)
{
	int rc = abi->detach(n);

	if (!rc)
		rc = abi->attach(n);
	return rc ? rc : abi->replace(n);
}

static int load_invalidate_1(__u32 n)
{
	return abi->invalidate(n, 1);
}

static int load_invalidate_16(__u32 n)
{
	return abi->invalidate(n, 16);
}

static int load_invalidate_512(__u32 n)
{
	return abi->invalidate(n, BENCH_RANGES);
}

static int load_page(__u32 n)
{
	int rc = bench_map_page(n);

	return rc ? rc : bench_unmap_page(n);
}

static int load_64m(__u32 n)
{
	int rc = bench_map_64m(n);

	return rc ? rc : bench_unmap_64m(n);
}

static int load_dirty(__u32 n)
{
	int rc = bench_dirty_start(n);

	return rc ? rc : bench_dirty_stop(n);
}

/* The page requests of PASID @n begin and end. */
static int load_pages(__u32 n)
{
	static struct bench_pri pri = { .va = BENCH_PRI_VA };
	int i, rc = 0;

	pri.lab = &vm_bench.lab[0];
	pri.pasid = n;
	pri.fd = abi->pri_open(n);
	if (pri.fd < 0)
		return pri.fd;
	for (i = 0; i < REQUESTS && !rc; i++)
		rc = bench_page_request(abi, &pri);
	return rc ? rc : abi->pri_close(n, pri.fd);
}

static int load_close(__u32 n)
{
	__u32 i;
	int rc = 0;

	gvm_dev_close(&vm_bench.dev[0]);
	bench_vm_reopen(EP_1A);
	for (i = 1; i <= n && !rc; i++)
		rc = abi->attach(i);
	return rc;
}

static const struct step load[] = {
	{ "rest", NULL },
	{ "attach", load_attach },
	{ "invalidate_1", load_invalidate_1 },
	{ "invalidate_16", load_invalidate_16 },
	{ "invalidate_512", load_invalidate_512 },
	{ "unmap_page", load_page },
	{ "unmap_64m", load_64m },
	{ "dirty", load_dirty },
	{ "page_request", load_pages },
	{ "close", load_close },
};

#define NR_LOADS	(sizeof(load) / sizeof(*load))

/* Of both processes: what the first VM is to do, and how often it has. */
static struct shared {
	unsigned int want;
	unsigned int rounds;
	bool ready;
} *shared;

static unsigned int look(const unsigned int *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static noreturn void first_vm(void)
{
	const struct step *l;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bench_vm_open(abi, EP_1A, bound);
	bench_grow(abi, 0, bound);
	__atomic_store_n(&shared->ready, true, __ATOMIC_RELEASE);
	for (;;) {
		l = &load[look(&shared->want)];
		if (l->run)
			must(l->run(bound), l->op);
		else
			usleep(1000);
		__atomic_add_fetch(&shared->rounds, 1, __ATOMIC_RELEASE);
	}
}

static pid_t start_first_vm(void)
{
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared == MAP_FAILED ? -errno : 0, "memory");
	pid = fork();
	if (!pid)
		first_vm();
	while (!__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE)) {
		must(waitpid(pid, NULL, WNOHANG) ? -EPIPE : 0, "the first VM");
		usleep(10000);
	}
	return pid;
}

/* ---- the second one ------------------------------------------------------ */

enum { BIND, INVALIDATE, NR_MEASURES };

static const char * const measure_name[NR_MEASURES] = { "bind", "invalidate" };

/**
 * struct latency - Of one measure under one load
 * @nr: of the current round
 * @t: nanoseconds
 * @median: of each round
 * @worst: of each round
 */
static struct latency {
	unsigned int nr;
	double t[MAX_TIMES];
	__u64 median[ROUNDS], worst[ROUNDS];
} latency[NR_MEASURES];

/* Of the second VM's own operation, counted while the first one rests. */
static struct vtdsim_counters own[NR_MEASURES];

static int bind_one(void)
{
	int rc = abi->allocate(2);

	return rc ? rc : abi->attach(2);
}

static int unbind_one(void)
{
	int rc = abi->detach(2);

	return rc ? rc : abi->release(2);
}

static void note(struct latency *l, double t)
{
	if (l->nr < MAX_TIMES)
		l->t[l->nr++] = t * 1e9;
}

static void measure_once(void)
{
	double t = now();

	must(bind_one(), "bind");
	note(&latency[BIND], now() - t);
	must(unbind_one(), "unbind");
	t = now();
	must(abi->invalidate(1, 1), "invalidate");
	note(&latency[INVALIDATE], now() - t);
}

static void count_own(void)
{
	struct lab_dev *lab = &vm_bench.lab[0];

	must(lab_counters(lab, &own[BIND]), "counters");
	must(bind_one(), "bind");
	must(since(lab, &own[BIND], &own[BIND]), "counters");
	must(unbind_one(), "unbind");
	must(lab_counters(lab, &own[INVALIDATE]), "counters");
	must(abi->invalidate(1, 1), "invalidate");
	must(since(lab, &own[INVALIDATE], &own[INVALIDATE]), "counters");
}

static int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

static void end_round(struct latency *l, int round)
{
	qsort(l->t, l->nr, sizeof(*l->t), by_value);
	l->median[round] = l->t[l->nr / 2];
	l->worst[round] = l->t[l->nr - 1];
}

/* At least @ms, and one whole operation of the first VM. */
static void one_round(unsigned int i, unsigned int ms, int round)
{
	unsigned int before = look(&shared->rounds);
	double start, took;
	int m;

	__atomic_store_n(&shared->want, i, __ATOMIC_RELEASE);
	while (look(&shared->rounds) == before)
		usleep(1000);
	before = look(&shared->rounds);
	for (m = 0; m < NR_MEASURES; m++)
		latency[m].nr = 0;
	start = now();
	do {
		measure_once();
		took = now() - start;
	} while (took < ms / 1000.0 ||
		 (took < PATIENCE && look(&shared->rounds) == before));
	for (m = 0; m < NR_MEASURES; m++)
		end_round(&latency[m], round);
}

static void print_rounds(const char *what, unsigned int i, int m,
			 const __u64 ns[ROUNDS])
{
	printf("cost: second_vm_%s%s_during_%s %u", measure_name[m], what,
	       load[i].op, bound);
	printf(" descriptors=%llu waits=%llu ns=%llu,%llu,%llu unit=0,0,0\n",
	       own[m].u_desc_total, own[m].u_waits, ns[0], ns[1], ns[2]);
}

static void measure_load(unsigned int i, unsigned int ms)
{
	int round, m;

	for (round = 0; round < ROUNDS; round++)
		one_round(i, ms, round);
	for (m = 0; m < NR_MEASURES; m++) {
		print_rounds("", i, m, latency[m].median);
		print_rounds("_worst", i, m, latency[m].worst);
	}
}

int main(int argc, char **argv)
{
	unsigned int i, ms;
	pid_t pid;

	if (argc != 3) {
		fprintf(stderr, "usage: gpasid_bench_pair N MILLISECONDS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	bound = strtoul(argv[1], NULL, 0);
	ms = strtoul(argv[2], NULL, 0);
	pid = start_first_vm();
	bench_vm_open(abi, EP_1B, 2);
	bench_grow(abi, 0, 1);
	count_own();
	for (i = 0; i < NR_LOADS; i++)
		measure_load(i, ms);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check(!bench_close(&vm_bench), "nothing is left");
	return check_result("gpasid_bench_pair");
}
