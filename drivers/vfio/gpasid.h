/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: what the rest of VFIO calls.
 */
#ifndef __VFIO_GPASID_H
#define __VFIO_GPASID_H

#include <uapi/linux/gpasid.h>

struct vfio_device_file;

#ifdef CONFIG_VFIO_GPASID
long vfio_df_ioctl_gpasid(struct vfio_device_file *df, unsigned int cmd,
			  void __user *arg);
bool vfio_df_gpasid_busy(struct vfio_device_file *df);
#else
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
