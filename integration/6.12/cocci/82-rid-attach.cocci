// file: drivers/iommu/iommufd/device.c
// A RID that joins attached PASIDs keeps to HWPTs for that.
@@
identifier hwpt, idev, pasid;
symbol rc;
@@
 int iommufd_hw_pagetable_attach(struct iommufd_hw_pagetable *hwpt,
	struct iommufd_device *idev, ioasid_t pasid)
 {
	<...
	mutex_lock(&idev->igroup->lock);
+	rc = iommufd_pasid_check_rid(idev->igroup, hwpt);
+	if (rc)
+		goto err_unlock;
	...>
 }
