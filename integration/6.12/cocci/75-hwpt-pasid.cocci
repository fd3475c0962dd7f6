// file: drivers/iommu/iommufd/iommufd_private.h
// What an HWPT was allocated for.
@@
@@
 struct iommufd_hw_pagetable {
	...
	struct iommufd_fault *fault;
+	bool pasid_compat;
	...
 };
