// SPDX-License-Identifier: GPL-2.0-only
/*
 * What IOASID sets cost, as a table, for 10 up to all 2^20 - 1 IOASIDs in one set.
 *
 * Times are those of the best of several rounds, in nanoseconds per operation, loop
 * and indirect call included. In an emulator they mean nothing by themselves; what
 * counts is how they compare within one run.
 *
 * A look-up is measured twice: with a few SPIDs that lie far apart, which is what the
 * look-up itself costs, and with all SPIDs in random order, which adds what the
 * caches of the processor make of that many. In QEMU with -icount shift=0 a
 * nanosecond is an instruction and nothing is left to chance.
 *
 * Next to it stand two other ways to find a number by a SPID, filled with the same
 * pairs: a list that is searched from its beginning under a spinlock, and a hash
 * table, both of a fixed size and of one that grows (rhashtable).
 *
 * Memory is what the slab allocator takes from the page allocator from before the
 * set is made until all its IOASIDs have a SPID. It comprises the set, the tables
 * in both directions, the bitmap of the numbers, and what is lost in the slabs. The
 * counters of pages are exact once the per-processor parts have been folded in,
 * which takes two seconds.
 */
#include <kunit/test.h>
#include <linux/hash.h>
#include <linux/ioasid.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#define SPREAD		8
#define BATCH		64
/* Many short rounds: the best one is that which nothing came in between */
#define ROUNDS		5000
#define ROUND_NS	(20 * NSEC_PER_USEC)
#define LIST_ROUNDS	50
#define HASH_BITS	10

/* The limits of the design */
#define MEMORY_LIMIT	192
/* A ratio of times that noise does not explain, in percent */
#define TOLERANCE	150

/**
 * struct pair - a SPID and its number, for the alternatives
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
 * struct bench - the state of one row of the table
 * @set: the set that is measured
 * @n: how many IOASIDs it has
 * @ids: number by SPID
 * @pairs: the same for the alternatives
 * @spread: the SPIDs or numbers that are looked up
 * @random: the state of a generator
 * @lock: protects @list
 * @list: all @pairs
 * @hash: all @pairs
 * @rhash: all @pairs
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
};

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

static u32 lookup_h_to_g(struct bench *bench, u32 id)
{
	return ioasid_spid(bench->set, id);
}

static u32 lookup_list(struct bench *bench, u32 spid)
{
	u32 id = INVALID_IOASID;
	struct pair *pair;

	spin_lock(&bench->lock);
	list_for_each_entry(pair, &bench->list, node) {
		if (pair->spid == spid) {
			id = pair->id;
			break;
		}
	}
	spin_unlock(&bench->lock);
	return id;
}

static u32 lookup_hash(struct bench *bench, u32 spid)
{
	u32 id = INVALID_IOASID;
	struct pair *pair;

	rcu_read_lock();
	hlist_for_each_entry_rcu(pair, &bench->hash[hash_32(spid, HASH_BITS)], hnode) {
		if (pair->spid == spid) {
			id = pair->id;
			break;
		}
	}
	rcu_read_unlock();
	return id;
}

static u32 lookup_rhash(struct bench *bench, u32 spid)
{
	u32 id = INVALID_IOASID;
	struct pair *pair;

	rcu_read_lock();
	pair = rhashtable_lookup(&bench->rhash, &spid, bench_rhash_params);
	if (pair)
		id = pair->id;
	rcu_read_unlock();
	return id;
}

static u32 bench_random_key(struct bench *bench, lookup_fn fn)
{
	u32 spid;

	bench->random = bench->random * 1664525 + 1013904223;
	spid = ((u64)bench->random * bench->n) >> 32;
	return fn == lookup_h_to_g ? bench->ids[spid] : spid;
}

/* One round: picoseconds per look-up, 0 if one failed */
static u64 bench_round(struct bench *bench, lookup_fn fn, bool random)
{
	/* A list can be so slow that one is a round */
	u32 i, key, at_once = fn == lookup_list ? 1 : BATCH;
	u64 start, now, count = 0;
	bool bad = false;

	preempt_disable();
	start = ktime_get_ns();
	do {
		for (i = 0; i < at_once; i++) {
			key = random ? bench_random_key(bench, fn) : bench->spread[i % SPREAD];
			bad |= fn(bench, key) == INVALID_IOASID;
		}
		count += at_once;
		now = ktime_get_ns();
	} while (now - start < ROUND_NS);
	preempt_enable();
	return bad ? 0 : div64_u64((now - start) * 1000, count);
}

static u64 bench_lookup(struct kunit *test, struct bench *bench, lookup_fn fn,
			bool random)
{
	u64 best = U64_MAX, ps;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ps = bench_round(bench, fn, random);
		KUNIT_EXPECT_NE(test, ps, 0);
		best = min(best, ps);
		cond_resched();
	}
	return best;
}

/* How long a list takes depends on where the SPID is: the mean, not the best */
static u64 bench_list(struct kunit *test, struct bench *bench)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < LIST_ROUNDS; i++) {
		sum += bench_round(bench, lookup_list, true);
		cond_resched();
	}
	return div_u64(sum, LIST_ROUNDS);
}

/* SPIDs, or the numbers that belong to them, from one end to the other */
static void bench_spread(struct bench *bench, bool numbers)
{
	u32 i, spid;

	for (i = 0; i < SPREAD; i++) {
		spid = bench->n > SPREAD ? i * (bench->n / SPREAD) : i % bench->n;
		bench->spread[i] = numbers ? bench->ids[spid] : spid;
	}
}

static u64 bench_slab_pages(void)
{
	/* Until the counters of all processors have been folded in */
	schedule_timeout_uninterruptible(5 * HZ / 2);
	return global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
	       global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B);
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

static void bench_fill(struct kunit *test, struct bench *bench,
		       struct bench_row *row)
{
	u64 start, pages = bench_slab_pages();
	u32 i, failed = 0;

	bench->set = ioasid_set_alloc(NULL, IOASID_MAX, IOASID_SET_TYPE_NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->set);
	start = ktime_get_ns();
	for (i = 0; i < bench->n; i++)
		failed += !!ioasid_alloc(bench->set, IOASID_MIN, IOASID_MAX, NULL,
					 &bench->ids[i]);
	row->alloc = div_u64(ktime_get_ns() - start, bench->n);
	start = ktime_get_ns();
	for (i = 0; i < bench->n; i++)
		failed += !!ioasid_attach_spid(bench->set, bench->ids[i], i);
	row->attach = div_u64(ktime_get_ns() - start, bench->n);
	KUNIT_EXPECT_EQ(test, 0, failed);
	if (bench->n == IOASID_MAX)
		KUNIT_EXPECT_EQ(test, -ENOSPC,
				ioasid_alloc(bench->set, IOASID_MIN, IOASID_MAX,
					     NULL, &i));
	row->memory = div_u64((bench_slab_pages() - pages) << PAGE_SHIFT, bench->n);
}

static void bench_empty(struct kunit *test, struct bench *bench,
			struct bench_row *row)
{
	u64 start = ktime_get_ns();
	u32 i, failed = 0;

	for (i = 0; i < bench->n; i++)
		failed += !!ioasid_free(bench->set, bench->ids[i]);
	ioasid_drain(bench->set);
	row->free = div_u64(ktime_get_ns() - start, bench->n);
	KUNIT_EXPECT_EQ(test, 0, failed);
	ioasid_set_put(bench->set);
	vfree(bench->ids);
}

static void bench_alternatives(struct kunit *test, struct bench *bench,
			       struct bench_row *row)
{
	struct pair *pair;
	u32 i;

	bench->pairs = vzalloc(array_size(bench->n, sizeof(*pair)));
	KUNIT_ASSERT_NOT_NULL(test, bench->pairs);
	KUNIT_ASSERT_EQ(test, 0, rhashtable_init(&bench->rhash, &bench_rhash_params));
	for (i = 0; i < bench->n; i++) {
		pair = &bench->pairs[i];
		pair->spid = i;
		pair->id = bench->ids[i];
		list_add_tail(&pair->node, &bench->list);
		hlist_add_head_rcu(&pair->hnode,
				   &bench->hash[hash_32(i, HASH_BITS)]);
		while (rhashtable_insert_fast(&bench->rhash, &pair->rnode,
					      bench_rhash_params) == -EBUSY)
			schedule_timeout_uninterruptible(1);
	}
	/* Lets the rhashtable come to rest */
	schedule_timeout_uninterruptible(HZ / 2);
	row->list = bench_list(test, bench);
	row->hash = bench_lookup(test, bench, lookup_hash, false);
	row->rhash = bench_lookup(test, bench, lookup_rhash, false);
	rhashtable_destroy(&bench->rhash);
	vfree(bench->pairs);
}

static void bench_row(struct kunit *test)
{
	struct bench_row *row = (struct bench_row *)test->param_value;
	struct bench *bench = bench_new(test, row->n);

	bench_fill(test, bench, row);
	bench_spread(bench, false);
	row->g_to_h = bench_lookup(test, bench, lookup_g_to_h, false);
	row->g_to_h_random = bench_lookup(test, bench, lookup_g_to_h, true);
	bench_alternatives(test, bench, row);
	bench_spread(bench, true);
	row->h_to_g = bench_lookup(test, bench, lookup_h_to_g, false);
	row->h_to_g_random = bench_lookup(test, bench, lookup_h_to_g, true);
	bench_empty(test, bench, row);
}

static void bench_row_desc(struct bench_row *row, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "n=%u", row->n);
}

KUNIT_ARRAY_PARAM(bench_row, bench_rows, bench_row_desc);

struct ns_text {
	char text[16];
};

/* Picoseconds as nanoseconds with one decimal place */
static struct ns_text ns(u64 ps)
{
	struct ns_text ns;
	u32 tenth = div_u64(ps, 100) % 10;

	snprintf(ns.text, sizeof(ns.text), "%llu.%u", div_u64(ps, 1000), tenth);
	return ns;
}

static void bench_print(void)
{
	const struct bench_row *row;

	pr_info("ioasid_bench: ns per operation      n   alloc  attach    free | bytes per IOASID\n");
	for (row = bench_rows; row < bench_rows + ARRAY_SIZE(bench_rows); row++)
		pr_info("ioasid_bench:                 %7u %7llu %7llu %7llu | %llu\n",
			row->n, row->alloc, row->attach, row->free, row->memory);
	pr_info("ioasid_bench: ns per look-up        n  G to H  random  H to G  random | list, spinlock  hash, 2^%u  rhashtable\n",
		HASH_BITS);
	for (row = bench_rows; row < bench_rows + ARRAY_SIZE(bench_rows); row++)
		pr_info("ioasid_bench:                 %7u %7s %7s %7s %7s | %14s %10s %11s\n",
			row->n, ns(row->g_to_h).text, ns(row->g_to_h_random).text,
			ns(row->h_to_g).text, ns(row->h_to_g_random).text,
			ns(row->list).text, ns(row->hash).text,
			ns(row->rhash).text);
}

static void lookup_does_not_grow_with_n(struct kunit *test)
{
	const struct bench_row *few = bench_rows;
	const struct bench_row *all = bench_rows + ARRAY_SIZE(bench_rows) - 1;

	bench_print();
	KUNIT_EXPECT_LE(test, all->g_to_h * 100, few->g_to_h * TOLERANCE);
	KUNIT_EXPECT_LE(test, all->h_to_g * 100, few->h_to_g * TOLERANCE);
}

static void memory_is_within_the_limit(struct kunit *test)
{
	const struct bench_row *all = bench_rows + ARRAY_SIZE(bench_rows) - 1;

	KUNIT_EXPECT_GT(test, all->memory, 0);
	KUNIT_EXPECT_LE(test, all->memory, MEMORY_LIMIT);
}

/* What the second processor does while the first one looks up */
static int neighbour_idles(void *unused)
{
	while (!kthread_should_stop())
		cpu_relax();
	return 0;
}

/* Processors can share what computes, without sharing memory */
static int neighbour_computes(void *unused)
{
	u32 state = 1;

	while (!kthread_should_stop()) {
		int i;

		for (i = 0; i < 1000; i++)
			state = state * 1664525 + 1013904223;
		OPTIMIZER_HIDE_VAR(state);
		cond_resched();
	}
	return 0;
}

static int neighbour_writes(void *data)
{
	struct ioasid_set *set = data;
	ioasid_t id;

	while (!kthread_should_stop()) {
		if (!ioasid_alloc(set, IOASID_MIN, IOASID_MAX, NULL, &id)) {
			ioasid_attach_spid(set, id, id & 1023);
			ioasid_free(set, id);
		}
		cond_resched();
	}
	return 0;
}

static u64 bench_beside(struct kunit *test, struct bench *bench, lookup_fn fn,
			int (*neighbour)(void *), void *data)
{
	struct task_struct *task;
	u64 ps;

	task = kthread_create(neighbour, data, "ioasid_bench");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	kthread_bind(task, cpumask_nth(1, cpu_online_mask));
	wake_up_process(task);
	schedule_timeout_uninterruptible(HZ / 10);
	ps = bench_lookup(test, bench, fn, false);
	kthread_stop(task);
	return ps;
}

static void bench_two_processors(struct kunit *test, struct bench *bench,
				 struct ioasid_set *other)
{
	u64 idle, alone, beside;

	idle = bench_beside(test, bench, lookup_g_to_h, neighbour_idles, NULL);
	alone = bench_beside(test, bench, lookup_g_to_h, neighbour_computes, NULL);
	beside = bench_beside(test, bench, lookup_g_to_h, neighbour_writes, other);
	pr_info("ioasid_bench: G to H %s ns while the second processor does nothing, %s ns while it computes, %s ns while it writes to another set\n",
		ns(idle).text, ns(alone).text, ns(beside).text);
	KUNIT_EXPECT_LE(test, beside * 100, alone * TOLERANCE);
}

static void writer_of_another_set_does_not_slow_a_lookup(struct kunit *test)
{
	struct bench_row row = { .n = 1000 };
	struct ioasid_set *other;
	struct bench *bench;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one processor");
	other = ioasid_set_alloc(NULL, IOASID_MAX, IOASID_SET_TYPE_NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	bench = bench_new(test, row.n);
	bench_fill(test, bench, &row);
	bench_spread(bench, false);
	set_cpus_allowed_ptr(current, cpumask_of(cpumask_first(cpu_online_mask)));
	bench_two_processors(test, bench, other);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	bench_empty(test, bench, &row);
	ioasid_set_put(other);
}

static struct kunit_case ioasid_bench_cases[] = {
	KUNIT_CASE_PARAM_ATTR(bench_row, bench_row_gen_params,
			      { .speed = KUNIT_SPEED_VERY_SLOW }),
	KUNIT_CASE_SLOW(lookup_does_not_grow_with_n),
	KUNIT_CASE_SLOW(memory_is_within_the_limit),
	KUNIT_CASE_SLOW(writer_of_another_set_does_not_slow_a_lookup),
	{}
};

static struct kunit_suite ioasid_bench_suite = {
	.name = "ioasid_bench",
	.test_cases = ioasid_bench_cases,
};

kunit_test_suite(ioasid_bench_suite);

MODULE_DESCRIPTION("Benchmarks for IOASID sets");
MODULE_LICENSE("GPL");
