// file: drivers/iommu/ioasid_pool.c
// breaks: a user has one limit, however many files are open
// run: gpasid_limits
// test: are_not_a_files
@@
@@
 ioasid_pool_charge(...)
 {
	<...
-	user->count >= pool_user_limit()
+	false
	...>
 }
