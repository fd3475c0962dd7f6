// file: drivers/iommu/iommufd/main.c
// A size of gigabytes would keep a processor busy, and its caller unkillable.
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
