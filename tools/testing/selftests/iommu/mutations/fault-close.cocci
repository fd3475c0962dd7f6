// file: drivers/iommu/gpasid_fault.c
// breaks: closing the fault file answers what is outstanding
// run: gpasid_pri
@@
@@
 gpasid_fault_queue_destroy(...)
 {
	<...
-	gpasid_queue_fail(q, NULL, NULL);
	...>
 }
