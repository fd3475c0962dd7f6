// file: drivers/iommu/intel/iommu.c
// The driver walks from the root of the table for each page.  If it begins
// inside a superpage, it steps past the start of the next one, whose dirty bit
// is then cleared although only a part of the superpage is recorded.
@@
identifier domain, iova, size, flags, dirty;
@@
 intel_iommu_read_and_clear_dirty(struct iommu_domain *domain, unsigned long iova, size_t size, unsigned long flags, struct iommu_dirty_bitmap *dirty)
 {
-	...
+	return intel_gpasid_read_and_clear_dirty(to_dmar_domain(domain), iova, size, flags, dirty);
 }
