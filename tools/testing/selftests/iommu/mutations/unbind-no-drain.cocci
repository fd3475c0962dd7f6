// file: drivers/iommu/intel/gpasid.c
// breaks: unbind drains the reads and writes that are under way
// run: gpasid_running -t nothing_moves_after_an_unbind
// test: nothing_moves_after_an_unbind
// lab: --adverse --ep unit=0,pri=0 --ep unit=0,pri=0
@@
@@
 vtd_flush(...)
 {
	<...
	qi_desc_iotlb(...);
+	desc[1].qw0 &= ~(QI_IOTLB_DR(1) | QI_IOTLB_DW(1));
	...>
 }
