// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest process's page table, as the guest would build it in its own RAM:
 * x86 long-mode format, which is VT-d's first-stage format too.
 *
 * The IOMMU reads the tables while they are changed and sets accessed and dirty
 * bits in them, so every entry is read and written by one atomic access.
 */
#include <errno.h>
#include <string.h>

#include "gvm.h"

#define INDEX_BITS	9
#define PAGE_BITS	12

static unsigned int level_shift(unsigned int level)
{
	return PAGE_BITS + INDEX_BITS * (level - 1);
}

static __u64 level_size(unsigned int level)
{
	return 1ULL << level_shift(level);
}

static unsigned int leaf_level(__u64 leaf)
{
	switch (leaf) {
	case GVM_SZ_4K:
		return 1;
	case GVM_SZ_2M:
		return 2;
	case GVM_SZ_1G:
		return 3;
	}
	return 0;
}

static __u64 entry_get(const __u64 *entry)
{
	return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

static void entry_set(__u64 *entry, __u64 val)
{
	__atomic_store_n(entry, val, __ATOMIC_RELEASE);
}

/* The entry of @va in the table of @level at @table. */
static __u64 *entry_at(const struct gvm_pt *pt, __u64 table, unsigned int level,
		       __u64 va)
{
	__u64 *entries = gvm_ram_ptr(pt->ram, table, GVM_SZ_4K);
	unsigned int index = va >> level_shift(level) & 0x1ff;

	return entries ? entries + index : NULL;
}

/* Both ends of a range, and so all of it, in one half of the address space. */
static bool canonical(const struct gvm_pt *pt, __u64 va, __u64 size)
{
	unsigned int bits = PAGE_BITS + INDEX_BITS * pt->levels;
	__u64 last = va + size - 1;
	__u64 top = va >> (bits - 1);

	if (!size || last < va || top != last >> (bits - 1))
		return false;
	return !top || top == ~0ULL >> (bits - 1);
}

/*
 * Down to the entry of @va at @level, or to the leaf or the hole before it.
 * @level tells where the walk ended.
 */
static __u64 *walk(const struct gvm_pt *pt, __u64 va, unsigned int *level)
{
	__u64 *entry = entry_at(pt, pt->root, pt->levels, va);
	unsigned int at = pt->levels;
	__u64 val;

	while (entry && at > *level) {
		val = entry_get(entry);
		if (!(val & GVM_PT_P) || (val & GVM_PT_PS))
			break;
		entry = entry_at(pt, val & GVM_PT_ADDR, --at, va);
	}
	*level = at;
	return entry;
}

/* The entry of @va at @level, with the tables above it made where missing. */
static int walk_alloc(struct gvm_pt *pt, __u64 va, unsigned int level,
		      __u64 **out)
{
	unsigned int at = level;
	__u64 *entry = walk(pt, va, &at);
	__u64 table;

	while (entry && at > level) {
		if (entry_get(entry) & GVM_PT_P)
			return -EEXIST;
		table = gvm_ram_alloc_page(pt->ram);
		if (!table)
			return -ENOMEM;
		pt->tables++;
		entry_set(entry, table | GVM_PT_P | GVM_PT_W | GVM_PT_U);
		entry = entry_at(pt, table, --at, va);
	}
	if (!entry)
		return -EFAULT;
	*out = entry;
	return entry_get(entry) & GVM_PT_P ? -EEXIST : 0;
}

int gvm_pt_init(struct gvm_pt *pt, struct gvm_ram *ram, unsigned int levels)
{
	memset(pt, 0, sizeof(*pt));
	if (levels != 4 && levels != 5)
		return -EINVAL;
	pt->ram = ram;
	pt->levels = levels;
	pt->root = gvm_ram_alloc_page(ram);
	if (!pt->root)
		return -ENOMEM;
	pt->tables = 1;
	return 0;
}

static void free_table(struct gvm_pt *pt, __u64 table, unsigned int level)
{
	__u64 *entry = gvm_ram_ptr(pt->ram, table, GVM_SZ_4K);
	int i;

	if (!entry)
		return;
	for (i = 0; level > 1 && i < 512; i++)
		if ((entry[i] & (GVM_PT_P | GVM_PT_PS)) == GVM_PT_P)
			free_table(pt, entry[i] & GVM_PT_ADDR, level - 1);
	gvm_ram_free(pt->ram, table, GVM_SZ_4K);
	pt->tables--;
}

void gvm_pt_exit(struct gvm_pt *pt)
{
	if (pt->root)
		free_table(pt, pt->root, pt->levels);
	memset(pt, 0, sizeof(*pt));
}

int gvm_pt_map(struct gvm_pt *pt, __u64 va, __u64 gpa, __u64 size, __u64 leaf,
	       __u64 flags)
{
	unsigned int level = leaf_level(leaf);
	__u64 *entry;
	__u64 done;
	int rc;

	if (!level || (va | gpa | size) & (leaf - 1) ||
	    flags & (GVM_PT_ADDR | GVM_PT_PS) || !canonical(pt, va, size) ||
	    gpa + size < gpa || (gpa + size - 1) & ~(GVM_PT_ADDR | 0xfff))
		return -EINVAL;
	flags |= GVM_PT_P;
	if (level > 1)
		flags |= GVM_PT_PS;
	for (done = 0; done < size; done += leaf) {
		rc = walk_alloc(pt, va + done, level, &entry);
		if (rc) {
			if (done)
				gvm_pt_unmap(pt, va, done);
			return rc;
		}
		entry_set(entry, (gpa + done) | flags);
	}
	return 0;
}

static void leaf_change(__u64 *entry, __u64 set, __u64 clear)
{
	__u64 old = entry_get(entry);

	while (!__atomic_compare_exchange_n(entry, &old, (old & ~clear) | set,
					    false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE))
		;
}

/*
 * Change each leaf in [va, va + size), or with @dry only see whether that can
 * be done: a leaf that sticks out of the range is an error.
 */
static int change_leaves(struct gvm_pt *pt, __u64 va, __u64 size, __u64 set,
			 __u64 clear, bool dry)
{
	__u64 last = va + size - 1;
	unsigned int level;
	__u64 *entry;
	__u64 start;

	if ((va | size) & (GVM_SZ_4K - 1) || !canonical(pt, va, size))
		return -EINVAL;
	for (;;) {
		level = 1;
		entry = walk(pt, va, &level);
		if (!entry)
			return -EFAULT;
		start = va & ~(level_size(level) - 1);
		if (entry_get(entry) & GVM_PT_P) {
			if (start < va || last - start < level_size(level) - 1)
				return -EINVAL;
			if (!dry)
				leaf_change(entry, set, clear);
		}
		if (last - start < level_size(level))
			return 0;
		va = start + level_size(level);
	}
}

int gvm_pt_change(struct gvm_pt *pt, __u64 va, __u64 size, __u64 set,
		  __u64 clear)
{
	int rc = change_leaves(pt, va, size, set, clear, true);

	return rc ? rc : change_leaves(pt, va, size, set, clear, false);
}

int gvm_pt_unmap(struct gvm_pt *pt, __u64 va, __u64 size)
{
	return gvm_pt_change(pt, va, size, 0, ~0ULL);
}

__u64 *gvm_pt_leaf(const struct gvm_pt *pt, __u64 va, __u64 *leaf)
{
	unsigned int level = 1;
	__u64 *entry;

	if (!canonical(pt, va, 1))
		return NULL;
	entry = walk(pt, va, &level);
	if (!entry || !(entry_get(entry) & GVM_PT_P))
		return NULL;
	if (leaf)
		*leaf = level_size(level);
	return entry;
}

int gvm_pt_move(struct gvm_pt *pt, __u64 va, __u64 gpa)
{
	__u64 leaf;
	__u64 *entry = gvm_pt_leaf(pt, va, &leaf);

	if (!entry)
		return -ENOENT;
	if (gpa & (leaf - 1) || gpa & ~GVM_PT_ADDR)
		return -EINVAL;
	leaf_change(entry, gpa, GVM_PT_ADDR | GVM_PT_A | GVM_PT_D);
	return 0;
}

int gvm_pt_translate(const struct gvm_pt *pt, __u64 va, __u64 *gpa)
{
	__u64 leaf;
	__u64 *entry = gvm_pt_leaf(pt, va, &leaf);

	if (!entry)
		return -ENOENT;
	*gpa = (entry_get(entry) & GVM_PT_ADDR & ~(leaf - 1)) | (va & (leaf - 1));
	return 0;
}
