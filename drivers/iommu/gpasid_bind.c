// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: bind and replace.
 *
 * A PASID is either an IOASID or a device's own.  An IOASID is valid on the
 * whole host: under one parent it has the same table on all devices that it is
 * bound on, and its subscribers may veto the bind.  A device's own PASID has
 * the table of the HWPT that it is attached to, and no meaning on any other
 * device.
 *
 * A bind makes the entry present first and then notifies the subscribers of the
 * IOASID.  Until all of them have accepted, the binding is GPASID_SETUP: it
 * cannot be shared, replaced or unbound, but a free of the IOASID takes it
 * down.
 */
#define pr_fmt(fmt) "gpasid: " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <trace/events/gpasid.h>

#include "gpasid_priv.h"

/*
 * Creation
 */

/* Create a binding to @table.  It is not yet in gpasid_device::bindings. */
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

/* Complete the bind of @b: no subscriber can veto it any more. */
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
 * The device's own PASIDs
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

/* Move @b to @table, which has the same parent. */
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
 * Replace the table of @b in place.  Page requests in flight are delivered to
 * the new handle; the page-request thread may still use the old one until they
 * are drained.  Called with the parent's lock held, returns with it released.
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

	/* First, since unbound() may lead to a free of the parent's domain. */
	scoped_guard(mutex, &parent->lock)
		gpasid_att_put(att);
	old->ops->unbound(old->priv, p->owner, handle);
	gpasid_table_put(&old->table);
	gpasid_binding_put(b);
}

/*
 * Move a PASID to a table under another parent.  All fields of the entry
 * change, so it is not present in between.  The old binding keeps its slot in
 * gpasid_device::bindings until the new one is stored there, and every step
 * that can fail is done before the old binding is cleared.  Called with the
 * lock of @from held, returns with it released.
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
		/* Cannot fail: the page of the PASID table is allocated. */
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
 * @table: the table of the HWPT, from gpasid_hwpt_table_create()
 * @p: the device, its own PASID and the owner
 *
 * Points the device's PASID-table entry at the first stage of @table, nested on
 * its parent, or at the parent alone.  A PASID that the same owner has attached
 * to another HWPT is moved.  If both HWPTs have the same parent, there is no
 * window in which DMA faults.  On an error the PASID stays attached to the old
 * HWPT.
 *
 * VT-d: "Scalable-Mode PASID-Table Entry", PGTT nested or second-stage.
 *
 * Context: Process context. May sleep. Takes the parent's lock.  The caller
 * must not hold a lock that gpasid_hwpt_ops::unbound takes.
 * Return: 0; 1 when the PASID is attached to that HWPT already and nothing has
 * changed; -EINVAL (PASID out of range, or the parent does not fit the device's
 * IOMMU); -EOPNOTSUPP (not supported by the hardware or its driver); -EBUSY
 * (attached by another owner, being moved or detached, or bound by an IOASID);
 * -ENOSPC (out of domain IDs); -ENOMEM.
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
 * Host PASIDs
 */

/* A bind in progress. */
struct gpasid_op {
	struct gpasid_device *gdev;
	struct gpasid_parent *parent;
	const struct gpasid_bind_data *data;
	struct gpasid_table_attrs attrs;
	ioasid_t id;
	bool pinned;		/* the parent keeps the caller's pin */
};

/* Return true if the caller gives no guest PASID, or that of the IOASID. */
static bool gpasid_agrees(const struct gpasid_op *op)
{
	const struct gpasid_bind_data *data = op->data;
	ioasid_t gpasid;

	if (!(data->flags & GPASID_BIND_GPASID))
		return true;
	gpasid = ioasid_spid(data->set, op->id);
	/* A guest uses the number of an IOASID that has no guest PASID. */
	if (gpasid == IOMMU_PASID_INVALID)
		gpasid = op->id;
	return gpasid == data->gpasid;
}

/* Add the caller as a further owner of @b. */
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

/* Return the uncleared binding of an IOASID on the device of @att, or NULL. */
static struct gpasid_binding *gpasid_of_id(struct gpasid_attachment *att,
					   ioasid_t id)
{
	struct gpasid_binding *b;

	b = gpasid_pasid_under(att->gdev, att->parent, id);
	return b && b->att == att && b->state != GPASID_CLEARED ? b : NULL;
}

/*
 * Check that each device that has the IOASID bound under the parent supports
 * the new table.
 */
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
 * Replace the table of an IOASID on all devices under the parent.  Caches are
 * flushed only after all entries have the new table: a device that still uses
 * the old table fills the unit's IOTLB with its translations, and other devices
 * would hit them.
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

/* Replace or share @b, which the PASID already has on the device. */
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
 * Return the table of the IOASID under the parent, with a reference.  Create
 * one if the IOASID is not bound under the parent yet.
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

/*
 * Count @b as a pin of the parent, which keeps the first caller's @unpin.  That
 * of a later caller is called when its bind returns.
 */
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

/* Create a binding in state GPASID_SETUP and make its entry present. */
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
 * Send BIND to the subscribers.  On a veto, take @b down; if the IOASID has
 * been freed meanwhile, wait for the free, which takes @b down.  Puts the
 * caller's reference on @b.
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

/*
 * Return a new binding with a reference for the caller, or NULL if an existing
 * one was replaced or shared.
 */
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

/* Look up the host PASID to bind and take a reference on it. */
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
 * @parent: second stage, a domain allocated as nesting parent; the caller keeps
 *          it alive until the binding is released, or gives @data->unpin
 * @dev: the device
 * @data: the binding; @data->hpasid is set on success
 *
 * Points the device's PASID-table entry at the guest's first-stage table,
 * nested on @parent.  Subscribers of the IOASID get a BIND event, whose
 * argument is @dev, and may veto it.
 *
 * A second bind by the same owner returns -EBUSY unless GPASID_BIND_REPLACE is
 * set.  A replace exchanges the table on all devices that have the host PASID
 * bound under @parent, without a window in which DMA faults.  Another owner
 * that binds the same PASID to the same table shares the binding, once no
 * subscriber can veto it any more.
 *
 * VT-d: "Scalable-Mode PASID-Table Entry", PGTT nested.
 *
 * Context: Process context. May sleep. Takes the parent's lock.  Events of one
 * IOASID are serialised.
 * Return: 0; -EINVAL (malformed @data, or a PASID that the device cannot use);
 * -EOPNOTSUPP (not supported by the hardware or its driver); -ENOENT (host or
 * guest PASID not in the set, or freed meanwhile; replace: not bound by this
 * owner); -EEXIST (the IOASID has another guest PASID); -EBUSY (bound already;
 * replace: shared on a device; bound to another table on another device under
 * @parent, or under another parent; attached as the device's own PASID; @parent
 * has bindings of another set); -EDEADLK (called from a notifier callback of
 * the IOASID); -ENOSPC (out of domain IDs); -ENOMEM; the errno of a
 * subscriber's veto.  On an error nothing has changed.
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
 * Queries
 */

/**
 * gpasid_is_bound() - Check whether an owner has a PASID of a device bound
 * @dev: the device
 * @set: the set that the host PASID belongs to
 * @hpasid: the host PASID
 * @owner: the owner
 *
 * The result is valid until the next UNBIND or FREE event of the IOASID.  A
 * subscriber calls this function and writes the PASID to its hardware under one
 * lock, which its notifier callback also takes: the callback for such an event
 * then runs after the write.
 *
 * Context: Process context. May sleep. Takes the parent's lock.
 * Return: true if @owner has the PASID bound and no unbind of it has begun.
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
