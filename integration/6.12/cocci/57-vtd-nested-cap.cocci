// file: drivers/iommu/intel/iommu.c
// A nested domain has no page table in the host, so it has no capabilities to
// update.  The field read as its address width is part of the guest's table
// address, which results in an undefined shift.
@@
@@
 domain_update_iommu_cap(...)
 {
+	if (domain->domain.type == IOMMU_DOMAIN_NESTED)
+		return;
	...
 }
