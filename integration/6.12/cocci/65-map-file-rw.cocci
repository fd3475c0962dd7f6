// file: drivers/iommu/iommufd/pages.c
// Let the driver of a virtual device access memory of a file by its pages: the
// uptr of a file is a position in it, not a user address.
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
