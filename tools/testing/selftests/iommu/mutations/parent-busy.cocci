// file: drivers/iommu/iommufd/gpasid.c
// breaks: a parent with bindings cannot be detached or exchanged
// run: gpasid_life
@@
expression E;
@@
 iommufd_gpasid_may_replace(...)
 {
	...
-	return E;
+	return 0;
 }
