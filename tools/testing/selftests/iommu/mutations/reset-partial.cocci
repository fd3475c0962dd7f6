// file: drivers/iommu/gpasid_iopf.c
// breaks: a reset drops requests of incomplete groups
// run: gpasid_reset
@@
@@
 iommu_gpasid_reset_requests(...)
 {
	...
-	iommu_gpasid_discard_partial(...);
	...
 }
