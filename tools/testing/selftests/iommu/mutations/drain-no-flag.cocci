// file: drivers/iommu/intel/gpasid_builtin.c
// breaks: the drain of page requests asks the hardware for it
// run: gpasid_pri -t a_request_that_arrives_with_the_drain_is_not_the_next_owners
// test: a_request_that_arrives_with_the_drain_is_not_the_next_owners
@@
@@
 intel_gpasid_drain_prq(...)
 {
	<...
-	QI_OPT_WAIT_DRAIN
+	0
	...>
 }
