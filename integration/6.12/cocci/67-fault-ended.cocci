// file: drivers/iommu/iommufd/iommufd_private.h
// What iommu_gpasid_nr_ended() was when the groups were last looked through.
@@
@@
 struct iommufd_fault {
	...
	struct xarray response;
+	unsigned int nr_ended;
	...
 };
