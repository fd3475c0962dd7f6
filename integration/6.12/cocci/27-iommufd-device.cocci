// file: drivers/iommu/iommufd/iommufd_private.h
// Whether page requests of a device are on for the sake of its guest PASIDs.
@@
@@
 struct iommufd_device {
	...
	unsigned int iopf_enabled;
+	bool gpasid_iopf;
	...
 };
