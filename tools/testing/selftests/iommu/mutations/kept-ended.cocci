// file: drivers/iommu/gpasid_iopf.c
// breaks: page requests that a reset has ended count until they are freed
// run: gpasid_reset -t requests_that_a_reset_has_ended_count_against_the_limit
// kernel: debug
@@
symbol group, param;
@@
 iommu_gpasid_end_waiting(...)
 {
	<...
+	atomic_sub(group->fault_count, &param->kept);
	smp_store_release(&group->ended, true);
	...>
 }
