// file: drivers/iommu/iommufd/device.c
// A device that leaves its context leaves no PASID bound.
@@
identifier idev;
@@
 void iommufd_device_unbind(struct iommufd_device *idev)
 {
+	iommufd_gpasid_unbind_all(idev);
	...
 }
