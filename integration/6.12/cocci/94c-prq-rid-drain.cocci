// file: drivers/iommu/intel/prq.c
// With rule 94b a RID has page requests, too.  Wait for those of its own
// device alone, including those that arrive with the hardware's drain, and
// leave the unit's completion to native SVA.
@@
symbol did, dev, pasid;
@@
 intel_iommu_drain_pasid_prq(...)
 {
	...
	did = ...;
+	if (pasid == IOMMU_NO_PASID)
+		return intel_gpasid_drain_prq(dev, did, pasid, false);
	...
 }
