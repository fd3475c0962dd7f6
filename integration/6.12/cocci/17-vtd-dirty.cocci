// file: drivers/iommu/intel/iommu.c
// Dirty tracking is switched entry by entry, each flushed by itself: what a
// device brings into the unit's IOTLB by an entry that is not switched yet gets
// into the TLB of one that is flushed already, whose writes are then lost.
@@
identifier domain, enable;
@@
 intel_iommu_set_dirty_tracking(struct iommu_domain *domain, bool enable)
 {
-	...
+	return intel_gpasid_set_dirty_tracking(to_dmar_domain(domain), enable);
 }
