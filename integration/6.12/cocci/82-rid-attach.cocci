// file: drivers/iommu/iommufd/device.c
// While PASIDs of the group are attached, attach the RID only to an HWPT
// allocated with IOMMU_HWPT_ALLOC_PASID.
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
