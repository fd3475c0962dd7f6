// file: drivers/iommu/iommufd/hw_pagetable.c
// As Linux 7.3: return -EINVAL for an existing object that is not a nested
// HWPT.
@@
@@
 iommufd_hwpt_invalidate(...)
 {
	<...
-	iommufd_get_hwpt_nested
+	iommufd_pasid_get_nested
	(...)
	...>
 }
