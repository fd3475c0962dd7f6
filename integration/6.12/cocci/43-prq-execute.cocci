// file: drivers/iommu/intel/prq.c
// As rule 42, for execute requests.
@@
identifier req;
symbol iommu;
@@
 prq_event_thread(...)
 {
	<...
-	if (unlikely(req->exe_req && req->rd_req)) {
+	if (unlikely(req->exe_req && req->rd_req && !intel_gpasid_prq(iommu, req->rid, req->pasid))) {
	...
	}
	...>
 }
