// file: drivers/iommu/iommufd/main.c
// Free the IOASID set with the context.
@@
identifier inode, filp, ictx, obj;
@@
 static int iommufd_fops_release(struct inode *inode, struct file *filp)
 {
	struct iommufd_ctx *ictx = filp->private_data;
	struct iommufd_object *obj;
+	iommufd_gpasid_release(ictx);
	...
 }
