// file: drivers/iommu/gpasid.c
// breaks: the same owner cannot bind twice
// run: gpasid_bind
// run: gpasid_abi
@@
@@
 gpasid_share(...)
 {
	<...
-	b->state != GPASID_BOUND || gpasid_owned_by(b, data->owner) || !gpasid_same_table(b, parent, data)
+	b->state != GPASID_BOUND || !gpasid_same_table(b, parent, data)
	...>
 }
