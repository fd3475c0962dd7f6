// file: drivers/iommu/intel/iommu.c
// With rule 54, ATS is enabled before the RID is attached.
@@
@@
 iommu_enable_pci_caps(...)
 {
	struct pci_dev *pdev;
+	if (info->ats_enabled)
+		return;
	...
 }
