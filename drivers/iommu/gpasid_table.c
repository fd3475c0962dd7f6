// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: first-stage tables.
 *
 * A struct gpasid_table is one guest address space under one parent.  An HWPT
 * has one table for its whole life.  A bind by an IOASID uses the table that
 * the IOASID already has on another device under the parent, or creates one.  A
 * table is freed when neither its HWPT nor a binding refers to it, and holds a
 * reference on its parent.
 */
#define pr_fmt(fmt) "gpasid: " fmt

#include <linux/module.h>
#include <linux/slab.h>

#include "gpasid_priv.h"

static struct kmem_cache *gpasid_table_cache;

static void gpasid_table_init(struct gpasid_table *table,
			      struct gpasid_parent *parent,
			      const struct gpasid_table_attrs *attrs)
{
	table->parent = gpasid_parent_hold(parent);
	INIT_HLIST_HEAD(&table->bindings);
	refcount_set(&table->users, 1);
	table->second_stage = !attrs;
	if (attrs) {
		table->pgtbl = attrs->pgtbl;
		table->addr_width = attrs->addr_width;
		table->flags = attrs->flags;
	}
}

struct gpasid_table *gpasid_table_create(struct gpasid_parent *parent,
					 const struct gpasid_table_attrs *attrs)
{
	struct gpasid_table *table;

	table = kmem_cache_zalloc(gpasid_table_cache, GFP_KERNEL_ACCOUNT);
	if (table)
		gpasid_table_init(table, parent, attrs);
	return table;
}

void gpasid_table_hold(struct gpasid_table *table)
{
	refcount_inc(&table->users);
}

/**
 * gpasid_table_put() - Drop a reference on a first-stage table
 * @table: the table, or NULL
 *
 * An HWPT drops the reference from gpasid_hwpt_table_create() when it is
 * destroyed, before its domain is freed.
 *
 * Context: Process context. May sleep.
 */
void gpasid_table_put(struct gpasid_table *table)
{
	struct gpasid_parent *parent;

	if (!table || !refcount_dec_and_test(&table->users))
		return;
	parent = table->parent;
	WARN_ON(!hlist_empty(&table->bindings));
	if (table->hwpt)
		kfree(container_of(table, struct gpasid_hwpt_table, table));
	else
		kmem_cache_free(gpasid_table_cache, table);
	gpasid_parent_put(parent);
}
EXPORT_SYMBOL_GPL(gpasid_table_put);

bool gpasid_table_is(const struct gpasid_table *table,
		     const struct gpasid_table_attrs *attrs)
{
	return !table->second_stage && table->pgtbl == attrs->pgtbl &&
	       table->addr_width == attrs->addr_width &&
	       table->flags == attrs->flags;
}

struct gpasid_table_attrs
gpasid_table_attrs(const struct gpasid_table *table)
{
	return (struct gpasid_table_attrs) {
		.pgtbl = table->pgtbl,
		.addr_width = table->addr_width,
		.flags = table->flags,
	};
}

/**
 * gpasid_hwpt_table_create() - Create the first-stage table of an HWPT
 * @dev: the device that the HWPT is allocated for
 * @domain: the HWPT's domain: nested, or a second stage, to which a PASID is
 *          attached without a first stage
 * @ops: called at the end of each attach
 * @priv: the argument of @ops
 *
 * Context: Process context. May sleep.
 * Return: the table, for gpasid_table_put(); an ERR_PTR() of -EOPNOTSUPP when
 * the device's IOMMU driver does not support guest PASIDs, -ENOMEM.
 */
struct gpasid_table *gpasid_hwpt_table_create(struct device *dev,
					      struct iommu_domain *domain,
					      const struct gpasid_hwpt_ops *ops,
					      void *priv)
{
	const struct gpasid_ops *drv = gpasid_ops_get(dev);
	bool nested = domain->type == IOMMU_DOMAIN_NESTED;
	struct gpasid_table_attrs attrs;
	struct gpasid_hwpt_table *hwpt;
	struct gpasid_parent *parent;

	if (!drv)
		return ERR_PTR(-EOPNOTSUPP);
	if (nested)
		domain = drv->describe(domain, &attrs);
	module_put(drv->owner);

	hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);
	if (!hwpt)
		return ERR_PTR(-ENOMEM);
	parent = gpasid_parent_get(domain);
	if (IS_ERR(parent)) {
		kfree(hwpt);
		return ERR_CAST(parent);
	}
	gpasid_table_init(&hwpt->table, parent, nested ? &attrs : NULL);
	gpasid_parent_put(parent);
	hwpt->table.hwpt = true;
	hwpt->ops = ops;
	hwpt->priv = priv;

	return &hwpt->table;
}
EXPORT_SYMBOL_GPL(gpasid_hwpt_table_create);

/**
 * gpasid_visit_bindings() - Visit the bindings of a first-stage table
 * @table: the table
 * @fn: called for each binding whose entry may be present, with the parent's
 *      lock held
 * @arg: the argument of @fn
 *
 * Context: Process context. May sleep. Takes the parent's lock.
 */
void gpasid_visit_bindings(struct gpasid_table *table, gpasid_binding_fn fn,
			   void *arg)
{
	struct gpasid_binding *b;

	guard(mutex)(&table->parent->lock);
	hlist_for_each_entry(b, &table->bindings, node)
		if (b->state != GPASID_CLEARED)
			fn(b, arg);
}
EXPORT_SYMBOL_GPL(gpasid_visit_bindings);

int gpasid_table_init_cache(void)
{
	gpasid_table_cache = KMEM_CACHE(gpasid_table, SLAB_ACCOUNT);
	return gpasid_table_cache ? 0 : -ENOMEM;
}

void gpasid_table_exit_cache(void)
{
	kmem_cache_destroy(gpasid_table_cache);
}
