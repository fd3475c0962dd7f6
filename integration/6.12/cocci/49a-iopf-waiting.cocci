// file: include/linux/iommu.h
// Add the list of waiting groups of rule 49.
@@
@@
 struct iommu_fault_param {
	...
	struct list_head faults;
+	struct list_head waiting;
 };
