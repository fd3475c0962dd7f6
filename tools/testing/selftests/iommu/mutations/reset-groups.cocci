// file: drivers/iommu/gpasid_fault.c
// breaks: a reset ends what waits for an answer
// run: gpasid_reset
@@
@@
 gpasid_fault_reset(...)
 {
	<...
-	gpasid_queue_reset(...);
	...>
 }
