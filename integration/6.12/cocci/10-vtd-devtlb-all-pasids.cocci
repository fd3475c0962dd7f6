// file: drivers/iommu/intel/cache.c
// One device-TLB tag of a nest parent stands for all PASIDs bound on a device.
// It is flushed by one descriptor for any range, since a device TLB is indexed
// by guest virtual addresses, which cannot be derived from a second-stage
// address.
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
