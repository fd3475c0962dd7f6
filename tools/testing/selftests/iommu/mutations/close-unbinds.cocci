// file: drivers/iommu/iommufd/gpasid.c
// breaks: a device that leaves its context leaves no PASID bound
// run: gpasid_life
@@
@@
 iommufd_gpasid_unbind_all(...)
 {
	<...
-	iommu_sva_unbind_gpasid_owner(...);
	...>
 }
