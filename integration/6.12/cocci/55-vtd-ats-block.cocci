// file: drivers/iommu/intel/iommu.c
// As rule 54: blocking the RID blocks only the RID.  In legacy mode the context
// entry says for the whole device whether it may use ATS.
@@
@@
 device_block_translation(...)
 {
	<...
-	iommu_disable_pci_caps(info);
+	if (!sm_supported(iommu))
+		iommu_disable_pci_caps(info);
	...>
 }
