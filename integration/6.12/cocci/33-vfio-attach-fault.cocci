// file: drivers/vfio/device_cdev.c
// An attach whose answer cannot be written undoes itself.  While PASIDs are bound
// it has changed nothing, and undoing it would take them down.
@@
identifier df;
expression device;
@@
 int vfio_df_ioctl_attach_pt(struct vfio_device_file *df, ...)
 {
	<...
+	if (!vfio_df_gpasid_busy(df))
	device->ops->detach_ioas(device);
	...>
 }
