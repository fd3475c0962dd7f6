// file: drivers/iommu/intel/iommu.c
// As Linux 7.3: a parent does not fit a unit that cannot nest, so that a VMM
// gets the error when it attaches and not with the first nested HWPT.
@@
identifier domain, dev;
symbol dmar_domain, iommu;
@@
 prepare_domain_attach_device(struct iommu_domain *domain, struct device *dev)
 {
	<...
+	if (dmar_domain->nested_parent && !nested_supported(iommu))
+		return -EINVAL;
	if (domain->dirty_ops && !ssads_supported(iommu))
		return -EINVAL;
	...>
 }
