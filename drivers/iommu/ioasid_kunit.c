// SPDX-License-Identifier: GPL-2.0-only
/*
 * What IOASID sets do, rule by rule: each test is named after the rule that it
 * checks. Races and exhaustion come last; they take a while.
 *
 * Events are compared as text. Each subscriber has a name of one letter and writes
 * it with the event that it was told: "iA" is "subscriber i saw ALLOC", the others
 * are B for BIND, U for UNBIND and F for FREE.
 */
#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/ioasid.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "ioasid_priv.h"

/* Long enough for anything that is going to happen at all */
#define PATIENCE	(20 * HZ)
/* Long enough for what must not happen to show */
#define A_WHILE		msecs_to_jiffies(100)
#define RACE_TIME	(5 * HZ)

struct ioasid_test {
	struct ioasid_set *set;
	struct ioasid_set *other;
	u32 ceiling;
	u32 total;
	unsigned int allocations;
	unsigned int fail_at;
};

static int ioasid_test_init(struct kunit *test)
{
	struct ioasid_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->ceiling = ioasid_ceiling();
	ctx->total = ioasid_total();
	ctx->set = ioasid_set_alloc(NULL, IOASID_MAX, IOASID_SET_TYPE_NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->set);
	ctx->other = ioasid_set_alloc(NULL, IOASID_MAX, IOASID_SET_TYPE_NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->other);
	test->priv = ctx;
	return 0;
}

static void expect_counts(struct kunit *test, struct ioasid_set *set,
			  u32 active, u32 free_pending, u32 spids)
{
	struct ioasid_set_stats stats;

	ioasid_set_stats(set, &stats);
	KUNIT_EXPECT_EQ(test, stats.active, active);
	KUNIT_EXPECT_EQ(test, stats.free_pending, free_pending);
	KUNIT_EXPECT_EQ(test, stats.spids, spids);
}

static ioasid_t must_alloc(struct kunit *test, struct ioasid_set *set)
{
	ioasid_t id = INVALID_IOASID;

	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(set, IOASID_MIN, IOASID_MAX,
					      NULL, &id));
	return id;
}

static void finish_set(struct kunit *test, struct ioasid_set *set)
{
	ioasid_free_all(set);
	ioasid_drain(set);
	expect_counts(test, set, 0, 0, 0);

	/* Nothing else counts against the quota */
	must_alloc(test, set);
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(set, 1));
	ioasid_set_put(set);
}

/* Whatever a test does, its sets end up with nothing, and so does the pool */
static void ioasid_test_exit(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	unsigned long deadline = jiffies + PATIENCE;

	if (!ctx)
		return;
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_ceiling(ctx->ceiling));
	finish_set(test, ctx->set);
	finish_set(test, ctx->other);
	/* The last put of a set does not wait */
	while (ioasid_total() != ctx->total && time_before(jiffies, deadline))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, ioasid_total(), ctx->total);
}

static ioasid_t must_alloc_spid(struct kunit *test, struct ioasid_set *set,
				ioasid_t spid)
{
	ioasid_t id = must_alloc(test, set);

	KUNIT_ASSERT_EQ(test, 0, ioasid_attach_spid(set, id, spid));
	return id;
}

static void must_free(struct kunit *test, struct ioasid_set *set, ioasid_t id)
{
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(set, id));
	ioasid_drain(set);
}

/*
 * Subscribers that write down what they are told
 */

struct record {
	spinlock_t lock;	/* of the whole structure */
	size_t len;
	char text[256];
};

struct subscriber {
	struct ioasid_notifier nb;
	struct record *record;
	char name;
	int answer;
	ioasid_t first;		/* shows as 0 and others as 1, unless it is 0 */
	struct ioasid_event_info last;
	bool stops;
	enum ioasid_event stops_at;
	struct completion stopped;
	struct completion go_on;
	int (*inside)(const struct ioasid_event_info *info);
	int inside_ret;
};

static int subscriber_notify(struct ioasid_notifier *nb, enum ioasid_event ev,
			     const struct ioasid_event_info *info)
{
	struct subscriber *sub = container_of(nb, struct subscriber, nb);
	int (*inside)(const struct ioasid_event_info *info);
	struct record *rec = sub->record;

	might_sleep();
	sub->last = *info;
	spin_lock(&rec->lock);
	if (rec->len < sizeof(rec->text) - 5)
		rec->len += sprintf(rec->text + rec->len, "%s%c%c%s",
				    rec->len ? " " : "", sub->name, "ABUF"[ev],
				    !sub->first ? "" : sub->first == info->id ? "0" : "1");
	spin_unlock(&rec->lock);
	if (sub->stops && sub->stops_at == ev) {
		complete(&sub->stopped);
		wait_for_completion(&sub->go_on);
	}
	/* Once: it may cause events itself */
	inside = xchg(&sub->inside, NULL);
	if (inside)
		sub->inside_ret = inside(info);
	return sub->answer;
}

static struct record *new_record(struct kunit *test)
{
	struct record *rec = kunit_kzalloc(test, sizeof(*rec), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rec);
	spin_lock_init(&rec->lock);
	return rec;
}

static struct subscriber *new_subscriber(struct kunit *test, struct record *rec,
					 char name, enum ioasid_prio prio)
{
	struct subscriber *sub = kunit_kzalloc(test, sizeof(*sub), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sub);
	sub->nb.notify = subscriber_notify;
	sub->nb.prio = prio;
	sub->record = rec;
	sub->name = name;
	init_completion(&sub->stopped);
	init_completion(&sub->go_on);
	return sub;
}

static struct subscriber *subscribe(struct kunit *test, struct ioasid_set *set,
				    struct record *rec, char name,
				    enum ioasid_prio prio)
{
	struct subscriber *sub = new_subscriber(test, rec, name, prio);

	KUNIT_ASSERT_EQ(test, 0, ioasid_register_notifier(set, &sub->nb, false));
	return sub;
}

/* What was written since the last time */
static void expect_events(struct kunit *test, struct record *rec,
			  const char *expected)
{
	KUNIT_EXPECT_STREQ(test, rec->text, expected);
	rec->len = 0;
	rec->text[0] = '\0';
}

static void expect_stopped(struct kunit *test, struct subscriber *sub)
{
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&sub->stopped, PATIENCE));
}

/*
 * Something that is done by another thread
 */

struct deed {
	int (*fn)(struct deed *deed);
	struct ioasid_set *set;
	struct subscriber *sub;
	ioasid_t id;
	void *arg;
	int ret;
	struct completion done;
};

static int deed_thread(void *data)
{
	struct deed *deed = data;

	deed->ret = deed->fn(deed);
	complete(&deed->done);
	return 0;
}

static void start_deed(struct kunit *test, struct deed *deed)
{
	struct task_struct *task;

	init_completion(&deed->done);
	task = kthread_run(deed_thread, deed, "ioasid_deed");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
}

static void expect_not_done(struct kunit *test, struct deed *deed)
{
	KUNIT_EXPECT_EQ(test, 0,
			wait_for_completion_timeout(&deed->done, A_WHILE));
}

static void expect_done(struct kunit *test, struct deed *deed)
{
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&deed->done, PATIENCE));
}

static int deed_alloc(struct deed *deed)
{
	return ioasid_alloc(deed->set, IOASID_MIN, IOASID_MAX, NULL, &deed->id);
}

static int deed_bind(struct deed *deed)
{
	return ioasid_notify(deed->set, deed->id, IOASID_BIND, deed->arg);
}

static int deed_unbind(struct deed *deed)
{
	return ioasid_notify(deed->set, deed->id, IOASID_UNBIND, deed->arg);
}

static int deed_drain(struct deed *deed)
{
	ioasid_drain(deed->set);
	return 0;
}

static int deed_unregister(struct deed *deed)
{
	ioasid_unregister_notifier(deed->set, &deed->sub->nb);
	return 0;
}

static int deed_replay(struct deed *deed)
{
	return ioasid_register_notifier(deed->set, &deed->sub->nb, true);
}

/*
 * Sets
 */

static void set_is_found_by_its_token_only(struct kunit *test)
{
	int token, stranger;
	struct ioasid_set *set = ioasid_set_alloc(&token, 1, IOASID_SET_TYPE_FILE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	KUNIT_EXPECT_NULL(test, ioasid_set_find(&stranger));
	KUNIT_EXPECT_NULL(test, ioasid_set_find(NULL));
	KUNIT_EXPECT_PTR_EQ(test, ioasid_set_find(&token), set);
	ioasid_set_put(set);
	KUNIT_EXPECT_PTR_EQ(test, ioasid_set_find(&token), set);
	ioasid_set_put(set);
	ioasid_set_put(set);
	KUNIT_EXPECT_NULL(test, ioasid_set_find(&token));
}

static void set_can_be_that_of_an_mm(struct kunit *test)
{
	struct mm_struct *mm = kunit_kzalloc(test, sizeof(*mm), GFP_KERNEL);
	unsigned long deadline = jiffies + PATIENCE;
	struct ioasid_set *set;

	KUNIT_ASSERT_NOT_NULL(test, mm);
	atomic_set(&mm->mm_count, 1);
	set = ioasid_set_alloc(mm, 1, IOASID_SET_TYPE_MM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&mm->mm_count));
	KUNIT_EXPECT_PTR_EQ(test, ioasid_set_find(mm), set);
	ioasid_set_put(set);
	ioasid_set_put(set);
	KUNIT_EXPECT_NULL(test, ioasid_set_find(mm));

	/* The set lets go of it when its memory is freed, which takes a while */
	while (atomic_read(&mm->mm_count) != 1 && time_before(jiffies, deadline))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&mm->mm_count));
}

static void set_takes_a_token_that_goes_with_its_type(struct kunit *test)
{
	int token;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(ioasid_set_alloc(&token, 1, IOASID_SET_TYPE_NULL)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_MM)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_FILE)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(ioasid_set_alloc(&token, 1, 3)));
}

static void token_has_one_set(struct kunit *test)
{
	int token;
	struct ioasid_set *set = ioasid_set_alloc(&token, 1, IOASID_SET_TYPE_FILE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	KUNIT_EXPECT_EQ(test, -EEXIST,
			PTR_ERR(ioasid_set_alloc(&token, 1, IOASID_SET_TYPE_FILE)));
	ioasid_set_put(set);
	set = ioasid_set_alloc(&token, 1, IOASID_SET_TYPE_FILE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	ioasid_set_put(set);
}

static void disowned_set_is_not_found(struct kunit *test)
{
	int token;
	struct ioasid_set *set = ioasid_set_alloc(&token, 9, IOASID_SET_TYPE_FILE);
	struct ioasid_set *heir;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	ioasid_set_disown(set);
	ioasid_set_disown(set);
	KUNIT_EXPECT_NULL(test, ioasid_set_find(&token));

	/* It works as before, and what is at the same address has its own */
	must_alloc(test, set);
	heir = ioasid_set_alloc(&token, 1, IOASID_SET_TYPE_FILE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, heir);
	ioasid_set_put(set);
	KUNIT_EXPECT_PTR_EQ(test, ioasid_set_find(&token), heir);
	ioasid_set_put(heir);
	ioasid_set_put(heir);
}

static void last_put_of_set_frees_what_it_has(struct kunit *test)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 2, IOASID_SET_TYPE_NULL);
	struct record *rec = new_record(test);
	struct subscriber *sub;
	ioasid_t id;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	sub = subscribe(test, set, rec, 'd', IOASID_PRIO_DEVICE);
	must_alloc(test, set);
	id = must_alloc(test, set);
	KUNIT_EXPECT_TRUE(test, ioasid_set_get(set));
	ioasid_set_put(set);
	KUNIT_EXPECT_FALSE(test, IS_ERR(ioasid_find(NULL, id)));
	ioasid_set_put(set);
	KUNIT_EXPECT_TRUE(test, IS_ERR(ioasid_find(NULL, id)));

	/* The subscription keeps the memory of the set */
	ioasid_drain(set);
	expect_events(test, rec, "dA dA dF dF");
	expect_counts(test, set, 0, 0, 0);
	KUNIT_EXPECT_FALSE(test, ioasid_set_get(set));
	ioasid_unregister_notifier(set, &sub->nb);
}

static int inside_alloc(const struct ioasid_event_info *info)
{
	ioasid_t id;

	return ioasid_alloc(info->set, IOASID_MIN, IOASID_MAX, NULL, &id);
}

static void set_without_users_allocates_nothing(struct kunit *test)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 9, IOASID_SET_TYPE_NULL);
	struct record *rec = new_record(test);
	struct subscriber *sub;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	must_alloc(test, set);
	sub = subscribe(test, set, rec, 'd', IOASID_PRIO_DEVICE);
	sub->inside = inside_alloc;
	ioasid_set_put(set);
	ioasid_drain(set);
	expect_events(test, rec, "dF");
	KUNIT_EXPECT_EQ(test, -ENODEV, sub->inside_ret);
	ioasid_unregister_notifier(set, &sub->nb);
}

#ifdef CONFIG_MODULE_UNLOAD
/* A set lets the module go when its memory is freed, which takes a while. */
static void expect_refcount(struct kunit *test, struct module *owner, int count)
{
	unsigned long deadline = jiffies + PATIENCE;

	while (module_refcount(owner) != count && time_before(jiffies, deadline))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, module_refcount(owner), count);
}

/* When the sets of earlier tests are gone */
static int settled_refcount(struct module *owner)
{
	int count = -1, last;

	do {
		last = count;
		rcu_barrier();
		schedule_timeout_uninterruptible(HZ / 2);
		count = module_refcount(owner);
	} while (count != last);
	return count;
}

static void set_keeps_the_module(struct kunit *test)
{
	struct module *owner = ioasid_owner();
	struct ioasid_set *set;
	int before;

	if (!owner)
		kunit_skip(test, "ioasid is built in");
	before = settled_refcount(owner);
	set = ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	expect_refcount(test, owner, before + 1);
	ioasid_set_put(set);
	expect_refcount(test, owner, before);
}
#else
static void set_keeps_the_module(struct kunit *test)
{
	kunit_skip(test, "modules cannot be unloaded");
}
#endif

/*
 * Quota and ceiling
 */

static void quota_limits_the_set(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = 4711;

	KUNIT_ASSERT_EQ(test, 0, ioasid_set_adjust(ctx->set, 2));
	must_alloc(test, ctx->set);
	must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			ioasid_alloc(ctx->set, IOASID_MIN, IOASID_MAX, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, 4711);
	expect_counts(test, ctx->set, 2, 0, 0);
	must_alloc(test, ctx->other);
}

static void quota_counts_free_pending(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id, held = must_alloc(test, ctx->set);

	KUNIT_ASSERT_EQ(test, 0, ioasid_set_adjust(ctx->set, 1));
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, held));
	must_free(test, ctx->set, held);
	expect_counts(test, ctx->set, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			ioasid_alloc(ctx->set, IOASID_MIN, IOASID_MAX, NULL, &id));
	ioasid_put(ctx->set, held);
	expect_counts(test, ctx->set, 0, 0, 0);
	must_alloc(test, ctx->set);
}

static void quota_does_not_shrink_below_what_is_allocated(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct ioasid_set_stats stats;

	must_alloc(test, ctx->set);
	must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, -EBUSY, ioasid_set_adjust(ctx->set, 1));
	ioasid_set_stats(ctx->set, &stats);
	KUNIT_EXPECT_EQ(test, stats.quota, IOASID_MAX);
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(ctx->set, 2));
	ioasid_set_stats(ctx->set, &stats);
	KUNIT_EXPECT_EQ(test, stats.quota, 2);
}

static void quota_zero_means_the_default(struct kunit *test)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	struct ioasid_set_stats stats, adjusted;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	ioasid_set_stats(set, &stats);
	KUNIT_EXPECT_GT(test, stats.quota, 0);
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(set, 1));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(set, 0));
	ioasid_set_stats(set, &adjusted);
	KUNIT_EXPECT_EQ(test, stats.quota, adjusted.quota);
	ioasid_set_put(set);
}

static void ceiling_limits_all_sets(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;

	must_alloc(test, ctx->set);
	must_alloc(test, ctx->other);
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_ceiling(3));
	must_alloc(test, ctx->other);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			ioasid_alloc(ctx->set, IOASID_MIN, IOASID_MAX, NULL, &id));
	expect_counts(test, ctx->set, 1, 0, 0);

	/* No quota is larger */
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_set_adjust(ctx->set, 4));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			PTR_ERR(ioasid_set_alloc(NULL, 4, IOASID_SET_TYPE_NULL)));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_ceiling(ctx->ceiling));
	must_alloc(test, ctx->set);
}

static void ceiling_is_validated(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;

	must_alloc(test, ctx->set);
	must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, -EINVAL, ioasid_set_ceiling(0));
	KUNIT_EXPECT_EQ(test, -EINVAL, ioasid_set_ceiling(IOASID_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EBUSY, ioasid_set_ceiling(1));
	KUNIT_EXPECT_EQ(test, ctx->ceiling, ioasid_ceiling());
}

/*
 * Numbers
 */

static void number_is_in_the_range(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;
	int i;

	for (i = 0; i < 10; i++) {
		KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 100, 109, NULL, &id));
		KUNIT_EXPECT_GE(test, id, 100);
		KUNIT_EXPECT_LE(test, id, 109);
	}
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_alloc(ctx->set, 100, 109, NULL, &id));
	expect_counts(test, ctx->set, 10, 0, 0);
}

static void range_can_be_one_number(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;

	KUNIT_EXPECT_EQ(test, 0, ioasid_alloc(ctx->set, 77, 77, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, 77);
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_alloc(ctx->set, 77, 77, NULL, &id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_alloc(ctx->set, IOASID_MAX, IOASID_MAX,
					      NULL, &id));
	KUNIT_EXPECT_EQ(test, id, IOASID_MAX);
}

static void range_is_validated(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;

	KUNIT_EXPECT_EQ(test, -EINVAL, ioasid_alloc(ctx->set, 0, 10, NULL, &id));
	KUNIT_EXPECT_EQ(test, -EINVAL, ioasid_alloc(ctx->set, 11, 10, NULL, &id));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ioasid_alloc(ctx->set, 1, IOASID_MAX + 1, NULL, &id));
	expect_counts(test, ctx->set, 0, 0, 0);
}

static void number_comes_again_after_all_others(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t first, id;
	int i;

	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 200, 299, NULL, &first));
	must_free(test, ctx->set, first);
	for (i = 0; i < 99; i++) {
		KUNIT_ASSERT_EQ(test, 0,
				ioasid_alloc(ctx->set, 200, 299, NULL, &id));
		KUNIT_EXPECT_NE(test, id, first);
		must_free(test, ctx->set, id);
	}
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 200, 299, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, first);
}

static void ranges_do_not_disturb_each_other(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t low, high, exact, id;

	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 300, 399, NULL, &low));
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 5000, 5999, NULL, &high));
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 390, 390, NULL, &exact));
	must_free(test, ctx->set, low);
	must_free(test, ctx->set, high);
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 300, 399, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, low + 1);
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 5000, 5999, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, high + 1);
}

static void neighbours_do_not_turn_a_range_back(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t first, id;
	int i;

	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, IOASID_MIN, 127, NULL, &first));
	must_free(test, ctx->set, first);
	for (i = 0; i < 40; i++) {
		KUNIT_ASSERT_EQ(test, 0,
				ioasid_alloc(ctx->other, IOASID_MIN, 200 + i, NULL, &id));
		must_free(test, ctx->other, id);
	}
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, IOASID_MIN, 127, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, first % 127 + 1);
}

static void number_is_never_that_of_native_sva(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	int native = iommu_global_pasid_alloc_range(600, 600);
	ioasid_t id;
	int i;

	KUNIT_ASSERT_EQ(test, 600, native);
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_alloc(ctx->set, 600, 600, NULL, &id));
	for (i = 0; i < 9; i++) {
		KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 595, 604, NULL, &id));
		KUNIT_EXPECT_NE(test, id, 600);
		KUNIT_EXPECT_EQ(test, -ENOSPC, iommu_global_pasid_alloc_range(id, id));
	}
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_alloc(ctx->set, 595, 604, NULL, &id));
	iommu_free_global_pasid(native);
}

/*
 * States and references
 */

static void ioasid_of_another_set_does_not_exist(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc_spid(test, ctx->set, 5);

	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_get(ctx->other, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_put(ctx->other, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, PTR_ERR(ioasid_find(ctx->other, id)));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_set_data(ctx->other, id, test));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_attach_spid(ctx->other, id, 6));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_detach_spid(ctx->other, id));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_spid(ctx->other, id));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_find_by_spid(ctx->other, 5));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_get_by_spid(ctx->other, 5));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ioasid_notify(ctx->other, id, IOASID_BIND, NULL));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ioasid_notify(ctx->other, id, IOASID_UNBIND, NULL));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_free(ctx->other, id));
	KUNIT_EXPECT_EQ(test, id, ioasid_find_by_spid(ctx->set, 5));
	expect_counts(test, ctx->set, 1, 0, 1);
	expect_counts(test, ctx->other, 0, 0, 0);
}

static void number_out_of_bounds_does_not_exist(struct kunit *test)
{
	static const ioasid_t ids[] = { 0, IOASID_MAX + 1, INVALID_IOASID };
	struct ioasid_test *ctx = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_get(ctx->set, ids[i]));
		KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_put(NULL, ids[i]));
		KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_free(ctx->set, ids[i]));
		KUNIT_EXPECT_EQ(test, -ENOENT, PTR_ERR(ioasid_find(NULL, ids[i])));
		KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_spid(ctx->set, ids[i]));
		KUNIT_EXPECT_EQ(test, -ENOENT,
				ioasid_attach_spid(ctx->set, ids[i], 1));
	}
	expect_counts(test, ctx->set, 0, 0, 0);
}

static void no_set_stands_for_any_set(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc_spid(test, ctx->set, 8);

	KUNIT_EXPECT_EQ(test, 0, ioasid_set_data(ctx->set, id, test));
	KUNIT_EXPECT_EQ(test, 0, ioasid_get(NULL, id));
	KUNIT_EXPECT_PTR_EQ(test, ioasid_find(NULL, id), (void *)test);
	KUNIT_EXPECT_EQ(test, 8, ioasid_spid(NULL, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_put(NULL, id));
}

static void data_is_found(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	int one, two;
	ioasid_t id;

	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, IOASID_MIN, IOASID_MAX,
					      &one, &id));
	KUNIT_EXPECT_PTR_EQ(test, ioasid_find(ctx->set, id), (void *)&one);
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_data(ctx->set, id, &two));
	KUNIT_EXPECT_PTR_EQ(test, ioasid_find(ctx->set, id), (void *)&two);
}

static void freed_ioasid_does_not_exist(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc_spid(test, ctx->set, 5);

	/* Held, so that it stays FREE_PENDING */
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_free(ctx->set, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_get(ctx->set, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_get(NULL, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, PTR_ERR(ioasid_find(ctx->set, id)));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_set_data(ctx->set, id, test));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_attach_spid(ctx->set, id, 6));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_detach_spid(ctx->set, id));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_spid(ctx->set, id));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_find_by_spid(ctx->set, 5));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_get_by_spid(ctx->set, 5));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	expect_counts(test, ctx->set, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, ioasid_put(ctx->set, id));
}

static void number_returns_at_the_last_put(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id, again;

	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 88, 88, NULL, &id));
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, id));
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, id));
	must_free(test, ctx->set, id);
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_alloc(ctx->other, 88, 88, NULL, &again));
	KUNIT_EXPECT_EQ(test, 0, ioasid_put(ctx->set, id));
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_alloc(ctx->other, 88, 88, NULL, &again));
	KUNIT_EXPECT_EQ(test, 0, ioasid_put(ctx->set, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_alloc(ctx->other, 88, 88, NULL, &again));
}

static void put_drops_only_what_get_took(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);

	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_put(ctx->set, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_get(ctx->set, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_put(ctx->set, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_put(ctx->set, id));
	expect_counts(test, ctx->set, 1, 0, 0);
}

static void free_all_frees_this_set_only(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->other);
	int i;

	for (i = 0; i < 10; i++)
		must_alloc_spid(test, ctx->set, i);
	ioasid_free_all(ctx->set);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, INVALID_IOASID,
				ioasid_find_by_spid(ctx->set, i));
	ioasid_drain(ctx->set);
	expect_counts(test, ctx->set, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->other, id));
}

struct visit {
	struct ioasid_set *set;
	int count;
	int stop_at;
	ioasid_t ids[8];
};

static int visit_one(ioasid_t id, void *data, void *arg)
{
	struct visit *visit = arg;

	visit->ids[visit->count++] = id;
	return visit->count == visit->stop_at ? -ECANCELED : 0;
}

static int visit_and_free(ioasid_t id, void *data, void *arg)
{
	struct visit *visit = arg;

	visit->count++;
	return ioasid_free(visit->set, id);
}

static void visit_all_active_ones_in_order(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t a = must_alloc(test, ctx->set);
	ioasid_t b = must_alloc(test, ctx->set);
	ioasid_t c = must_alloc(test, ctx->set);
	struct visit visit = { .set = ctx->set };

	must_alloc(test, ctx->other);
	must_free(test, ctx->set, b);
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_for_each(ctx->set, visit_one, &visit));
	KUNIT_EXPECT_EQ(test, visit.count, 2);
	KUNIT_EXPECT_EQ(test, visit.ids[0], a);
	KUNIT_EXPECT_EQ(test, visit.ids[1], c);

	visit = (struct visit) { .stop_at = 1 };
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			ioasid_set_for_each(ctx->set, visit_one, &visit));
	KUNIT_EXPECT_EQ(test, visit.count, 1);

	visit = (struct visit) { .set = ctx->set };
	KUNIT_EXPECT_EQ(test, 0,
			ioasid_set_for_each(ctx->set, visit_and_free, &visit));
	KUNIT_EXPECT_EQ(test, visit.count, 2);
	expect_counts(test, ctx->other, 1, 0, 0);
}

static void drain_waits_for_the_subscribers(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed drain = { .fn = deed_drain, .set = ctx->set };
	struct record *rec = new_record(test);
	struct subscriber *sub;

	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	sub->stops = true;
	sub->stops_at = IOASID_FREE;
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, must_alloc(test, ctx->set)));
	expect_stopped(test, sub);
	start_deed(test, &drain);
	expect_not_done(test, &drain);
	complete(&sub->go_on);
	expect_done(test, &drain);
	expect_counts(test, ctx->set, 0, 0, 0);
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

/* What a file in debugfs says */
static char *show_file(struct kunit *test, const struct seq_operations *ops)
{
	struct seq_file m = { .size = PAGE_SIZE };
	loff_t pos = 0;
	void *v;

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	mutex_init(&m.lock);
	for (v = ops->start(&m, &pos); v; v = ops->next(&m, v, &pos))
		ops->show(&m, v);
	ops->stop(&m, v);
	return m.buf;
}

/* A headline, and @id alone: the rest of the line after its age */
static char *expect_pending(struct kunit *test, ioasid_t id, int min_age)
{
	char *line = strchr(show_file(test, &ioasid_free_pending_sops), '\n') + 1;
	unsigned int number, age;
	int len = 0, ret;

	ret = sscanf(line, "%u %*u %u %n", &number, &age, &len);
	KUNIT_ASSERT_EQ(test, 2, ret);
	KUNIT_EXPECT_EQ(test, id, number);
	KUNIT_EXPECT_GE(test, age, min_age);
	KUNIT_EXPECT_LT(test, age, min_age + jiffies_to_msecs(PATIENCE));
	KUNIT_EXPECT_STREQ(test, strchrnul(line, '\n'), "\n");
	return line + len;
}

static void held_number_shows_with_its_holder(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);
	char *text;

	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, id));
	must_free(test, ctx->set, id);
	must_alloc(test, ctx->set);
	schedule_timeout_uninterruptible(A_WHILE);
	text = expect_pending(test, id, jiffies_to_msecs(A_WHILE));
	ioasid_put(ctx->set, id);
	KUNIT_EXPECT_TRUE(test, strstarts(text, "held 1 "));
	KUNIT_EXPECT_NULL(test, strstr(text, " or "));
	if (IS_ENABLED(CONFIG_KALLSYMS))
		KUNIT_EXPECT_NOT_NULL(test, strstr(text, __func__));
}

#define TAKER(name)							\
	static noinline void name(struct kunit *test, ioasid_t id)	\
	{								\
		KUNIT_ASSERT_EQ(test, 0, ioasid_get(NULL, id));		\
	}

TAKER(past_taker)
TAKER(first_taker)
TAKER(second_taker)
TAKER(third_taker)
TAKER(fourth_taker)

static void held_number_shows_all_who_may_hold_it(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);
	char *text;

	if (!IS_ENABLED(CONFIG_KALLSYMS))
		kunit_skip(test, "no names");
	/* This one cannot be it; of the others any one can */
	past_taker(test, id);
	KUNIT_ASSERT_EQ(test, 0, ioasid_put(ctx->set, id));
	first_taker(test, id);
	second_taker(test, id);
	second_taker(test, id);
	third_taker(test, id);
	ioasid_put(ctx->set, id);
	ioasid_put(ctx->set, id);
	ioasid_put(ctx->set, id);
	must_free(test, ctx->set, id);
	text = expect_pending(test, id, 0);
	KUNIT_EXPECT_TRUE(test, strstarts(text, "held 1 first_taker"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, " or second_taker"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, " or third_taker"));
	KUNIT_EXPECT_NULL(test, strstr(text, "others"));
	ioasid_put(ctx->set, id);
}

static void held_number_shows_that_there_are_others(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);

	first_taker(test, id);
	second_taker(test, id);
	third_taker(test, id);
	fourth_taker(test, id);
	must_free(test, ctx->set, id);
	KUNIT_EXPECT_NOT_NULL(test, strstr(expect_pending(test, id, 0), " or others"));
	while (!ioasid_put(ctx->set, id))
		;
}

static void number_shows_with_the_subscriber_that_is_told(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	ioasid_t id = must_alloc(test, ctx->set);
	struct subscriber *sub;
	char *text;

	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	sub->stops = true;
	sub->stops_at = IOASID_FREE;
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, id));
	expect_stopped(test, sub);
	text = expect_pending(test, id, 0);
	complete(&sub->go_on);
	KUNIT_EXPECT_TRUE(test, strstarts(text, "telling 0 subscriber "));
	if (IS_ENABLED(CONFIG_KALLSYMS))
		KUNIT_EXPECT_NOT_NULL(test, strstr(text, "subscriber_notify"));
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void set_shows_with_its_counts(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);

	must_alloc_spid(test, ctx->set, 1);
	must_alloc_spid(test, ctx->set, 2);
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_adjust(ctx->set, 654321));
	KUNIT_EXPECT_TRUE(test, ioasid_set_get(ctx->set));
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, id));
	must_free(test, ctx->set, id);
	must_alloc(test, ctx->set);
	/* Quota, active, FREE_PENDING, SPIDs, references */
	KUNIT_EXPECT_NOT_NULL(test, strstr(show_file(test, &ioasid_sets_sops),
					   " 654321 3 1 2 2\n"));
	ioasid_set_put(ctx->set);
	ioasid_put(ctx->set, id);
}

/*
 * SPIDs
 */

static void spid_leads_both_ways(struct kunit *test)
{
	static const ioasid_t spids[] = { 0, 1, 63, 64, 8191, 8192, IOASID_MAX };
	struct ioasid_test *ctx = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(spids); i++) {
		ioasid_t id = must_alloc_spid(test, ctx->set, spids[i]);

		KUNIT_EXPECT_EQ(test, id, ioasid_find_by_spid(ctx->set, spids[i]));
		KUNIT_EXPECT_EQ(test, spids[i], ioasid_spid(ctx->set, id));
	}
	expect_counts(test, ctx->set, 7, 0, 7);
}

static void spid_is_validated(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);

	KUNIT_EXPECT_EQ(test, -EINVAL,
			ioasid_attach_spid(ctx->set, id, IOASID_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ioasid_attach_spid(ctx->set, id, INVALID_IOASID));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID,
			ioasid_find_by_spid(ctx->set, IOASID_MAX + 1));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID,
			ioasid_find_by_spid(ctx->set, INVALID_IOASID));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID,
			ioasid_get_by_spid(ctx->set, INVALID_IOASID));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_spid(ctx->set, id));
}

static void spid_is_unique_in_its_set(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t a = must_alloc_spid(test, ctx->set, 3);
	ioasid_t b = must_alloc(test, ctx->set);

	KUNIT_EXPECT_EQ(test, -EEXIST, ioasid_attach_spid(ctx->set, b, 3));
	KUNIT_EXPECT_EQ(test, -EEXIST, ioasid_attach_spid(ctx->set, a, 3));
	KUNIT_EXPECT_EQ(test, a, ioasid_find_by_spid(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_spid(ctx->set, b));
	expect_counts(test, ctx->set, 2, 0, 1);
}

static void spid_belongs_to_its_set(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t a = must_alloc_spid(test, ctx->set, 3);
	ioasid_t b = must_alloc_spid(test, ctx->other, 3);

	KUNIT_EXPECT_NE(test, a, b);
	KUNIT_EXPECT_EQ(test, a, ioasid_find_by_spid(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, b, ioasid_find_by_spid(ctx->other, 3));
}

static void ioasid_has_one_spid(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc_spid(test, ctx->set, 3);

	KUNIT_EXPECT_EQ(test, -EEXIST, ioasid_attach_spid(ctx->set, id, 4));
	KUNIT_EXPECT_EQ(test, 3, ioasid_spid(ctx->set, id));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_find_by_spid(ctx->set, 4));
}

static void detached_spid_can_be_attached_again(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t a = must_alloc_spid(test, ctx->set, 3);
	ioasid_t b = must_alloc(test, ctx->set);

	/* A neighbour, so that nothing goes with the last one */
	must_alloc_spid(test, ctx->set, 5);
	KUNIT_EXPECT_EQ(test, 0, ioasid_detach_spid(ctx->set, a));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_detach_spid(ctx->set, a));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_find_by_spid(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_spid(ctx->set, a));
	KUNIT_EXPECT_EQ(test, 0, ioasid_attach_spid(ctx->set, b, 3));
	KUNIT_EXPECT_EQ(test, 0, ioasid_attach_spid(ctx->set, a, 4));
	KUNIT_EXPECT_EQ(test, b, ioasid_find_by_spid(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, a, ioasid_find_by_spid(ctx->set, 4));
}

static void free_takes_the_spid_at_once(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t a = must_alloc_spid(test, ctx->set, 3);
	ioasid_t b = must_alloc(test, ctx->set);

	/* A neighbour, so that nothing goes with the last one */
	must_alloc_spid(test, ctx->set, 5);

	/* Even while the number is held, the SPID is free */
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, a));
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, a));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_find_by_spid(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, 0, ioasid_attach_spid(ctx->set, b, 3));
	KUNIT_EXPECT_EQ(test, b, ioasid_find_by_spid(ctx->set, 3));
	ioasid_put(ctx->set, a);
	KUNIT_EXPECT_EQ(test, b, ioasid_find_by_spid(ctx->set, 3));
}

static void look_up_by_spid_can_take_a_reference(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc_spid(test, ctx->set, 3);

	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_get_by_spid(ctx->set, 4));
	KUNIT_EXPECT_EQ(test, id, ioasid_get_by_spid(ctx->set, 3));
	must_free(test, ctx->set, id);
	expect_counts(test, ctx->set, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, ioasid_put(ctx->set, id));
	expect_counts(test, ctx->set, 0, 0, 0);
}

/*
 * Events
 */

static void event_says_what_it_is_about(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub;
	ioasid_t id;

	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, IOASID_MIN, IOASID_MAX,
					      rec, &id));
	KUNIT_EXPECT_PTR_EQ(test, sub->last.set, ctx->set);
	KUNIT_EXPECT_PTR_EQ(test, sub->last.data, (void *)rec);
	KUNIT_EXPECT_PTR_EQ(test, sub->last.arg, NULL);
	KUNIT_EXPECT_EQ(test, sub->last.id, id);
	KUNIT_EXPECT_EQ(test, sub->last.spid, INVALID_IOASID);

	KUNIT_ASSERT_EQ(test, 0, ioasid_attach_spid(ctx->set, id, 12));
	KUNIT_ASSERT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, sub));
	KUNIT_EXPECT_PTR_EQ(test, sub->last.arg, (void *)sub);
	KUNIT_EXPECT_EQ(test, sub->last.spid, 12);
	KUNIT_ASSERT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_UNBIND, sub));

	must_free(test, ctx->set, id);
	KUNIT_EXPECT_EQ(test, sub->last.id, id);
	KUNIT_EXPECT_EQ(test, sub->last.spid, 12);
	expect_events(test, rec, "dA dB dU dF");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void events_follow_the_priorities(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *cpu, *iommu, *dev, *late;
	ioasid_t id;

	/* Those for all sets and those of one are merged */
	cpu = subscribe(test, NULL, rec, 'c', IOASID_PRIO_CPU);
	dev = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	iommu = subscribe(test, NULL, rec, 'i', IOASID_PRIO_IOMMU);
	late = subscribe(test, NULL, rec, 'l', IOASID_PRIO_DEVICE);

	id = must_alloc(test, ctx->set);
	expect_events(test, rec, "iA dA lA cA");
	ioasid_notify(ctx->set, id, IOASID_BIND, NULL);
	expect_events(test, rec, "iB dB lB cB");
	ioasid_notify(ctx->set, id, IOASID_UNBIND, NULL);
	expect_events(test, rec, "cU lU dU iU");
	must_free(test, ctx->set, id);
	expect_events(test, rec, "cF lF dF iF");

	ioasid_unregister_notifier(NULL, &cpu->nb);
	ioasid_unregister_notifier(ctx->set, &dev->nb);
	ioasid_unregister_notifier(NULL, &iommu->nb);
	ioasid_unregister_notifier(NULL, &late->nb);
}

static void subscriber_hears_of_its_set_only(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *own, *all;

	own = subscribe(test, ctx->set, rec, 'o', IOASID_PRIO_DEVICE);
	all = subscribe(test, NULL, rec, 'a', IOASID_PRIO_CPU);
	must_alloc(test, ctx->other);
	expect_events(test, rec, "aA");
	must_alloc(test, ctx->set);
	expect_events(test, rec, "oA aA");
	ioasid_unregister_notifier(NULL, &all->nb);
	ioasid_unregister_notifier(ctx->set, &own->nb);
	must_alloc(test, ctx->set);
	expect_events(test, rec, "");
}

static void subscriber_is_validated(struct kunit *test)
{
	struct subscriber *sub = new_subscriber(test, NULL, 'x', 3);

	KUNIT_EXPECT_EQ(test, -EINVAL,
			ioasid_register_notifier(NULL, &sub->nb, false));
	sub->nb.prio = IOASID_PRIO_CPU;
	sub->nb.notify = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ioasid_register_notifier(NULL, &sub->nb, false));
}

static void refused_bind_is_taken_back(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);
	struct record *rec = new_record(test);
	struct subscriber *iommu, *dev, *cpu;

	iommu = subscribe(test, ctx->set, rec, 'i', IOASID_PRIO_IOMMU);
	dev = subscribe(test, NULL, rec, 'd', IOASID_PRIO_DEVICE);
	cpu = subscribe(test, ctx->set, rec, 'c', IOASID_PRIO_CPU);

	cpu->answer = -EPERM;
	KUNIT_EXPECT_EQ(test, -EPERM, ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	expect_events(test, rec, "iB dB cB dU iU");
	cpu->answer = 0;
	iommu->answer = -EXDEV;
	KUNIT_EXPECT_EQ(test, -EXDEV, ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	expect_events(test, rec, "iB");
	iommu->answer = 0;

	/* Nothing is left of it */
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ioasid_notify(ctx->set, id, IOASID_UNBIND, NULL));
	must_free(test, ctx->set, id);
	expect_events(test, rec, "cF dF iF");
	ioasid_unregister_notifier(ctx->set, &iommu->nb);
	ioasid_unregister_notifier(NULL, &dev->nb);
	ioasid_unregister_notifier(ctx->set, &cpu->nb);
}

static void only_a_bind_can_be_refused(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub;
	ioasid_t id;

	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	sub->answer = -EPERM;
	id = must_alloc(test, ctx->set);
	sub->answer = 0;
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	sub->answer = -EPERM;
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_UNBIND, NULL));
	must_free(test, ctx->set, id);
	expect_events(test, rec, "dA dB dU dF");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void only_bind_and_unbind_come_from_callers(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);

	KUNIT_EXPECT_EQ(test, -EINVAL, ioasid_notify(ctx->set, id, IOASID_ALLOC, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, ioasid_notify(ctx->set, id, IOASID_FREE, NULL));
}

static void unbind_needs_its_bind(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);
	struct record *rec = new_record(test);
	struct subscriber *sub;
	int one, two;

	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, &one));
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, &two));
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_UNBIND, &one));
	KUNIT_EXPECT_PTR_EQ(test, sub->last.arg, (void *)&one);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ioasid_notify(ctx->set, id, IOASID_UNBIND, &one));
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_UNBIND, &two));
	expect_events(test, rec, "dB dB dU dU");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void unbind_goes_to_who_saw_the_bind(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);
	struct record *rec = new_record(test);
	struct subscriber *early, *late, *replayed;

	early = subscribe(test, ctx->set, rec, 'e', IOASID_PRIO_IOMMU);
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	late = subscribe(test, ctx->set, rec, 'l', IOASID_PRIO_DEVICE);
	replayed = new_subscriber(test, rec, 'r', IOASID_PRIO_CPU);
	KUNIT_EXPECT_EQ(test, 0,
			ioasid_register_notifier(ctx->set, &replayed->nb, true));
	expect_events(test, rec, "eB rA rB");
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_UNBIND, NULL));
	expect_events(test, rec, "rU eU");
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_UNBIND, NULL));
	expect_events(test, rec, "eB lB rB rU lU eU");
	ioasid_unregister_notifier(ctx->set, &early->nb);
	ioasid_unregister_notifier(ctx->set, &late->nb);
	ioasid_unregister_notifier(ctx->set, &replayed->nb);
}

static void free_ends_binds_first(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *iommu, *cpu;
	int one, two;
	ioasid_t id;

	iommu = subscribe(test, ctx->set, rec, 'i', IOASID_PRIO_IOMMU);
	cpu = subscribe(test, ctx->set, rec, 'c', IOASID_PRIO_CPU);
	id = must_alloc_spid(test, ctx->set, 9);
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, &one));
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, &two));
	expect_events(test, rec, "iA cA iB cB iB cB");
	must_free(test, ctx->set, id);
	expect_events(test, rec, "cU iU cU iU cF iF");
	KUNIT_EXPECT_EQ(test, cpu->last.spid, 9);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ioasid_notify(ctx->set, id, IOASID_UNBIND, &one));
	ioasid_unregister_notifier(ctx->set, &iommu->nb);
	ioasid_unregister_notifier(ctx->set, &cpu->nb);
}

static void free_goes_to_who_came_later(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);
	struct record *rec = new_record(test);
	struct subscriber *sub;

	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	must_free(test, ctx->set, id);
	expect_events(test, rec, "dF");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void replay_tells_what_exists(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *own = new_subscriber(test, rec, 'o', IOASID_PRIO_CPU);
	struct subscriber *all = new_subscriber(test, rec, 'a', IOASID_PRIO_CPU);
	ioasid_t a = must_alloc(test, ctx->set);
	ioasid_t b = must_alloc(test, ctx->set);
	int one, two;

	must_alloc(test, ctx->other);
	must_free(test, ctx->set, must_alloc(test, ctx->set));
	ioasid_notify(ctx->set, a, IOASID_BIND, &one);
	ioasid_notify(ctx->set, a, IOASID_BIND, &two);

	KUNIT_EXPECT_EQ(test, 0, ioasid_register_notifier(ctx->set, &own->nb, true));
	expect_events(test, rec, "oA oB oB oA");
	KUNIT_EXPECT_EQ(test, own->last.id, b);
	ioasid_unregister_notifier(ctx->set, &own->nb);
	KUNIT_EXPECT_EQ(test, 0, ioasid_register_notifier(NULL, &all->nb, true));
	expect_events(test, rec, "aA aB aB aA aA");

	/* From here on everything is live */
	must_free(test, ctx->set, a);
	must_alloc(test, ctx->set);
	expect_events(test, rec, "aU aU aF aA");
	ioasid_unregister_notifier(NULL, &all->nb);
}

static void replay_tells_of_a_free_that_is_not_out(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test), *late_rec = new_record(test);
	struct subscriber *sub, *late;
	struct deed replay = { .fn = deed_replay, .set = ctx->set };
	ioasid_t b = must_alloc(test, ctx->set);
	ioasid_t a = must_alloc(test, ctx->set);

	/*
	 * The worker is at the younger one, which was freed first. The replay tells
	 * of the elder, whose free is not out, and waits for the other.
	 */
	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	sub->stops = true;
	sub->stops_at = IOASID_FREE;
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, a));
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, b));
	expect_stopped(test, sub);

	late = new_subscriber(test, late_rec, 'l', IOASID_PRIO_IOMMU);
	replay.sub = late;
	start_deed(test, &replay);
	expect_not_done(test, &replay);
	expect_events(test, late_rec, "lA");
	KUNIT_EXPECT_EQ(test, late->last.id, b);
	complete_all(&sub->go_on);
	expect_done(test, &replay);
	ioasid_drain(ctx->set);
	expect_events(test, late_rec, "lF");
	KUNIT_EXPECT_EQ(test, late->last.id, b);
	ioasid_unregister_notifier(ctx->set, &sub->nb);
	ioasid_unregister_notifier(ctx->set, &late->nb);
}

static void replay_that_is_refused_registers_nothing(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub = new_subscriber(test, rec, 'd', IOASID_PRIO_CPU);
	ioasid_t id = must_alloc(test, ctx->set);

	must_alloc(test, ctx->set);
	ioasid_notify(ctx->set, id, IOASID_BIND, NULL);
	sub->answer = -EPERM;
	KUNIT_EXPECT_EQ(test, -EPERM,
			ioasid_register_notifier(ctx->set, &sub->nb, true));
	expect_events(test, rec, "dA dB");
	must_free(test, ctx->set, id);
	must_alloc(test, ctx->set);
	expect_events(test, rec, "");
}

static void live_events_wait_for_the_replay(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub = new_subscriber(test, rec, 'd', IOASID_PRIO_CPU);
	struct deed replay = { .fn = deed_replay, .set = ctx->set, .sub = sub };
	struct deed bind = { .fn = deed_bind, .set = ctx->set };
	ioasid_t second;

	/* The replay stops at the first; what happens to the others meanwhile? */
	bind.id = must_alloc(test, ctx->set);
	second = must_alloc(test, ctx->set);
	sub->first = bind.id;
	sub->stops = true;
	sub->stops_at = IOASID_ALLOC;
	start_deed(test, &replay);
	expect_stopped(test, sub);
	start_deed(test, &bind);
	expect_not_done(test, &bind);
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, second, IOASID_BIND, NULL));
	expect_events(test, rec, "dA0");
	complete_all(&sub->go_on);
	expect_done(test, &replay);
	expect_done(test, &bind);
	/* Those of the second one in order; that of the first one at any place */
	KUNIT_EXPECT_EQ(test, rec->len, strlen("dB0 dA1 dB1"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(rec->text, "dB0"));
	KUNIT_ASSERT_NOT_NULL(test, strstr(rec->text, "dA1"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(strstr(rec->text, "dA1"), "dB1"));
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void bind_waits_for_the_end_of_alloc(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed alloc = { .fn = deed_alloc, .set = ctx->set };
	struct deed bind = { .fn = deed_bind, .set = ctx->set };
	struct record *rec = new_record(test);
	struct subscriber *first, *second;

	first = subscribe(test, ctx->set, rec, 'i', IOASID_PRIO_IOMMU);
	second = subscribe(test, ctx->set, rec, 'c', IOASID_PRIO_CPU);
	first->stops = true;
	first->stops_at = IOASID_ALLOC;
	start_deed(test, &alloc);
	expect_stopped(test, first);
	bind.id = first->last.id;
	start_deed(test, &bind);
	expect_not_done(test, &bind);
	complete(&first->go_on);
	expect_done(test, &alloc);
	expect_done(test, &bind);
	expect_events(test, rec, "iA cA iB cB");
	ioasid_unregister_notifier(ctx->set, &first->nb);
	ioasid_unregister_notifier(ctx->set, &second->nb);
}

static void free_waits_for_the_end_of_bind(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed bind = { .fn = deed_bind, .set = ctx->set };
	struct record *rec = new_record(test);
	struct subscriber *first, *second;

	bind.id = must_alloc(test, ctx->set);
	first = subscribe(test, ctx->set, rec, 'i', IOASID_PRIO_IOMMU);
	second = subscribe(test, ctx->set, rec, 'c', IOASID_PRIO_CPU);
	first->stops = true;
	first->stops_at = IOASID_BIND;
	start_deed(test, &bind);
	expect_stopped(test, first);
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, bind.id));
	complete(&first->go_on);
	expect_done(test, &bind);
	KUNIT_EXPECT_EQ(test, 0, bind.ret);
	ioasid_drain(ctx->set);
	expect_events(test, rec, "iB cB cU iU cF iF");
	ioasid_unregister_notifier(ctx->set, &first->nb);
	ioasid_unregister_notifier(ctx->set, &second->nb);
}

static void late_unbind_waits_for_the_free(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed unbind = { .fn = deed_unbind, .set = ctx->set };
	struct record *rec = new_record(test);
	struct subscriber *sub;

	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	unbind.id = must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, 0,
			ioasid_notify(ctx->set, unbind.id, IOASID_BIND, NULL));
	sub->stops = true;
	sub->stops_at = IOASID_UNBIND;
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, unbind.id));
	expect_stopped(test, sub);
	start_deed(test, &unbind);
	expect_not_done(test, &unbind);
	complete(&sub->go_on);
	expect_done(test, &unbind);
	KUNIT_EXPECT_EQ(test, -ENOENT, unbind.ret);
	expect_events(test, rec, "dA dB dU dF");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void unregister_waits_for_calls_in_flight(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed alloc = { .fn = deed_alloc, .set = ctx->set };
	struct deed leave = { .fn = deed_unregister, .set = ctx->set };
	struct record *rec = new_record(test);

	leave.sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	leave.sub->stops = true;
	leave.sub->stops_at = IOASID_ALLOC;
	start_deed(test, &alloc);
	expect_stopped(test, leave.sub);
	start_deed(test, &leave);
	expect_not_done(test, &leave);

	/* It hears nothing new meanwhile */
	must_alloc(test, ctx->set);
	expect_events(test, rec, "dA");
	complete(&leave.sub->go_on);
	expect_done(test, &leave);
	expect_done(test, &alloc);
}

static struct subscriber *leaver;

static int inside_unregister(const struct ioasid_event_info *info)
{
	ioasid_unregister_notifier(info->set, &leaver->nb);
	return 0;
}

static void subscriber_can_unregister_itself(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *after;

	leaver = subscribe(test, ctx->set, rec, 'i', IOASID_PRIO_IOMMU);
	leaver->inside = inside_unregister;
	after = subscribe(test, ctx->set, rec, 'c', IOASID_PRIO_CPU);
	must_alloc(test, ctx->set);
	must_alloc(test, ctx->set);
	expect_events(test, rec, "iA cA cA");
	ioasid_unregister_notifier(ctx->set, &after->nb);
}

static void subscriber_can_unregister_itself_in_a_replay(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);
	struct record *rec = new_record(test);

	must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	leaver = new_subscriber(test, rec, 'd', IOASID_PRIO_DEVICE);
	/* For a BIND that would be refused this would be the second time */
	leaver->answer = -EPERM;
	leaver->inside = inside_unregister;
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			ioasid_register_notifier(ctx->set, &leaver->nb, true));
	expect_events(test, rec, "dA");
	must_free(test, ctx->set, id);
	expect_events(test, rec, "");

	/* It can come again */
	leaver->answer = 0;
	KUNIT_EXPECT_EQ(test, 0, ioasid_register_notifier(ctx->set, &leaver->nb, true));
	expect_events(test, rec, "dA");
	ioasid_unregister_notifier(ctx->set, &leaver->nb);
}

static void unregister_ends_a_replay(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed replay = { .fn = deed_replay, .set = ctx->set };
	struct deed leave = { .fn = deed_unregister, .set = ctx->set };
	struct record *rec = new_record(test);

	must_alloc(test, ctx->set);
	must_alloc(test, ctx->set);
	leave.sub = new_subscriber(test, rec, 'd', IOASID_PRIO_DEVICE);
	leave.sub->stops = true;
	leave.sub->stops_at = IOASID_ALLOC;
	replay.sub = leave.sub;
	start_deed(test, &replay);
	expect_stopped(test, leave.sub);
	start_deed(test, &leave);
	expect_not_done(test, &leave);
	complete_all(&leave.sub->go_on);
	expect_done(test, &leave);
	expect_done(test, &replay);
	KUNIT_EXPECT_EQ(test, -ECANCELED, replay.ret);
	must_alloc(test, ctx->set);
	expect_events(test, rec, "dA");
}

static void live_event_can_end_a_replay(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed replay = { .fn = deed_replay, .set = ctx->set };
	struct record *rec = new_record(test);
	ioasid_t id = must_alloc(test, ctx->set);

	must_alloc(test, ctx->set);
	must_alloc(test, ctx->set);
	leaver = new_subscriber(test, rec, 'd', IOASID_PRIO_DEVICE);
	leaver->stops = true;
	leaver->stops_at = IOASID_ALLOC;
	replay.sub = leaver;
	start_deed(test, &replay);
	expect_stopped(test, leaver);
	complete(&leaver->go_on);
	expect_stopped(test, leaver);

	/* The replay is at the second one and may need what this one has */
	leaver->inside = inside_unregister;
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	expect_not_done(test, &replay);
	complete_all(&leaver->go_on);
	expect_done(test, &replay);
	KUNIT_EXPECT_EQ(test, -ECANCELED, replay.ret);
	must_free(test, ctx->set, id);
	expect_events(test, rec, "dA dA dB");
}

static int inside_notify(const struct ioasid_event_info *info)
{
	return ioasid_notify(info->set, info->id, IOASID_BIND, NULL);
}

static int inside_replay(const struct ioasid_event_info *info)
{
	struct subscriber sub = { .nb.notify = subscriber_notify };

	return ioasid_register_notifier(info->set, &sub.nb, true);
}

static void subscriber_does_not_wait_for_itself(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub;

	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	sub->inside = inside_notify;
	must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, -EDEADLK, sub->inside_ret);
	sub->inside = inside_replay;
	must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, -EDEADLK, sub->inside_ret);
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static int inside_use(const struct ioasid_event_info *info)
{
	struct ioasid_set *other;
	ioasid_t id;
	int ret;

	other = ioasid_set_alloc(NULL, 4, IOASID_SET_TYPE_NULL);
	if (IS_ERR(other))
		return PTR_ERR(other);
	ret = ioasid_alloc(other, IOASID_MIN, IOASID_MAX, NULL, &id) ?:
	      ioasid_attach_spid(other, id, 5) ?:
	      ioasid_get(info->set, info->id) ?:
	      ioasid_put(info->set, info->id) ?:
	      ioasid_free(info->set, info->id);
	ioasid_set_put(other);
	return ret;
}

static void subscriber_can_use_everything_else(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub;

	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	sub->inside = inside_use;
	must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, 0, sub->inside_ret);
	ioasid_drain(ctx->set);
	expect_counts(test, ctx->set, 0, 0, 0);
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void slow_subscriber_holds_up_its_set_only(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *slow, *all;
	ioasid_t id;

	all = subscribe(test, NULL, rec, 'a', IOASID_PRIO_IOMMU);
	slow = subscribe(test, ctx->set, rec, 's', IOASID_PRIO_CPU);
	slow->stops = true;
	slow->stops_at = IOASID_FREE;
	must_free(test, ctx->other, must_alloc(test, ctx->other));
	ioasid_free(ctx->set, must_alloc(test, ctx->set));
	expect_stopped(test, slow);
	expect_events(test, rec, "aA aF aA sA sF");

	/* Everything in another set, and all but the free in this one */
	id = must_alloc(test, ctx->other);
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->other, id, IOASID_BIND, NULL));
	must_free(test, ctx->other, id);
	expect_events(test, rec, "aA aB aU aF");
	id = must_alloc_spid(test, ctx->set, 1);
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	expect_events(test, rec, "aA sA aB sB");

	complete_all(&slow->go_on);
	ioasid_drain(ctx->set);
	ioasid_unregister_notifier(NULL, &all->nb);
	ioasid_unregister_notifier(ctx->set, &slow->nb);
}

/*
 * Contexts
 */

static DEFINE_SPINLOCK(some_lock);

struct atomic_use {
	struct irq_work work;
	struct completion done;
	struct kunit *test;
	struct ioasid_set *set;
	struct ioasid_set *last;
	ioasid_t id;
};

static int count_one(ioasid_t id, void *data, void *arg)
{
	++*(int *)arg;
	return 0;
}

/* Everything that says "Any context", on an IOASID that has SPID 30 */
static void use_in_any_context(struct atomic_use *use)
{
	struct ioasid_set *set = use->set;
	struct ioasid_set_stats stats;
	struct kunit *test = use->test;
	ioasid_t id = use->id;
	int count = 0;

	KUNIT_EXPECT_EQ(test, id, ioasid_find_by_spid(set, 30));
	KUNIT_EXPECT_EQ(test, 30, ioasid_spid(set, id));
	KUNIT_EXPECT_EQ(test, id, ioasid_get_by_spid(set, 30));
	KUNIT_EXPECT_EQ(test, 0, ioasid_get(set, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_put(set, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_data(set, id, use));
	KUNIT_EXPECT_PTR_EQ(test, ioasid_find(set, id), (void *)use);
	KUNIT_EXPECT_EQ(test, 0, ioasid_detach_spid(set, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_for_each(set, count_one, &count));
	KUNIT_EXPECT_EQ(test, 1, count);
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(set, 10));
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(set, id));
	ioasid_set_stats(set, &stats);
	KUNIT_EXPECT_EQ(test, 1, stats.free_pending);
	KUNIT_EXPECT_EQ(test, 0, ioasid_put(set, id));
	KUNIT_EXPECT_TRUE(test, ioasid_set_get(set));
	ioasid_set_put(set);
	ioasid_free_all(set);
	KUNIT_EXPECT_PTR_EQ(test, ioasid_set_find(use), use->last);
	ioasid_set_put(use->last);
	ioasid_set_disown(use->last);
	KUNIT_EXPECT_NULL(test, ioasid_set_find(use));
	ioasid_set_put(use->last);
}

static void prepare_use(struct kunit *test, struct atomic_use *use)
{
	struct ioasid_test *ctx = test->priv;

	use->test = test;
	use->set = ctx->set;
	ioasid_drain(use->set);
	use->id = must_alloc_spid(test, ctx->set, 30);
	use->last = ioasid_set_alloc(use, 9, IOASID_SET_TYPE_FILE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, use->last);
	must_alloc_spid(test, use->last, 1);
	must_alloc_spid(test, use->last, 2);
	init_completion(&use->done);
}

static void works_with_interrupts_disabled(struct kunit *test)
{
	struct atomic_use use;
	unsigned long flags;

	prepare_use(test, &use);
	spin_lock_irqsave(&some_lock, flags);
	use_in_any_context(&use);
	spin_unlock_irqrestore(&some_lock, flags);

	prepare_use(test, &use);
	local_irq_save(flags);
	use_in_any_context(&use);
	local_irq_restore(flags);
}

static void works_under_a_spinlock_and_rcu(struct kunit *test)
{
	struct atomic_use use;

	prepare_use(test, &use);
	spin_lock_bh(&some_lock);
	use_in_any_context(&use);
	spin_unlock_bh(&some_lock);

	prepare_use(test, &use);
	rcu_read_lock();
	use_in_any_context(&use);
	rcu_read_unlock();
}

static void use_in_interrupt(struct irq_work *work)
{
	struct atomic_use *use = container_of(work, struct atomic_use, work);

	KUNIT_EXPECT_TRUE(use->test, in_hardirq());
	use_in_any_context(use);
	complete(&use->done);
}

static void works_in_an_interrupt(struct kunit *test)
{
	struct atomic_use *use = kunit_kzalloc(test, sizeof(*use), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, use);
	prepare_use(test, use);
	init_irq_work(&use->work, use_in_interrupt);
	KUNIT_ASSERT_TRUE(test, irq_work_queue(&use->work));
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&use->done, PATIENCE));
	irq_work_sync(&use->work);
}

/*
 * Failure of every allocation in turn
 */

static bool fail_one(void)
{
	struct ioasid_test *ctx = kunit_get_current_test()->priv;

	return ++ctx->allocations == ctx->fail_at;
}

static int try_set(struct kunit *test)
{
	struct ioasid_set *set = ioasid_set_alloc(test, 1, IOASID_SET_TYPE_FILE);

	if (IS_ERR(set))
		return PTR_ERR(set);
	ioasid_set_put(set);
	return 0;
}

static int try_alloc(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = 4711;
	int ret = ioasid_alloc(ctx->other, 9000, 9000, NULL, &id);

	KUNIT_EXPECT_EQ(test, id, ret ? 4711 : 9000);
	return ret;
}

static int try_attach(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	int ret = ioasid_attach_spid(ctx->other, 9000, 123456);

	KUNIT_EXPECT_EQ(test, ioasid_find_by_spid(ctx->other, 123456),
			ret ? INVALID_IOASID : 9000);
	return ret;
}

static int try_bind(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;

	return ioasid_notify(ctx->other, 9000, IOASID_BIND, test);
}

/* Fails the first, the second, ... allocation of @fn until it needs no more */
static void fail_each(struct kunit *test, int (*fn)(struct kunit *test),
		      unsigned int at_least)
{
	struct ioasid_test *ctx = test->priv;
	struct ioasid_set_stats before, after;
	u32 total = ioasid_total();
	int ret;

	ioasid_set_stats(ctx->other, &before);
	for (ctx->fail_at = 1;; ctx->fail_at++) {
		ctx->allocations = 0;
		ret = fn(test);
		if (!ret)
			break;
		KUNIT_EXPECT_EQ(test, -ENOMEM, ret);
		ioasid_set_stats(ctx->other, &after);
		KUNIT_EXPECT_MEMEQ(test, &before, &after, sizeof(before));
		KUNIT_EXPECT_EQ(test, total, ioasid_total());
		KUNIT_ASSERT_LE(test, ctx->fail_at, 10);
	}
	KUNIT_EXPECT_GT(test, ctx->fail_at, at_least);
}

static void failed_allocation_changes_nothing(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub;

	sub = subscribe(test, ctx->other, rec, 'd', IOASID_PRIO_DEVICE);
	kunit_activate_static_stub(test, ioasid_out_of_memory, fail_one);
	fail_each(test, try_set, 1);
	KUNIT_EXPECT_NULL(test, ioasid_set_find(test));
	/* The object, the number, a leaf */
	fail_each(test, try_alloc, 3);
	expect_events(test, rec, "dA");
	/* A leaf and the level above it */
	fail_each(test, try_attach, 2);
	fail_each(test, try_bind, 1);
	expect_events(test, rec, "dB");
	kunit_deactivate_static_stub(test, ioasid_out_of_memory);

	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->other, 9000, IOASID_UNBIND, test));
	ioasid_unregister_notifier(ctx->other, &sub->nb);
}

/*
 * Races
 */

struct racer {
	struct race *race;
	struct task_struct *task;
	struct rnd_state rnd;
	unsigned int index;
};

struct race {
	struct kunit *test;
	void (*step)(struct racer *racer);
	unsigned int count;
	atomic_t errors;
	atomic_long_t steps;
	struct racer *racers;
	void *priv;
};

static int racer_thread(void *data)
{
	struct racer *racer = data;
	long steps = 0;

	while (!kthread_should_stop()) {
		racer->race->step(racer);
		steps++;
		cond_resched();
	}
	atomic_long_add(steps, &racer->race->steps);
	return 0;
}

/* The threads are bound to the processors in turn */
static void run_race(struct kunit *test, struct race *race)
{
	struct racer *racer;
	unsigned int i;

	race->test = test;
	race->racers = kunit_kcalloc(test, race->count, sizeof(*racer), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, race->racers);
	for (i = 0; i < race->count; i++) {
		racer = &race->racers[i];
		racer->race = race;
		racer->index = i;
		prandom_seed_state(&racer->rnd, i + 1);
		racer->task = kthread_create(racer_thread, racer, "ioasid_race");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, racer->task);
		kthread_bind(racer->task,
			     cpumask_nth(i % num_online_cpus(), cpu_online_mask));
		wake_up_process(racer->task);
	}
	schedule_timeout_uninterruptible(RACE_TIME);
	for (i = 0; i < race->count; i++)
		kthread_stop(race->racers[i].task);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&race->errors));
	kunit_info(test, "%u threads, %ld steps", race->count,
		   atomic_long_read(&race->steps));
}

static unsigned int race_random(struct racer *racer, unsigned int below)
{
	return prandom_u32_state(&racer->rnd) % below;
}

static void race_check(struct racer *racer, bool ok)
{
	if (!ok)
		atomic_inc(&racer->race->errors);
}

/*
 * The model of one SPID: the number that it has, and the one that it gets while
 * its owner changes it, which is while @seq is odd.
 */
struct model {
	seqcount_t seq;
	u32 now;
	u32 soon;
};

#define MODEL_SPIDS	48

struct lookup_race {
	struct ioasid_set *sets[2];
	unsigned int writers;
	struct model *models;	/* of writer w, set s, SPID i: see model_of() */
	ioasid_t (*ids)[2];	/* per SPID two IOASIDs that take turns */
};

static unsigned int model_index(unsigned int writer, unsigned int i)
{
	return writer * MODEL_SPIDS + i;
}

/* SPIDs lie far apart and close together, and are the same in both sets */
static ioasid_t model_spid(unsigned int index)
{
	return index % 3 ? index : index * 5003 % (IOASID_MAX + 1);
}

static struct ioasid_set *model_set(struct lookup_race *lr, unsigned int index)
{
	return lr->sets[index & 1];
}

static void model_change(struct model *model, u32 to)
{
	WRITE_ONCE(model->soon, to);
	/* Who sees an odd count sees what is coming. Pairs with model_begin() */
	smp_wmb();
	raw_write_seqcount_begin(&model->seq);
}

static void model_changed(struct model *model, u32 to)
{
	WRITE_ONCE(model->now, to);
	raw_write_seqcount_end(&model->seq);
}

static unsigned int model_begin(struct model *model, u32 *now, u32 *soon)
{
	unsigned int seq = raw_read_seqcount(&model->seq);

	*now = READ_ONCE(model->now);
	*soon = READ_ONCE(model->soon);
	/* What is looked up is looked up after this */
	smp_rmb();
	return seq;
}

static void lookup_writer(struct racer *racer)
{
	struct lookup_race *lr = racer->race->priv;
	unsigned int index = model_index(racer->index,
					 race_random(racer, MODEL_SPIDS));
	struct ioasid_set *set = model_set(lr, index);
	struct model *model = &lr->models[index];
	unsigned int turn = race_random(racer, 2);
	ioasid_t *id = &lr->ids[index][turn];
	ioasid_t spid = model_spid(index);

	if (!*id) {
		race_check(racer, !ioasid_alloc(set, IOASID_MIN, IOASID_MAX,
						NULL, id));
		return;
	}
	if (model->now == INVALID_IOASID) {
		model_change(model, *id);
		race_check(racer, !ioasid_attach_spid(set, *id, spid));
		model_changed(model, *id);
	} else if (model->now == *id) {
		model_change(model, INVALID_IOASID);
		if (race_random(racer, 2)) {
			race_check(racer, !ioasid_detach_spid(set, *id));
		} else {
			race_check(racer, !ioasid_free(set, *id));
			*id = 0;
		}
		model_changed(model, INVALID_IOASID);
	}
}

/*
 * An answer is right if it was true at one instant during the look-up: the value
 * before or after a change that was under way all the time, or the one value if
 * nothing changed.
 */
static void lookup_reader(struct racer *racer)
{
	struct lookup_race *lr = racer->race->priv;
	unsigned int index = race_random(racer, lr->writers * MODEL_SPIDS);
	struct ioasid_set *set = model_set(lr, index);
	struct ioasid_set *wrong = lr->sets[!(index & 1)];
	struct model *model = &lr->models[index];
	ioasid_t spid = model_spid(index), id, back, now, soon;
	unsigned int seq, irq = race_random(racer, 2);
	unsigned long flags = 0;

	if (irq)
		local_irq_save(flags);
	seq = model_begin(model, &now, &soon);
	id = ioasid_find_by_spid(set, spid);
	back = id == INVALID_IOASID ? spid : ioasid_spid(set, id);
	if (!read_seqcount_retry(&model->seq, seq)) {
		race_check(racer, id == now || ((seq & 1) && id == soon));
		race_check(racer, back == spid || (seq & 1));
		race_check(racer, ioasid_spid(wrong, id) == INVALID_IOASID);
	}
	if (irq)
		local_irq_restore(flags);
}

static void lookup_step(struct racer *racer)
{
	struct lookup_race *lr = racer->race->priv;

	if (racer->index < lr->writers)
		lookup_writer(racer);
	else
		lookup_reader(racer);
}

static void race_lookups_agree_with_a_model(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct lookup_race lr = {
		.sets = { ctx->set, ctx->other },
		.writers = num_online_cpus(),
	};
	struct race race = {
		.step = lookup_step,
		.count = 3 * lr.writers,
		.priv = &lr,
	};
	unsigned int i, models = lr.writers * MODEL_SPIDS;

	lr.models = kunit_kcalloc(test, models, sizeof(*lr.models), GFP_KERNEL);
	lr.ids = kunit_kcalloc(test, models, sizeof(*lr.ids), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lr.models);
	KUNIT_ASSERT_NOT_NULL(test, lr.ids);
	for (i = 0; i < models; i++) {
		seqcount_init(&lr.models[i].seq);
		lr.models[i].now = INVALID_IOASID;
		lr.models[i].soon = INVALID_IOASID;
	}
	run_race(test, &race);
}

/*
 * No owner: everyone does anything to a few numbers and SPIDs of two sets. What is
 * known without a model: an IOASID of a set has one of two data of this set, and one
 * SPID that can be computed. Two numbers share a SPID.
 */
struct chaos {
	struct ioasid_set *sets[2];
	char data[2][2];
	ioasid_t min;
};

#define CHAOS_NUMBERS	16

static ioasid_t chaos_spid(int side, ioasid_t id)
{
	return (id + 3 * side) % (CHAOS_NUMBERS / 2) * 64;
}

static bool chaos_data_ok(struct chaos *chaos, int side, void *data)
{
	return data == ERR_PTR(-ENOENT) || data == &chaos->data[side][0] ||
	       data == &chaos->data[side][1];
}

static void chaos_look_up(struct racer *racer, int side, ioasid_t id)
{
	struct chaos *chaos = racer->race->priv;
	struct ioasid_set *set = chaos->sets[side];
	ioasid_t spid = chaos_spid(side, id), found;
	unsigned int irq = race_random(racer, 2);
	unsigned long flags = 0;
	void *data;

	if (irq)
		local_irq_save(flags);
	race_check(racer, chaos_data_ok(chaos, side, ioasid_find(set, id)));
	data = ioasid_find(NULL, id);
	race_check(racer, chaos_data_ok(chaos, 0, data) ||
		   chaos_data_ok(chaos, 1, data));
	found = ioasid_spid(set, id);
	race_check(racer, found == spid || found == INVALID_IOASID);
	found = ioasid_find_by_spid(set, spid);
	race_check(racer, found == INVALID_IOASID || chaos_spid(side, found) == spid);
	if (irq)
		local_irq_restore(flags);
}

/* The limits are changed all the time, and never exceeded */
static void chaos_limits(struct racer *racer, struct ioasid_set *set)
{
	struct ioasid_set_stats stats;
	unsigned int max = 2 * CHAOS_NUMBERS;
	int ret;

	ret = ioasid_set_adjust(set, 1 + race_random(racer, max));
	race_check(racer, !ret || ret == -EBUSY || ret == -ENOSPC);
	ret = ioasid_set_ceiling(1 + race_random(racer, max));
	race_check(racer, !ret || ret == -EBUSY);
	ioasid_set_stats(set, &stats);
	race_check(racer, stats.active + stats.free_pending <= stats.quota);
	race_check(racer, ioasid_total() <= max);
}

static int chaos_count(ioasid_t id, void *data, void *arg)
{
	return 0;
}

static void chaos_step(struct racer *racer)
{
	struct chaos *chaos = racer->race->priv;
	int side = race_random(racer, 2);
	struct ioasid_set *set = chaos->sets[side];
	ioasid_t id = chaos->min + race_random(racer, CHAOS_NUMBERS);
	void *data = &chaos->data[side][race_random(racer, 2)];
	ioasid_t last = chaos->min + CHAOS_NUMBERS - 1;
	ioasid_t spid = chaos_spid(side, id);

	chaos_look_up(racer, side, id);
	switch (race_random(racer, 14)) {
	case 0 ... 2:
		ioasid_alloc(set, chaos->min, last, data, &id);
		break;
	case 3:
		ioasid_free(set, id);
		break;
	case 4 ... 5:
		ioasid_attach_spid(set, id, spid);
		break;
	case 6:
		ioasid_detach_spid(set, id);
		break;
	case 7:
		id = ioasid_get_by_spid(set, spid);
		if (id == INVALID_IOASID)
			break;
		race_check(racer, chaos_spid(side, id) == spid);
		race_check(racer, !ioasid_put(set, id));
		break;
	case 8:
		if (ioasid_get(set, id))
			break;
		cond_resched();
		race_check(racer, !ioasid_put(set, id));
		break;
	case 9:
		if (!ioasid_notify(set, id, IOASID_BIND, racer))
			ioasid_notify(set, id, IOASID_UNBIND, racer);
		break;
	case 10:
		ioasid_set_for_each(set, chaos_count, NULL);
		break;
	case 11:
		ioasid_set_data(set, id, data);
		break;
	case 12:
		chaos_limits(racer, set);
		break;
	default:
		if (race_random(racer, 64) == 0)
			ioasid_free_all(set);
		else if (race_random(racer, 16) == 0)
			ioasid_drain(set);
	}
}

static void race_of_everything_loses_nothing(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct chaos chaos = { .sets = { ctx->set, ctx->other }, .min = 20000 };
	struct race race = {
		.step = chaos_step,
		.count = 3 * num_online_cpus(),
		.priv = &chaos,
	};
	ioasid_t id;
	int i;

	KUNIT_ASSERT_EQ(test, 0, ioasid_set_adjust(ctx->set, CHAOS_NUMBERS));
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_adjust(ctx->other, CHAOS_NUMBERS));
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_ceiling(2 * CHAOS_NUMBERS));
	run_race(test, &race);
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_ceiling(ctx->ceiling));
	ioasid_free_all(ctx->set);
	ioasid_free_all(ctx->other);
	ioasid_drain(ctx->set);
	ioasid_drain(ctx->other);
	expect_counts(test, ctx->set, 0, 0, 0);
	expect_counts(test, ctx->other, 0, 0, 0);
	/* All numbers are in the pool */
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(ctx->set, CHAOS_NUMBERS));
	for (i = 0; i < CHAOS_NUMBERS; i++)
		KUNIT_EXPECT_EQ(test, 0, ioasid_alloc(ctx->set, 20000 + i, 20000 + i,
						      NULL, &id));
}

/* A subscriber that checks the order of events for each IOASID */
struct checker {
	struct ioasid_notifier nb;
	struct xarray binds;	/* per number: BINDs + 1 */
	atomic_t errors;
	atomic_t counts[4];
};

static int checker_notify(struct ioasid_notifier *nb, enum ioasid_event ev,
			  const struct ioasid_event_info *info)
{
	struct checker *checker = container_of(nb, struct checker, nb);
	void *entry = xa_load(&checker->binds, info->id);
	unsigned long count = entry ? xa_to_value(entry) : 0;
	bool ok;

	atomic_inc(&checker->counts[ev]);
	if (ev == IOASID_BIND && get_random_u32_below(4) == 0)
		return -EPERM;
	if (ev == IOASID_ALLOC) {
		ok = !count++;
	} else if (ev == IOASID_BIND) {
		ok = count++;
	} else if (ev == IOASID_UNBIND) {
		ok = count-- > 1;
	} else {
		ok = count == 1;
		count = 0;
	}
	if (!ok)
		atomic_inc(&checker->errors);
	if (count)
		xa_store(&checker->binds, info->id, xa_mk_value(count), GFP_KERNEL);
	else
		xa_erase(&checker->binds, info->id);
	if (get_random_u32_below(8) == 0)
		schedule();
	return 0;
}

struct event_race {
	struct ioasid_set *sets[2];
	struct checker *checkers;
};

static void come_and_go(struct racer *racer, struct checker *checker,
			struct ioasid_set *set)
{
	checker->nb.prio = race_random(racer, 3);
	checker->nb.notify = checker_notify;
	if (!ioasid_register_notifier(set, &checker->nb, true)) {
		schedule_timeout_uninterruptible(race_random(racer, 5));
		ioasid_unregister_notifier(set, &checker->nb);
	}
	xa_destroy(&checker->binds);
}

/* One for each thread and one that stays */
static struct checker *new_checkers(struct kunit *test, unsigned int count)
{
	struct checker *checkers;
	unsigned int i;

	checkers = kunit_kcalloc(test, count + 1, sizeof(*checkers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, checkers);
	for (i = 0; i <= count; i++)
		xa_init(&checkers[i].binds);
	return checkers;
}

static void expect_no_errors(struct kunit *test, struct checker *checkers,
			     unsigned int count)
{
	unsigned int i;

	for (i = 0; i <= count; i++)
		KUNIT_EXPECT_EQ(test, 0, atomic_read(&checkers[i].errors));
}

static void event_step(struct racer *racer)
{
	struct event_race *er = racer->race->priv;
	struct ioasid_set *set = er->sets[race_random(racer, 2)];
	ioasid_t id;
	int i;

	/* Each third thread comes and goes as a subscriber */
	if (racer->index % 3 == 2) {
		come_and_go(racer, &er->checkers[racer->index],
			    race_random(racer, 2) ? er->sets[0] : NULL);
		return;
	}
	if (ioasid_alloc(set, IOASID_MIN, IOASID_MAX, NULL, &id))
		return;
	for (i = race_random(racer, 6); i; i--) {
		if (!ioasid_notify(set, id, IOASID_BIND, &i) &&
		    race_random(racer, 2))
			race_check(racer, !ioasid_notify(set, id, IOASID_UNBIND, &i));
	}
	race_check(racer, !ioasid_free(set, id));
	if (race_random(racer, 8) == 0)
		ioasid_drain(set);
}

static void race_of_subscribers_keeps_the_order(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct event_race er = { { ctx->set, ctx->other } };
	struct race race = {
		.step = event_step,
		.count = 3 * num_online_cpus(),
		.priv = &er,
	};
	struct checker *always;

	er.checkers = new_checkers(test, race.count);
	always = &er.checkers[race.count];
	always->nb.notify = checker_notify;
	KUNIT_ASSERT_EQ(test, 0, ioasid_register_notifier(NULL, &always->nb, true));

	run_race(test, &race);
	ioasid_drain(ctx->set);
	ioasid_drain(ctx->other);
	ioasid_unregister_notifier(NULL, &always->nb);

	/* It heard of every one, and of its end */
	KUNIT_EXPECT_TRUE(test, xa_empty(&always->binds));
	KUNIT_EXPECT_GT(test, atomic_read(&always->counts[IOASID_ALLOC]), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&always->counts[IOASID_ALLOC]),
			atomic_read(&always->counts[IOASID_FREE]));
	expect_no_errors(test, er.checkers, race.count);
}

/* Sets come and go by token while others look for them and subscribe to all */
struct set_race {
	char tokens[4];
	struct checker *checkers;
};

/* Only the first thread makes sets of this token: when it finds none it can */
static void set_made_by_one(struct racer *racer, void *token)
{
	struct ioasid_set *set = ioasid_set_find(token);

	if (!set && !racer->index) {
		set = ioasid_set_alloc(token, 100, IOASID_SET_TYPE_FILE);
		race_check(racer, !IS_ERR(set));
	}
	if (IS_ERR_OR_NULL(set))
		return;
	/* So that now this one is the last, now another */
	schedule_timeout_uninterruptible(race_random(racer, 2));
	ioasid_set_put(set);
	schedule_timeout_uninterruptible(race_random(racer, 2));
}

static void set_step(struct racer *racer)
{
	struct set_race *sr = racer->race->priv;
	unsigned int i = race_random(racer, ARRAY_SIZE(sr->tokens));
	struct ioasid_set *set;
	ioasid_t id;

	if (racer->index % 3 == 2) {
		come_and_go(racer, &sr->checkers[racer->index], NULL);
		return;
	}
	if (!i || !racer->index) {
		set_made_by_one(racer, &sr->tokens[0]);
		return;
	}
	if (race_random(racer, 2))
		set = ioasid_set_alloc(&sr->tokens[i], 100, IOASID_SET_TYPE_FILE);
	else
		set = ioasid_set_find(&sr->tokens[i]);
	if (IS_ERR_OR_NULL(set))
		return;
	if (!ioasid_alloc(set, IOASID_MIN, IOASID_MAX, NULL, &id)) {
		ioasid_attach_spid(set, id, racer->index);
		if (race_random(racer, 2))
			ioasid_free(set, id);
	}
	if (race_random(racer, 8) == 0)
		ioasid_set_disown(set);
	ioasid_set_put(set);
}

static void race_of_sets_leaves_none(struct kunit *test)
{
	struct set_race sr = {};
	struct race race = {
		.step = set_step,
		.count = 3 * num_online_cpus(),
		.priv = &sr,
	};
	int i;

	sr.checkers = new_checkers(test, race.count);
	run_race(test, &race);
	expect_no_errors(test, sr.checkers, race.count);
	for (i = 0; i < ARRAY_SIZE(sr.tokens); i++)
		KUNIT_EXPECT_NULL(test, ioasid_set_find(&sr.tokens[i]));
}

/*
 * Exhaustion
 */

/* How many can be had, each number once and each sixteenth with a SPID */
static ioasid_t take_all_numbers(struct ioasid_set *set, unsigned long *seen)
{
	ioasid_t count = 0, id;

	while (!ioasid_alloc(set, IOASID_MIN, IOASID_MAX, NULL, &id)) {
		if (id < IOASID_MIN || id > IOASID_MAX)
			break;
		if (__test_and_set_bit(id, seen))
			break;
		if (!(id % 16) && ioasid_attach_spid(set, id, IOASID_MAX - id))
			break;
		count++;
	}
	return count;
}

static void all_numbers_can_be_had_once(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t count, again;
	unsigned long *seen;

	if (IS_ENABLED(CONFIG_KASAN))
		kunit_skip(test, "takes longer with KASAN than KUnit allows");
	seen = bitmap_zalloc(IOASID_MAX + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	count = take_all_numbers(ctx->set, seen);
	bitmap_free(seen);
	KUNIT_EXPECT_EQ(test, count, IOASID_MAX);
	expect_counts(test, ctx->set, count, 0, IOASID_MAX / 16);
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_alloc(ctx->other, IOASID_MIN, IOASID_MAX,
						    NULL, &again));

	/* The only one that is free is the one that comes */
	must_free(test, ctx->set, 4711);
	KUNIT_EXPECT_EQ(test, 0, ioasid_alloc(ctx->other, IOASID_MIN, IOASID_MAX,
					      NULL, &again));
	KUNIT_EXPECT_EQ(test, again, 4711);

	ioasid_free_all(ctx->set);
	expect_counts(test, ctx->other, 1, 0, 0);
	ioasid_drain(ctx->set);
	expect_counts(test, ctx->set, 0, 0, 0);
}

static struct kunit_case ioasid_cases[] = {
	KUNIT_CASE(set_is_found_by_its_token_only),
	KUNIT_CASE(set_can_be_that_of_an_mm),
	KUNIT_CASE(set_takes_a_token_that_goes_with_its_type),
	KUNIT_CASE(token_has_one_set),
	KUNIT_CASE(disowned_set_is_not_found),
	KUNIT_CASE(last_put_of_set_frees_what_it_has),
	KUNIT_CASE(set_without_users_allocates_nothing),
	KUNIT_CASE(set_keeps_the_module),
	KUNIT_CASE(quota_limits_the_set),
	KUNIT_CASE(quota_counts_free_pending),
	KUNIT_CASE(quota_does_not_shrink_below_what_is_allocated),
	KUNIT_CASE(quota_zero_means_the_default),
	KUNIT_CASE(ceiling_limits_all_sets),
	KUNIT_CASE(ceiling_is_validated),
	KUNIT_CASE(number_is_in_the_range),
	KUNIT_CASE(range_can_be_one_number),
	KUNIT_CASE(range_is_validated),
	KUNIT_CASE(number_comes_again_after_all_others),
	KUNIT_CASE(ranges_do_not_disturb_each_other),
	KUNIT_CASE(neighbours_do_not_turn_a_range_back),
	KUNIT_CASE(number_is_never_that_of_native_sva),
	KUNIT_CASE(ioasid_of_another_set_does_not_exist),
	KUNIT_CASE(number_out_of_bounds_does_not_exist),
	KUNIT_CASE(no_set_stands_for_any_set),
	KUNIT_CASE(data_is_found),
	KUNIT_CASE(freed_ioasid_does_not_exist),
	KUNIT_CASE(number_returns_at_the_last_put),
	KUNIT_CASE(put_drops_only_what_get_took),
	KUNIT_CASE(free_all_frees_this_set_only),
	KUNIT_CASE(visit_all_active_ones_in_order),
	KUNIT_CASE(drain_waits_for_the_subscribers),
	KUNIT_CASE(held_number_shows_with_its_holder),
	KUNIT_CASE(held_number_shows_all_who_may_hold_it),
	KUNIT_CASE(held_number_shows_that_there_are_others),
	KUNIT_CASE(number_shows_with_the_subscriber_that_is_told),
	KUNIT_CASE(set_shows_with_its_counts),
	KUNIT_CASE(spid_leads_both_ways),
	KUNIT_CASE(spid_is_validated),
	KUNIT_CASE(spid_is_unique_in_its_set),
	KUNIT_CASE(spid_belongs_to_its_set),
	KUNIT_CASE(ioasid_has_one_spid),
	KUNIT_CASE(detached_spid_can_be_attached_again),
	KUNIT_CASE(free_takes_the_spid_at_once),
	KUNIT_CASE(look_up_by_spid_can_take_a_reference),
	KUNIT_CASE(event_says_what_it_is_about),
	KUNIT_CASE(events_follow_the_priorities),
	KUNIT_CASE(subscriber_hears_of_its_set_only),
	KUNIT_CASE(subscriber_is_validated),
	KUNIT_CASE(refused_bind_is_taken_back),
	KUNIT_CASE(only_a_bind_can_be_refused),
	KUNIT_CASE(only_bind_and_unbind_come_from_callers),
	KUNIT_CASE(unbind_needs_its_bind),
	KUNIT_CASE(unbind_goes_to_who_saw_the_bind),
	KUNIT_CASE(free_ends_binds_first),
	KUNIT_CASE(free_goes_to_who_came_later),
	KUNIT_CASE(replay_tells_what_exists),
	KUNIT_CASE(replay_tells_of_a_free_that_is_not_out),
	KUNIT_CASE(replay_that_is_refused_registers_nothing),
	KUNIT_CASE(live_events_wait_for_the_replay),
	KUNIT_CASE(bind_waits_for_the_end_of_alloc),
	KUNIT_CASE(free_waits_for_the_end_of_bind),
	KUNIT_CASE(late_unbind_waits_for_the_free),
	KUNIT_CASE(unregister_waits_for_calls_in_flight),
	KUNIT_CASE(subscriber_can_unregister_itself),
	KUNIT_CASE(subscriber_can_unregister_itself_in_a_replay),
	KUNIT_CASE(unregister_ends_a_replay),
	KUNIT_CASE(live_event_can_end_a_replay),
	KUNIT_CASE(subscriber_does_not_wait_for_itself),
	KUNIT_CASE(subscriber_can_use_everything_else),
	KUNIT_CASE(slow_subscriber_holds_up_its_set_only),
	KUNIT_CASE(works_with_interrupts_disabled),
	KUNIT_CASE(works_under_a_spinlock_and_rcu),
	KUNIT_CASE(works_in_an_interrupt),
	KUNIT_CASE(failed_allocation_changes_nothing),
	KUNIT_CASE_SLOW(race_lookups_agree_with_a_model),
	KUNIT_CASE_SLOW(race_of_everything_loses_nothing),
	KUNIT_CASE_SLOW(race_of_subscribers_keeps_the_order),
	KUNIT_CASE_SLOW(race_of_sets_leaves_none),
	KUNIT_CASE_SLOW(all_numbers_can_be_had_once),
	{}
};

static struct kunit_suite ioasid_suite = {
	.name = "ioasid",
	.init = ioasid_test_init,
	.exit = ioasid_test_exit,
	.test_cases = ioasid_cases,
};

kunit_test_suite(ioasid_suite);

MODULE_DESCRIPTION("KUnit tests for IOASID sets");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
