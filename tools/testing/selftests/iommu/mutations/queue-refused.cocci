// file: drivers/iommu/intel/gpasid_queue.c
// breaks: what the unit has refused is submitted again
// run: gpasid_timeout
@@
symbol status;
@@
 intel_gpasid_queue_done(...)
 {
	<...
-	status == QUEUE_REFUSED || status == QI_ABORT
+	status == QI_ABORT
	...>
 }
