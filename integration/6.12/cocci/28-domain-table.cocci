// file: include/linux/iommu.h
// The first-stage table of an HWPT's domain, by which an IOMMU driver finds the
// PASIDs that the HWPT is attached to.
@@
@@
 struct iommu_domain {
	...
	const struct iommu_domain_ops *ops;
+	struct gpasid_table *gpasid_table;
	...
 };
