// file: drivers/iommu/iommufd/map_file.c
// breaks: a file that is not memory cannot be mapped, whoever has pages pinned
// run: gpasid_upstream -t a_file_that_is_not_memory_is_refused_before_a_page_of_it_is_pinned
@@
@@
 map_file_is_memory(...)
 {
-	return ...;
+	return true;
 }
