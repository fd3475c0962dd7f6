/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The PASID part of iommufd's and VFIO's user ABI, which is in Linux since
 * 6.15 and not in the headers of 6.12.  Numbers and layout are the ABI's; the
 * names are this library's, so that later headers can be included beside it.
 */
#ifndef GPASID_ABI_H
#define GPASID_ABI_H

#include <linux/types.h>

/* Flag of IOMMU_HWPT_ALLOC: for a PASID, or for a RID beside PASIDs. */
#define GPASID_HWPT_PASID	(1U << 3)

/* The one flag that both of VFIO's commands have. */
#define GPASID_BY_PASID		(1U << 0)

/* What VFIO_DEVICE_ATTACH_IOMMUFD_PT takes. */
struct gpasid_attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
	__u32 pasid;
};

/* What VFIO_DEVICE_DETACH_IOMMUFD_PT takes. */
struct gpasid_detach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pasid;
};

#endif /* GPASID_ABI_H */
