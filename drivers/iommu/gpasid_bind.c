// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: bind and replace.
 *
 * There are two kinds of numbers.  With an IOASID the number is the host's: the
 * IOASID has one table under a parent, on whatever devices it is bound, and its
 * subscribers may veto the bind.  A device's own number means what its table
 * says, and nothing on any other device.
 *
 * A bind makes the entry present first and then asks the subscribers of the
 * IOASID.  Until they have agreed the binding is GPASID_SETUP: it is not shared,
 * replaced or unbound, but a free of the IOASID takes it down.
 */
#define pr_fmt(fmt) "gpasid: " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <trace/events/gpasid.h>

#include "gpasid_priv.h"

/*
 * Making a binding
 */

/* A binding under @table's parent, not in gpasid_device::bindings yet. */
static struct gpasid_binding *gpasid_binding_make(struct gpasid_table *table,
						  struct gpasid_device *gdev,
						  bool own, u32 pasid)
{
	struct gpasid_attachment *att;
	struct gpasid_binding *b;

	lockdep_assert_held(&table->parent->lock);

	b = kmem_cache_zalloc(gpasid_binding_cache, GFP_KERNEL_ACCOUNT);
	if (!b)
		return ERR_PTR(-ENOMEM);
	att = gpasid_att_get(table->parent, gdev, own);
	if (IS_ERR(att)) {
		kmem_cache_free(gpasid_binding_cache, b);
		return ERR_CAST(att);
	}
	gpasid_table_hold(table);
	b->table = table;
	b->att = att;
	b->pasid = pasid;
	b->state = GPASID_SETUP;
	refcount_set(&b->users, 1);
	hlist_add_head(&b->node, &table->bindings);

	return b;
}

/* Undo gpasid_binding_make(). */
static void gpasid_binding_unmake(struct gpasid_binding *b)
{
	hlist_del(&b->node);
	gpasid_att_put(b->att);
	gpasid_table_put(b->table);
	gpasid_binding_put(b);
}

static int gpasid_binding_install(struct gpasid_binding *b)
{
	struct gpasid_device *gdev = b->att->gdev;
	int ret;

	ret = xa_insert(&gdev->bindings, b->pasid, b, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	ret = gdev->ops->bind(b);
	if (ret)
		xa_erase(&gdev->bindings, b->pasid);
	return ret;
}

/* All subscribers have accepted @b. */
static void gpasid_binding_through(struct gpasid_binding *b)
{
	lockdep_assert_held(&b->att->parent->lock);

	WRITE_ONCE(b->state, GPASID_BOUND);
	trace_gpasid_bind(b->att->gdev->dev, b->pasid, b->table->pgtbl,
			  b->table->addr_width);
}

static int gpasid_check_pasid(struct device *dev, u32 pasid)
{
	if (pasid && pasid < dev->iommu->max_pasids)
		return 0;
	dev_warn_ratelimited(dev, "PASID %u: not in 1 to %u\n", pasid,
			     dev->iommu->max_pasids - 1);
	return -EINVAL;
}

/*
 * The device's own numbers
 */

static int gpasid_attach_new(struct gpasid_table *table,
			     struct gpasid_device *gdev,
			     const struct gpasid_pasid *p)
{
	struct gpasid_binding *b;
	int ret;

	guard(mutex)(&table->parent->lock);
	b = gpasid_binding_make(table, gdev, true, p->pasid);
	if (IS_ERR(b))
		return PTR_ERR(b);
	b->owner = p->owner;
	b->handle = p->handle;
	b->dev_id = p->dev_id;
	b->exclusive = true;
	ret = gpasid_binding_install(b);
	if (ret)
		gpasid_binding_unmake(b);
	else
		gpasid_binding_through(b);
	return ret;
}

/* @b moves to @table, under the same parent. */
static void gpasid_move(struct gpasid_binding *b, struct gpasid_table *table)
{
	gpasid_table_hold(table);
	hlist_del(&b->node);
	b->table = table;
	hlist_add_head(&b->node, &table->bindings);
	b->att->gdev->ops->set_table(b);
	trace_gpasid_replace(b->att->gdev->dev, b->pasid, table->pgtbl,
			     table->addr_width);
}

/*
 * The table is exchanged in place.  The page-request thread may still hold the
 * old handle; requests that are under way go to the new one.  Called with the
 * parent's lock, returns without.
 */
static void gpasid_attach_replace(struct gpasid_table *table,
				  struct gpasid_binding *b,
				  const struct gpasid_pasid *p)
{
	const struct gpasid_ops *ops = b->att->gdev->ops;
	struct iommu_attach_handle *handle = b->handle;
	struct gpasid_parent *parent = table->parent;
	struct gpasid_attachment *att = b->att;
	struct gpasid_hwpt_table *old;

	old = container_of(b->table, struct gpasid_hwpt_table, table);
	WRITE_ONCE(b->handle, p->handle);
	gpasid_move(b, table);
	ops->flush_table(b);
	att->users++;
	refcount_inc(&b->users);
	mutex_unlock(&parent->lock);

	if (handle)
		ops->drain(att, b);

	/* The parent's domain may be freed with the last reference. */
	scoped_guard(mutex, &parent->lock)
		gpasid_att_put(att);
	old->ops->unbound(old->priv, p->owner, handle);
	gpasid_table_put(&old->table);
	gpasid_binding_put(b);
}

/*
 * Another parent: everything in the entry changes, so it is not present in
 * between.  The old binding keeps the slot until the new one has it, and what
 * can fail is done before.
 */
static int gpasid_attach_across(struct gpasid_table *table,
				struct gpasid_parent *from,
				struct gpasid_binding *b,
				const struct gpasid_pasid *p)
{
	struct gpasid_device *gdev = b->att->gdev;
	struct gpasid_parent *to = table->parent;
	struct gpasid_binding *new;
	HLIST_HEAD(dead);

	WRITE_ONCE(b->state, GPASID_LEAVING);
	mutex_unlock(&from->lock);

	scoped_guard(mutex, &to->lock)
		new = gpasid_binding_make(table, gdev, true, p->pasid);

	mutex_lock(&from->lock);
	if (IS_ERR(new)) {
		WRITE_ONCE(b->state, GPASID_BOUND);
		mutex_unlock(&from->lock);
		gpasid_changed(from);
		return PTR_ERR(new);
	}
	new->owner = p->owner;
	new->handle = p->handle;
	new->dev_id = p->dev_id;
	new->exclusive = true;
	gpasid_quiesce(from, b);
	gpasid_binding_unlink(b, &dead);
	mutex_unlock(&from->lock);

	scoped_guard(mutex, &to->lock) {
		xa_store(&gdev->bindings, p->pasid, new, GFP_KERNEL_ACCOUNT);
		/* Its page of the PASID table is there. */
		WARN_ON(gdev->ops->bind(new));
		gpasid_binding_through(new);
	}
	gpasid_changed(to);
	gpasid_release_dead(from, &dead);

	return 0;
}

static int gpasid_attach_bound(struct gpasid_table *table,
			       struct gpasid_parent *parent,
			       struct gpasid_binding *b,
			       const struct gpasid_pasid *p)
{
	int ret = 0;

	if (!b->att->own || b->owner != p->owner || b->state != GPASID_BOUND)
		ret = -EBUSY;
	else if (b->table == table)
		ret = 1;
	if (ret) {
		mutex_unlock(&parent->lock);
		return ret;
	}
	if (table->parent != parent)
		return gpasid_attach_across(table, parent, b, p);
	gpasid_attach_replace(table, b, p);
	return 0;
}

static int gpasid_attach(struct gpasid_table *table, struct gpasid_device *gdev,
			 const struct gpasid_pasid *p)
{
	struct gpasid_table_attrs attrs = gpasid_table_attrs(table);
	struct gpasid_parent *parent;
	struct gpasid_binding *b;
	int ret;

	ret = gpasid_check_pasid(p->dev, p->pasid);
	if (!ret)
		ret = gdev->ops->check(p->dev, table->parent->domain,
				       table->second_stage ? NULL : &attrs);
	if (ret)
		return ret;

	parent = gpasid_pasid_lock(gdev, p->pasid, &b);
	if (!parent)
		return gpasid_attach_new(table, gdev, p);
	ret = gpasid_attach_bound(table, parent, b, p);
	gpasid_parent_put(parent);

	return ret;
}

/**
 * gpasid_pasid_attach() - Attach a PASID of a device to an HWPT
 * @table: the HWPT's, of gpasid_hwpt_table_create()
 * @p: the device and its own number
 *
 * Points the device's PASID-table entry at the first stage of @table, nested on
 * its parent, or at the parent alone.  A number that the same owner has attached
 * to another HWPT is moved over: under one parent there is no moment at which
 * DMA faults, and on an error the old HWPT stays.
 *
 * VT-d: "Scalable-Mode PASID-Table Entry", PGTT nested or second-stage.
 *
 * Context: Process context. May sleep. Takes the parent's lock.  The caller holds
 * no lock that gpasid_hwpt_ops::unbound takes.
 * Return: 0; 1 when the number is attached to that HWPT already and nothing has
 * changed; -EINVAL (number out of range, or the parent does not fit the device's
 * IOMMU); -EOPNOTSUPP (the hardware cannot); -EBUSY (another owner's, or bound by
 * an IOASID); -ENOSPC (domain IDs); -ENOMEM.
 */
int gpasid_pasid_attach(struct gpasid_table *table, const struct gpasid_pasid *p)
{
	struct gpasid_device *gdev = gpasid_device_get(p->dev);
	int ret;

	if (IS_ERR(gdev))
		return PTR_ERR(gdev);
	ret = gpasid_attach(table, gdev, p);
	gpasid_device_put(gdev);
	if (ret < 0)
		dev_info_ratelimited(p->dev, "attach of PASID %u refused: %pe\n",
				     p->pasid, ERR_PTR(ret));
	return ret;
}
EXPORT_SYMBOL_GPL(gpasid_pasid_attach);

/*
 * Host-wide numbers
 */

/* A bind under way. */
struct gpasid_op {
	struct gpasid_device *gdev;
	struct gpasid_parent *parent;
	const struct gpasid_bind_data *data;
	struct gpasid_table_attrs attrs;
	ioasid_t id;
	bool pinned;		/* the pin has been taken over */
};

/* The guest PASID, if the caller names one, is the one that the IOASID has. */
static bool gpasid_agrees(const struct gpasid_op *op)
{
	const struct gpasid_bind_data *data = op->data;
	ioasid_t gpasid;

	if (!(data->flags & GPASID_BIND_GPASID))
		return true;
	gpasid = ioasid_spid(data->set, op->id);
	/* An IOASID without a guest PASID has its own number in the guest. */
	if (gpasid == IOMMU_PASID_INVALID)
		gpasid = op->id;
	return gpasid == data->gpasid;
}

/* Join a binding that another owner has made. */
static int gpasid_share(struct gpasid_binding *b, const struct gpasid_op *op)
{
	struct gpasid_sharer *sharer;

	if (!gpasid_table_is(b->table, &op->attrs))
		return -EBUSY;
	sharer = kzalloc(sizeof(*sharer), GFP_KERNEL_ACCOUNT);
	if (!sharer)
		return -ENOMEM;
	sharer->b = b;
	sharer->owner = op->data->owner;
	sharer->dev_id = op->data->dev_id;
	hlist_add_head_rcu(&sharer->node, &b->att->sharers);
	b->shared = true;

	return 0;
}

/* The binding of the IOASID on the device of @att, or NULL. */
static struct gpasid_binding *gpasid_of_id(struct gpasid_attachment *att,
					   ioasid_t id)
{
	struct gpasid_binding *b;

	b = gpasid_pasid_under(att->gdev, att->parent, id);
	return b && b->att == att && b->state != GPASID_CLEARED ? b : NULL;
}

/* Check that every device with the IOASID bound under the parent supports the table. */
static int gpasid_check_replace(const struct gpasid_op *op)
{
	struct gpasid_attachment *att;
	struct gpasid_binding *b;
	int ret;

	list_for_each_entry(att, &op->parent->attachments, node) {
		b = gpasid_of_id(att, op->id);
		if (!b || att->own)
			continue;
		if (b->shared)
			return -EBUSY;
		ret = att->gdev->ops->check(att->gdev->dev, op->parent->domain,
					    &op->attrs);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * No cache is flushed before all entries have the new table: what a device with
 * the old one puts into the unit's IOTLB, others would use.
 */
static int gpasid_replace(struct gpasid_binding *b, const struct gpasid_op *op)
{
	struct gpasid_table *old = b->table, *new;
	struct gpasid_attachment *att;
	int ret;

	if (gpasid_table_is(old, &op->attrs))
		return 0;
	ret = gpasid_check_replace(op);
	if (ret)
		return ret;
	new = gpasid_table_create(op->parent, &op->attrs);
	if (!new)
		return -ENOMEM;

	list_for_each_entry(att, &op->parent->attachments, node) {
		b = gpasid_of_id(att, op->id);
		if (!b || att->own)
			continue;
		gpasid_move(b, new);
		gpasid_table_put(old);
	}
	hlist_for_each_entry(b, &new->bindings, node)
		b->att->gdev->ops->flush_table(b);
	gpasid_table_put(new);

	return 0;
}

/* The PASID is bound on the device already. */
static int gpasid_bind_again(struct gpasid_binding *b,
			     const struct gpasid_op *op)
{
	const struct gpasid_bind_data *data = op->data;
	bool owned = gpasid_owned_by(b, data->owner);
	bool replace = data->flags & GPASID_BIND_REPLACE;

	if (b->att->own || b->set != data->set || b->state != GPASID_BOUND)
		return replace ? -ENOENT : -EBUSY;
	if (replace)
		return owned ? gpasid_replace(b, op) : -ENOENT;
	return owned ? -EBUSY : gpasid_share(b, op);
}

/*
 * The table that the IOASID has under the parent, with a reference; made when
 * the IOASID is not bound there yet.
 */
static struct gpasid_table *gpasid_op_table(const struct gpasid_op *op)
{
	struct gpasid_attachment *att;
	struct gpasid_table *table;
	struct gpasid_binding *b;

	list_for_each_entry(att, &op->parent->attachments, node) {
		b = gpasid_of_id(att, op->id);
		if (!b || att->own)
			continue;
		if (!gpasid_table_is(b->table, &op->attrs))
			return ERR_PTR(-EBUSY);
		gpasid_table_hold(b->table);
		return b->table;
	}
	table = gpasid_table_create(op->parent, &op->attrs);
	return table ?: ERR_PTR(-ENOMEM);
}

/* The caller's pin is kept, or the parent has one and the caller's is dropped. */
static void gpasid_pin(struct gpasid_binding *b, struct gpasid_op *op)
{
	struct gpasid_parent *parent = op->parent;

	if (!op->data->unpin)
		return;
	b->pinned = true;
	if (parent->pins++)
		return;
	parent->unpin = op->data->unpin;
	parent->unpin_arg = op->data->unpin_arg;
	op->pinned = true;
}

/* Make the entry present; the binding is GPASID_SETUP. */
static struct gpasid_binding *gpasid_setup(struct gpasid_op *op)
{
	const struct gpasid_bind_data *data = op->data;
	struct gpasid_table *table;
	struct gpasid_binding *b;
	int ret;

	ret = gpasid_parent_set(op->parent, data->set);
	if (ret)
		return ERR_PTR(ret);
	table = gpasid_op_table(op);
	if (IS_ERR(table))
		return ERR_CAST(table);
	b = gpasid_binding_make(table, op->gdev, false, op->id);
	gpasid_table_put(table);
	if (IS_ERR(b))
		return b;
	b->owner = data->owner;
	b->set = data->set;
	b->dev_id = data->dev_id;
	b->exclusive = !!(data->flags & GPASID_BIND_EXCLUSIVE);
	ret = ioasid_get(data->set, op->id);
	if (!ret) {
		ret = gpasid_binding_install(b);
		if (ret)
			ioasid_put(data->set, op->id);
	}
	if (ret) {
		gpasid_binding_unmake(b);
		return ERR_PTR(ret);
	}
	gpasid_pin(b, op);

	return b;
}

/*
 * Ask the subscribers.  When one refuses, the binding is taken down; when the
 * IOASID has been freed meanwhile, the free does that.  The caller's reference on
 * @b is put.
 */
static int gpasid_announce(struct gpasid_op *op, struct gpasid_binding *b)
{
	struct gpasid_parent *parent = op->parent;
	int ret;

	ret = ioasid_notify(op->data->set, op->id, IOASID_BIND,
			    op->gdev->dev);

	mutex_lock(&parent->lock);
	if (b->state != GPASID_SETUP) {
		mutex_unlock(&parent->lock);
		gpasid_wait_released(op->gdev, parent, b);
		ret = -ENOENT;
	} else if (ret) {
		gpasid_take_down(parent, b);
		mutex_unlock(&parent->lock);
	} else {
		gpasid_binding_through(b);
		mutex_unlock(&parent->lock);
		gpasid_changed(parent);
	}
	gpasid_binding_put(b);

	return ret;
}

/* A new binding with a reference for the caller; NULL when there is none to make. */
static struct gpasid_binding *gpasid_bind_locked(struct gpasid_op *op)
{
	struct gpasid_binding *b;

	b = gpasid_pasid_under(op->gdev, op->parent, op->id);
	if (b)
		return ERR_PTR(gpasid_bind_again(b, op));
	if (xa_load(&op->gdev->bindings, op->id))
		return ERR_PTR(-EBUSY);	/* under another parent */
	if (op->data->flags & GPASID_BIND_REPLACE)
		return ERR_PTR(-ENOENT);

	b = gpasid_setup(op);
	if (!IS_ERR(b))
		refcount_inc(&b->users);
	return b;
}

static int gpasid_bind(struct gpasid_op *op)
{
	struct gpasid_binding *b;

	if (!gpasid_agrees(op))
		return -EEXIST;

	scoped_guard(mutex, &op->parent->lock)
		b = gpasid_bind_locked(op);

	return IS_ERR_OR_NULL(b) ? PTR_ERR(b) : gpasid_announce(op, b);
}

static int gpasid_check_data(struct device *dev,
			     const struct gpasid_bind_data *data)
{
	const u32 flags = GPASID_BIND_GPASID | GPASID_BIND_REPLACE |
			  GPASID_BIND_EXCLUSIVE;
	bool guest = data->flags & GPASID_BIND_GPASID;

	if (data->argsz != sizeof(*data) || !data->set || !data->owner)
		return -EINVAL;
	if (data->flags & ~flags || (!guest && (data->gpasid || !data->hpasid)))
		return -EINVAL;
	if (data->hpasid > IOASID_MAX || (guest && !data->gpasid) ||
	    data->gpasid > IOASID_MAX) {
		dev_warn_ratelimited(dev, "hPASID %u, gPASID %u: out of range\n",
				     data->hpasid, data->gpasid);
		return -EINVAL;
	}
	return 0;
}

/* The host PASID that a bind is about, with a reference. */
static int gpasid_resolve(const struct gpasid_bind_data *data, ioasid_t *id)
{
	*id = data->hpasid;
	if (*id)
		return ioasid_get(data->set, *id);

	*id = ioasid_get_by_spid(data->set, data->gpasid);
	return *id == IOMMU_PASID_INVALID ? -ENOENT : 0;
}

static int gpasid_bind_on(struct gpasid_op *op, struct iommu_domain *domain)
{
	struct device *dev = op->gdev->dev;
	const struct gpasid_bind_data *data = op->data;
	int ret;

	ret = gpasid_check_data(dev, data);
	if (!ret)
		ret = op->gdev->ops->parse(dev, data, &op->attrs);
	if (!ret)
		ret = op->gdev->ops->check(dev, domain, &op->attrs);
	if (ret)
		return ret;
	ret = gpasid_resolve(data, &op->id);
	if (ret)
		return ret;

	ret = gpasid_check_pasid(dev, op->id);
	if (ret)
		goto out_put;
	op->parent = gpasid_parent_get(domain);
	if (IS_ERR(op->parent)) {
		ret = PTR_ERR(op->parent);
		goto out_put;
	}
	ret = gpasid_bind(op);
	gpasid_parent_put(op->parent);
out_put:
	ioasid_put(data->set, op->id);
	return ret;
}

/**
 * iommu_sva_bind_gpasid() - Bind a host PASID of a device to a guest's table
 * @parent: second stage, a domain allocated as nest parent; the caller keeps it
 *          alive until the binding has ended, or gives @data->unpin
 * @dev: the device
 * @data: the binding; @data->hpasid is set on success
 *
 * Points the device's PASID-table entry at the guest's first-stage table,
 * nested on @parent.  Subscribers of the IOASID see a BIND event, whose argument
 * is @dev, and may veto.  The same owner binding again gets -EBUSY unless it asks
 * for a replace, which exchanges the table without a moment at which DMA faults,
 * on all devices that have the host PASID bound under @parent.  Another owner
 * binding the same PASID to the same table shares the binding, once no subscriber
 * can veto it any more.
 *
 * VT-d: "Scalable-Mode PASID-Table Entry", PGTT nested.
 *
 * Context: Process context. May sleep. Takes the parent's lock; the events of the
 * IOASID are serialised.
 * Return: 0; -EINVAL (malformed @data, or a number that the device cannot use);
 * -EOPNOTSUPP (the hardware cannot); -ENOENT (host or guest PASID not of this
 * set, or freed meanwhile; replace: not bound by this owner); -EEXIST (the IOASID
 * has another guest PASID); -EBUSY (bound already, shared on a device and not to
 * be replaced, bound to another table on another device under @parent, or bound
 * by the device's own number; @parent has bindings of another set); -ENOSPC
 * (domain IDs); -ENOMEM; what a subscriber vetoed with.  On an error nothing has
 * changed.
 */
int iommu_sva_bind_gpasid(struct iommu_domain *parent, struct device *dev,
			  struct gpasid_bind_data *data)
{
	struct gpasid_op op = { .data = data };
	int ret;

	op.gdev = gpasid_device_get(dev);
	if (IS_ERR(op.gdev)) {
		ret = PTR_ERR(op.gdev);
	} else {
		ret = gpasid_bind_on(&op, parent);
		gpasid_device_put(op.gdev);
	}
	if (data->unpin && !op.pinned)
		data->unpin(data->unpin_arg);
	if (ret)
		dev_info_ratelimited(dev, "%s of hPASID %u, gPASID %u refused: %pe\n",
				     data->flags & GPASID_BIND_REPLACE ?
				     "replace" : "bind", data->hpasid,
				     data->gpasid, ERR_PTR(ret));
	else
		data->hpasid = op.id;
	return ret;
}
EXPORT_SYMBOL_GPL(iommu_sva_bind_gpasid);

/*
 * What is bound
 */

/**
 * gpasid_is_bound() - Check whether an owner has a PASID of a device bound
 * @dev: the device
 * @set: the set that the host PASID belongs to
 * @hpasid: the host PASID
 * @owner: the owner
 *
 * The answer lasts until the next UNBIND or FREE event of the IOASID.  A
 * subscriber that asks, and writes the PASID to hardware, under a lock that its
 * callback takes, too, will have its callback called afterwards.
 *
 * Context: Process context. May sleep. Takes the parent's lock.
 * Return: true when @owner has bound it and no unbind of it has begun.
 */
bool gpasid_is_bound(struct device *dev, struct ioasid_set *set,
		     ioasid_t hpasid, const void *owner)
{
	struct gpasid_device *gdev = gpasid_device_find(dev);
	struct gpasid_parent *parent;
	struct gpasid_binding *b;
	bool bound = false;

	if (!gdev)
		return false;

	parent = gpasid_pasid_lock(gdev, hpasid, &b);
	if (parent) {
		bound = !b->att->own && b->set == set &&
			b->state == GPASID_BOUND && gpasid_owned_by(b, owner);
		gpasid_pasid_unlock(parent);
	}
	gpasid_device_put(gdev);

	return bound;
}
EXPORT_SYMBOL_GPL(gpasid_is_bound);
