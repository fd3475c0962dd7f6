// file: drivers/iommu/ioasid_pool.c
// breaks: a user namespace does not make new users
// run: kunit ioasid_kunit ioasid_sets.user*
// test: user_in_a_namespace_counts_as_its_maker
@@
@@
 user_current(...)
 {
	...
-	for (...; ...; ...)
-	{ ... }
	return uid;
 }
