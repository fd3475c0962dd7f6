// file: drivers/iommu/gpasid_bind.c
// breaks: the same owner cannot bind twice
// run: gpasid_bind
// run: gpasid_abi
@@
@@
 gpasid_bind_again(...)
 {
	<...
-	return owned ? -EBUSY : gpasid_share(b, op);
+	return gpasid_share(b, op);
	...>
 }
