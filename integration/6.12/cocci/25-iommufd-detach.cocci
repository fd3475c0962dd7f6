// file: drivers/iommu/iommufd/device.c
// A device that leaves its parent leaves no PASID bound under it.
@@
identifier idev, hwpt;
@@
 void iommufd_device_detach(struct iommufd_device *idev)
 {
	struct iommufd_hw_pagetable *hwpt;
+	iommufd_gpasid_detach(idev);
	...
 }
