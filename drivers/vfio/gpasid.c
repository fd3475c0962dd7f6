// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs on a VFIO device file: bind, unbind, and capabilities.
 *
 * Owns nothing.  vfio_device_set::lock, which attach and detach hold too, keeps
 * a physical device open and attached while an ioctl works on it.
 */
#include <linux/iommufd.h>
#include <linux/iommufd-gpasid.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio-gpasid.h>

#include "gpasid.h"
#include "vfio.h"

/* Copy a structure that begins with argsz, of an older or newer version. */
static int vfio_gpasid_copy(void *cmd, size_t size, size_t minsz,
			    void __user *arg)
{
	u32 argsz;

	if (get_user(argsz, (u32 __user *)arg))
		return -EFAULT;
	if (argsz < minsz)
		return -EINVAL;
	if (argsz > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(cmd, size, arg, argsz);
}

static long vfio_gpasid_ioctl_bind(const struct vfio_gpasid_ops *ops,
				   void *priv, void __user *arg)
{
	struct vfio_device_gpasid_bind __user *ubind = arg;
	struct vfio_device_gpasid_bind cmd;
	struct gpasid_bind_data data = { .argsz = sizeof(data) };
	int ret;

	ret = vfio_gpasid_copy(&cmd, sizeof(cmd),
			       offsetofend(typeof(cmd), vtd_flags), arg);
	if (ret)
		return ret;
	if (cmd.flags & ~(VFIO_GPASID_BIND_GPASID | VFIO_GPASID_BIND_REPLACE) ||
	    cmd.__reserved)
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
	data.format_flags = cmd.vtd_flags;

	/* Check that the answer can be written before anything changes. */
	if (put_user(cmd.hpasid, &ubind->hpasid))
		return -EFAULT;
	ret = ops->bind(priv, &data, cmd.pt_id);
	if (ret || !put_user(data.hpasid, &ubind->hpasid))
		return ret;

	/*
	 * The structure has become unwritable meanwhile.  A replace is not
	 * undone, since the old table may have been freed.
	 */
	if (cmd.flags & VFIO_GPASID_BIND_REPLACE)
		return 0;
	ops->unbind(priv, data.hpasid, false);
	return -EFAULT;
}

static long vfio_gpasid_ioctl_unbind(const struct vfio_gpasid_ops *ops,
				     void *priv, void __user *arg)
{
	struct vfio_device_gpasid_unbind cmd;
	int ret;

	ret = vfio_gpasid_copy(&cmd, sizeof(cmd),
			       offsetofend(typeof(cmd), __reserved), arg);
	if (ret)
		return ret;
	if (cmd.flags & ~IOMMU_GPASID_BY_GPASID || cmd.__reserved)
		return -EINVAL;

	return ops->unbind(priv, cmd.pasid, cmd.flags & IOMMU_GPASID_BY_GPASID);
}

static long vfio_gpasid_ioctl_info(const struct vfio_gpasid_ops *ops,
				   void *priv, void __user *arg)
{
	struct vfio_device_gpasid_info cmd;
	struct gpasid_caps caps = {};
	u32 bound = 0;
	int ret;

	ret = vfio_gpasid_copy(&cmd, sizeof(cmd),
			       offsetofend(typeof(cmd), out_bound), arg);
	if (ret)
		return ret;
	if (cmd.flags)
		return -EINVAL;

	/* Members that the driver does not set are reported as 0. */
	ret = ops->info(priv, &caps, &bound);
	if (ret)
		return ret;

	cmd.out_caps = caps.caps;
	cmd.out_errata = caps.errata;
	cmd.out_vtd_flags = caps.format_flags;
	cmd.out_pasid_bits = caps.pasid_bits;
	cmd.out_addr_widths = caps.addr_widths;
	cmd.out_formats = caps.formats;
	cmd.out_bound = bound;
	return copy_to_user(arg, &cmd, min_t(size_t, cmd.argsz, sizeof(cmd))) ?
		-EFAULT : 0;
}

/**
 * vfio_gpasid_ioctl() - The ioctls for guest PASIDs of a VFIO device file
 * @ops: the operations of the device
 * @priv: passed to @ops
 * @cmd: the ioctl
 * @arg: its argument
 *
 * Copies the user's structures in and out for physical and for virtual devices,
 * so that both behave alike.  The driver of a virtual device calls this from
 * vfio_device_ops::ioctl: VFIO passes these ioctls to a driver that binds its
 * device to iommufd by vfio_iommufd_emulated_bind().
 *
 * Context: Process context. May sleep.
 * Return: the return value of @ops; -ENOTTY if @cmd is another ioctl; -EINVAL
 * (argsz, unknown flag, reserved field), -E2BIG (an unknown field is set, or
 * argsz is above a page), -EFAULT.
 */
long vfio_gpasid_ioctl(const struct vfio_gpasid_ops *ops, void *priv,
		       unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case VFIO_DEVICE_GPASID_BIND:
		return vfio_gpasid_ioctl_bind(ops, priv, arg);
	case VFIO_DEVICE_GPASID_UNBIND:
		return vfio_gpasid_ioctl_unbind(ops, priv, arg);
	case VFIO_DEVICE_GPASID_INFO:
		return vfio_gpasid_ioctl_info(ops, priv, arg);
	default:
		return -ENOTTY;
	}
}
EXPORT_SYMBOL_GPL(vfio_gpasid_ioctl);

/*
 * Physical devices
 */

/* Return the physical device of the file, or -ENODEV if there is none. */
static struct iommufd_device *vfio_gpasid_idev(struct vfio_device_file *df)
{
	lockdep_assert_held(&df->device->dev_set->lock);

	if (!df->iommufd || !df->device->iommufd_device)
		return ERR_PTR(-ENODEV);
	return df->device->iommufd_device;
}

static int vfio_df_gpasid_bind(void *priv, struct gpasid_bind_data *data,
			       u32 pt_id)
{
	struct vfio_device_file *df = priv;
	struct iommufd_device *idev;

	guard(mutex)(&df->device->dev_set->lock);
	idev = vfio_gpasid_idev(df);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	return iommufd_device_bind_gpasid(idev, data, pt_id);
}

static int vfio_df_gpasid_unbind(void *priv, u32 pasid, bool guest)
{
	struct vfio_device_file *df = priv;
	struct iommufd_device *idev;

	guard(mutex)(&df->device->dev_set->lock);
	idev = vfio_gpasid_idev(df);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	return iommufd_device_unbind_gpasid(idev, pasid);
}

static int vfio_df_gpasid_info(void *priv, struct gpasid_caps *caps, u32 *bound)
{
	struct vfio_device_file *df = priv;
	struct iommufd_device *idev;

	guard(mutex)(&df->device->dev_set->lock);
	idev = vfio_gpasid_idev(df);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	*bound = iommufd_device_count_gpasid(idev);
	return gpasid_get_caps(df->device->dev, caps);
}

static const struct vfio_gpasid_ops vfio_gpasid_physical_ops = {
	.bind = vfio_df_gpasid_bind,
	.unbind = vfio_df_gpasid_unbind,
	.info = vfio_df_gpasid_info,
};

/* Ioctls of a virtual device are handled by its driver. */
static bool vfio_gpasid_emulated(struct vfio_device *device)
{
	return device->iommufd_access && device->ops->ioctl;
}

long vfio_df_ioctl_gpasid(struct vfio_device_file *df, unsigned int cmd,
			  void __user *arg)
{
	struct vfio_device *device = df->device;

	/* A virtual device's driver cannot see how the file was opened. */
	if (df->group)
		return -ENOTTY;
	/* The result does not change while the file is open. */
	if (vfio_gpasid_emulated(device))
		return device->ops->ioctl(device, cmd, (unsigned long)arg);
	return vfio_gpasid_ioctl(&vfio_gpasid_physical_ops, df, cmd, arg);
}

/*
 * Return true if the device must not be detached.  A virtual device is attached
 * to the parent of its PASIDs and stays attached while PASIDs are bound.  The
 * HWPT that a physical device is attached to concerns its RID only.
 */
bool vfio_df_gpasid_busy(struct vfio_device_file *df)
{
	return vfio_gpasid_emulated(df->device) &&
	       gpasid_owner_busy(df->device);
}
