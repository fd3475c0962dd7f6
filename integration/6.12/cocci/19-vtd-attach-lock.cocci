// file: drivers/iommu/intel/iommu.c
// Attaching a domain takes the domain's lock inside the unit's; switching dirty
// tracking takes them the other way round.  What is updated here is not
// protected by the unit's lock: it is about all units of the domain, which stay
// by RCU (rule 19b).
@@
@@
 domain_attach_iommu(...)
 {
	<...
-	domain_update_iommu_cap(domain);
	spin_unlock(&iommu->lock);
+	rcu_read_lock();
+	domain_update_iommu_cap(domain);
+	rcu_read_unlock();
	return 0;
	...>
 }
