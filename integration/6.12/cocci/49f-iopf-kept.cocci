// file: include/linux/iommu.h
// Page requests of a device that are in complete groups, until these are freed.
@@
@@
 struct iommu_fault_param {
	...
	struct list_head waiting;
+	atomic_t kept;
 };
