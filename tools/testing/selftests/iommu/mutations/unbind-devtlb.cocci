// file: drivers/iommu/intel/gpasid.c
// breaks: unbind invalidates the device TLB
// run: gpasid_abi
// run: gpasid_bind
@@
@@
 vtd_flush(...)
 {
	<...
-	if (devtlb && !each)
+	if (false)
		n += vtd_add_devtlb(...);
	...>
 }
