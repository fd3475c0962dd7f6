// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what needs no kernel: guest RAM and the page-table builder.  Prints
 * one line for each rule; the exit status says whether all of them hold.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gvm.h"

#define RAM_GPA		0x40000000ULL
#define RAM_SIZE	(8 * GVM_SZ_2M)

static int passed, failed, broken;

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		printf("  %s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		broken++;						\
	}								\
} while (0)

static void report(const char *rule, int before)
{
	bool ok = broken == before;

	printf("%s %s\n", ok ? "ok    " : "not ok", rule);
	if (ok)
		passed++;
	else
		failed++;
}

static __u64 pages_free(struct gvm_ram *ram)
{
	__u64 i, n = 0;

	for (i = 0; i < ram->size / GVM_SZ_4K; i++)
		n += !(ram->used[i / 64] >> (i % 64) & 1);
	return n;
}

static void ram_is_inside_its_slot(struct gvm_ram *ram)
{
	CHECK(gvm_ram_ptr(ram, RAM_GPA, 1) == ram->hva);
	CHECK(gvm_ram_ptr(ram, RAM_GPA, RAM_SIZE) == ram->hva);
	CHECK(!gvm_ram_ptr(ram, RAM_GPA, RAM_SIZE + 1));
	CHECK(!gvm_ram_ptr(ram, RAM_GPA - 1, 1));
	CHECK(!gvm_ram_ptr(ram, RAM_GPA + RAM_SIZE, 1));
	CHECK(!gvm_ram_ptr(ram, RAM_GPA + 4096, ~0ULL));
	CHECK(!gvm_ram_ptr(ram, ~0ULL, 4096));
}

static void ram_pages_are_zero_aligned_and_given_once(struct gvm_ram *ram)
{
	__u64 before = pages_free(ram);
	__u64 a = gvm_ram_alloc_page(ram);
	__u64 b = gvm_ram_alloc(ram, GVM_SZ_2M, GVM_SZ_2M);
	__u64 c = gvm_ram_alloc(ram, 3 * GVM_SZ_4K, GVM_SZ_4K);
	char *page = gvm_ram_ptr(ram, a, GVM_SZ_4K);

	CHECK(a && b && c && page);
	CHECK(!(b & (GVM_SZ_2M - 1)));
	CHECK(pages_free(ram) == before - 1 - 512 - 3);
	CHECK(!gvm_ram_alloc(ram, RAM_SIZE, GVM_SZ_4K));
	CHECK(!gvm_ram_alloc(ram, 2 * RAM_SIZE, GVM_SZ_4K));
	CHECK(!gvm_ram_alloc(ram, GVM_SZ_4K, 3000));
	memset(page, 0xff, GVM_SZ_4K);
	gvm_ram_free(ram, a, GVM_SZ_4K);
	gvm_ram_free(ram, b, GVM_SZ_2M);
	gvm_ram_free(ram, c, 3 * GVM_SZ_4K);
	CHECK(pages_free(ram) == before);
	ram->next = 0;
	a = gvm_ram_alloc_page(ram);
	page = gvm_ram_ptr(ram, a, GVM_SZ_4K);
	CHECK(!page[0] && !page[4095]);
	gvm_ram_free(ram, a, GVM_SZ_4K);
}

static void ram_page_zero_is_never_given(struct gvm_ram *other)
{
	struct gvm_ram ram;
	int i;

	CHECK(other->gpa);
	CHECK(!gvm_ram_init(&ram, 0, 4 * GVM_SZ_4K, false));
	for (i = 0; i < 3; i++)
		CHECK(gvm_ram_alloc_page(&ram));
	CHECK(!gvm_ram_alloc_page(&ram));
	gvm_ram_exit(&ram);
	gvm_ram_exit(&ram);
	CHECK(gvm_ram_init(&ram, 1, GVM_SZ_4K, false) == -EINVAL);
	CHECK(gvm_ram_init(&ram, 0, 0, false) == -EINVAL);
}

static void one_page(struct gvm_ram *ram, unsigned int levels, __u64 leaf,
		     __u64 va)
{
	__u64 gpa = 5 * leaf, got = 0, size = 0;
	struct gvm_pt pt;
	__u64 *entry;

	CHECK(!gvm_pt_init(&pt, ram, levels));
	CHECK(gvm_pt_translate(&pt, va, &got) == -ENOENT);
	CHECK(!gvm_pt_map(&pt, va, gpa, leaf, leaf, GVM_PT_RW));
	CHECK(!gvm_pt_translate(&pt, va + leaf - 1, &got));
	CHECK(got == gpa + leaf - 1);
	entry = gvm_pt_leaf(&pt, va, &size);
	CHECK(entry && size == leaf);
	CHECK(entry && *entry == (gpa | GVM_PT_P | GVM_PT_W | GVM_PT_U |
				  (leaf > GVM_SZ_4K ? GVM_PT_PS : 0)));
	CHECK(gvm_pt_map(&pt, va, gpa, leaf, leaf, GVM_PT_RW) == -EEXIST);
	CHECK(gvm_pt_translate(&pt, va - 1, &got));
	CHECK(gvm_pt_translate(&pt, va + leaf, &got));
	CHECK(!gvm_pt_unmap(&pt, va, leaf));
	CHECK(gvm_pt_translate(&pt, va, &got) == -ENOENT);
	gvm_pt_exit(&pt);
}

static void pages_of_each_size_at_each_depth(struct gvm_ram *ram)
{
	static const __u64 leaf[] = { GVM_SZ_4K, GVM_SZ_2M, GVM_SZ_1G };
	static const __u64 va[] = {
		GVM_SZ_1G, 0x7fff80000000ULL, 0xffff800040000000ULL,
		0xffffffff80000000ULL,
	};
	__u64 before = pages_free(ram);
	unsigned int levels, i, j;

	for (levels = 4; levels <= 5; levels++)
		for (i = 0; i < 3; i++)
			for (j = 0; j < 4; j++)
				one_page(ram, levels, leaf[i], va[j]);
	CHECK(pages_free(ram) == before);
}

static void addresses_not_canonical_are_refused(struct gvm_ram *ram)
{
	struct gvm_pt pt4, pt5;
	__u64 hole = 1ULL << 47;
	__u64 got;

	CHECK(!gvm_pt_init(&pt4, ram, 4));
	CHECK(!gvm_pt_init(&pt5, ram, 5));
	CHECK(gvm_pt_map(&pt4, hole, 0, 4096, GVM_SZ_4K, 0) == -EINVAL);
	CHECK(gvm_pt_map(&pt4, hole - 4096, 0, 8192, GVM_SZ_4K, 0) == -EINVAL);
	CHECK(!gvm_pt_map(&pt5, hole - 4096, 0, 8192, GVM_SZ_4K, 0));
	CHECK(gvm_pt_map(&pt5, 1ULL << 56, 0, 4096, GVM_SZ_4K, 0) == -EINVAL);
	CHECK(gvm_pt_map(&pt4, -4096ULL, 0, 8192, GVM_SZ_4K, 0) == -EINVAL);
	CHECK(!gvm_pt_map(&pt4, -4096ULL, 0, 4096, GVM_SZ_4K, 0));
	CHECK(gvm_pt_translate(&pt4, hole, &got) == -ENOENT);
	gvm_pt_exit(&pt4);
	gvm_pt_exit(&pt5);
}

static void bad_arguments_are_refused(struct gvm_ram *ram)
{
	struct gvm_pt pt;

	CHECK(gvm_pt_init(&pt, ram, 3) == -EINVAL);
	CHECK(!gvm_pt_init(&pt, ram, 4));
	CHECK(gvm_pt_map(&pt, 4095, 0, 4096, GVM_SZ_4K, 0) == -EINVAL);
	CHECK(gvm_pt_map(&pt, 4096, 1, 4096, GVM_SZ_4K, 0) == -EINVAL);
	CHECK(gvm_pt_map(&pt, 4096, 0, 4096, GVM_SZ_2M, 0) == -EINVAL);
	CHECK(gvm_pt_map(&pt, 4096, 0, 4096, 8192, 0) == -EINVAL);
	CHECK(gvm_pt_map(&pt, 4096, 0, 0, GVM_SZ_4K, 0) == -EINVAL);
	CHECK(gvm_pt_map(&pt, 4096, 0, 4096, GVM_SZ_4K, GVM_PT_PS) == -EINVAL);
	CHECK(gvm_pt_map(&pt, 4096, 1ULL << 52, 4096, GVM_SZ_4K, 0) == -EINVAL);
	CHECK(gvm_pt_unmap(&pt, 4096, 100) == -EINVAL);
	CHECK(pt.tables == 1);
	gvm_pt_exit(&pt);
}

static void a_failed_map_leaves_nothing(struct gvm_ram *ram)
{
	__u64 va = 0x400000, got;
	struct gvm_ram small;
	struct gvm_pt pt;

	CHECK(!gvm_pt_init(&pt, ram, 4));
	CHECK(!gvm_pt_map(&pt, va + 8192, 0, 4096, GVM_SZ_4K, 0));
	CHECK(gvm_pt_map(&pt, va, 0, 16384, GVM_SZ_4K, 0) == -EEXIST);
	CHECK(gvm_pt_translate(&pt, va, &got) == -ENOENT);
	CHECK(!gvm_pt_translate(&pt, va + 8192, &got));
	CHECK(gvm_pt_map(&pt, 0, 0, 8 * GVM_SZ_2M, GVM_SZ_2M, 0) == -EEXIST);
	CHECK(gvm_pt_translate(&pt, 0, &got) == -ENOENT);
	gvm_pt_exit(&pt);

	/* Room for the root and three tables: one 2 MiB reach, not two. */
	CHECK(!gvm_ram_init(&small, RAM_GPA, 4 * GVM_SZ_4K, false));
	CHECK(!gvm_pt_init(&pt, &small, 4));
	CHECK(gvm_pt_map(&pt, GVM_SZ_2M - 4096, 0, 8192, GVM_SZ_4K, 0) == -ENOMEM);
	CHECK(gvm_pt_translate(&pt, GVM_SZ_2M - 4096, &got) == -ENOENT);
	gvm_pt_exit(&pt);
	CHECK(pages_free(&small) == 4);
	gvm_ram_exit(&small);
}

static void an_unmap_skips_holes_and_splits_nothing(struct gvm_ram *ram)
{
	__u64 va = GVM_SZ_1G, got;
	struct gvm_pt pt;

	CHECK(!gvm_pt_init(&pt, ram, 4));
	CHECK(!gvm_pt_map(&pt, va, 0, GVM_SZ_2M, GVM_SZ_2M, 0));
	CHECK(!gvm_pt_map(&pt, va + 2 * GVM_SZ_2M, 0, 4096, GVM_SZ_4K, 0));
	CHECK(gvm_pt_unmap(&pt, va + 4096, 4096) == -EINVAL);
	CHECK(gvm_pt_unmap(&pt, va - 4096, 8192) == -EINVAL);
	CHECK(gvm_pt_unmap(&pt, va + 4096, 2 * GVM_SZ_2M) == -EINVAL);
	CHECK(!gvm_pt_translate(&pt, va + 2 * GVM_SZ_2M, &got));
	CHECK(!gvm_pt_unmap(&pt, 0, 1ULL << 47));
	CHECK(gvm_pt_translate(&pt, va, &got) == -ENOENT);
	CHECK(gvm_pt_translate(&pt, va + 2 * GVM_SZ_2M, &got) == -ENOENT);
	gvm_pt_exit(&pt);
}

static void bits_and_addresses_of_a_leaf_can_change(struct gvm_ram *ram)
{
	__u64 va = 0x12345000, got;
	struct gvm_pt pt;
	__u64 *entry;

	CHECK(!gvm_pt_init(&pt, ram, 4));
	CHECK(!gvm_pt_map(&pt, va, 0x7000, 8192, GVM_SZ_4K, GVM_PT_RW));
	entry = gvm_pt_leaf(&pt, va + 4096, NULL);
	CHECK(entry);
	CHECK(!gvm_pt_change(&pt, va, 8192, GVM_PT_XD, GVM_PT_W));
	CHECK(*entry == (0x8000 | GVM_PT_P | GVM_PT_U | GVM_PT_XD));
	*entry |= GVM_PT_A | GVM_PT_D;
	CHECK(!gvm_pt_move(&pt, va + 4096, 0xabc000));
	CHECK(*entry == (0xabc000 | GVM_PT_P | GVM_PT_U | GVM_PT_XD));
	CHECK(!gvm_pt_translate(&pt, va + 4100, &got) && got == 0xabc004);
	CHECK(gvm_pt_move(&pt, va - 4096, 0x1000) == -ENOENT);
	CHECK(gvm_pt_move(&pt, va, 0x1001) == -EINVAL);
	gvm_pt_exit(&pt);
}

static void random_tables_translate_as_told(struct gvm_ram *ram)
{
	__u64 before = pages_free(ram), got, va, gpa;
	struct gvm_pt pt;
	int i, n = 2000;

	CHECK(!gvm_pt_init(&pt, ram, 5));
	srand(1);
	for (i = 0; i < n; i++) {
		va = ((__u64)i * 0x9e3779b1 % n) << 20;
		gpa = (__u64)i << 12;
		CHECK(!gvm_pt_map(&pt, va, gpa, 4096, GVM_SZ_4K, GVM_PT_RW));
	}
	for (i = 0; i < n; i++) {
		va = ((__u64)i * 0x9e3779b1 % n) << 20;
		CHECK(!gvm_pt_translate(&pt, va, &got));
		CHECK(got == (__u64)i << 12);
	}
	gvm_pt_exit(&pt);
	CHECK(pages_free(ram) == before);
}

static struct gvm_ram ram;

#define RULE(fn) { #fn, fn }

int main(void)
{
	static const struct {
		const char *name;
		void (*fn)(struct gvm_ram *ram);
	} rules[] = {
		RULE(ram_is_inside_its_slot),
		RULE(ram_pages_are_zero_aligned_and_given_once),
		RULE(ram_page_zero_is_never_given),
		RULE(pages_of_each_size_at_each_depth),
		RULE(addresses_not_canonical_are_refused),
		RULE(bad_arguments_are_refused),
		RULE(a_failed_map_leaves_nothing),
		RULE(an_unmap_skips_holes_and_splits_nothing),
		RULE(bits_and_addresses_of_a_leaf_can_change),
		RULE(random_tables_translate_as_told),
	};
	unsigned int i;
	int before;

	if (gvm_ram_init(&ram, RAM_GPA, RAM_SIZE, false)) {
		fprintf(stderr, "no memory for the guest\n");
		return 1;
	}
	for (i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		before = broken;
		rules[i].fn(&ram);
		report(rules[i].name, before);
	}
	gvm_ram_exit(&ram);
	printf("libgpasid: %d passed, %d failed\n", passed, failed);
	return failed ? 1 : 0;
}
