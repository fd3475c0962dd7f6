// file: drivers/iommu/intel/iommu.c
// The driver switches dirty tracking and flushes entry by entry.  Meanwhile a
// device can load the unit's IOTLB through an entry that is not switched yet,
// and a device TLB that is already flushed can be filled from the IOTLB.
// Writes through that device TLB are not tracked.
@@
identifier domain, enable;
@@
 intel_iommu_set_dirty_tracking(struct iommu_domain *domain, bool enable)
 {
-	...
+	return intel_gpasid_set_dirty_tracking(to_dmar_domain(domain), enable);
 }
