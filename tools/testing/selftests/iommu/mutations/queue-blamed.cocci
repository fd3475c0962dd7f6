// file: drivers/iommu/intel/gpasid_queue.c
// breaks: a time-out does not count for a device that nothing was sent to
// run: gpasid_timeout
@@
expression E;
symbol port, sid;
@@
 intel_gpasid_count_time_out(...)
 {
	<...
-	port && intel_gpasid_fetched_for(E, head, sid)
+	port
	...>
 }
