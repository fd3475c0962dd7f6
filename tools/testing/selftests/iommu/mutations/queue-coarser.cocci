// file: drivers/iommu/intel/gpasid_queue.c
// breaks: what the unit keeps refusing is done in a coarser way
// run: gpasid_timeout
@@
expression E;
@@
 intel_gpasid_desc_refused(...)
 {
	<...
-	return intel_gpasid_desc_global(...) ?: E;
+	return &intel_gpasid_nothing;
	...>
 }
