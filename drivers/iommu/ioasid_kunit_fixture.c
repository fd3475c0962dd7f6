// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of IOASID sets: the fixture.  The tests are in the other files
 * ioasid_kunit_*.c; each test is named after the rule that it checks.
 *
 * Events are compared as text.  Each subscriber has a name of one letter and
 * records it with each event that it receives: "iA" means that subscriber i
 * received ALLOC; B stands for BIND, U for UNBIND and F for FREE.
 */
#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "ioasid_kunit.h"

static void count_surplus_put(ioasid_t id)
{
	struct ioasid_test *ctx = kunit_get_current_test()->priv;

	ctx->surplus_puts++;
}

void expect_surplus_puts(struct kunit *test, unsigned int count)
{
	struct ioasid_test *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, count, ctx->surplus_puts);
	ctx->surplus_puts = 0;
}

/* The token of the set is no file, as it is never dereferenced. */
struct ioasid_set *new_set(u32 quota)
{
	static int token;

	return ioasid_set_alloc(&token, quota, IOASID_SET_TYPE_FILE);
}

int ioasid_test_init(struct kunit *test)
{
	struct ioasid_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	for (i = 0; i < IOASID_LIMITS; i++)
		ctx->limits[i] = ioasid_limit(i);
	kunit_activate_static_stub(test, ioasid_surplus_put, count_surplus_put);
	ctx->total = ioasid_total();
	ctx->set = new_set(IOASID_MAX);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->set);
	ctx->other = new_set(IOASID_MAX);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->other);
	test->priv = ctx;
	return 0;
}

void expect_counts(struct kunit *test, struct ioasid_set *set,
		   u32 active, u32 free_pending, u32 spids)
{
	struct ioasid_set_stats stats;

	ioasid_set_stats(set, &stats);
	KUNIT_EXPECT_EQ(test, stats.active, active);
	KUNIT_EXPECT_EQ(test, stats.free_pending, free_pending);
	KUNIT_EXPECT_EQ(test, stats.spids, spids);
}

/* Allocate an IOASID and drop the reference of ioasid_alloc(). */
int alloc_id(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *data,
	     ioasid_t *id)
{
	int ret = ioasid_alloc(set, min, max, data, id);

	if (!ret)
		ioasid_put(set, *id);
	return ret;
}

/* Allocate any number, without private data. */
int alloc_any(struct ioasid_set *set, ioasid_t *id)
{
	return alloc_id(set, IOMMU_FIRST_GLOBAL_PASID, IOASID_MAX, NULL, id);
}

ioasid_t must_alloc(struct kunit *test, struct ioasid_set *set)
{
	ioasid_t id = IOMMU_PASID_INVALID;

	KUNIT_ASSERT_EQ(test, 0, alloc_any(set, &id));
	return id;
}

static void finish_set(struct kunit *test, struct ioasid_set *set)
{
	ioasid_free_all(set);
	ioasid_drain(set);
	expect_counts(test, set, 0, 0, 0);

	/* Only this IOASID counts against the quota. */
	must_alloc(test, set);
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(set, 1));
	ioasid_set_put(set);
}

void wait_for_total(struct kunit *test, u32 total)
{
	unsigned long deadline = jiffies + PATIENCE;

	while (ioasid_total() != total && time_before(jiffies, deadline))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, ioasid_total(), total);
}

/* Check that the sets of the test become empty and the pool is as before. */
void ioasid_test_exit(struct kunit *test)
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
	/* The last put of a set does not wait for the frees. */
	wait_for_total(test, ctx->total);
}

ioasid_t must_alloc_spid(struct kunit *test, struct ioasid_set *set,
			 ioasid_t spid)
{
	ioasid_t id = must_alloc(test, set);

	KUNIT_ASSERT_EQ(test, 0, ioasid_attach_spid(set, id, spid));
	return id;
}

void must_free(struct kunit *test, struct ioasid_set *set, ioasid_t id)
{
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(set, id));
	ioasid_drain(set);
}

/*
 * Subscribers that record their events
 */

static void record_event(struct subscriber *sub, enum ioasid_event ev,
			 const struct ioasid_event_info *info)
{
	struct record *rec = sub->record;

	guard(spinlock)(&rec->lock);
	if (rec->len < sizeof(rec->text) - 5)
		rec->len += sprintf(rec->text + rec->len, "%s%c%c%s",
				    rec->len ? " " : "", sub->name, "ABUF"[ev],
				    !sub->first ? "" : sub->first == info->id ? "0" : "1");
}

static int subscriber_notify(struct ioasid_notifier *nb, enum ioasid_event ev,
			     const struct ioasid_event_info *info)
{
	struct subscriber *sub = container_of(nb, struct subscriber, nb);
	int (*inside)(const struct ioasid_event_info *info);

	might_sleep();
	sub->last = *info;
	if (sub->nr_args < ARRAY_SIZE(sub->args))
		sub->args[sub->nr_args++] = info->arg;
	record_event(sub, ev, info);
	if (sub->stops && sub->stops_at == ev) {
		complete(&sub->stopped);
		wait_for_completion(&sub->go_on);
	}
	/* Call it only once, as it may cause events itself. */
	inside = xchg(&sub->inside, NULL);
	if (inside)
		sub->inside_ret = inside(info);
	return sub->answer;
}

struct record *new_record(struct kunit *test)
{
	struct record *rec = kunit_kzalloc(test, sizeof(*rec), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rec);
	spin_lock_init(&rec->lock);
	return rec;
}

struct subscriber *new_subscriber(struct kunit *test, struct record *rec,
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

struct subscriber *subscribe(struct kunit *test, struct ioasid_set *set,
			     struct record *rec, char name,
			     enum ioasid_prio prio)
{
	struct subscriber *sub = new_subscriber(test, rec, name, prio);

	KUNIT_ASSERT_EQ(test, 0, ioasid_register_notifier(set, &sub->nb, false));
	return sub;
}

/* Compare the events that were recorded since the last call. */
void expect_events(struct kunit *test, struct record *rec,
		   const char *expected)
{
	KUNIT_EXPECT_STREQ(test, rec->text, expected);
	rec->len = 0;
	rec->text[0] = '\0';
}

void expect_stopped(struct kunit *test, struct subscriber *sub)
{
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&sub->stopped, PATIENCE));
}

/*
 * Calls that are made by another thread
 */

static int deed_thread(void *data)
{
	struct deed *deed = data;

	deed->ret = deed->fn(deed);
	complete(&deed->done);
	return 0;
}

void start_deed(struct kunit *test, struct deed *deed)
{
	struct task_struct *task;

	init_completion(&deed->done);
	task = kthread_run(deed_thread, deed, "ioasid_deed");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
}

void expect_not_done(struct kunit *test, struct deed *deed)
{
	KUNIT_EXPECT_EQ(test, 0,
			wait_for_completion_timeout(&deed->done, A_WHILE));
}

void expect_done(struct kunit *test, struct deed *deed)
{
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&deed->done, PATIENCE));
}

int deed_alloc(struct deed *deed)
{
	return alloc_any(deed->set, &deed->id);
}

int deed_bind(struct deed *deed)
{
	return ioasid_notify(deed->set, deed->id, IOASID_BIND, deed->arg);
}

int deed_unbind(struct deed *deed)
{
	return ioasid_notify(deed->set, deed->id, IOASID_UNBIND, deed->arg);
}

int deed_drain(struct deed *deed)
{
	ioasid_drain(deed->set);
	return 0;
}

int deed_unregister(struct deed *deed)
{
	ioasid_unregister_notifier(deed->set, &deed->sub->nb);
	return 0;
}

int deed_replay(struct deed *deed)
{
	return ioasid_register_notifier(deed->set, &deed->sub->nb, true);
}

MODULE_DESCRIPTION("KUnit tests for IOASID sets");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
