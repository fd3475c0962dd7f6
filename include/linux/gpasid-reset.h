/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: resets of devices.  A reset ends the page requests of its
 * device, and no invalidation is sent to the device until the reset is
 * complete.
 */
#ifndef _LINUX_GPASID_RESET_H
#define _LINUX_GPASID_RESET_H

#include <linux/pci.h>

struct iommu_ops;
struct iopf_group;

/**
 * struct gpasid_reset_ops - Operations of an IOMMU driver around a reset
 * @iommu_ops: the driver serves the devices that have these operations
 * @prepare: stop sending invalidations to the device, and wait for those in
 *           flight
 * @drain: wait until every page request that the device has sent so far is
 *         reported
 * @done: undo @prepare.  The caller then disables and enables ATS; while ATS is
 *        disabled, the device does not answer invalidations
 * @settled: called when ATS is enabled again
 *
 * Called in process context.  Calls for one device are serialised.
 */
struct gpasid_reset_ops {
	const struct iommu_ops *iommu_ops;
	void (*prepare)(struct device *dev);
	void (*drain)(struct device *dev);
	void (*done)(struct device *dev);
	void (*settled)(struct device *dev);
};

/* Built whenever there are page requests, with the core or without. */
unsigned int iommu_gpasid_nr_ended(void);
bool iommu_gpasid_keep_group(struct iopf_group *group);

#if IS_ENABLED(CONFIG_GPASID)
void gpasid_reset_register_ops(const struct gpasid_reset_ops *ops);
void gpasid_reset_prepare(struct device *dev);
void gpasid_reset_done(struct device *dev);
bool gpasid_in_reset(struct device *dev);
int gpasid_reset_set_power_state(struct pci_dev *pdev, pci_power_t state,
				 bool resets);
void gpasid_reset_powered(struct pci_dev *pdev);
#else
static inline void gpasid_reset_prepare(struct device *dev)
{
}

static inline void gpasid_reset_done(struct device *dev)
{
}

static inline bool gpasid_in_reset(struct device *dev)
{
	return false;
}

static inline int gpasid_reset_set_power_state(struct pci_dev *pdev,
					       pci_power_t state, bool resets)
{
	return pci_set_power_state(pdev, state);
}

static inline void gpasid_reset_powered(struct pci_dev *pdev)
{
}
#endif

#endif /* _LINUX_GPASID_RESET_H */
