// file: drivers/iommu/intel/cache.c
// breaks: a second-stage unmap invalidates the IOTLB before the device TLB
// run: gpasid_running -t a_page_is_never_reached_after_its_unmap
// test: a_page_is_never_reached_after_its_unmap
// lab: --adverse
@@
iterator name list_for_each_entry, list_for_each_entry_reverse;
identifier tag, node;
expression E;
statement S;
@@
 cache_tag_flush_range(...)
 {
	<...
-	list_for_each_entry(tag, E, node) S
+	list_for_each_entry_reverse(tag, E, node) S
	...>
 }
