// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: first-stage invalidations by IOASID, for all devices of a VM.
 *
 * Invalidations of an HWPT do not pass here: the IOMMU driver handles them and
 * finds the HWPT's bindings with gpasid_visit_bindings().
 */
#define pr_fmt(fmt) "gpasid: " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sizes.h>

#include "gpasid_priv.h"

static int gpasid_inv_resolve(struct ioasid_set *set,
			      const struct iommu_gpasid_inv *entry,
			      struct gpasid_inv_range *range, ioasid_t *id)
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

	if (!set)
		return -ENOENT;
	if (entry->flags & IOMMU_GPASID_INV_BY_GPASID)
		*id = gpasid_find_host(set, entry->pasid);
	else
		*id = entry->pasid;
	if (*id == IOMMU_PASID_INVALID ||
	    IS_ERR(ioasid_find(set, *id)))
		return -ENOENT;

	return 0;
}

/* One batch for each IOMMU driver that has a device with the PASID. */
#define GPASID_INV_BATCHES	4

struct gpasid_batch {
	const struct gpasid_ops *ops;
	void *priv;
};

static void *gpasid_batch_get(struct gpasid_batch *batches,
			      const struct gpasid_ops *ops)
{
	int i;

	for (i = 0; i < GPASID_INV_BATCHES; i++) {
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

/*
 * Add @range to the batches for each binding of an IOASID under @parent.
 * Return the number of bindings or a negative errno.
 */
static int gpasid_inv_under(struct gpasid_batch *batches,
			    struct gpasid_parent *parent, ioasid_t id,
			    const struct gpasid_inv_range *range)
{
	struct gpasid_attachment *att;
	struct gpasid_binding *b;
	int nr = 0;
	void *priv;

	list_for_each_entry(att, &parent->attachments, node) {
		b = gpasid_pasid_under(att->gdev, parent, id);
		if (!b || b->att != att || att->own)
			continue;
		priv = gpasid_batch_get(batches, att->gdev->ops);
		if (!priv)
			return -ENOMEM;
		att->gdev->ops->inv_range(priv, b, range);
		nr++;
	}
	return nr;
}

static int gpasid_inv_one(struct gpasid_batch *batches, struct ioasid_set *set,
			  ioasid_t id, const struct gpasid_inv_range *range)
{
	struct gpasid_parent *parent = NULL;
	int nr, ret = -ENOENT;

	while ((parent = gpasid_parent_next(set, parent))) {
		scoped_guard(mutex, &parent->lock)
			nr = gpasid_inv_under(batches, parent, id, range);
		if (nr < 0) {
			gpasid_parent_put(parent);
			return nr;
		}
		if (nr)
			ret = 0;
	}
	return ret;
}

/**
 * gpasid_invalidate() - Pass first-stage invalidations on to the hardware
 * @set: the set that the PASIDs belong to; NULL: the VM has none yet, and so no
 *       PASID
 * @entries: the invalidations
 * @nr: number of entries
 * @flags: combination of enum iommu_gpasid_invalidate_flags
 * @done: set to the number of entries that are complete
 *
 * Each entry is sent to every device that has the PASID bound.  All entries
 * share submissions, with one wait per chunk and unit.  The first entry in
 * error ends the call; the entries before it are complete.
 *
 * Context: Process context. May sleep. Takes the locks of the VM's parents.
 * Return: 0; -EINVAL (flags, alignment, empty or wrapping range); -ENOENT
 * (PASID not in the set, or not bound, without IOMMU_GPASID_INVALIDATE_SKIP);
 * -ENOMEM; -EINTR when the caller is being killed.
 */
int gpasid_invalidate(struct ioasid_set *set,
		      const struct iommu_gpasid_inv *entries, unsigned int nr,
		      u32 flags, unsigned int *done)
{
	struct gpasid_batch batches[GPASID_INV_BATCHES] = {};
	struct gpasid_inv_range range;
	ioasid_t id;
	int i, ret = 0;

	*done = 0;
	while (*done < nr) {
		range.entry = *done;
		ret = fatal_signal_pending(current) ? -EINTR :
		      gpasid_inv_resolve(set, &entries[*done], &range, &id);
		if (!ret)
			ret = gpasid_inv_one(batches, set, id, &range);
		if (ret == -ENOENT && flags & IOMMU_GPASID_INVALIDATE_SKIP)
			ret = 0;
		if (ret)
			break;
		(*done)++;
	}
	for (i = 0; i < GPASID_INV_BATCHES && batches[i].ops; i++)
		batches[i].ops->inv_end(batches[i].priv);

	return ret;
}
EXPORT_SYMBOL_GPL(gpasid_invalidate);
