/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: interface between the VT-d driver and its guest-PASID backend,
 * a module.
 *
 * All PASIDs bound on a device under one parent have one or two domain IDs.  A
 * second-stage flush thus needs a few cache tags for a device, however many
 * PASIDs are bound: an IOTLB tag for each domain ID, and a device-TLB tag that
 * stands for all PASIDs.
 */
#ifndef __INTEL_GPASID_H
#define __INTEL_GPASID_H

#include <linux/delay.h>
#include <linux/pci.h>

#include "iommu.h"
#include "../gpasid_priv.h"

/* cache_tag::pasid of the tag that stands for all PASIDs of a device. */
#define INTEL_GPASID_ALL	IOMMU_PASID_INVALID

/* "PASID-based Device-TLB Invalidate Descriptor": the G bit. */
#define QI_DEV_EIOTLB_GLOBAL	1ULL

/* ATS Capability Register: Global Invalidate Supported. */
#define INTEL_GPASID_ATS_GLOBAL	0x0040

/* Size of a record in the page request queue, in bytes. */
#define INTEL_GPASID_PRQ_SIZE	32

/**
 * struct intel_gpasid_hooks - Functions of the backend called by the VT-d
 * driver
 * @sync: the second stage of a nest parent has changed and its cache tags are
 *        flushed; flush the device TLBs without a tag
 * @dirty_switch: dirty tracking on a nest parent has been switched; update the
 *                entries of its bindings; the caller flushes all caches that
 *                @sync does not flush
 * @invalidate_user: IOMMU_HWPT_INVALIDATE on a nested domain allocated for
 *                   PASIDs
 *
 * Called in process context.
 */
struct intel_gpasid_hooks {
	void (*sync)(struct dmar_domain *parent);
	void (*dirty_switch)(struct dmar_domain *parent);
	int (*invalidate_user)(struct dmar_domain *nested,
			       struct iommu_user_data_array *array);
};

void intel_gpasid_set_hooks(const struct intel_gpasid_hooks *hooks);
void intel_gpasid_sync(struct dmar_domain *parent);
int intel_gpasid_set_dirty_tracking(struct dmar_domain *domain, bool enable);
int intel_gpasid_read_and_clear_dirty(struct dmar_domain *domain,
				      unsigned long iova, size_t size,
				      unsigned long flags,
				      struct iommu_dirty_bitmap *dirty);
bool intel_gpasid_invalidate_user(struct iommu_domain *nested,
				  struct iommu_user_data_array *array,
				  int *ret);
bool intel_gpasid_can_prq(struct device_domain_info *info);
bool intel_gpasid_need_sync_map(struct dmar_domain *parent,
				struct intel_iommu *iommu);
bool intel_gpasid_has_superpages(const struct dmar_domain *domain,
				 const struct intel_iommu *iommu);
int intel_gpasid_assign_tags(struct dmar_domain *parent, struct device *dev,
			     u16 did, bool devtlb);
void intel_gpasid_unassign_tags(struct dmar_domain *parent, struct device *dev,
				u16 did, bool devtlb);
void intel_gpasid_flush_tag(struct intel_iommu *iommu,
			    struct device_domain_info *info,
			    struct qi_batch *batch);
bool intel_gpasid_prq_is(struct intel_iommu *iommu, int head, u16 sid,
			 u32 pasid);
bool intel_gpasid_prq(struct intel_iommu *iommu, u16 rid, u32 pasid);
void intel_gpasid_drain_prq(struct device *dev, u16 did, u32 pasid,
			    bool global);

/* Functions of the driver from which the integration removes "static". */
int cache_tag_assign(struct dmar_domain *domain, u16 did, struct device *dev,
		     ioasid_t pasid, enum cache_tag_type type);
void cache_tag_unassign(struct dmar_domain *domain, u16 did, struct device *dev,
			ioasid_t pasid, enum cache_tag_type type);
void cache_tag_flush_devtlb_all(struct dmar_domain *domain,
				struct cache_tag *tag);
int domain_qi_batch_alloc(struct dmar_domain *domain);
void qi_batch_flush_descs(struct intel_iommu *iommu, struct qi_batch *batch);
void qi_batch_increment_index(struct intel_iommu *iommu,
			      struct qi_batch *batch);
bool domain_need_iotlb_sync_map(struct dmar_domain *domain,
				struct intel_iommu *iommu);
void qi_dump_fault(struct intel_iommu *iommu, u32 fault);

#if IS_ENABLED(CONFIG_KUNIT)
extern const struct gpasid_ops vtd_ops;
#endif

/**
 * struct intel_gpasid_tries - What a unit has refused of one submission
 * @refused: the number of times, for each descriptor
 */
struct intel_gpasid_tries {
	u8 refused[QI_LENGTH];
};

/* gpasid_queue.c */
int intel_gpasid_port_add(struct device_domain_info *info);
void intel_gpasid_port_remove(struct device_domain_info *info);
bool intel_gpasid_ats_global(struct device_domain_info *info);
void intel_gpasid_port_hold(struct device_domain_info *info);
void intel_gpasid_port_settle(struct device_domain_info *info);
void intel_gpasid_port_release(struct device_domain_info *info);
void intel_gpasid_queue_desc(struct intel_iommu *iommu, void *to,
			     const struct qi_desc *desc, unsigned int nr,
			     const struct intel_gpasid_tries *tries);
int intel_gpasid_queue_check(struct intel_iommu *iommu, int wait_index);
int intel_gpasid_queue_done(struct intel_iommu *iommu, int index,
			    unsigned int count,
			    struct intel_gpasid_tries *tries);

/*
 * Return true if the device has a TLB that needs invalidations.  No device TLB
 * is invalidated while translation is off (VT-d: "Device-TLB").  Whether the
 * device can answer is checked in the unit's queue instead (gpasid_queue.c).
 */
static inline bool intel_gpasid_has_devtlb(struct device_domain_info *info)
{
	return info->ats_enabled && info->iommu->gcmd & DMA_GCMD_TE;
}

/*
 * One descriptor for the whole device TLB, all PASIDs.  VT-d: "PASID-based
 * Device-TLB Invalidate Descriptor", Global.
 */
static inline void intel_gpasid_desc_dev_iotlb_all(struct device_domain_info *info,
						   struct qi_desc *desc)
{
	qi_desc_dev_iotlb_pasid(PCI_DEVID(info->bus, info->devfn), info->pfsid,
				0, info->ats_qdep, 0, MAX_AGAW_PFN_WIDTH, desc);
	desc->qw1 |= QI_DEV_EIOTLB_GLOBAL;
	desc->qw2 = 0;
	desc->qw3 = 0;
}

#endif /* __INTEL_GPASID_H */
