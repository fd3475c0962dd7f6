// file: drivers/iommu/iommufd/gpasid.c
// breaks: what a guest writes into a physical device is its host PASID
// run: gpasid_bind
@@
expression E;
@@
 gpasid_identity(...)
 {
	<...
-	return E ? 0 : -EINVAL;
+	return 0;
	...>
 }
