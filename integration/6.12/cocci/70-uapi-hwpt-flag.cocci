// file: include/uapi/linux/iommufd.h
// As Linux 7.3: an HWPT for a PASID, or for a RID of a device with PASIDs.
@@
@@
 enum iommufd_hwpt_alloc_flags {
	...,
+	IOMMU_HWPT_ALLOC_PASID = 8,
 };
