// file: drivers/iommu/gpasid_unbind.c
// breaks: closing a device invalidates what was cached
// run: gpasid_life
@@
@@
 gpasid_bulk_unbind(...)
 {
	<...
-	ops->flush(atts[i], NULL);
+	;
	...>
 }
