// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: teardown.
 *
 * A binding is taken down by one caller.  It is claimed under the parent's lock
 * (GPASID_LEAVING), the subscribers of its IOASID have handled UNBIND, and under
 * the lock again it becomes GPASID_CLEARED: the entry is not present.  Then, in
 * this order: PASID cache, IOTLB and device TLB are invalidated; page requests are
 * drained; the entry is zeroed; the binding is removed from gdev->bindings;
 * references are put.
 *
 * When an IOASID is freed, its subscribers have been told by the free itself,
 * and the caller that had claimed a binding may be waiting for that free.  So a
 * free takes over what is not GPASID_CLEARED yet; the first claimant finds the
 * state changed and waits for the end.
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

/* Under the parent's lock or RCU; @owner NULL: any. */
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

/* Take @owner off a shared binding; false when it is the only owner. */
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

/* Whether @owner has a binding at or after *@index, which is set to the next one. */
static bool gpasid_owned_next(struct gpasid_device *gdev, const void *owner,
			      unsigned long *index)
{
	unsigned long start = *index;
	struct gpasid_binding *b;

	guard(rcu)();
	xa_for_each_start(&gdev->bindings, *index, b, start) {
		if (gpasid_owned_by(b, owner))
			return true;
		/* Those of others may be a million. */
		cond_resched_rcu();
	}
	return false;
}

/**
 * gpasid_owner_busy() - Check whether an owner has bindings on any device
 * @owner: the owner
 *
 * VFIO asks it of its virtual devices before it lets them be detached.
 *
 * Context: Process context. May sleep.
 * Return: true while there is a binding.
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
 * Return: the number of bindings, of both kinds of numbers.
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
 * The end of a binding
 */

void gpasid_binding_put(struct gpasid_binding *b)
{
	/* A reader may have found it in gpasid_device::bindings. */
	if (refcount_dec_and_test(&b->users))
		kfree_rcu(b, rcu);
}

/*
 * Put what @b refers to.  It is not in gpasid_device::bindings, has left its
 * attachment, and no lock is held.
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

/* Give up what @b has under its parent, its attachment among it. */
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

/* Something that gpasid_wait_until() may wait for has changed. */
void gpasid_changed(struct gpasid_parent *parent)
{
	atomic_inc(&parent->changes);
	wake_up_all(&parent->changed);
}

/* Release what gpasid_binding_unlink() has collected. */
void gpasid_release_dead(struct gpasid_parent *parent, struct hlist_head *dead)
{
	struct gpasid_binding *b;
	struct hlist_node *next;
	int nr = 0;

	hlist_for_each_entry_safe(b, next, dead, node) {
		hlist_del(&b->node);
		/* The parent's domain may be freed with the last reference. */
		gpasid_binding_leave(parent, b);
		gpasid_binding_release(b);
		gpasid_binding_put(b);
		nr++;
		cond_resched();
	}
	atomic_sub(nr, &parent->releasing);
	gpasid_changed(parent);
}

/* @cond may sleep; what can make it true ends with gpasid_changed(). */
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
 * No page request of @b, or with NULL of any cleared binding of @att, is under
 * way in hardware or waits for an answer.  New ones are refused at once from
 * here on, since the binding is marked as cleared.
 */
static void gpasid_drain(struct gpasid_attachment *att, struct gpasid_binding *b)
{
	gpasid_fault_flush(att, b);
	att->gdev->ops->drain(att, b);
	gpasid_fault_flush(att, b);
	gpasid_fault_discard_partial(att, b);
}

/*
 * Steps 3 and 4 of the order of teardown, and the zeroing of step 5, for a
 * binding that the caller has claimed.  The parent's lock is dropped meanwhile.
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

/* All of it.  @b may not be there any more when this returns. */
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
 * One binding
 */

/* Is @b in gpasid_device::bindings, or its release not finished? */
static bool gpasid_is_there(struct gpasid_device *gdev,
			    struct gpasid_parent *parent,
			    struct gpasid_binding *b)
{
	guard(mutex)(&parent->lock);
	return gpasid_pasid_under(gdev, parent, b->pasid) == b ||
	       atomic_read(&parent->releasing);
}

/*
 * Another caller takes @b down, on which this one holds a reference: wait until
 * that is done and its references are put.
 */
void gpasid_wait_released(struct gpasid_device *gdev,
			  struct gpasid_parent *parent,
			  struct gpasid_binding *b)
{
	gpasid_wait_until(parent, !gpasid_is_there(gdev, parent, b));
}

/* The call came from a subscriber: no event is sent, and the binding stays. */
static int gpasid_restore(struct gpasid_parent *parent,
			  struct gpasid_binding *b)
{
	WARN_ON_ONCE(1);
	guard(mutex)(&parent->lock);
	if (b->state == GPASID_LEAVING)
		WRITE_ONCE(b->state, GPASID_BOUND);

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
	/* A concurrent free sends the event itself, and takes over. */
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

/* @set: of a binding by an IOASID; NULL: by the device's own number. */
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
 * When other owners share the binding, it stays.  Otherwise, in this order:
 * subscribers have handled UNBIND; the entry is made not present; PASID cache,
 * IOTLB and device TLB are invalidated; page requests are drained; the entry is
 * cleared.  When this returns, no DMA of the device with this PASID reaches memory
 * and no cache holds a translation of it.
 *
 * Context: Process context. May sleep. Takes the parent's lock.
 * Return: 0; -ENOENT when @owner has no such binding, or the IOASID was freed,
 * which unbinds it; -EDEADLK when it is called from a subscriber, which is a
 * mistake and leaves the binding as it is.
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
 * @pasid: the number on the wire
 * @owner: the owner that attached it
 *
 * Order and effect as those of iommu_sva_unbind_gpasid(); there are no
 * subscribers.
 *
 * Context: Process context. May sleep. Takes the parent's lock.
 * Return: 0; -ENOENT when @owner has nothing attached to that number.
 */
int gpasid_pasid_detach(struct device *dev, u32 pasid, void *owner)
{
	return gpasid_unbind(dev, NULL, pasid, owner);
}
EXPORT_SYMBOL_GPL(gpasid_pasid_detach);

/*
 * Many at once
 */

/* A bulk teardown: of all bindings of @owner, or with NULL of any. */
struct gpasid_bulk {
	struct gpasid_device *gdev;
	struct gpasid_parent *parent;
	const void *owner;
};

/*
 * The binding at or after *@index that is under the parent, or NULL.  Bindings
 * of other parents may be freed meanwhile.
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

/* Send UNBIND to the subscribers of each IOASID.  The parent's lock is dropped. */
static int gpasid_bulk_announce(struct gpasid_bulk *bulk)
{
	struct gpasid_parent *parent = bulk->parent;
	struct ioasid_set *set;
	struct gpasid_binding *b;
	unsigned long index;
	int ret = 0;

	for (index = 0; (b = gpasid_bulk_next(bulk, &index)); index++) {
		/* Being freed: the free tells them. */
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

/* Returns the attachments that have cleared bindings: 0, 1 or 2. */
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
 * Claimed ones are cleared together, then one set of invalidations and one drain
 * serve them all.  Their attachments stay: the bindings hold them.
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
 * Under one parent.  Those that other callers have claimed, and binds that are
 * not through, are waited for.
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
		/* The pass itself is one change. */
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
	/* The first binding of each parent takes all others under it along. */
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
 * As iommu_sva_unbind_gpasid() or gpasid_pasid_detach() for each of them, but
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
 * An IOASID that is freed
 */

/* A binding of the IOASID under @parent that is not cleared yet, or any. */
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
 * All other subscribers have been told of every binding's end, and of the free.
 * The bindings hold references on the number: it is not issued again yet.
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
 * A driver that leaves its device with PASIDs bound has a bug; the next user of
 * the device, or of the numbers, must not pay for it.
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
	/* Bindings freed by RCU may not be freed yet. */
	rcu_barrier();
	kvfree_rcu_barrier();
	kmem_cache_destroy(gpasid_binding_cache);
}
