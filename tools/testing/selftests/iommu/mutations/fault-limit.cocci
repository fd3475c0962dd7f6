// file: drivers/iommu/gpasid_fault.c
// breaks: a context has no more unanswered page requests than its limit
// run: gpasid_pri
@@
@@
 gpasid_group_queue(...)
 {
	<...
-	q->nr >= q->limit
+	false
	...>
 }
