// file: drivers/iommu/gpasid_bind.c
// breaks: the same owner cannot bind twice
// run: gpasid_bind -t a_second_bind_of_the_same_pasid_is_busy
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
