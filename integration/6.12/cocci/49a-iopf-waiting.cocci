// file: include/linux/iommu.h
// The list of rule 49.
@@
@@
 struct iommu_fault_param {
	...
	struct list_head faults;
+	struct list_head waiting;
 };
