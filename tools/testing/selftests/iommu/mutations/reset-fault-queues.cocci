// file: drivers/iommu/gpasid_iopf.c
// breaks: a reset ends page requests in the fault queues of HWPTs
// run: gpasid_reset -f upstream
@@
@@
 iommu_gpasid_reset_requests(...)
 {
	...
-	iommu_gpasid_end_waiting(dev);
	...
 }
