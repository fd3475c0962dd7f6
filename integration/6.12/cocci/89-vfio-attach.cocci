// file: drivers/vfio/device_cdev.c
// Attach a PASID if the user passes one; the kernel's own code attaches the
// RID.
@@
identifier df, attach, minsz;
expression arg;
@@
 int vfio_df_ioctl_attach_pt(struct vfio_device_file *df, ...)
 {
	<...
	if (copy_from_user(&attach, arg, minsz)) return -EFAULT;
+	if (attach.flags & VFIO_DEVICE_ATTACH_PASID)
+		return vfio_df_ioctl_pasid_attach(df, &attach, arg);
	...>
 }
