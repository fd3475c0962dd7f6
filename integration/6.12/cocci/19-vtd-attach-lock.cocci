// file: drivers/iommu/intel/iommu.c
// Attaching a domain takes the domain's lock inside the unit's; switching
// dirty tracking takes them in the opposite order.  The capabilities updated
// here are not protected by the unit's lock: they depend on all units of the
// domain, which are kept by RCU (rule 19b).
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
