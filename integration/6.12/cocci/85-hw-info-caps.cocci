// file: drivers/iommu/iommufd/device.c
// Report whether the device can have a device TLB.
@@
identifier cmd;
symbol idev;
@@
 iommufd_get_hw_info(...)
 {
	<...
-	cmd->out_capabilities = 0;
+	cmd->out_capabilities = iommufd_pasid_hw_caps(idev->dev);
	...>
 }
