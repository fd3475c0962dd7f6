// file: drivers/iommu/gpasid_iopf.c
// breaks: there is room for new page requests when old ones are answered
// run: gpasid_reset -t unanswered_requests_have_a_limit
// kernel: debug
@@
expression E;
@@
 iommu_gpasid_end_group(...)
 {
	<...
-	atomic_sub(E, &group->fault_param->kept);
+	;
	...>
 }
