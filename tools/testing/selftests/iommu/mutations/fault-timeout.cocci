// file: drivers/iommu/gpasid_fault.c
// breaks: a page request that is never answered fails in time
// run: gpasid_pri
@@
@@
 gpasid_group_queue(...)
 {
	<...
-	mod_delayed_work(...);
+	;
	...>
 }
