// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>
#include <string.h>
#include "unit_test.h"

static struct test *tests;
static struct test **tests_tail = &tests;
static bool failed;

void test_register(struct test *t)
{
	*tests_tail = t;
	tests_tail = &t->next;
}

void test_fail(const char *file, int line, const char *what)
{
	printf("# %s:%d: expected %s\n", file, line, what);
	failed = true;
}

void test_fail_eq(const char *file, int line, const char *a, u64 av,
		  const char *b, u64 bv)
{
	printf("# %s:%d: %s is %#llx, %s is %#llx\n", file, line, a, av, b, bv);
	failed = true;
}

int test_run(int argc, char **argv, struct world *w,
	     void (*begin)(struct world *w), void (*end)(struct world *w))
{
	int nr = 0, bad = 0;
	struct test *t;

	for (t = tests; t; t = t->next) {
		if (argc > 1 && !strstr(t->name, argv[1]))
			continue;
		failed = false;
		begin(w);
		t->run(w);
		end(w);
		printf("%sok %d %s\n", failed ? "not " : "", ++nr, t->name);
		fflush(stdout);
		bad += failed;
	}
	printf("1..%d\n", nr);
	return !!bad;
}

u64 d_context(u32 g, u16 sid, u32 fm)
{
	return INV_CONTEXT | g << 4 | (u64)sid << 32 | (u64)fm << 48;
}

u64 d_pasid_cache(u32 g, u16 did, u32 pasid)
{
	return INV_PASID_CACHE | g << 4 | (u64)did << 16 | (u64)pasid << 32;
}

u64 d_iotlb(u32 g, u16 did)
{
	return INV_IOTLB | g << 4 | (u64)did << 16;
}

u64 d_piotlb(u32 g, u16 did, u32 pasid)
{
	return INV_PIOTLB | g << 4 | (u64)did << 16 | (u64)pasid << 32;
}

u64 d_devtlb(u16 sid)
{
	return INV_DEVTLB | (u64)sid << 32;
}

u64 d_pdevtlb(u16 sid, u32 pasid)
{
	return INV_PDEVTLB | (u64)sid << 16 | (u64)pasid << 32;
}

u64 d_wait(u64 flags, u32 data)
{
	return INV_WAIT | flags | (u64)data << 32;
}
