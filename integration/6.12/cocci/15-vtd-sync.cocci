// file: drivers/iommu/intel/iommu.c
// A device TLB that cannot be invalidated for all PASIDs at once has no tag on
// the nest parent.  The backend flushes it before the freed page-table pages
// can be reused.
@@
identifier domain, gather;
@@
 static void intel_iommu_tlb_sync(struct iommu_domain *domain,
	struct iommu_iotlb_gather *gather)
 {
	cache_tag_flush_range(...);
+	intel_gpasid_sync(to_dmar_domain(domain));
	...
 }
