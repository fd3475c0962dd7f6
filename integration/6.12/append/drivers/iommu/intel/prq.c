// SPDX-License-Identifier: GPL-2.0-only

/*
 * For gpasid_builtin.c, since struct page_req_dsc is private to this file.
 * Return true if the record at @head of the queue is a request of @pasid on
 * @sid, where IOMMU_NO_PASID stands for a request without a PASID and
 * INTEL_GPASID_ALL for one with any PASID.
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
