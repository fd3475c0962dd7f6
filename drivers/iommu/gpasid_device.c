// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: IOMMU drivers, and the hashes of devices and second stages.
 *
 * A struct gpasid_device exists while PASIDs of a device are bound.  A struct
 * gpasid_parent exists while PASIDs are bound under a second-stage domain, or
 * while there is an HWPT with a table under the domain.  Both are looked up in
 * a hash under RCU and are reference counted, so the user of one never waits
 * for a user of another.
 */
#define pr_fmt(fmt) "gpasid: " fmt

#include <linux/device.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "gpasid_priv.h"
#include "iommu-priv.h"

#define GPASID_MAX_OPS		4
#define GPASID_HASH_BITS	6

static DECLARE_RWSEM(gpasid_ops_rwsem);
static const struct gpasid_ops *gpasid_ops_table[GPASID_MAX_OPS];

/* Protects the hashes.  A reference count drops to 0 with the lock held. */
static DEFINE_SPINLOCK(gpasid_hash_lock);
static DEFINE_HASHTABLE(gpasid_devices, GPASID_HASH_BITS);
static DEFINE_HASHTABLE(gpasid_parents, GPASID_HASH_BITS);
static DEFINE_HASHTABLE(gpasid_set_parents, GPASID_HASH_BITS);

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

	guard(rwsem_write)(&gpasid_ops_rwsem);
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

	return slot < 0 ? slot : 0;
}
EXPORT_SYMBOL_GPL(gpasid_register_ops);

/**
 * gpasid_unregister_ops() - Undo gpasid_register_ops()
 * @ops: the operations registered
 *
 * Every device with bindings holds a reference on the driver's module, so there
 * is no such device when the module's exit function calls this.
 *
 * Context: Process context. May sleep.
 */
void gpasid_unregister_ops(const struct gpasid_ops *ops)
{
	int i;

	guard(rwsem_write)(&gpasid_ops_rwsem);
	for (i = 0; i < GPASID_MAX_OPS; i++)
		if (gpasid_ops_table[i] == ops)
			gpasid_ops_table[i] = NULL;
}
EXPORT_SYMBOL_GPL(gpasid_unregister_ops);

/* Return the operations for @dev, with a reference on their module, or NULL. */
const struct gpasid_ops *gpasid_ops_get(struct device *dev)
{
	const struct gpasid_ops *ops;
	int i;

	if (!dev->iommu || !dev->iommu->iommu_dev)
		return NULL;

	guard(rwsem_read)(&gpasid_ops_rwsem);
	for (i = 0; i < GPASID_MAX_OPS; i++) {
		ops = gpasid_ops_table[i];
		if (ops && ops->iommu_ops == dev_iommu_ops(dev))
			return try_module_get(ops->owner) ? ops : NULL;
	}
	return NULL;
}

/**
 * gpasid_get_caps() - Get the guest PASID capabilities of a device
 * @dev: the device
 * @caps: set to the capabilities
 *
 * Context: Process context. May sleep.
 * Return: 0; -EOPNOTSUPP when the device or its IOMMU driver does not support
 * guest PASIDs.
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

/* Find @dev and take a reference, or NULL.  Under RCU or gpasid_hash_lock. */
static struct gpasid_device *gpasid_device_lookup(struct device *dev)
{
	struct gpasid_device *gdev;

	hash_for_each_possible_rcu(gpasid_devices, gdev, node,
				   (unsigned long)dev,
				   lockdep_is_held(&gpasid_hash_lock))
		if (gdev->dev == dev && refcount_inc_not_zero(&gdev->users))
			return gdev;
	return NULL;
}

/* Find @dev and take a reference, or NULL if it has no bindings. */
struct gpasid_device *gpasid_device_find(struct device *dev)
{
	guard(rcu)();
	return gpasid_device_lookup(dev);
}

static struct gpasid_device *gpasid_device_create(struct device *dev)
{
	const struct gpasid_ops *ops = gpasid_ops_get(dev);
	size_t size = strlen(dev_name(dev)) + 1;
	struct gpasid_device *gdev;

	if (!ops)
		return ERR_PTR(-EOPNOTSUPP);

	gdev = kzalloc(struct_size(gdev, name, size), GFP_KERNEL);
	if (!gdev) {
		module_put(ops->owner);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&gdev->users, 1);
	xa_init_flags(&gdev->bindings, XA_FLAGS_ACCOUNT);
	gdev->dev = get_device(dev);
	strscpy(gdev->name, dev_name(dev), size);
	gdev->ops = ops;

	return gdev;
}

static void gpasid_device_free(struct gpasid_device *gdev)
{
	WARN_ON(!xa_empty(&gdev->bindings));
	xa_destroy(&gdev->bindings);
	module_put(gdev->ops->owner);
	put_device(gdev->dev);
	kfree_rcu(gdev, rcu);
}

/* Find @dev or create its gpasid_device.  Take a reference. */
struct gpasid_device *gpasid_device_get(struct device *dev)
{
	struct gpasid_device *gdev = gpasid_device_find(dev), *new;

	if (gdev)
		return gdev;

	new = gpasid_device_create(dev);
	if (IS_ERR(new))
		return new;

	scoped_guard(spinlock, &gpasid_hash_lock) {
		gdev = gpasid_device_lookup(dev);
		if (!gdev)
			hash_add_rcu(gpasid_devices, &new->node,
				     (unsigned long)dev);
	}
	if (!gdev)
		return new;
	gpasid_device_free(new);
	return gdev;
}

void gpasid_device_put(struct gpasid_device *gdev)
{
	if (!refcount_dec_and_lock(&gdev->users, &gpasid_hash_lock))
		return;
	hash_del_rcu(&gdev->node);
	spin_unlock(&gpasid_hash_lock);
	gpasid_device_free(gdev);
}

/* Return device number @n of those in the hash, or NULL.  Called under RCU. */
struct gpasid_device *gpasid_device_nth(unsigned int n)
{
	struct gpasid_device *gdev;
	int bucket;

	hash_for_each_rcu(gpasid_devices, bucket, gdev, node)
		if (!n--)
			return gdev;
	return NULL;
}

/* Do gpasid_device_next() without the put of @prev.  Called under RCU. */
static struct gpasid_device *gpasid_device_after(struct gpasid_device *prev)
{
	struct gpasid_device *gdev;
	bool after = !prev;
	int bucket;

	hash_for_each_rcu(gpasid_devices, bucket, gdev, node) {
		if (gdev == prev)
			after = true;
		else if (after && refcount_inc_not_zero(&gdev->users))
			return gdev;
	}
	return NULL;
}

/*
 * Walk the devices that have bindings.  Return the device after @prev, or the
 * first one if @prev is NULL, with a reference; NULL after the last.  Puts the
 * reference on @prev, which has kept @prev in the hash.
 */
struct gpasid_device *gpasid_device_next(struct gpasid_device *prev)
{
	struct gpasid_device *gdev;

	scoped_guard(rcu)
		gdev = gpasid_device_after(prev);
	if (prev)
		gpasid_device_put(prev);

	return gdev;
}

/*
 * Parents
 */

/*
 * Find the parent of @domain and take a reference, or NULL.  Under RCU or
 * gpasid_hash_lock.
 */
static struct gpasid_parent *
gpasid_parent_lookup(const struct iommu_domain *domain)
{
	struct gpasid_parent *parent;

	hash_for_each_possible_rcu(gpasid_parents, parent, node,
				   (unsigned long)domain,
				   lockdep_is_held(&gpasid_hash_lock))
		if (parent->domain == domain &&
		    refcount_inc_not_zero(&parent->users))
			return parent;
	return NULL;
}

static struct gpasid_parent *gpasid_parent_find(struct iommu_domain *domain)
{
	guard(rcu)();
	return gpasid_parent_lookup(domain);
}

static struct gpasid_parent *gpasid_parent_create(struct iommu_domain *domain)
{
	struct gpasid_parent *parent;

	parent = kzalloc(sizeof(*parent), GFP_KERNEL_ACCOUNT);
	if (!parent)
		return NULL;
	refcount_set(&parent->users, 1);
	mutex_init(&parent->lock);
	mutex_init(&parent->close_lock);
	INIT_LIST_HEAD(&parent->attachments);
	INIT_HLIST_NODE(&parent->set_node);
	init_waitqueue_head(&parent->changed);
	parent->domain = domain;

	return parent;
}

static void gpasid_parent_free(struct gpasid_parent *parent)
{
	WARN_ON(!list_empty(&parent->attachments) || parent->pins);
	mutex_destroy(&parent->lock);
	mutex_destroy(&parent->close_lock);
	kfree_rcu(parent, rcu);
}

/* Find or create the parent of @domain.  Take a reference. */
struct gpasid_parent *gpasid_parent_get(struct iommu_domain *domain)
{
	struct gpasid_parent *parent = gpasid_parent_find(domain), *new;

	if (parent)
		return parent;

	new = gpasid_parent_create(domain);
	if (!new)
		return ERR_PTR(-ENOMEM);

	scoped_guard(spinlock, &gpasid_hash_lock) {
		parent = gpasid_parent_lookup(domain);
		if (!parent)
			hash_add_rcu(gpasid_parents, &new->node,
				     (unsigned long)domain);
	}
	if (!parent)
		return new;
	gpasid_parent_free(new);
	return parent;
}

struct gpasid_parent *gpasid_parent_hold(struct gpasid_parent *parent)
{
	refcount_inc(&parent->users);
	return parent;
}

void gpasid_parent_put(struct gpasid_parent *parent)
{
	if (!refcount_dec_and_lock(&parent->users, &gpasid_hash_lock))
		return;
	hash_del_rcu(&parent->node);
	if (parent->set)
		hash_del_rcu(&parent->set_node);
	spin_unlock(&gpasid_hash_lock);
	gpasid_parent_free(parent);
}

/*
 * Reserve @parent for bindings by IOASIDs of @set.  Return -EBUSY if it is
 * reserved for another set, that is for another VM.
 */
int gpasid_parent_set(struct gpasid_parent *parent, struct ioasid_set *set)
{
	lockdep_assert_held(&parent->lock);

	if (parent->set)
		return parent->set == set ? 0 : -EBUSY;

	guard(spinlock)(&gpasid_hash_lock);
	parent->set = set;
	hash_add_rcu(gpasid_set_parents, &parent->set_node, (unsigned long)set);

	return 0;
}

/* Do gpasid_parent_next() without the put of @prev.  Called under RCU. */
static struct gpasid_parent *gpasid_parent_after(struct ioasid_set *set,
						 struct gpasid_parent *prev)
{
	struct gpasid_parent *parent;
	bool after = !prev;

	hash_for_each_possible_rcu(gpasid_set_parents, parent, set_node,
				   (unsigned long)set) {
		if (parent == prev)
			after = true;
		else if (after && parent->set == set &&
			 refcount_inc_not_zero(&parent->users))
			return parent;
	}
	return NULL;
}

/*
 * Walk the parents of the bindings of @set.  Return the parent after @prev, or
 * the first one if @prev is NULL, with a reference; NULL after the last.  Puts
 * the reference on @prev.
 */
struct gpasid_parent *gpasid_parent_next(struct ioasid_set *set,
					 struct gpasid_parent *prev)
{
	struct gpasid_parent *parent;

	scoped_guard(rcu)
		parent = gpasid_parent_after(set, prev);
	if (prev)
		gpasid_parent_put(prev);

	return parent;
}

/*
 * Attachments
 */

static struct gpasid_attachment *
gpasid_att_find(const struct gpasid_parent *parent,
		const struct gpasid_device *gdev, bool own)
{
	struct gpasid_attachment *att;

	lockdep_assert_held(&parent->lock);

	list_for_each_entry(att, &parent->attachments, node)
		if (att->gdev == gdev && att->own == own)
			return att;
	return NULL;
}

static struct gpasid_attachment *
gpasid_att_create(struct gpasid_parent *parent, struct gpasid_device *gdev,
		  bool own)
{
	struct gpasid_attachment *att;
	int ret;

	att = kzalloc(sizeof(*att) + gdev->ops->drv_size, GFP_KERNEL_ACCOUNT);
	if (!att)
		return ERR_PTR(-ENOMEM);
	att->gdev = gdev;
	att->parent = parent;
	att->own = own;
	att->pid = task_tgid_nr(current);
	get_task_comm(att->comm, current->group_leader);
	ret = gdev->ops->attach(att);
	if (ret) {
		kfree(att);
		return ERR_PTR(ret);
	}
	refcount_inc(&gdev->users);
	gpasid_parent_hold(parent);
	list_add_tail(&att->node, &parent->attachments);

	return att;
}

struct gpasid_attachment *gpasid_att_get(struct gpasid_parent *parent,
					 struct gpasid_device *gdev, bool own)
{
	struct gpasid_attachment *att = gpasid_att_find(parent, gdev, own);

	if (!att)
		att = gpasid_att_create(parent, gdev, own);
	if (!IS_ERR(att))
		att->users++;
	return att;
}

/* Caller holds the parent's lock and a reference on the parent. */
void gpasid_att_put(struct gpasid_attachment *att)
{
	lockdep_assert_held(&att->parent->lock);

	if (--att->users)
		return;
	WARN_ON(!hlist_empty(&att->sharers));
	list_del(&att->node);
	att->gdev->ops->detach(att);
	gpasid_device_put(att->gdev);
	gpasid_parent_put(att->parent);
	kfree_rcu(att, rcu);
}

/**
 * gpasid_visit_attachments() - Visit the attachments under a parent
 * @domain: second-stage domain
 * @fn: called for each attachment, with the parent's lock held
 * @arg: the argument of @fn
 *
 * Context: Process context. May sleep. Takes the parent's lock.
 */
void gpasid_visit_attachments(struct iommu_domain *domain, gpasid_att_fn fn,
			      void *arg)
{
	struct gpasid_parent *parent = gpasid_parent_find(domain);
	struct gpasid_attachment *att;

	if (!parent)
		return;
	scoped_guard(mutex, &parent->lock)
		list_for_each_entry(att, &parent->attachments, node)
			fn(att, arg);
	gpasid_parent_put(parent);
}
EXPORT_SYMBOL_GPL(gpasid_visit_attachments);

/**
 * gpasid_check_parent() - Check whether a device can have bindings under a parent
 * @dev: the device
 * @domain: the second-stage domain, allocated by the device's IOMMU driver as
 *          nesting parent; the caller keeps it alive
 *
 * For callers that choose among parents, or refuse a parent before the first
 * bind.
 *
 * Context: Process context. May sleep. Takes the parent's lock.
 * Return: 0; -EOPNOTSUPP when the device's IOMMU driver does not support guest
 * PASIDs; -EINVAL when @domain does not fit the device's IOMMU; -ENOSPC (out of
 * domain IDs); -ENOMEM.
 */
int gpasid_check_parent(struct device *dev, struct iommu_domain *domain)
{
	struct gpasid_device *gdev = gpasid_device_get(dev);
	struct gpasid_attachment *att;
	struct gpasid_parent *parent;
	int ret;

	if (IS_ERR(gdev))
		return PTR_ERR(gdev);
	parent = gpasid_parent_get(domain);
	if (IS_ERR(parent)) {
		gpasid_device_put(gdev);
		return PTR_ERR(parent);
	}

	scoped_guard(mutex, &parent->lock) {
		att = gpasid_att_get(parent, gdev, false);
		ret = PTR_ERR_OR_ZERO(att);
		if (!ret)
			gpasid_att_put(att);
	}
	gpasid_parent_put(parent);
	gpasid_device_put(gdev);

	return ret;
}
EXPORT_SYMBOL_GPL(gpasid_check_parent);

/*
 * Lookup of bindings
 */

/**
 * gpasid_att_next() - Walk the bindings of an attachment
 * @att: the attachment
 * @index: Input: where to begin.  Output: the PASID of the binding found
 *
 * Context: Process context. Called with the parent's lock held.
 * Return: the first binding at or after @index, or NULL.
 */
struct gpasid_binding *gpasid_att_next(struct gpasid_attachment *att,
				       unsigned long *index)
{
	struct xarray *bindings = &att->gdev->bindings;
	struct gpasid_binding *b;

	lockdep_assert_held(&att->parent->lock);

	/* Bindings under other parents may be freed meanwhile. */
	guard(rcu)();
	b = xa_find(bindings, index, ULONG_MAX, XA_PRESENT);
	while (b && b->att != att)
		b = xa_find_after(bindings, index, ULONG_MAX, XA_PRESENT);

	return b;
}
EXPORT_SYMBOL_GPL(gpasid_att_next);

/* Return the binding of a PASID of a device, or NULL.  Called under RCU. */
struct gpasid_binding *gpasid_binding_rcu(struct device *dev, ioasid_t pasid)
{
	struct gpasid_device *gdev;

	hash_for_each_possible_rcu(gpasid_devices, gdev, node,
				   (unsigned long)dev)
		if (gdev->dev == dev)
			return xa_load(&gdev->bindings, pasid);
	return NULL;
}

/*
 * Return the parent that a PASID of a device is bound under, with a reference,
 * or NULL if the PASID is not bound.
 */
struct gpasid_parent *gpasid_pasid_parent(struct gpasid_device *gdev,
					  unsigned long pasid)
{
	struct gpasid_binding *b;

	guard(rcu)();
	b = xa_load(&gdev->bindings, pasid);
	return b && refcount_inc_not_zero(&b->att->parent->users) ?
	       b->att->parent : NULL;
}

/* Return the binding of a PASID of a device if it is under @parent, or NULL. */
struct gpasid_binding *gpasid_pasid_under(struct gpasid_device *gdev,
					  struct gpasid_parent *parent,
					  unsigned long pasid)
{
	struct gpasid_binding *b;

	lockdep_assert_held(&parent->lock);

	/* A binding under another parent may be freed meanwhile. */
	guard(rcu)();
	b = xa_load(&gdev->bindings, pasid);
	return b && b->att->parent == parent ? b : NULL;
}

/*
 * Find the binding of a PASID and lock its parent.  Return the parent, for
 * gpasid_pasid_unlock(), or NULL if the PASID is not bound.
 */
struct gpasid_parent *gpasid_pasid_lock(struct gpasid_device *gdev,
					unsigned long pasid,
					struct gpasid_binding **b)
{
	struct gpasid_parent *parent;

	while ((parent = gpasid_pasid_parent(gdev, pasid))) {
		mutex_lock(&parent->lock);
		*b = gpasid_pasid_under(gdev, parent, pasid);
		if (*b)
			return parent;
		gpasid_pasid_unlock(parent);
	}
	*b = NULL;
	return NULL;
}

void gpasid_pasid_unlock(struct gpasid_parent *parent)
{
	mutex_unlock(&parent->lock);
	gpasid_parent_put(parent);
}
