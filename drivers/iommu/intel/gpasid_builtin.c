// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: the part built into the VT-d driver.
 *
 * The backend (gpasid.c) is a module.  This file is built in, since the driver
 * calls it and since it uses functions that the driver does not export.  It
 * owns the pointer to the backend's hooks and nothing else.  Devices, domains
 * and units belong to the driver and are protected by its locks.
 */
#define pr_fmt(fmt) "DMAR: gpasid: " fmt

#include <kunit/visibility.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/srcu.h>

#include "../iommu-priv.h"
#include "gpasid.h"
#include "iommu.h"
#include "pasid.h"

/*
 * The backend's hooks
 */

DEFINE_STATIC_SRCU(intel_gpasid_srcu);
static const struct intel_gpasid_hooks __rcu *intel_gpasid_hooks;

/**
 * intel_gpasid_set_hooks() - Set or remove the hooks that the driver calls
 * @hooks: the backend's functions, or NULL
 *
 * Context: Process context. May sleep.
 * Return: nothing; no caller is using the previous hooks.
 */
void intel_gpasid_set_hooks(const struct intel_gpasid_hooks *hooks)
{
	rcu_assign_pointer(intel_gpasid_hooks, hooks);
	synchronize_srcu(&intel_gpasid_srcu);
}
EXPORT_SYMBOL_GPL(intel_gpasid_set_hooks);

/*
 * Call the backend's sync hook: the second stage of @parent has changed, and
 * its cache tags are flushed.
 */
void intel_gpasid_sync(struct dmar_domain *parent)
{
	const struct intel_gpasid_hooks *hooks;

	/* Other domains may be flushed in atomic context. */
	if (!parent->nested_parent && !parent->domain.gpasid_table)
		return;
	guard(srcu)(&intel_gpasid_srcu);
	hooks = srcu_dereference(intel_gpasid_hooks, &intel_gpasid_srcu);
	if (hooks)
		hooks->sync(parent);
}

/* Update the entries of PASIDs bound under @parent to its dirty_tracking. */
static void intel_gpasid_dirty_switch(struct dmar_domain *parent)
{
	const struct intel_gpasid_hooks *hooks;

	guard(srcu)(&intel_gpasid_srcu);
	hooks = srcu_dereference(intel_gpasid_hooks, &intel_gpasid_srcu);
	if (hooks)
		hooks->dirty_switch(parent);
}

/*
 * Handle IOMMU_HWPT_INVALIDATE on a domain allocated for PASIDs.  Return false
 * if the backend is not loaded, in which case no PASID is attached.
 */
bool intel_gpasid_invalidate_user(struct iommu_domain *nested,
				  struct iommu_user_data_array *array, int *ret)
{
	const struct intel_gpasid_hooks *hooks;

	guard(srcu)(&intel_gpasid_srcu);
	hooks = srcu_dereference(intel_gpasid_hooks, &intel_gpasid_srcu);
	if (hooks)
		*ret = hooks->invalidate_user(to_dmar_domain(nested), array);

	return hooks;
}

/*
 * Capabilities of a device and its unit
 */

/**
 * intel_gpasid_can_prq() - Check whether page requests can be switched on
 * @info: the device
 *
 * Makes the checks of intel_iommu_enable_iopf().
 *
 * Context: Any context.
 * Return: true if a request to enable I/O page faults will succeed.
 */
bool intel_gpasid_can_prq(struct device_domain_info *info)
{
	return info->pri_supported && info->ats_enabled &&
	       (!info->pasid_enabled ||
		pci_prg_resp_pasid_required(to_pci_dev(info->dev)));
}
EXPORT_SYMBOL_GPL(intel_gpasid_can_prq);

/**
 * intel_gpasid_need_sync_map() - Check whether a unit needs to flush new
 * mappings
 * @parent: the second stage
 * @iommu: the unit
 *
 * Context: Any context.
 * Return: true if the unit caches entries that are not present, or needs
 * software to flush its write buffer.
 */
bool intel_gpasid_need_sync_map(struct dmar_domain *parent,
				struct intel_iommu *iommu)
{
	return domain_need_iotlb_sync_map(parent, iommu);
}
EXPORT_SYMBOL_GPL(intel_gpasid_need_sync_map);

/*
 * Return true if @iommu supports all superpage sizes of @domain.  DMA through a
 * superpage that the unit does not support faults (VT-d: "Second-Stage Paging
 * Entries", PS is reserved then).  The sizes that a domain is allocated with
 * are never reduced, so mappings of all of them have to be expected.
 */
bool intel_gpasid_has_superpages(const struct dmar_domain *domain,
				 const struct intel_iommu *iommu)
{
	unsigned int sizes = domain->use_first_level ?
			     BIT(0) | cap_fl1gp_support(iommu->cap) << 1 :
			     cap_super_page_val(iommu->cap);
	unsigned long has = (sizes & BIT(0) ? SZ_2M : 0) |
			    (sizes & BIT(1) ? SZ_1G : 0);

	return !(domain->domain.pgsize_bitmap & (SZ_2M | SZ_1G) & ~has);
}

/*
 * Cache tags of a nest parent
 */

/**
 * intel_gpasid_assign_tags() - Assign cache tags for a device's PASIDs
 * @parent: the second stage; attached to the device's unit
 * @dev: the device
 * @did: domain ID of the PASIDs
 * @devtlb: the device TLB can be flushed for all PASIDs at once
 *
 * An IOTLB tag with @did makes the driver flush the unit's IOTLB.  It is shared
 * with the tag of an attached RID if @did is the parent's domain ID.  One
 * device-TLB tag stands for all PASIDs.
 *
 * Context: Process context. May sleep.
 * Return: 0, or -ENOMEM, in which case no tag is assigned.
 */
int intel_gpasid_assign_tags(struct dmar_domain *parent, struct device *dev,
			     u16 did, bool devtlb)
{
	int ret;

	ret = domain_qi_batch_alloc(parent);
	if (ret)
		return ret;

	ret = cache_tag_assign(parent, did, dev, IOMMU_NO_PASID,
			       CACHE_TAG_IOTLB);
	if (ret || !devtlb)
		return ret;

	ret = cache_tag_assign(parent, did, dev, INTEL_GPASID_ALL,
			       CACHE_TAG_NESTING_DEVTLB);
	if (ret)
		cache_tag_unassign(parent, did, dev, IOMMU_NO_PASID,
				   CACHE_TAG_IOTLB);

	return ret;
}
EXPORT_SYMBOL_GPL(intel_gpasid_assign_tags);

/**
 * intel_gpasid_unassign_tags() - Undo intel_gpasid_assign_tags()
 * @parent: the second stage; still attached to the device's unit
 * @dev: the device
 * @did: as passed to intel_gpasid_assign_tags()
 * @devtlb: as passed to intel_gpasid_assign_tags()
 *
 * Context: Any context.
 * Return: nothing.
 */
void intel_gpasid_unassign_tags(struct dmar_domain *parent, struct device *dev,
				u16 did, bool devtlb)
{
	cache_tag_unassign(parent, did, dev, IOMMU_NO_PASID, CACHE_TAG_IOTLB);
	if (devtlb)
		cache_tag_unassign(parent, did, dev, INTEL_GPASID_ALL,
				   CACHE_TAG_NESTING_DEVTLB);
}
EXPORT_SYMBOL_GPL(intel_gpasid_unassign_tags);

/* Flush the device TLB for a tag that stands for all PASIDs. */
void intel_gpasid_flush_tag(struct intel_iommu *iommu,
			    struct device_domain_info *info,
			    struct qi_batch *batch)
{
	int times = info->dtlb_extra_inval ? 2 : 1;

	if (!intel_gpasid_has_devtlb(info))
		return;

	while (times--) {
		intel_gpasid_desc_dev_iotlb_all(info,
						&batch->descs[batch->index]);
		qi_batch_increment_index(iommu, batch);
	}
}

/*
 * Dirty tracking
 */

/*
 * Switch dirty tracking in the entry of a RID.  An entry that is not present is
 * being set up or torn down: the setup reads the domain's flag with the unit's
 * lock held.
 */
static int intel_gpasid_dirty_rid(struct device_domain_info *info, bool enable)
{
	struct intel_iommu *iommu = info->iommu;
	struct pasid_entry *pe;
	u16 pgtt;

	/* A VMD child's DMA has the RID of another device. */
	if (!info->pasid_table)
		return -ENODEV;

	guard(spinlock)(&iommu->lock);
	pe = get_pasid_table_from_pde(info->pasid_table->table);
	if (!pe || !pasid_pte_is_present(pe))
		return 0;
	pgtt = pasid_pte_get_pgtt(pe);
	if (pgtt != PASID_ENTRY_PGTT_SL_ONLY &&
	    pgtt != PASID_ENTRY_PGTT_NESTED)
		return -EOPNOTSUPP;
	if (enable)
		pasid_set_ssade(pe);
	else
		pasid_clear_ssade(pe);
	if (!ecap_coherent(iommu->ecap))
		clflush_cache_range(pe, sizeof(*pe));
	return 0;
}

static int intel_gpasid_dirty_list(struct list_head *devices, bool enable)
{
	struct device_domain_info *info;
	int ret = 0;

	list_for_each_entry(info, devices, link) {
		ret = intel_gpasid_dirty_rid(info, enable);
		if (ret)
			break;
	}
	return ret;
}

/*
 * Switch the RIDs attached to @domain and to domains nested on it.  Called with
 * @domain->lock held.
 */
static int intel_gpasid_dirty_rids(struct dmar_domain *domain, bool enable)
{
	struct dmar_domain *s1;
	int ret;

	ret = intel_gpasid_dirty_list(&domain->devices, enable);
	if (ret || !domain->nested_parent)
		return ret;

	guard(spinlock)(&domain->s1_lock);
	list_for_each_entry(s1, &domain->s1_domains, s2_link) {
		guard(spinlock_irqsave)(&s1->lock);
		ret = intel_gpasid_dirty_list(&s1->devices, enable);
		if (ret)
			return ret;
	}
	return 0;
}

/* Caches that may hold an old entry, in the order of their flushes. */
enum intel_gpasid_cache {
	INTEL_GPASID_PASID_CACHE,
	INTEL_GPASID_IOTLB,
	INTEL_GPASID_DEVTLB,
	INTEL_GPASID_NR_CACHES,
};

/* Flush @cache for @tag: one descriptor for a domain ID or a device. */
static void intel_gpasid_flush_cache(struct dmar_domain *domain,
				     struct cache_tag *tag,
				     enum intel_gpasid_cache cache)
{
	struct qi_desc *desc;

	if (tag->type == CACHE_TAG_DEVTLB ||
	    tag->type == CACHE_TAG_NESTING_DEVTLB) {
		if (cache == INTEL_GPASID_DEVTLB)
			cache_tag_flush_devtlb_all(domain, tag);
		return;
	}
	if (cache == INTEL_GPASID_DEVTLB)
		return;
	desc = &domain->qi_batch->descs[domain->qi_batch->index];
	*desc = (struct qi_desc) {};
	if (cache == INTEL_GPASID_PASID_CACHE)
		desc->qw0 = QI_PC_DID(tag->domain_id) |
			    QI_PC_GRAN(QI_PC_ALL_PASIDS) | QI_PC_TYPE;
	else
		qi_desc_iotlb(tag->iommu, tag->domain_id, 0, 0,
			      DMA_TLB_DSI_FLUSH, desc);
	qi_batch_increment_index(tag->iommu, domain->qi_batch);
}

/* Flush everything cached for @domain by one unit, in one submission. */
static void intel_gpasid_flush_unit(struct dmar_domain *domain,
				    struct intel_iommu *iommu)
{
	enum intel_gpasid_cache cache;
	struct cache_tag *tag;

	for (cache = 0; cache < INTEL_GPASID_NR_CACHES; cache++)
		list_for_each_entry(tag, &domain->cache_tags, node)
			if (tag->iommu == iommu)
				intel_gpasid_flush_cache(domain, tag, cache);
	qi_batch_flush_descs(iommu, domain->qi_batch);
}

/* Return true if @tag is the first of @domain for its unit. */
static bool intel_gpasid_is_first(struct dmar_domain *domain,
				  const struct cache_tag *tag)
{
	struct cache_tag *cur;

	list_for_each_entry(cur, &domain->cache_tags, node)
		if (cur->iommu == tag->iommu)
			return cur == tag;
	return false;
}

static void intel_gpasid_flush_entries(struct dmar_domain *domain)
{
	struct cache_tag *tag;

	guard(spinlock_irqsave)(&domain->cache_lock);
	list_for_each_entry(tag, &domain->cache_tags, node)
		if (intel_gpasid_is_first(domain, tag))
			intel_gpasid_flush_unit(domain, tag->iommu);
}

/**
 * intel_gpasid_set_dirty_tracking() - Switch dirty tracking of a second stage
 * @domain: the second stage
 * @enable: on or off
 *
 * Replaces the driver's own function.  All entries are switched first: those of
 * RIDs on the domain, of RIDs on domains nested on it, and of PASIDs bound
 * under it.  Then all caches that may hold a translation by an old entry are
 * flushed once: PASID cache, IOTLB and device TLBs, in one submission for each
 * unit.  The domain's flag is set before all entries, so that the entry of a
 * RID or PASID attached meanwhile is either set up with the new flag or found
 * here.
 *
 * Context: Process context. May sleep.
 * Return: 0; -EOPNOTSUPP if a RID has no second stage; -ENODEV if a device has
 * no entry of its own.  On an error nothing is changed.
 */
int intel_gpasid_set_dirty_tracking(struct dmar_domain *domain, bool enable)
{
	int ret;

	scoped_guard(spinlock, &domain->lock) {
		if (domain->dirty_tracking == enable)
			return 0;
		domain->dirty_tracking = enable;
		ret = intel_gpasid_dirty_rids(domain, enable);
		if (ret) {
			domain->dirty_tracking = !enable;
			intel_gpasid_dirty_rids(domain, !enable);
		}
	}

	intel_gpasid_dirty_switch(domain);
	intel_gpasid_flush_entries(domain);
	intel_gpasid_sync(domain);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(intel_gpasid_set_dirty_tracking);

/*
 * Return the entry that translates @pfn, or the first on the way to it that is
 * not present, and its level in @level.
 */
static struct dma_pte *intel_gpasid_walk(struct dmar_domain *domain,
					 unsigned long pfn, int *level)
{
	struct dma_pte *pte = domain->pgd;
	int at = agaw_to_level(domain->agaw);

	pte += pfn_level_offset(pfn, at);
	while (at > 1 && dma_pte_present(pte) && !dma_pte_superpage(pte)) {
		pte = phys_to_virt(dma_pte_addr(pte));
		pte += pfn_level_offset(pfn, --at);
	}
	*level = at;

	return pte;
}

static bool intel_gpasid_was_written(struct dma_pte *pte, unsigned long flags)
{
	/* Most pages are clean: avoid a locked access for them. */
	return dma_pte_present(pte) &&
	       READ_ONCE(pte->val) & DMA_SL_PTE_DIRTY &&
	       dma_sl_pte_test_and_clear_dirty(pte, flags);
}

/**
 * intel_gpasid_read_and_clear_dirty() - Record dirty pages and clear their bits
 * @domain: the second stage
 * @iova: start of the range
 * @size: size of the range in bytes; all of it is mapped and is not unmapped
 *        meanwhile
 * @flags: IOMMU_DIRTY_NO_CLEAR to keep the dirty bits
 * @dirty: records dirty pages; without a bitmap, dirty tracking may be off
 *
 * Replaces the driver's own function, which walks from the root of the table
 * for each page, and which advances by the full size of a superpage even if
 * @iova is inside a superpage.
 *
 * Context: Process context.
 * Return: 0, or -EINVAL if dirty tracking is off.
 */
int intel_gpasid_read_and_clear_dirty(struct dmar_domain *domain,
				      unsigned long iova, size_t size,
				      unsigned long flags,
				      struct iommu_dirty_bitmap *dirty)
{
	unsigned long pfn = iova >> VTD_PAGE_SHIFT, next;
	unsigned long end = pfn + (size >> VTD_PAGE_SHIFT);
	struct dma_pte *pte = NULL;
	int level = 0;

	if (!domain->dirty_tracking && dirty->bitmap)
		return -EINVAL;

	for (; pfn < end; pfn = next) {
		/* Entries of one last-level table are adjacent: do not walk. */
		if (level == 1 && !first_pte_in_page(pte + 1))
			pte++;
		else
			pte = intel_gpasid_walk(domain, pfn, &level);
		next = (pfn & level_mask(level)) + level_size(level);
		if (intel_gpasid_was_written(pte, flags))
			iommu_dirty_bitmap_record(dirty, pfn << VTD_PAGE_SHIFT,
						  (next - pfn) << VTD_PAGE_SHIFT);
	}

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(intel_gpasid_read_and_clear_dirty);

/*
 * Page requests
 */

/*
 * Return true if the queue still holds a page request of @pasid on @sid that
 * was queued when the tail was at @end.  Later requests do not count, since a
 * device could keep the caller waiting forever otherwise.
 */
static bool intel_gpasid_prq_pending(struct intel_iommu *iommu, u16 sid,
				     u32 pasid, int end)
{
	int tail = dmar_readq(iommu->reg + DMAR_PQT_REG) & PRQ_RING_MASK;
	int head = dmar_readq(iommu->reg + DMAR_PQH_REG) & PRQ_RING_MASK;

	if (((end - head) & PRQ_RING_MASK) > ((tail - head) & PRQ_RING_MASK))
		return false;
	while (head != end) {
		if (intel_gpasid_prq_is(iommu, head, sid, pasid))
			return true;
		head = (head + INTEL_GPASID_PRQ_SIZE) & PRQ_RING_MASK;
	}
	return false;
}

/*
 * Wait until the page requests of @pasid that are in the queue now are handled,
 * and the work that is queued for them has run.
 */
static void intel_gpasid_wait_prq(struct device *dev, u32 pasid)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;
	u16 sid = PCI_DEVID(info->bus, info->devfn);
	int end = dmar_readq(iommu->reg + DMAR_PQT_REG) & PRQ_RING_MASK;

	while (intel_gpasid_prq_pending(iommu, sid, pasid, end))
		usleep_range(50, 200);
	iopf_queue_flush_dev(dev);
}

/**
 * intel_gpasid_drain_prq() - Drain page requests and responses in flight
 * @dev: the device
 * @did: domain ID of the entry that was torn down
 * @pasid: the PASID, INTEL_GPASID_ALL for every PASID of @dev, or
 *         IOMMU_NO_PASID for its RID
 * @global: the device TLB can be flushed for all PASIDs at once
 *
 * Must be called after the entry is made not present and all caches are
 * invalidated.  VT-d: "Draining of Page Requests and Responses".  Requests in
 * the queue are waited for before the hardware's drain and again after it, when
 * requests that the hardware held have reached the queue.  The wait does not
 * use intel_iommu::prq_complete, since native SVA relies on being its only
 * waiter.
 *
 * Context: Process context. May sleep.
 * Return: nothing.
 */
void intel_gpasid_drain_prq(struct device *dev, u16 did, u32 pasid, bool global)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;
	u16 sid = PCI_DEVID(info->bus, info->devfn);
	struct qi_desc desc[3] = {};
	int n = 2;

	if (!info->pri_enabled)
		return;

	intel_gpasid_wait_prq(dev, pasid);

	if (intel_gpasid_has_devtlb(info))
		n = 3;

	desc[0].qw0 = QI_IWD_STATUS_DATA(QI_DONE) | QI_IWD_FENCE | QI_IWD_TYPE;
	if (pasid == INTEL_GPASID_ALL || pasid == IOMMU_NO_PASID) {
		qi_desc_iotlb(iommu, did, 0, 0, DMA_TLB_DSI_FLUSH, &desc[1]);
		if (global && pasid == INTEL_GPASID_ALL)
			intel_gpasid_desc_dev_iotlb_all(info, &desc[2]);
		else
			qi_desc_dev_iotlb(sid, info->pfsid, info->ats_qdep, 0,
					  MAX_AGAW_PFN_WIDTH, &desc[2]);
	} else {
		qi_desc_piotlb(did, pasid, 0, -1, 0, &desc[1]);
		qi_desc_dev_iotlb_pasid(sid, info->pfsid, pasid, info->ats_qdep,
					0, MAX_AGAW_PFN_WIDTH, &desc[2]);
	}
	for (;;) {
		qi_submit_sync(iommu, desc, n, QI_OPT_WAIT_DRAIN);
		/* On a queue overflow, wait until it is handled and retry. */
		if (!(readl(iommu->reg + DMAR_PRS_REG) & DMA_PRS_PRO))
			break;
		usleep_range(50, 200);
	}
	intel_gpasid_wait_prq(dev, pasid);
}
EXPORT_SYMBOL_GPL(intel_gpasid_drain_prq);

/* Return true if the RID of @dev has a fault queue. */
static bool intel_gpasid_prq_rid(struct device *dev)
{
	struct iommu_attach_handle *handle;

	handle = iommu_attach_handle_get(dev->iommu_group, IOMMU_NO_PASID, 0);
	return !IS_ERR_OR_NULL(handle) && handle->domain->iopf_handler;
}

/*
 * Return true if a page request is for a guest: for a bound PASID, or for a RID
 * with a fault queue.
 */
bool intel_gpasid_prq(struct intel_iommu *iommu, u16 rid, u32 pasid)
{
	struct device *dev;

	guard(mutex)(&iommu->iopf_lock);
	dev = device_rbtree_find(iommu, rid);
	return dev && (pasid == IOMMU_NO_PASID ? intel_gpasid_prq_rid(dev) :
		       !!iommu_gpasid_attach_handle(dev, pasid));
}
