// file: drivers/iommu/intel/gpasid.c
// breaks: two devices of a unit have a table each under one number
// run: gpasid_upstream_dma -t a_pasid_has_another_table_on_each_device
// test: a_pasid_has_another_table_on_each_device
@@
@@
 vtd_attach_did(...)
 {
	<...
-	att->own ? vtd_did_alloc(iommu) : domain_id_iommu(s2, iommu)
+	domain_id_iommu(s2, iommu)
	...>
 }

@@
@@
 vtd_detach_did(...)
 {
	<...
-	if (att->own)
-		vtd_did_free(...);
	...>
 }
