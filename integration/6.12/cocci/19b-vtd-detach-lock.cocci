// file: drivers/iommu/intel/iommu.c
// As rule 19, for a detach.  Free the entry after a grace period, since other
// CPUs may be walking the domain's units.
@@
symbol info;
@@
 domain_detach_iommu(...)
 {
	<...
-	domain_update_iommu_cap(domain);
-	kfree(info);
+	spin_unlock(&iommu->lock);
+	rcu_read_lock();
+	domain_update_iommu_cap(domain);
+	rcu_read_unlock();
+	kfree_rcu_mightsleep(info);
+	return;
	...>
 }
