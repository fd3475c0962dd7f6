// file: drivers/vfio/vfio_main.c
// The ioctls of a device file.
@@
identifier ret, df, uptr;
expression cmd;
@@
 vfio_device_fops_unl_ioctl(...)
 {
	...
	ret = vfio_device_pm_runtime_get(...);
	...
	if (IS_ENABLED(CONFIG_VFIO_DEVICE_CDEV) && !df->group) {
+		if (vfio_is_gpasid_ioctl(cmd)) {
+			ret = vfio_df_ioctl_gpasid(df, cmd, uptr);
+			goto out;
+		}
		switch (cmd) {
		case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
			ret = vfio_df_ioctl_attach_pt(df, uptr);
			goto out;
		case VFIO_DEVICE_DETACH_IOMMUFD_PT:
			ret = vfio_df_ioctl_detach_pt(df, uptr);
			goto out;
		}
	}
	...
 }
