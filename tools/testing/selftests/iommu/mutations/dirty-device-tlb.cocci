// file: drivers/iommu/intel/gpasid_builtin.c
// breaks: dirty tracking flushes every device TLB once all entries are switched
// run: gpasid_dirty
@@
@@
 intel_gpasid_flush_cache(...)
 {
	<...
-	cache_tag_flush_devtlb_all(domain, tag);
	...>
 }
