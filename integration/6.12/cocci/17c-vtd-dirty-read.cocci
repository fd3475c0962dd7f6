// file: drivers/iommu/intel/iommu.c
// Reading what is dirty walks from the root of the table for each page.  Begun
// inside a superpage it steps past the beginning of the next one, whose dirty bit
// is then cleared without all of it being recorded.
@@
identifier domain, iova, size, flags, dirty;
@@
 intel_iommu_read_and_clear_dirty(struct iommu_domain *domain, unsigned long iova, size_t size, unsigned long flags, struct iommu_dirty_bitmap *dirty)
 {
-	...
+	return intel_gpasid_read_and_clear_dirty(to_dmar_domain(domain), iova, size, flags, dirty);
 }
