// file: drivers/iommu/iommufd/pages.c
// Counterpart of rule 62.
@@
identifier pages;
@@
 pfn_reader_user_destroy(...)
 {
	<...
-	pages->source_mm != current->mm
+	!pages->file && pages->source_mm != current->mm
	...>
 }
