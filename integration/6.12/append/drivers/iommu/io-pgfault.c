
/*
 * gpasid: page requests of bound guest PASIDs go to the module that owns the
 * bindings.  The handle and its domain stand for all of them; they are here,
 * where they outlive the module.
 */
DEFINE_STATIC_SRCU(iommu_gpasid_srcu);
static const struct iommu_gpasid_iopf_ops __rcu *iommu_gpasid_iopf_ops;

/* Once this returns, nobody is inside the operations that were set before. */
void iommu_gpasid_set_iopf_ops(const struct iommu_gpasid_iopf_ops *ops)
{
	rcu_assign_pointer(iommu_gpasid_iopf_ops, ops);
	synchronize_srcu(&iommu_gpasid_srcu);
}
EXPORT_SYMBOL_GPL(iommu_gpasid_set_iopf_ops);

static int iommu_gpasid_iopf_handler(struct iopf_group *group)
{
	const struct iommu_gpasid_iopf_ops *ops;
	int idx, ret = -ENODEV;

	idx = srcu_read_lock(&iommu_gpasid_srcu);
	ops = srcu_dereference(iommu_gpasid_iopf_ops, &iommu_gpasid_srcu);
	if (ops)
		ret = ops->handle(group);
	srcu_read_unlock(&iommu_gpasid_srcu, idx);

	return ret;
}

static struct iommu_domain iommu_gpasid_domain = {
	.iopf_handler = iommu_gpasid_iopf_handler,
};

static struct iommu_attach_handle iommu_gpasid_handle = {
	.domain = &iommu_gpasid_domain,
};

/* gpasid: how a group for @handle that cannot be handled is answered. */
enum iommu_page_response_code
iommu_gpasid_abort_code(const struct iommu_attach_handle *handle)
{
	return handle == &iommu_gpasid_handle ? IOMMU_PAGE_RESP_INVALID :
						IOMMU_PAGE_RESP_FAILURE;
}

struct iommu_attach_handle *iommu_gpasid_attach_handle(struct device *dev,
						       ioasid_t pasid)
{
	struct iommu_attach_handle *handle = NULL;
	const struct iommu_gpasid_iopf_ops *ops;
	bool claimed = false;
	int idx;

	idx = srcu_read_lock(&iommu_gpasid_srcu);
	ops = srcu_dereference(iommu_gpasid_iopf_ops, &iommu_gpasid_srcu);
	if (ops)
		claimed = ops->claims(dev, pasid, &handle);
	srcu_read_unlock(&iommu_gpasid_srcu, idx);

	return claimed ? handle ?: &iommu_gpasid_handle : NULL;
}

/* gpasid: drop the requests of incomplete groups whose PASID @match names. */
void iommu_gpasid_discard_partial(struct device *dev,
				  bool (*match)(ioasid_t pasid, void *arg),
				  void *arg)
{
	struct iommu_fault_param *param = iopf_get_dev_fault_param(dev);
	struct iopf_fault *fault, *next;

	if (!param)
		return;

	mutex_lock(&param->lock);
	list_for_each_entry_safe(fault, next, &param->partial, list) {
		if (!match(fault->fault.prm.pasid, arg))
			continue;
		list_del(&fault->list);
		kfree(fault);
	}
	mutex_unlock(&param->lock);
	iopf_put_dev_fault_param(param);
}
EXPORT_SYMBOL_GPL(iommu_gpasid_discard_partial);
