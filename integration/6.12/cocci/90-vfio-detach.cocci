// file: drivers/vfio/device_cdev.c
// Detach a PASID if the user passes one; the kernel's own code detaches the
// RID.
@@
identifier df, detach, minsz;
expression arg;
@@
 int vfio_df_ioctl_detach_pt(struct vfio_device_file *df, ...)
 {
	<...
	if (copy_from_user(&detach, arg, minsz)) return -EFAULT;
+	if (detach.flags & VFIO_DEVICE_DETACH_PASID)
+		return vfio_df_ioctl_pasid_detach(df, &detach, arg);
	...>
 }
