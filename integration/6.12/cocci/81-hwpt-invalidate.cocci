// file: drivers/iommu/iommufd/hw_pagetable.c
// As Linux 7.3: -EINVAL for what is there but not nested.
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
