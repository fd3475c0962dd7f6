// file: drivers/iommu/intel/prq.c
// What is canonical for a guest's first stage is not what is for the host.
@@
symbol iommu, req, address;
@@
 prq_event_thread(...)
 {
	<...
-	if (unlikely(!is_canonical_address(address))) {
+	if (unlikely(!is_canonical_address(address) && !intel_gpasid_prq(iommu, req->rid, req->pasid))) {
	...
	}
	...>
 }
