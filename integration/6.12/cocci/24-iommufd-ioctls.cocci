// file: drivers/iommu/iommufd/main.c
// Add the guest-PASID ioctls and IOMMU_IOAS_MAP_FILE.
@@
@@
 const struct iommufd_ioctl_op iommufd_ioctl_ops[] = {
	...,
	IOCTL_OP(IOMMU_VFIO_IOAS, iommufd_vfio_ioas, struct iommu_vfio_ioas,
		 __reserved),
+	IOCTL_OP(IOMMU_IOAS_MAP_FILE, iommufd_ioas_map_file, struct iommu_ioas_map_file, iova),
+	IOCTL_OP(IOMMU_GPASID_ALLOC, iommufd_gpasid_alloc, struct iommu_gpasid_alloc, out_hpasid),
+	IOCTL_OP(IOMMU_GPASID_FREE, iommufd_gpasid_free, struct iommu_gpasid_free, __reserved),
+	IOCTL_OP(IOMMU_GPASID_LOOKUP, iommufd_gpasid_lookup, struct iommu_gpasid_lookup, out_pasid),
+	IOCTL_OP(IOMMU_GPASID_QUOTA, iommufd_gpasid_quota, struct iommu_gpasid_quota, __reserved),
+	IOCTL_OP(IOMMU_GPASID_INVALIDATE, iommufd_gpasid_invalidate, struct iommu_gpasid_invalidate, entry_num),
+	IOCTL_OP(IOMMU_GPASID_FAULT_ALLOC, iommufd_gpasid_fault_alloc, struct iommu_gpasid_fault_alloc, __reserved),
	...
 };
