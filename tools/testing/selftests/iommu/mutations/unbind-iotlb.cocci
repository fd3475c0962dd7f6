// file: drivers/iommu/intel/gpasid.c
// breaks: unbind invalidates the IOTLB
// run: gpasid_abi
// run: gpasid_bind
@@
@@
 vtd_flush(...)
 {
	<...
-	qi_desc_iotlb(iommu, vtd_did(att), 0, 0, DMA_TLB_DSI_FLUSH, &desc[1]);
+	desc[1] = desc[0];
	...>
 }
