// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOASID sets: tests of events, of the contexts in which functions may be
 * called, and of the failure of each memory allocation.
 */
#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/irq_work.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "ioasid_kunit.h"

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
	KUNIT_ASSERT_EQ(test, 0,
			alloc_id(ctx->set, IOMMU_FIRST_GLOBAL_PASID, IOASID_MAX,
				 rec, &id));
	KUNIT_EXPECT_PTR_EQ(test, sub->last.set, ctx->set);
	KUNIT_EXPECT_PTR_EQ(test, sub->last.data, (void *)rec);
	KUNIT_EXPECT_PTR_EQ(test, sub->last.arg, NULL);
	KUNIT_EXPECT_EQ(test, sub->last.id, id);
	KUNIT_EXPECT_EQ(test, sub->last.spid, IOMMU_PASID_INVALID);

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

	/* Subscribers of all sets and of one set are called in one order. */
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

	/* No BIND remains. */
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

static void unbind_is_sent_to_subscribers_that_saw_the_bind(struct kunit *test)
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

static void free_is_sent_to_late_subscribers(struct kunit *test)
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

	/* From here on, the subscriber gets live events. */
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

/* An IOASID is freed while the replay is at another IOASID. */
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
	/* Events of other sets do not wait. */
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

/* Register for @set, stop in the call for @ev, and unregister meanwhile. */
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
	/* The next IOASID causes no event for the subscriber. */
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

	other = new_set(4);
	if (IS_ERR(other))
		return PTR_ERR(other);
	ioasid_set_put(other);
	ret = ioasid_attach_spid(info->set, info->id, 5) ?:
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

	/* Other sets are not delayed at all, and this one only in frees. */
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

/*
 * Call each function whose kernel-doc says "Any context", on an IOASID that has
 * SPID 30.
 */
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

	prepare_use(test, &use);
	scoped_guard(spinlock_irqsave, &some_lock)
		use_in_any_context(&use);

	prepare_use(test, &use);
	scoped_guard(irqsave)
		use_in_any_context(&use);
}

static void works_under_a_spinlock_and_rcu(struct kunit *test)
{
	struct atomic_use use;

	prepare_use(test, &use);
	scoped_guard(spinlock_bh, &some_lock)
		use_in_any_context(&use);

	prepare_use(test, &use);
	scoped_guard(rcu)
		use_in_any_context(&use);
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
			ret ? IOMMU_PASID_INVALID : 9000);
	return ret;
}

static int try_bind(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;

	return ioasid_notify(ctx->other, 9000, IOASID_BIND, test);
}

/* Let the first, the second, ... allocation of @fn fail, until @fn succeeds. */
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
	/* Allocations of the set, its xarray and the user */
	fail_each(test, try_set, 3);
	/* Allocations of the object, the number and its xarray entry */
	fail_each(test, try_alloc, 3);
	expect_events(test, rec, "dA");
	fail_each(test, try_attach, 1);
	fail_each(test, try_bind, 1);
	expect_events(test, rec, "dB");
	kunit_deactivate_static_stub(test, ioasid_out_of_memory);

	KUNIT_EXPECT_EQ(test, 0, ioasid_notify(ctx->other, 9000, IOASID_UNBIND, test));
	ioasid_unregister_notifier(ctx->other, &sub->nb);
}

static struct kunit_case ioasid_events_cases[] = {
	KUNIT_CASE(event_says_what_it_is_about),
	KUNIT_CASE(events_follow_the_priorities),
	KUNIT_CASE(subscriber_hears_of_its_set_only),
	KUNIT_CASE(subscriber_is_validated),
	KUNIT_CASE(refused_bind_is_taken_back),
	KUNIT_CASE(only_a_bind_can_be_refused),
	KUNIT_CASE(only_bind_and_unbind_come_from_callers),
	KUNIT_CASE(unbind_needs_its_bind),
	KUNIT_CASE(unbind_is_sent_to_subscribers_that_saw_the_bind),
	KUNIT_CASE(free_ends_binds_first),
	KUNIT_CASE(free_is_sent_to_late_subscribers),
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
	{}
};

IOASID_KUNIT_SUITE(events);
