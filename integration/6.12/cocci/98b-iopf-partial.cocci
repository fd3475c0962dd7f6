// file: drivers/iommu/io-pgfault.c
// Bound incomplete groups: a device can begin any number and complete none.
@@
identifier fault_param, fault, iopf;
@@
 report_partial_fault(struct iommu_fault_param *fault_param, struct iommu_fault *fault)
 {
	...
-	iopf = kzalloc(sizeof(*iopf), GFP_KERNEL);
+	iopf = iommu_gpasid_alloc_partial(fault_param, fault);
	...
 }
