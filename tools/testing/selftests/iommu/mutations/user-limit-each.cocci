// file: drivers/iommu/ioasid_pool.c
// breaks: what one user has does not count against another
// run: kunit ioasid_kunit ioasid_sets.user*
// test: user_has_one_limit_for_all_its_sets
@@
@@
 ioasid_user_get(...)
 {
	<...
-	new->uid = user_current();
+	new->uid = GLOBAL_ROOT_UID;
	...>
 }
