// file: drivers/iommu/intel/gpasid.c
// breaks: replace invalidates the device TLB
// run: gpasid_replace
@@
@@
 vtd_flush_table(...)
 {
	<...
-	if (intel_gpasid_has_devtlb(info))
+	if (false)
		n += vtd_add_devtlb(...);
	...>
 }
