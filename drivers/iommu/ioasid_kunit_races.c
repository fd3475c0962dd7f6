// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOASID sets: tests of races and exhaustion, which are slow.
 */
#include <linux/bitmap.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "ioasid_kunit.h"

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

/* Run the threads of @race, bound to the processors in turn. */
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
 * The model of one SPID: its current number @now, and @soon, the number that it
 * is about to get.  @seq is odd while the owner of the model changes the SPID.
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
	struct model *models;	/* by model_index() */
	ioasid_t (*ids)[2];	/* two IOASIDs that alternate, per SPID */
};

static unsigned int model_index(unsigned int writer, unsigned int i)
{
	return writer * MODEL_SPIDS + i;
}

/* Both sets use the same SPIDs, some of them far apart, some close together. */
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
	/*
	 * A reader of an odd count sees @soon, too.  Pairs with model_begin().
	 */
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
	/* Reads the model before the caller looks up anything */
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
		race_check(racer, !alloc_any(set, id));
		return;
	}
	if (model->now == IOMMU_PASID_INVALID) {
		model_change(model, *id);
		race_check(racer, !ioasid_attach_spid(set, *id, spid));
		model_changed(model, *id);
	} else if (model->now == *id) {
		model_change(model, IOMMU_PASID_INVALID);
		race_check(racer, !ioasid_free(set, *id));
		*id = 0;
		model_changed(model, IOMMU_PASID_INVALID);
	}
}

/*
 * A result is correct if it was true at one instant during the lookup: the
 * value before or after a change that was in progress all the time, or the only
 * value if nothing changed.
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
	back = id == IOMMU_PASID_INVALID ? spid : ioasid_spid(set, id);
	guest = ioasid_spid(set, host);
	there = ioasid_find_by_spid(set, spid);
	stray = ioasid_spid(wrong, id);
	if (!read_seqcount_retry(&model->seq, seq)) {
		race_check(racer, id == now || ((seq & 1) && id == soon));
		race_check(racer, back == spid || (seq & 1));
		/* Once @id is freed, the other set may own the number. */
		race_check(racer, stray == IOMMU_PASID_INVALID || (seq & 1));
		/*
		 * A visible SPID finds its number, unless a free detaches it.
		 */
		if (guest == spid && !((seq & 1) && soon == IOMMU_PASID_INVALID))
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
		lr.models[i].now = IOMMU_PASID_INVALID;
		lr.models[i].soon = IOMMU_PASID_INVALID;
	}
	run_race(test, &race);
}

/*
 * A race without owners: all threads call any function for a few numbers and
 * SPIDs of two sets.  Two facts hold without a model: the private data of an
 * IOASID is one of two pointers of its set, and the SPID can be computed from
 * the number.  Two numbers share a SPID.
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
	race_check(racer, found == spid || found == IOMMU_PASID_INVALID);
	found = ioasid_find_by_spid(set, spid);
	race_check(racer, found == IOMMU_PASID_INVALID ||
		   chaos_spid(side, found) == spid);
	if (irq)
		local_irq_restore(flags);
}

/* Change the limits at random, and check that they are never exceeded. */
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
	case 3 ... 4:
		ioasid_free(set, id);
		break;
	case 5 ... 6:
		ioasid_attach_spid(set, id, spid);
		break;
	case 7:
		id = ioasid_get_by_spid(set, spid);
		if (id == IOMMU_PASID_INVALID)
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
	/* All numbers are back in the pool. */
	KUNIT_EXPECT_EQ(test, 0, ioasid_set_adjust(ctx->set, CHAOS_NUMBERS));
	for (i = 0; i < CHAOS_NUMBERS; i++)
		KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, 20000 + i, 20000 + i,
						  NULL, &id));
}

/* A subscriber that checks the order of events for each IOASID */
struct checker {
	struct ioasid_notifier nb;
	struct xarray binds;	/* per number: BINDs + 1 */
	bool partial;		/* registered without a replay */
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
	ioasid_t recent[STRANGERS];	/* IOASIDs that other threads bind */
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

/* Allocate a checker for each thread and one that stays registered. */
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

/* Bind an IOASID that another thread may be freeing. */
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

	/* Each third thread registers and unregisters a subscriber */
	if (racer->index % 3 == 2) {
		come_and_go(racer, &er->checkers[racer->index],
			    race_random(racer, 2) ? er->sets[0] : NULL);
		return;
	}
	if (race_random(racer, 2)) {
		bind_a_stranger(racer);
		return;
	}
	if (alloc_any(set, &id))
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

	/* The checker received ALLOC and FREE of each IOASID. */
	KUNIT_EXPECT_TRUE(test, xa_empty(&always->binds));
	KUNIT_EXPECT_GT(test, atomic_read(&always->counts[IOASID_ALLOC]), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&always->counts[IOASID_ALLOC]),
			atomic_read(&always->counts[IOASID_FREE]));
	expect_no_errors(test, er.checkers, race.count);
}

/*
 * Sets are allocated and freed while other threads use them and subscribe to
 * all sets.
 */
struct set_race {
	struct mutex lock;	/* of @sets */
	struct ioasid_set *sets[4];
	struct checker *checkers;
};

/* Return slot @i with a reference; allocate a set if the slot is empty. */
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

/* Empty slot @i: the last put by another thread now frees the set. */
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
	if (!alloc_any(set, &id)) {
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

/* There are as many numbers as threads, and each thread has at most one. */
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

/*
 * Allocate numbers until none is left, attach a SPID to each sixteenth, and
 * check that no number is allocated twice.  Return the count.
 */
static ioasid_t take_all_numbers(struct ioasid_set *set, unsigned long *seen)
{
	ioasid_t count = 0, id;

	while (!alloc_any(set, &id)) {
		if (id < IOMMU_FIRST_GLOBAL_PASID || id > IOASID_MAX)
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

/* Check that ioasid_free_all() lets another task of the same processor run. */
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
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(ctx->other, &again));

	/* The only free number is the one that is allocated. */
	must_free(test, ctx->set, 4711);
	KUNIT_EXPECT_EQ(test, 0, alloc_any(ctx->other, &again));
	KUNIT_EXPECT_EQ(test, again, 4711);

	free_all_beside_another_task(test, ctx->set);
	expect_counts(test, ctx->other, 1, 0, 0);
	ioasid_drain(ctx->set);
	expect_counts(test, ctx->set, 0, 0, 0);
}

static struct kunit_case ioasid_races_cases[] = {
	KUNIT_CASE_SLOW(race_lookups_agree_with_a_model),
	KUNIT_CASE_SLOW(race_of_everything_loses_nothing),
	KUNIT_CASE_SLOW(race_of_subscribers_keeps_the_order),
	KUNIT_CASE_SLOW(race_of_sets_leaves_none),
	KUNIT_CASE_SLOW(race_for_numbers_finds_one_that_is_free),
	KUNIT_CASE_SLOW(all_numbers_can_be_had_once),
	{}
};

IOASID_KUNIT_SUITE(races);
