// SPDX-License-Identifier: GPL-2.0-only

/* For the guest-PASID backend, intel/gpasid.c, which is a module. */
EXPORT_SYMBOL_GPL(intel_iommu_sm);
EXPORT_SYMBOL_GPL(intel_iommu_ops);
EXPORT_SYMBOL_GPL(prepare_domain_attach_device);
EXPORT_SYMBOL_GPL(domain_attach_iommu);
EXPORT_SYMBOL_GPL(domain_detach_iommu);
EXPORT_SYMBOL_GPL(iommu_flush_write_buffer);
