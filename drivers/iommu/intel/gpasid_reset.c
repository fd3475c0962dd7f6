// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs on Intel VT-d: devices inside a reset.
 *
 * Built into the VT-d driver.  The unit's queue replaces descriptors for a
 * device inside a reset by no-ops (gpasid_queue.c).
 *
 * PCIe: "Address Translation Services", the implementation note on resets.
 */
#include <linux/delay.h>
#include <linux/gpasid-reset.h>

#include "gpasid.h"
#include "iommu.h"

static void intel_gpasid_reset_prepare(struct device *dev)
{
	intel_gpasid_port_hold(dev_iommu_priv_get(dev));
}

static void intel_gpasid_reset_done(struct device *dev)
{
	intel_gpasid_port_settle(dev_iommu_priv_get(dev));
}

static void intel_gpasid_reset_settled(struct device *dev)
{
	intel_gpasid_port_release(dev_iommu_priv_get(dev));
}

/* Return true if the page request thread has passed @end, an earlier tail. */
static bool intel_gpasid_prq_past(struct intel_iommu *iommu, int end)
{
	int tail = dmar_readq(iommu->reg + DMAR_PQT_REG) & PRQ_RING_MASK;
	int head = dmar_readq(iommu->reg + DMAR_PQH_REG) & PRQ_RING_MASK;

	return head == end || ((end - head) & PRQ_RING_MASK) >
			      ((tail - head) & PRQ_RING_MASK);
}

/*
 * VT-d: "Draining of Page Requests and Responses": when a wait descriptor with
 * the drain flag completes, all requests sent by the device are in the page
 * request queue.
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
	.settled = intel_gpasid_reset_settled,
};

static int __init intel_gpasid_reset_init(void)
{
	gpasid_reset_register_ops(&intel_gpasid_reset_ops);
	return 0;
}
subsys_initcall(intel_gpasid_reset_init);
