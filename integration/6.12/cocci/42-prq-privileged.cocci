// file: drivers/iommu/intel/prq.c
// The host's own SVA has no privileged page requests; a guest may.  What the
// branch holds is not named: finding its end takes spatch half a minute.
@@
identifier req;
symbol iommu;
@@
 prq_event_thread(...)
 {
	<...
-	unlikely(req->pm_req && (req->rd_req | req->wr_req))
+	unlikely(req->pm_req && (req->rd_req | req->wr_req) && !intel_gpasid_prq(iommu, req->rid, req->pasid))
	...>
 }
