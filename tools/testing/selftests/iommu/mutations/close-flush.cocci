// file: drivers/iommu/gpasid.c
// breaks: closing a device invalidates what was cached
// run: gpasid_life
@@
@@
 gpasid_flush_cleared(...)
 {
	<...
-	gdev->ops->flush(att, NULL);
	...>
 }
