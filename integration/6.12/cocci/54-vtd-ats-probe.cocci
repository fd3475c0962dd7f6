// file: drivers/iommu/intel/iommu.c
// In scalable mode ATS belongs to the device: PASIDs use it independently of
// the domain of the RID.  Under the copied tables of a crashed kernel, ATS is
// still enabled only after the tables are replaced.
@@
@@
 intel_iommu_probe_device(...)
 {
	<...
+	if (sm_supported(iommu) && !dev_is_real_dma_subdevice(dev) && !context_copied(iommu, info->bus, info->devfn))
+		iommu_enable_pci_caps(info);
	return &iommu->iommu;
	...>
 }
