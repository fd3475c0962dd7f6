// file: drivers/iommu/iommufd/iommufd_private.h
// Record that an HWPT was allocated with IOMMU_HWPT_ALLOC_PASID.
@@
@@
 struct iommufd_hw_pagetable {
	...
	struct iommufd_fault *fault;
+	bool pasid_compat;
	...
 };
