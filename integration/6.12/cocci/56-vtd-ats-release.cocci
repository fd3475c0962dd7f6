// file: drivers/iommu/intel/iommu.c
// Counterpart of rule 54.  Disable ATS before PASIDs: PCIe leaves the opposite
// order undefined.
@@
@@
 intel_iommu_release_device(...)
 {
	...
	struct intel_iommu *iommu = info->iommu;
+	iommu_disable_pci_caps(info);
	...
 }
