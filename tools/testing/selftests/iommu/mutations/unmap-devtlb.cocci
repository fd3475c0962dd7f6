// file: drivers/iommu/intel/cache.c
// breaks: a second-stage unmap invalidates the device TLB for all PASIDs
// run: gpasid_bind
@@
@@
 cache_tag_flush_devtlb_psi(...)
 {
	<...
-	intel_gpasid_flush_tag(...);
	...>
 }
