// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs on Intel VT-d: devices inside a reset.
 *
 * Built into the VT-d driver.  Whatever has an invalidation for a device's TLB or
 * an answer for the device puts it into the unit's queue; there, with the queue's
 * lock held, it is replaced by a descriptor that does nothing while the device is
 * inside a reset.  So no path can forget it, and one pass of the queue after the
 * device is marked is enough to know that nothing is under way.
 *
 * VT-d: "Invalidation Queue"; PCIe: "Address Translation Services", the
 * implementation note on resets.
 */
#include <linux/delay.h>
#include <linux/gpasid-reset.h>
#include <linux/xarray.h>

#include "gpasid.h"
#include "iommu.h"

/* Present: (unit, source ID) is inside a reset; read under RCU. */
static DEFINE_XARRAY(intel_gpasid_resets);

static unsigned long intel_gpasid_reset_index(struct intel_iommu *iommu,
					      u16 sid)
{
	return (unsigned long)iommu->seq_id << 16 | sid;
}

static unsigned long intel_gpasid_reset_index_of(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);

	return intel_gpasid_reset_index(info->iommu,
					PCI_DEVID(info->bus, info->devfn));
}

/* Who a descriptor makes the unit send something to; false: nobody. */
static bool intel_gpasid_desc_sid(const struct qi_desc *desc, u16 *sid)
{
	switch (desc->qw0 & GENMASK_ULL(3, 0)) {
	case QI_DIOTLB_TYPE:
		*sid = desc->qw0 >> 32;
		return true;
	case QI_DEIOTLB_TYPE:
	case QI_PGRP_RESP_TYPE:
		*sid = desc->qw0 >> 16;
		return true;
	}
	return false;
}

/* Put @desc at @to in the queue of @iommu, whose lock is held. */
void intel_gpasid_queue_desc(struct intel_iommu *iommu, void *to,
			     const struct qi_desc *desc)
{
	static const struct qi_desc nothing = {
		.qw0 = QI_IWD_FENCE | QI_IWD_TYPE,
	};
	u16 sid;

	if (!xa_empty(&intel_gpasid_resets) &&
	    intel_gpasid_desc_sid(desc, &sid) &&
	    xa_load(&intel_gpasid_resets, intel_gpasid_reset_index(iommu, sid)))
		desc = &nothing;
	memcpy(to, desc, 1 << qi_shift(iommu));
}

static void intel_gpasid_reset_prepare(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct qi_desc none = {};

	/* A reset cannot be put off for want of memory. */
	xa_store(&intel_gpasid_resets, intel_gpasid_reset_index_of(dev),
		 xa_mk_value(1), GFP_KERNEL | __GFP_NOFAIL);
	/* Alone, the wait is behind all that has not seen it. */
	qi_submit_sync(info->iommu, &none, 0, 0);
}

static void intel_gpasid_reset_done(struct device *dev)
{
	xa_erase(&intel_gpasid_resets, intel_gpasid_reset_index_of(dev));
}

/* Has the page request thread got past @end, where the queue ended? */
static bool intel_gpasid_prq_past(struct intel_iommu *iommu, int end)
{
	int tail = dmar_readq(iommu->reg + DMAR_PQT_REG) & PRQ_RING_MASK;
	int head = dmar_readq(iommu->reg + DMAR_PQH_REG) & PRQ_RING_MASK;

	return head == end || ((end - head) & PRQ_RING_MASK) >
			      ((tail - head) & PRQ_RING_MASK);
}

/*
 * VT-d: "Draining of Page Requests and Responses": what the device has sent is in
 * the page request queue when a wait with the drain flag is over.
 */
static void intel_gpasid_reset_drain(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;
	struct qi_desc none = {};
	int end;

	if (!info->pri_enabled)
		return;

	qi_submit_sync(iommu, &none, 0, QI_OPT_WAIT_DRAIN);
	end = dmar_readq(iommu->reg + DMAR_PQT_REG) & PRQ_RING_MASK;
	while (!intel_gpasid_prq_past(iommu, end))
		usleep_range(50, 200);
}

static const struct gpasid_reset_ops intel_gpasid_reset_ops = {
	.iommu_ops = &intel_iommu_ops,
	.prepare = intel_gpasid_reset_prepare,
	.drain = intel_gpasid_reset_drain,
	.done = intel_gpasid_reset_done,
};

static int __init intel_gpasid_reset_init(void)
{
	gpasid_reset_register_ops(&intel_gpasid_reset_ops);
	return 0;
}
subsys_initcall(intel_gpasid_reset_init);
