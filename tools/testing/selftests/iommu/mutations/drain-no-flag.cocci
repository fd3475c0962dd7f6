// file: drivers/iommu/intel/gpasid_builtin.c
// breaks: the drain of page requests asks the hardware for it
// run: gpasid_running -t no_page_request_is_under_way_after_an_unbind
// test: no_page_request_is_under_way_after_an_unbind
// lab: --adverse
@@
@@
 intel_gpasid_drain_prq(...)
 {
	<...
-	QI_OPT_WAIT_DRAIN
+	0
	...>
 }
