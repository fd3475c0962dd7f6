/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resets of devices: page requests end, device TLBs are left alone meanwhile.
 */
#ifndef _LINUX_GPASID_RESET_H
#define _LINUX_GPASID_RESET_H

#include <linux/pci.h>

struct iommu_ops;
struct iopf_group;

/**
 * struct gpasid_reset_ops - What an IOMMU driver does around a reset
 * @iommu_ops: devices that it serves are those with these operations
 * @prepare: from now on send nothing to the device; wait for what is under way
 * @drain: wait until every page request that the device has sent so far is
 *         reported
 * @done: undo @prepare; ATS of the device is switched off and on now, and while
 *        it is off the device does not answer
 * @settled: ATS is on
 *
 * Called in process context, one caller at a time for a device.
 */
struct gpasid_reset_ops {
	const struct iommu_ops *iommu_ops;
	void (*prepare)(struct device *dev);
	void (*drain)(struct device *dev);
	void (*done)(struct device *dev);
	void (*settled)(struct device *dev);
};

#if IS_ENABLED(CONFIG_GPASID)
void gpasid_reset_register_ops(const struct gpasid_reset_ops *ops);
void gpasid_reset_prepare(struct device *dev);
void gpasid_reset_done(struct device *dev);
bool gpasid_in_reset(struct device *dev);
unsigned int iommu_gpasid_nr_ended(void);
bool iommu_gpasid_group_excess(const struct iopf_group *group);
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
