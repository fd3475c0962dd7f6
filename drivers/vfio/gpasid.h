/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: what the rest of VFIO calls.
 */
#ifndef __VFIO_GPASID_H
#define __VFIO_GPASID_H

#include <uapi/linux/gpasid.h>

struct vfio_device_file;

#ifdef CONFIG_VFIO_GPASID
int vfio_df_ioctl_gpasid_bind(struct vfio_device_file *df, void __user *arg);
int vfio_df_ioctl_gpasid_unbind(struct vfio_device_file *df, void __user *arg);
int vfio_df_ioctl_gpasid_info(struct vfio_device_file *df, void __user *arg);
bool vfio_df_gpasid_busy(struct vfio_device_file *df);
#else
static inline int vfio_df_ioctl_gpasid_bind(struct vfio_device_file *df,
					    void __user *arg)
{
	return -ENOTTY;
}

static inline int vfio_df_ioctl_gpasid_unbind(struct vfio_device_file *df,
					      void __user *arg)
{
	return -ENOTTY;
}

static inline int vfio_df_ioctl_gpasid_info(struct vfio_device_file *df,
					    void __user *arg)
{
	return -ENOTTY;
}

static inline bool vfio_df_gpasid_busy(struct vfio_device_file *df)
{
	return false;
}
#endif

#endif /* __VFIO_GPASID_H */
