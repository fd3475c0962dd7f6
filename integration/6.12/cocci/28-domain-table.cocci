// file: include/linux/iommu.h
// The first-stage table of an HWPT's domain.  An IOMMU driver uses it to find
// the PASIDs that are attached to the HWPT.
@@
@@
 struct iommu_domain {
	...
	const struct iommu_domain_ops *ops;
+	struct gpasid_table *gpasid_table;
	...
 };
