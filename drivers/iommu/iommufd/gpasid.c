// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs in iommufd.
 *
 * The first part of this file implements the ioctls of a context.  Binds are
 * per device and are requested on the device's own file (VFIO), which calls the
 * functions in the second part.  gpasid_set.c has the set of a context, and
 * gpasid_fault.c its page requests.
 *
 * A bind looks up the HWPT of the device's RID under iommufd_group::lock.
 * After the bind, the binding does not depend on the RID: it holds a reference
 * on its nesting parent, and is removed at the latest when the device is
 * unbound from the context.
 */
#include <linux/iommufd.h>
#include <linux/iommufd-gpasid.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "gpasid.h"
#include "iommufd_private.h"

/* Number of invalidation entries that are copied in and submitted at a time. */
#define GPASID_INV_CHUNK	128

/* Return true if a physical or virtual device is bound to the context. */
static bool gpasid_has_device(struct iommufd_ctx *ictx)
{
	struct iommufd_object *obj;
	unsigned long index;

	guard(spinlock)(&ictx->objects.xa_lock);
	xa_for_each(&ictx->objects, index, obj)
		if (obj->type == IOMMUFD_OBJ_DEVICE ||
		    obj->type == IOMMUFD_OBJ_ACCESS)
			return true;
	return false;
}

/*
 * A user can open /dev/iommu any number of times, and a context without a
 * device has no use for PASIDs: limit those that it can allocate.
 */
static int gpasid_may_alloc(struct iommufd_ctx *ictx, struct ioasid_set *set)
{
	struct ioasid_set_stats stats;

	ioasid_set_stats(set, &stats);
	if (stats.active + stats.free_pending < IOMMU_GPASID_ALONE_MAX)
		return 0;
	return gpasid_has_device(ictx) ? 0 : -ENOSPC;
}

int iommufd_gpasid_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_gpasid_alloc *cmd = ucmd->cmd;
	bool guest = cmd->flags & IOMMU_GPASID_ALLOC_GPASID;
	ioasid_t min = cmd->min ?: 1;
	ioasid_t max = cmd->max ?: IOASID_MAX;
	struct ioasid_set *set;
	ioasid_t id;
	int rc;

	if (cmd->flags & ~IOMMU_GPASID_ALLOC_GPASID || max > IOASID_MAX ||
	    min > max || cmd->gpasid > (guest ? IOASID_MAX : 0) ||
	    (guest && !cmd->gpasid))
		return -EINVAL;

	set = iommufd_gpasid_set_make(ucmd->ictx);
	if (IS_ERR(set))
		return PTR_ERR(set);

	rc = gpasid_may_alloc(ucmd->ictx, set);
	if (!rc)
		rc = ioasid_alloc(set, min, max, NULL, &id);
	if (rc)
		return rc;
	if (guest) {
		rc = ioasid_attach_spid(set, id, cmd->gpasid);
		if (rc)
			goto out_free;
	}

	cmd->out_hpasid = id;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
out_free:
	if (rc)
		gpasid_free_host(set, id);
	ioasid_put(set, id);
	return rc;
}

/*
 * Look up a PASID of the context by its guest or host PASID, and return its
 * host PASID in @hpasid.
 */
static int gpasid_to_host(struct iommufd_ctx *ictx, u32 pasid, bool guest,
			  ioasid_t *hpasid)
{
	struct ioasid_set *set = iommufd_gpasid_set(ictx);

	if (!set)
		return -ENOENT;

	*hpasid = guest ? ioasid_find_by_spid(set, pasid) : pasid;
	if (*hpasid == IOMMU_PASID_INVALID || IS_ERR(ioasid_find(set, *hpasid)))
		return -ENOENT;
	return 0;
}

int iommufd_gpasid_free(struct iommufd_ucmd *ucmd)
{
	struct iommu_gpasid_free *cmd = ucmd->cmd;
	ioasid_t hpasid;
	int rc;

	if (cmd->flags & ~IOMMU_GPASID_BY_GPASID || cmd->__reserved)
		return -EINVAL;

	rc = gpasid_to_host(ucmd->ictx, cmd->pasid,
			    cmd->flags & IOMMU_GPASID_BY_GPASID, &hpasid);
	if (rc)
		return rc;

	return gpasid_free_host(iommufd_gpasid_set(ucmd->ictx), hpasid);
}

int iommufd_gpasid_lookup(struct iommufd_ucmd *ucmd)
{
	struct iommu_gpasid_lookup *cmd = ucmd->cmd;
	bool guest = cmd->flags & IOMMU_GPASID_BY_GPASID;
	ioasid_t pasid;
	int rc;

	if (cmd->flags & ~IOMMU_GPASID_BY_GPASID)
		return -EINVAL;

	rc = gpasid_to_host(ucmd->ictx, cmd->pasid, guest, &pasid);
	if (rc)
		return rc;
	if (!guest)
		pasid = ioasid_spid(iommufd_gpasid_set(ucmd->ictx), pasid);
	if (pasid == IOMMU_PASID_INVALID)
		return -ENOENT;

	cmd->out_pasid = pasid;
	return iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}

int iommufd_gpasid_quota(struct iommufd_ucmd *ucmd)
{
	struct iommu_gpasid_quota *cmd = ucmd->cmd;
	struct ioasid_set_stats stats;
	struct ioasid_set *set;
	int rc;

	if (cmd->flags & ~IOMMU_GPASID_QUOTA_SET || cmd->__reserved)
		return -EINVAL;
	if (cmd->flags & IOMMU_GPASID_QUOTA_SET && !cmd->quota)
		return -EINVAL;

	set = iommufd_gpasid_set_make(ucmd->ictx);
	if (IS_ERR(set))
		return PTR_ERR(set);

	if (cmd->flags & IOMMU_GPASID_QUOTA_SET) {
		/* Check that @ucmd can be written before the quota changes. */
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
		if (rc)
			return rc;
		/* Raising a quota takes PASIDs from others: a privilege. */
		ioasid_set_stats(set, &stats);
		if (cmd->quota > stats.quota && !capable(CAP_SYS_RESOURCE))
			return -EPERM;
		rc = ioasid_set_adjust(set, cmd->quota);
		if (rc)
			return rc;
	}

	ioasid_set_stats(set, &stats);
	cmd->quota = stats.quota;
	cmd->out_allocated = stats.active + stats.free_pending;
	cmd->out_pending = stats.free_pending;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	/* The quota is set, even if @ucmd can no longer be written. */
	return cmd->flags & IOMMU_GPASID_QUOTA_SET ? 0 : rc;
}

/*
 * Submit @nr entries.  Set @done to the number of entries done, also on error.
 */
static int gpasid_inv_chunk(struct iommufd_ctx *ictx,
			    struct iommu_gpasid_inv *entries, void __user *uptr,
			    u32 entry_len, unsigned int nr, u32 flags,
			    unsigned int *done)
{
	struct ioasid_set *set = iommufd_gpasid_set(ictx);
	unsigned int i;
	int rc = 0, rc_inv;

	*done = 0;
	for (i = 0; i < nr && !rc; i++) {
		/* Billions of entries may follow, and each copy may fault. */
		if (fatal_signal_pending(current))
			rc = -EINTR;
		else
			rc = copy_struct_from_user(&entries[i],
						   sizeof(entries[i]),
						   uptr + (size_t)i * entry_len,
						   entry_len);
	}
	/* Still submit the entries before the bad one. */
	if (rc)
		i--;
	rc_inv = gpasid_invalidate(set, entries, i, flags, done);
	return rc_inv ?: rc;
}

int iommufd_gpasid_invalidate(struct iommufd_ucmd *ucmd)
{
	struct iommu_gpasid_invalidate *cmd = ucmd->cmd;
	unsigned int nr = cmd->entry_num, chunk, done;
	struct iommu_gpasid_inv *entries;
	void __user *uptr = u64_to_user_ptr(cmd->entry_uptr);
	int rc = 0, rc_respond;

	if (cmd->flags & ~IOMMU_GPASID_INVALIDATE_SKIP)
		return -EINVAL;

	cmd->entry_num = 0;
	if (nr && cmd->entry_len < sizeof(*entries)) {
		rc = -EINVAL;
		goto out_respond;
	}
	/*
	 * copy_struct_from_user() checks byte by byte that the rest of an entry
	 * is zero: limit the rest.
	 */
	if (nr && cmd->entry_len > PAGE_SIZE) {
		rc = -E2BIG;
		goto out_respond;
	}

	entries = kmalloc_array(min(nr, GPASID_INV_CHUNK), sizeof(*entries),
				GFP_KERNEL_ACCOUNT);
	if (!entries) {
		rc = -ENOMEM;
		goto out_respond;
	}
	while (nr && !rc) {
		cond_resched();
		chunk = min(nr, GPASID_INV_CHUNK);
		rc = gpasid_inv_chunk(ucmd->ictx, entries, uptr, cmd->entry_len,
				      chunk, cmd->flags, &done);
		cmd->entry_num += done;
		uptr += (size_t)chunk * cmd->entry_len;
		nr -= chunk;
	}
	kfree(entries);
out_respond:
	rc_respond = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	return rc ?: rc_respond;
}

/*
 * Devices
 */

/*
 * Return, with a reference, the nesting parent that the RID of @idev is
 * attached to, or the parent of the nested HWPT that the RID is attached to.
 */
static struct iommufd_hwpt_paging *gpasid_rid_parent(struct iommufd_device *idev)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt_paging *paging;
	struct iommufd_device *cur;

	lockdep_assert_held(&igroup->lock);

	list_for_each_entry(cur, &igroup->device_list, group_item)
		if (cur == idev)
			break;
	if (list_entry_is_head(cur, &igroup->device_list, group_item))
		return ERR_PTR(-ENODEV);

	paging = find_hwpt_paging(igroup->hwpt);
	if (!paging || !paging->nest_parent)
		return ERR_PTR(-ENODEV);
	refcount_inc(&paging->common.obj.users);
	return paging;
}

/* Return the nesting parent that the user names, with a reference. */
static struct iommufd_hwpt_paging *gpasid_named_parent(struct iommufd_ctx *ictx,
						       u32 pt_id)
{
	struct iommufd_hwpt_paging *paging;
	struct iommufd_object *obj;

	obj = iommufd_get_object(ictx, pt_id, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	paging = container_of(obj, struct iommufd_hwpt_paging, common.obj);
	if (paging->nest_parent)
		refcount_inc(&obj->users);
	else
		paging = ERR_PTR(-EINVAL);
	iommufd_put_object(ictx, obj);

	return paging;
}

static struct iommufd_hwpt_paging *gpasid_parent(struct iommufd_device *idev,
						 u32 pt_id)
{
	if (pt_id)
		return gpasid_named_parent(idev->ictx, pt_id);
	guard(mutex)(&idev->igroup->lock);
	return gpasid_rid_parent(idev);
}

/*
 * Called when the last binding under the nesting parent is removed, and for a
 * bind that does not need its reference.
 */
static void gpasid_unpin(void *arg)
{
	struct iommufd_hwpt_paging *paging = arg;

	refcount_dec(&paging->common.obj.users);
}

/*
 * Return -EOPNOTSUPP instead of -ENODEV if the device cannot be attached to a
 * nesting parent because its IOMMU does not nest.
 */
static int gpasid_no_parent(struct iommufd_device *idev, int rc)
{
	struct gpasid_caps caps;

	if (rc == -ENODEV && !gpasid_get_caps(idev->dev, &caps) &&
	    !(caps.caps & GPASID_CAP_NEST))
		return -EOPNOTSUPP;
	return rc;
}

/*
 * Return -EINVAL if the guest PASID differs from the host PASID.  The guest of
 * a physical device writes its PASID into the device, which puts it on the
 * wire: nothing translates it to a host PASID.
 */
static int gpasid_identity(struct gpasid_bind_data *data)
{
	ioasid_t gpasid;

	if (data->flags & GPASID_BIND_GPASID) {
		if (data->hpasid && data->hpasid != data->gpasid)
			return -EINVAL;
		data->hpasid = data->gpasid;
	}
	gpasid = ioasid_spid(data->set, data->hpasid);
	return gpasid == IOMMU_PASID_INVALID || gpasid == data->hpasid ?
	       0 : -EINVAL;
}

static int gpasid_count_device(struct device *dev, void *nr)
{
	return ++*(int *)nr > 1;
}

/*
 * Return true if @idev is the only device of its group.  A PASID table belongs
 * to one device, but the devices of a group share the attachment of the RID.
 */
bool iommufd_gpasid_is_alone(struct iommufd_device *idev)
{
	int nr = 0;

	return !iommu_group_for_each_dev(idev->igroup->group, &nr,
					 gpasid_count_device);
}

/*
 * Enable page requests and bind.  Disable page requests again if this call has
 * enabled them and the bind fails.
 */
static int gpasid_bind_iopf(struct iommufd_device *idev,
			    struct iommu_domain *parent,
			    struct gpasid_bind_data *data)
{
	bool iopf;
	int rc;

	guard(mutex)(&idev->igroup->lock);
	iopf = idev->gpasid_iopf;
	rc = iommufd_gpasid_is_alone(idev) ? iommufd_gpasid_iopf_enable(idev) :
					     -EOPNOTSUPP;
	if (rc) {
		data->unpin(data->unpin_arg);
	} else {
		rc = iommu_sva_bind_gpasid(parent, idev->dev, data);
		/* Other bindings of the device may need page requests. */
		if (rc && !iopf && !gpasid_count(idev->dev, idev))
			iommufd_gpasid_iopf_disable(idev);
	}
	return rc;
}

/**
 * iommufd_device_bind_gpasid() - Bind a host PASID of a device
 * @idev: the device
 * @data: the binding; @set, @owner, @dev_id, @unpin and @unpin_arg are filled
 *        in here
 * @pt_id: the nest-parent HWPT to bind under, or 0 for the one that @idev is
 *         attached to, directly or by a nested HWPT
 *
 * Calls iommu_sva_bind_gpasid() with the PASIDs of the context.  The guest
 * PASID of a physical device is the host PASID.
 *
 * Context: Process context. May sleep. Takes the device's group lock.
 * Return: as iommu_sva_bind_gpasid(); -ENODEV if @pt_id is 0 and the device is
 * not attached to a nesting parent; -EOPNOTSUPP if the device shares its IOMMU
 * group or cannot nest; -EINVAL if the guest PASID differs from the host PASID.
 */
int iommufd_device_bind_gpasid(struct iommufd_device *idev,
			       struct gpasid_bind_data *data, u32 pt_id)
{
	struct iommufd_hwpt_paging *paging;
	int rc;

	data->set = iommufd_gpasid_set_make(idev->ictx);
	if (IS_ERR(data->set))
		return PTR_ERR(data->set);
	rc = gpasid_identity(data);
	if (rc)
		return rc;
	paging = gpasid_parent(idev, pt_id);
	if (IS_ERR(paging))
		return gpasid_no_parent(idev, PTR_ERR(paging));
	data->owner = idev;
	data->dev_id = idev->obj.id;
	data->flags |= GPASID_BIND_EXCLUSIVE;
	data->unpin = gpasid_unpin;
	data->unpin_arg = paging;

	return gpasid_bind_iopf(idev, paging->common.domain, data);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_bind_gpasid, IOMMUFD);

/**
 * iommufd_device_unbind_gpasid() - Undo iommufd_device_bind_gpasid()
 * @idev: the device
 * @pasid: the PASID, which is host and guest PASID
 *
 * Context: Process context. May sleep.
 * Return: 0; -ENOENT if @idev has not bound @pasid.
 */
int iommufd_device_unbind_gpasid(struct iommufd_device *idev, u32 pasid)
{
	return iommu_sva_unbind_gpasid(idev->dev, iommufd_gpasid_set(idev->ictx),
				       pasid, idev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unbind_gpasid, IOMMUFD);

/**
 * iommufd_device_count_gpasid() - Count the bound PASIDs of a device
 * @idev: the device
 *
 * Context: Process context. May sleep.
 * Return: the number of PASIDs bound through @idev.
 */
unsigned long iommufd_device_count_gpasid(struct iommufd_device *idev)
{
	return gpasid_count(idev->dev, idev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_count_gpasid, IOMMUFD);

/* Remove all bindings of a device before it is unbound from the context. */
void iommufd_gpasid_unbind_all(struct iommufd_device *idev)
{
	iommu_sva_unbind_gpasid_owner(idev->dev, idev);

	guard(mutex)(&idev->igroup->lock);
	iommufd_gpasid_iopf_disable(idev);
}

/*
 * Virtual devices
 */

/**
 * iommufd_ctx_gpasid_set() - Get the IOASID set of a context
 * @ictx: the context
 *
 * The set is allocated on first use.
 *
 * Context: Process context. May sleep.
 * Return: the set with a reference, to be released by ioasid_set_put(); an
 * ERR_PTR() of -ENOMEM or -ENOSPC.
 */
struct ioasid_set *iommufd_ctx_gpasid_set(struct iommufd_ctx *ictx)
{
	struct ioasid_set *set = iommufd_gpasid_set_make(ictx);

	/* The context holds a reference until it is released. */
	if (!IS_ERR(set) && WARN_ON(!ioasid_set_get(set)))
		return ERR_PTR(-ENODEV);
	return set;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_gpasid_set, IOMMUFD);

/* Take a reference on the HWPT if @dev can have bindings under it. */
static int gpasid_parent_try(struct iommufd_hwpt_paging *paging,
			     struct device *dev)
{
	struct iommu_domain *domain = paging->common.domain;
	int rc;

	if (!paging->nest_parent || domain->owner != dev_iommu_ops(dev))
		return -EINVAL;
	rc = gpasid_check_parent(dev, domain);
	if (!rc)
		refcount_inc(&paging->common.obj.users);
	return rc;
}

/*
 * Return, with a reference, a nesting parent of the IOAS that fits @dev, shared
 * by all virtual devices that it fits.  Allocate one if there is none.  Like
 * other automatic HWPTs, it is destroyed with its last user.
 */
static struct iommufd_hwpt_paging *gpasid_parent_auto(struct iommufd_ctx *ictx,
						      struct iommufd_ioas *ioas,
						      struct device *dev)
{
	/* The allocation of an HWPT uses only these members. */
	struct iommufd_device proxy = {
		.dev = dev,
		.enforce_cache_coherency = device_iommu_capable(dev,
					IOMMU_CAP_ENFORCE_CACHE_COHERENCY),
	};
	struct iommufd_hwpt_paging *paging;
	int rc;

	lockdep_assert_held(&ioas->mutex);

	list_for_each_entry(paging, &ioas->hwpt_list, hwpt_item) {
		if (!paging->auto_domain ||
		    !iommufd_lock_obj(&paging->common.obj))
			continue;
		rc = gpasid_parent_try(paging, dev);
		iommufd_put_object(ictx, &paging->common.obj);
		if (rc != -EINVAL)
			return rc ? ERR_PTR(rc) : paging;
	}

	paging = iommufd_hwpt_paging_alloc(ictx, ioas, &proxy, IOMMU_NO_PASID,
					   IOMMU_HWPT_ALLOC_NEST_PARENT, false,
					   NULL);
	if (IS_ERR(paging))
		return paging;
	rc = gpasid_parent_try(paging, dev);
	if (rc) {
		iommufd_object_abort_and_destroy(ictx, &paging->common.obj);
		return ERR_PTR(rc);
	}
	paging->auto_domain = true;
	iommufd_object_finalize(ictx, &paging->common.obj);
	return paging;
}

/**
 * iommufd_gpasid_parent_get() - Get the nesting parent that a user names
 * @ictx: the user's context
 * @dev: the physical function whose PASIDs will be bound under the parent
 * @pt_id: Input: a nest-parent HWPT, or an IOAS.  Output: the HWPT; for an
 *         IOAS, one of its automatic HWPTs, which is allocated if necessary
 *
 * To be called by vfio_device_ops::attach_ioas of a virtual device, so that
 * VFIO_DEVICE_ATTACH_IOMMUFD_PT means the same as on a physical device.  @dev
 * itself is not attached: its driver keeps using its DMA without PASID, so its
 * reserved regions do not concern the IOAS.
 *
 * The HWPT cannot be destroyed until iommufd_gpasid_parent_put().
 *
 * Context: Process context. May sleep. Takes the lock of the IOAS.
 * Return: the HWPT; an ERR_PTR() of -ENOENT (no such object), -EINVAL (neither
 * an IOAS nor a nest parent, or it does not fit @dev), -EOPNOTSUPP (no nested
 * translation, no guest PASIDs), -ENOSPC, -ENOMEM.
 */
struct iommufd_hw_pagetable *
iommufd_gpasid_parent_get(struct iommufd_ctx *ictx, struct device *dev,
			  u32 *pt_id)
{
	struct iommufd_hwpt_paging *paging;
	struct iommufd_object *obj;
	struct iommufd_ioas *ioas;
	int rc;

	obj = iommufd_get_object(ictx, *pt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return ERR_CAST(obj);

	switch (obj->type) {
	case IOMMUFD_OBJ_HWPT_PAGING:
		paging = container_of(obj, struct iommufd_hwpt_paging,
				      common.obj);
		rc = gpasid_parent_try(paging, dev);
		if (rc)
			paging = ERR_PTR(rc);
		break;
	case IOMMUFD_OBJ_IOAS:
		ioas = container_of(obj, struct iommufd_ioas, obj);
		scoped_guard(mutex, &ioas->mutex)
			paging = gpasid_parent_auto(ictx, ioas, dev);
		break;
	default:
		paging = ERR_PTR(-EINVAL);
	}
	iommufd_put_object(ictx, obj);
	if (IS_ERR(paging))
		return ERR_CAST(paging);

	*pt_id = paging->common.obj.id;
	return &paging->common;
}
EXPORT_SYMBOL_NS_GPL(iommufd_gpasid_parent_get, IOMMUFD);

/**
 * iommufd_gpasid_parent_put() - Undo iommufd_gpasid_parent_get()
 * @ictx: the context
 * @hwpt: the HWPT; the caller has removed its bindings under the HWPT
 *
 * Context: Process context. May sleep. Takes the lock of the IOAS.
 */
void iommufd_gpasid_parent_put(struct iommufd_ctx *ictx,
			       struct iommufd_hw_pagetable *hwpt)
{
	iommufd_hw_pagetable_put(ictx, hwpt);
}
EXPORT_SYMBOL_NS_GPL(iommufd_gpasid_parent_put, IOMMUFD);

/**
 * iommufd_gpasid_parent_domain() - Get the second-stage domain of a parent
 * @hwpt: the HWPT, from iommufd_gpasid_parent_get()
 *
 * Context: Any context.
 * Return: the domain, valid until iommufd_gpasid_parent_put().
 */
struct iommu_domain *
iommufd_gpasid_parent_domain(struct iommufd_hw_pagetable *hwpt)
{
	return hwpt->domain;
}
EXPORT_SYMBOL_NS_GPL(iommufd_gpasid_parent_domain, IOMMUFD);
