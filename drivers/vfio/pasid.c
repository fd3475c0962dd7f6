// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs of a VFIO device by VFIO's own ABI: attach and detach of a PASID.
 *
 * Owns nothing; iommufd records the attached PASIDs.
 */
#include <linux/iommufd.h>
#include <linux/iommufd-gpasid.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio-gpasid.h>

#include "gpasid.h"
#include "vfio.h"

/*
 * Called with the user's structure up to pt_id in @attach.  The user reads back
 * the pt_id that it passed, so pt_id is written before the attach: a fault is
 * found before anything is attached.
 */
int vfio_df_ioctl_pasid_attach(struct vfio_device_file *df,
			       struct vfio_device_attach_iommufd_pt *attach,
			       struct vfio_device_attach_iommufd_pt __user *arg)
{
	struct vfio_device *device = df->device;

	if (attach->argsz < offsetofend(typeof(*attach), pt_id) ||
	    attach->flags & ~VFIO_DEVICE_ATTACH_PASID)
		return -EINVAL;
	if (!device->ops->pasid_attach_ioas)
		return -EOPNOTSUPP;
	if (attach->argsz < offsetofend(typeof(*attach), pasid))
		return -EINVAL;
	if (get_user(attach->pasid, &arg->pasid) ||
	    put_user(attach->pt_id, &arg->pt_id))
		return -EFAULT;

	guard(mutex)(&device->dev_set->lock);
	return device->ops->pasid_attach_ioas(device, attach->pasid,
					      attach->pt_id);
}

/* Called with the user's structure up to flags in @detach. */
int vfio_df_ioctl_pasid_detach(struct vfio_device_file *df,
			       struct vfio_device_detach_iommufd_pt *detach,
			       struct vfio_device_detach_iommufd_pt __user *arg)
{
	struct vfio_device *device = df->device;

	if (detach->argsz < offsetofend(typeof(*detach), flags) ||
	    detach->flags & ~VFIO_DEVICE_DETACH_PASID)
		return -EINVAL;
	if (!device->ops->pasid_detach_ioas)
		return -EOPNOTSUPP;
	if (detach->argsz < offsetofend(typeof(*detach), pasid))
		return -EINVAL;
	if (get_user(detach->pasid, &arg->pasid))
		return -EFAULT;

	guard(mutex)(&device->dev_set->lock);
	device->ops->pasid_detach_ioas(device, detach->pasid);

	return 0;
}

/**
 * vfio_iommufd_physical_pasid_attach_ioas() - Attach a PASID to an HWPT
 * @vdev: a device bound by vfio_iommufd_physical_bind()
 * @pasid: the PASID on the wire
 * @pt_id: the HWPT
 *
 * For vfio_device_ops::pasid_attach_ioas of a driver that passes the whole
 * device to the user.
 *
 * Context: Process context. May sleep. Caller holds vfio_device_set::lock.
 * Return: as iommufd_device_pasid_attach(); -EINVAL if the device is not bound.
 */
int vfio_iommufd_physical_pasid_attach_ioas(struct vfio_device *vdev, u32 pasid,
					    u32 pt_id)
{
	lockdep_assert_held(&vdev->dev_set->lock);

	if (WARN_ON(!vdev->iommufd_device))
		return -EINVAL;
	return iommufd_device_pasid_attach(vdev->iommufd_device, pasid, pt_id);
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_pasid_attach_ioas);

/**
 * vfio_iommufd_physical_pasid_detach_ioas() - Detach a PASID from its HWPT
 * @vdev: the device
 * @pasid: the PASID on the wire; nothing happens if it is not attached
 *
 * Context: Process context. May sleep. Caller holds vfio_device_set::lock.
 */
void vfio_iommufd_physical_pasid_detach_ioas(struct vfio_device *vdev,
					     u32 pasid)
{
	lockdep_assert_held(&vdev->dev_set->lock);

	if (!WARN_ON(!vdev->iommufd_device))
		iommufd_device_pasid_detach(vdev->iommufd_device, pasid);
}
EXPORT_SYMBOL_GPL(vfio_iommufd_physical_pasid_detach_ioas);

/* Detach all PASIDs of a device, before it is unbound from its context. */
void vfio_pasid_detach_all(struct iommufd_device *idev)
{
	iommufd_device_pasid_detach_all(idev);
}
