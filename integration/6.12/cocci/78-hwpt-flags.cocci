// file: drivers/iommu/iommufd/hw_pagetable.c
// Do not pass the added flags to IOMMU drivers, which do not know them.
@@
expression ictx, ioas, idev, pasid, imm, data, parent;
identifier cmd;
@@
 iommufd_hwpt_alloc(...)
 {
	<...
(
	iommufd_hwpt_paging_alloc(ictx, ioas, idev, pasid,
-		cmd->flags,
+		iommufd_pasid_paging_flags(cmd->flags),
		imm, data)
|
	iommufd_hwpt_nested_alloc(ictx, parent, idev,
-		cmd->flags,
+		iommufd_pasid_nested_flags(cmd->flags),
		data)
)
	...>
 }
