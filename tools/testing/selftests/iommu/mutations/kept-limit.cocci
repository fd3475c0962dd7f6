// file: drivers/iommu/iommufd/gpasid_fault.c
// breaks: unanswered page requests in fault queues of HWPTs have a limit
// run: gpasid_reset -t unanswered_requests_have_a_limit
// kernel: debug
@@
symbol group;
@@
 iommufd_fault_refuse(...)
 {
	...
-	if (iommu_gpasid_keep_group(group))
-		return false;
+	if (iommu_gpasid_keep_group(group) || group)
+		return false;
	...
 }
