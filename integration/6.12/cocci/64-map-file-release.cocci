// file: drivers/iommu/iommufd/pages.c
// Release the file with the last of its pages.
@@
identifier pages;
@@
 iopt_release_pages(...)
 {
	...
	mmdrop(pages->source_mm);
+	iommufd_map_file_release(pages);
	...
 }
