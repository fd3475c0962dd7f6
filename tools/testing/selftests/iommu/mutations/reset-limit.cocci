// file: drivers/iommu/gpasid_iopf.c
// breaks: requests of incomplete groups have a limit
// run: gpasid_reset
@@
@@
 iommu_gpasid_alloc_partial(...)
 {
	...
-	if (iommu_gpasid_partial_full(...))
-		return NULL;
	...
 }
