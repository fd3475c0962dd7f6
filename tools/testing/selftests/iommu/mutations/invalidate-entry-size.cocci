// file: drivers/iommu/iommufd/gpasid.c
// breaks: an entry of an invalidation is not larger than a page
// run: gpasid_bind
@@
@@
 iommufd_gpasid_invalidate(...)
 {
	<...
-	if (nr && cmd->entry_len > PAGE_SIZE)
+	if (false)
	{ ... }
	...>
 }
