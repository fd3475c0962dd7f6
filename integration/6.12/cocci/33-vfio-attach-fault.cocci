// file: drivers/vfio/device_cdev.c
// An attach whose result cannot be written to the user is undone.  While
// PASIDs are bound, the attach has changed nothing, and undoing it would
// unbind them.
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
