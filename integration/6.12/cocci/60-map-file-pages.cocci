// file: drivers/iommu/iommufd/io_pagetable.h
// Pages by their file instead of an address.
@@
@@
 struct iopt_pages {
	...
	struct user_struct *source_user;
+	struct file *file;
	...
 };
