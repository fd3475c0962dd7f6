// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest RAM: one memfd, mapped here, and a map of the pages in use.
 *
 * A VMM's guest hands out its own pages.  The allocator stands in for that
 * guest in tests and examples; a VMM only wants gvm_ram_ptr().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gvm.h"

#define BITS_PER_LONG	(8 * sizeof(unsigned long))

#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB	(21U << 26)
#endif

static bool page_used(const struct gvm_ram *ram, __u64 page)
{
	return ram->used[page / BITS_PER_LONG] >> (page % BITS_PER_LONG) & 1;
}

static void page_mark(struct gvm_ram *ram, __u64 page, bool used)
{
	unsigned long bit = 1UL << (page % BITS_PER_LONG);

	if (used)
		ram->used[page / BITS_PER_LONG] |= bit;
	else
		ram->used[page / BITS_PER_LONG] &= ~bit;
}

static int ram_memory(struct gvm_ram *ram, bool hugetlb)
{
	unsigned int flags = MFD_CLOEXEC;
	int rc;

	if (hugetlb)
		flags |= MFD_HUGETLB | MFD_HUGE_2MB;
	ram->memfd = memfd_create("guest-ram", flags);
	if (ram->memfd < 0)
		return -errno;
	if (ftruncate(ram->memfd, ram->size))
		goto err;
	ram->hva = mmap(NULL, ram->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			ram->memfd, 0);
	if (ram->hva != MAP_FAILED)
		return 0;
err:
	rc = -errno;
	close(ram->memfd);
	return rc;
}

int gvm_ram_init(struct gvm_ram *ram, __u64 gpa, __u64 size, bool hugetlb)
{
	__u64 unit = hugetlb ? GVM_SZ_2M : GVM_SZ_4K;
	int rc;

	memset(ram, 0, sizeof(*ram));
	ram->memfd = -1;
	if (!size || (gpa | size) & (unit - 1))
		return -EINVAL;
	ram->gpa = gpa;
	ram->size = size;
	ram->used = calloc(size / GVM_SZ_4K / BITS_PER_LONG + 1, sizeof(long));
	if (!ram->used)
		return -ENOMEM;
	rc = ram_memory(ram, hugetlb);
	if (rc) {
		free(ram->used);
		memset(ram, 0, sizeof(*ram));
		ram->memfd = -1;
		return rc;
	}
	/* 0 means "no page" to callers. */
	if (!gpa)
		page_mark(ram, 0, true);
	return 0;
}

void gvm_ram_exit(struct gvm_ram *ram)
{
	if (!ram->used)
		return;
	munmap(ram->hva, ram->size);
	close(ram->memfd);
	free(ram->used);
	memset(ram, 0, sizeof(*ram));
	ram->memfd = -1;
}

void *gvm_ram_ptr(const struct gvm_ram *ram, __u64 gpa, __u64 len)
{
	if (gpa < ram->gpa || gpa - ram->gpa > ram->size ||
	    len > ram->size - (gpa - ram->gpa))
		return NULL;
	return (char *)ram->hva + (gpa - ram->gpa);
}

/* First page at or after @from of a run of @n free ones, or @end. */
static __u64 find_run(const struct gvm_ram *ram, __u64 from, __u64 n,
		      __u64 step, __u64 end)
{
	__u64 base = ram->gpa / GVM_SZ_4K;
	__u64 page, i;

	page = (base + from + step - 1) / step * step - base;
	for (; page + n <= end; page += step) {
		for (i = 0; i < n && !page_used(ram, page + i); i++)
			;
		if (i == n)
			return page;
	}
	return end;
}

__u64 gvm_ram_alloc(struct gvm_ram *ram, __u64 size, __u64 align)
{
	__u64 n = (size + GVM_SZ_4K - 1) / GVM_SZ_4K;
	__u64 end = ram->size / GVM_SZ_4K;
	__u64 page, i;

	if (!n || n > end || align < GVM_SZ_4K || align & (align - 1))
		return 0;
	page = find_run(ram, ram->next, n, align / GVM_SZ_4K, end);
	if (page == end)
		page = find_run(ram, 0, n, align / GVM_SZ_4K, end);
	if (page == end)
		return 0;
	for (i = 0; i < n; i++)
		page_mark(ram, page + i, true);
	ram->next = page + n;
	memset((char *)ram->hva + page * GVM_SZ_4K, 0, n * GVM_SZ_4K);
	return ram->gpa + page * GVM_SZ_4K;
}

__u64 gvm_ram_alloc_page(struct gvm_ram *ram)
{
	return gvm_ram_alloc(ram, GVM_SZ_4K, GVM_SZ_4K);
}

void gvm_ram_free(struct gvm_ram *ram, __u64 gpa, __u64 size)
{
	__u64 page;

	if (!gpa || !size || !gvm_ram_ptr(ram, gpa, size))
		return;
	for (page = (gpa - ram->gpa) / GVM_SZ_4K;
	     page * GVM_SZ_4K < gpa - ram->gpa + size; page++)
		page_mark(ram, page, false);
}
