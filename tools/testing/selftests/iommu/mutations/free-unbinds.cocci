// file: drivers/iommu/gpasid.c
// breaks: free takes the bindings down
// run: gpasid_bind
@@
@@
 gpasid_event_free(...)
 {
	<...
-	gpasid_binding_finish(b);
+	gpasid_binding_remove(b);
	...>
 }
