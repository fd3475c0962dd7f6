// file: include/uapi/linux/vfio.h
// As Linux 7.3: attach takes a PASID.
@@
typedef __u32;
@@
+#define VFIO_DEVICE_ATTACH_PASID	(1 << 0)
 struct vfio_device_attach_iommufd_pt {
	...
	__u32 pt_id;
+	__u32 pasid;
 };
