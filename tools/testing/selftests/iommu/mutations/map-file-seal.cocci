// file: drivers/iommu/iommufd/map_file.c
// breaks: a file cannot be sealed against writes while a device may write to it
// run: gpasid_upstream -t a_file_that_is_sealed_against_writes_is_mapped_to_be_read
@@
expression file;
@@
 map_file_begin_write(...)
 {
	<...
-	mapping_map_writable(file->f_mapping)
+	0
	...>
 }
@@
@@
 map_file_end_write(...)
 {
-	mapping_unmap_writable(...);
 }
