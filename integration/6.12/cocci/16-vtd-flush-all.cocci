// file: drivers/iommu/intel/iommu.c
// As rule 15, for a flush of the whole domain.
@@
identifier domain;
@@
 static void intel_flush_iotlb_all(struct iommu_domain *domain)
 {
	cache_tag_flush_all(...);
+	intel_gpasid_sync(to_dmar_domain(domain));
 }
