// file: drivers/iommu/intel/iommu.c
// As rule 19, when a domain is detached.
@@
symbol info;
@@
 domain_detach_iommu(...)
 {
	<...
-	domain_update_iommu_cap(domain);
+	spin_unlock(&iommu->lock);
+	domain_update_iommu_cap(domain);
	kfree(info);
+	return;
	...>
 }
