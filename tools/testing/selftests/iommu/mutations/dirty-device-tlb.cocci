// file: drivers/iommu/intel/gpasid_builtin.c
// breaks: dirty tracking flushes every device TLB once all entries are switched
// run: gpasid_dirty
@@
@@
 intel_gpasid_set_dirty_tracking(...)
 {
	<...
-	cache_tag_flush_all(domain);
	...>
 }
