// file: drivers/iommu/gpasid_unbind.c
// breaks: a device that leaves its context leaves no PASID bound
// run: gpasid_life -t closing_the_device_takes_its_bindings_down
@@
@@
 iommu_sva_unbind_gpasid_owner(...)
 {
	<...
-	gpasid_unbind_many(...);
	...>
 }
