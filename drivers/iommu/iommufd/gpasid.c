// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs in iommufd.
 *
 * A context owns one IOASID set: the PASIDs of its VM.  It is made when it is
 * first needed and goes with the context; a look-up before that finds nothing.
 * Binding is per device and comes through the device's own file (VFIO), which
 * calls the functions at the end of this file.
 *
 * iommufd_ctx::gpasid_set is written once, by cmpxchg, and read without a lock.
 * iommufd_group::lock keeps a device on its parent while a bind goes on.
 */
#include <linux/gpasid.h>
#include <linux/iommufd.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "gpasid.h"
#include "iommufd_private.h"

/* Entries of an invalidation that are copied in and submitted at once. */
#define GPASID_INV_CHUNK	128

static struct ioasid_set *gpasid_set(struct iommufd_ctx *ictx)
{
	return READ_ONCE(ictx->gpasid_set);
}

/* The context's set, made if need be; it lives as long as the context. */
struct ioasid_set *iommufd_gpasid_set_make(struct iommufd_ctx *ictx)
{
	struct ioasid_set *set = gpasid_set(ictx), *old;

	if (set)
		return set;

	set = ioasid_set_alloc(ictx->file, 0, IOASID_SET_TYPE_FILE);
	/* Somebody else of this context is making it at this moment. */
	while (IS_ERR(set) && PTR_ERR(set) == -EEXIST) {
		cond_resched();
		old = gpasid_set(ictx);
		if (old)
			return old;
		set = ioasid_set_alloc(ictx->file, 0, IOASID_SET_TYPE_FILE);
	}
	if (IS_ERR(set))
		return set;

	old = cmpxchg(&ictx->gpasid_set, NULL, set);
	if (!old)
		return set;
	ioasid_set_disown(set);
	ioasid_set_put(set);
	return old;
}

/* Undo what the context's set holds; its devices have gone before it. */
void iommufd_gpasid_release(struct iommufd_ctx *ictx)
{
	struct ioasid_set *set = gpasid_set(ictx);

	if (!set)
		return;
	ioasid_set_disown(set);
	ioasid_free_all(set);
	ioasid_drain(set);
	WRITE_ONCE(ictx->gpasid_set, NULL);
	ioasid_set_put(set);
}

int iommufd_gpasid_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_gpasid_alloc *cmd = ucmd->cmd;
	bool guest = cmd->flags & IOMMU_GPASID_ALLOC_GPASID;
	ioasid_t min = cmd->min ?: 1;
	ioasid_t max = cmd->max ?: GPASID_MAX;
	struct ioasid_set *set;
	ioasid_t id;
	int rc;

	if (cmd->flags & ~IOMMU_GPASID_ALLOC_GPASID || max > GPASID_MAX ||
	    min > max || cmd->gpasid > (guest ? GPASID_MAX : 0))
		return -EINVAL;

	set = iommufd_gpasid_set_make(ucmd->ictx);
	if (IS_ERR(set))
		return PTR_ERR(set);

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
	if (!rc)
		return 0;
out_free:
	gpasid_free(set, id);
	return rc;
}

/* A PASID of the context, by its guest or host number, to its host number. */
static int gpasid_to_host(struct iommufd_ctx *ictx, u32 pasid, bool guest,
			  ioasid_t *hpasid)
{
	struct ioasid_set *set = gpasid_set(ictx);

	if (!set)
		return -ENOENT;

	*hpasid = guest ? ioasid_find_by_spid(set, pasid) : pasid;
	if (*hpasid == INVALID_IOASID || IS_ERR(ioasid_find(set, *hpasid)))
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

	return gpasid_free(gpasid_set(ucmd->ictx), hpasid);
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
		pasid = ioasid_spid(gpasid_set(ucmd->ictx), pasid);
	if (pasid == INVALID_IOASID)
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
		/* What a VM may take from the others is the administrator's. */
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
	return iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}

/* One chunk; returns the entries done in @done, also on an error. */
static int gpasid_inv_chunk(struct iommufd_ctx *ictx,
			    struct iommu_gpasid_inv *entries, void __user *uptr,
			    u32 entry_len, unsigned int nr, unsigned int *done)
{
	struct ioasid_set *set = gpasid_set(ictx);
	unsigned int i;
	int rc = 0, rc_inv;

	*done = 0;
	for (i = 0; i < nr && !rc; i++)
		rc = copy_struct_from_user(&entries[i], sizeof(entries[i]),
					   uptr + (size_t)i * entry_len,
					   entry_len);
	/* Those before a bad one are still to be done. */
	if (rc)
		i--;
	if (!set)
		return i ? -ENOENT : rc;

	rc_inv = gpasid_invalidate(set, entries, i, done);
	return rc_inv ?: rc;
}

int iommufd_gpasid_invalidate(struct iommufd_ucmd *ucmd)
{
	struct iommu_gpasid_invalidate *cmd = ucmd->cmd;
	unsigned int nr = cmd->entry_num, chunk, done;
	struct iommu_gpasid_inv *entries;
	void __user *uptr = u64_to_user_ptr(cmd->entry_uptr);
	int rc = 0, rc_respond;

	if (cmd->flags)
		return -EINVAL;

	cmd->entry_num = 0;
	if (nr && cmd->entry_len < sizeof(*entries)) {
		rc = -EINVAL;
		goto out_respond;
	}

	entries = kmalloc_array(min(nr, GPASID_INV_CHUNK), sizeof(*entries),
				GFP_KERNEL_ACCOUNT);
	if (!entries) {
		rc = -ENOMEM;
		goto out_respond;
	}
	while (nr && !rc) {
		/* There may be billions. */
		if (fatal_signal_pending(current)) {
			rc = -EINTR;
			break;
		}
		cond_resched();
		chunk = min(nr, GPASID_INV_CHUNK);
		rc = gpasid_inv_chunk(ucmd->ictx, entries, uptr, cmd->entry_len,
				      chunk, &done);
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

/* The nest parent that @idev is attached to, alone in its group or not. */
static struct iommu_domain *gpasid_parent(struct iommufd_device *idev)
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
	return paging->common.domain;
}

/* -ENODEV for who could have attached the device to a nest parent. */
static int gpasid_no_parent(struct iommufd_device *idev, int rc)
{
	struct gpasid_caps caps;

	if (rc == -ENODEV && !gpasid_get_caps(idev->dev, &caps) &&
	    !(caps.caps & VFIO_GPASID_CAP_NEST))
		return -EOPNOTSUPP;
	return rc;
}

/* Bind under @parent, page requests on; a failed bind leaves them as they were. */
static int gpasid_bind_locked(struct iommufd_device *idev,
			      struct iommu_domain *parent,
			      struct gpasid_bind_data *data)
{
	bool iopf = idev->gpasid_iopf;
	int rc;

	if (!list_is_singular(&idev->igroup->device_list))
		return -EOPNOTSUPP;

	rc = iommufd_gpasid_iopf_enable(idev);
	if (rc)
		return rc;

	rc = iommu_sva_bind_gpasid(parent, idev->dev, data);
	/* What is bound may have page requests waiting for an answer. */
	if (rc && !iopf && !gpasid_parent_busy(idev->dev, parent))
		iommufd_gpasid_iopf_disable(idev);
	return rc;
}

/**
 * iommufd_device_bind_gpasid() - Bind a PASID of a device
 * @idev: the device, attached to a nest parent
 * @data: the binding; set and owner are filled in here
 *
 * iommu_sva_bind_gpasid() with the context's PASIDs, under the nest parent that
 * @idev is attached to.
 *
 * Context: Process context. May sleep. Takes the device's group lock.
 * Return: as iommu_sva_bind_gpasid(); -ENODEV when the device is not attached
 * to a nest parent; -EOPNOTSUPP when it shares its IOMMU group, or cannot nest.
 */
int iommufd_device_bind_gpasid(struct iommufd_device *idev,
			       struct gpasid_bind_data *data)
{
	struct iommu_domain *parent;
	int rc;

	data->set = iommufd_gpasid_set_make(idev->ictx);
	if (IS_ERR(data->set))
		return PTR_ERR(data->set);
	data->owner = idev;
	data->dev_id = idev->obj.id;
	data->flags |= GPASID_BIND_EXCLUSIVE;

	mutex_lock(&idev->igroup->lock);
	parent = gpasid_parent(idev);
	if (IS_ERR(parent))
		rc = gpasid_no_parent(idev, PTR_ERR(parent));
	else
		rc = gpasid_bind_locked(idev, parent, data);
	mutex_unlock(&idev->igroup->lock);

	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_bind_gpasid, IOMMUFD);

/**
 * iommufd_device_unbind_gpasid() - Undo iommufd_device_bind_gpasid()
 * @idev: the device
 * @pasid: the PASID
 * @guest: @pasid is a guest PASID, else a host PASID
 *
 * Context: Process context. May sleep.
 * Return: 0; -ENOENT when @idev has not bound it.
 */
int iommufd_device_unbind_gpasid(struct iommufd_device *idev, u32 pasid,
				 bool guest)
{
	ioasid_t hpasid;
	int rc;

	rc = gpasid_to_host(idev->ictx, pasid, guest, &hpasid);
	if (rc)
		return rc;

	return iommu_sva_unbind_gpasid(idev->dev, gpasid_set(idev->ictx),
				       hpasid, idev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unbind_gpasid, IOMMUFD);

/**
 * iommufd_device_count_gpasid() - How many PASIDs of a device are bound
 * @idev: the device
 *
 * Context: Process context. May sleep.
 * Return: the number bound through @idev.
 */
unsigned long iommufd_device_count_gpasid(struct iommufd_device *idev)
{
	return gpasid_count(idev->dev, idev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_count_gpasid, IOMMUFD);

/**
 * iommufd_device_gpasid_busy() - Must a device stay on its parent
 * @idev: the device
 *
 * Context: Process context. May sleep. Takes the device's group lock.
 * Return: true while PASIDs of the device are bound under the parent that it is
 * attached to.
 */
bool iommufd_device_gpasid_busy(struct iommufd_device *idev)
{
	struct iommu_domain *parent;
	bool busy;

	mutex_lock(&idev->igroup->lock);
	parent = gpasid_parent(idev);
	busy = !IS_ERR(parent) && gpasid_parent_busy(idev->dev, parent);
	mutex_unlock(&idev->igroup->lock);

	return busy;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_gpasid_busy, IOMMUFD);

/*
 * May the group's HWPT be exchanged?  It goes for all devices of the group:
 * -EBUSY while PASIDs of any are bound under it.
 */
int iommufd_gpasid_may_replace(struct iommufd_device *idev)
{
	struct iommu_domain *parent = gpasid_parent(idev);
	struct iommufd_device *cur;

	if (IS_ERR(parent))
		return 0;
	list_for_each_entry(cur, &idev->igroup->device_list, group_item)
		if (gpasid_parent_busy(cur->dev, parent))
			return -EBUSY;
	return 0;
}

/* The device leaves its parent: whatever is bound goes first. */
void iommufd_gpasid_detach(struct iommufd_device *idev)
{
	struct iommu_domain *parent;

	mutex_lock(&idev->igroup->lock);
	parent = gpasid_parent(idev);
	mutex_unlock(&idev->igroup->lock);

	if (!IS_ERR(parent))
		iommu_sva_unbind_gpasid_parent(idev->dev, parent);
	/* PASIDs that binds had allocated are on their way back. */
	if (gpasid_set(idev->ictx))
		ioasid_drain(gpasid_set(idev->ictx));

	mutex_lock(&idev->igroup->lock);
	iommufd_gpasid_iopf_disable(idev);
	mutex_unlock(&idev->igroup->lock);
}

/*
 * Virtual devices
 */

/**
 * iommufd_ctx_gpasid_set() - The PASIDs of a context
 * @ictx: the context
 *
 * The set is made if this is its first use.
 *
 * Context: Process context. May sleep.
 * Return: the set with a reference, for ioasid_set_put(); an ERR_PTR() of
 * -ENOMEM or -ENOSPC.
 */
struct ioasid_set *iommufd_ctx_gpasid_set(struct iommufd_ctx *ictx)
{
	struct ioasid_set *set = iommufd_gpasid_set_make(ictx);

	/* The context's own reference is there as long as the context. */
	if (!IS_ERR(set) && WARN_ON(!ioasid_set_get(set)))
		return ERR_PTR(-ENODEV);
	return set;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_gpasid_set, IOMMUFD);

/* Is the HWPT a nest parent for @dev?  A reference on it when it is. */
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
 * A nest parent of the IOAS, shared by all virtual devices that it fits.  It
 * goes with its last user, as automatic HWPTs do.
 */
static struct iommufd_hwpt_paging *gpasid_parent_auto(struct iommufd_ctx *ictx,
						      struct iommufd_ioas *ioas,
						      struct device *dev)
{
	/* All that the allocation of an HWPT asks of a device. */
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
 * iommufd_gpasid_parent_get() - The nest parent that a user names
 * @ictx: the user's context
 * @dev: the physical function whose PASIDs will be bound under it
 * @pt_id: Input: a nest-parent HWPT, or an IOAS.  Output: the HWPT, with an
 *         IOAS one that is made for it as need be
 *
 * What vfio_device_ops::attach_ioas of a virtual device is to do, so that
 * VFIO_DEVICE_ATTACH_IOMMUFD_PT means the same there as on a physical device.
 * @dev itself is not attached: it stays with its driver, and so does its DMA
 * without PASID, which is why its reserved regions are none of the IOAS's.
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
		mutex_lock(&ioas->mutex);
		paging = gpasid_parent_auto(ictx, ioas, dev);
		mutex_unlock(&ioas->mutex);
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
 * @hwpt: the HWPT; the caller has no binding under it any more
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
 * iommufd_gpasid_parent_domain() - The second stage to bind under
 * @hwpt: of iommufd_gpasid_parent_get()
 *
 * Context: Any context.
 * Return: the domain, alive until iommufd_gpasid_parent_put().
 */
struct iommu_domain *
iommufd_gpasid_parent_domain(struct iommufd_hw_pagetable *hwpt)
{
	return hwpt->domain;
}
EXPORT_SYMBOL_NS_GPL(iommufd_gpasid_parent_domain, IOMMUFD);
