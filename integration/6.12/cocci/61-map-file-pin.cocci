// file: drivers/iommu/iommufd/pages.c
// Pin pages of a file through the file.
@@
identifier user, pages;
@@
 pfn_reader_user_pin(struct pfn_reader_user *user, struct iopt_pages *pages, ...)
 {
	<...
-	pin_user_pages_fast(
+	iommufd_map_file_pin(pages,
	...)
	...>
 }
