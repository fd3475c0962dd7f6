
/* gpasid: the backend is a module. */
EXPORT_SYMBOL_GPL(intel_iommu_sm);
EXPORT_SYMBOL_GPL(intel_iommu_ops);
EXPORT_SYMBOL_GPL(prepare_domain_attach_device);
EXPORT_SYMBOL_GPL(domain_attach_iommu);
EXPORT_SYMBOL_GPL(domain_detach_iommu);
EXPORT_SYMBOL_GPL(iommu_flush_write_buffer);

/*
 * gpasid: will page requests be switched on when intel_iommu_enable_iopf() is
 * asked to?  ATS is on while the device is attached to a domain.
 */
bool intel_gpasid_can_prq(struct device_domain_info *info)
{
	return info->pri_supported &&
	       (info->ats_enabled || !info->domain_attached) &&
	       (!info->pasid_enabled ||
		pci_prg_resp_pasid_required(to_pci_dev(info->dev)));
}
EXPORT_SYMBOL_GPL(intel_gpasid_can_prq);

/*
 * gpasid: must the unit hear of a new mapping, since it caches what is not
 * present, or has its write buffer flushed by software?
 */
bool intel_gpasid_need_sync_map(struct dmar_domain *parent,
				struct intel_iommu *iommu)
{
	return domain_need_iotlb_sync_map(parent, iommu);
}
EXPORT_SYMBOL_GPL(intel_gpasid_need_sync_map);

DEFINE_STATIC_SRCU(intel_gpasid_srcu);
static const struct intel_gpasid_hooks __rcu *intel_gpasid_hooks;

/* Once this returns, nobody is inside the hooks that were set before. */
void intel_gpasid_set_hooks(const struct intel_gpasid_hooks *hooks)
{
	rcu_assign_pointer(intel_gpasid_hooks, hooks);
	synchronize_srcu(&intel_gpasid_srcu);
}
EXPORT_SYMBOL_GPL(intel_gpasid_set_hooks);

void intel_gpasid_sync(struct dmar_domain *parent)
{
	const struct intel_gpasid_hooks *hooks;
	int idx;

	/* Others may be flushed where nothing may sleep. */
	if (!parent->nested_parent && !parent->domain.gpasid_table)
		return;
	idx = srcu_read_lock(&intel_gpasid_srcu);
	hooks = srcu_dereference(intel_gpasid_hooks, &intel_gpasid_srcu);
	if (hooks)
		hooks->sync(parent);
	srcu_read_unlock(&intel_gpasid_srcu, idx);
}

void intel_gpasid_dirty(struct dmar_domain *parent)
{
	const struct intel_gpasid_hooks *hooks;
	int idx;

	idx = srcu_read_lock(&intel_gpasid_srcu);
	hooks = srcu_dereference(intel_gpasid_hooks, &intel_gpasid_srcu);
	if (hooks)
		hooks->dirty(parent);
	srcu_read_unlock(&intel_gpasid_srcu, idx);
}
