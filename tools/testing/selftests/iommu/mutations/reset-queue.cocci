// file: drivers/iommu/intel/gpasid_reset.c
// breaks: nothing is sent to a device inside a reset
// run: gpasid_reset
@@
identifier desc, nothing;
@@
 intel_gpasid_queue_desc(...)
 {
	<...
-	desc = &nothing;
+	;
	...>
 }
