// file: drivers/iommu/intel/iommu.c
// As Linux 7.3: refuse a nest parent on a unit that does not support nesting,
// so that a VMM gets the error at attach and not at the first nested HWPT.
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
