// file: drivers/iommu/intel/gpasid.c
// breaks: unbind invalidates the PASID cache before the IOTLB
// run: gpasid_running -t nothing_moves_after_an_unbind
// test: nothing_moves_after_an_unbind
// lab: --adverse
@@
@@
 vtd_flush(...)
 {
	<...
+	swap(desc[0], desc[1]);
	vtd_submit(iommu, desc, n);
	...>
 }
