// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Invalidation Descriptors": which are sound, and the ranges that they name.
 */
#include "model.h"

#define RSVD_DID_PASID	(GENMASK_ULL(63, 52) | GENMASK_ULL(15, 12))
#define RSVD_ADDR	GENMASK_ULL(11, 7)

/* Bits that must be 0 in the first two quadwords of a descriptor. */
struct layout {
	bool known;
	bool needs_scalable;
	u64 rsvd0;
	u64 rsvd1;
	u8 (*check)(const struct vtd_caps *c, const u64 *d);
};

static u8 check_context(const struct vtd_caps *c, const u64 *d)
{
	(void)c;
	return INV_G(d[0]) ? IQEI_NONE : IQEI_RESERVED;
}

static u8 check_pasid_cache(const struct vtd_caps *c, const u64 *d)
{
	(void)c;
	return INV_G(d[0]) == 2 ? IQEI_RESERVED : IQEI_NONE;
}

static u8 check_iotlb(const struct vtd_caps *c, const u64 *d)
{
	if (!INV_G(d[0]))
		return IQEI_RESERVED;
	if (INV_G(d[0]) == 3 && bits(d[1], 5, 0) > bits(c->cap, 53, 48))
		return IQEI_RESERVED;
	return IQEI_NONE;
}

static u8 check_piotlb(const struct vtd_caps *c, const u64 *d)
{
	(void)c;
	return INV_G(d[0]) < 2 ? IQEI_RESERVED : IQEI_NONE;
}

static u8 check_device_tlb(const struct vtd_caps *c, const u64 *d)
{
	(void)d;
	return c->ecap & ECAP_DT ? IQEI_NONE : IQEI_TYPE;
}

static u8 check_wait(const struct vtd_caps *c, const u64 *d)
{
	return d[0] & WAIT_PD && !(c->ecap & ECAP_PDS) ? IQEI_RESERVED :
							 IQEI_NONE;
}

static u8 check_page_response(const struct vtd_caps *c, const u64 *d)
{
	(void)d;
	return c->ecap & ECAP_PRS ? IQEI_NONE : IQEI_TYPE;
}

static const struct layout layouts[] = {
	[INV_CONTEXT] = {
		true, false,
		GENMASK_ULL(63, 50) | GENMASK_ULL(15, 12) | GENMASK_ULL(8, 6),
		~0ULL, check_context,
	},
	[INV_IOTLB] = {
		true, false,
		GENMASK_ULL(63, 32) | GENMASK_ULL(15, 12) | BIT_ULL(8),
		RSVD_ADDR, check_iotlb,
	},
	[INV_DEVTLB] = {
		true, false,
		GENMASK_ULL(51, 48) | GENMASK_ULL(31, 21) | GENMASK_ULL(8, 4),
		GENMASK_ULL(11, 1), check_device_tlb,
	},
	[INV_IEC] = {
		true, false,
		GENMASK_ULL(63, 48) | GENMASK_ULL(26, 12) | GENMASK_ULL(8, 5),
		~0ULL, NULL,
	},
	[INV_WAIT] = {
		true, false, GENMASK_ULL(31, 12) | BIT_ULL(8),
		GENMASK_ULL(1, 0), check_wait,
	},
	[INV_PIOTLB] = {
		true, true, RSVD_DID_PASID | GENMASK_ULL(8, 6), RSVD_ADDR,
		check_piotlb,
	},
	[INV_PASID_CACHE] = {
		true, true, RSVD_DID_PASID | GENMASK_ULL(8, 6), ~0ULL,
		check_pasid_cache,
	},
	[INV_PDEVTLB] = {
		true, true, 0, GENMASK_ULL(10, 1), check_device_tlb,
	},
	[INV_PGRP_RESP] = {
		true, false, GENMASK_ULL(63, 52) | GENMASK_ULL(8, 6),
		GENMASK_ULL(63, 12) | GENMASK_ULL(1, 0), check_page_response,
	},
	/* "Page Stream Response": of older revisions, accepted, no effect. */
	[INV_PSTREAM_RESP] = {
		true, false, 0, 0, check_page_response,
	},
};

static bool check_wide(const u64 *d, u8 type)
{
	/* A page response carries software's private data there. */
	return type == INV_PGRP_RESP || type == INV_PSTREAM_RESP ||
	       (!d[2] && !d[3]);
}

u8 vtd_check_descriptor(const struct vtd_caps *c, const u64 *d, bool wide,
			u8 ttm)
{
	u8 type = inv_type(d[0]);
	const struct layout *l;
	u8 info;

	if (type >= ARRAY_SIZE(layouts) || !layouts[type].known)
		return IQEI_TYPE;
	l = &layouts[type];
	if (l->needs_scalable && !(c->ecap & ECAP_SMTS))
		return IQEI_TYPE;
	if (l->needs_scalable && ttm == TTM_LEGACY)
		return IQEI_TTM;
	info = l->check ? l->check(c, d) : IQEI_NONE;
	if (info)
		return info;
	if (d[0] & l->rsvd0 || d[1] & l->rsvd1)
		return IQEI_RESERVED;
	return wide && !check_wide(d, type) ? IQEI_RESERVED : IQEI_NONE;
}

u8 vtd_check_tail(u64 iqa, u32 head, u32 tail, u8 ttm)
{
	bool wide = iqa & IQA_DW;

	if (!wide && ttm != TTM_LEGACY)
		return IQEI_WIDTH;
	/* The head, too: the width may have changed since it moved. */
	if ((tail | head) & (wide ? 31 : 15))
		return IQEI_TAIL_MISALIGNED;
	if (tail >= 0x1000u << IQA_QS(iqa))
		return IQEI_TAIL_INVALID;
	return IQEI_NONE;
}

u64 vtd_iotlb_range(u64 *addr, u64 qword1)
{
	u64 am = bits(qword1, 5, 0);
	u64 size = am > 51 ? ~0ULL : 0x1000ULL << am;

	*addr = am > 51 ? 0 : page_of(qword1) & ~(size - 1);
	return size;
}

/* "Device-TLB Invalidate": S and the lowest 0 of the address give the size. */
u64 vtd_device_tlb_range(u64 *addr, bool s)
{
	u64 field = *addr >> 12;
	u64 size = 0x1000;

	*addr = page_of(*addr);
	if (!s)
		return size;
	size <<= 1;
	for (; field & 1 && size; field >>= 1)
		size <<= 1;
	if (!size) {
		*addr = 0;
		return ~0ULL;
	}
	*addr &= ~(size - 1);
	return size;
}
