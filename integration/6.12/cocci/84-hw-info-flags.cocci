// file: drivers/iommu/iommufd/device.c
// Support IOMMU_GET_HW_INFO with a requested type.
@@
identifier cmd, ops, idev, len;
@@
 iommufd_get_hw_info(...)
 {
	<...
(
-	cmd->flags ||
+	(cmd->flags & ~IOMMU_HW_INFO_FLAG_INPUT_TYPE) ||
	cmd->__reserved[0]
|
-	ops->hw_info(idev->dev, &len, &cmd->out_data_type)
+	iommufd_pasid_hw_info(idev->dev, &len, cmd)
)
	...>
 }
