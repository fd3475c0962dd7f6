// file: drivers/iommu/intel/gpasid.c
// breaks: replace invalidates the PASID cache
// run: gpasid_replace
@@
@@
 vtd_flush_table(...)
 {
	<...
-	qi_submit_sync(info->iommu, desc, n, 0);
+	qi_submit_sync(info->iommu, desc + 1, n - 1, 0);
	...>
 }
