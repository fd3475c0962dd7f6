// file: drivers/iommu/intel/iommu.c
// The other end of rule 54.  Before PASIDs are switched off: PCIe leaves it
// undefined to do that under ATS.
@@
@@
 intel_iommu_release_device(...)
 {
	...
	struct intel_iommu *iommu = info->iommu;
+	iommu_disable_pci_caps(info);
	...
 }
