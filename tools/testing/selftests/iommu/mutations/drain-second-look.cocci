// file: drivers/iommu/intel/gpasid_builtin.c
// breaks: what arrives with the drain of page requests is not the next owner's
// run: gpasid_pri -t a_request_that_arrives_with_the_drain_is_not_the_next_owners
// run: gpasid_rid -t a_request_that_arrives_with_the_drain_is_not_the_next_hwpts
@@
@@
 intel_gpasid_drain_prq(...)
 {
	...
	for (;;) { ... }
-	intel_gpasid_wait_prq(dev, pasid);
 }
