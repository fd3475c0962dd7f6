// file: drivers/iommu/intel/prq.c
// With rule 94b a RID has page requests, too: those of its own device are waited
// for, and what arrives with the drain.  Native SVA keeps the completion.
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
