// file: drivers/iommu/iommufd/pages.c
// They are pinned whatever has become of the process.
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
