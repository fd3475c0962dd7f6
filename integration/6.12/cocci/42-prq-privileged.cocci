// file: drivers/iommu/intel/prq.c
// The host's own SVA has no privileged page requests; a guest may.
@@
identifier req;
symbol iommu;
@@
 prq_event_thread(...)
 {
	<...
-	if (unlikely(req->pm_req && (req->rd_req | req->wr_req))) {
+	if (unlikely(req->pm_req && (req->rd_req | req->wr_req) && !intel_gpasid_prq(iommu, req->rid, req->pasid))) {
	...
	}
	...>
 }
