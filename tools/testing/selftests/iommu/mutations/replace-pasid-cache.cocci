// file: drivers/iommu/intel/gpasid.c
// breaks: replace invalidates the PASID cache
// run: gpasid_replace
@@
@@
 vtd_replace(...)
 {
	<...
-	qi_submit_sync(iommu, desc, n, 0);
+	qi_submit_sync(iommu, desc + 1, n - 1, 0);
	...>
 }
