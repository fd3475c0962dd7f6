// file: drivers/iommu/intel/prq.c
// As Linux 7.3: a RID can have a fault queue.  Its page requests have no
// PASID.
@@
symbol iommu, req;
@@
 prq_event_thread(...)
 {
	<...
-	unlikely(!req->pasid_present)
+	unlikely(!req->pasid_present && !intel_gpasid_prq(iommu, req->rid, IOMMU_NO_PASID))
	...>
 }
