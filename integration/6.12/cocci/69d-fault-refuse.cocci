// file: drivers/iommu/iommufd/fault.c
// The queue has no limit, and a device need not keep to what it may have
// outstanding.
@@
identifier group;
@@
 iommufd_fault_iopf_handler(struct iopf_group *group)
 {
	...
	iopf_group_dequeue(group);
+	if (iommufd_fault_refuse(group))
+		return 0;
	...
 }
