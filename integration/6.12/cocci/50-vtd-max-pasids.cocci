// file: drivers/iommu/intel/iommu.c
// A device's PASID table has room for as many PASIDs as the smallest unit of
// the machine supports, but the IOMMU core limits a device by what its own
// unit supports.  A PASID in between has no entry.
@@
symbol iommu;
@@
 intel_iommu_probe_device(struct device *dev)
 {
	<...
+	iommu->iommu.max_pasids = min(iommu->iommu.max_pasids, intel_pasid_max_id);
	return &iommu->iommu;
	...>
 }
