// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: teardown.
 *
 * A binding is taken down by one caller, in this order (2 to 5 are the steps of
 * Documentation/driver-api/gpasid.rst):
 *
 * 1. Under the parent's lock, claim the binding (GPASID_LEAVING).
 * 2. Without the lock, send UNBIND to the subscribers of the IOASID.
 * 3. Under the lock, make the entry not present (GPASID_CLEARED) and invalidate
 *    PASID cache, IOTLB and device TLB.
 * 4. Without the lock, drain page requests.
 * 5. Under the lock, zero the entry and remove the binding from
 *    gpasid_device::bindings.  Without the lock, put the references.
 *
 * A free of an IOASID notifies the subscribers itself, and a caller that has
 * claimed a binding may be waiting for that free in ioasid_notify().  So a free
 * takes over all bindings that are not yet GPASID_CLEARED.  A caller that had
 * claimed one finds its state changed and waits until the binding is released.
 */
#define pr_fmt(fmt) "gpasid: " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/rcupdate_wait.h>
#include <linux/slab.h>
#include <trace/events/gpasid.h>

#include "gpasid_priv.h"

struct kmem_cache *gpasid_binding_cache;

/*
 * Owners
 */

/*
 * Find @owner among the sharers, or any with NULL.  Called with the parent's
 * lock held or under RCU.
 */
static struct gpasid_sharer *gpasid_sharer_find(struct gpasid_binding *b,
						const void *owner)
{
	struct gpasid_sharer *sharer;

	if (!b->shared)
		return NULL;
	hlist_for_each_entry_rcu(sharer, &b->att->sharers, node,
				 lockdep_is_held(&b->att->parent->lock))
		if (sharer->b == b && (!owner || sharer->owner == owner))
			return sharer;
	return NULL;
}

bool gpasid_owned_by(struct gpasid_binding *b, const void *owner)
{
	return READ_ONCE(b->owner) == owner || gpasid_sharer_find(b, owner);
}

/* Remove @owner from a shared binding.  Return false if @b is not shared. */
static bool gpasid_disown(struct gpasid_binding *b, const void *owner)
{
	struct gpasid_sharer *sharer;

	if (!b->shared)
		return false;

	sharer = gpasid_sharer_find(b, owner);
	if (!sharer) {
		sharer = gpasid_sharer_find(b, NULL);
		WRITE_ONCE(b->owner, sharer->owner);
		WRITE_ONCE(b->dev_id, sharer->dev_id);
	}
	hlist_del_rcu(&sharer->node);
	kfree_rcu(sharer, rcu);
	b->shared = !!gpasid_sharer_find(b, NULL);

	return true;
}

static void gpasid_disown_all(struct gpasid_binding *b)
{
	struct gpasid_sharer *sharer;

	while ((sharer = gpasid_sharer_find(b, NULL))) {
		hlist_del_rcu(&sharer->node);
		kfree_rcu(sharer, rcu);
	}
}

/*
 * Return true if @owner has a binding at or after *@index, and set *@index to
 * its PASID.
 */
static bool gpasid_owned_next(struct gpasid_device *gdev, const void *owner,
			      unsigned long *index)
{
	unsigned long start = *index;
	struct gpasid_binding *b;

	guard(rcu)();
	xa_for_each_start(&gdev->bindings, *index, b, start) {
		if (gpasid_owned_by(b, owner))
			return true;
		/* Other owners may have a million bindings here. */
		cond_resched_rcu();
	}
	return false;
}

/**
 * gpasid_owner_busy() - Check whether an owner has bindings on any device
 * @owner: the owner
 *
 * VFIO calls this before it detaches a virtual device.
 *
 * Context: Process context. May sleep.
 * Return: true if @owner has a binding.
 */
bool gpasid_owner_busy(const void *owner)
{
	struct gpasid_device *gdev = NULL;
	unsigned long index;

	while ((gdev = gpasid_device_next(gdev))) {
		index = 0;
		if (gpasid_owned_next(gdev, owner, &index)) {
			gpasid_device_put(gdev);
			return true;
		}
	}
	return false;
}
EXPORT_SYMBOL_GPL(gpasid_owner_busy);

/**
 * gpasid_count() - Count the bindings of an owner on a device
 * @dev: the device
 * @owner: the owner
 *
 * Context: Process context. May sleep.
 * Return: the number of bindings, by IOASIDs and by the device's own PASIDs.
 */
unsigned long gpasid_count(struct device *dev, const void *owner)
{
	struct gpasid_device *gdev = gpasid_device_find(dev);
	unsigned long index, nr = 0;

	if (!gdev)
		return 0;
	for (index = 0; gpasid_owned_next(gdev, owner, &index); index++) {
		nr++;
		cond_resched();
	}
	gpasid_device_put(gdev);

	return nr;
}
EXPORT_SYMBOL_GPL(gpasid_count);

/*
 * Steps of teardown
 */

void gpasid_binding_put(struct gpasid_binding *b)
{
	/* RCU readers may have found @b in gpasid_device::bindings. */
	if (refcount_dec_and_test(&b->users))
		kfree_rcu(b, rcu);
}

/*
 * Put the references of @b, which is no longer in gpasid_device::bindings and
 * has put its attachment.  Called without locks.
 */
static void gpasid_binding_release(struct gpasid_binding *b)
{
	struct gpasid_table *table = b->table;
	struct gpasid_hwpt_table *hwpt;

	if (table->hwpt) {
		hwpt = container_of(table, struct gpasid_hwpt_table, table);
		hwpt->ops->unbound(hwpt->priv, b->owner, b->handle);
	} else {
		ioasid_put(b->set, b->pasid);
	}
	gpasid_table_put(table);
}

/* Unlink @b, which the hardware no longer uses, and add it to @dead. */
void gpasid_binding_unlink(struct gpasid_binding *b, struct hlist_head *dead)
{
	struct gpasid_parent *parent = b->att->parent;

	lockdep_assert_held(&parent->lock);

	trace_gpasid_unbind(b->att->gdev->dev, b->pasid);
	atomic_inc(&parent->releasing);
	gpasid_disown_all(b);
	hlist_del(&b->node);
	hlist_add_head(&b->node, dead);
}

/* Put the attachment of @b and its pin on the parent. */
static void gpasid_binding_leave(struct gpasid_parent *parent,
				 struct gpasid_binding *b)
{
	void (*unpin)(void *arg) = NULL;
	void *arg = NULL;

	scoped_guard(mutex, &parent->lock) {
		if (b->pinned && !--parent->pins) {
			unpin = parent->unpin;
			arg = parent->unpin_arg;
		}
		gpasid_att_put(b->att);
	}
	if (unpin)
		unpin(arg);
}

/* Let waiters in gpasid_wait_until() recheck their condition. */
void gpasid_changed(struct gpasid_parent *parent)
{
	atomic_inc(&parent->changes);
	wake_up_all(&parent->changed);
}

/* Release the bindings that gpasid_binding_unlink() has added to @dead. */
void gpasid_release_dead(struct gpasid_parent *parent, struct hlist_head *dead)
{
	struct gpasid_binding *b;
	struct hlist_node *next;
	int nr = 0;

	hlist_for_each_entry_safe(b, next, dead, node) {
		hlist_del(&b->node);
		/* First, since the release may free the parent's domain. */
		gpasid_binding_leave(parent, b);
		gpasid_binding_release(b);
		gpasid_binding_put(b);
		nr++;
		cond_resched();
	}
	atomic_sub(nr, &parent->releasing);
	gpasid_changed(parent);
}

/*
 * Wait until @cond, which may sleep, is true.  A change that can make it true
 * must be followed by gpasid_changed().
 */
#define gpasid_wait_until(parent, cond)					\
do {									\
	struct gpasid_parent *__parent = (parent);			\
	int __seen = atomic_read(&__parent->changes);			\
									\
	if (cond)							\
		break;							\
	wait_event(__parent->changed,					\
		   atomic_read(&__parent->changes) != __seen);		\
} while (1)

/*
 * Drain the page requests of @b, or with NULL of all cleared bindings of @att:
 * on return none is in flight in hardware or waits for an answer.  New requests
 * are refused at once, since the binding is GPASID_CLEARED.
 */
static void gpasid_drain(struct gpasid_attachment *att, struct gpasid_binding *b)
{
	gpasid_fault_flush(att, b);
	att->gdev->ops->drain(att, b);
	gpasid_fault_flush(att, b);
	gpasid_fault_discard_partial(att, b);
}

/*
 * Do steps 3 and 4 of teardown, and zero the entry as in step 5.  The caller is
 * the one that takes @b down.  Drops and retakes the parent's lock.
 */
void gpasid_quiesce(struct gpasid_parent *parent, struct gpasid_binding *b)
{
	const struct gpasid_ops *ops = b->att->gdev->ops;

	lockdep_assert_held(&parent->lock);

	b->bulk = false;
	ops->clear(b);
	WRITE_ONCE(b->state, GPASID_CLEARED);
	ops->flush(b->att, b);
	mutex_unlock(&parent->lock);

	gpasid_drain(b->att, b);

	mutex_lock(&parent->lock);
	ops->reset(b);
}

/*
 * Take @b down from step 3 to the end; it may have been freed on return.  Drops
 * and retakes the parent's lock.
 */
void gpasid_take_down(struct gpasid_parent *parent, struct gpasid_binding *b)
{
	struct xarray *bindings = &b->att->gdev->bindings;
	HLIST_HEAD(dead);

	gpasid_quiesce(parent, b);
	xa_erase(bindings, b->pasid);
	gpasid_binding_unlink(b, &dead);
	mutex_unlock(&parent->lock);
	gpasid_release_dead(parent, &dead);
	mutex_lock(&parent->lock);
}

/*
 * Unbind of one PASID
 */

/*
 * Return true if @b is in gpasid_device::bindings, or if a binding under
 * @parent, which may be @b, is being released.
 */
static bool gpasid_is_there(struct gpasid_device *gdev,
			    struct gpasid_parent *parent,
			    struct gpasid_binding *b)
{
	guard(mutex)(&parent->lock);
	return gpasid_pasid_under(gdev, parent, b->pasid) == b ||
	       atomic_read(&parent->releasing);
}

/*
 * Wait until another caller has taken @b down and put its references.  This
 * caller holds a reference on @b.
 */
void gpasid_wait_released(struct gpasid_device *gdev,
			  struct gpasid_parent *parent,
			  struct gpasid_binding *b)
{
	gpasid_wait_until(parent, !gpasid_is_there(gdev, parent, b));
}

/*
 * Undo the claim of @b after an unbind from within a notifier callback of its
 * IOASID, which cannot send an event.
 */
static int gpasid_restore(struct gpasid_parent *parent,
			  struct gpasid_binding *b)
{
	WARN_ON_ONCE(1);
	guard(mutex)(&parent->lock);
	if (b->state == GPASID_LEAVING) {
		WRITE_ONCE(b->state, GPASID_BOUND);
		gpasid_changed(parent);
	}

	return -EDEADLK;
}

/*
 * Take down @b, which this caller has claimed and holds a reference on.  Called
 * with the parent's lock held, returns with it released.
 */
static int gpasid_unbind_claimed(struct gpasid_parent *parent,
				 struct gpasid_device *gdev,
				 struct gpasid_binding *b)
{
	mutex_unlock(&parent->lock);
	/* A concurrent free sends UNBIND itself and takes @b over. */
	if (!b->att->own &&
	    ioasid_notify(b->set, b->pasid, IOASID_UNBIND, gdev->dev) == -EDEADLK)
		return gpasid_restore(parent, b);

	scoped_guard(mutex, &parent->lock)
		if (b->state == GPASID_LEAVING) {
			gpasid_take_down(parent, b);
			return 0;
		}
	gpasid_wait_released(gdev, parent, b);
	return 0;
}

/* Unbind an IOASID of @set or, if @set is NULL, a PASID of the device's own. */
static int gpasid_unbind(struct device *dev, struct ioasid_set *set, u32 pasid,
			 void *owner)
{
	struct gpasid_device *gdev = gpasid_device_find(dev);
	struct gpasid_parent *parent;
	struct gpasid_binding *b;
	int ret = -ENOENT;

	if (!gdev)
		return ret;
	parent = gpasid_pasid_lock(gdev, pasid, &b);
	if (!parent)
		goto out_device;

	if (b->att->own != !set || (set && b->set != set) ||
	    b->state != GPASID_BOUND || !gpasid_owned_by(b, owner)) {
		mutex_unlock(&parent->lock);
	} else if (gpasid_disown(b, owner)) {
		mutex_unlock(&parent->lock);
		ret = 0;
	} else {
		refcount_inc(&b->users);
		WRITE_ONCE(b->state, GPASID_LEAVING);
		ret = gpasid_unbind_claimed(parent, gdev, b);
		gpasid_binding_put(b);
	}
	gpasid_parent_put(parent);
out_device:
	gpasid_device_put(gdev);
	return ret;
}

/**
 * iommu_sva_unbind_gpasid() - Undo iommu_sva_bind_gpasid()
 * @dev: the device
 * @set: the set that the host PASID belongs to
 * @hpasid: the host PASID
 * @owner: the owner that bound it
 *
 * If other owners share the binding, only @owner is removed from it.  Otherwise
 * it is taken down in this order: subscribers handle UNBIND; the entry is made
 * not present; PASID cache, IOTLB and device TLB are invalidated; page requests
 * are drained; the entry is zeroed.  When this returns then, no DMA of the
 * device with this PASID reaches memory and no cache holds a translation for
 * it.
 *
 * Context: Process context. May sleep. Takes the parent's lock.
 * Return: 0; -ENOENT when @owner has no such binding, or the IOASID was freed,
 * which unbinds it; -EDEADLK when called from a notifier callback of the
 * IOASID, which is a bug of the caller; the binding stays.
 */
int iommu_sva_unbind_gpasid(struct device *dev, struct ioasid_set *set,
			    ioasid_t hpasid, void *owner)
{
	return set ? gpasid_unbind(dev, set, hpasid, owner) : -ENOENT;
}
EXPORT_SYMBOL_GPL(iommu_sva_unbind_gpasid);

/**
 * gpasid_pasid_detach() - Undo gpasid_pasid_attach()
 * @dev: the device
 * @pasid: the PASID on the wire
 * @owner: the owner that attached it
 *
 * Same order and effect as iommu_sva_unbind_gpasid(), but without UNBIND: a
 * device's own PASID has no subscribers.
 *
 * Context: Process context. May sleep. Takes the parent's lock.
 * Return: 0; -ENOENT when @owner has not attached that PASID.
 */
int gpasid_pasid_detach(struct device *dev, u32 pasid, void *owner)
{
	return gpasid_unbind(dev, NULL, pasid, owner);
}
EXPORT_SYMBOL_GPL(gpasid_pasid_detach);

/*
 * Bulk teardown
 */

/* A teardown of all bindings of @owner or, if it is NULL, of all owners. */
struct gpasid_bulk {
	struct gpasid_device *gdev;
	struct gpasid_parent *parent;
	const void *owner;
};

/*
 * Return the first binding under the parent at or after *@index, or NULL.  RCU,
 * since bindings under other parents may be freed meanwhile.
 */
static struct gpasid_binding *gpasid_bulk_next(struct gpasid_bulk *bulk,
					       unsigned long *index)
{
	struct gpasid_binding *b;

	lockdep_assert_held(&bulk->parent->lock);

	cond_resched();
	guard(rcu)();
	for (b = xa_find(&bulk->gdev->bindings, index, ULONG_MAX, XA_PRESENT);
	     b && b->att->parent != bulk->parent;
	     b = xa_find_after(&bulk->gdev->bindings, index, ULONG_MAX,
			       XA_PRESENT))
		;

	return b;
}

static bool gpasid_bulk_wants(struct gpasid_bulk *bulk,
			      struct gpasid_binding *b)
{
	return !bulk->owner || gpasid_owned_by(b, bulk->owner);
}

static void gpasid_bulk_claim(struct gpasid_bulk *bulk)
{
	struct gpasid_binding *b;
	unsigned long index;

	for (index = 0; (b = gpasid_bulk_next(bulk, &index)); index++) {
		if (b->state != GPASID_BOUND || !gpasid_bulk_wants(bulk, b))
			continue;
		if (bulk->owner && gpasid_disown(b, bulk->owner))
			continue;
		WRITE_ONCE(b->state, GPASID_LEAVING);
		b->bulk = true;
	}
}

/* Send UNBIND for each claimed IOASID.  Drops and retakes the parent's lock. */
static int gpasid_bulk_announce(struct gpasid_bulk *bulk)
{
	struct gpasid_parent *parent = bulk->parent;
	struct ioasid_set *set;
	struct gpasid_binding *b;
	unsigned long index;
	int ret = 0;

	for (index = 0; (b = gpasid_bulk_next(bulk, &index)); index++) {
		/* If the IOASID is being freed, the free sends UNBIND. */
		if (!b->bulk || b->att->own || ioasid_get(b->set, b->pasid))
			continue;
		set = b->set;
		mutex_unlock(&parent->lock);
		ret = ioasid_notify(set, index, IOASID_UNBIND, bulk->gdev->dev);
		ioasid_put(set, index);
		mutex_lock(&parent->lock);
		if (WARN_ON_ONCE(ret == -EDEADLK))
			return ret;
	}
	return 0;
}

static void gpasid_bulk_restore(struct gpasid_bulk *bulk)
{
	struct gpasid_binding *b;
	unsigned long index;

	for (index = 0; (b = gpasid_bulk_next(bulk, &index)); index++) {
		if (b->bulk)
			WRITE_ONCE(b->state, GPASID_BOUND);
		b->bulk = false;
	}
}

/*
 * Clear the claimed bindings.  Store their attachments in @atts and return
 * their number: a device has at most two under a parent, one for IOASIDs and
 * one for its own numbers.
 */
static int gpasid_bulk_clear(struct gpasid_bulk *bulk,
			     struct gpasid_attachment *atts[2])
{
	struct gpasid_binding *b;
	unsigned long index;
	int nr = 0;

	for (index = 0; (b = gpasid_bulk_next(bulk, &index)); index++) {
		if (!b->bulk)
			continue;
		b->att->gdev->ops->clear(b);
		WRITE_ONCE(b->state, GPASID_CLEARED);
		if (!nr || (nr == 1 && atts[0] != b->att))
			atts[nr++] = b->att;
	}
	return nr;
}

static void gpasid_bulk_unlink(struct gpasid_bulk *bulk,
			       struct hlist_head *dead)
{
	struct gpasid_binding *b;
	unsigned long index;

	for (index = 0; (b = gpasid_bulk_next(bulk, &index)); index++) {
		if (!b->bulk)
			continue;
		b->att->gdev->ops->reset(b);
		xa_erase(&bulk->gdev->bindings, index);
		gpasid_binding_unlink(b, dead);
	}
}

/*
 * Claim all bindings of the owner and clear them together, so that one set of
 * invalidations and one drain per attachment serve all of them.  The bindings
 * hold references on the attachments in the meantime.
 */
static int gpasid_bulk_unbind(struct gpasid_bulk *bulk, struct hlist_head *dead)
{
	struct gpasid_parent *parent = bulk->parent;
	const struct gpasid_ops *ops = bulk->gdev->ops;
	struct gpasid_attachment *atts[2];
	int i, nr;

	gpasid_bulk_claim(bulk);
	if (gpasid_bulk_announce(bulk)) {
		gpasid_bulk_restore(bulk);
		return -EDEADLK;
	}
	nr = gpasid_bulk_clear(bulk, atts);
	for (i = 0; i < nr; i++)
		ops->flush(atts[i], NULL);
	mutex_unlock(&parent->lock);
	for (i = 0; i < nr; i++)
		gpasid_drain(atts[i], NULL);
	mutex_lock(&parent->lock);
	gpasid_bulk_unlink(bulk, dead);

	return 0;
}

static bool gpasid_bulk_any(struct gpasid_bulk *bulk)
{
	struct gpasid_binding *b;
	unsigned long index;
	bool releasing = atomic_read(&bulk->parent->releasing);

	guard(mutex)(&bulk->parent->lock);
	for (index = 0; (b = gpasid_bulk_next(bulk, &index)); index++)
		if (releasing || gpasid_bulk_wants(bulk, b))
			return true;
	return releasing;
}

static int gpasid_bulk_pass(struct gpasid_bulk *bulk)
{
	struct gpasid_parent *parent = bulk->parent;
	HLIST_HEAD(dead);
	int ret;

	guard(mutex)(&parent->close_lock);
	scoped_guard(mutex, &parent->lock)
		ret = gpasid_bulk_unbind(bulk, &dead);
	gpasid_release_dead(parent, &dead);

	return ret;
}

/*
 * Take down the bindings under one parent.  Waits for bindings that other
 * callers have claimed, and for binds in progress.
 */
static int gpasid_unbind_under(struct gpasid_bulk *bulk)
{
	struct gpasid_parent *parent = bulk->parent;
	int ret, seen;

	for (;;) {
		seen = atomic_read(&parent->changes);
		ret = gpasid_bulk_pass(bulk);
		if (ret || !gpasid_bulk_any(bulk))
			return ret;
		/* gpasid_bulk_pass() has incremented @changes once. */
		wait_event(parent->changed,
			   atomic_read(&parent->changes) != seen + 1);
	}
}

static void gpasid_unbind_many(struct device *dev, const void *owner)
{
	struct gpasid_bulk bulk = {
		.gdev = gpasid_device_find(dev),
		.owner = owner,
	};
	unsigned long index = 0;
	int ret = 0;

	if (!bulk.gdev)
		return;
	/* At the first binding under a parent, take down all under it. */
	while (!ret && xa_find(&bulk.gdev->bindings, &index, ULONG_MAX,
			       XA_PRESENT)) {
		bulk.parent = gpasid_pasid_parent(bulk.gdev, index++);
		if (!bulk.parent)
			continue;
		if (gpasid_bulk_any(&bulk))
			ret = gpasid_unbind_under(&bulk);
		gpasid_parent_put(bulk.parent);
		cond_resched();
	}
	gpasid_device_put(bulk.gdev);
}

/**
 * iommu_sva_unbind_gpasid_owner() - Undo all binds and attaches of one owner on
 *                                   a device
 * @dev: the device
 * @owner: the owner
 *
 * Like iommu_sva_unbind_gpasid() or gpasid_pasid_detach() for each of them, but
 * with one set of invalidations and one drain for all under one parent.
 *
 * Context: Process context. May sleep. Takes the parents' locks.
 */
void iommu_sva_unbind_gpasid_owner(struct device *dev, void *owner)
{
	gpasid_unbind_many(dev, owner);
}
EXPORT_SYMBOL_GPL(iommu_sva_unbind_gpasid_owner);

/*
 * Free of an IOASID
 */

/* Find a binding of an IOASID under @parent; a cleared one only with @any. */
static struct gpasid_binding *gpasid_find_id(struct gpasid_parent *parent,
					     ioasid_t id, bool any)
{
	struct gpasid_attachment *att;
	struct gpasid_binding *b;

	list_for_each_entry(att, &parent->attachments, node) {
		b = gpasid_pasid_under(att->gdev, parent, id);
		if (b && b->att == att && !att->own &&
		    (any || b->state != GPASID_CLEARED))
			return b;
	}
	return NULL;
}

static bool gpasid_id_there(struct gpasid_parent *parent, ioasid_t id)
{
	guard(mutex)(&parent->lock);
	return gpasid_find_id(parent, id, true) ||
	       atomic_read(&parent->releasing);
}

static void gpasid_free_under(struct gpasid_parent *parent, ioasid_t id)
{
	struct gpasid_binding *b;

	scoped_guard(mutex, &parent->lock)
		while ((b = gpasid_find_id(parent, id, false)))
			gpasid_take_down(parent, b);
	gpasid_wait_until(parent, !gpasid_id_there(parent, id));
}

/*
 * Take down all bindings of a freed IOASID.  This subscriber is the last: all
 * others have handled UNBIND for each binding, and FREE.  The bindings hold
 * references on the IOASID, so its number is not allocated again yet.
 */
static int gpasid_notify(struct ioasid_notifier *nb, enum ioasid_event ev,
			 const struct ioasid_event_info *info)
{
	struct gpasid_parent *parent = NULL;

	if (ev != IOASID_FREE)
		return 0;
	while ((parent = gpasid_parent_next(info->set, parent)))
		gpasid_free_under(parent, info->id);
	return 0;
}

static struct ioasid_notifier gpasid_nb = {
	.notify = gpasid_notify,
	.prio = IOASID_PRIO_IOMMU,
};

/**
 * gpasid_free_host() - Free a host PASID and wait until its bindings are released
 * @set: the set that it belongs to
 * @hpasid: the host PASID
 *
 * Context: Process context. May sleep.
 * Return: 0; -ENOENT when the set has no such PASID.
 */
int gpasid_free_host(struct ioasid_set *set, ioasid_t hpasid)
{
	int ret = ioasid_free(set, hpasid);

	if (!ret)
		ioasid_drain(set);
	return ret;
}
EXPORT_SYMBOL_GPL(gpasid_free_host);

/*
 * Take down the bindings that a driver leaves on its device when it is unbound
 * from it.  The driver has a bug, but the next user of the device or of the
 * PASIDs must not suffer from it.
 */
static int gpasid_bus_notify(struct notifier_block *nb, unsigned long action,
			     void *data)
{
	struct gpasid_device *gdev;
	struct device *dev = data;

	if (action != BUS_NOTIFY_UNBOUND_DRIVER)
		return NOTIFY_DONE;

	gdev = gpasid_device_find(dev);
	if (!gdev)
		return NOTIFY_DONE;
	if (!xa_empty(&gdev->bindings)) {
		dev_warn(dev, "driver left with PASIDs bound\n");
		gpasid_unbind_many(dev, NULL);
	}
	gpasid_device_put(gdev);

	return NOTIFY_OK;
}

static struct notifier_block gpasid_bus_nb = {
	.notifier_call = gpasid_bus_notify,
};

int gpasid_unbind_init(void)
{
	int ret;

	gpasid_binding_cache = KMEM_CACHE(gpasid_binding, SLAB_ACCOUNT);
	if (!gpasid_binding_cache)
		return -ENOMEM;

	ret = ioasid_register_notifier(NULL, &gpasid_nb, false);
	if (ret)
		goto out_cache;

	ret = bus_register_notifier(&pci_bus_type, &gpasid_bus_nb);
	if (ret)
		goto out_notifier;
	return 0;

out_notifier:
	ioasid_unregister_notifier(NULL, &gpasid_nb);
out_cache:
	kmem_cache_destroy(gpasid_binding_cache);
	return ret;
}

void gpasid_unbind_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &gpasid_bus_nb);
	ioasid_unregister_notifier(NULL, &gpasid_nb);
	/* Wait for bindings that were passed to kfree_rcu(). */
	rcu_barrier();
	kvfree_rcu_barrier();
	kmem_cache_destroy(gpasid_binding_cache);
}
