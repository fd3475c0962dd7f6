// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpasid_soak [DMAS [SEED]]: any number of DMAs while bindings change below them.
 *
 * On every queue of every endpoint DMA runs without a stop.  Meanwhile, by
 * chance: a PASID is unbound and bound, its table is replaced, the guest moves a
 * page and invalidates it, a page of the second stage is unmapped and mapped.
 * Every read is compared with what may be found at that moment; what is written
 * is numbered, so that a write which lands after a call has ended is seen.  The
 * hardware's oracle watches the caches.
 *
 * Meant for scripts/lab soak, which runs it on hardware that is --adverse.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "gpasid_utils.h"

#define NR_WORKERS	(NR_EPS * LAB_NR_DMA_Q)
#define NR_PAGES	4		/* where one page is mapped, in a row */
#define NR_TARGETS	3		/* pages that a worker's tables may map */
#define GPASID		0x100
#define PACE		512		/* accesses after a change, at most */
#define RARE		10000		/* accesses for each change */
#define LATE_US		200		/* time for a write that comes too late */
#define REPORT_US	5000000LL
#define ONLY(reason)	(1ULL << ((reason) - 64))	/* in reasons[1] */

enum change {
	UNBIND,
	REPLACE,
	INVALIDATE,
	UNMAP,
	NR_CHANGES,
};

static const char * const change_name[NR_CHANGES] = {
	"unbinds", "replaces", "invalidations", "unmaps",
};

/**
 * struct worker - A queue of an endpoint, its PASID and what it reaches
 * @pt: two tables; @cur is bound
 * @target: pages in the VM's RAM, @at those that the tables map
 * @hot: instead, a page that is mapped by the second stage now and then
 */
struct worker {
	int ep;
	unsigned int q;
	unsigned int flags;
	__u32 gpasid, h;
	struct gvm_pt pt[2];
	int cur;
	__u64 gpa[NR_TARGETS];
	__u64 *target[NR_TARGETS];
	int at[2];
	bool is_hot;
	__u64 *hot;
	__u64 reasons;		/* of faults that have to be */
};

static struct bench bench;
static struct worker workers[NR_WORKERS];
static unsigned long long changes[NR_CHANGES];
static __u64 ended;		/* accesses of loops that were stopped */
static unsigned long long state;

static unsigned int any(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static struct lab_dev *lab_of(const struct worker *w)
{
	return &bench.lab[w->ep];
}

static struct gvm_dev *dev_of(const struct worker *w)
{
	return &bench.dev[w->ep];
}

static struct vtdsim_loop *loop_of(const struct worker *w)
{
	return lab_loop(lab_of(w), w->q);
}

static void __attribute__((noreturn, format(printf, 2, 3)))
fail(const struct worker *w, const char *fmt, ...)
{
	va_list args;

	printf("soak: FAILED: %s queue %u%s: ", endpoint[w->ep], w->q,
	       w->flags ? " by ATS" : "");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	exit(1);
}

#define TRY(w, call) do {						\
	int _rc = (call);						\
									\
	if (_rc)							\
		fail(w, "%s: %d", #call, _rc);				\
} while (0)

static __u64 load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static __u64 tag_of(const struct worker *w, int target)
{
	return TAG((w - workers) * NR_TARGETS + target + 1);
}

/* The page that DMA reaches now, and the number of the last write there. */
static __u64 *page_of(const struct worker *w)
{
	return w->is_hot ? w->hot : w->target[w->at[w->cur]];
}

static __u64 last_write(const __u64 *page)
{
	return load(&page[1]);
}

static void expect(const struct worker *w, __u64 tag, __u64 or_tag)
{
	struct vtdsim_loop *l = loop_of(w);

	__atomic_store_n(&l->expect[0], tag, __ATOMIC_RELEASE);
	__atomic_store_n(&l->expect[1], or_tag, __ATOMIC_RELEASE);
}

static void start(struct worker *w)
{
	__u64 tag = *page_of(w);
	const struct vtdsim_loop how = {
		.dir = VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE,
		.nr_pages = NR_PAGES,
		.expect = { tag, tag },
	};

	w->reasons = 0;
	TRY(w, lab_loop_start(lab_of(w), w->q, w->h, w->flags, PROC_VA, &how));
}

/* Nothing was read that should not be, and nothing failed that should not. */
static void check_loop(const struct worker *w, const struct vtdsim_loop *l)
{
	if (l->wrong)
		fail(w, "%llu wrong reads, the last 0x%llx, expected 0x%llx",
		     l->wrong, l->wrong_value, l->expect[0]);
	if (l->failed || l->reasons[0] || l->reasons[2] || l->reasons[3] ||
	    l->reasons[1] & ~w->reasons)
		fail(w, "faults 0x%llx 0x%llx, 0x%llx allowed", l->reasons[0],
		     l->reasons[1], w->reasons);
	if (l->denied && !(w->reasons & ONLY(LAB_R_SS_PERM)))
		fail(w, "%llu accesses denied", l->denied);
	if (l->faults && !w->reasons)
		fail(w, "%llu faults", l->faults);
}

static void stop(struct worker *w)
{
	struct vtdsim_loop l;

	TRY(w, lab_loop_stop(lab_of(w), w->q, &l));
	check_loop(w, &l);
	ended += l.reads + l.writes;
}

/* No write arrives at @page any more. */
static void still(const struct worker *w, const __u64 *page, __u64 was,
		  const char *after)
{
	long long end = now_us() + LATE_US;

	while (now_us() < end)
		sched_yield();
	if (last_write(page) != was)
		fail(w, "a write landed after %s", after);
}

static void do_unbind(struct worker *w)
{
	__u64 *page = page_of(w);
	__u64 was;

	w->reasons |= ONLY(LAB_R_PASID_NOT_PRESENT);
	TRY(w, gvm_unbind(dev_of(w), w->h));
	was = last_write(page);
	if (!nothing_left(lab_of(w), w->h))
		fail(w, "something is left of the PASID after an unbind");
	still(w, page, was, "an unbind");
	stop(w);
	TRY(w, gvm_bind(dev_of(w), &w->pt[w->cur], w->gpasid, &w->h));
	start(w);
}

static void do_replace(struct worker *w)
{
	__u64 *old = page_of(w);
	__u64 was, tag;

	w->cur ^= 1;
	tag = *page_of(w);
	expect(w, *old, tag);
	TRY(w, gvm_replace(dev_of(w), &w->pt[w->cur], w->h));
	was = last_write(old);
	expect(w, tag, tag);
	if (page_of(w) != old)
		still(w, old, was, "a replace");
}

static void do_invalidate(struct worker *w)
{
	__u64 *old = page_of(w);
	__u64 was, tag;
	int i;

	w->at[w->cur] = (w->at[w->cur] + 1 + any(NR_TARGETS - 1)) % NR_TARGETS;
	tag = *page_of(w);
	expect(w, *old, tag);
	for (i = 0; i < NR_PAGES; i++)
		TRY(w, gvm_pt_move(&w->pt[w->cur], PROC_VA + i * GVM_SZ_4K,
				   w->gpa[w->at[w->cur]]));
	TRY(w, gvm_invalidate_range(&bench.vm, w->gpasid, PROC_VA, NR_PAGES,
				    true));
	was = last_write(old);
	expect(w, tag, tag);
	still(w, old, was, "an invalidation");
}

static __u64 hot_gpa(const struct worker *w)
{
	return HOTPLUG_GPA + (w - workers) * GVM_SZ_4K;
}

static void do_unmap(struct worker *w)
{
	__u64 was;

	w->reasons |= ONLY(LAB_R_SS_PERM);
	TRY(w, gvm_unmap(&bench.vm, hot_gpa(w), GVM_SZ_4K));
	was = last_write(w->hot);
	still(w, w->hot, was, "an unmap");
	stop(w);
	TRY(w, gvm_map(&bench.vm, hot_gpa(w), w->hot, GVM_SZ_4K, GVM_MAP_RW));
	start(w);
}

static void change_one(void)
{
	struct worker *w = &workers[any(NR_WORKERS)];
	unsigned int what = any(w->is_hot ? 2 : 3);

	/* In the order of enum change; a hot page is unbound or unmapped. */
	if (w->is_hot && what)
		what = UNMAP;
	changes[what]++;
	switch (what) {
	case UNBIND:
		do_unbind(w);
		break;
	case REPLACE:
		do_replace(w);
		break;
	case INVALIDATE:
		do_invalidate(w);
		break;
	default:
		do_unmap(w);
	}
}

static __u64 done(void)
{
	__u64 nr = ended;
	int i;

	for (i = 0; i < NR_WORKERS; i++)
		nr += load(&loop_of(&workers[i])->reads) +
		      load(&loop_of(&workers[i])->writes);
	return nr;
}

static void add_targets(struct worker *w)
{
	int i;

	for (i = 0; i < NR_TARGETS; i++) {
		w->gpa[i] = gvm_ram_alloc_page(&bench.vm.ram);
		w->target[i] = gvm_ram_ptr(&bench.vm.ram, w->gpa[i], GVM_SZ_4K);
		w->target[i][0] = tag_of(w, i);
		w->target[i][1] = 0;
	}
	w->at[1] = 1;
}

static void add_hot(struct worker *w)
{
	w->hot = mmap(NULL, GVM_SZ_4K, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->hot == MAP_FAILED)
		fail(w, "no memory");
	*w->hot = tag_of(w, 0);
	TRY(w, gvm_map(&bench.vm, hot_gpa(w), w->hot, GVM_SZ_4K, GVM_MAP_RW));
}

static void add_table(struct worker *w, int i)
{
	__u64 gpa = w->is_hot ? hot_gpa(w) : w->gpa[w->at[i]];
	int p;

	TRY(w, gvm_pt_init(&w->pt[i], &bench.vm.ram, 4));
	for (p = 0; p < NR_PAGES; p++)
		TRY(w, gvm_pt_map(&w->pt[i], PROC_VA + p * GVM_SZ_4K, gpa,
				  GVM_SZ_4K, GVM_SZ_4K, GVM_PT_RW));
}

static void add_worker(int nr)
{
	struct worker *w = &workers[nr];

	w->ep = nr / LAB_NR_DMA_Q;
	w->q = nr % LAB_NR_DMA_Q;
	w->flags = nr & 1 ? VTDSIM_F_ATS : 0;
	w->gpasid = GPASID + nr;
	w->is_hot = w->q == LAB_NR_DMA_Q - 1;
	if (w->is_hot)
		add_hot(w);
	else
		add_targets(w);
	add_table(w, 0);
	add_table(w, 1);
	TRY(w, gvm_bind(dev_of(w), &w->pt[0], w->gpasid, &w->h));
	start(w);
}

/* Wrong reads and stale hits, without waiting for the end. */
static void check_all(void)
{
	struct vtdsim_counters c;
	int i;

	for (i = 0; i < NR_WORKERS; i++)
		check_loop(&workers[i], loop_of(&workers[i]));
	for (i = 0; i < NR_EPS; i++) {
		TRY(&workers[i * LAB_NR_DMA_Q],
		    lab_counters(&bench.lab[i], &c));
		if (c.u_stale_hits != bench.start[i].u_stale_hits)
			fail(&workers[i * LAB_NR_DMA_Q], "%llu stale hits",
			     c.u_stale_hits - bench.start[i].u_stale_hits);
	}
}

static void report(__u64 nr, __u64 want, long long us)
{
	double rate = us ? nr * 1e6 / us : 0;
	int i;

	printf("soak: %llu of %llu DMAs, %.0f/s, %.0f s left;", nr, want, rate,
	       rate && nr < want ? (want - nr) / rate : 0);
	for (i = 0; i < NR_CHANGES; i++)
		printf(" %llu %s", changes[i], change_name[i]);
	printf("\n");
	fflush(stdout);
}

/* Where the VM is slow beside its hardware, there is more DMA, not less churn. */
static bool too_few_changes(__u64 nr)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < NR_CHANGES; i++)
		sum += changes[i];
	return sum < nr / RARE;
}

static void churn(__u64 want)
{
	long long begin = now_us(), next = begin + REPORT_US;
	__u64 nr, target;

	do {
		change_one();
		target = done() + any(PACE);
		while ((nr = done()) < target)
			sched_yield();
		if (now_us() < next)
			continue;
		check_all();
		report(nr, want, now_us() - begin);
		next = now_us() + REPORT_US;
	} while (nr < want || too_few_changes(want));
	report(nr, want, now_us() - begin);
}

static unsigned long long parse_number(const char *text)
{
	char *end;
	unsigned long long val;

	errno = 0;
	val = strtoull(text, &end, 0);
	if (errno || *end || end == text || *text == '-') {
		fprintf(stderr, "gpasid_soak: not a number: %s\n", text);
		exit(2);
	}
	return val;
}

int main(int argc, char **argv)
{
	unsigned long long want = argc > 1 ? parse_number(argv[1]) : 1000000;
	unsigned long long seed = now_us();
	int i;

	if (argc > 2)
		seed = parse_number(argv[2]);
	else
		printf("soak: seed %llu\n", seed);
	state = seed * 2 + 1;
	if (bench_open(&bench, 0))
		return 4;
	for (i = 0; i < NR_EPS; i++)
		TRY(&workers[i * LAB_NR_DMA_Q],
		    bench_add(&bench, endpoint[i]));
	for (i = 0; i < NR_WORKERS; i++)
		add_worker(i);
	churn(want);
	for (i = 0; i < NR_WORKERS; i++)
		stop(&workers[i]);
	check_all();
	i = bench_close(&bench);
	printf("soak: %s\n", i ? "FAILED" : "nothing wrong, nothing stale, nothing left");
	return i ? 1 : 0;
}
