// file: drivers/iommu/intel/iommu.c
// As Linux 7.3: DMA faults if the unit lacks the superpages of a domain.
@@
symbol domain, iommu, dmar_domain;
@@
 prepare_domain_attach_device(...)
 {
	...
	if (domain->dirty_ops && !ssads_supported(iommu))
		return -EINVAL;
+	if (!intel_gpasid_has_superpages(dmar_domain, iommu))
+		return -EINVAL;
	...
 }
