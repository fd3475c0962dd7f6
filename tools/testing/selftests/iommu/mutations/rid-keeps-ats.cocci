// file: drivers/iommu/intel/iommu.c
// breaks: ATS is the device's, whatever its RID is attached to
// run: gpasid_rid
@@
@@
 device_block_translation(...)
 {
	<...
-	!sm_supported(iommu)
+	true
	...>
 }
