// file: drivers/vfio/vfio_main.c
// Add the guest-PASID ioctls of a device file.
@@
identifier ret, df, uptr;
expression cmd;
@@
 vfio_device_fops_unl_ioctl(...)
 {
	...
	if (cmd == VFIO_DEVICE_BIND_IOMMUFD)
		return vfio_df_ioctl_bind_iommufd(df, uptr);
	...
	ret = vfio_device_pm_runtime_get(...);
	if (ret)
		return ret;
+	if (vfio_is_gpasid_ioctl(cmd)) {
+		ret = vfio_df_ioctl_gpasid(df, cmd, uptr);
+		goto out;
+	}
	...
 }
