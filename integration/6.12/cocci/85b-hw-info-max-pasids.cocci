// file: drivers/iommu/iommufd/device.c
// A device whose PASIDs could not be enabled has none.  The kernel warned of it,
// on the user's call.
@@
symbol idev;
@@
 iommufd_get_hw_info(...)
 {
	<...
-	idev->dev->iommu->max_pasids
+	iommufd_pasid_max(idev->dev)
	...>
 }
