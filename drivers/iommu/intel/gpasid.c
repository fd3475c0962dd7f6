// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs on Intel VT-d: nested PASID-table entries.
 *
 * Owns the PASID-table entries of bound PASIDs and invalidates the caches when
 * they change.  An entry is written only with the lock of its parent held, and
 * a PASID of a device is bound under one parent.  So the unit's own lock
 * (intel_iommu::lock) is not needed and not taken.
 *
 * IOTLB entries are tagged by domain ID and PASID alone.  An IOASID has one
 * table under a parent, so all bindings by IOASIDs have the parent's domain ID
 * on a unit.  A device's own PASIDs are valid on that device only, so they have
 * one domain ID for each device and parent.  Either way the number of domain
 * IDs does not depend on the number of bound PASIDs, and nor does the cost of a
 * second-stage flush, of a close and of dirty tracking.
 *
 * VT-d: "Domain-ID", "Tagging of Cached Translations".  Sections and fields are
 * named in this and the other files as in revision 4.1 of the specification.
 */
#define pr_fmt(fmt) "DMAR: gpasid: " fmt

#include <kunit/visibility.h>
#include <linux/gpasid-driver.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <trace/events/gpasid.h>

#include "gpasid.h"
#include "iommu.h"
#include "pasid.h"
#include "../iommu-pages.h"

/*
 * Maximum number of descriptors in one submission.  The caller waits for it
 * with interrupts off, and submissions for other VMs wait behind it.
 */
#define VTD_SUBMIT_MAX	48

#define VTD_FLAGS	(GPASID_VTD_SRE | GPASID_VTD_EAFE | GPASID_VTD_WPE)

/*
 * vtd_att::devtlb.  Determined once, at attach, so that the teardown matches
 * the setup: the configuration space of a removed device, or of one in D3,
 * cannot be read.
 */
enum vtd_devtlb {
	VTD_DEVTLB_NONE,
	VTD_DEVTLB_ALL,		/* one descriptor for all PASIDs */
	VTD_DEVTLB_EACH,	/* one descriptor for each PASID */
};

/**
 * struct vtd_att - VT-d data of an attachment (gpasid_attachment::drv)
 * @did: domain ID of all bindings of the attachment
 * @devtlb: how the device's TLB is invalidated
 */
struct vtd_att {
	u16 did;
	enum vtd_devtlb devtlb;
};

/* Number of attachments with VTD_DEVTLB_EACH. */
static atomic_t vtd_nr_per_pasid;

static struct device_domain_info *vtd_info(const struct gpasid_attachment *att)
{
	return dev_iommu_priv_get(att->gdev->dev);
}

static struct dmar_domain *vtd_s2(const struct gpasid_attachment *att)
{
	return to_dmar_domain(att->parent->domain);
}

static u16 vtd_did(const struct gpasid_attachment *att)
{
	return ((const struct vtd_att *)att->drv)->did;
}

static enum vtd_devtlb vtd_att_devtlb(const struct gpasid_attachment *att)
{
	return ((const struct vtd_att *)att->drv)->devtlb;
}

/*
 * Return the number of PASIDs of @dev.  It is 0 if @dev is not a PCI device, if
 * the device or its unit does not support PASIDs, or if its DMA has the RID of
 * another function, which has the table (a child of a volume management
 * device).
 */
static u32 vtd_max_pasids(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);

	return info->pasid_enabled && info->pasid_table ?
	       dev->iommu->max_pasids : 0;
}

static enum vtd_devtlb vtd_devtlb(struct device_domain_info *info)
{
	if (!info->ats_enabled)
		return VTD_DEVTLB_NONE;
	return intel_gpasid_ats_global(info) ? VTD_DEVTLB_ALL : VTD_DEVTLB_EACH;
}

/*
 * Return true if a guest can use the unit's nested translation.  Without
 * scalable-mode page-walk coherency the unit walks first-stage tables without
 * snooping and faults when it has to set an accessed or dirty flag (VT-d:
 * "Accessed, Extended Accessed, and Dirty Flags").  DMA of a guest that does
 * not set the flags itself would then fail.
 */
static bool vtd_can_nest(struct intel_iommu *iommu)
{
	return nested_supported(iommu) && ecap_smpwc(iommu->ecap);
}

/*
 * PASID-table entries
 */

static void vtd_flush_entry(struct intel_iommu *iommu, void *p, size_t size)
{
	if (!ecap_coherent(iommu->ecap))
		clflush_cache_range(p, size);
}

/* Return the table of 64 entries in @pde; allocate it if there is none. */
static struct pasid_entry *vtd_table_get(struct device_domain_info *info,
					 struct pasid_dir_entry *pde)
{
	struct pasid_entry *table = get_pasid_table_from_pde(pde);
	u64 old = 0;

	if (table)
		return table;

	/* The table outlives a VM's use of the device: charge no VM for it. */
	table = iommu_alloc_page_node(info->iommu->node, GFP_KERNEL);
	if (!table)
		return NULL;
	vtd_flush_entry(info->iommu, table, VTD_PAGE_SIZE);

	/*
	 * A table is freed when the device is released.  Another CPU may have
	 * installed one meanwhile.
	 */
	if (!try_cmpxchg64(&pde->val, &old,
			   (u64)virt_to_phys(table) | PASID_PTE_PRESENT)) {
		iommu_free_page(table);
		return get_pasid_table_from_pde(pde);
	}
	vtd_flush_entry(info->iommu, pde, sizeof(*pde));

	return table;
}

static struct pasid_entry *vtd_entry(struct device_domain_info *info,
				     ioasid_t pasid, bool make)
{
	struct pasid_dir_entry *dir = info->pasid_table->table;
	struct pasid_dir_entry *pde = &dir[pasid >> PASID_PDE_SHIFT];
	struct pasid_entry *table;

	if (WARN_ON_ONCE(pasid >= info->pasid_table->max_pasid))
		return NULL;

	table = make ? vtd_table_get(info, pde) : get_pasid_table_from_pde(pde);

	return table ? &table[pasid & PASID_PTE_MASK] : NULL;
}

/* Return the quadword of an entry that describes the first stage. */
static u64 vtd_first_stage(const struct gpasid_table *table)
{
	struct pasid_entry pe = {};

	if (table->second_stage)
		return 0;
	pasid_set_flptr(&pe, table->pgtbl);
	if (table->addr_width == 57)
		pasid_set_flpm(&pe, 1);
	if (table->flags & GPASID_VTD_SRE)
		pasid_set_sre(&pe);
	if (table->flags & GPASID_VTD_WPE)
		pasid_set_wpe(&pe);
	if (table->flags & GPASID_VTD_EAFE)
		pasid_set_eafe(&pe);

	return pe.val[2];
}

static u64 vtd_pgtt(const struct gpasid_table *table)
{
	return table->second_stage ? PASID_ENTRY_PGTT_SL_ONLY :
				     PASID_ENTRY_PGTT_NESTED;
}

static void vtd_make_entry(const struct gpasid_binding *b,
			   struct pasid_entry *pe)
{
	struct dmar_domain *s2 = vtd_s2(b->att);
	struct intel_iommu *iommu = vtd_info(b->att)->iommu;

	memset(pe, 0, sizeof(*pe));
	pe->val[2] = vtd_first_stage(b->table);
	pasid_set_slptr(pe, virt_to_phys(s2->pgd));
	pasid_set_address_width(pe, s2->agaw);
	pasid_set_domain_id(pe, vtd_did(b->att));
	pasid_set_page_snoop(pe, !!ecap_smpwc(iommu->ecap));
	if (s2->force_snooping)
		pasid_set_pgsnp(pe);
	if (s2->dirty_tracking)
		pasid_set_ssade(pe);
	pasid_set_translation_type(pe, vtd_pgtt(b->table));
}

/*
 * Descriptors
 */

static void vtd_desc_pasid_cache(struct qi_desc *desc, u16 did, ioasid_t pasid,
				 u64 granularity)
{
	*desc = (struct qi_desc) {
		.qw0 = QI_PC_DID(did) | QI_PC_GRAN(granularity) |
		       QI_PC_PASID(pasid) | QI_PC_TYPE,
	};
}

static void vtd_desc_piotlb(struct qi_desc *desc, u16 did, ioasid_t pasid,
			    u64 addr, unsigned long npages, bool leaf)
{
	*desc = (struct qi_desc) {};
	qi_desc_piotlb(did, pasid, addr, npages, leaf, desc);
}

static void vtd_desc_devtlb(struct qi_desc *desc,
			    struct device_domain_info *info, ioasid_t pasid,
			    u64 addr, unsigned int order)
{
	*desc = (struct qi_desc) {};
	qi_desc_dev_iotlb_pasid(PCI_DEVID(info->bus, info->devfn), info->pfsid,
				pasid, info->ats_qdep, addr, order, desc);
}

/* Add a device-TLB invalidation for the PASID of @b, or all if NULL. */
static int vtd_add_devtlb(struct qi_desc *desc, struct device_domain_info *info,
			  const struct gpasid_binding *b)
{
	int n, times = info->dtlb_extra_inval ? 2 : 1;

	for (n = 0; n < times; n++) {
		if (b)
			vtd_desc_devtlb(&desc[n], info, b->pasid, 0,
					MAX_AGAW_PFN_WIDTH);
		else
			intel_gpasid_desc_dev_iotlb_all(info, &desc[n]);
	}
	return n;
}

static void vtd_submit(struct intel_iommu *iommu, struct qi_desc *desc, int n)
{
	trace_gpasid_inv_batch(iommu->name, n);
	qi_submit_sync(iommu, desc, n, 0);
}

/*
 * Invalidate the device TLB for each PASID of @att, for a device that cannot
 * invalidate all PASIDs at once.  @only_cleared: only for PASIDs in teardown.
 */
static void vtd_devtlb_each(struct gpasid_attachment *att, bool only_cleared)
{
	struct device_domain_info *info = vtd_info(att);
	struct gpasid_binding *b;
	unsigned long index;
	struct qi_desc *desc;
	struct qi_desc one[2];
	int n = 0;

	/* If the allocation fails, submit PASID by PASID. */
	desc = kmalloc_array(VTD_SUBMIT_MAX, sizeof(*desc), GFP_KERNEL);
	for (index = 0; (b = gpasid_att_next(att, &index)); index++) {
		if (only_cleared && b->state != GPASID_CLEARED)
			continue;
		n += vtd_add_devtlb(desc ? &desc[n] : one, info, b);
		if (desc && n < VTD_SUBMIT_MAX - 1)
			continue;
		vtd_submit(info->iommu, desc ?: one, n);
		n = 0;
		cond_resched();
	}
	if (n)
		vtd_submit(info->iommu, desc, n);
	kfree(desc);
}

/*
 * Operations
 */

static int vtd_get_caps(struct device *dev, struct gpasid_caps *caps)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;

	/* As in IOMMU_GET_HW_INFO; the driver enforces it on nest parents. */
	caps->errata = GPASID_ERRATA_772415;
	if (info->ats_enabled)
		caps->caps |= GPASID_CAP_ATS;
	if (info->ats_supported && intel_gpasid_ats_global(info))
		caps->caps |= GPASID_CAP_ATS_GLOBAL;
	/* Virtual functions share the page request interface of their PF. */
	if (intel_gpasid_can_prq(info) && !to_pci_dev(dev)->is_virtfn)
		caps->caps |= GPASID_CAP_PRI;
	if (ssads_supported(iommu))
		caps->caps |= GPASID_CAP_DIRTY;
	if (vtd_max_pasids(dev))
		caps->pasid_bits = ilog2(vtd_max_pasids(dev));
	if (!vtd_can_nest(iommu) || !caps->pasid_bits)
		return 0;

	caps->caps |= GPASID_CAP_NEST;
	caps->formats = BIT(GPASID_FORMAT_VTD);
	caps->addr_widths = BIT(0);
	if (cap_fl5lp_support(iommu->cap))
		caps->addr_widths |= BIT(1);
	if (ecap_srs(iommu->ecap))
		caps->format_flags |= GPASID_VTD_SRE | GPASID_VTD_WPE;
	if (ecap_eafs(iommu->ecap))
		caps->format_flags |= GPASID_VTD_EAFE;

	return 0;
}

/* Refuse data that is malformed on any hardware; else store it in @attrs. */
static int vtd_parse(struct device *dev, const struct gpasid_bind_data *data,
		     struct gpasid_table_attrs *attrs)
{
	if (data->format != GPASID_FORMAT_VTD ||
	    data->format_flags & ~(u64)VTD_FLAGS)
		return -EINVAL;
	if (data->format_flags & GPASID_VTD_WPE &&
	    !(data->format_flags & GPASID_VTD_SRE))
		return -EINVAL;
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
	attrs->pgtbl = data->pgtbl;
	attrs->addr_width = data->addr_width;
	attrs->flags = data->format_flags;

	return 0;
}

/*
 * The driver did not validate the user's data when it allocated the domain.
 * vtd_check() refuses a width that no unit supports when the domain is
 * attached, and the low bits of the table's address, which an entry has no room
 * for, are ignored.
 */
static struct iommu_domain *vtd_describe(struct iommu_domain *nested,
					 struct gpasid_table_attrs *attrs)
{
	struct dmar_domain *s1 = to_dmar_domain(nested);
	u64 flags = s1->s1_cfg.flags;

	*attrs = (struct gpasid_table_attrs) {
		.pgtbl = s1->s1_pgtbl & VTD_PAGE_MASK,
		.addr_width = min(s1->s1_cfg.addr_width, U8_MAX),
	};
	if (flags & IOMMU_VTD_S1_SRE)
		attrs->flags |= GPASID_VTD_SRE;
	if (flags & IOMMU_VTD_S1_EAFE)
		attrs->flags |= GPASID_VTD_EAFE;
	if (flags & IOMMU_VTD_S1_WPE)
		attrs->flags |= GPASID_VTD_WPE;

	return &s1->s2_domain->domain;
}

static int vtd_refuse(struct device *dev, const char *why)
{
	dev_warn_ratelimited(dev, "%s\n", why);
	return -EOPNOTSUPP;
}

static int vtd_check_first_stage(struct device *dev, struct dmar_domain *s2,
				 const struct gpasid_table_attrs *attrs)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;

	if (!s2->nested_parent ||
	    (attrs->addr_width != 48 && attrs->addr_width != 57))
		return -EINVAL;
	if (attrs->pgtbl >> agaw_to_width(min(s2->agaw, iommu->agaw))) {
		dev_warn_ratelimited(dev, "first-stage table 0x%llx too wide\n",
				     attrs->pgtbl);
		return -EINVAL;
	}
	if (!vtd_can_nest(iommu))
		return vtd_refuse(dev, "no nested translation");
	if (!vtd_max_pasids(dev))
		return vtd_refuse(dev, "no PASIDs on this device");
	if (attrs->addr_width == 57 && !cap_fl5lp_support(iommu->cap))
		return vtd_refuse(dev, "no 5-level first stage");
	if (attrs->flags & GPASID_VTD_SRE && !ecap_srs(iommu->ecap))
		return vtd_refuse(dev, "no supervisor requests");
	if (attrs->flags & GPASID_VTD_EAFE && !ecap_eafs(iommu->ecap))
		return vtd_refuse(dev, "no extended-accessed flag");

	return 0;
}

/*
 * Check for malformed arguments before missing hardware support, so that a
 * caller gets -EINVAL first on any machine.
 */
static int vtd_check(struct device *dev, struct iommu_domain *parent,
		     const struct gpasid_table_attrs *attrs)
{
	struct dmar_domain *s2 = to_dmar_domain(parent);

	if (parent->ops != intel_iommu_ops.default_domain_ops ||
	    s2->use_first_level)
		return -EINVAL;
	if (attrs)
		return vtd_check_first_stage(dev, s2, attrs);
	return vtd_max_pasids(dev) ? 0 :
	       vtd_refuse(dev, "no PASIDs on this device");
}

/*
 * Make new mappings of the parent flush the unit if it needs that.  The lock is
 * that of dirty tracking, whose flag shares a byte with iotlb_sync_map.
 */
static void vtd_sync_map(struct dmar_domain *s2, struct intel_iommu *iommu)
{
	if (!intel_gpasid_need_sync_map(s2, iommu))
		return;
	guard(spinlock)(&s2->lock);
	s2->iotlb_sync_map = true;
}

static int vtd_did_alloc(struct intel_iommu *iommu)
{
	unsigned long nr = cap_ndoms(iommu->cap), did;

	guard(spinlock)(&iommu->lock);
	did = find_first_zero_bit(iommu->domain_ids, nr);
	if (did >= nr)
		return -ENOSPC;
	set_bit(did, iommu->domain_ids);
	return did;
}

static void vtd_did_free(struct intel_iommu *iommu, u16 did)
{
	guard(spinlock)(&iommu->lock);
	clear_bit(did, iommu->domain_ids);
}

/*
 * Check that the unit can walk the parent's page table, and limit the parent's
 * address width to that of the unit.
 */
static int vtd_attach_check(struct dmar_domain *s2,
			    struct device_domain_info *info)
{
	int gaw = s2->gaw;
	int ret;

	if (!vtd_max_pasids(info->dev))
		return -EOPNOTSUPP;
	/* Do not reduce a table in use to the levels of a smaller unit. */
	if (info->iommu->agaw < s2->agaw)
		return -EINVAL;
	ret = prepare_domain_attach_device(&s2->domain, info->dev);
	/* Keep the width if it is smaller than that of this unit. */
	s2->gaw = min(gaw, s2->gaw);

	return ret;
}

/*
 * Take a reference on the parent's attachment to the unit.  A RID has usually
 * attached the parent already, and then nothing has to be allocated.
 */
static int vtd_join_unit(struct dmar_domain *s2, struct intel_iommu *iommu)
{
	struct iommu_domain_info *there;

	scoped_guard(spinlock, &iommu->lock) {
		there = xa_load(&s2->iommu_array, iommu->seq_id);
		if (there) {
			there->refcnt++;
			return 0;
		}
	}
	return domain_attach_iommu(s2, iommu);
}

/*
 * Use the parent's domain ID on the unit, or allocate one for the device's own
 * PASIDs.
 */
static int vtd_attach_did(struct gpasid_attachment *att, struct vtd_att *va)
{
	struct intel_iommu *iommu = vtd_info(att)->iommu;
	struct dmar_domain *s2 = vtd_s2(att);
	int ret;

	ret = vtd_join_unit(s2, iommu);
	if (ret)
		return ret;
	ret = att->own ? vtd_did_alloc(iommu) : domain_id_iommu(s2, iommu);
	if (ret < 0) {
		domain_detach_iommu(s2, iommu);
		return ret;
	}
	va->did = ret;

	return 0;
}

static void vtd_detach_did(struct gpasid_attachment *att, struct vtd_att *va)
{
	struct intel_iommu *iommu = vtd_info(att)->iommu;

	if (att->own)
		vtd_did_free(iommu, va->did);
	domain_detach_iommu(vtd_s2(att), iommu);
}

static int vtd_attach(struct gpasid_attachment *att)
{
	struct device_domain_info *info = vtd_info(att);
	struct dmar_domain *s2 = vtd_s2(att);
	struct vtd_att *va = (struct vtd_att *)att->drv;
	int ret;

	ret = vtd_attach_check(s2, info);
	if (ret)
		return ret;
	va->devtlb = vtd_devtlb(info);
	ret = vtd_attach_did(att, va);
	if (ret)
		return ret;
	ret = intel_gpasid_assign_tags(s2, info->dev, va->did,
				       va->devtlb == VTD_DEVTLB_ALL);
	if (ret) {
		vtd_detach_did(att, va);
		return ret;
	}
	vtd_sync_map(s2, info->iommu);
	if (va->devtlb == VTD_DEVTLB_EACH)
		atomic_inc(&vtd_nr_per_pasid);

	return 0;
}

static void vtd_detach(struct gpasid_attachment *att)
{
	struct vtd_att *va = (struct vtd_att *)att->drv;

	if (va->devtlb == VTD_DEVTLB_EACH)
		atomic_dec(&vtd_nr_per_pasid);
	intel_gpasid_unassign_tags(vtd_s2(att), att->gdev->dev, va->did,
				   va->devtlb == VTD_DEVTLB_ALL);
	vtd_detach_did(att, va);
}

/*
 * Change an entry from not present to present.  VT-d, "Guidance to software for
 * invalidations": nothing has to be invalidated unless the unit caches
 * not-present entries.
 */
static int vtd_bind(struct gpasid_binding *b)
{
	struct device_domain_info *info = vtd_info(b->att);
	struct intel_iommu *iommu = info->iommu;
	struct pasid_entry *pe, new;
	struct qi_desc desc[2];
	int i;

	pe = vtd_entry(info, b->pasid, true);
	if (!pe)
		return -ENOMEM;
	if (READ_ONCE(pe->val[0]))
		return -EBUSY;

	vtd_make_entry(b, &new);
	for (i = 1; i < ARRAY_SIZE(new.val); i++)
		WRITE_ONCE(pe->val[i], new.val[i]);
	vtd_flush_entry(iommu, pe, sizeof(*pe));
	dma_wmb();
	WRITE_ONCE(pe->val[0], new.val[0] | PASID_PTE_PRESENT);
	vtd_flush_entry(iommu, pe, sizeof(*pe));

	if (!cap_caching_mode(iommu->cap)) {
		iommu_flush_write_buffer(iommu);
		return 0;
	}
	vtd_desc_pasid_cache(&desc[0], vtd_did(b->att), b->pasid, QI_PC_PASID_SEL);
	vtd_desc_piotlb(&desc[1], vtd_did(b->att), b->pasid, 0, -1, false);
	vtd_submit(iommu, desc, ARRAY_SIZE(desc));

	return 0;
}

/*
 * Replace the table of an entry that stays present.  Two first stages differ in
 * one quadword only.  A change to or from second-stage-only translation is a
 * change of the type, and hardware ignores the first stage while the type is
 * second-stage only.  So hardware uses either the old table or the new one.
 */
static void vtd_set_table(struct gpasid_binding *b)
{
	struct device_domain_info *info = vtd_info(b->att);
	struct pasid_entry *pe = vtd_entry(info, b->pasid, false);
	struct pasid_entry type = { .val[0] = READ_ONCE(pe->val[0]) };

	pasid_set_translation_type(&type, vtd_pgtt(b->table));
	if (!b->table->second_stage) {
		WRITE_ONCE(pe->val[2], vtd_first_stage(b->table));
		vtd_flush_entry(info->iommu, pe, sizeof(*pe));
		dma_wmb();
	}
	WRITE_ONCE(pe->val[0], type.val[0]);
	vtd_flush_entry(info->iommu, pe, sizeof(*pe));
}

/*
 * Invalidate after vtd_set_table().  VT-d, "Guidance to software for
 * invalidations": PASID-selective PASID-cache, PASID-selective PASID-based
 * IOTLB, PASID-based device TLB.
 */
static void vtd_flush_table(struct gpasid_binding *b)
{
	struct device_domain_info *info = vtd_info(b->att);
	struct qi_desc desc[4];
	int n = 2;

	vtd_desc_pasid_cache(&desc[0], vtd_did(b->att), b->pasid, QI_PC_PASID_SEL);
	vtd_desc_piotlb(&desc[1], vtd_did(b->att), b->pasid, 0, -1, false);
	if (intel_gpasid_has_devtlb(info))
		n += vtd_add_devtlb(&desc[n], info, b);
	vtd_submit(info->iommu, desc, n);
}

static void vtd_clear(struct gpasid_binding *b)
{
	struct device_domain_info *info = vtd_info(b->att);
	struct pasid_entry *pe = vtd_entry(info, b->pasid, false);

	WRITE_ONCE(pe->val[0], READ_ONCE(pe->val[0]) & ~(u64)PASID_PTE_PRESENT);
	vtd_flush_entry(info->iommu, pe, sizeof(*pe));
}

/*
 * Invalidate after entries changed from present to not present: that of @b, or
 * all cleared ones of @att if @b is NULL.  VT-d, "Guidance to software for
 * invalidations", for PGTT 011b: PASID cache (of the PASID, or of the domain),
 * then domain-selective IOTLB, then the device TLB.
 */
static void vtd_flush(struct gpasid_attachment *att, struct gpasid_binding *b)
{
	struct device_domain_info *info = vtd_info(att);
	bool devtlb = intel_gpasid_has_devtlb(info);
	bool each = devtlb && !b && vtd_att_devtlb(att) != VTD_DEVTLB_ALL;
	struct intel_iommu *iommu = info->iommu;
	struct qi_desc desc[4];
	int n = 2;

	if (b)
		vtd_desc_pasid_cache(&desc[0], vtd_did(att), b->pasid,
				     QI_PC_PASID_SEL);
	else
		vtd_desc_pasid_cache(&desc[0], vtd_did(att), 0, QI_PC_ALL_PASIDS);
	qi_desc_iotlb(iommu, vtd_did(att), 0, 0, DMA_TLB_DSI_FLUSH, &desc[1]);
	if (devtlb && !each)
		n += vtd_add_devtlb(&desc[n], info, b);
	vtd_submit(iommu, desc, n);
	if (each)
		vtd_devtlb_each(att, true);
}

static void vtd_drain(struct gpasid_attachment *att, struct gpasid_binding *b)
{
	struct device_domain_info *info = vtd_info(att);

	intel_gpasid_drain_prq(info->dev, vtd_did(att),
			       b ? b->pasid : INTEL_GPASID_ALL,
			       vtd_att_devtlb(att) == VTD_DEVTLB_ALL);
}

static void vtd_reset(struct gpasid_binding *b)
{
	struct device_domain_info *info = vtd_info(b->att);
	struct pasid_entry *pe = vtd_entry(info, b->pasid, false);

	pasid_clear_entry(pe);
	vtd_flush_entry(info->iommu, pe, sizeof(*pe));
}

/*
 * Batches of first-stage invalidations, with one buffer for each unit
 */

#define VTD_BATCH_UNITS	8

struct vtd_batch_unit {
	struct intel_iommu *iommu;
	unsigned int nr;
	/* Range and tags of the last PASID-based IOTLB descriptor. */
	unsigned int last_entry;
	u16 last_did;
	u32 last_pasid;
	bool any;
	struct qi_desc desc[VTD_SUBMIT_MAX];
};

struct vtd_batch {
	struct vtd_batch_unit *unit[VTD_BATCH_UNITS];
	struct vtd_batch_unit first;	/* most batches need no other */
};

/* Descriptors are written as a whole, so the array needs no zeroing. */
static void vtd_batch_unit_init(struct vtd_batch_unit *unit)
{
	unit->iommu = NULL;
	unit->nr = 0;
	unit->any = false;
}

static void *vtd_inv_begin(void)
{
	struct vtd_batch *batch = kmalloc(sizeof(*batch), GFP_KERNEL);

	if (!batch)
		return NULL;
	memset(batch->unit, 0, sizeof(batch->unit));
	vtd_batch_unit_init(&batch->first);
	batch->unit[0] = &batch->first;

	return batch;
}

static struct vtd_batch_unit *vtd_batch_unit_alloc(void)
{
	struct vtd_batch_unit *unit = kmalloc(sizeof(*unit),
					      GFP_NOWAIT | __GFP_NOWARN);

	if (unit)
		vtd_batch_unit_init(unit);
	return unit;
}

static void vtd_batch_submit(struct vtd_batch_unit *unit)
{
	if (unit->nr)
		vtd_submit(unit->iommu, unit->desc, unit->nr);
	unit->nr = 0;
}

/*
 * Return the buffer for @iommu.  If no further buffer is available, submit and
 * reuse the first.
 */
static struct vtd_batch_unit *vtd_batch_unit(struct vtd_batch *batch,
					     struct intel_iommu *iommu)
{
	struct vtd_batch_unit *unit;
	int i;

	for (i = 0; i < VTD_BATCH_UNITS; i++) {
		if (!batch->unit[i])
			batch->unit[i] = vtd_batch_unit_alloc();
		unit = batch->unit[i];
		if (!unit)
			break;
		if (!unit->iommu)
			unit->iommu = iommu;
		if (unit->iommu == iommu)
			return unit;
	}

	unit = batch->unit[0];
	vtd_batch_submit(unit);
	unit->iommu = iommu;
	unit->any = false;
	return unit;
}

/* Find the smallest aligned block of 2^order pages that contains @range. */
static unsigned int vtd_range_order(const struct gpasid_inv_range *range,
				    u64 *base)
{
	u64 last = range->addr + range->npages * VTD_PAGE_SIZE - 1;
	unsigned int order = fls64((range->addr ^ last) >> VTD_PAGE_SHIFT);

	*base = order + VTD_PAGE_SHIFT < 64 ?
		range->addr & ~(BIT_ULL(order + VTD_PAGE_SHIFT) - 1) : 0;
	return order;
}

/* Add one descriptor for all devices that share the domain ID and the PASID. */
static void vtd_batch_piotlb(struct vtd_batch_unit *unit, u16 did, u32 pasid,
			     const struct gpasid_inv_range *range,
			     u64 base, unsigned int order)
{
	struct qi_desc *desc = &unit->desc[unit->nr];

	if (unit->any && unit->last_entry == range->entry &&
	    unit->last_did == did && unit->last_pasid == pasid)
		return;

	unit->any = true;
	unit->last_entry = range->entry;
	unit->last_did = did;
	unit->last_pasid = pasid;
	/*
	 * No mask covers the whole address space: such a range, and one above
	 * the unit's maximum mask, invalidates the whole PASID.
	 */
	if (range->all || order >= MAX_AGAW_PFN_WIDTH ||
	    order > cap_max_amask_val(unit->iommu->cap))
		vtd_desc_piotlb(desc, did, pasid, 0, -1, false);
	else
		vtd_desc_piotlb(desc, did, pasid, base, 1UL << order,
				range->leaf);
	unit->nr++;
}

/*
 * Submit unless there is room for one range of one more binding: an
 * invalidation of the IOTLB and up to two of the device TLB.
 */
static void vtd_batch_submit_full(struct vtd_batch_unit *unit)
{
	if (unit->nr > VTD_SUBMIT_MAX - 3)
		vtd_batch_submit(unit);
}

static void vtd_inv_range(void *priv, struct gpasid_binding *b,
			  const struct gpasid_inv_range *range)
{
	struct device_domain_info *info = vtd_info(b->att);
	unsigned int order = MAX_AGAW_PFN_WIDTH;
	struct vtd_batch_unit *unit;
	u64 base = 0;

	if (b->table->second_stage)
		return;
	if (!range->all)
		order = vtd_range_order(range, &base);

	unit = vtd_batch_unit(priv, info->iommu);
	vtd_batch_piotlb(unit, vtd_did(b->att), b->pasid, range, base, order);
	if (intel_gpasid_has_devtlb(info)) {
		vtd_desc_devtlb(&unit->desc[unit->nr++], info, b->pasid,
				base, order);
		if (info->dtlb_extra_inval)
			vtd_desc_devtlb(&unit->desc[unit->nr++], info,
					b->pasid, base, order);
	}
	vtd_batch_submit_full(unit);
}

static void vtd_inv_end(void *priv)
{
	struct vtd_batch *batch = priv;
	int i;

	for (i = 0; i < VTD_BATCH_UNITS && batch->unit[i]; i++) {
		vtd_batch_submit(batch->unit[i]);
		if (i)
			kfree(batch->unit[i]);
	}
	kfree(batch);
}

VISIBLE_IF_KUNIT const struct gpasid_ops vtd_ops = {
	.owner = THIS_MODULE,
	.iommu_ops = &intel_iommu_ops,
	.drv_size = sizeof(struct vtd_att),
	.get_caps = vtd_get_caps,
	.parse = vtd_parse,
	.describe = vtd_describe,
	.check = vtd_check,
	.attach = vtd_attach,
	.detach = vtd_detach,
	.bind = vtd_bind,
	.set_table = vtd_set_table,
	.flush_table = vtd_flush_table,
	.clear = vtd_clear,
	.flush = vtd_flush,
	.drain = vtd_drain,
	.reset = vtd_reset,
	.inv_begin = vtd_inv_begin,
	.inv_range = vtd_inv_range,
	.inv_end = vtd_inv_end,
};
EXPORT_SYMBOL_IF_KUNIT(vtd_ops);

/*
 * Called by the VT-d driver
 */

static void vtd_sync_one(struct gpasid_attachment *att, void *arg)
{
	struct device_domain_info *info = vtd_info(att);

	if (vtd_att_devtlb(att) == VTD_DEVTLB_EACH && intel_gpasid_has_devtlb(info))
		vtd_devtlb_each(att, false);
}

static void vtd_sync(struct dmar_domain *parent)
{
	if (atomic_read(&vtd_nr_per_pasid))
		gpasid_visit_attachments(&parent->domain, vtd_sync_one, NULL);
}

/*
 * Switch dirty tracking in all entries of @att.  The parent's flag is set
 * before this walk: a binding is either found by the walk or made with the new
 * flag.
 */
static void vtd_dirty_set(struct gpasid_attachment *att, void *arg)
{
	struct device_domain_info *info = vtd_info(att);
	struct dmar_domain *s2 = arg;
	struct gpasid_binding *b;
	struct pasid_entry *pe;
	unsigned long index;

	for (index = 0; (b = gpasid_att_next(att, &index)); index++) {
		if (b->state == GPASID_CLEARED)
			continue;
		pe = vtd_entry(info, b->pasid, false);
		if (s2->dirty_tracking)
			pasid_set_ssade(pe);
		else
			pasid_clear_ssade(pe);
		vtd_flush_entry(info->iommu, pe, sizeof(*pe));
		cond_resched();
	}
}

/* The caller flushes once after all entries are switched. */
static void vtd_dirty_switch(struct dmar_domain *parent)
{
	gpasid_visit_attachments(&parent->domain, vtd_dirty_set, parent);
}

/* Convert entry @index of the user's array to a range of at least one page. */
static int vtd_user_entry(struct iommu_user_data_array *array, u32 index,
			  struct gpasid_inv_range *range)
{
	struct iommu_hwpt_vtd_s1_invalidate inv;
	u64 bytes, end;
	int ret;

	ret = iommu_copy_struct_from_user_array(&inv, array,
						IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
						index, __reserved);
	if (ret)
		return ret;
	if (inv.flags & ~IOMMU_VTD_INV_FLAGS_LEAF || inv.__reserved)
		return -EOPNOTSUPP;
	if (!IS_ALIGNED(inv.addr, VTD_PAGE_SIZE) ||
	    (inv.npages == U64_MAX && inv.addr))
		return -EINVAL;

	range->entry = index;
	range->leaf = inv.flags & IOMMU_VTD_INV_FLAGS_LEAF;
	range->addr = inv.addr;
	range->npages = max(inv.npages, 1);
	range->all = check_mul_overflow(range->npages, (u64)VTD_PAGE_SIZE,
					&bytes) ||
		     check_add_overflow(range->addr, bytes - 1, &end);

	return 0;
}

struct vtd_user_inv {
	void *batch;
	struct gpasid_inv_range range;
};

static void vtd_user_binding(struct gpasid_binding *b, void *arg)
{
	struct vtd_user_inv *user = arg;

	vtd_inv_range(user->batch, b, &user->range);
}

/* Add device-TLB invalidations for a RID, whose entries have no PASID. */
static void vtd_user_devtlb(struct vtd_batch_unit *unit, struct device *dev,
			    u64 base, unsigned int order)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	int times = info->dtlb_extra_inval ? 2 : 1;

	if (!intel_gpasid_has_devtlb(info))
		return;
	while (times--) {
		unit->desc[unit->nr] = (struct qi_desc) {};
		qi_desc_dev_iotlb(PCI_DEVID(info->bus, info->devfn),
				  info->pfsid, info->ats_qdep, base, order,
				  &unit->desc[unit->nr++]);
	}
}

/* Invalidate for the attached RIDs, which have cache tags on the domain. */
static void vtd_user_rids(struct dmar_domain *nested, struct vtd_user_inv *user)
{
	const struct gpasid_inv_range *range = &user->range;
	unsigned int order = MAX_AGAW_PFN_WIDTH;
	struct vtd_batch_unit *unit;
	struct cache_tag *tag;
	u64 base = 0;

	if (!range->all)
		order = vtd_range_order(range, &base);
	guard(spinlock_irqsave)(&nested->cache_lock);
	list_for_each_entry(tag, &nested->cache_tags, node) {
		unit = vtd_batch_unit(user->batch, tag->iommu);
		if (tag->type == CACHE_TAG_DEVTLB)
			vtd_user_devtlb(unit, tag->dev, base, order);
		else
			vtd_batch_piotlb(unit, tag->domain_id, tag->pasid,
					 range, base, order);
		vtd_batch_submit_full(unit);
	}
}

/*
 * Invalidate the user's ranges for all bindings and RIDs of a nested domain,
 * with one wait for each submission.
 */
static int vtd_invalidate_user(struct dmar_domain *nested,
			       struct iommu_user_data_array *array)
{
	struct vtd_user_inv user = { .batch = vtd_inv_begin() };
	u32 done;
	int ret;

	ret = array->type != IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 ? -EINVAL :
	      !user.batch ? -ENOMEM : 0;
	for (done = 0; !ret && done < array->entry_num; done++) {
		ret = fatal_signal_pending(current) ? -EINTR :
		      vtd_user_entry(array, done, &user.range);
		if (ret)
			break;
		gpasid_visit_bindings(nested->domain.gpasid_table,
				      vtd_user_binding, &user);
		vtd_user_rids(nested, &user);
		cond_resched();
	}
	if (user.batch)
		vtd_inv_end(user.batch);
	array->entry_num = done;

	return ret;
}

static const struct intel_gpasid_hooks vtd_hooks = {
	.sync = vtd_sync,
	.dirty_switch = vtd_dirty_switch,
	.invalidate_user = vtd_invalidate_user,
};

static int __init vtd_gpasid_init(void)
{
	int ret;

	/* A PASID may be bound as soon as the operations are registered. */
	intel_gpasid_set_hooks(&vtd_hooks);
	ret = gpasid_register_ops(&vtd_ops);
	if (ret)
		intel_gpasid_set_hooks(NULL);
	return ret;
}

static void __exit vtd_gpasid_exit(void)
{
	gpasid_unregister_ops(&vtd_ops);
	intel_gpasid_set_hooks(NULL);
}

module_init(vtd_gpasid_init);
module_exit(vtd_gpasid_exit);

MODULE_DESCRIPTION("Guest PASIDs on Intel VT-d");
MODULE_LICENSE("GPL");
