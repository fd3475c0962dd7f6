// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Hand the batch's invalidations of translations on to the host, as many in one
 * call as fit.  Only what is bound is invalidated: an unbind has done it for
 * what is not.  An invalidation of a domain, or of everything, is carried out
 * once for the batch, whatever the number of its descriptors.
 */
#include <errno.h>
#include <string.h>
#include "unit.h"

static bool has_table(const struct binding *b)
{
	return b && b->kind == VVTD_FIRST_STAGE;
}

static u64 to_pages(u64 size)
{
	return size == ~0ULL ? VVTD_ALL_PAGES : size / 4096;
}

/* "PASID-based-IOTLB Invalidate Descriptor", of one device. */
static bool piotlb(struct vvtd_dev *dev, const u64 *d, struct vvtd_inv *inv)
{
	u32 pasid = INV_PASID(d[0]);
	const struct binding *b = vv_binding(dev, pasid);
	u64 addr;

	if (!has_table(b) || b->did != INV_DID(d[0]))
		return false;
	*inv = (struct vvtd_inv){
		.host = dev->host, .what = VVTD_INV_IOTLB, .pasid = pasid,
		.handle = b->handle, .npages = VVTD_ALL_PAGES,
	};
	if (INV_G(d[0]) == 2)
		return true;
	inv->npages = to_pages(vtd_iotlb_range(&addr, d[1]));
	inv->addr = addr;
	inv->leaf = INV_HINT(d[1]);
	return true;
}

/* "Device-TLB Invalidate", with and without PASID. */
static bool device_tlb(struct vvtd_dev *dev, const u64 *d, bool by_pasid,
		       struct vvtd_inv *inv)
{
	u16 sid = by_pasid ? INV_PASID_SID(d[0]) : INV_SID(d[0]);
	const struct binding *b;
	u64 addr = d[1];
	u64 size;

	if (!dev->v->ops.device_tlbs || !dev->dte || dev->sid != sid)
		return false;
	size = vtd_device_tlb_range(&addr, by_pasid ? INV_PASID_S(d[1]) :
						      INV_S(d[1]));
	*inv = (struct vvtd_inv){
		.host = dev->host, .what = VVTD_INV_DEVICE_TLB,
		.pasid = by_pasid ? INV_PASID(d[0]) : VVTD_RID,
		.all_pasids = by_pasid && INV_ALL_PASIDS(d[1]),
		.addr = addr, .npages = to_pages(size),
	};
	b = vv_binding(dev, inv->pasid);
	inv->handle = b ? b->handle : 0;
	return inv->all_pasids || (b && b->kind != KIND_FAULTY);
}

static bool by_descriptor(struct vvtd_dev *dev, const u64 *d,
			  struct vvtd_inv *inv)
{
	switch (inv_type(d[0])) {
	case INV_PIOTLB:
		return piotlb(dev, d, inv);
	case INV_DEVTLB:
		return device_tlb(dev, d, false, inv);
	case INV_PDEVTLB:
		return device_tlb(dev, d, true, inv);
	}
	return false;
}

/* The next one that a descriptor names; false: there are no more. */
static bool next_named(struct vvtd *v, struct vvtd_inv *inv)
{
	struct batch *b = &v->batch;

	for (; b->op < b->num; b->op++, b->slot = 0) {
		while (b->slot < VVTD_MAX_DEVS) {
			struct vvtd_dev *dev = v->dev[b->slot++];

			if (dev && by_descriptor(dev, b->d[b->op], inv))
				return true;
		}
	}
	return false;
}

/* The next binding of the device from b->pasid on that has a table in @set. */
static bool next_in_device(struct vvtd_dev *dev, struct vvtd_inv *inv)
{
	struct batch *b = &dev->v->batch;

	while (b->pasid >> PASID_BITS == 0) {
		u32 pasid = b->pasid;
		const struct binding *bound;

		if (!vv_leaf(dev, pasid / 64)) {
			b->pasid = vv_next_dir(dev, pasid / 64) * 64;
			continue;
		}
		b->pasid++;
		bound = vv_binding(dev, pasid);
		if (!has_table(bound) || !vv_did_in(&b->iotlb, bound->did))
			continue;
		*inv = (struct vvtd_inv){
			.host = dev->host, .what = VVTD_INV_IOTLB,
			.pasid = pasid, .handle = bound->handle,
			.npages = VVTD_ALL_PAGES,
		};
		return true;
	}
	return false;
}

/* The next one of the domains in b->iotlb. */
static bool next_of_domains(struct vvtd *v, struct vvtd_inv *inv)
{
	struct batch *b = &v->batch;

	if (!b->iotlb.all && !b->iotlb.num)
		return false;
	for (; b->slot < VVTD_MAX_DEVS; b->slot++, b->pasid = 0) {
		struct vvtd_dev *dev = v->dev[b->slot];

		if (dev && next_in_device(dev, inv))
			return true;
	}
	return false;
}

static bool next(struct vvtd *v, struct vvtd_inv *inv)
{
	return next_named(v, inv) || next_of_domains(v, inv);
}

/* The host's word on a call. */
void vv_flushed(struct vvtd *v, int status)
{
	v->stats.host_errors += !!status;
	v->batch.timed_out |= status == -ETIMEDOUT;
}

static u16 sid_of(const struct vvtd *v, const void *host)
{
	u32 i;

	for (i = 0; i < VVTD_MAX_DEVS; i++) {
		if (v->dev[i] && v->dev[i]->host == host)
			return v->dev[i]->sid;
	}
	return 0;
}

/*
 * 0: done.  -EAGAIN: there is more to do.  -EINPROGRESS: the host is not done
 * with what it was given.
 */
int vv_flush(struct vvtd *v)
{
	struct vvtd_inv inv[FLUSH_INVS];
	size_t num = 0;
	int rc;

	if (!v->work)
		return -EAGAIN;
	while (num < FLUSH_INVS && next(v, &inv[num]))
		num++;
	if (!num)
		return 0;
	v->work -= v->work < num ? v->work : num;
	if (!v->batch.timed_out)
		v->batch.timed_out_sid = sid_of(v, inv[0].host);
	rc = v->ops.invalidate(v->ctx, inv, num);
	v->stats.host_calls++;
	if (rc == -EINPROGRESS)
		return rc;
	vv_flushed(v, rc);
	return num < FLUSH_INVS ? 0 : -EAGAIN;
}
