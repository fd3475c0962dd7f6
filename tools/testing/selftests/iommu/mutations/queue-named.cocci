// file: drivers/iommu/intel/gpasid_queue.c
// breaks: a time-out that names no device counts for those that were asked
// run: gpasid_timeout
@@
@@
 intel_gpasid_count_time_out(...)
 {
	<...
-	intel_gpasid_unnamed_timed_out(...);
+	(void)intel_gpasid_unnamed_timed_out;
	...>
 }
