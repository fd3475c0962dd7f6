// file: drivers/iommu/intel/iommu.c
// A read-only mapping on a nest parent is refused (erratum 772415).  The
// mapping undone then is empty, and the flush of an empty range shifts by 64.
@@
identifier domain, gather;
@@
 static void intel_iommu_tlb_sync(struct iommu_domain *domain,
	struct iommu_iotlb_gather *gather)
 {
+	if (gather->end < gather->start)
+		return;
	cache_tag_flush_range(...);
	...
 }
