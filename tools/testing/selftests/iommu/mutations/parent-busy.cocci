// file: drivers/iommu/gpasid.c
// breaks: a parent with bindings cannot be detached or exchanged
// run: gpasid_life
@@
@@
 gpasid_parent_busy(...)
 {
	...
-	return busy;
+	return false;
 }
