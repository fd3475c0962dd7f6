// file: drivers/iommu/gpasid_unbind.c
// breaks: free takes the bindings down
// run: gpasid_bind
@@
@@
 gpasid_notify(...)
 {
	<...
-	gpasid_free_under(parent, info->id);
+	;
	...>
 }
