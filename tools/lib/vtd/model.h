/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Rules of the specification that need no state: whether an entry or a
 * descriptor is sound on a unit with given capabilities.  Pure functions; both
 * the simulated hardware and the virtual unit use them.
 */
#ifndef VTD_MODEL_H
#define VTD_MODEL_H

#include "vtd.h"

struct vtd_caps {
	u64 cap;
	u64 ecap;
	u8 haw;			/* host address width */
};

/*
 * entries.c: FR_NONE, or the fault that the entry causes.  @ctx has four
 * quadwords, @pe eight.
 */
u8 vtd_check_root(const struct vtd_caps *c, u64 half);
u8 vtd_check_context(const struct vtd_caps *c, const u64 *ctx);
u8 vtd_check_directory(const struct vtd_caps *c, u64 pde);
u8 vtd_check_pasid(const struct vtd_caps *c, const u64 *pe);

/* Legacy mode: @root and @ctx have two quadwords. */
u8 vtd_check_legacy_root(const struct vtd_caps *c, const u64 *root);
u8 vtd_check_legacy_context(const struct vtd_caps *c, const u64 *ctx);

/* paging.c: an entry of a second-stage table at @level, 1 for 4 KiB pages. */
bool vtd_second_stage_leaf(u64 entry, unsigned int level);
bool vtd_second_stage_reserved(const struct vtd_caps *c, u64 entry,
			       unsigned int level);

static inline unsigned int vtd_level_shift(unsigned int level)
{
	return 3 + 9 * level;
}

/* Entries of a PASID directory. */
static inline u32 vtd_directory_size(u64 ctx0)
{
	return 128u << CTX_PDTS(ctx0);
}

/*
 * descriptors.c: IQEI_NONE, or the error.  @d has four quadwords; with @wide,
 * the upper two count.  @ttm: translation table mode.
 */
u8 vtd_check_descriptor(const struct vtd_caps *c, const u64 *d, bool wide,
			u8 ttm);

/* "Invalidation Queue Tail Register": @head is checked for the width, too. */
u8 vtd_check_tail(u64 iqa, u32 head, u32 tail, u8 ttm);

/* [*addr, *addr + size) of an IOTLB or PASID-based IOTLB descriptor. */
u64 vtd_iotlb_range(u64 *addr, u64 qword1);

/* The same of a device-TLB descriptor: @s is its S. */
u64 vtd_device_tlb_range(u64 *addr, bool s);

/*
 * Does a function mask of a context-cache descriptor leave it to @a to mean @b?
 */
static inline bool vtd_sid_matches(u16 a, u16 b, u32 fm)
{
	static const u16 ignored[] = { 0, 4, 6, 7 };

	return !((a ^ b) & ~ignored[fm & 3]);
}

#endif /* VTD_MODEL_H */
