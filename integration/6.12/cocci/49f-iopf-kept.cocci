// file: include/linux/iommu.h
// Page requests of a device in fault queues of iommufd, until they are freed.
@@
@@
 struct iommu_fault_param {
	...
	struct list_head waiting;
+	atomic_t kept;
 };
