// file: drivers/iommu/iommufd/main.c
// Bound the size of a structure: checking gigabytes for zeroes would keep a
// CPU busy and the caller unkillable.
@@
symbol ucmd, op, nr;
@@
 iommufd_fops_ioctl(...)
 {
	...
	if (ucmd.user_size < op->min_size)
		return -EINVAL;
+	if (iommufd_gpasid_too_large(nr, ucmd.user_size))
+		return -E2BIG;
	...
 }
