// file: drivers/iommu/gpasid.c
// breaks: free takes the bindings down
// run: gpasid
// run: gpasid_bind
@@
@@
 gpasid_notify(...)
 {
	<...
-	gpasid_event_free(info->id);
	...>
 }
