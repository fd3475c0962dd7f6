// file: drivers/iommu/intel/prq.c
// The canonical addresses of a guest's first stage are not those of the host.
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
