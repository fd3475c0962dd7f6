// file: drivers/iommu/iommufd/iommufd_private.h
// Record whether page requests of a device are enabled for its guest PASIDs.
@@
@@
 struct iommufd_device {
	...
	unsigned int iopf_enabled;
+	bool gpasid_iopf;
	...
 };
