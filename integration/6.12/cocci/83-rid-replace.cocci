// file: drivers/iommu/iommufd/device.c
// As rule 82, when the HWPT of the RID is replaced.
@@
identifier hwpt, idev;
symbol igroup, old_hwpt, rc;
@@
 iommufd_device_do_replace(struct iommufd_device *idev, ...,
	struct iommufd_hw_pagetable *hwpt)
 {
	<...
+	rc = iommufd_pasid_check_rid(igroup, hwpt);
+	if (rc)
+		goto err_unlock;
	old_hwpt = igroup->hwpt;
	...>
 }
