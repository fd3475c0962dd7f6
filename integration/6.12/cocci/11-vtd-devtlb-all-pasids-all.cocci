// file: drivers/iommu/intel/cache.c
// As rule 10, for a flush of the whole domain.
@@
identifier domain, tag, iommu, info, sid;
@@
 static void cache_tag_flush_devtlb_all(struct dmar_domain *domain,
	struct cache_tag *tag)
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
