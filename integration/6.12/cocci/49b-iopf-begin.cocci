// file: drivers/iommu/io-pgfault.c
// A group begins to wait.
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
