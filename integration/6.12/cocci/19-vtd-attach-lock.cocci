// file: drivers/iommu/intel/iommu.c
// Attaching a domain takes the domain's lock inside the unit's; switching dirty
// tracking takes them the other way round.  What is updated here is not
// protected by the unit's lock: it is about all units of the domain.
@@
@@
 domain_attach_iommu(...)
 {
	<...
-	domain_update_iommu_cap(domain);
	spin_unlock(&iommu->lock);
+	domain_update_iommu_cap(domain);
	return 0;
	...>
 }
