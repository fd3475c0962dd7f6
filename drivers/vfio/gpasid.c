// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs on a VFIO device file: bind, unbind, and what the device can do.
 *
 * Owns nothing.  vfio_device_set::lock, which attach and detach hold too, keeps
 * the device open and attached while an ioctl works on it.
 */
#include <linux/gpasid.h>
#include <linux/iommufd.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "gpasid.h"
#include "vfio.h"

/* Copy a structure that begins with argsz; it may be older or newer than ours. */
static int vfio_gpasid_copy(void *cmd, size_t size, size_t minsz,
			    void __user *arg)
{
	u32 argsz;

	if (get_user(argsz, (u32 __user *)arg))
		return -EFAULT;
	if (argsz < minsz)
		return -EINVAL;
	return copy_struct_from_user(cmd, size, arg, argsz);
}

/* The physical device behind the file; an emulated one has its own ways. */
static struct iommufd_device *vfio_gpasid_idev(struct vfio_device_file *df)
{
	lockdep_assert_held(&df->device->dev_set->lock);

	if (!df->iommufd || !df->device->iommufd_device)
		return ERR_PTR(-ENODEV);
	return df->device->iommufd_device;
}

static int vfio_gpasid_bind(struct vfio_device_file *df,
			    struct gpasid_bind_data *data)
{
	struct iommufd_device *idev;
	int ret;

	mutex_lock(&df->device->dev_set->lock);
	idev = vfio_gpasid_idev(df);
	if (IS_ERR(idev))
		ret = PTR_ERR(idev);
	else
		ret = iommufd_device_bind_gpasid(idev, data);
	mutex_unlock(&df->device->dev_set->lock);

	return ret;
}

static int vfio_gpasid_unbind(struct vfio_device_file *df, u32 pasid, bool guest)
{
	struct iommufd_device *idev;
	int ret;

	mutex_lock(&df->device->dev_set->lock);
	idev = vfio_gpasid_idev(df);
	if (IS_ERR(idev))
		ret = PTR_ERR(idev);
	else
		ret = iommufd_device_unbind_gpasid(idev, pasid, guest);
	mutex_unlock(&df->device->dev_set->lock);

	return ret;
}

int vfio_df_ioctl_gpasid_bind(struct vfio_device_file *df, void __user *arg)
{
	struct vfio_device_gpasid_bind __user *ubind = arg;
	struct vfio_device_gpasid_bind cmd;
	struct gpasid_bind_data data = { .argsz = sizeof(data) };
	int ret;

	ret = vfio_gpasid_copy(&cmd, sizeof(cmd),
			       offsetofend(typeof(cmd), vtd_flags), arg);
	if (ret)
		return ret;
	if (cmd.flags & ~(VFIO_GPASID_BIND_GPASID | VFIO_GPASID_BIND_REPLACE))
		return -EINVAL;

	if (cmd.flags & VFIO_GPASID_BIND_GPASID)
		data.flags |= GPASID_BIND_GPASID;
	if (cmd.flags & VFIO_GPASID_BIND_REPLACE)
		data.flags |= GPASID_BIND_REPLACE;
	data.format = cmd.format;
	data.addr_width = cmd.addr_width;
	data.hpasid = cmd.hpasid;
	data.gpasid = cmd.gpasid;
	data.pgtbl = cmd.pgtbl;
	data.vtd_flags = cmd.vtd_flags;

	/* The answer must have a place before anything changes. */
	if (put_user(cmd.hpasid, &ubind->hpasid))
		return -EFAULT;
	ret = vfio_gpasid_bind(df, &data);
	if (ret || !put_user(data.hpasid, &ubind->hpasid))
		return ret;

	if (!(cmd.flags & VFIO_GPASID_BIND_REPLACE))
		vfio_gpasid_unbind(df, data.hpasid, false);
	return -EFAULT;
}

int vfio_df_ioctl_gpasid_unbind(struct vfio_device_file *df, void __user *arg)
{
	struct vfio_device_gpasid_unbind cmd;
	int ret;

	ret = vfio_gpasid_copy(&cmd, sizeof(cmd),
			       offsetofend(typeof(cmd), __reserved), arg);
	if (ret)
		return ret;
	if (cmd.flags & ~IOMMU_GPASID_BY_GPASID || cmd.__reserved)
		return -EINVAL;

	return vfio_gpasid_unbind(df, cmd.pasid,
				  cmd.flags & IOMMU_GPASID_BY_GPASID);
}

int vfio_df_ioctl_gpasid_info(struct vfio_device_file *df, void __user *arg)
{
	struct vfio_device_gpasid_info cmd;
	struct iommufd_device *idev;
	struct gpasid_caps caps;
	u32 argsz;
	int ret;

	ret = vfio_gpasid_copy(&cmd, sizeof(cmd),
			       offsetofend(typeof(cmd), out_bound), arg);
	if (ret)
		return ret;
	if (cmd.flags)
		return -EINVAL;

	mutex_lock(&df->device->dev_set->lock);
	idev = vfio_gpasid_idev(df);
	if (IS_ERR(idev)) {
		ret = PTR_ERR(idev);
	} else {
		ret = gpasid_get_caps(df->device->dev, &caps);
		cmd.out_bound = iommufd_device_count_gpasid(idev);
	}
	mutex_unlock(&df->device->dev_set->lock);
	if (ret)
		return ret;

	cmd.out_caps = caps.caps;
	cmd.out_errata = caps.errata;
	cmd.out_vtd_flags = caps.vtd_flags;
	cmd.out_pasid_bits = caps.pasid_bits;
	cmd.out_addr_widths = caps.addr_widths;
	cmd.out_formats = caps.formats;
	argsz = cmd.argsz;
	return copy_to_user(arg, &cmd, min_t(size_t, argsz, sizeof(cmd))) ?
		-EFAULT : 0;
}

/* While PASIDs are bound the device stays on its parent. */
bool vfio_df_gpasid_busy(struct vfio_device_file *df)
{
	struct iommufd_device *idev = vfio_gpasid_idev(df);

	return !IS_ERR(idev) && df->device->iommufd_attached &&
	       iommufd_device_gpasid_busy(idev);
}
