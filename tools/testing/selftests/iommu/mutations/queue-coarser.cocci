// file: drivers/iommu/intel/gpasid_queue.c
// breaks: what the unit keeps refusing is done in a coarser way
// run: gpasid_timeout
@@
@@
 intel_gpasid_queue_desc(...)
 {
	<...
-	desc = intel_gpasid_desc_coarser(iommu, desc, &coarse);
+	(void)coarse;
	...>
 }
