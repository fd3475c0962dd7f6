// file: drivers/iommu/iommufd/pages.c
// A virtual device's driver reads and writes them through the pages.
@@
identifier pages, data, flags, start_byte, length;
symbol start_index, last_index;
@@
 int iopt_pages_rw_access(struct iopt_pages *pages, unsigned long start_byte,
	void *data, unsigned long length, unsigned int flags)
 {
	<...
	if ((flags & IOMMUFD_ACCESS_RW_WRITE) && !pages->writable) return -EPERM;
+	if (pages->file)
+		return iopt_pages_rw_slow(pages, start_index, last_index, start_byte % PAGE_SIZE, data, length, flags);
	...>
 }
