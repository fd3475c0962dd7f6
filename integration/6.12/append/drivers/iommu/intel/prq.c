
/*
 * gpasid: the record's type is private to this file.  Is the one at @head of
 * the queue a request of @pasid on @sid?
 */
bool intel_gpasid_prq_is(struct intel_iommu *iommu, int head, u16 sid, u32 pasid)
{
	struct page_req_dsc *req = &iommu->prq[head / INTEL_GPASID_PRQ_SIZE];

	BUILD_BUG_ON(sizeof(*req) != INTEL_GPASID_PRQ_SIZE);
	return req->rid == sid && req->pasid_present &&
	       (pasid == INTEL_GPASID_ALL || req->pasid == pasid);
}
