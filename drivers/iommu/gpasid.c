// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASID bindings.
 *
 * A binding joins a host PASID of a device to a guest's first-stage table and
 * to the VM's second stage.  This file owns all bindings of the host: who
 * holds them, which IOASID they belong to, and the order in which they go.
 * How the hardware is told is the IOMMU driver's business (struct gpasid_ops);
 * files and ioctls are that of the fronts.
 *
 * Bindings are set up and taken down from inside the events of their IOASID:
 * this file is the subscriber of IOMMU priority.  A BIND event thus reaches it
 * first, an UNBIND or FREE event last, after the CPU and the device have let
 * go, and all of them are serialised per IOASID.
 *
 * Locks, outer to inner:
 *
 *  the IOASID's events	held by the IOASID code around our callback
 *  gpasid_table_locks	which first-stage table an IOASID has
 *  gpasid_devices_rwsem	the list of devices; read to walk it, write to
 *				change it.  Holding it keeps every device on
 *				the list, and its driver data, in place
 *  gpasid_device::lock	all bindings and attachments of one device
 *
 * gpasid_ops_rwsem (the registered IOMMU drivers) and gpasid_binds_lock are
 * taken alone.
 *
 * The list of devices and gpasid_device::bindings may also be read under RCU;
 * devices, attachments and bindings are freed by RCU.  The page-request thread,
 * for which a teardown waits, reads them so and takes none of these locks.
 */
#define pr_fmt(fmt) "gpasid: " fmt

#include <linux/device.h>
#include <linux/gpasid.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "gpasid_priv.h"
#include "iommu-priv.h"

#define GPASID_MAX_OPS	4

/* Further owner of a shared binding, in gpasid_binding::sharers. */
struct gpasid_sharer {
	struct hlist_node node;
	void *owner;
	u32 dev_id;
};

/*
 * A bind under way: what its BIND event is to do and how it went.  On the stack
 * of the sender, in gpasid_binds.
 */
struct gpasid_op {
	struct list_head node;
	struct gpasid_binding *b;
	const struct gpasid_bind_data *data;
	bool raced;		/* somebody else has bound the PASID meanwhile */
	bool installed;		/* the binding is in the books */
};

/* Which bindings of a device: all, those of an owner, those under a parent. */
struct gpasid_filter {
	const void *owner;
	const struct iommu_domain *parent;
};

static DECLARE_RWSEM(gpasid_ops_rwsem);
static const struct gpasid_ops *gpasid_ops_table[GPASID_MAX_OPS];

static DECLARE_RWSEM(gpasid_devices_rwsem);
static LIST_HEAD(gpasid_devices);

/* Binds whose event is out: how we know our own events from others'. */
static DEFINE_SPINLOCK(gpasid_binds_lock);
static LIST_HEAD(gpasid_binds);

/*
 * An IOASID is one address space: where it is bound under one parent it has one
 * table.  On VT-d, IOTLB entries of one unit are told apart by domain ID and
 * PASID alone, so that with two tables one device would get translations of the
 * other's.  Each lock serves some of the IOASIDs.
 */
static struct mutex gpasid_table_locks[64];

static struct kmem_cache *gpasid_binding_cache;

/* Counts bindings that went, for those who wait until all of some kind have. */
static atomic_long_t gpasid_removals;
static DECLARE_WAIT_QUEUE_HEAD(gpasid_removal_wq);

/*
 * IOMMU drivers
 */

/**
 * gpasid_register_ops() - Register an IOMMU driver
 * @ops: its operations, valid until gpasid_unregister_ops()
 *
 * Context: Process context. May sleep.
 * Return: 0; -EEXIST when the driver's iommu_ops are registered already;
 * -ENOSPC when there is no room for another driver.
 */
int gpasid_register_ops(const struct gpasid_ops *ops)
{
	int i, slot = -ENOSPC;

	down_write(&gpasid_ops_rwsem);
	for (i = 0; i < GPASID_MAX_OPS; i++) {
		if (!gpasid_ops_table[i])
			slot = i;
		else if (gpasid_ops_table[i]->iommu_ops == ops->iommu_ops)
			break;
	}
	if (i < GPASID_MAX_OPS)
		slot = -EEXIST;
	if (slot >= 0)
		gpasid_ops_table[slot] = ops;
	up_write(&gpasid_ops_rwsem);

	return slot < 0 ? slot : 0;
}
EXPORT_SYMBOL_GPL(gpasid_register_ops);

/**
 * gpasid_unregister_ops() - Undo gpasid_register_ops()
 * @ops: the operations registered
 *
 * Every binding holds a reference on the driver's module, so none is left when
 * its exit function gets here.
 *
 * Context: Process context. May sleep.
 */
void gpasid_unregister_ops(const struct gpasid_ops *ops)
{
	int i;

	down_write(&gpasid_ops_rwsem);
	for (i = 0; i < GPASID_MAX_OPS; i++)
		if (gpasid_ops_table[i] == ops)
			gpasid_ops_table[i] = NULL;
	up_write(&gpasid_ops_rwsem);
}
EXPORT_SYMBOL_GPL(gpasid_unregister_ops);

/* The operations for @dev with a reference on their module, or NULL. */
static const struct gpasid_ops *gpasid_ops_get(struct device *dev)
{
	const struct gpasid_ops *ops = NULL;
	int i;

	if (!dev->iommu || !dev->iommu->iommu_dev)
		return NULL;

	down_read(&gpasid_ops_rwsem);
	for (i = 0; i < GPASID_MAX_OPS; i++) {
		ops = gpasid_ops_table[i];
		if (ops && ops->iommu_ops == dev_iommu_ops(dev))
			break;
	}
	if (i == GPASID_MAX_OPS || !try_module_get(ops->owner))
		ops = NULL;
	up_read(&gpasid_ops_rwsem);

	return ops;
}

/**
 * gpasid_get_caps() - What a bind on a device may ask for
 * @dev: the device
 * @caps: filled in
 *
 * Context: Process context. May sleep.
 * Return: 0; -EOPNOTSUPP when the device's IOMMU driver has no guest PASIDs.
 */
int gpasid_get_caps(struct device *dev, struct gpasid_caps *caps)
{
	const struct gpasid_ops *ops = gpasid_ops_get(dev);
	int ret;

	memset(caps, 0, sizeof(*caps));
	if (!ops)
		return -EOPNOTSUPP;

	ret = ops->get_caps(dev, caps);
	module_put(ops->owner);

	return ret;
}
EXPORT_SYMBOL_GPL(gpasid_get_caps);

/*
 * Devices
 */

static struct gpasid_device *__gpasid_device_find(struct device *dev)
{
	struct gpasid_device *gdev;

	lockdep_assert_held(&gpasid_devices_rwsem);

	list_for_each_entry(gdev, &gpasid_devices, node)
		if (gdev->dev == dev)
			return gdev;
	return NULL;
}

/* The device with its user count raised, or NULL when it has no bindings. */
static struct gpasid_device *gpasid_device_find(struct device *dev)
{
	struct gpasid_device *gdev;

	down_read(&gpasid_devices_rwsem);
	gdev = __gpasid_device_find(dev);
	if (gdev)
		atomic_inc(&gdev->users);
	up_read(&gpasid_devices_rwsem);

	return gdev;
}

static struct gpasid_device *gpasid_device_create(struct device *dev)
{
	const struct gpasid_ops *ops = gpasid_ops_get(dev);
	struct gpasid_device *gdev;

	if (!ops)
		return ERR_PTR(-EOPNOTSUPP);

	gdev = kzalloc(sizeof(*gdev), GFP_KERNEL);
	if (!gdev) {
		module_put(ops->owner);
		return ERR_PTR(-ENOMEM);
	}
	mutex_init(&gdev->lock);
	xa_init_flags(&gdev->bindings, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&gdev->attachments);
	gdev->dev = get_device(dev);
	gdev->ops = ops;

	return gdev;
}

static void gpasid_device_free(struct gpasid_device *gdev)
{
	WARN_ON(!xa_empty(&gdev->bindings) || !list_empty(&gdev->attachments));
	xa_destroy(&gdev->bindings);
	mutex_destroy(&gdev->lock);
	module_put(gdev->ops->owner);
	put_device(gdev->dev);
	kfree_rcu(gdev, rcu);
}

static struct gpasid_device *gpasid_device_get(struct device *dev)
{
	struct gpasid_device *gdev, *new;

	gdev = gpasid_device_find(dev);
	if (gdev)
		return gdev;

	new = gpasid_device_create(dev);
	if (IS_ERR(new))
		return new;

	down_write(&gpasid_devices_rwsem);
	gdev = __gpasid_device_find(dev);
	if (!gdev) {
		list_add_tail_rcu(&new->node, &gpasid_devices);
		gdev = new;
	}
	atomic_inc(&gdev->users);
	up_write(&gpasid_devices_rwsem);

	if (gdev != new)
		gpasid_device_free(new);
	return gdev;
}

/* Free the devices that nobody uses and that have no bindings. */
static void gpasid_devices_reap(void)
{
	struct gpasid_device *gdev, *next;

	down_write(&gpasid_devices_rwsem);
	list_for_each_entry_safe(gdev, next, &gpasid_devices, node) {
		/* Holding the list for writing, nobody can come or be inside. */
		if (atomic_read(&gdev->users) || gdev->nr)
			continue;
		list_del_rcu(&gdev->node);
		gpasid_device_free(gdev);
	}
	up_write(&gpasid_devices_rwsem);
}

static void gpasid_device_put(struct gpasid_device *gdev)
{
	bool idle;

	/* The list keeps it in place while we look. */
	down_read(&gpasid_devices_rwsem);
	idle = atomic_dec_and_test(&gdev->users) && !READ_ONCE(gdev->nr);
	up_read(&gpasid_devices_rwsem);

	if (idle)
		gpasid_devices_reap();
}

/*
 * Attachments
 */

static struct gpasid_attachment *gpasid_att_find(struct gpasid_device *gdev,
						 const struct iommu_domain *parent)
{
	struct gpasid_attachment *att;

	lockdep_assert_held(&gdev->lock);

	list_for_each_entry(att, &gdev->attachments, node)
		if (att->parent == parent)
			return att;
	return NULL;
}

static struct gpasid_attachment *gpasid_att_get(struct gpasid_device *gdev,
						struct iommu_domain *parent)
{
	struct gpasid_attachment *att = gpasid_att_find(gdev, parent);
	int ret;

	if (!att) {
		att = kzalloc(sizeof(*att), GFP_KERNEL_ACCOUNT);
		if (!att)
			return ERR_PTR(-ENOMEM);
		att->gdev = gdev;
		att->parent = parent;
		ret = gdev->ops->attach(att);
		if (ret) {
			kfree(att);
			return ERR_PTR(ret);
		}
		list_add_tail(&att->node, &gdev->attachments);
	}
	att->users++;

	return att;
}

static void gpasid_att_put(struct gpasid_attachment *att)
{
	lockdep_assert_held(&att->gdev->lock);

	if (--att->users)
		return;
	list_del(&att->node);
	att->gdev->ops->detach(att);
	kfree_rcu(att, rcu);
}

/**
 * gpasid_visit_attachments() - Visit the devices bound under a parent
 * @parent: second-stage domain
 * @fn: called for each with the device's lock held
 * @arg: passed on
 *
 * Context: Process context. May sleep. Takes the device list for reading and
 * each device's lock.
 */
void gpasid_visit_attachments(struct iommu_domain *parent, gpasid_att_fn fn,
			      void *arg)
{
	struct gpasid_attachment *att;
	struct gpasid_device *gdev;

	down_read(&gpasid_devices_rwsem);
	list_for_each_entry(gdev, &gpasid_devices, node) {
		mutex_lock(&gdev->lock);
		att = gpasid_att_find(gdev, parent);
		if (att)
			fn(att, arg);
		mutex_unlock(&gdev->lock);
	}
	up_read(&gpasid_devices_rwsem);
}
EXPORT_SYMBOL_GPL(gpasid_visit_attachments);

/* The binding of a PASID of a device, for a reader under RCU, or NULL. */
struct gpasid_binding *gpasid_binding_rcu(struct device *dev, ioasid_t hpasid)
{
	struct gpasid_device *gdev;

	list_for_each_entry_rcu(gdev, &gpasid_devices, node)
		if (gdev->dev == dev)
			return xa_load(&gdev->bindings, hpasid);
	return NULL;
}

/*
 * Owners
 */

static struct gpasid_sharer *gpasid_sharer_find(struct gpasid_binding *b,
						const void *owner)
{
	struct gpasid_sharer *sharer;

	hlist_for_each_entry(sharer, &b->sharers, node)
		if (sharer->owner == owner)
			return sharer;
	return NULL;
}

static bool gpasid_owned_by(struct gpasid_binding *b, const void *owner)
{
	return b->owner == owner || gpasid_sharer_find(b, owner);
}

/* Take @owner off a shared binding; false when it is the only owner. */
static bool gpasid_disown(struct gpasid_binding *b, const void *owner)
{
	struct gpasid_sharer *sharer;

	if (hlist_empty(&b->sharers))
		return false;

	sharer = gpasid_sharer_find(b, owner);
	if (!sharer) {
		sharer = hlist_entry(b->sharers.first, struct gpasid_sharer,
				     node);
		b->owner = sharer->owner;
		WRITE_ONCE(b->dev_id, sharer->dev_id);
	}
	hlist_del(&sharer->node);
	kfree(sharer);

	return true;
}

static bool gpasid_same_table(const struct gpasid_binding *b,
			      const struct iommu_domain *parent,
			      const struct gpasid_bind_data *data)
{
	return b->att->parent == parent && b->pgtbl == data->pgtbl &&
	       b->addr_width == data->addr_width &&
	       b->vtd_flags == data->vtd_flags;
}

static struct mutex *gpasid_table_lock(ioasid_t hpasid)
{
	return &gpasid_table_locks[hpasid % ARRAY_SIZE(gpasid_table_locks)];
}

/* The guest PASID, if the caller names one, is the one that the IOASID has. */
static bool gpasid_spid_agrees(const struct gpasid_bind_data *data,
			       ioasid_t hpasid)
{
	return !(data->flags & GPASID_BIND_GPASID) ||
	       ioasid_spid(data->set, hpasid) == data->gpasid;
}

/*
 * Join a binding that another owner has made.  0: joined; -ENOENT: there is
 * none; -EBUSY: it cannot be shared; -EEXIST: it has another guest PASID.
 */
static int gpasid_share(struct gpasid_device *gdev, struct iommu_domain *parent,
			const struct gpasid_bind_data *data, ioasid_t hpasid)
{
	struct gpasid_sharer *sharer;
	struct gpasid_binding *b;
	int ret = -EBUSY;

	mutex_lock(gpasid_table_lock(hpasid));
	mutex_lock(&gdev->lock);
	b = xa_load(&gdev->bindings, hpasid);
	if (!b) {
		ret = -ENOENT;
		goto out;
	}
	if (b->state != GPASID_BOUND || gpasid_owned_by(b, data->owner) ||
	    !gpasid_same_table(b, parent, data))
		goto out;
	if (!gpasid_spid_agrees(data, hpasid)) {
		ret = -EEXIST;
		goto out;
	}

	sharer = kmalloc(sizeof(*sharer), GFP_KERNEL_ACCOUNT);
	if (!sharer) {
		ret = -ENOMEM;
		goto out;
	}
	sharer->owner = data->owner;
	sharer->dev_id = data->dev_id;
	hlist_add_head(&sharer->node, &b->sharers);
	ret = 0;
out:
	mutex_unlock(&gdev->lock);
	mutex_unlock(gpasid_table_lock(hpasid));
	return ret;
}

/*
 * Set-up and teardown of one binding, inside the events of its IOASID
 */

/* The guest PASID of the IOASID: the one it has, or the one the bind asks for. */
static int gpasid_setup_spid(struct ioasid_set *set, ioasid_t hpasid,
			     const struct gpasid_bind_data *data, bool *attached)
{
	ioasid_t spid = ioasid_spid(set, hpasid);
	int ret;

	*attached = false;
	if (spid != INVALID_IOASID) {
		if ((data->flags & GPASID_BIND_GPASID) && spid != data->gpasid)
			return -EEXIST;
		return 0;
	}

	ret = ioasid_attach_spid(set, hpasid,
				 data->flags & GPASID_BIND_GPASID ?
				 data->gpasid : hpasid);
	*attached = !ret;
	return ret;
}

/* A binding under @parent, in no book yet. */
static struct gpasid_binding *
gpasid_binding_alloc(struct gpasid_device *gdev, struct iommu_domain *parent,
		     const struct gpasid_bind_data *data, ioasid_t hpasid)
{
	struct gpasid_attachment *att;
	struct gpasid_binding *b;

	b = kmem_cache_zalloc(gpasid_binding_cache, GFP_KERNEL_ACCOUNT);
	if (!b)
		return ERR_PTR(-ENOMEM);
	b->owner = data->owner;
	b->set = data->set;
	b->pgtbl = data->pgtbl;
	b->hpasid = hpasid;
	b->addr_width = data->addr_width;
	b->vtd_flags = data->vtd_flags;
	b->dev_id = data->dev_id;
	b->exclusive = !!(data->flags & GPASID_BIND_EXCLUSIVE);
	/* No page request is taken before the entry is there. */
	b->state = GPASID_CLEARED;

	mutex_lock(&gdev->lock);
	att = gpasid_att_get(gdev, parent);
	mutex_unlock(&gdev->lock);
	if (IS_ERR(att)) {
		kmem_cache_free(gpasid_binding_cache, b);
		return ERR_CAST(att);
	}
	b->att = att;

	return b;
}

static void gpasid_binding_free(struct gpasid_binding *b)
{
	struct gpasid_device *gdev = b->att->gdev;

	mutex_lock(&gdev->lock);
	gpasid_att_put(b->att);
	mutex_unlock(&gdev->lock);
	/* A reader may have found it while it was in the array. */
	kfree_rcu(b, rcu);
}

static int gpasid_binding_install(struct gpasid_binding *b,
				  const struct gpasid_bind_data *data)
{
	struct gpasid_device *gdev = b->att->gdev;
	bool attached;
	int ret;

	lockdep_assert_held(&gdev->lock);

	ret = ioasid_get(b->set, b->hpasid);
	if (ret)
		return ret;

	ret = gpasid_setup_spid(b->set, b->hpasid, data, &attached);
	if (ret)
		goto out_put;
	b->auto_spid = attached;

	ret = xa_insert(&gdev->bindings, b->hpasid, b, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto out_spid;

	ret = gdev->ops->sva_bind_gpasid(b);
	if (ret)
		goto out_erase;

	WRITE_ONCE(b->state, GPASID_BOUND);
	WRITE_ONCE(gdev->nr, gdev->nr + 1);
	return 0;

out_erase:
	xa_erase(&gdev->bindings, b->hpasid);
out_spid:
	if (attached)
		ioasid_detach_spid(b->set, b->hpasid);
out_put:
	ioasid_put(b->set, b->hpasid);
	return ret;
}

/*
 * Whether the bindings that the IOASID has on other devices allow one more: 0;
 * -EBUSY: they have another table; -ENOENT: the last one is going, and the
 * IOASID with it.
 */
static int gpasid_others_agree(const struct gpasid_op *op)
{
	const struct gpasid_binding *b = op->b;
	struct gpasid_binding *other;
	struct gpasid_device *gdev;
	int ret = 0;

	lockdep_assert_held(gpasid_table_lock(b->hpasid));

	rcu_read_lock();
	list_for_each_entry_rcu(gdev, &gpasid_devices, node) {
		other = xa_load(&gdev->bindings, b->hpasid);
		if (!other || gdev == b->att->gdev)
			continue;
		if (READ_ONCE(other->state) == GPASID_CLEARED && other->auto_free)
			ret = -ENOENT;
		else if (other->att->parent == b->att->parent &&
			 !gpasid_same_table(other, b->att->parent, op->data))
			ret = ret ?: -EBUSY;
	}
	rcu_read_unlock();

	return ret;
}

/* BIND: the IOASID is ours alone until we return. */
static int gpasid_event_bind(struct gpasid_op *op)
{
	struct gpasid_binding *b = op->b;
	struct gpasid_device *gdev = b->att->gdev;
	int ret;

	mutex_lock(gpasid_table_lock(b->hpasid));
	ret = gpasid_others_agree(op);
	if (ret)
		goto out;

	mutex_lock(&gdev->lock);
	op->raced = xa_load(&gdev->bindings, b->hpasid);
	ret = op->raced ? -EBUSY : gpasid_binding_install(b, op->data);
	op->installed = !ret;
	mutex_unlock(&gdev->lock);
out:
	mutex_unlock(gpasid_table_lock(b->hpasid));

	return ret;
}

/* Take @b, whose entry the hardware no longer uses, out of the books. */
static void gpasid_binding_remove(struct gpasid_binding *b)
{
	struct gpasid_device *gdev = b->att->gdev;
	struct gpasid_sharer *sharer;
	struct hlist_node *next;

	lockdep_assert_held(&gdev->lock);

	xa_erase(&gdev->bindings, b->hpasid);
	WRITE_ONCE(gdev->nr, gdev->nr - 1);
	gpasid_att_put(b->att);
	hlist_for_each_entry_safe(sharer, next, &b->sharers, node)
		kfree(sharer);
	ioasid_put(b->set, b->hpasid);
	kfree_rcu(b, rcu);

	atomic_long_inc(&gpasid_removals);
	wake_up_all(&gpasid_removal_wq);
}

/*
 * No page request of @b, or with NULL of any cleared binding under @att, is
 * under way in hardware or waits for an answer.  From here on new ones are
 * refused at once, since the binding is marked as cleared.
 */
static void gpasid_drain(struct gpasid_attachment *att,
			 struct gpasid_binding *b)
{
	gpasid_fault_flush(att->gdev, b);
	att->gdev->ops->drain(att, b);
	gpasid_fault_discard_partial(att->gdev, b);
}

/* Steps 3 to 5 of the order of teardown, for one binding. */
static void gpasid_binding_finish(struct gpasid_binding *b)
{
	struct gpasid_attachment *att = b->att;
	const struct gpasid_ops *ops = att->gdev->ops;

	ops->flush(att, b);
	gpasid_drain(att, b);
	ops->reset(b);
	gpasid_binding_remove(b);
}

/*
 * Finish what an UNBIND event has cleared, unless a FREE event has done it.  An
 * IOASID that goes with its last binding is freed while the binding is still
 * there for others to see: nobody can bind it in between.
 */
static void gpasid_finish_one(struct gpasid_device *gdev,
			      struct ioasid_set *set, ioasid_t hpasid)
{
	struct gpasid_binding *b;
	bool freed = false;

	mutex_lock(&gdev->lock);
	b = xa_load(&gdev->bindings, hpasid);
	if (b && b->state == GPASID_CLEARED) {
		freed = b->auto_free && !ioasid_free(set, hpasid);
		gpasid_binding_finish(b);
	}
	mutex_unlock(&gdev->lock);
	if (freed)
		ioasid_drain(set);
}

/*
 * @b goes.  If the bind that made it gave the IOASID its guest PASID, or the
 * IOASID itself, another binding of the same IOASID inherits that; without one
 * the guest PASID goes now, before the entry does.
 */
static void gpasid_hand_over(struct gpasid_binding *b)
{
	struct gpasid_device *from = b->att->gdev, *gdev;
	struct gpasid_binding *heir;
	bool done = false;

	if (!b->auto_spid && !b->auto_free)
		return;

	down_read(&gpasid_devices_rwsem);
	list_for_each_entry(gdev, &gpasid_devices, node) {
		if (gdev == from || done || !xa_load(&gdev->bindings, b->hpasid))
			continue;
		mutex_lock(&gdev->lock);
		heir = xa_load(&gdev->bindings, b->hpasid);
		if (heir && heir->state == GPASID_BOUND) {
			heir->auto_spid |= b->auto_spid;
			heir->auto_free |= b->auto_free;
			done = true;
		}
		mutex_unlock(&gdev->lock);
	}
	up_read(&gpasid_devices_rwsem);

	if (b->auto_spid && !done)
		ioasid_detach_spid(b->set, b->hpasid);
	b->auto_spid = false;
	b->auto_free &= !done;
}

/* UNBIND: all other subscribers have let go.  Who sent it does the rest. */
static void gpasid_event_unbind(struct gpasid_binding *b)
{
	struct gpasid_device *gdev = b->att->gdev;

	gpasid_hand_over(b);

	mutex_lock(&gdev->lock);
	gdev->ops->clear(b);
	b->att->cleared = true;
	WRITE_ONCE(b->state, GPASID_CLEARED);
	mutex_unlock(&gdev->lock);
}

/* A device on which the PASID is bound, with its user count raised, or NULL. */
static struct gpasid_device *gpasid_device_with(ioasid_t hpasid)
{
	struct gpasid_device *gdev, *found = NULL;

	down_read(&gpasid_devices_rwsem);
	list_for_each_entry(gdev, &gpasid_devices, node) {
		if (!xa_load(&gdev->bindings, hpasid))
			continue;
		atomic_inc(&gdev->users);
		found = gdev;
		break;
	}
	up_read(&gpasid_devices_rwsem);

	return found;
}

/*
 * FREE: every binding has had its UNBIND event.  Finish those whose event came
 * with the FREE, and those whose sender has not come to it yet.
 */
static void gpasid_event_free(ioasid_t hpasid)
{
	struct gpasid_device *gdev;
	struct gpasid_binding *b;
	bool stuck = false;

	/*
	 * A drain can take long, and no other VM may wait for it: neither for
	 * the list of devices, nor for the lock of one without such a PASID.
	 * An unbind may be quicker than we are on one device; others are left.
	 */
	while (!stuck && (gdev = gpasid_device_with(hpasid))) {
		mutex_lock(&gdev->lock);
		b = xa_load(&gdev->bindings, hpasid);
		stuck = b && WARN_ON(b->state != GPASID_CLEARED);
		if (b && !stuck)
			gpasid_binding_finish(b);
		mutex_unlock(&gdev->lock);
		gpasid_device_put(gdev);
	}
}

/*
 * Others may send BIND and UNBIND events for their own ends; @arg tells ours,
 * without a look at what it points to.
 */
static struct gpasid_op *gpasid_op_find(const void *arg)
{
	struct gpasid_op *op, *found = NULL;

	spin_lock(&gpasid_binds_lock);
	list_for_each_entry(op, &gpasid_binds, node)
		if (op->b == arg)
			found = op;
	spin_unlock(&gpasid_binds_lock);

	return found;
}

/*
 * The binding that an event is about, if it is one of ours.  It stays as long
 * as the events of @hpasid are held up by our caller.
 */
static struct gpasid_binding *gpasid_binding_of(ioasid_t hpasid,
						const void *arg)
{
	struct gpasid_binding *b, *found = NULL;
	struct gpasid_device *gdev;

	rcu_read_lock();
	list_for_each_entry_rcu(gdev, &gpasid_devices, node) {
		b = xa_load(&gdev->bindings, hpasid);
		if (b && b == arg)
			found = b;
	}
	rcu_read_unlock();

	return found;
}

/**
 * gpasid_event_device() - The device that a BIND or UNBIND event is about
 * @info: what the subscriber was called with
 *
 * Context: Inside the subscriber's call.
 * Return: the device, or NULL when the event does not come from a binding.
 */
struct device *gpasid_event_device(const struct ioasid_event_info *info)
{
	struct gpasid_binding *b = gpasid_binding_of(info->id, info->arg);

	return b ? b->att->gdev->dev : NULL;
}
EXPORT_SYMBOL_GPL(gpasid_event_device);

static int gpasid_notify(struct ioasid_notifier *nb, enum ioasid_event ev,
			 const struct ioasid_event_info *info)
{
	struct gpasid_binding *b;
	struct gpasid_op *op;

	switch (ev) {
	case IOASID_BIND:
		op = gpasid_op_find(info->arg);
		return op ? gpasid_event_bind(op) : 0;
	case IOASID_UNBIND:
		b = gpasid_binding_of(info->id, info->arg);
		if (b)
			gpasid_event_unbind(b);
		return 0;
	case IOASID_FREE:
		gpasid_event_free(info->id);
		return 0;
	default:
		return 0;
	}
}

static struct ioasid_notifier gpasid_nb = {
	.notify = gpasid_notify,
	.prio = IOASID_PRIO_IOMMU,
};

/*
 * Bind
 */

static int gpasid_check_data(struct device *dev,
			     const struct gpasid_bind_data *data)
{
	const u32 flags = GPASID_BIND_GPASID | GPASID_BIND_REPLACE |
			  GPASID_BIND_EXCLUSIVE;

	if (data->argsz != sizeof(*data) || !data->set || !data->owner)
		return -EINVAL;
	if (data->flags & ~flags || data->format != GPASID_FORMAT_VTD)
		return -EINVAL;
	if (data->hpasid > GPASID_MAX ||
	    ((data->flags & GPASID_BIND_GPASID) && data->gpasid > GPASID_MAX) ||
	    (!(data->flags & GPASID_BIND_GPASID) && data->gpasid)) {
		dev_warn_ratelimited(dev, "hPASID %u, gPASID %u: out of range\n",
				     data->hpasid, data->gpasid);
		return -EINVAL;
	}
	if (data->addr_width != 48 && data->addr_width != 57) {
		dev_warn_ratelimited(dev, "hPASID %u: %u-bit first stage\n",
				     data->hpasid, data->addr_width);
		return -EINVAL;
	}
	if (!IS_ALIGNED(data->pgtbl, SZ_4K)) {
		dev_warn_ratelimited(dev, "hPASID %u: misaligned table 0x%llx\n",
				     data->hpasid, data->pgtbl);
		return -EINVAL;
	}
	return 0;
}

/*
 * The host PASID that a bind is about, with a reference.  Without a number
 * given it is the one that has the guest PASID; failing that a new one.
 */
static int gpasid_resolve(struct device *dev, struct gpasid_bind_data *data,
			  ioasid_t *hpasid, bool *allocated)
{
	ioasid_t id = data->hpasid;
	bool held = false;
	int ret;

	*allocated = false;
	if (!id && (data->flags & GPASID_BIND_GPASID)) {
		id = ioasid_get_by_spid(data->set, data->gpasid);
		held = id != INVALID_IOASID;
		if (!held)
			id = 0;
	}
	if (!id) {
		if (data->flags & GPASID_BIND_REPLACE)
			return -ENOENT;
		ret = ioasid_alloc(data->set, 1, dev->iommu->max_pasids - 1,
				   NULL, &id);
		if (ret)
			return ret;
		*allocated = true;
	}
	if (id >= dev->iommu->max_pasids) {
		dev_warn_ratelimited(dev, "hPASID %u: beyond the device's %u\n",
				     id, dev->iommu->max_pasids - 1);
		if (held)
			ioasid_put(data->set, id);
		return -EINVAL;
	}

	ret = held ? 0 : ioasid_get(data->set, id);
	if (ret && *allocated)
		gpasid_free(data->set, id);
	*hpasid = id;
	return ret;
}

/* Whether the caller has the right to replace, and reason to: 1, 0 or an error. */
static int gpasid_may_replace(struct gpasid_device *gdev,
			      struct iommu_domain *parent,
			      const struct gpasid_bind_data *data,
			      ioasid_t hpasid)
{
	struct gpasid_binding *b;
	int ret;

	mutex_lock(&gdev->lock);
	b = xa_load(&gdev->bindings, hpasid);
	if (!b || b->set != data->set || b->state != GPASID_BOUND ||
	    !gpasid_owned_by(b, data->owner))
		ret = -ENOENT;
	else if (b->att->parent != parent)
		ret = -EBUSY;
	else if (!gpasid_spid_agrees(data, hpasid))
		ret = -EEXIST;
	else
		ret = !gpasid_same_table(b, parent, data);
	mutex_unlock(&gdev->lock);

	return ret;
}

static int gpasid_check_table(struct gpasid_binding *b,
			      const struct gpasid_bind_data *data)
{
	struct gpasid_device *gdev = b->att->gdev;

	if (!hlist_empty(&b->sharers))
		return -EBUSY;
	return gdev->ops->check(gdev->dev, b->att->parent, data);
}

static int gpasid_set_table(struct gpasid_binding *b,
			    const struct gpasid_bind_data *data)
{
	b->pgtbl = data->pgtbl;
	b->addr_width = data->addr_width;
	b->vtd_flags = data->vtd_flags;
	b->att->gdev->ops->set_table(b);

	return 0;
}

static int gpasid_flush_table(struct gpasid_binding *b,
			      const struct gpasid_bind_data *data)
{
	b->att->gdev->ops->flush_table(b);

	return 0;
}

/* Visit the present entries of an IOASID under a parent. */
static int gpasid_visit_entries(struct iommu_domain *parent,
				const struct gpasid_bind_data *data,
				ioasid_t hpasid,
				int (*fn)(struct gpasid_binding *b,
					  const struct gpasid_bind_data *data))
{
	struct gpasid_device *gdev;
	struct gpasid_binding *b;
	int ret = 0;

	down_read(&gpasid_devices_rwsem);
	list_for_each_entry(gdev, &gpasid_devices, node) {
		if (!xa_load(&gdev->bindings, hpasid))
			continue;
		mutex_lock(&gdev->lock);
		b = xa_load(&gdev->bindings, hpasid);
		if (b && b->att->parent == parent && b->state != GPASID_CLEARED)
			ret = fn(b, data);
		mutex_unlock(&gdev->lock);
		if (ret)
			break;
	}
	up_read(&gpasid_devices_rwsem);

	return ret;
}

/*
 * The table is exchanged on every device that has the IOASID bound under
 * @parent, and no cache is flushed before all entries have the new one: what a
 * device with the old one puts into the unit's IOTLB, others would use.
 */
static int gpasid_replace(struct gpasid_device *gdev,
			  struct iommu_domain *parent,
			  const struct gpasid_bind_data *data, ioasid_t hpasid)
{
	int ret;

	mutex_lock(gpasid_table_lock(hpasid));
	ret = gpasid_may_replace(gdev, parent, data, hpasid);
	if (ret <= 0)
		goto out;
	ret = gpasid_visit_entries(parent, data, hpasid, gpasid_check_table);
	if (ret)
		goto out;
	gpasid_visit_entries(parent, data, hpasid, gpasid_set_table);
	gpasid_visit_entries(parent, data, hpasid, gpasid_flush_table);
out:
	mutex_unlock(gpasid_table_lock(hpasid));

	return ret;
}

static int gpasid_bind_new(struct gpasid_device *gdev,
			   struct iommu_domain *parent,
			   const struct gpasid_bind_data *data, ioasid_t hpasid,
			   bool allocated)
{
	struct gpasid_op op = { .data = data };
	struct gpasid_binding *b;
	int ret;

	b = gpasid_binding_alloc(gdev, parent, data, hpasid);
	if (IS_ERR(b))
		return PTR_ERR(b);
	b->auto_free = allocated;
	op.b = b;
	spin_lock(&gpasid_binds_lock);
	list_add(&op.node, &gpasid_binds);
	spin_unlock(&gpasid_binds_lock);

	do {
		ret = gpasid_share(gdev, parent, data, hpasid);
		if (ret != -ENOENT)
			break;
		op.raced = false;
		ret = ioasid_notify(data->set, hpasid, IOASID_BIND, b);
	} while (op.raced);

	spin_lock(&gpasid_binds_lock);
	list_del(&op.node);
	spin_unlock(&gpasid_binds_lock);

	/* Once installed it is in the hands of the events. */
	if (!op.installed)
		gpasid_binding_free(b);
	else if (ret)
		gpasid_finish_one(gdev, data->set, hpasid);

	return ret;
}

/* @allocated: the number was a new one, which is given back on an error. */
static int gpasid_bind_resolved(struct gpasid_device *gdev,
				struct iommu_domain *parent,
				struct gpasid_bind_data *data, bool *allocated)
{
	ioasid_t id;
	int ret;

	ret = gpasid_resolve(gdev->dev, data, &id, allocated);
	if (ret)
		return ret;

	if (data->flags & GPASID_BIND_REPLACE)
		ret = gpasid_replace(gdev, parent, data, id);
	else
		ret = gpasid_bind_new(gdev, parent, data, id, *allocated);

	/* Freed while the reference keeps the number from being another's. */
	if (!ret)
		data->hpasid = id;
	else if (*allocated)
		gpasid_free(data->set, id);
	ioasid_put(data->set, id);

	return ret;
}

/* Everything that can be known to be wrong without looking at any state. */
static int gpasid_check(struct gpasid_device *gdev, struct iommu_domain *parent,
			const struct gpasid_bind_data *data)
{
	int ret = gpasid_check_data(gdev->dev, data);

	return ret ?: gdev->ops->check(gdev->dev, parent, data);
}

/**
 * iommu_sva_bind_gpasid() - Bind a device's PASID to a guest's table
 * @parent: second stage, a domain allocated as nest parent; the caller keeps it
 *          alive until the binding is gone
 * @dev: the device
 * @data: the binding; @data->hpasid is set on success
 *
 * Points the device's PASID-table entry at the guest's first-stage table,
 * nested on @parent.  Subscribers of the IOASID see a BIND event and may veto.
 * The same owner binding again gets -EBUSY unless it asks for a replace, which
 * exchanges the table without a moment at which DMA faults, on all devices that
 * have the host PASID bound under @parent.  Another owner binding the same PASID
 * to the same table shares the binding.
 *
 * VT-d: "Scalable-Mode PASID-Table Entry", PGTT nested.
 *
 * Context: Process context. May sleep. Takes the device's lock, and the events
 * of the IOASID are serialised around it.
 * Return: 0; -EINVAL (malformed @data); -EOPNOTSUPP (the hardware cannot);
 * -ENOENT (host PASID not of this set; replace: not bound by this owner);
 * -EEXIST (guest PASID taken); -EBUSY (bound already, shared on a device and not
 * to be replaced, or bound to another table on another device under @parent);
 * -ENOSPC (quota or numbers exhausted); -ENOMEM; what a subscriber vetoed
 * with.  On an error nothing has changed.
 */
int iommu_sva_bind_gpasid(struct iommu_domain *parent, struct device *dev,
			  struct gpasid_bind_data *data)
{
	struct ioasid_set_stats stats;
	struct gpasid_device *gdev;
	bool allocated;
	u32 tries;
	int ret;

	gdev = gpasid_device_get(dev);
	if (IS_ERR(gdev))
		return PTR_ERR(gdev);

	ret = gpasid_check(gdev, parent, data);
	if (ret)
		goto out_device;

	ret = gpasid_bind_resolved(gdev, parent, data, &allocated);
	if (ret != -EEXIST)
		goto out_device;
	/*
	 * A new number: another bind may have been the first with its guest
	 * PASID; or the guest PASID that an identity asks for is another's.
	 * Numbers come in a circle, so no more can be in the way than there are.
	 */
	ioasid_set_stats(data->set, &stats);
	for (tries = stats.spids + 1; tries && allocated && ret == -EEXIST; tries--)
		ret = gpasid_bind_resolved(gdev, parent, data, &allocated);
out_device:
	gpasid_device_put(gdev);
	if (ret)
		dev_info_ratelimited(dev, "%s of hPASID %u, gPASID %u refused: %pe\n",
				     data->flags & GPASID_BIND_REPLACE ?
				     "replace" : "bind", data->hpasid,
				     data->gpasid, ERR_PTR(ret));
	return ret;
}
EXPORT_SYMBOL_GPL(iommu_sva_bind_gpasid);

/*
 * Unbind
 */

/*
 * A binding that this thread takes down.  The reference keeps the number, and
 * with it the identity of the binding, until the thread is done; the binding
 * itself may go earlier, by a FREE event.
 */
struct gpasid_claim {
	struct ioasid_set *set;
	ioasid_t hpasid;
	struct gpasid_binding *b;	/* never dereferenced: it may be gone */
};

/* -ENOENT: the IOASID is being freed, its FREE event takes the binding. */
static int gpasid_claim(struct gpasid_binding *b, struct gpasid_claim *claim)
{
	int ret;

	lockdep_assert_held(&b->att->gdev->lock);

	ret = ioasid_get(b->set, b->hpasid);
	if (ret)
		return ret;
	b->state = GPASID_LEAVING;
	claim->set = b->set;
	claim->hpasid = b->hpasid;
	claim->b = b;

	return 0;
}

/* The call came from a subscriber: no event is sent, and the binding stays. */
static void gpasid_restore(struct gpasid_device *gdev,
			   const struct gpasid_claim *claim)
{
	struct gpasid_binding *b;

	mutex_lock(&gdev->lock);
	b = xa_load(&gdev->bindings, claim->hpasid);
	if (b && b == claim->b && b->state == GPASID_LEAVING)
		b->state = GPASID_BOUND;
	mutex_unlock(&gdev->lock);
}

static int gpasid_unbind_claimed(struct gpasid_device *gdev,
				 const struct gpasid_claim *claim)
{
	int ret = ioasid_notify(claim->set, claim->hpasid, IOASID_UNBIND,
				claim->b);

	if (WARN_ON_ONCE(ret == -EDEADLK))
		gpasid_restore(gdev, claim);
	return ret;
}

static void gpasid_unclaim(const struct gpasid_claim *claim)
{
	ioasid_put(claim->set, claim->hpasid);
}

/**
 * iommu_sva_unbind_gpasid() - Undo iommu_sva_bind_gpasid()
 * @dev: the device
 * @set: the set that the host PASID belongs to
 * @hpasid: the host PASID
 * @owner: who bound it
 *
 * When other owners share the binding, it stays.  Otherwise, in this order:
 * subscribers let go; the entry is made not present; PASID cache, IOTLB and
 * device TLB are invalidated; page requests are drained; the entry is cleared.
 * When this returns, no DMA of the device with this PASID reaches memory and
 * no cache holds a translation of it.
 *
 * Context: Process context. May sleep. Takes the device's lock.
 * Return: 0; -ENOENT when @owner has no such binding, or the IOASID was freed,
 * which unbinds it; -EDEADLK when it is called from a subscriber, which is a
 * mistake and leaves the binding as it is.
 */
int iommu_sva_unbind_gpasid(struct device *dev, struct ioasid_set *set,
			    ioasid_t hpasid, void *owner)
{
	struct gpasid_device *gdev = gpasid_device_find(dev);
	struct gpasid_claim claim = {};
	struct gpasid_binding *b;
	int ret = 0;

	if (!gdev)
		return -ENOENT;

	mutex_lock(&gdev->lock);
	b = xa_load(&gdev->bindings, hpasid);
	if (!b || b->set != set || b->state != GPASID_BOUND ||
	    !gpasid_owned_by(b, owner))
		ret = -ENOENT;
	else if (!gpasid_disown(b, owner))
		ret = gpasid_claim(b, &claim);
	mutex_unlock(&gdev->lock);

	if (!ret && claim.set) {
		ret = gpasid_unbind_claimed(gdev, &claim);
		if (!ret)
			gpasid_finish_one(gdev, set, hpasid);
		gpasid_unclaim(&claim);
	}
	gpasid_device_put(gdev);

	return ret;
}
EXPORT_SYMBOL_GPL(iommu_sva_unbind_gpasid);

/*
 * Many at once.  Every binding is claimed and its entry made not present from
 * inside its own UNBIND event; then one set of invalidations and one drain
 * serve them all.
 */

static bool gpasid_match(struct gpasid_binding *b,
			 const struct gpasid_filter *filter)
{
	if (filter->parent && b->att->parent != filter->parent)
		return false;
	return !filter->owner || gpasid_owned_by(b, filter->owner);
}

/* Claim the next binding at or after *@index, or false. */
static bool gpasid_claim_next(struct gpasid_device *gdev,
			      const struct gpasid_filter *filter,
			      unsigned long *index, struct gpasid_claim *claim)
{
	struct gpasid_binding *b;
	bool found = false;

	mutex_lock(&gdev->lock);
	xa_for_each_start(&gdev->bindings, *index, b, *index) {
		if (b->state != GPASID_BOUND || !gpasid_match(b, filter))
			continue;
		if (filter->owner && gpasid_disown(b, filter->owner))
			continue;
		found = !gpasid_claim(b, claim);
		if (found)
			break;
	}
	mutex_unlock(&gdev->lock);

	return found;
}

/* One flush and one drain for each parent that has cleared entries. */
static void gpasid_flush_cleared(struct gpasid_device *gdev,
				 const struct gpasid_filter *filter)
{
	struct gpasid_attachment *att;

	list_for_each_entry(att, &gdev->attachments, node) {
		if (!att->cleared ||
		    (filter->parent && att->parent != filter->parent))
			continue;
		att->cleared = false;
		gdev->ops->flush(att, NULL);
		gpasid_drain(att, NULL);
	}
}

static void gpasid_finish_cleared(struct gpasid_device *gdev,
				  const struct gpasid_filter *filter)
{
	struct gpasid_binding *b;
	unsigned long index;

	xa_for_each(&gdev->bindings, index, b) {
		if (b->state != GPASID_CLEARED || !gpasid_match(b, filter))
			continue;
		gdev->ops->reset(b);
		/* First, as in gpasid_finish_one(). */
		if (b->auto_free)
			ioasid_free(b->set, index);
		gpasid_binding_remove(b);
		cond_resched();
	}
}

static bool gpasid_any(struct gpasid_device *gdev,
		       const struct gpasid_filter *filter)
{
	struct gpasid_binding *b;
	unsigned long index;
	bool any = false;

	mutex_lock(&gdev->lock);
	xa_for_each(&gdev->bindings, index, b) {
		any = gpasid_match(b, filter);
		if (any)
			break;
		cond_resched();
	}
	mutex_unlock(&gdev->lock);

	return any;
}

/* Wait for those that others have claimed: a racing unbind, a FREE event. */
static void gpasid_wait_gone(struct gpasid_device *gdev,
			     const struct gpasid_filter *filter)
{
	long seen;

	for (;;) {
		seen = atomic_long_read(&gpasid_removals);
		if (!gpasid_any(gdev, filter))
			return;
		wait_event(gpasid_removal_wq,
			   atomic_long_read(&gpasid_removals) != seen);
	}
}

static void gpasid_unbind_many(struct device *dev,
			       const struct gpasid_filter *filter)
{
	struct gpasid_device *gdev = gpasid_device_find(dev);
	unsigned long index = 0, cleared = 0;
	struct gpasid_claim claim;
	int ret = 0;

	if (!gdev)
		return;

	while (ret != -EDEADLK &&
	       gpasid_claim_next(gdev, filter, &index, &claim)) {
		ret = gpasid_unbind_claimed(gdev, &claim);
		gpasid_unclaim(&claim);
		cleared += !ret;
		index++;
		cond_resched();
	}
	if (cleared) {
		mutex_lock(&gdev->lock);
		gpasid_flush_cleared(gdev, filter);
		gpasid_finish_cleared(gdev, filter);
		mutex_unlock(&gdev->lock);
	}
	if (ret != -EDEADLK)
		gpasid_wait_gone(gdev, filter);
	gpasid_device_put(gdev);
}

/**
 * iommu_sva_unbind_gpasid_owner() - Undo all binds of one owner on a device
 * @dev: the device
 * @owner: the owner
 *
 * As iommu_sva_unbind_gpasid() for each of them, but with one set of
 * invalidations and one drain for all.
 *
 * Context: Process context. May sleep. Takes the device's lock.
 */
void iommu_sva_unbind_gpasid_owner(struct device *dev, void *owner)
{
	struct gpasid_filter filter = { .owner = owner };

	gpasid_unbind_many(dev, &filter);
}
EXPORT_SYMBOL_GPL(iommu_sva_unbind_gpasid_owner);

/**
 * iommu_sva_unbind_gpasid_parent() - Undo all binds of a device under a parent
 * @dev: the device
 * @parent: the second-stage domain
 *
 * For who takes the device off @parent: whoever owns the bindings, they go.
 *
 * Context: Process context. May sleep. Takes the device's lock.
 */
void iommu_sva_unbind_gpasid_parent(struct device *dev,
				    struct iommu_domain *parent)
{
	struct gpasid_filter filter = { .parent = parent };

	gpasid_unbind_many(dev, &filter);
}
EXPORT_SYMBOL_GPL(iommu_sva_unbind_gpasid_parent);

/**
 * gpasid_parent_busy() - Are PASIDs of a device bound under a parent
 * @dev: the device
 * @parent: the second-stage domain
 *
 * Context: Process context. May sleep. Takes the device's lock. The caller
 * serialises against binds if the answer is to last.
 * Return: true while there is a binding.
 */
bool gpasid_parent_busy(struct device *dev, struct iommu_domain *parent)
{
	struct gpasid_device *gdev = gpasid_device_find(dev);
	bool busy;

	if (!gdev)
		return false;

	mutex_lock(&gdev->lock);
	busy = gpasid_att_find(gdev, parent);
	mutex_unlock(&gdev->lock);
	gpasid_device_put(gdev);

	return busy;
}
EXPORT_SYMBOL_GPL(gpasid_parent_busy);

/**
 * gpasid_owner_busy() - Has an owner anything bound, on whatever device
 * @owner: the owner
 *
 * VFIO asks it of its virtual devices before it lets them be detached.
 *
 * Context: Process context. May sleep. Takes the devices' locks.
 * Return: true while there is a binding.
 */
bool gpasid_owner_busy(const void *owner)
{
	struct gpasid_filter filter = { .owner = owner };
	struct gpasid_device *gdev;
	bool busy = false;

	down_read(&gpasid_devices_rwsem);
	list_for_each_entry(gdev, &gpasid_devices, node)
		busy = busy || gpasid_any(gdev, &filter);
	up_read(&gpasid_devices_rwsem);

	return busy;
}
EXPORT_SYMBOL_GPL(gpasid_owner_busy);

/**
 * gpasid_check_parent() - Can a device have bindings under a parent
 * @dev: the device
 * @parent: the second-stage domain, made by the device's IOMMU driver as nest
 *          parent; the caller keeps it alive
 *
 * For who has a choice of parents, or wants to refuse one before the first bind.
 *
 * Context: Process context. May sleep. Takes the device's lock.
 * Return: 0; -EOPNOTSUPP when the device's IOMMU driver has no guest PASIDs;
 * -EINVAL when @parent does not fit the device's IOMMU; -ENOSPC; -ENOMEM.
 */
int gpasid_check_parent(struct device *dev, struct iommu_domain *parent)
{
	struct gpasid_device *gdev = gpasid_device_get(dev);
	struct gpasid_attachment *att;
	int ret;

	if (IS_ERR(gdev))
		return PTR_ERR(gdev);

	mutex_lock(&gdev->lock);
	att = gpasid_att_get(gdev, parent);
	ret = PTR_ERR_OR_ZERO(att);
	if (!ret)
		gpasid_att_put(att);
	mutex_unlock(&gdev->lock);
	gpasid_device_put(gdev);

	return ret;
}
EXPORT_SYMBOL_GPL(gpasid_check_parent);

/**
 * gpasid_is_bound() - Does an owner have a PASID of a device bound
 * @dev: the device
 * @set: the set that the host PASID belongs to
 * @hpasid: the host PASID
 * @owner: the owner
 *
 * The answer lasts until the next UNBIND or FREE event of the IOASID.  A
 * subscriber that asks, and writes the PASID to hardware, under a lock that its
 * callback takes, too, will have its callback called afterwards.
 *
 * Context: Process context. May sleep. Takes the device's lock.
 * Return: true when @owner has bound it and nobody is unbinding it.
 */
bool gpasid_is_bound(struct device *dev, struct ioasid_set *set,
		     ioasid_t hpasid, const void *owner)
{
	struct gpasid_device *gdev = gpasid_device_find(dev);
	struct gpasid_binding *b;
	bool bound;

	if (!gdev)
		return false;

	mutex_lock(&gdev->lock);
	b = xa_load(&gdev->bindings, hpasid);
	bound = b && b->set == set && b->state == GPASID_BOUND &&
		gpasid_owned_by(b, owner);
	mutex_unlock(&gdev->lock);
	gpasid_device_put(gdev);

	return bound;
}
EXPORT_SYMBOL_GPL(gpasid_is_bound);

/**
 * gpasid_count() - How many bindings an owner has on a device
 * @dev: the device
 * @owner: the owner
 *
 * Context: Process context. May sleep. Takes the device's lock.
 * Return: the number of bindings.
 */
unsigned long gpasid_count(struct device *dev, const void *owner)
{
	struct gpasid_device *gdev = gpasid_device_find(dev);
	struct gpasid_binding *b;
	unsigned long index, nr = 0;

	if (!gdev)
		return 0;

	mutex_lock(&gdev->lock);
	xa_for_each(&gdev->bindings, index, b) {
		nr += gpasid_owned_by(b, owner);
		cond_resched();
	}
	mutex_unlock(&gdev->lock);
	gpasid_device_put(gdev);

	return nr;
}
EXPORT_SYMBOL_GPL(gpasid_count);

/**
 * gpasid_free() - Free a host PASID and wait until its bindings are gone
 * @set: the set that it belongs to
 * @hpasid: the host PASID
 *
 * Context: Process context. May sleep.
 * Return: 0; -ENOENT when the set has no such PASID.
 */
int gpasid_free(struct ioasid_set *set, ioasid_t hpasid)
{
	int ret = ioasid_free(set, hpasid);

	if (!ret)
		ioasid_drain(set);
	return ret;
}
EXPORT_SYMBOL_GPL(gpasid_free);

/*
 * Invalidation
 */

static int gpasid_inv_resolve(struct ioasid_set *set,
			      const struct iommu_gpasid_inv *entry,
			      struct gpasid_inv_range *range)
{
	const u32 flags = IOMMU_GPASID_INV_BY_GPASID | IOMMU_GPASID_INV_PASID |
			  IOMMU_GPASID_INV_LEAF;
	u64 bytes;

	if (entry->flags & ~flags)
		return -EINVAL;

	range->all = entry->flags & IOMMU_GPASID_INV_PASID;
	range->leaf = entry->flags & IOMMU_GPASID_INV_LEAF;
	range->addr = entry->addr;
	range->npages = entry->npages;
	if (range->all) {
		if (entry->addr || entry->npages || range->leaf)
			return -EINVAL;
	} else if (!entry->npages || !IS_ALIGNED(entry->addr, SZ_4K) ||
		   check_mul_overflow(entry->npages, (u64)SZ_4K, &bytes) ||
		   entry->addr + (bytes - 1) < entry->addr) {
		return -EINVAL;
	}

	if (entry->flags & IOMMU_GPASID_INV_BY_GPASID)
		range->hpasid = ioasid_find_by_spid(set, entry->pasid);
	else
		range->hpasid = entry->pasid;
	if (range->hpasid == INVALID_IOASID ||
	    IS_ERR(ioasid_find(set, range->hpasid)))
		return -ENOENT;

	return 0;
}

/* One batch for each IOMMU driver that has a device concerned. */
struct gpasid_batch {
	const struct gpasid_ops *ops;
	void *priv;
};

static void *gpasid_batch_get(struct gpasid_batch *batches,
			      const struct gpasid_ops *ops)
{
	int i;

	for (i = 0; i < GPASID_MAX_OPS; i++) {
		if (batches[i].ops == ops)
			return batches[i].priv;
		if (batches[i].ops)
			continue;
		batches[i].priv = ops->inv_begin();
		if (batches[i].priv)
			batches[i].ops = ops;
		return batches[i].priv;
	}
	return NULL;
}

static int gpasid_inv_one(struct gpasid_batch *batches, struct ioasid_set *set,
			  const struct gpasid_inv_range *range)
{
	struct gpasid_device *gdev;
	struct gpasid_binding *b;
	int ret = -ENOENT;
	void *priv;

	lockdep_assert_held(&gpasid_devices_rwsem);

	list_for_each_entry(gdev, &gpasid_devices, node) {
		if (!xa_load(&gdev->bindings, range->hpasid))
			continue;
		priv = gpasid_batch_get(batches, gdev->ops);
		if (!priv)
			return -ENOMEM;
		rcu_read_lock();
		b = xa_load(&gdev->bindings, range->hpasid);
		if (b && b->set == set) {
			gdev->ops->inv_range(priv, b->att, range);
			ret = 0;
		}
		rcu_read_unlock();
	}
	return ret;
}

/**
 * gpasid_invalidate() - Pass first-stage invalidations on to the hardware
 * @set: the set that the PASIDs belong to
 * @entries: what to invalidate
 * @nr: number of entries
 * @done: set to the number of entries done
 *
 * Each entry goes to every device that has the PASID bound.  All of them go in
 * one submission with one wait per unit, as far as the queue's size allows.
 * The first entry in error ends the call; those before it are done.
 *
 * Context: Process context. May sleep. Takes the device list for reading.
 * Return: 0; -EINVAL (flags, alignment, empty or wrapping range); -ENOENT (no
 * such PASID in the set, or not bound); -ENOMEM.
 */
int gpasid_invalidate(struct ioasid_set *set,
		      const struct iommu_gpasid_inv *entries, unsigned int nr,
		      unsigned int *done)
{
	struct gpasid_batch batches[GPASID_MAX_OPS] = {};
	struct gpasid_inv_range range;
	int i, ret = 0;

	*done = 0;
	down_read(&gpasid_devices_rwsem);
	while (*done < nr) {
		range.entry = *done;
		ret = gpasid_inv_resolve(set, &entries[*done], &range);
		if (!ret)
			ret = gpasid_inv_one(batches, set, &range);
		if (ret)
			break;
		(*done)++;
	}
	for (i = 0; i < GPASID_MAX_OPS && batches[i].ops; i++)
		batches[i].ops->inv_end(batches[i].priv);
	up_read(&gpasid_devices_rwsem);

	return ret;
}
EXPORT_SYMBOL_GPL(gpasid_invalidate);

/*
 * A driver that leaves its device with PASIDs bound has a bug; the next user
 * of the device, or of the numbers, must not pay for it.
 */
static int gpasid_bus_notify(struct notifier_block *nb, unsigned long action,
			     void *data)
{
	struct gpasid_filter filter = {};
	struct gpasid_device *gdev;
	struct device *dev = data;

	if (action != BUS_NOTIFY_UNBOUND_DRIVER)
		return NOTIFY_DONE;

	gdev = gpasid_device_find(dev);
	if (!gdev)
		return NOTIFY_DONE;
	if (gpasid_any(gdev, &filter)) {
		dev_warn(dev, "driver left with PASIDs bound\n");
		gpasid_unbind_many(dev, &filter);
	}
	gpasid_device_put(gdev);

	return NOTIFY_OK;
}

static struct notifier_block gpasid_bus_nb = {
	.notifier_call = gpasid_bus_notify,
};

static int __init gpasid_init(void)
{
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(gpasid_table_locks); i++)
		mutex_init(&gpasid_table_locks[i]);
	gpasid_binding_cache = KMEM_CACHE(gpasid_binding, SLAB_ACCOUNT);
	if (!gpasid_binding_cache)
		return -ENOMEM;

	ret = ioasid_register_notifier(NULL, &gpasid_nb, false);
	if (ret)
		goto out_cache;

	ret = bus_register_notifier(&pci_bus_type, &gpasid_bus_nb);
	if (ret)
		goto out_notifier;
	gpasid_fault_init();
	return 0;

out_notifier:
	ioasid_unregister_notifier(NULL, &gpasid_nb);
out_cache:
	kmem_cache_destroy(gpasid_binding_cache);
	return ret;
}

static void __exit gpasid_exit(void)
{
	gpasid_fault_exit();
	bus_unregister_notifier(&pci_bus_type, &gpasid_bus_nb);
	ioasid_unregister_notifier(NULL, &gpasid_nb);
	/* Bindings freed by RCU are still on their way to the cache. */
	rcu_barrier();
	kvfree_rcu_barrier();
	kmem_cache_destroy(gpasid_binding_cache);
}

module_init(gpasid_init);
module_exit(gpasid_exit);

MODULE_ALIAS("gpasid");
MODULE_SOFTDEP("post: intel-gpasid");
MODULE_DESCRIPTION("Guest PASID bindings");
MODULE_LICENSE("GPL");
