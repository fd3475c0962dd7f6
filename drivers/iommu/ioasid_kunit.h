/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations shared by the KUnit suites of IOASID sets, see
 * ioasid_kunit_fixture.c.
 */
#ifndef _IOASID_KUNIT_H
#define _IOASID_KUNIT_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/ioasid.h>
#include <linux/spinlock.h>

#include "ioasid_priv.h"

/* How long to wait for something that must happen */
#define PATIENCE	(20 * HZ)
/* How long to watch for something that must not happen */
#define A_WHILE		msecs_to_jiffies(100)
#define RACE_TIME	(5 * HZ)
/* How many steps each thread must take, on average, for a race to be valid */
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
	ioasid_t first;		/* if set: recorded as 0, other IOASIDs as 1 */
	struct ioasid_event_info last;
	void *args[8];		/* arg of each event */
	unsigned int nr_args;
	bool stops;
	enum ioasid_event stops_at;
	struct completion stopped;
	struct completion go_on;
	int (*inside)(const struct ioasid_event_info *info);
	int inside_ret;
};

struct deed {
	int (*fn)(struct deed *deed);
	struct ioasid_set *set;
	struct subscriber *sub;
	ioasid_t id;
	void *arg;
	int ret;
	struct completion done;
};

struct ioasid_set *new_set(u32 quota);
int alloc_id(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *data,
	     ioasid_t *id);
void expect_counts(struct kunit *test, struct ioasid_set *set,
		   u32 active, u32 free_pending, u32 spids);
void expect_surplus_puts(struct kunit *test, unsigned int count);
int alloc_any(struct ioasid_set *set, ioasid_t *id);
ioasid_t must_alloc(struct kunit *test, struct ioasid_set *set);
ioasid_t must_alloc_spid(struct kunit *test, struct ioasid_set *set,
			 ioasid_t spid);
void must_free(struct kunit *test, struct ioasid_set *set, ioasid_t id);
void wait_for_total(struct kunit *test, u32 total);
int deed_alloc(struct deed *deed);
int deed_bind(struct deed *deed);
int deed_drain(struct deed *deed);
int deed_replay(struct deed *deed);
int deed_unbind(struct deed *deed);
int deed_unregister(struct deed *deed);
void expect_done(struct kunit *test, struct deed *deed);
void expect_not_done(struct kunit *test, struct deed *deed);
void start_deed(struct kunit *test, struct deed *deed);
void expect_events(struct kunit *test, struct record *rec,
		   const char *expected);
void expect_stopped(struct kunit *test, struct subscriber *sub);
struct record *new_record(struct kunit *test);
struct subscriber *new_subscriber(struct kunit *test, struct record *rec,
				  char name, enum ioasid_prio prio);
struct subscriber *subscribe(struct kunit *test, struct ioasid_set *set,
			     struct record *rec, char name,
			     enum ioasid_prio prio);
int ioasid_test_init(struct kunit *test);
void ioasid_test_exit(struct kunit *test);

/* All suites have the same fixture: two sets. */
#define IOASID_KUNIT_SUITE(_name)					\
static struct kunit_suite ioasid_##_name##_suite = {			\
	.name = "ioasid_" #_name,					\
	.init = ioasid_test_init,					\
	.exit = ioasid_test_exit,					\
	.test_cases = ioasid_##_name##_cases,				\
};									\
kunit_test_suite(ioasid_##_name##_suite)

#endif /* _IOASID_KUNIT_H */
