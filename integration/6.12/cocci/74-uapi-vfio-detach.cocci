// file: include/uapi/linux/vfio.h
// As Linux 7.3: detach takes a PASID.
@@
typedef __u32;
@@
+#define VFIO_DEVICE_DETACH_PASID	(1 << 0)
 struct vfio_device_detach_iommufd_pt {
	...
	__u32 flags;
+	__u32 pasid;
 };
