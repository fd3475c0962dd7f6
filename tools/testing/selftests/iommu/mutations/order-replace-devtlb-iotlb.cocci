// file: drivers/iommu/intel/gpasid.c
// breaks: replace invalidates the IOTLB before the device TLB
// run: gpasid_running -t a_replace_has_no_window
// test: a_replace_has_no_window
// lab: --adverse
@@
@@
 vtd_flush_table(...)
 {
	<...
+	if (n > 2)
+		swap(desc[1], desc[2]);
	vtd_submit(info->iommu, desc, n);
	...>
 }
