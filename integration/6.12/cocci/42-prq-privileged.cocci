// file: drivers/iommu/intel/prq.c
// Native SVA has no privileged page requests, but a guest may have.  The rule
// does not match the body of the branch, since that takes spatch half a
// minute.
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
