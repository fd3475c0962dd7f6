
/*
 * gpasid: tags that cover every PASID bound on @dev under @parent: the IOTLB of
 * the unit by @did (shared with the parent's own tag, if it is the parent's and
 * attached there), and with @devtlb the device TLB for all PASIDs.
 */
int intel_gpasid_assign_tags(struct dmar_domain *parent, struct device *dev,
			     u16 did, bool devtlb)
{
	int ret;

	ret = domain_qi_batch_alloc(parent);
	if (ret)
		return ret;

	ret = cache_tag_assign(parent, did, dev, IOMMU_NO_PASID,
			       CACHE_TAG_IOTLB);
	if (ret || !devtlb)
		return ret;

	ret = cache_tag_assign(parent, did, dev, INTEL_GPASID_ALL,
			       CACHE_TAG_NESTING_DEVTLB);
	if (ret)
		cache_tag_unassign(parent, did, dev, IOMMU_NO_PASID,
				   CACHE_TAG_IOTLB);

	return ret;
}
EXPORT_SYMBOL_GPL(intel_gpasid_assign_tags);

void intel_gpasid_unassign_tags(struct dmar_domain *parent, struct device *dev,
				u16 did, bool devtlb)
{
	cache_tag_unassign(parent, did, dev, IOMMU_NO_PASID, CACHE_TAG_IOTLB);
	if (devtlb)
		cache_tag_unassign(parent, did, dev, INTEL_GPASID_ALL,
				   CACHE_TAG_NESTING_DEVTLB);
}
EXPORT_SYMBOL_GPL(intel_gpasid_unassign_tags);

/* gpasid: flush the device TLB of a tag that stands for all PASIDs. */
void intel_gpasid_flush_tag(struct intel_iommu *iommu,
			    struct device_domain_info *info,
			    struct qi_batch *batch)
{
	int times = info->dtlb_extra_inval ? 2 : 1;

	if (!intel_gpasid_has_devtlb(info))
		return;

	while (times--) {
		intel_gpasid_desc_dev_iotlb_all(info,
						&batch->descs[batch->index]);
		qi_batch_increment_index(iommu, batch);
	}
}
