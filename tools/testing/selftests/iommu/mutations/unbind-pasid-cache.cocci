// file: drivers/iommu/intel/gpasid.c
// breaks: unbind invalidates the PASID cache
// run: gpasid_abi
// run: gpasid_bind
@@
@@
 vtd_flush_entries(...)
 {
	<...
-	qi_submit_sync(iommu, desc, n, 0);
+	qi_submit_sync(iommu, desc + 1, n - 1, 0);
	...>
 }
