// SPDX-License-Identifier: GPL-2.0-only

/*
 * gpasid: the record's type is private to this file.  Is the one at @head of
 * the queue a request of @pasid on @sid?  IOMMU_NO_PASID: one without a PASID.
 */
bool intel_gpasid_prq_is(struct intel_iommu *iommu, int head, u16 sid, u32 pasid)
{
	struct page_req_dsc *req = &iommu->prq[head / INTEL_GPASID_PRQ_SIZE];
	bool rid = pasid == IOMMU_NO_PASID;

	BUILD_BUG_ON(sizeof(*req) != INTEL_GPASID_PRQ_SIZE);
	if (req->rid != sid || req->pasid_present == rid)
		return false;
	return rid || pasid == INTEL_GPASID_ALL || req->pasid == pasid;
}
