// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: connect the I/O page fault layer to the binding core.
 *
 * Built in, as the I/O page fault layer is; the core is a module.  Page
 * requests of bound PASIDs are passed to the core through one attach handle and
 * one domain, shared by all bindings.  Both are defined here so that they
 * outlive the module.
 */
#include <linux/iommu.h>
#include <linux/gpasid-reset.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <trace/events/gpasid.h>

#include "gpasid_priv.h"
#include "iommu-priv.h"

DEFINE_STATIC_SRCU(iommu_gpasid_srcu);
static const struct iommu_gpasid_iopf_ops __rcu *iommu_gpasid_iopf_ops;

/* When this returns, the previous operations are no longer in use. */
void iommu_gpasid_set_iopf_ops(const struct iommu_gpasid_iopf_ops *ops)
{
	rcu_assign_pointer(iommu_gpasid_iopf_ops, ops);
	synchronize_srcu(&iommu_gpasid_srcu);
}
EXPORT_SYMBOL_GPL(iommu_gpasid_set_iopf_ops);

/*
 * Return the operations of the core, or NULL while it is not loaded.  Called
 * under iommu_gpasid_srcu.
 */
static const struct iommu_gpasid_iopf_ops *iommu_gpasid_ops(void)
{
	return srcu_dereference(iommu_gpasid_iopf_ops, &iommu_gpasid_srcu);
}

static int iommu_gpasid_iopf_handler(struct iopf_group *group)
{
	const struct iommu_gpasid_iopf_ops *ops;

	guard(srcu)(&iommu_gpasid_srcu);
	ops = iommu_gpasid_ops();
	return ops ? ops->handle(group) : -ENODEV;
}

static struct iommu_domain iommu_gpasid_domain = {
	.iopf_handler = iommu_gpasid_iopf_handler,
};

static struct iommu_attach_handle iommu_gpasid_handle = {
	.domain = &iommu_gpasid_domain,
};

/* Return the response to a group for @handle that cannot be handled. */
enum iommu_page_response_code
iommu_gpasid_abort_code(const struct iommu_attach_handle *handle)
{
	return handle == &iommu_gpasid_handle ? IOMMU_PAGE_RESP_INVALID :
						IOMMU_PAGE_RESP_FAILURE;
}

/*
 * Add @group to the waiting groups.  Called before the group is passed to its
 * handler.
 */
void iommu_gpasid_begin_group(struct iopf_group *group)
{
	struct iommu_fault_param *param = group->fault_param;

	trace_gpasid_page_request(param->dev, &group->last_fault.fault.prm,
				  group->fault_count);
	guard(mutex)(&param->lock);
	group->since = jiffies;
	list_add_tail(&group->waiting, &param->waiting);
}

/*
 * Remove @group from the waiting groups before it is answered.  The abort
 * group of the I/O page fault layer was never added to them.  Return false if a
 * reset of the device has ended @group, so that no response must be sent.
 */
bool iommu_gpasid_answer_group(struct iopf_group *group,
			       enum iommu_page_response_code code)
{
	bool waited = group->waiting.next;

	lockdep_assert_held(&group->fault_param->lock);

	if (group->ended)
		return false;
	trace_gpasid_page_answer(group->fault_param->dev,
				 &group->last_fault.fault.prm, code,
				 waited ? jiffies_to_msecs(jiffies - group->since) : 0);
	if (waited)
		list_del_init(&group->waiting);
	return true;
}

/* Undo iommu_gpasid_begin_group().  Called before @group is freed. */
void iommu_gpasid_end_group(struct iopf_group *group)
{
	if (!group->waiting.next)
		return;
	if (group->kept)
		atomic_sub(group->fault_count, &group->fault_param->kept);
	/* Pairs with the release in iommu_gpasid_end_waiting(). */
	if (smp_load_acquire(&group->ended))
		return;
	guard(mutex)(&group->fault_param->lock);
	list_del_init(&group->waiting);
}

/**
 * iommu_gpasid_keep_group() - Account for a group that waits in a fault queue
 * @group: the group
 *
 * For a queue that has no limit of its own and whose groups are not charged to
 * a memory cgroup.  A well-behaved device has no more requests outstanding than
 * its allocation allows.  The account ends when the group is freed.
 *
 * Context: Any context.
 * Return: false if the device has more requests in such queues, including those
 * of @group, than IOMMU_GPASID_KEPT_MAX.
 */
bool iommu_gpasid_keep_group(struct iopf_group *group)
{
	group->kept = true;

	return atomic_add_return(group->fault_count,
				 &group->fault_param->kept) <=
	       IOMMU_GPASID_KEPT_MAX;
}
EXPORT_SYMBOL_GPL(iommu_gpasid_keep_group);

/*
 * Return the handle that page requests of @pasid on @dev are reported to, or
 * NULL if the PASID is not bound.
 */
struct iommu_attach_handle *iommu_gpasid_attach_handle(struct device *dev,
						       ioasid_t pasid)
{
	struct iommu_attach_handle *handle = NULL;
	const struct iommu_gpasid_iopf_ops *ops;

	guard(srcu)(&iommu_gpasid_srcu);
	ops = iommu_gpasid_ops();
	if (!ops || !ops->claims(dev, pasid, &handle))
		return NULL;
	return handle ?: &iommu_gpasid_handle;
}

/*
 * Incomplete groups
 */

/*
 * Return the fault parameters of @dev with a reference, or NULL if page
 * requests are disabled.
 */
static struct iommu_fault_param *iommu_gpasid_param_get(struct device *dev)
{
	struct iommu_fault_param *param;

	guard(rcu)();
	param = rcu_dereference(dev->iommu->fault_param);
	return param && refcount_inc_not_zero(&param->users) ? param : NULL;
}

static void iommu_gpasid_param_put(struct iommu_fault_param *param)
{
	if (refcount_dec_and_test(&param->users))
		kfree_rcu(param, rcu);
}

/* A well-behaved device has fewer requests outstanding. */
static bool iommu_gpasid_partial_full(struct iommu_fault_param *param)
{
	guard(mutex)(&param->lock);
	return list_count_nodes(&param->partial) >= IOMMU_GPASID_PARTIAL_MAX;
}

/**
 * iommu_gpasid_alloc_partial() - Allocate a request whose group is incomplete
 * @param: fault parameters of the device
 * @fault: the request
 *
 * The requests of a group that is never completed stay in memory until the
 * PASID is unbound or the device is reset.  Their number is therefore limited,
 * and they are charged to the memory cgroup of the VM.
 *
 * Context: Process context, the page-request thread of a unit. Does not wait
 * for memory.
 * Return: zeroed memory, or NULL if the request is to be dropped; its group is
 * then reported without it.
 */
struct iopf_fault *iommu_gpasid_alloc_partial(struct iommu_fault_param *param,
					      const struct iommu_fault *fault)
{
	const size_t size = sizeof(struct iopf_fault);
	const struct iommu_gpasid_iopf_ops *ops;

	if (iommu_gpasid_partial_full(param))
		return NULL;

	guard(srcu)(&iommu_gpasid_srcu);
	ops = iommu_gpasid_ops();
	if (ops)
		return ops->alloc(param->dev, fault->prm.pasid, size);
	return kzalloc(size, GFP_NOWAIT | __GFP_NOWARN);
}

/*
 * Free the requests of incomplete groups for whose PASID @match returns true.
 */
void iommu_gpasid_discard_partial(struct device *dev,
				  bool (*match)(ioasid_t pasid, void *arg),
				  void *arg)
{
	struct iommu_fault_param *param = iommu_gpasid_param_get(dev);
	struct iopf_fault *fault, *next;

	if (!param)
		return;

	scoped_guard(mutex, &param->lock)
		list_for_each_entry_safe(fault, next, &param->partial, list) {
			if (!match(fault->fault.prm.pasid, arg))
				continue;
			list_del(&fault->list);
			kfree(fault);
		}
	iommu_gpasid_param_put(param);
}
EXPORT_SYMBOL_GPL(iommu_gpasid_discard_partial);

/* Call @fn for each group of @dev that is not yet answered, oldest first. */
void iommu_gpasid_visit_waiting(struct device *dev, gpasid_group_fn fn, void *arg)
{
	struct iommu_fault_param *param = iommu_gpasid_param_get(dev);
	struct iopf_group *group;

	if (!param)
		return;

	scoped_guard(mutex, &param->lock)
		list_for_each_entry(group, &param->waiting, waiting)
			fn(group, arg);
	iommu_gpasid_param_put(param);
}
EXPORT_SYMBOL_GPL(iommu_gpasid_visit_waiting);

static bool iommu_gpasid_any(ioasid_t pasid, void *arg)
{
	return true;
}

/*
 * Incremented on each reset, after the groups of the device are marked as
 * ended. A fault queue whose copy of this number is out of date checks its
 * groups for ended ones.
 */
static atomic_t iommu_gpasid_ended = ATOMIC_INIT(0);

/* Pairs with the release in iommu_gpasid_end_waiting(). */
unsigned int iommu_gpasid_nr_ended(void)
{
	return atomic_read_acquire(&iommu_gpasid_ended);
}
EXPORT_SYMBOL_GPL(iommu_gpasid_nr_ended);

/*
 * Mark all waiting groups of @dev as ended: the device no longer expects a
 * response.  The lock of the queue that a group is on may be held by a caller
 * that waits for this reset, so the group is not taken off the queue here.  An
 * ended group is not answered, and the owner of its queue frees it later.
 */
static void iommu_gpasid_end_waiting(struct device *dev)
{
	struct iommu_fault_param *param = iommu_gpasid_param_get(dev);
	struct iopf_group *group, *next;

	if (!param)
		return;

	scoped_guard(mutex, &param->lock)
		list_for_each_entry_safe(group, next, &param->waiting, waiting) {
			list_del_init(&group->waiting);
			/*
			 * The group may be freed without @lock from now on:
			 * pairs with the acquire in iommu_gpasid_end_group().
			 */
			smp_store_release(&group->ended, true);
		}
	atomic_inc_return_release(&iommu_gpasid_ended);
	iommu_gpasid_param_put(param);
}

/* End all page requests of a device without a response, inside a reset. */
void iommu_gpasid_reset_requests(struct device *dev)
{
	const struct iommu_gpasid_iopf_ops *ops;

	iommu_gpasid_discard_partial(dev, iommu_gpasid_any, NULL);
	iommu_gpasid_end_waiting(dev);
	guard(srcu)(&iommu_gpasid_srcu);
	ops = iommu_gpasid_ops();
	if (ops)
		ops->reset(dev);
}
