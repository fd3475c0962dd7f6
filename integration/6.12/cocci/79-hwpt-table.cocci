// file: drivers/iommu/iommufd/hw_pagetable.c
// Give an HWPT for PASIDs a table in the binding core.
@@
identifier cmd, hwpt;
symbol idev, rc;
@@
 iommufd_hwpt_alloc(...)
 {
	<...
+	rc = iommufd_pasid_hwpt_init(hwpt, idev, cmd->flags);
+	if (rc)
+		goto out_hwpt;
	if (cmd->flags & IOMMU_HWPT_FAULT_ID_VALID) {
	...
	}
	cmd->out_hwpt_id = hwpt->obj.id;
	...>
 }
