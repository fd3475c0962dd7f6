// file: drivers/vfio/device_cdev.c
// A device cannot be detached from the parent of its PASIDs while they are
// bound.
@@
identifier df, device;
@@
 int vfio_df_ioctl_detach_pt(struct vfio_device_file *df, ...)
 {
	...
	mutex_lock(&device->dev_set->lock);
+	if (vfio_df_gpasid_busy(df)) {
+		mutex_unlock(&device->dev_set->lock);
+		return -EBUSY;
+	}
	...
 }
