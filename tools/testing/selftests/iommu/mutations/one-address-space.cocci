// file: drivers/iommu/gpasid_bind.c
// breaks: a PASID of the host has one table under one parent
// run: gpasid_devices
@@
@@
 gpasid_op_table(...)
 {
	<...
-	if (!gpasid_table_is(b->table, &op->attrs))
-		return ERR_PTR(-EBUSY);
	...>
 }
