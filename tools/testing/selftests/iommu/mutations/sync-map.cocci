// file: drivers/iommu/intel/gpasid.c
// breaks: with caching mode new memory of a virtual device's VM is flushed
// run: gpasid_vdcm
// lab: --unit seg=1,cm=1 --unit seg=2,cm=1
@@
@@
 vtd_attach(...)
 {
	<...
-	vtd_sync_map(...);
	...>
 }
