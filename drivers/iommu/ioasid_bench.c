// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmark of IOASID sets: a table of times and memory for sets of 10 up to
 * all 2^20 - 1 IOASIDs.
 *
 * Times are medians of many rounds, including the loop and an indirect call, as
 * multiples of one of them: a lookup by SPID in a set of 10.
 *
 * Allocating, attaching and freeing are measured in a set of n IOASIDs, some of
 * which are freed and allocated again.  The time of a free includes the worker,
 * until the number is back in the pool.
 *
 * A lookup is measured twice: with a few SPIDs that are far apart, which is the
 * cost of the lookup itself, and with all SPIDs in random order, which adds the
 * cache misses of a set of this size.
 *
 * The alternatives to a lookup by SPID are filled with the same pairs: a list
 * that is searched from its beginning under a spinlock, hash tables of a fixed
 * size and of a growing size (rhashtable), and an XArray.
 *
 * Memory is the memory that the slab allocator takes from the page allocator
 * from before the set is allocated until all its IOASIDs have a SPID and are
 * bound.  It comprises the set, the trees in both directions, the bitmap of the
 * numbers, and the unused space in the slabs.
 *
 * With two processors, the steps of the second one are counted: a round in
 * which it made no step says nothing about its influence.  A spinlock that both
 * processors take shows that the benchmark can detect an influence.
 */
#include <kunit/test.h>
#include <linux/hash.h>
#include <linux/ioasid.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>
#include <linux/xarray.h>

#include "ioasid_priv.h"

#define SPREAD		8
#define BATCH		64
/*
 * There are many short rounds, as most of these are not interrupted.  They are
 * grouped in bursts, of which the fastest counts, as other load on the machine
 * can slow down a whole burst.
 */
#define BURSTS		5
#define ROUNDS		500
#define ROUND_NS	(20 * NSEC_PER_USEC)
#define LIST_ROUNDS	50
#define CHURN_ROUNDS	11
#define TELL_ROUNDS	(ROUNDS / 2)
/* Minimum number of rounds in which the second processor made a step */
#define FEW_ROUNDS	50
#define MANY_TRIES	(10 * ROUNDS)
/*
 * Time limit of a burst: a contended lock can cost a host's time slice each
 * time
 */
#define BURST_JIFFIES	HZ
#define HASH_BITS	10

/* The limits of the design */
#define MEMORY_LIMIT	140
/* An event to three subscribers, as a multiple of a blocking_notifier_head's */
#define EVENT_LIMIT	25
/* A ratio of times that exceeds noise, in percent */
#define TOLERANCE	150
/* Limit of a lookup among all numbers in percent of a lookup among ten */
#define FLAT		150
/*
 * Number of attempts, as two processors may delay each other, or not, by chance
 */
#define PAIR_TRIES	5

/**
 * struct pair - A SPID and its number, for the alternatives
 * @spid: the SPID
 * @id: the number
 * @node: in the list
 * @hnode: in the hash table
 * @rnode: in the rhashtable
 */
struct pair {
	u32 spid;
	u32 id;
	struct list_head node;
	struct hlist_node hnode;
	struct rhash_head rnode;
};

/**
 * struct bench - The state of one row of the table
 * @set: the set that is measured
 * @n: how many IOASIDs it has
 * @ids: numbers, indexed by SPID
 * @pairs: the same numbers, for the alternatives
 * @spread: the SPIDs or numbers that are looked up
 * @random: the state of the random number generator
 * @lock: protects @list
 * @list: all @pairs
 * @hash: all @pairs
 * @rhash: all @pairs
 * @xa: all @pairs
 */
struct bench {
	struct ioasid_set *set;
	u32 n;
	u32 *ids;
	struct pair *pairs;
	u32 spread[SPREAD];
	u32 random;
	spinlock_t lock;	/* of the list */
	struct list_head list;
	struct hlist_head hash[1 << HASH_BITS];
	struct rhashtable rhash;
	struct xarray xa;
};

/* Times in picoseconds */
struct bench_row {
	u32 n;
	u64 alloc;
	u64 attach;
	u64 free;
	u64 g_to_h;
	u64 g_to_h_random;
	u64 h_to_g;
	u64 h_to_g_random;
	u64 list;
	u64 hash;
	u64 rhash;
	u64 xarray;
	u64 memory;
};

static struct bench_row bench_rows[] = {
	{ .n = 10 },
	{ .n = 1000 },
	{ .n = 100000 },
	{ .n = IOASID_MAX },
};

static const struct rhashtable_params bench_rhash_params = {
	.key_len = sizeof(u32),
	.key_offset = offsetof(struct pair, spid),
	.head_offset = offsetof(struct pair, rnode),
};

typedef u32 (*lookup_fn)(struct bench *bench, u32 key);

static u32 lookup_g_to_h(struct bench *bench, u32 spid)
{
	return ioasid_find_by_spid(bench->set, spid);
}

static u32 lookup_locked(struct bench *bench, u32 spid)
{
	guard(spinlock)(&bench->lock);
	return ioasid_find_by_spid(bench->set, spid);
}

static u32 lookup_h_to_g(struct bench *bench, u32 id)
{
	return ioasid_spid(bench->set, id);
}

static u32 lookup_list(struct bench *bench, u32 spid)
{
	struct pair *pair;

	guard(spinlock)(&bench->lock);
	list_for_each_entry(pair, &bench->list, node)
		if (pair->spid == spid)
			return pair->id;
	return IOMMU_PASID_INVALID;
}

static u32 lookup_hash(struct bench *bench, u32 spid)
{
	struct pair *pair;

	guard(rcu)();
	hlist_for_each_entry_rcu(pair, &bench->hash[hash_32(spid, HASH_BITS)], hnode)
		if (pair->spid == spid)
			return pair->id;
	return IOMMU_PASID_INVALID;
}

static u32 lookup_rhash(struct bench *bench, u32 spid)
{
	struct pair *pair;

	guard(rcu)();
	pair = rhashtable_lookup(&bench->rhash, &spid, bench_rhash_params);
	return pair ? pair->id : IOMMU_PASID_INVALID;
}

static u32 lookup_xarray(struct bench *bench, u32 spid)
{
	void *entry = xa_load(&bench->xa, spid);

	return entry ? xa_to_value(entry) : IOMMU_PASID_INVALID;
}

static u32 bench_random_key(struct bench *bench, lookup_fn fn)
{
	u32 spid;

	bench->random = bench->random * 1664525 + 1013904223;
	spid = ((u64)bench->random * bench->n) >> 32;
	return fn == lookup_h_to_g ? bench->ids[spid] : spid;
}

/* Run one round.  Return picoseconds per lookup, 0 if one failed. */
static u64 bench_round(struct bench *bench, lookup_fn fn, bool random)
{
	/* An alternative can be so slow that one lookup fills a round. */
	u32 slow_above = fn == lookup_list ? 100 :
			 fn == lookup_hash ? 100000 : IOASID_MAX;
	u32 i, key, at_once = bench->n > slow_above ? 1 : BATCH;
	u64 start, now, count = 0;
	bool bad = false;

	guard(preempt)();
	start = ktime_get_ns();
	do {
		for (i = 0; i < at_once; i++) {
			key = random ? bench_random_key(bench, fn) : bench->spread[i % SPREAD];
			bad |= fn(bench, key) == IOMMU_PASID_INVALID;
		}
		count += at_once;
		now = ktime_get_ns();
	} while (now - start < ROUND_NS);
	return bad ? 0 : div64_u64((now - start) * 1000, count);
}

static u64 bench_samples[ROUNDS];

static int bench_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 bench_median(u64 *samples, u32 count)
{
	sort(samples, count, sizeof(*samples), bench_compare, NULL);
	return samples[count / 2];
}

/*
 * Select SPIDs, or the numbers that belong to them, spread over the whole set.
 * Each burst uses different ones, as lookups are slower if pages collide in a
 * TLB, and QEMU's TLB is direct-mapped.
 */
static void bench_spread(struct bench *bench, bool numbers, u32 burst)
{
	u32 i, spid;

	for (i = 0; i < SPREAD; i++) {
		spid = (i * max(bench->n / SPREAD, 1U) + burst * 1021) % bench->n;
		bench->spread[i] = numbers ? bench->ids[spid] : spid;
	}
}

static u64 bench_lookup(struct kunit *test, struct bench *bench, lookup_fn fn,
			bool random)
{
	u64 best = U64_MAX;
	int i, burst;

	for (burst = 0; burst < BURSTS; burst++) {
		bench_spread(bench, fn == lookup_h_to_g, burst);
		for (i = 0; i < ROUNDS; i++) {
			bench_samples[i] = bench_round(bench, fn, random);
			KUNIT_EXPECT_NE(test, bench_samples[i], 0);
			cond_resched();
		}
		best = min(best, bench_median(bench_samples, ROUNDS));
		schedule_timeout_uninterruptible(HZ / 50);
	}
	return best;
}

/*
 * Return the mean, not the median: the time depends on the position in the
 * list.
 */
static u64 bench_list(struct kunit *test, struct bench *bench)
{
	u64 sum = 0, ps;
	int i;

	for (i = 0; i < LIST_ROUNDS; i++) {
		ps = bench_round(bench, lookup_list, true);
		KUNIT_EXPECT_NE(test, ps, 0);
		sum += ps;
		cond_resched();
	}
	return div_u64(sum, LIST_ROUNDS);
}

static u64 bench_pages(enum node_stat_item item)
{
	u64 pages = global_node_page_state_pages(item);
	int cpu, node;

	/* Add the per-CPU counts that are not in the global counter yet. */
	for_each_online_node(node)
		for_each_online_cpu(cpu)
			pages += per_cpu_ptr(NODE_DATA(node)->per_cpu_nodestats,
					     cpu)->vm_node_stat_diff[item];
	return pages;
}

static u64 bench_slab_pages(void)
{
	/* Flush pending frees, so that the set does not reuse this memory. */
	kvfree_rcu_barrier();
	return bench_pages(NR_SLAB_RECLAIMABLE_B) +
	       bench_pages(NR_SLAB_UNRECLAIMABLE_B);
}

static struct bench *bench_new(struct kunit *test, u32 n)
{
	struct bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	bench->n = n;
	spin_lock_init(&bench->lock);
	INIT_LIST_HEAD(&bench->list);
	bench->ids = vzalloc(array_size(n, sizeof(*bench->ids)));
	KUNIT_ASSERT_NOT_NULL(test, bench->ids);
	return bench;
}

static int bench_alloc_one(struct bench *bench, u32 i)
{
	int ret = ioasid_alloc(bench->set, IOMMU_FIRST_GLOBAL_PASID, IOASID_MAX,
			       NULL, &bench->ids[i]);

	if (!ret)
		ioasid_put(bench->set, bench->ids[i]);
	return ret;
}

static int bench_attach_one(struct bench *bench, u32 i)
{
	return ioasid_attach_spid(bench->set, bench->ids[i], i);
}

static void bench_fill(struct kunit *test, struct bench *bench,
		       struct bench_row *row)
{
	u64 pages = bench_slab_pages();
	u32 i, failed = 0;

	bench->set = ioasid_set_alloc(bench, IOASID_MAX, IOASID_SET_TYPE_FILE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->set);
	for (i = 0; i < bench->n; i++) {
		failed += !!bench_alloc_one(bench, i);
		failed += !!bench_attach_one(bench, i);
		failed += !!ioasid_notify(bench->set, bench->ids[i], IOASID_BIND, bench);
	}
	KUNIT_EXPECT_EQ(test, 0, failed);
	if (bench->n == IOASID_MAX)
		KUNIT_EXPECT_EQ(test, -ENOSPC,
				ioasid_alloc(bench->set, IOMMU_FIRST_GLOBAL_PASID,
					     IOASID_MAX, NULL, &i));
	row->memory = div_u64((bench_slab_pages() - pages) << PAGE_SHIFT, bench->n);
}

static int bench_free_one(struct bench *bench, u32 i)
{
	return ioasid_free(bench->set, bench->ids[i]);
}

/* Call @fn for a batch.  Return picoseconds per call. */
static u64 bench_batch(struct kunit *test, struct bench *bench,
		       int (*fn)(struct bench *bench, u32 i))
{
	u32 i, failed = 0, batch = min(bench->n, BATCH);
	u64 start = ktime_get_ns();

	for (i = 0; i < batch; i++)
		failed += !!fn(bench, i);
	if (fn == bench_free_one)
		ioasid_drain(bench->set);
	KUNIT_EXPECT_EQ(test, 0, failed);
	return div_u64((ktime_get_ns() - start) * 1000, batch);
}

/* Measure freeing some IOASIDs and allocating them again. */
static void bench_churn(struct kunit *test, struct bench *bench,
			struct bench_row *row)
{
	u64 *alloc = bench_samples, *attach = alloc + CHURN_ROUNDS;
	u64 *free = attach + CHURN_ROUNDS;
	int i, burst;

	for (burst = 0; burst < BURSTS; burst++) {
		for (i = 0; i < CHURN_ROUNDS; i++) {
			free[i] = bench_batch(test, bench, bench_free_one);
			alloc[i] = bench_batch(test, bench, bench_alloc_one);
			attach[i] = bench_batch(test, bench, bench_attach_one);
		}
		row->alloc = min_not_zero(row->alloc, bench_median(alloc, CHURN_ROUNDS));
		row->attach = min_not_zero(row->attach, bench_median(attach, CHURN_ROUNDS));
		row->free = min_not_zero(row->free, bench_median(free, CHURN_ROUNDS));
		schedule_timeout_uninterruptible(HZ / 50);
	}
}

static void bench_empty(struct bench *bench)
{
	ioasid_free_all(bench->set);
	ioasid_drain(bench->set);
	ioasid_set_put(bench->set);
	vfree(bench->ids);
}

static int bench_add_pair(struct bench *bench, struct pair *pair)
{
	list_add_tail(&pair->node, &bench->list);
	hlist_add_head_rcu(&pair->hnode, &bench->hash[hash_32(pair->spid, HASH_BITS)]);
	while (rhashtable_insert_fast(&bench->rhash, &pair->rnode,
				      bench_rhash_params) == -EBUSY)
		schedule_timeout_uninterruptible(1);
	return xa_err(xa_store(&bench->xa, pair->spid, xa_mk_value(pair->id), GFP_KERNEL));
}

static void bench_fill_alternatives(struct kunit *test, struct bench *bench)
{
	u32 i, failed = 0;

	bench->pairs = vzalloc(array_size(bench->n, sizeof(*bench->pairs)));
	KUNIT_ASSERT_NOT_NULL(test, bench->pairs);
	KUNIT_ASSERT_EQ(test, 0, rhashtable_init(&bench->rhash, &bench_rhash_params));
	xa_init(&bench->xa);
	for (i = 0; i < bench->n; i++) {
		bench->pairs[i].spid = i;
		bench->pairs[i].id = bench->ids[i];
		failed += !!bench_add_pair(bench, &bench->pairs[i]);
	}
	KUNIT_EXPECT_EQ(test, 0, failed);
	/* Wait until the rhashtable has finished resizing. */
	schedule_timeout_uninterruptible(HZ / 2);
}

static void bench_empty_alternatives(struct bench *bench)
{
	rhashtable_destroy(&bench->rhash);
	xa_destroy(&bench->xa);
	vfree(bench->pairs);
}

static void bench_alternatives(struct kunit *test, struct bench *bench,
			       struct bench_row *row)
{
	bench_fill_alternatives(test, bench);
	row->list = bench_list(test, bench);
	row->hash = bench_lookup(test, bench, lookup_hash, false);
	row->rhash = bench_lookup(test, bench, lookup_rhash, false);
	row->xarray = bench_lookup(test, bench, lookup_xarray, false);
	bench_empty_alternatives(bench);
}

static void bench_row(struct kunit *test)
{
	struct bench_row *row = (struct bench_row *)test->param_value;
	struct bench *bench = bench_new(test, row->n);

	bench_fill(test, bench, row);
	row->g_to_h = bench_lookup(test, bench, lookup_g_to_h, false);
	row->g_to_h_random = bench_lookup(test, bench, lookup_g_to_h, true);
	bench_alternatives(test, bench, row);
	row->h_to_g = bench_lookup(test, bench, lookup_h_to_g, false);
	row->h_to_g_random = bench_lookup(test, bench, lookup_h_to_g, true);
	bench_churn(test, bench, row);
	bench_empty(bench);
}

static void bench_row_desc(struct bench_row *row, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "n=%u", row->n);
}

KUNIT_ARRAY_PARAM(bench_row, bench_rows, bench_row_desc);

struct ratio {
	char text[24];
};

/* Format a time as a multiple of another. */
static struct ratio multiple(u64 ps, u64 of)
{
	u64 hundredths = div64_u64(ps * 100, max(of, 1ULL));
	struct ratio ratio;
	u32 fraction;

	hundredths = div_u64_rem(hundredths, 100, &fraction);
	snprintf(ratio.text, sizeof(ratio.text), "%llu.%02u", hundredths, fraction);
	return ratio;
}

/* Format a time as a multiple of a lookup by SPID in a set of 10. */
static struct ratio ratio(u64 ps)
{
	return multiple(ps, bench_rows[0].g_to_h);
}

static void bench_print(struct kunit *test)
{
	const struct bench_row *row;

	kunit_info(test, "%7s %8s %8s %8s | %s", "n", "alloc", "attach", "free",
		   "bytes per IOASID");
	for (row = bench_rows; row < bench_rows + ARRAY_SIZE(bench_rows); row++)
		kunit_info(test, "%7u %8s %8s %8s | %llu", row->n,
			   ratio(row->alloc).text, ratio(row->attach).text,
			   ratio(row->free).text, row->memory);
	kunit_info(test, "%7s %8s %8s %8s %8s | %14s %10s %10s %10s", "n", "G to H", "random",
		   "H to G", "random", "list, spinlock", "hash", "rhashtable", "XArray");
	for (row = bench_rows; row < bench_rows + ARRAY_SIZE(bench_rows); row++)
		kunit_info(test, "%7u %8s %8s %8s %8s | %14s %10s %10s %10s", row->n,
			   ratio(row->g_to_h).text, ratio(row->g_to_h_random).text,
			   ratio(row->h_to_g).text, ratio(row->h_to_g_random).text,
			   ratio(row->list).text, ratio(row->hash).text,
			   ratio(row->rhash).text, ratio(row->xarray).text);
	kunit_info(test, "1.00 is %llu ps", bench_rows[0].g_to_h);
}

/* Print a line that scripts parse. */
static void bench_print_lookup(struct kunit *test, const char *means, u32 n, u64 ps)
{
	kunit_info(test, "lookup: %s n=%u processors=1 ps=%llu", means, n, ps);
}

static void bench_print_lookups(struct kunit *test)
{
	const struct bench_row *row;

	for (row = bench_rows; row < bench_rows + ARRAY_SIZE(bench_rows); row++) {
		bench_print_lookup(test, "set", row->n, row->g_to_h);
		bench_print_lookup(test, "xarray", row->n, row->xarray);
		bench_print_lookup(test, "hash", row->n, row->hash);
		bench_print_lookup(test, "rhashtable", row->n, row->rhash);
		bench_print_lookup(test, "list", row->n, row->list);
	}
}

static void lookup_does_not_grow_with_n(struct kunit *test)
{
	const struct bench_row *few = bench_rows, *row;

	bench_print(test);
	bench_print_lookups(test);
	for (row = bench_rows; row < bench_rows + ARRAY_SIZE(bench_rows); row++) {
		KUNIT_EXPECT_GT(test, row->g_to_h, 0);
		KUNIT_EXPECT_GT(test, row->h_to_g, 0);
		KUNIT_EXPECT_LE(test, row->g_to_h * 100, few->g_to_h * FLAT);
		KUNIT_EXPECT_LE(test, row->h_to_g * 100, few->h_to_g * FLAT);
	}
}

static void memory_is_within_the_limit(struct kunit *test)
{
	const struct bench_row *all = bench_rows + ARRAY_SIZE(bench_rows) - 1;

	kunit_info(test, "bytes of an IOASID: %zu, with a mutex as its teller: %zu",
		   sizeof(struct ioasid), sizeof(struct ioasid) -
		   sizeof_field(struct ioasid, teller) + sizeof(struct mutex));
	KUNIT_EXPECT_GT(test, all->memory, 0);
	KUNIT_EXPECT_LE(test, all->memory, MEMORY_LIMIT);
}

/**
 * struct neighbour - Load on the second processor during lookups on the first
 * @step: a short operation, repeated by the second processor
 * @set: the set that @step writes to
 * @lock: the lock that @step takes
 * @bench: the benchmark in which @step looks up
 * @fn: the lookup function of @step
 * @steps: how often @step was called
 */
struct neighbour {
	void (*step)(struct neighbour *neighbour);
	struct ioasid_set *set;
	spinlock_t *lock;	/* of the benchmark */
	struct bench *bench;
	lookup_fn fn;
	unsigned long steps;
};

/* Load without memory accesses: processors can share execution units */
static void neighbour_computes(struct neighbour *neighbour)
{
	u32 i, state = 1;

	for (i = 0; i < 100; i++)
		state = state * 1664525 + 1013904223;
	OPTIMIZER_HIDE_VAR(state);
}

static void neighbour_writes(struct neighbour *neighbour)
{
	struct ioasid_set *set = neighbour->set;
	ioasid_t id;

	if (ioasid_alloc(set, IOMMU_FIRST_GLOBAL_PASID, IOASID_MAX, NULL, &id))
		return;
	ioasid_attach_spid(set, id, id & 1023);
	ioasid_free(set, id);
	ioasid_put(set, id);
}

static void neighbour_locks(struct neighbour *neighbour)
{
	guard(spinlock)(neighbour->lock);
	neighbour_computes(neighbour);
}

static void neighbour_looks_up(struct neighbour *neighbour)
{
	u32 i;

	for (i = 0; i < SPREAD; i++)
		neighbour->fn(neighbour->bench, neighbour->bench->spread[i]);
}

static int neighbour_thread(void *data)
{
	struct neighbour *neighbour = data;

	while (!kthread_should_stop()) {
		neighbour->step(neighbour);
		WRITE_ONCE(neighbour->steps, neighbour->steps + 1);
		cond_resched();
	}
	return 0;
}

/* Return the median of the rounds with a neighbour's step, 0 if too few. */
static u64 bench_burst_beside(struct kunit *test, struct bench *bench, lookup_fn fn,
			      struct neighbour *neighbour)
{
	unsigned long steps, end = jiffies + BURST_JIFFIES;
	u32 tries, count = 0;
	u64 ps;

	for (tries = 0; tries < MANY_TRIES && count < ROUNDS; tries++) {
		if (time_after(jiffies, end))
			break;
		steps = READ_ONCE(neighbour->steps);
		ps = bench_round(bench, fn, false);
		KUNIT_EXPECT_NE(test, ps, 0);
		if (steps != READ_ONCE(neighbour->steps))
			bench_samples[count++] = ps;
		cond_resched();
	}
	return count < FEW_ROUNDS ? 0 : bench_median(bench_samples, count);
}

/* Return the fastest of the valid bursts, 0 if there was none. */
static u64 bench_beside(struct kunit *test, struct bench *bench, lookup_fn fn,
			struct neighbour neighbour)
{
	struct task_struct *task;
	u64 best = 0, ps;
	int burst;

	task = kthread_create(neighbour_thread, &neighbour, "ioasid_bench");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	kthread_bind(task, cpumask_nth(1, cpu_online_mask));
	wake_up_process(task);
	for (burst = 0; burst < BURSTS; burst++) {
		ps = bench_burst_beside(test, bench, fn, &neighbour);
		best = min_not_zero(best, ps);
		schedule_timeout_uninterruptible(HZ / 50);
	}
	kthread_stop(task);
	return best;
}

/**
 * struct pair_times - Times of lookups while a second processor is busy
 * @alone: the second processor only computes
 * @beside: the second processor writes to another set
 * @locked_alone: lookups under a spinlock, the second processor only computes
 * @locked_beside: lookups under a spinlock, which the second processor takes,
 *	too
 */
struct pair_times {
	u64 alone, beside, locked_alone, locked_beside;
};

static void bench_two_processors(struct kunit *test, struct bench *bench,
				 struct ioasid_set *other, struct pair_times *t)
{
	struct neighbour computes = { .step = neighbour_computes };
	struct neighbour writes = { .step = neighbour_writes, .set = other };
	struct neighbour locks = { .step = neighbour_locks, .lock = &bench->lock };

	t->alone = bench_beside(test, bench, lookup_g_to_h, computes);
	t->beside = bench_beside(test, bench, lookup_g_to_h, writes);
	t->locked_alone = bench_beside(test, bench, lookup_locked, computes);
	t->locked_beside = bench_beside(test, bench, lookup_locked, locks);
	kunit_info(test, "G to H while the second processor computes: %s, while it writes to another set: %s",
		   ratio(t->alone).text, ratio(t->beside).text);
	kunit_info(test, "under a spinlock, while the second processor computes: %s, while it takes the spinlock too: %s",
		   ratio(t->locked_alone).text, ratio(t->locked_beside).text);
}

static void bench_judge_pair(struct kunit *test, struct bench *bench,
			     struct ioasid_set *other)
{
	struct pair_times t;
	int i;

	for (i = 0; i < PAIR_TRIES; i++) {
		bench_two_processors(test, bench, other, &t);
		if (!t.alone || !t.beside || !t.locked_alone || !t.locked_beside) {
			kunit_mark_skipped(test, "the processors do not run at the same time");
			return;
		}
		if (t.beside * 100 <= t.alone * TOLERANCE &&
		    t.locked_beside * 100 > t.locked_alone * TOLERANCE)
			return;
	}
	KUNIT_EXPECT_LE(test, t.beside * 100, t.alone * TOLERANCE);
	KUNIT_EXPECT_GT(test, t.locked_beside * 100, t.locked_alone * TOLERANCE);
}

static void writer_of_another_set_does_not_slow_a_lookup(struct kunit *test)
{
	struct bench_row row = { .n = 1000 };
	struct ioasid_set *other;
	struct bench *bench;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one processor");
	other = ioasid_set_alloc(test, IOASID_MAX, IOASID_SET_TYPE_FILE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	bench = bench_new(test, row.n);
	bench_fill(test, bench, &row);
	set_cpus_allowed_ptr(current, cpumask_of(cpumask_first(cpu_online_mask)));
	bench_judge_pair(test, bench, other);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	bench_empty(bench);
	ioasid_set_put(other);
}

/* Lookup functions that both processors call at the same time */
static const struct {
	const char *name;
	lookup_fn fn;
} bench_means[] = {
	{ "set", lookup_g_to_h },
	{ "xarray", lookup_xarray },
	{ "hash", lookup_hash },
	{ "rhashtable", lookup_rhash },
	{ "list", lookup_list },
};

/*
 * Print lines that scripts parse.  With "1+1", the second processor only
 * computes, as two processors of a virtual machine can share execution units.
 */
static void bench_two_look_up(struct kunit *test, struct bench *bench, u64 *one, u64 *two)
{
	struct neighbour computes = { .step = neighbour_computes };
	struct neighbour looks = { .step = neighbour_looks_up, .bench = bench };
	int i;

	for (i = 0; i < ARRAY_SIZE(bench_means); i++) {
		looks.fn = bench_means[i].fn;
		one[i] = bench_beside(test, bench, looks.fn, computes);
		two[i] = bench_beside(test, bench, looks.fn, looks);
		kunit_info(test, "lookup: %s n=%u processors=1+1 ps=%llu",
			   bench_means[i].name, bench->n, one[i]);
		kunit_info(test, "lookup: %s n=%u processors=2 ps=%llu",
			   bench_means[i].name, bench->n, two[i]);
	}
}

static void two_processors_look_up_side_by_side(struct kunit *test)
{
	u64 one[ARRAY_SIZE(bench_means)], two[ARRAY_SIZE(bench_means)];
	struct bench_row row = { .n = 1000 };
	struct bench *bench;
	int i;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one processor");
	bench = bench_new(test, row.n);
	bench_fill(test, bench, &row);
	bench_fill_alternatives(test, bench);
	bench_spread(bench, false, 0);
	set_cpus_allowed_ptr(current, cpumask_of(cpumask_first(cpu_online_mask)));
	for (i = 0; i < PAIR_TRIES; i++) {
		bench_two_look_up(test, bench, one, two);
		if (!one[0] || !two[0] || two[0] * 100 <= one[0] * TOLERANCE)
			break;
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	bench_empty_alternatives(bench);
	bench_empty(bench);
	if (!one[0] || !two[0])
		kunit_skip(test, "the processors do not run at the same time");
	KUNIT_EXPECT_LE(test, two[0] * 100, one[0] * TOLERANCE);
}

/*
 * Subscribers, on a set and on the kernel's chain that may sleep, too
 */

struct listener {
	struct ioasid_notifier nb;
	struct notifier_block block;
};

static BLOCKING_NOTIFIER_HEAD(bench_chain);

static int listen_set(struct ioasid_notifier *nb, enum ioasid_event ev,
		      const struct ioasid_event_info *info)
{
	return 0;
}

static int listen_chain(struct notifier_block *block, unsigned long ev, void *info)
{
	return NOTIFY_OK;
}

static int tell_set(struct bench *bench, u32 i)
{
	return ioasid_notify(bench->set, bench->ids[0], IOASID_BIND, &bench_chain) ?:
	       ioasid_notify(bench->set, bench->ids[0], IOASID_UNBIND, &bench_chain);
}

static int tell_chain(struct bench *bench, u32 i)
{
	return notifier_to_errno(blocking_notifier_call_chain(&bench_chain,
							      IOASID_BIND, bench)) ?:
	       notifier_to_errno(blocking_notifier_call_chain(&bench_chain,
							      IOASID_UNBIND, bench));
}

/*
 * Measure one event with @count listeners on the set and on the kernel's chain.
 */
static void bench_tell(struct kunit *test, struct bench *bench, u32 count,
		       u64 *set, u64 *chain)
{
	struct listener *listeners = kunit_kcalloc(test, count + 1, sizeof(*listeners),
						   GFP_KERNEL);
	u64 *sets = bench_samples, *chains = sets + TELL_ROUNDS;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, listeners);
	for (i = 0; i < count; i++) {
		listeners[i].nb.notify = listen_set;
		listeners[i].nb.prio = i % 3;
		listeners[i].block.notifier_call = listen_chain;
		KUNIT_EXPECT_EQ(test, 0, ioasid_register_notifier(bench->set, &listeners[i].nb,
								  false));
		blocking_notifier_chain_register(&bench_chain, &listeners[i].block);
	}
	for (i = 0; i < TELL_ROUNDS; i++) {
		sets[i] = bench_batch(test, bench, tell_set);
		chains[i] = bench_batch(test, bench, tell_chain);
		cond_resched();
	}
	*set = bench_median(sets, TELL_ROUNDS) / 2;
	*chain = bench_median(chains, TELL_ROUNDS) / 2;
	for (i = 0; i < count; i++) {
		ioasid_unregister_notifier(bench->set, &listeners[i].nb);
		blocking_notifier_chain_unregister(&bench_chain, &listeners[i].block);
	}
}

/* Compare the chain of a set with the kernel's blocking_notifier_head. */
static void event_is_within_the_limit(struct kunit *test)
{
	static const u32 counts[] = { 0, 1, 10, 3 };
	struct bench_row row = { .n = BATCH };
	struct bench *bench = bench_new(test, row.n);
	u64 set, chain;
	int i;

	bench_fill(test, bench, &row);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		bench_tell(test, bench, counts[i], &set, &chain);
		kunit_info(test, "an event to %u subscribers: %s of one by a blocking chain",
			   counts[i], multiple(set, chain).text);
	}
	bench_empty(bench);
	KUNIT_EXPECT_GT(test, chain, 0);
	KUNIT_EXPECT_LE(test, set, chain * EVENT_LIMIT);
}

static u32 bench_host_reserve;

static int bench_init(struct kunit_suite *suite)
{
	bench_host_reserve = ioasid_limit(IOASID_HOST_RESERVE);
	return ioasid_set_limit(IOASID_HOST_RESERVE, 0);
}

static void bench_exit(struct kunit_suite *suite)
{
	ioasid_set_limit(IOASID_HOST_RESERVE, bench_host_reserve);
}

static struct kunit_case ioasid_bench_cases[] = {
	KUNIT_CASE_PARAM_ATTR(bench_row, bench_row_gen_params,
			      { .speed = KUNIT_SPEED_VERY_SLOW }),
	KUNIT_CASE_SLOW(lookup_does_not_grow_with_n),
	KUNIT_CASE_SLOW(memory_is_within_the_limit),
	KUNIT_CASE_SLOW(writer_of_another_set_does_not_slow_a_lookup),
	KUNIT_CASE_SLOW(two_processors_look_up_side_by_side),
	KUNIT_CASE_SLOW(event_is_within_the_limit),
	{}
};

static struct kunit_suite ioasid_bench_suite = {
	.name = "ioasid_bench",
	.suite_init = bench_init,
	.suite_exit = bench_exit,
	.test_cases = ioasid_bench_cases,
};

kunit_test_suite(ioasid_bench_suite);

MODULE_DESCRIPTION("Benchmarks for IOASID sets");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
