// file: drivers/vfio/vfio_main.c
// The ioctls of a device file.
@@
identifier ret, df, uptr;
expression cmd;
@@
 switch (cmd) {
	case VFIO_DEVICE_ATTACH_IOMMUFD_PT:
		ret = vfio_df_ioctl_attach_pt(df, uptr);
		goto out;
	case VFIO_DEVICE_DETACH_IOMMUFD_PT:
		ret = vfio_df_ioctl_detach_pt(df, uptr);
		goto out;
+	case VFIO_DEVICE_GPASID_BIND:
+	case VFIO_DEVICE_GPASID_UNBIND:
+	case VFIO_DEVICE_GPASID_INFO:
+		ret = vfio_df_ioctl_gpasid(df, cmd, uptr);
+		goto out;
 }
