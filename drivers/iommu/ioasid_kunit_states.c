// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOASID sets: tests of states, references, SPIDs and lookups.
 */
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "ioasid_kunit.h"

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
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID, ioasid_spid(ctx->other, id));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
			ioasid_find_by_spid(ctx->other, 5));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
			ioasid_get_by_spid(ctx->other, 5));
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
	static const ioasid_t ids[] = { 0, IOASID_MAX + 1, IOMMU_PASID_INVALID };
	struct ioasid_test *ctx = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_get(ctx->set, ids[i]));
		ioasid_put(NULL, ids[i]);
		expect_surplus_puts(test, 1);
		KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_free(ctx->set, ids[i]));
		KUNIT_EXPECT_EQ(test, -ENOENT, PTR_ERR(ioasid_find(NULL, ids[i])));
		KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
				ioasid_spid(ctx->set, ids[i]));
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

	KUNIT_ASSERT_EQ(test, 0,
			alloc_id(ctx->set, IOMMU_FIRST_GLOBAL_PASID, IOASID_MAX,
				 &data, &id));
	KUNIT_EXPECT_PTR_EQ(test, ioasid_find(ctx->set, id), (void *)&data);
}

static void freed_ioasid_does_not_exist(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc_spid(test, ctx->set, 5);

	/* The reference keeps the IOASID FREE_PENDING after the free. */
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, id));
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_free(ctx->set, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_get(ctx->set, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_get(NULL, id));
	KUNIT_EXPECT_EQ(test, -ENOENT, PTR_ERR(ioasid_find(ctx->set, id)));
	KUNIT_EXPECT_EQ(test, -ENOENT, ioasid_attach_spid(ctx->set, id, 6));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID, ioasid_spid(ctx->set, id));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
			ioasid_find_by_spid(ctx->set, 5));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID, ioasid_get_by_spid(ctx->set, 5));
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
		KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
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

/* Return the text of a file in debugfs. */
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

/*
 * Expect a header line and a line for @id only.  Return the rest of that line,
 * after the age.
 */
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
			ioasid_attach_spid(ctx->set, id, IOMMU_PASID_INVALID));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
			ioasid_find_by_spid(ctx->set, IOASID_MAX + 1));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
			ioasid_find_by_spid(ctx->set, IOMMU_PASID_INVALID));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
			ioasid_get_by_spid(ctx->set, IOMMU_PASID_INVALID));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID, ioasid_spid(ctx->set, id));
}

static void spid_is_unique_in_its_set(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t a = must_alloc_spid(test, ctx->set, 3);
	ioasid_t b = must_alloc(test, ctx->set);

	KUNIT_EXPECT_EQ(test, -EEXIST, ioasid_attach_spid(ctx->set, b, 3));
	KUNIT_EXPECT_EQ(test, -EEXIST, ioasid_attach_spid(ctx->set, a, 3));
	KUNIT_EXPECT_EQ(test, a, ioasid_find_by_spid(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID, ioasid_spid(ctx->set, b));
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
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
			ioasid_find_by_spid(ctx->set, 4));
}

static void free_takes_the_spid_at_once(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t a = must_alloc_spid(test, ctx->set, 3);
	ioasid_t b = must_alloc(test, ctx->set);

	/* A neighbour, so that this SPID is not the last of the set */
	must_alloc_spid(test, ctx->set, 5);

	/* Even with a reference on the number, the SPID can be attached. */
	KUNIT_ASSERT_EQ(test, 0, ioasid_get(ctx->set, a));
	KUNIT_EXPECT_EQ(test, 0, ioasid_free(ctx->set, a));
	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID,
			ioasid_find_by_spid(ctx->set, 3));
	KUNIT_EXPECT_EQ(test, 0, ioasid_attach_spid(ctx->set, b, 3));
	KUNIT_EXPECT_EQ(test, b, ioasid_find_by_spid(ctx->set, 3));
	ioasid_put(ctx->set, a);
	KUNIT_EXPECT_EQ(test, b, ioasid_find_by_spid(ctx->set, 3));
}

static void look_up_by_spid_can_take_a_reference(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t id = must_alloc_spid(test, ctx->set, 3);

	KUNIT_EXPECT_EQ(test, IOMMU_PASID_INVALID, ioasid_get_by_spid(ctx->set, 4));
	KUNIT_EXPECT_EQ(test, id, ioasid_get_by_spid(ctx->set, 3));
	must_free(test, ctx->set, id);
	expect_counts(test, ctx->set, 0, 1, 0);
	ioasid_put(ctx->set, id);
	expect_counts(test, ctx->set, 0, 0, 0);
}

/*
 * The reference stays on the IOASID when the SPID is attached to another one.
 */
static void reference_by_spid_is_on_what_had_it(struct kunit *test)
{
	struct ioasid_test *ctx = test->priv;
	ioasid_t a = must_alloc_spid(test, ctx->set, 3);
	ioasid_t b = must_alloc(test, ctx->set), again;

	KUNIT_EXPECT_EQ(test, a, ioasid_get_by_spid(ctx->set, 3));
	must_free(test, ctx->set, a);
	KUNIT_EXPECT_EQ(test, 0, ioasid_attach_spid(ctx->set, b, 3));
	must_free(test, ctx->set, b);
	expect_counts(test, ctx->set, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, -ENOSPC, alloc_id(ctx->set, a, a, NULL, &again));
	KUNIT_EXPECT_EQ(test, 0, alloc_id(ctx->set, b, b, NULL, &again));
	ioasid_put(ctx->set, a);
	expect_counts(test, ctx->set, 1, 0, 0);
}

static struct kunit_case ioasid_states_cases[] = {
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
	KUNIT_CASE(free_takes_the_spid_at_once),
	KUNIT_CASE(look_up_by_spid_can_take_a_reference),
	KUNIT_CASE(reference_by_spid_is_on_what_had_it),
	{}
};

IOASID_KUNIT_SUITE(states);
