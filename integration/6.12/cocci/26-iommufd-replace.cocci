// file: drivers/iommu/iommufd/device.c
// While PASIDs are bound under it, a parent cannot be exchanged.
@@
identifier igroup, idev, old_hwpt;
symbol rc;
@@
 iommufd_device_do_replace(struct iommufd_device *idev, ...)
 {
	<...
+	rc = iommufd_gpasid_may_replace(idev);
+	if (rc)
+		goto err_unlock;
	old_hwpt = igroup->hwpt;
	...>
 }
