// file: drivers/vfio/iommufd.c
// Detach all PASIDs at once, before the RID.
@@
identifier vdev;
@@
 void vfio_iommufd_physical_unbind(struct vfio_device *vdev)
 {
	lockdep_assert_held(...);
+	vfio_pasid_detach_all(vdev->iommufd_device);
	...
 }
