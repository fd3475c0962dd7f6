// file: drivers/iommu/intel/gpasid.c
// breaks: without global invalidate every PASID of the device TLB is invalidated
// run: gpasid_cost
// lab: --ep unit=0,ats_global=0 --ep unit=0,ats_global=0
@@
@@
 vtd_sync(...)
 {
-	if (atomic_read(&vtd_nr_per_pasid))
+	if (false)
		gpasid_visit_attachments(...);
 }
