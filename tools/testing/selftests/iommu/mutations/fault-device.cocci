// file: drivers/iommu/gpasid_fault.c
// breaks: a page request names its device
// run: gpasid_pri
@@
@@
 gpasid_group_queue(...)
 {
	<...
-	g->record[i].dev_id = READ_ONCE(b->dev_id);
	...>
 }
