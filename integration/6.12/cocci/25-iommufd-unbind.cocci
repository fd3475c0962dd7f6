// file: drivers/iommu/iommufd/device.c
// Unbind all PASIDs of a device that leaves its context.
@@
identifier idev;
@@
 void iommufd_device_unbind(struct iommufd_device *idev)
 {
+	iommufd_gpasid_unbind_all(idev);
	...
 }
