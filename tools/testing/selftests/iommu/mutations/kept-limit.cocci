// file: drivers/iommu/iommufd/gpasid_fault.c
// breaks: unanswered page requests in fault queues of HWPTs have a limit
// run: gpasid_reset -t unanswered_requests_have_a_limit
// kernel: debug
@@
@@
 iommufd_fault_refuse(...)
 {
-	if (!iommu_gpasid_group_excess(...))
-		return false;
-	...
+	return false;
 }
