// file: drivers/iommu/iommufd/pages.c
// Pages of a file need no mm: they can be pinned after the process has exited.
@@
identifier pages;
@@
 pfn_reader_user_pin(...)
 {
	<...
-	pages->source_mm != current->mm
+	!pages->file && pages->source_mm != current->mm
	...>
 }
