// file: drivers/iommu/gpasid_fault.c
// breaks: a page request carries the guest PASID, not the host PASID
// run: gpasid_pri
@@
@@
 gpasid_group_queue(...)
 {
	<...
-	g->record[i].gpasid = gpasid;
+	g->record[i].gpasid = b->hpasid;
	...>
 }
