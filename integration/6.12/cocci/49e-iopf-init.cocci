// file: drivers/iommu/io-pgfault.c
// Initialise the list of rule 49a.
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
