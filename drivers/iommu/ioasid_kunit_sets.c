// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOASID sets: tests of their lifetime, limits and numbers.
 */
#include <kunit/static_stub.h>
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "ioasid_kunit.h"

/*
 * Sets
 */

static void last_put_of_set_frees_what_it_has(struct kunit *test)
{
	struct ioasid_set *set = new_set(2);
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

/* The memory of the set stays valid as long as a reference on @held exists. */
static void set_without_users_allocates_nothing(struct kunit *test)
{
	struct ioasid_set *set = new_set(9);
	ioasid_t held, id;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, set);
	KUNIT_ASSERT_EQ(test, 0, ioasid_alloc(set, 100, 100, NULL, &held));
	ioasid_set_put(set);
	KUNIT_EXPECT_FALSE(test, ioasid_set_get(set));
	KUNIT_EXPECT_EQ(test, -ENODEV, alloc_any(set, &id));
	ioasid_put(NULL, held);
}

/* Set whose last put happens in an allocation, after the charge */
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
	struct ioasid_set *set = new_set(9);
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

static void set_takes_a_token_of_a_known_type(struct kunit *test)
{
	int token;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(ioasid_set_alloc(&token, 1, IOASID_SET_TYPE_FILE + 1)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_FILE)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(ioasid_set_alloc(&token, 1, -1)));
}

#ifdef CONFIG_MODULE_UNLOAD
/* A set drops its module reference when it is freed, which happens later. */
static void expect_refcount(struct kunit *test, struct module *owner, int count)
{
	unsigned long deadline = jiffies + PATIENCE;

	while (module_refcount(owner) != count && time_before(jiffies, deadline))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, module_refcount(owner), count);
}

/* Return the reference count once the sets of earlier tests are freed. */
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
	set = new_set(1);
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
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(ctx->set, &id));
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
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(ctx->set, &id));
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
	struct ioasid_set *set = new_set(0);
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
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_any(ctx->set, &id));
	expect_counts(test, ctx->set, 1, 0, 0);

	/* No quota can exceed the ceiling. */
	KUNIT_EXPECT_EQ(test, -ENOSPC, ioasid_set_adjust(ctx->set, 4));
	KUNIT_EXPECT_EQ(test, -ENOSPC, PTR_ERR(new_set(4)));
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

/* Let the current task run as user @uid until as_root(). */
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

/* Likewise in a namespace of @owner, until as_root_from_namespace(). */
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

static int alloc_another(struct ioasid_set *set)
{
	ioasid_t id;

	return alloc_any(set, &id);
}

static void user_has_one_limit_for_all_its_sets(struct kunit *test)
{
	struct ioasid_set *sets[17], *theirs;
	struct disguise user;
	int i;

	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_USER_LIMIT, 3));
	as_user(test, &user, 1000);
	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		sets[i] = new_set(0);
		KUNIT_EXPECT_FALSE(test, IS_ERR(sets[i]));
		KUNIT_EXPECT_EQ(test, i < 3 ? 0 : -ENOSPC, alloc_another(sets[i]));
	}
	as_root(&user);

	as_user(test, &user, 1001);
	theirs = new_set(0);
	KUNIT_EXPECT_EQ(test, 0, alloc_another(theirs));
	/* IOASIDs are charged to the user of the set, not of the task. */
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_another(sets[0]));
	as_root(&user);

	ioasid_free_all(sets[0]);
	ioasid_drain(sets[0]);
	as_user(test, &user, 1000);
	KUNIT_EXPECT_EQ(test, 0, alloc_another(sets[16]));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_another(sets[16]));
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
	first = new_set(0);
	KUNIT_EXPECT_EQ(test, 0, alloc_another(first));
	as_root_from_namespace(&user);
	as_user_in_namespace(test, &user, 100001, 1000);
	second = new_set(0);
	KUNIT_EXPECT_EQ(test, 0, alloc_another(second));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_another(second));
	as_root_from_namespace(&user);
	as_user_in_namespace(test, &user, 100000, 1001);
	theirs = new_set(0);
	KUNIT_EXPECT_EQ(test, 0, alloc_another(theirs));
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
	set = new_set(0);
	KUNIT_EXPECT_EQ(test, 0, alloc_id(set, 50, 50, NULL, &id));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(set, 50, 50, NULL, &id));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(set, 50, 50, NULL, &id));
	KUNIT_EXPECT_EQ(test, 0, alloc_another(set));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_another(set));
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
		KUNIT_EXPECT_EQ(test, 0, alloc_another(ctx->set));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_another(ctx->set));
}

/* The default limit is half of the numbers that the host does not reserve. */
static void user_has_a_limit_by_default(struct kunit *test)
{
	struct ioasid_set *set;
	struct disguise user;
	int i;

	KUNIT_ASSERT_EQ(test, 0, ioasid_limit(IOASID_USER_LIMIT));
	KUNIT_ASSERT_EQ(test, 0, ioasid_set_limit(IOASID_HOST_RESERVE, IOASID_MAX - 8));
	as_user(test, &user, 1000);
	set = new_set(0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, alloc_another(set));
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_another(set));
	as_root(&user);
	ioasid_set_put(set);
}

/*
 * Half of all numbers are reserved, and so are seven of the fifteen numbers
 * that a device with four PASID bits can use.
 */
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

static int alloc_up_to(struct ioasid_set *set, ioasid_t max, ioasid_t *id)
{
	return alloc_id(set, IOMMU_FIRST_GLOBAL_PASID, max, NULL, id);
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
	KUNIT_ASSERT_EQ(test, 0, alloc_up_to(ctx->set, 299, &id));
	KUNIT_EXPECT_LT(test, id, 200);
	KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, 200, IOASID_MAX, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, 230);
	KUNIT_ASSERT_EQ(test, 0, alloc_id(ctx->set, 201, 299, NULL, &id));
	KUNIT_EXPECT_EQ(test, id, 250);
}

/* Numbers that were allocated and freed before do not use up low numbers. */
static void narrow_device_finds_a_number_after_many(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;
	int i;

	for (i = 0; i < 40; i++)
		must_free(test, ctx->set, must_alloc(test, ctx->set));
	KUNIT_EXPECT_EQ(test, 0, alloc_up_to(ctx->set, 31, &id));
}

/* However many IOASIDs exist, half of the eight-bit numbers are left. */
static void narrow_device_finds_a_number_beside_many(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;
	int i;

	for (i = 0; i < 300; i++)
		must_alloc(test, ctx->set);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, 0, alloc_up_to(ctx->set, 255, &id));
}

static void wide_callers_get_narrow_numbers_when_no_others_are_free(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id;
	int i;

	/* 255 has eight bits, 256 has nine */
	for (i = 0; i < 200; i++)
		KUNIT_ASSERT_EQ(test, 0, alloc_up_to(ctx->set, 256, &id));
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

static struct kunit_case ioasid_sets_cases[] = {
	KUNIT_CASE(set_takes_a_token_of_a_known_type),
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
	{}
};

IOASID_KUNIT_SUITE(sets);
