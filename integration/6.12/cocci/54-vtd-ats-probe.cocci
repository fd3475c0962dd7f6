// file: drivers/iommu/intel/iommu.c
// In scalable mode ATS is the device's: PASIDs use it whatever the RID is
// attached to.  Under the copied tables of a crashed kernel it waits for them
// to be replaced, as ever.
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
