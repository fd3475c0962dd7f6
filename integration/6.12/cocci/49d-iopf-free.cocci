// file: drivers/iommu/io-pgfault.c
// A group that a reset ends is freed without a response.
@@
identifier group;
@@
 __iopf_free_group(struct iopf_group *group)
 {
	...
+	iommu_gpasid_end_group(group);
	iopf_put_dev_fault_param(group->fault_param);
 }
