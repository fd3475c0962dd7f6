// file: drivers/iommu/intel/prq.c
// With rule 94b a RID that is detached waits for its own requests, too.
@@
symbol req, pasid;
@@
 intel_iommu_drain_pasid_prq(...)
 {
	<...
-	!req->pasid_present || req->pasid != pasid
+	req->pasid != pasid
	...>
 }
