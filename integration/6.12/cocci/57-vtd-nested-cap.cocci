// file: drivers/iommu/intel/iommu.c
// A nested domain has no page table here, so no capabilities to follow; what is
// taken for its width is part of the guest's table address (undefined shift).
@@
@@
 domain_update_iommu_cap(...)
 {
+	if (domain->domain.type == IOMMU_DOMAIN_NESTED)
+		return;
	...
 }
