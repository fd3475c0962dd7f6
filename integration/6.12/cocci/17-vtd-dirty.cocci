// file: drivers/iommu/intel/iommu.c
// Dirty tracking on a nest parent covers the PASIDs bound under it.  The flag
// is set before the bindings are visited, so that none is missed.
@@
identifier domain, enable, dmar_domain, ret;
@@
 static int intel_iommu_set_dirty_tracking(struct iommu_domain *domain,
	bool enable)
 {
	struct dmar_domain *dmar_domain = to_dmar_domain(domain);
	int ret;
	<...
	spin_unlock(&dmar_domain->lock);
+	intel_gpasid_dirty(dmar_domain);
	return 0;
	...>
 }
