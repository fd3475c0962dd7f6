/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs on a VFIO device file, for VFIO drivers.
 */
#ifndef _LINUX_VFIO_GPASID_H
#define _LINUX_VFIO_GPASID_H

#include <linux/gpasid.h>

/**
 * struct vfio_gpasid_ops - Guest PASID operations of a VFIO device
 * @bind: VFIO_DEVICE_GPASID_BIND.  The caller has filled in the members of
 *        @data that come from user space; @pt_id is the nesting parent that the
 *        user names, or 0.  Sets gpasid_bind_data::hpasid
 * @unbind: VFIO_DEVICE_GPASID_UNBIND.  If @guest is true, @pasid is a guest
 *          PASID
 * @info: VFIO_DEVICE_GPASID_INFO.  Sets @bound to the number of PASIDs bound by
 *        this device; members that it does not set are reported as 0
 *
 * @priv is the argument of vfio_gpasid_ioctl().  Called in process context; the
 * return value is that of the ioctl.
 */
struct vfio_gpasid_ops {
	int (*bind)(void *priv, struct gpasid_bind_data *data, u32 pt_id);
	int (*unbind)(void *priv, u32 pasid, bool guest);
	int (*info)(void *priv, struct gpasid_caps *caps, u32 *bound);
};

long vfio_gpasid_ioctl(const struct vfio_gpasid_ops *ops, void *priv,
		       unsigned int cmd, void __user *arg);

/* vfio_device_ops::pasid_attach_ioas and ::pasid_detach_ioas */
struct vfio_device;

#ifdef CONFIG_VFIO_GPASID
int vfio_iommufd_physical_pasid_attach_ioas(struct vfio_device *vdev, u32 pasid,
					    u32 pt_id);
void vfio_iommufd_physical_pasid_detach_ioas(struct vfio_device *vdev,
					     u32 pasid);
#else
#define vfio_iommufd_physical_pasid_attach_ioas NULL
#define vfio_iommufd_physical_pasid_detach_ioas NULL
#endif

#endif /* _LINUX_VFIO_GPASID_H */
