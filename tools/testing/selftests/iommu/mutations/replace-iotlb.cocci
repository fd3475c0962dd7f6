// file: drivers/iommu/intel/gpasid.c
// breaks: replace invalidates the PASID-based IOTLB
// run: gpasid_replace
@@
@@
 vtd_flush_table(...)
 {
	<...
-	vtd_desc_piotlb(&desc[1], ...);
+	desc[1] = desc[0];
	...>
 }
