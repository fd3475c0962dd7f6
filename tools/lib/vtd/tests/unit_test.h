/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the unit tests of both roles have in common: the list of a file's tests,
 * which all take a world that its harness makes, and descriptors to queue.
 */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include "model.h"

struct world;

struct test {
	const char *name;
	void (*run)(struct world *w);
	struct test *next;
};

void test_register(struct test *t);
void test_fail(const char *file, int line, const char *what);
void test_fail_eq(const char *file, int line, const char *a, u64 av,
		  const char *b, u64 bv);

#define TEST(fn, text)							\
	static void run_##fn(struct world *w);				\
	static struct test test_##fn = { text, run_##fn, NULL };	\
	static void __attribute__((constructor)) add_##fn(void)	\
	{								\
		test_register(&test_##fn);				\
	}								\
	static void run_##fn(struct world *w)

#define EXPECT(cond)							\
	do {								\
		if (!(cond))						\
			test_fail(__FILE__, __LINE__, #cond);		\
	} while (0)

#define EXPECT_EQ(a, b)							\
	do {								\
		u64 a_ = (a);						\
		u64 b_ = (b);						\
									\
		if (a_ != b_)						\
			test_fail_eq(__FILE__, __LINE__, #a, a_, #b, b_); \
	} while (0)

/*
 * Run the tests that have argv[1] in their name, or all, each with @w between
 * @begin and @end.  The status to exit with.
 */
int test_run(int argc, char **argv, struct world *w,
	     void (*begin)(struct world *w), void (*end)(struct world *w));

/* Quadword 0 of descriptors */
u64 d_context(u32 g, u16 sid, u32 fm);
u64 d_pasid_cache(u32 g, u16 did, u32 pasid);
u64 d_iotlb(u32 g, u16 did);
u64 d_piotlb(u32 g, u16 did, u32 pasid);
u64 d_devtlb(u16 sid);
u64 d_pdevtlb(u16 sid, u32 pasid);
u64 d_wait(u64 flags, u32 data);

#endif /* UNIT_TEST_H */
