// file: drivers/iommu/intel/gpasid_queue.c
// breaks: what the unit has refused is submitted again
// run: gpasid_timeout
@@
@@
 intel_gpasid_queue_done(...)
 {
	<...
-	refused = true;
+	;
	...>
 }
