// file: drivers/iommu/intel/gpasid.c
// breaks: an invalidation never covers less than was asked
// run: gpasid_bind
@@
@@
 vtd_range_order(...)
 {
	...
-	return order;
+	return order ? order - 1 : 0;
 }
