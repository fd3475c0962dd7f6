// file: drivers/iommu/iommufd/pages.c
// The file goes with the last of its pages.
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
