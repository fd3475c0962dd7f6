// file: include/linux/vfio.h
// Attach and detach of a device's own PASIDs.
@@
typedef u32;
@@
 struct vfio_device_ops {
	...
	void (*detach_ioas)(struct vfio_device *vdev);
+	int (*pasid_attach_ioas)(struct vfio_device *vdev, u32 pasid, u32 pt_id);
+	void (*pasid_detach_ioas)(struct vfio_device *vdev, u32 pasid);
	...
 };
