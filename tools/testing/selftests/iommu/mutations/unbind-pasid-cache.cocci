// file: drivers/iommu/intel/gpasid.c
// breaks: unbind invalidates the PASID cache
// run: gpasid_abi
// run: gpasid_bind
@@
@@
 vtd_flush(...)
 {
	<...
-	vtd_submit(iommu, desc, n);
+	vtd_submit(iommu, desc + 1, n - 1);
	...>
 }
