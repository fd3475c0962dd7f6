// file: drivers/iommu/iommufd/gpasid.c
// breaks: a device that leaves its parent leaves no PASID bound
// run: gpasid_life
@@
@@
 iommufd_gpasid_detach(...)
 {
	<...
-	iommu_sva_unbind_gpasid_parent(...);
	...>
 }
