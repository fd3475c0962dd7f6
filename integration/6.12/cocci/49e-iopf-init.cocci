// file: drivers/iommu/io-pgfault.c
// The list of rule 49 begins empty.
@@
identifier fault_param;
@@
 iopf_queue_add_device(...)
 {
	...
	INIT_LIST_HEAD(&fault_param->faults);
+	INIT_LIST_HEAD(&fault_param->waiting);
	...
 }
