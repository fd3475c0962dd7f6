// file: drivers/iommu/iommufd/io_pagetable.h
// A struct iopt_pages can refer to a file instead of an address.
@@
@@
 struct iopt_pages {
	...
	struct user_struct *source_user;
+	struct file *file;
	...
 };
