// file: drivers/iommu/io-pgfault.c
// Add a group to the list of waiting groups.
@@
identifier group, attach_handle;
@@
 iommu_report_device_fault(...)
 {
	...
	group->attach_handle = attach_handle;
+	iommu_gpasid_begin_group(group);
	...
 }
