// file: drivers/iommu/ioasid_set.c
// breaks: free takes the guest PASID away
// run: gpasid_abi
// run: gpasid_bind
@@
@@
 ioasid_free_locked(...)
 {
	<...
-	if (ioasid->spid != IOMMU_PASID_INVALID) {
-		...
-	}
	...>
 }
