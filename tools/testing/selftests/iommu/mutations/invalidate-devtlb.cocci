// file: drivers/iommu/intel/gpasid.c
// breaks: an invalidation reaches the device TLB
// run: gpasid_bind
@@
@@
 vtd_inv_range(...)
 {
	<...
-	if (intel_gpasid_has_devtlb(info))
+	if (false)
	{ ... }
	...>
 }
