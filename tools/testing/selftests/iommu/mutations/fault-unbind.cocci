// file: drivers/iommu/gpasid_unbind.c
// breaks: unbind answers the page requests that are outstanding
// run: gpasid_pri
@@
@@
 gpasid_drain(...)
 {
	<...
-	gpasid_fault_flush(...);
	...>
 }
