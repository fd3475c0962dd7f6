// file: drivers/iommu/iommufd/gpasid.c
// breaks: a quota that cannot be answered is not set
// run: gpasid_abi
@@
@@
 iommufd_gpasid_quota(...)
 {
	<...
-	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
-	if (rc)
-		return rc;
	...>
 }
