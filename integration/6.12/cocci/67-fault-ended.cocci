// file: drivers/iommu/iommufd/iommufd_private.h
// The value of iommu_gpasid_nr_ended() at the last check of the groups.
@@
@@
 struct iommufd_fault {
	...
	struct xarray response;
+	unsigned int nr_ended;
	...
 };
