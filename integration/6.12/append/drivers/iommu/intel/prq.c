
/*
 * gpasid: is a page request of @pasid on @sid in the queue that was there when
 * the tail was at @end?  What a device asks for later does not count, or it
 * could keep who waits for ever.
 */
static bool intel_gpasid_prq_pending(struct intel_iommu *iommu, u16 sid,
				     u32 pasid, int end)
{
	int tail = dmar_readq(iommu->reg + DMAR_PQT_REG) & PRQ_RING_MASK;
	int head = dmar_readq(iommu->reg + DMAR_PQH_REG) & PRQ_RING_MASK;
	struct page_req_dsc *req;

	if (((end - head) & PRQ_RING_MASK) > ((tail - head) & PRQ_RING_MASK))
		return false;
	for (; head != end; head = (head + sizeof(*req)) & PRQ_RING_MASK) {
		req = &iommu->prq[head / sizeof(*req)];
		if (req->rid == sid && req->pasid_present &&
		    (pasid == INTEL_GPASID_ALL || req->pasid == pasid))
			return true;
	}
	return false;
}

/*
 * gpasid: wait until no page request and no response of @pasid (or, with
 * INTEL_GPASID_ALL, of any PASID) of @dev is under way.  The entry is not
 * present and all caches are invalidated.  VT-d: "Draining of Page Requests and
 * Responses".  The unit's completion is left to native SVA, which counts on
 * being the only one to wait for it.
 */
void intel_gpasid_drain_prq(struct device *dev, u16 did, u32 pasid, bool global)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;
	u16 sid = PCI_DEVID(info->bus, info->devfn);
	struct qi_desc desc[3] = {};
	int end, n = 2;

	if (!info->pri_enabled)
		return;

	end = dmar_readq(iommu->reg + DMAR_PQT_REG) & PRQ_RING_MASK;
	while (intel_gpasid_prq_pending(iommu, sid, pasid, end))
		usleep_range(50, 200);
	iopf_queue_flush_dev(dev);

	/* A device that is gone sends nothing more, and answers nothing. */
	if (intel_gpasid_has_devtlb(info) &&
	    pci_device_is_present(to_pci_dev(dev)))
		n = 3;

	desc[0].qw0 = QI_IWD_STATUS_DATA(QI_DONE) | QI_IWD_FENCE | QI_IWD_TYPE;
	if (pasid == INTEL_GPASID_ALL) {
		qi_desc_iotlb(iommu, did, 0, 0, DMA_TLB_DSI_FLUSH, &desc[1]);
		if (global)
			intel_gpasid_desc_dev_iotlb_all(info, &desc[2]);
		else
			qi_desc_dev_iotlb(sid, info->pfsid, info->ats_qdep, 0,
					  MAX_AGAW_PFN_WIDTH, &desc[2]);
	} else {
		qi_desc_piotlb(did, pasid, 0, -1, 0, &desc[1]);
		qi_desc_dev_iotlb_pasid(sid, info->pfsid, pasid, info->ats_qdep,
					0, MAX_AGAW_PFN_WIDTH, &desc[2]);
	}
	for (;;) {
		qi_submit_sync(iommu, desc, n, QI_OPT_WAIT_DRAIN);
		/* Once an overflow is dealt with, drain again. */
		if (!(readl(iommu->reg + DMAR_PRS_REG) & DMA_PRS_PRO))
			break;
		usleep_range(50, 200);
	}
}
EXPORT_SYMBOL_GPL(intel_gpasid_drain_prq);

/* gpasid: is it a guest PASID that this page request is for? */
bool intel_gpasid_prq(struct intel_iommu *iommu, u16 rid, u32 pasid)
{
	struct device *dev;
	bool bound;

	mutex_lock(&iommu->iopf_lock);
	dev = device_rbtree_find(iommu, rid);
	bound = dev && iommu_gpasid_attach_handle(dev, pasid);
	mutex_unlock(&iommu->iopf_lock);

	return bound;
}
