// file: drivers/iommu/intel/cache.c
// One device-TLB tag of a nest parent stands for all PASIDs bound on a device.
// Its flush is one descriptor, whatever the range: a second-stage address says
// nothing about the guest-virtual ones that a device TLB is indexed by.
@@
identifier domain, tag, addr, mask, iommu, info, sid;
@@
 static void cache_tag_flush_devtlb_psi(struct dmar_domain *domain,
	struct cache_tag *tag, unsigned long addr, unsigned long mask)
 {
	struct intel_iommu *iommu = tag->iommu;
	struct device_domain_info *info;
	u16 sid;
	info = dev_iommu_priv_get(tag->dev);
+	if (tag->pasid == INTEL_GPASID_ALL) {
+		intel_gpasid_flush_tag(iommu, info, domain->qi_batch);
+		return;
+	}
	...
 }
