/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs of an iommufd context, for drivers that bind their devices to
 * iommufd: VFIO and drivers of virtual devices.
 */
#ifndef _LINUX_IOMMUFD_GPASID_H
#define _LINUX_IOMMUFD_GPASID_H

#include <linux/gpasid.h>

/* Bind PASIDs of the context to guest page tables. */
struct iommufd_device;

int iommufd_device_bind_gpasid(struct iommufd_device *idev,
			       struct gpasid_bind_data *data, u32 pt_id);
int iommufd_device_unbind_gpasid(struct iommufd_device *idev, u32 pasid);
unsigned long iommufd_device_count_gpasid(struct iommufd_device *idev);

/* Attach PASIDs of the device's own number space to HWPTs. */
int iommufd_device_pasid_attach(struct iommufd_device *idev, u32 pasid,
				u32 pt_id);
void iommufd_device_pasid_detach(struct iommufd_device *idev, u32 pasid);
void iommufd_device_pasid_detach_all(struct iommufd_device *idev);

/* PASIDs and nesting parents of a context, for drivers of virtual devices. */
struct iommufd_ctx;
struct iommufd_hw_pagetable;

struct ioasid_set *iommufd_ctx_gpasid_set(struct iommufd_ctx *ictx);
struct iommufd_hw_pagetable *
iommufd_gpasid_parent_get(struct iommufd_ctx *ictx, struct device *dev,
			  u32 *pt_id);
void iommufd_gpasid_parent_put(struct iommufd_ctx *ictx,
			       struct iommufd_hw_pagetable *hwpt);
struct iommu_domain *
iommufd_gpasid_parent_domain(struct iommufd_hw_pagetable *hwpt);

#endif /* _LINUX_IOMMUFD_GPASID_H */
