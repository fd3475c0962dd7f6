// file: drivers/iommu/intel/gpasid.c
// breaks: replace invalidates the PASID cache
// run: gpasid_replace
@@
@@
 vtd_flush_table(...)
 {
	<...
-	vtd_submit(info->iommu, desc, n);
+	vtd_submit(info->iommu, desc + 1, n - 1);
	...>
 }
