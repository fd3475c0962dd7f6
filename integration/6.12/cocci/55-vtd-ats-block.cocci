// file: drivers/iommu/intel/iommu.c
// As rule 54: blocking the RID must not affect PASIDs.  In legacy mode the
// context entry controls ATS for the whole device.
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
