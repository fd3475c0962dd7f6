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
#include <linux/cred.h>
#include <linux/ioasid.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "ioasid_priv.h"

/* Long enough for anything that is going to happen at all */
#define PATIENCE	(20 * HZ)
/* Long enough for what must not happen to show */
#define A_WHILE		msecs_to_jiffies(100)
#define RACE_TIME	(5 * HZ)
/* Fewer steps of each thread than that are no race. */
#define MIN_STEPS	10

struct ioasid_test {
	struct ioasid_set *set;
	struct ioasid_set *other;
	u32 limits[IOASID_LIMITS];
	u32 total;
	unsigned int allocations;
	unsigned int fail_at;
	unsigned int surplus_puts;
};

static void count_surplus_put(ioasid_t id)
{
	struct ioasid_test *ctx = kunit_get_current_test()->priv;

	ctx->surplus_puts++;
}

static void expect_surplus_puts(struct kunit *test, unsigned int count)
{
	struct ioasid_test *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, count, ctx->surplus_puts);
	ctx->surplus_puts = 0;
}

static int ioasid_test_init(struct kunit *test)
{
	struct ioasid_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	for (i = 0; i < IOASID_LIMITS; i++)
		ctx->limits[i] = ioasid_limit(i);
	kunit_activate_static_stub(test, ioasid_surplus_put, count_surplus_put);
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

/* Without the reference that comes with it */
static int alloc_id(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *data,
		    ioasid_t *id)
{
	int ret = ioasid_alloc(set, min, max, data, id);

	if (!ret)
		ioasid_put(set, *id);
	return ret;
}

static ioasid_t must_alloc(struct kunit *test, struct ioasid_set *set)
{
	ioasid_t id = INVALID_IOASID;

	KUNIT_ASSERT_EQ(test, 0, alloc_id(set, IOASID_MIN, IOASID_MAX, NULL, &id));
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

static void wait_for_total(struct kunit *test, u32 total)
{
	unsigned long deadline = jiffies + PATIENCE;

	while (ioasid_total() != total && time_before(jiffies, deadline))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, ioasid_total(), total);
}

/* Whatever a test does, its sets end up with nothing, and so does the pool */
static void ioasid_test_exit(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;

	int i;

	if (!ctx)
		return;
	expect_surplus_puts(test, 0);
	for (i = 0; i < IOASID_LIMITS; i++)
		KUNIT_EXPECT_EQ(test, 0, ioasid_set_limit(i, ctx->limits[i]));
	finish_set(test, ctx->set);
	finish_set(test, ctx->other);
	/* The last put of a set does not wait */
	wait_for_total(test, ctx->total);
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
	void *args[8];		/* of all events */
	unsigned int nr_args;
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
	if (sub->nr_args < ARRAY_SIZE(sub->args))
		sub->args[sub->nr_args++] = info->arg;
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
	return alloc_id(deed->set, IOASID_MIN, IOASID_MAX, NULL, &deed->id);
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

static void last_put_of_set_frees_what_it_has(struct kunit *test)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 2, IOASID_SET_TYPE_NULL);
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub;
	ioasid_t id;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	sub = subscribe(test, NULL, rec, 'd', IOASID_PRIO_DEVICE);
	must_alloc(test, set);
	id = must_alloc(test, set);
	KUNIT_EXPECT_TRUE(test, ioasid_set_get(set));
	ioasid_set_put(set);
	KUNIT_EXPECT_FALSE(test, IS_ERR(ioasid_find(NULL, id)));
	ioasid_set_put(set);
	KUNIT_EXPECT_TRUE(test, IS_ERR(ioasid_find(NULL, id)));
	wait_for_total(test, ctx->total);
	expect_events(test, rec, "dA dA dF dF");
	ioasid_unregister_notifier(NULL, &sub->nb);
}

/* The memory of the set lives as long as the IOASID that is held. */
static void set_without_users_allocates_nothing(struct kunit *test)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 9, IOASID_SET_TYPE_NULL);
	ioasid_t held, id;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(set, IOASID_MIN, IOASID_MAX, NULL, &held));
	ioasid_set_put(set);
	KUNIT_EXPECT_FALSE(test, ioasid_set_get(set));
	KUNIT_EXPECT_EQ(test, -ENODEV, alloc_id(set, IOASID_MIN, IOASID_MAX, NULL, &id));
	ioasid_put(NULL, held);
}

/* The last put comes when the allocation has been charged and has a number. */
static struct ioasid_set *dying_set;

static bool put_dying_set(void)
{
	struct ioasid_set *set = xchg(&dying_set, NULL);

	if (set)
		ioasid_set_put(set);
	return false;
}

static void nothing_appears_after_the_last_put(struct kunit *test)
{
	struct ioasid_set *set = ioasid_set_alloc(NULL, 9, IOASID_SET_TYPE_NULL);
	struct ioasid_test *ctx = test->priv;
	ioasid_t held, id;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(set, 31, 31, NULL, &held));
	dying_set = set;
	kunit_activate_static_stub(test, ioasid_out_of_memory, put_dying_set);
	KUNIT_EXPECT_EQ(test, -ENODEV, ioasid_alloc(set, 32, 32, NULL, &id));
	kunit_deactivate_static_stub(test, ioasid_out_of_memory);
	KUNIT_EXPECT_NULL(test, dying_set);
	KUNIT_EXPECT_TRUE(test, IS_ERR(ioasid_find(NULL, 32)));
	ioasid_put(NULL, held);
	wait_for_total(test, ctx->total);
}

static void set_takes_a_token_that_goes_with_its_type(struct kunit *test)
{
	int token;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(ioasid_set_alloc(&token, 1, IOASID_SET_TYPE_NULL)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(ioasid_set_alloc(&token, 1, 2)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_FILE)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(ioasid_set_alloc(&token, 1, -1)));
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
			alloc_id(ctx->set, IOASID_MIN, IOASID_MAX, NULL, &id));
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
			alloc_id(ctx->set, IOASID_MIN, IOASID_MAX, NULL, &id));
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
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_CEILING, 3));
	must_alloc(test, ctx->other);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			alloc_id(ctx->set, IOASID_MIN, IOASID_MAX, NULL, &id));
	expect_counts(test, ctx->set, 1, 0, 0);

	/* No quota is larger */
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_set_adjust(ctx->set, 4));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			PTR_ERR(ioasid_set_alloc(NULL, 4, IOASID_SET_TYPE_NULL)));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_limit(IOASID_CEILING, ctx->limits[IOASID_CEILING]));
	must_alloc(test, ctx->set);
}

static void ceiling_is_validated(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;

	must_alloc(test, ctx->set);
	must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, -EINVAL, ioasid_set_limit(IOASID_CEILING, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, ioasid_set_limit(IOASID_CEILING, IOASID_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EBUSY, ioasid_set_limit(IOASID_CEILING, 1));
	KUNIT_EXPECT_EQ(test, ctx->limits[IOASID_CEILING],
			ioasid_limit(IOASID_CEILING));
}

/*
 * Users
 */

struct disguise {
	struct cred *cred;
	const struct cred *old;
};

/* From here to as_root(), the current task is that of user @uid */
static void as_user(struct kunit *test, struct disguise *user, unsigned int uid)
{
	user->cred = prepare_creds();
	KUNIT_ASSERT_NOT_NULL(test, user->cred);
	user->cred->uid = KUIDT_INIT(uid);
	cap_clear(user->cred->cap_effective);
	user->old = override_creds(user->cred);
}

static void as_root(struct disguise *user)
{
	revert_creds(user->old);
	put_cred(user->cred);
}

/* The same in a namespace that @owner has made, for as_root_from_namespace() */
static void as_user_in_namespace(struct kunit *test, struct disguise *user,
				 unsigned int uid, unsigned int owner)
{
	struct user_namespace *ns = kunit_kzalloc(test, sizeof(*ns), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ns);
	ns->parent = &init_user_ns;
	ns->level = 1;
	ns->owner = KUIDT_INIT(owner);
	as_user(test, user, uid);
	user->cred->user_ns = ns;
}

static void as_root_from_namespace(struct disguise *user)
{
	user->cred->user_ns = &init_user_ns;
	as_root(user);
}

static int alloc_any(struct ioasid_set *set)
{
	ioasid_t id;

	return alloc_id(set, IOASID_MIN, IOASID_MAX, NULL, &id);
}

static void user_has_one_limit_for_all_its_sets(struct kunit *test)
{
	struct ioasid_set *sets[17], *theirs;
	struct disguise user;
	int i;

	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_USER_LIMIT, 3));
	as_user(test, &user, 1000);
	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		sets[i] = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
		KUNIT_EXPECT_FALSE(test, IS_ERR(sets[i]));
		KUNIT_EXPECT_EQ(test, i < 3 ? 0 : -ENOSPC, alloc_any(sets[i]));
	}
	as_root(&user);

	as_user(test, &user, 1001);
	theirs = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	KUNIT_EXPECT_EQ(test, 0, alloc_any(theirs));
	/* Whose IOASIDs they are is a matter of the set. */
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(sets[0]));
	as_root(&user);

	ioasid_free_all(sets[0]);
	ioasid_drain(sets[0]);
	as_user(test, &user, 1000);
	KUNIT_EXPECT_EQ(test, 0, alloc_any(sets[16]));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(sets[16]));
	as_root(&user);
	for (i = 0; i < ARRAY_SIZE(sets); i++)
		ioasid_set_put(sets[i]);
	ioasid_set_put(theirs);
}

static void user_in_a_namespace_counts_as_its_maker(struct kunit *test)
{
	struct ioasid_set *first, *second, *theirs;
	struct disguise user;

	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_USER_LIMIT, 2));
	as_user_in_namespace(test, &user, 100000, 1000);
	first = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	KUNIT_EXPECT_EQ(test, 0, alloc_any(first));
	as_root_from_namespace(&user);
	as_user_in_namespace(test, &user, 100001, 1000);
	second = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	KUNIT_EXPECT_EQ(test, 0, alloc_any(second));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(second));
	as_root_from_namespace(&user);
	as_user_in_namespace(test, &user, 100000, 1001);
	theirs = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	KUNIT_EXPECT_EQ(test, 0, alloc_any(theirs));
	as_root_from_namespace(&user);
	ioasid_set_put(first);
	ioasid_set_put(second);
	ioasid_set_put(theirs);
}

static void failed_alloc_does_not_count_for_the_user(struct kunit *test)
{
	struct ioasid_set *set;
	struct disguise user;
	ioasid_t id;

	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_USER_LIMIT, 2));
	as_user(test, &user, 1000);
	set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	KUNIT_EXPECT_EQ(test, 0, alloc_id(set, 50, 50, NULL, &id));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(set, 50, 50, NULL, &id));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(set, 50, 50, NULL, &id));
	KUNIT_EXPECT_EQ(test, 0, alloc_any(set));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(set));
	as_root(&user);
	ioasid_set_put(set);
}

static void capable_user_exceeds_its_limit_only(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	int i;

	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_USER_LIMIT, 1));
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_HOST_RESERVE, IOASID_MAX - 3));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, 0, alloc_any(ctx->set));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(ctx->set));
}

/* The default is a part of what the host does not keep. */
static void user_has_a_limit_by_default(struct kunit *test)
{
	struct ioasid_set *set;
	struct disguise user;
	int i;

	KUNIT_ASSERT_EQ(test, 0, ioasid_limit(IOASID_USER_LIMIT));
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_HOST_RESERVE, IOASID_MAX - 8));
	as_user(test, &user, 1000);
	set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, alloc_any(set));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(set));
	as_root(&user);
	ioasid_set_put(set);
}

/* Half of all numbers: seven of the fifteen that a device with four bits has */
static void host_keeps_its_share_of_each_width(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	int native[7], i;
	ioasid_t id;

	KUNIT_ASSERT_GT(test, ioasid_limit(IOASID_HOST_RESERVE), 0);
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_HOST_RESERVE, IOASID_MAX / 2));
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, 1, 15, NULL, &id));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->set, 1, 15, NULL, &id));
	KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, 1, 31, NULL, &id));
	KUNIT_EXPECT_GT(test, id, 15);
	for (i = 0; i < ARRAY_SIZE(native); i++) {
		native[i] = iommu_global_pasid_alloc_range(1, 15);
		KUNIT_EXPECT_GT(test, native[i], 0);
	}
	for (i = 0; i < ARRAY_SIZE(native); i++)
		if (native[i] > 0)
			iommu_free_global_pasid(native[i]);
}

static void limits_are_validated(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;

	must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, -EBUSY, ioasid_set_limit(IOASID_HOST_RESERVE, IOASID_MAX));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ioasid_set_limit(IOASID_HOST_RESERVE, IOASID_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ioasid_set_limit(IOASID_USER_LIMIT, IOASID_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, ioasid_set_limit(IOASID_DEFAULT_QUOTA, 0));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_limit(IOASID_HOST_RESERVE, 0));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_limit(IOASID_USER_LIMIT, 0));
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
		KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, 100, 109, NULL, &id));
		KUNIT_EXPECT_GE(test, id, 100);
		KUNIT_EXPECT_LE(test, id, 109);
	}
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->set, 100, 109, NULL, &id));
	expect_counts(test, ctx->set, 10, 0, 0);
}

static void range_can_be_one_number(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;

	KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, 77, 77, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, 77);
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->set, 77, 77, NULL, &id));
	KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, IOASID_MAX, IOASID_MAX,
					  NULL, &id));
	KUNIT_EXPECT_EQ(test, id, IOASID_MAX);
}

static void range_is_validated(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;

	KUNIT_EXPECT_EQ(test, -EINVAL, alloc_id(ctx->set, 0, 10, NULL, &id));
	KUNIT_EXPECT_EQ(test, -EINVAL, alloc_id(ctx->set, 11, 10, NULL, &id));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			alloc_id(ctx->set, 1, IOASID_MAX + 1, NULL, &id));
	expect_counts(test, ctx->set, 0, 0, 0);
}

static void lowest_free_number_comes_first(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;
	int i;

	for (i = 0; i < 100; i++) {
		KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, 200, 299, NULL, &id));
		KUNIT_EXPECT_EQ(test, id, 200 + i);
	}
	must_free(test, ctx->set, 250);
	must_free(test, ctx->set, 230);
	KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, IOASID_MIN, 299, NULL, &id));
	KUNIT_EXPECT_LT(test, id, 200);
	KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, 200, IOASID_MAX, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, 230);
	KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, 201, 299, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, 250);
}

/* However many have come and gone before */
static void narrow_device_finds_a_number_after_many(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;
	int i;

	for (i = 0; i < 40; i++)
		must_free(test, ctx->set, must_alloc(test, ctx->set));
	KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, IOASID_MIN, 31, NULL, &id));
}

/* However many there are: half of what eight bits can name is left */
static void narrow_device_finds_a_number_beside_many(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;
	int i;

	for (i = 0; i < 300; i++)
		must_alloc(test, ctx->set);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, IOASID_MIN, 255, NULL, &id));
}

static void wide_callers_get_narrow_numbers_when_no_others_are_free(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;
	int i;

	/* 255 has eight bits, 256 has nine */
	for (i = 0; i < 200; i++)
		KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, IOASID_MIN, 256, NULL, &id));
	KUNIT_EXPECT_LE(test, id, 255);
}

static void alloc_comes_with_a_reference(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id, again;

	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(ctx->set, 90, 90, NULL, &id));
	must_free(test, ctx->set, id);
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->set, 90, 90, NULL, &again));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_attach_spid(ctx->set, id, 1));
	ioasid_put(ctx->set, id);
	KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, 90, 90, NULL, &again));
}

static void surplus_put_warns_and_drops_nothing(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);

	ioasid_put(ctx->set, id);
	expect_surplus_puts(test, 1);
	KUNIT_EXPECT_EQ(test, 0, ioasid_get(ctx->set, id));
	ioasid_put(ctx->set, id);
	expect_surplus_puts(test, 0);
	ioasid_put(ctx->set, id);
	expect_surplus_puts(test, 1);
	expect_counts(test, ctx->set, 1, 0, 0);
}

static void number_is_never_that_of_native_sva(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	int native = iommu_global_pasid_alloc_range(600, 600);
	ioasid_t id;
	int i;

	KUNIT_ASSERT_EQ(test, 600, native);
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->set, 600, 600, NULL, &id));
	for (i = 0; i < 9; i++) {
		KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, 595, 604, NULL, &id));
		KUNIT_EXPECT_NE(test, id, 600);
		KUNIT_EXPECT_EQ(test, -ENOSPC, iommu_global_pasid_alloc_range(id, id));
	}
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->set, 595, 604, NULL, &id));
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
	ioasid_put(ctx->other, id);
	expect_surplus_puts(test, 1);
	KUNIT_EXPECT_EQ(test, -ENOENT, PTR_ERR(ioasid_find(ctx->other, id)));
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
		ioasid_put(NULL, ids[i]);
		expect_surplus_puts(test, 1);
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

	KUNIT_EXPECT_EQ(test, 0, ioasid_get(NULL, id));
	KUNIT_EXPECT_PTR_EQ(test, ioasid_find(NULL, id), NULL);
	KUNIT_EXPECT_EQ(test, 8, ioasid_spid(NULL, id));
	ioasid_put(NULL, id);
}

static void data_is_found(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;
	int data;

	KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, IOASID_MIN, IOASID_MAX, &data, &id));
	KUNIT_EXPECT_PTR_EQ(test, ioasid_find(ctx->set, id), (void *)&data);
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
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_attach_spid(ctx->set, id, 6));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_detach_spid(ctx->set, id));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_spid(ctx->set, id));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_find_by_spid(ctx->set, 5));
	KUNIT_EXPECT_EQ(test, INVALID_IOASID, ioasid_get_by_spid(ctx->set, 5));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ioasid_notify(ctx->set, id, IOASID_BIND, NULL));
	expect_counts(test, ctx->set, 0, 1, 0);
	ioasid_put(ctx->set, id);
}

static void number_returns_at_the_last_put(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id, again;

	KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, 88, 88, NULL, &id));
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, id));
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, id));
	must_free(test, ctx->set, id);
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->other, 88, 88, NULL, &again));
	ioasid_put(ctx->set, id);
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->other, 88, 88, NULL, &again));
	ioasid_put(ctx->set, id);
	KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->other, 88, 88, NULL, &again));
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

static void held_number_shows_with_its_references(struct kunit *test)
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
	KUNIT_EXPECT_STREQ(test, text, "held 1\n");
}

static void number_shows_while_subscribers_are_told(struct kunit *test)
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
	KUNIT_EXPECT_STREQ(test, text, "telling 0\n");
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
	ioasid_put(ctx->set, id);
	expect_counts(test, ctx->set, 0, 0, 0);
}

/* Whatever becomes of the SPID afterwards */
static void reference_by_spid_is_on_what_had_it(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t a = must_alloc_spid(test, ctx->set, 3);
	ioasid_t b = must_alloc(test, ctx->set), again;

	KUNIT_EXPECT_EQ(test, a, ioasid_get_by_spid(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, 0, ioasid_detach_spid(ctx->set, a));
	KUNIT_EXPECT_EQ(test, 0, ioasid_attach_spid(ctx->set, b, 3));
	must_free(test, ctx->set, a);
	must_free(test, ctx->set, b);
	expect_counts(test, ctx->set, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->set, a, a, NULL, &again));
	KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, b, b, NULL, &again));
	ioasid_put(ctx->set, a);
	expect_counts(test, ctx->set, 1, 0, 0);
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
	KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, IOASID_MIN, IOASID_MAX,
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
	KUNIT_EXPECT_EQ(test, -EINVAL,
			ioasid_register_notifier(NULL, &sub->nb, true));
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
	struct subscriber *sub = new_subscriber(test, rec, 'o', IOASID_PRIO_CPU);
	ioasid_t a = must_alloc(test, ctx->set);
	ioasid_t b = must_alloc(test, ctx->set);
	int one, two;

	must_alloc(test, ctx->other);
	must_free(test, ctx->set, must_alloc(test, ctx->set));
	ioasid_notify(ctx->set, a, IOASID_BIND, &one);
	ioasid_notify(ctx->set, a, IOASID_BIND, &two);

	KUNIT_EXPECT_EQ(test, 0, ioasid_register_notifier(ctx->set, &sub->nb, true));
	expect_events(test, rec, "oA oB oB oA");
	KUNIT_EXPECT_EQ(test, sub->last.id, b);

	/* From here on everything is live */
	must_free(test, ctx->set, a);
	must_alloc(test, ctx->set);
	expect_events(test, rec, "oU oU oF oA");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void binds_begin_oldest_first_and_end_latest_first(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc(test, ctx->set);
	struct record *rec = new_record(test);
	struct subscriber *sub = new_subscriber(test, rec, 'd', IOASID_PRIO_CPU);
	int binds[4], i;
	void *expected[] = { NULL, &binds[0], &binds[2], &binds[3],
			     &binds[3], &binds[2], &binds[0], NULL };

	for (i = 0; i < ARRAY_SIZE(binds); i++)
		KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_BIND,
						       &binds[i]));
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->set, id, IOASID_UNBIND, &binds[1]));
	KUNIT_EXPECT_EQ(test, 0, ioasid_register_notifier(ctx->set, &sub->nb, true));
	must_free(test, ctx->set, id);
	expect_events(test, rec, "dA dB dB dB dU dU dU dF");
	KUNIT_EXPECT_MEMEQ(test, sub->args, expected, sizeof(expected));
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

/* What is freed while the replay is at another one */
static void replay_tells_of_a_free_that_is_not_out(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub = new_subscriber(test, rec, 'd', IOASID_PRIO_CPU);
	struct deed replay = { .fn = deed_replay, .set = ctx->set, .sub = sub };
	ioasid_t second;

	sub->first = must_alloc(test, ctx->set);
	second = must_alloc(test, ctx->set);
	sub->stops = true;
	sub->stops_at = IOASID_ALLOC;
	start_deed(test, &replay);
	expect_stopped(test, sub);
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, second));
	complete_all(&sub->go_on);
	expect_done(test, &replay);
	KUNIT_EXPECT_EQ(test, 0, replay.ret);
	ioasid_drain(ctx->set);
	expect_events(test, rec, "dA0 dA1 dF1");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void events_of_the_set_wait_for_the_replay(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct record *rec = new_record(test);
	struct subscriber *sub = new_subscriber(test, rec, 'd', IOASID_PRIO_CPU);
	struct deed replay = { .fn = deed_replay, .set = ctx->set, .sub = sub };
	struct deed bind = { .fn = deed_bind, .set = ctx->set };
	ioasid_t id;

	sub->first = must_alloc(test, ctx->set);
	bind.id = must_alloc(test, ctx->set);
	sub->stops = true;
	sub->stops_at = IOASID_ALLOC;
	start_deed(test, &replay);
	expect_stopped(test, sub);
	start_deed(test, &bind);
	expect_not_done(test, &bind);
	/* Those of other sets do not. */
	id = must_alloc(test, ctx->other);
	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->other, id, IOASID_BIND, NULL));
	expect_events(test, rec, "dA0");
	complete_all(&sub->go_on);
	expect_done(test, &replay);
	expect_done(test, &bind);
	KUNIT_EXPECT_EQ(test, 0, bind.ret);
	expect_events(test, rec, "dA1 dB1");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
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

/* Registers for @set, stops at @ev and unregisters meanwhile */
static void unregister_waits_for(struct kunit *test, struct ioasid_set *set,
				 enum ioasid_event ev, const char *events)
{
	struct ioasid_test *ctx = test->priv;
	struct deed bind = { .fn = deed_bind, .set = ctx->set };
	struct deed leave = { .fn = deed_unregister, .set = set };
	struct record *rec = new_record(test);

	leave.sub = subscribe(test, set, rec, 'd', IOASID_PRIO_DEVICE);
	leave.sub->stops = true;
	leave.sub->stops_at = ev;
	bind.id = must_alloc(test, ctx->set);
	start_deed(test, &bind);
	if (ev != IOASID_BIND) {
		expect_done(test, &bind);
		KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, bind.id));
	}
	expect_stopped(test, leave.sub);
	start_deed(test, &leave);
	expect_not_done(test, &leave);
	complete_all(&leave.sub->go_on);
	expect_done(test, &leave);
	if (ev == IOASID_BIND)
		expect_done(test, &bind);
	ioasid_free_all(ctx->set);
	ioasid_drain(ctx->set);
	KUNIT_EXPECT_TRUE(test, strstarts(rec->text, events));
	/* Nothing more is told of the next one. */
	rec->len = 0;
	rec->text[0] = '\0';
	must_alloc(test, ctx->set);
	expect_events(test, rec, "");
}

static void unregister_waits_for_calls_in_flight(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;

	unregister_waits_for(test, ctx->set, IOASID_BIND, "dA dB");
	unregister_waits_for(test, NULL, IOASID_BIND, "dA dB");
}

static void unregister_waits_for_the_worker(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;

	unregister_waits_for(test, ctx->set, IOASID_UNBIND, "dA dB dU");
	unregister_waits_for(test, NULL, IOASID_UNBIND, "dA dB dU");
	unregister_waits_for(test, ctx->set, IOASID_FREE, "dA dB dU dF");
	unregister_waits_for(test, NULL, IOASID_FREE, "dA dB dU dF");
}

static void no_bind_comes_after_the_free(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed bind = { .fn = deed_bind, .set = ctx->set };
	struct record *rec = new_record(test);
	struct subscriber *sub;

	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	sub->stops = true;
	sub->stops_at = IOASID_FREE;
	bind.id = must_alloc(test, ctx->set);
	KUNIT_EXPECT_EQ(test, 0, ioasid_get(ctx->set, bind.id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, bind.id));
	expect_stopped(test, sub);
	start_deed(test, &bind);
	schedule_timeout_uninterruptible(A_WHILE);
	expect_events(test, rec, "dA dF");
	complete_all(&sub->go_on);
	expect_done(test, &bind);
	KUNIT_EXPECT_EQ(test, -ENOENT, bind.ret);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ioasid_notify(ctx->set, bind.id, IOASID_BIND, NULL));
	ioasid_put(ctx->set, bind.id);
	expect_events(test, rec, "");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void bind_that_meets_a_free_is_not_told(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed first = { .fn = deed_bind, .set = ctx->set };
	struct deed second = { .fn = deed_bind, .set = ctx->set };
	struct record *rec = new_record(test);
	struct subscriber *sub;

	first.id = must_alloc(test, ctx->set);
	second.id = first.id;
	sub = subscribe(test, ctx->set, rec, 'd', IOASID_PRIO_DEVICE);
	sub->stops = true;
	sub->stops_at = IOASID_BIND;
	start_deed(test, &first);
	expect_stopped(test, sub);
	start_deed(test, &second);
	expect_not_done(test, &second);
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, first.id));
	complete_all(&sub->go_on);
	expect_done(test, &first);
	expect_done(test, &second);
	KUNIT_EXPECT_EQ(test, 0, first.ret);
	KUNIT_EXPECT_EQ(test, -ENOENT, second.ret);
	ioasid_drain(ctx->set);
	expect_events(test, rec, "dB dU dF");
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static void veto_can_meet_a_free(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct deed bind = { .fn = deed_bind, .set = ctx->set };
	struct record *rec = new_record(test);
	struct subscriber *iommu, *cpu;

	bind.id = must_alloc(test, ctx->set);
	iommu = subscribe(test, ctx->set, rec, 'i', IOASID_PRIO_IOMMU);
	cpu = subscribe(test, ctx->set, rec, 'c', IOASID_PRIO_CPU);
	cpu->answer = -EPERM;
	cpu->stops = true;
	cpu->stops_at = IOASID_BIND;
	start_deed(test, &bind);
	expect_stopped(test, cpu);
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, bind.id));
	complete_all(&cpu->go_on);
	expect_done(test, &bind);
	KUNIT_EXPECT_EQ(test, -EPERM, bind.ret);
	ioasid_drain(ctx->set);
	expect_events(test, rec, "iB cB iU cF iF");
	ioasid_unregister_notifier(ctx->set, &iommu->nb);
	ioasid_unregister_notifier(ctx->set, &cpu->nb);
}

static int inside_notify(const struct ioasid_event_info *info)
{
	return ioasid_notify(info->set, info->id, IOASID_BIND, NULL);
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
	sub->inside = inside_notify;
	must_free(test, ctx->set, sub->last.id);
	KUNIT_EXPECT_EQ(test, -EDEADLK, sub->inside_ret);
	ioasid_unregister_notifier(ctx->set, &sub->nb);
}

static int inside_use(const struct ioasid_event_info *info)
{
	struct ioasid_set *other;
	int ret;

	other = ioasid_set_alloc(NULL, 4, IOASID_SET_TYPE_NULL);
	if (IS_ERR(other))
		return PTR_ERR(other);
	ioasid_set_put(other);
	ret = ioasid_attach_spid(info->set, info->id, 5) ?:
	      ioasid_detach_spid(info->set, info->id) ?:
	      ioasid_get(info->set, info->id) ?:
	      ioasid_free(info->set, info->id);
	ioasid_put(info->set, info->id);
	return ret;
}

static void subscriber_can_use_what_sends_no_event(struct kunit *test)
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
	ioasid_t id;
};

/* Everything that says "Any context", on an IOASID that has SPID 30 */
static void use_in_any_context(struct atomic_use *use)
{
	struct ioasid_set *set = use->set;
	struct ioasid_set_stats stats;
	struct kunit *test = use->test;
	ioasid_t id = use->id;

	KUNIT_EXPECT_EQ(test, id, ioasid_find_by_spid(set, 30));
	KUNIT_EXPECT_EQ(test, 30, ioasid_spid(set, id));
	KUNIT_EXPECT_EQ(test, id, ioasid_get_by_spid(set, 30));
	KUNIT_EXPECT_EQ(test, 0, ioasid_get(set, id));
	ioasid_put(set, id);
	KUNIT_EXPECT_PTR_EQ(test, ioasid_find(set, id), NULL);
	KUNIT_EXPECT_EQ(test, 0, ioasid_detach_spid(set, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(set, 10));
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(set, id));
	ioasid_set_stats(set, &stats);
	KUNIT_EXPECT_EQ(test, 1, stats.free_pending);
	ioasid_put(set, id);
	KUNIT_EXPECT_TRUE(test, ioasid_set_get(set));
	ioasid_set_put(set);
	ioasid_set_disown(set);
}

static void prepare_use(struct kunit *test, struct atomic_use *use)
{
	struct ioasid_test *ctx = test->priv;

	use->test = test;
	use->set = ctx->set;
	ioasid_drain(use->set);
	use->id = must_alloc_spid(test, ctx->set, 30);
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
	int ret = alloc_id(ctx->other, 9000, 9000, NULL, &id);

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
	/* The set, its tree, the user */
	fail_each(test, try_set, 3);
	/* The object, the number, its place in the tree */
	fail_each(test, try_alloc, 3);
	expect_events(test, rec, "dA");
	fail_each(test, try_attach, 1);
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
	KUNIT_EXPECT_GE(test, atomic_long_read(&race->steps), race->count * MIN_STEPS);
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
		race_check(racer, !alloc_id(set, IOASID_MIN, IOASID_MAX,
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
	ioasid_t host = READ_ONCE(lr->ids[index][race_random(racer, 2)]);
	ioasid_t spid = model_spid(index), id, back, guest, there, stray;
	ioasid_t now, soon;
	unsigned int seq, irq = race_random(racer, 2);
	unsigned long flags = 0;

	if (irq)
		local_irq_save(flags);
	seq = model_begin(model, &now, &soon);
	id = ioasid_find_by_spid(set, spid);
	back = id == INVALID_IOASID ? spid : ioasid_spid(set, id);
	guest = ioasid_spid(set, host);
	there = ioasid_find_by_spid(set, spid);
	stray = ioasid_spid(wrong, id);
	if (!read_seqcount_retry(&model->seq, seq)) {
		race_check(racer, id == now || ((seq & 1) && id == soon));
		race_check(racer, back == spid || (seq & 1));
		/* Once it is freed, the other set may have the number. */
		race_check(racer, stray == INVALID_IOASID || (seq & 1));
		/* A SPID that can be seen leads back, unless it is taken away. */
		if (guest == spid && !((seq & 1) && soon == INVALID_IOASID))
			race_check(racer, there == host);
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
	ret = ioasid_set_limit(IOASID_CEILING, 1 + race_random(racer, max));
	race_check(racer, !ret || ret == -EBUSY);
	ioasid_set_stats(set, &stats);
	race_check(racer, stats.active + stats.free_pending <= stats.quota);
	race_check(racer, ioasid_total() <= max);
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
	switch (race_random(racer, 12)) {
	case 0 ... 2:
		alloc_id(set, chaos->min, last, data, &id);
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
		ioasid_put(set, id);
		break;
	case 8:
		if (ioasid_get(set, id))
			break;
		cond_resched();
		ioasid_put(set, id);
		break;
	case 9:
		if (!ioasid_notify(set, id, IOASID_BIND, racer))
			ioasid_notify(set, id, IOASID_UNBIND, racer);
		break;
	case 10:
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
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_CEILING, 2 * CHAOS_NUMBERS));
	run_race(test, &race);
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_limit(IOASID_CEILING, ctx->limits[IOASID_CEILING]));
	ioasid_free_all(ctx->set);
	ioasid_free_all(ctx->other);
	ioasid_drain(ctx->set);
	ioasid_drain(ctx->other);
	expect_counts(test, ctx->set, 0, 0, 0);
	expect_counts(test, ctx->other, 0, 0, 0);
	/* All numbers are in the pool */
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(ctx->set, CHAOS_NUMBERS));
	for (i = 0; i < CHAOS_NUMBERS; i++)
		KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, 20000 + i, 20000 + i,
						  NULL, &id));
}

/* A subscriber that checks the order of events for each IOASID */
struct checker {
	struct ioasid_notifier nb;
	struct xarray binds;	/* per number: BINDs + 1 */
	bool partial;		/* it was not told of all that exists */
	atomic_t errors;
	atomic_t counts[4];
};

static int checker_notify(struct ioasid_notifier *nb, enum ioasid_event ev,
			  const struct ioasid_event_info *info)
{
	struct checker *checker = container_of(nb, struct checker, nb);
	void *entry = xa_load(&checker->binds, info->id);
	unsigned long count = entry ? xa_to_value(entry) : checker->partial;
	bool ok;

	atomic_inc(&checker->counts[ev]);
	if (ev == IOASID_BIND && get_random_u32_below(4) == 0)
		return -EPERM;
	if (ev == IOASID_ALLOC) {
		ok = count == checker->partial;
		count = 1;
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

#define STRANGERS	8

struct event_race {
	struct ioasid_set *sets[2];
	ioasid_t recent[STRANGERS];	/* IOASIDs of all threads, to be disturbed */
	struct checker *checkers;
};

static void come_and_go(struct racer *racer, struct checker *checker,
			struct ioasid_set *set)
{
	checker->nb.prio = race_random(racer, 3);
	checker->nb.notify = checker_notify;
	checker->partial = !set;
	if (!ioasid_register_notifier(set, &checker->nb, set)) {
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

/* Bind what another thread may be freeing. */
static void bind_a_stranger(struct racer *racer)
{
	struct event_race *er = racer->race->priv;
	struct ioasid_set *set = er->sets[race_random(racer, 2)];
	ioasid_t id = READ_ONCE(er->recent[race_random(racer, STRANGERS)]);
	int ret = ioasid_notify(set, id, IOASID_BIND, racer);

	race_check(racer, !ret || ret == -ENOENT || ret == -EPERM);
	if (ret)
		return;
	ret = ioasid_notify(set, id, IOASID_UNBIND, racer);
	race_check(racer, !ret || ret == -ENOENT);
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
	if (race_random(racer, 2)) {
		bind_a_stranger(racer);
		return;
	}
	if (alloc_id(set, IOASID_MIN, IOASID_MAX, NULL, &id))
		return;
	WRITE_ONCE(er->recent[race_random(racer, STRANGERS)], id);
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
	KUNIT_ASSERT_EQ(test, 0, ioasid_register_notifier(NULL, &always->nb, false));

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

/* Sets come and go while others use them and subscribe to all */
struct set_race {
	struct mutex lock;	/* of @sets */
	struct ioasid_set *sets[4];
	struct checker *checkers;
};

/* The set at place @i with a reference; a new one if it is empty */
static struct ioasid_set *sr_get(struct set_race *sr, unsigned int i)
{
	guard(mutex)(&sr->lock);
	if (!sr->sets[i]) {
		sr->sets[i] = ioasid_set_alloc(sr, 100, IOASID_SET_TYPE_FILE);
		if (IS_ERR(sr->sets[i]))
			return xchg(&sr->sets[i], NULL);
	}
	ioasid_set_get(sr->sets[i]);
	return sr->sets[i];
}

/* From now on, whoever puts its reference last ends the set. */
static void sr_drop(struct set_race *sr, unsigned int i)
{
	struct ioasid_set *set;

	scoped_guard(mutex, &sr->lock)
		set = xchg(&sr->sets[i], NULL);
	if (!set)
		return;
	ioasid_set_disown(set);
	ioasid_set_put(set);
}

static void set_step(struct racer *racer)
{
	struct set_race *sr = racer->race->priv;
	unsigned int i = race_random(racer, ARRAY_SIZE(sr->sets));
	struct ioasid_set *set;
	ioasid_t id;

	if (racer->index % 3 == 2) {
		come_and_go(racer, &sr->checkers[racer->index], NULL);
		return;
	}
	set = sr_get(sr, i);
	race_check(racer, !IS_ERR(set));
	if (IS_ERR(set))
		return;
	if (!alloc_id(set, IOASID_MIN, IOASID_MAX, NULL, &id)) {
		ioasid_attach_spid(set, id, racer->index);
		if (race_random(racer, 2))
			ioasid_free(set, id);
	}
	if (race_random(racer, 4) == 0)
		sr_drop(sr, i);
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

	mutex_init(&sr.lock);
	sr.checkers = new_checkers(test, race.count);
	run_race(test, &race);
	expect_no_errors(test, sr.checkers, race.count);
	for (i = 0; i < ARRAY_SIZE(sr.sets); i++)
		sr_drop(&sr, i);
}

/* As many numbers as threads: each of which has one at most */
static void number_step(struct racer *racer)
{
	struct ioasid_set *set = racer->race->priv;
	ioasid_t id;
	int ret;

	ret = ioasid_alloc(set, 30000, 30000 + racer->race->count - 1, NULL, &id);
	race_check(racer, !ret);
	if (ret)
		return;
	ioasid_put(set, id);
	race_check(racer, !ioasid_free(set, id));
	ioasid_drain(set);
}

static void race_for_numbers_finds_one_that_is_free(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	struct race race = {
		.step = number_step,
		.count = 3 * num_online_cpus(),
		.priv = ctx->set,
	};

	run_race(test, &race);
}

/*
 * Exhaustion
 */

/* How many can be had, each number once and each sixteenth with a SPID */
static ioasid_t take_all_numbers(struct ioasid_set *set, unsigned long *seen)
{
	ioasid_t count = 0, id;

	while (!alloc_id(set, IOASID_MIN, IOASID_MAX, NULL, &id)) {
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

static int count_turns(void *data)
{
	while (!kthread_should_stop()) {
		++*(unsigned long *)data;
		cond_resched();
	}
	return 0;
}

/* Another task of the same processor has its turns meanwhile. */
static void free_all_beside_another_task(struct kunit *test, struct ioasid_set *set)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);
	unsigned long turns = 0, before;
	struct task_struct *task;

	task = kthread_create(count_turns, &turns, "ioasid_turns");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	kthread_bind(task, cpu);
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	wake_up_process(task);
	schedule_timeout_uninterruptible(1);
	before = READ_ONCE(turns);
	ioasid_free_all(set);
	KUNIT_EXPECT_GT(test, READ_ONCE(turns), before);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	kthread_stop(task);
}

static void all_numbers_can_be_had_once(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t count, again;
	unsigned long *seen;

	if (IS_ENABLED(CONFIG_KASAN))
		kunit_skip(test, "takes longer with KASAN than KUnit allows");
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_HOST_RESERVE, 0));
	seen = bitmap_zalloc(IOASID_MAX + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	count = take_all_numbers(ctx->set, seen);
	bitmap_free(seen);
	KUNIT_EXPECT_EQ(test, count, IOASID_MAX);
	expect_counts(test, ctx->set, count, 0, IOASID_MAX / 16);
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->other, IOASID_MIN, IOASID_MAX,
						NULL, &again));

	/* The only one that is free is the one that comes */
	must_free(test, ctx->set, 4711);
	KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->other, IOASID_MIN, IOASID_MAX,
					  NULL, &again));
	KUNIT_EXPECT_EQ(test, again, 4711);

	free_all_beside_another_task(test, ctx->set);
	expect_counts(test, ctx->other, 1, 0, 0);
	ioasid_drain(ctx->set);
	expect_counts(test, ctx->set, 0, 0, 0);
}

static struct kunit_case ioasid_cases[] = {
	KUNIT_CASE(set_takes_a_token_that_goes_with_its_type),
	KUNIT_CASE(last_put_of_set_frees_what_it_has),
	KUNIT_CASE(set_without_users_allocates_nothing),
	KUNIT_CASE(nothing_appears_after_the_last_put),
	KUNIT_CASE(set_keeps_the_module),
	KUNIT_CASE(quota_limits_the_set),
	KUNIT_CASE(quota_counts_free_pending),
	KUNIT_CASE(quota_does_not_shrink_below_what_is_allocated),
	KUNIT_CASE(quota_zero_means_the_default),
	KUNIT_CASE(ceiling_limits_all_sets),
	KUNIT_CASE(ceiling_is_validated),
	KUNIT_CASE(user_has_one_limit_for_all_its_sets),
	KUNIT_CASE(user_in_a_namespace_counts_as_its_maker),
	KUNIT_CASE(failed_alloc_does_not_count_for_the_user),
	KUNIT_CASE(capable_user_exceeds_its_limit_only),
	KUNIT_CASE(user_has_a_limit_by_default),
	KUNIT_CASE(host_keeps_its_share_of_each_width),
	KUNIT_CASE(limits_are_validated),
	KUNIT_CASE(number_is_in_the_range),
	KUNIT_CASE(range_can_be_one_number),
	KUNIT_CASE(range_is_validated),
	KUNIT_CASE(number_is_never_that_of_native_sva),
	KUNIT_CASE(lowest_free_number_comes_first),
	KUNIT_CASE(narrow_device_finds_a_number_after_many),
	KUNIT_CASE(narrow_device_finds_a_number_beside_many),
	KUNIT_CASE(wide_callers_get_narrow_numbers_when_no_others_are_free),
	KUNIT_CASE(alloc_comes_with_a_reference),
	KUNIT_CASE(surplus_put_warns_and_drops_nothing),
	KUNIT_CASE(ioasid_of_another_set_does_not_exist),
	KUNIT_CASE(number_out_of_bounds_does_not_exist),
	KUNIT_CASE(no_set_stands_for_any_set),
	KUNIT_CASE(data_is_found),
	KUNIT_CASE(freed_ioasid_does_not_exist),
	KUNIT_CASE(number_returns_at_the_last_put),
	KUNIT_CASE(free_all_frees_this_set_only),
	KUNIT_CASE(drain_waits_for_the_subscribers),
	KUNIT_CASE(held_number_shows_with_its_references),
	KUNIT_CASE(number_shows_while_subscribers_are_told),
	KUNIT_CASE(set_shows_with_its_counts),
	KUNIT_CASE(spid_leads_both_ways),
	KUNIT_CASE(spid_is_validated),
	KUNIT_CASE(spid_is_unique_in_its_set),
	KUNIT_CASE(spid_belongs_to_its_set),
	KUNIT_CASE(ioasid_has_one_spid),
	KUNIT_CASE(detached_spid_can_be_attached_again),
	KUNIT_CASE(free_takes_the_spid_at_once),
	KUNIT_CASE(look_up_by_spid_can_take_a_reference),
	KUNIT_CASE(reference_by_spid_is_on_what_had_it),
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
	KUNIT_CASE(binds_begin_oldest_first_and_end_latest_first),
	KUNIT_CASE(replay_tells_of_a_free_that_is_not_out),
	KUNIT_CASE(events_of_the_set_wait_for_the_replay),
	KUNIT_CASE(replay_that_is_refused_registers_nothing),
	KUNIT_CASE(bind_waits_for_the_end_of_alloc),
	KUNIT_CASE(free_waits_for_the_end_of_bind),
	KUNIT_CASE(late_unbind_waits_for_the_free),
	KUNIT_CASE(unregister_waits_for_calls_in_flight),
	KUNIT_CASE(unregister_waits_for_the_worker),
	KUNIT_CASE(no_bind_comes_after_the_free),
	KUNIT_CASE(bind_that_meets_a_free_is_not_told),
	KUNIT_CASE(veto_can_meet_a_free),
	KUNIT_CASE(subscriber_does_not_wait_for_itself),
	KUNIT_CASE(subscriber_can_use_what_sends_no_event),
	KUNIT_CASE(slow_subscriber_holds_up_its_set_only),
	KUNIT_CASE(works_with_interrupts_disabled),
	KUNIT_CASE(works_under_a_spinlock_and_rcu),
	KUNIT_CASE(works_in_an_interrupt),
	KUNIT_CASE(failed_allocation_changes_nothing),
	KUNIT_CASE_SLOW(race_lookups_agree_with_a_model),
	KUNIT_CASE_SLOW(race_of_everything_loses_nothing),
	KUNIT_CASE_SLOW(race_of_subscribers_keeps_the_order),
	KUNIT_CASE_SLOW(race_of_sets_leaves_none),
	KUNIT_CASE_SLOW(race_for_numbers_finds_one_that_is_free),
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
