// file: drivers/iommu/intel/gpasid.c
// breaks: unbind invalidates the PASID cache before the device TLB
// run: gpasid_running -t nothing_moves_after_an_unbind
// test: nothing_moves_after_an_unbind
// lab: --adverse
@@
@@
 vtd_flush(...)
 {
	<...
+	if (n > 2) {
+		swap(desc[1], desc[2]);
+		swap(desc[0], desc[1]);
+	}
	vtd_submit(iommu, desc, n);
	...>
 }
