// file: drivers/iommu/ioasid_pool.c
// breaks: processes of the host keep their share of the numbers of each width
// run: kunit ioasid_kunit ioasid_sets.*
// test: host_keeps_its_share_of_each_width
@@
@@
 pool_kept(...)
 {
	...
-	ioasid_pool.limit[IOASID_HOST_RESERVE] >> (IOASID_BITS - bits)
+	0
	...
 }
