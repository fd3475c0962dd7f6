/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: what the rest of VFIO calls.
 */
#ifndef __VFIO_GPASID_H
#define __VFIO_GPASID_H

#include <uapi/linux/gpasid.h>

struct iommufd_device;
struct vfio_device_attach_iommufd_pt;
struct vfio_device_detach_iommufd_pt;
struct vfio_device_file;

static inline bool vfio_is_gpasid_ioctl(unsigned int cmd)
{
	return cmd == VFIO_DEVICE_GPASID_BIND ||
	       cmd == VFIO_DEVICE_GPASID_UNBIND ||
	       cmd == VFIO_DEVICE_GPASID_INFO;
}

#ifdef CONFIG_VFIO_GPASID
int vfio_df_ioctl_pasid_attach(struct vfio_device_file *df,
			       struct vfio_device_attach_iommufd_pt *attach,
			       struct vfio_device_attach_iommufd_pt __user *arg);
int vfio_df_ioctl_pasid_detach(struct vfio_device_file *df,
			       struct vfio_device_detach_iommufd_pt *detach,
			       struct vfio_device_detach_iommufd_pt __user *arg);
void vfio_pasid_detach_all(struct iommufd_device *idev);
long vfio_df_ioctl_gpasid(struct vfio_device_file *df, unsigned int cmd,
			  void __user *arg);
bool vfio_df_gpasid_busy(struct vfio_device_file *df);
#else
static inline int
vfio_df_ioctl_pasid_attach(struct vfio_device_file *df,
			   struct vfio_device_attach_iommufd_pt *attach,
			   struct vfio_device_attach_iommufd_pt __user *arg)
{
	return -EINVAL;
}

static inline int
vfio_df_ioctl_pasid_detach(struct vfio_device_file *df,
			   struct vfio_device_detach_iommufd_pt *detach,
			   struct vfio_device_detach_iommufd_pt __user *arg)
{
	return -EINVAL;
}

static inline void vfio_pasid_detach_all(struct iommufd_device *idev)
{
}

static inline long vfio_df_ioctl_gpasid(struct vfio_device_file *df,
					unsigned int cmd, void __user *arg)
{
	return -ENOTTY;
}

static inline bool vfio_df_gpasid_busy(struct vfio_device_file *df)
{
	return false;
}
#endif

#endif /* __VFIO_GPASID_H */
