/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: functions that the rest of iommufd calls.
 */
#ifndef __IOMMUFD_GPASID_H
#define __IOMMUFD_GPASID_H

#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <uapi/linux/gpasid.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_private.h"

struct iopt_pages;
struct page;

int iommufd_map_file_list(struct list_head *list, struct iopt_pages *pages,
			  unsigned long start_byte, unsigned long length);

#ifdef CONFIG_IOMMUFD_GPASID
int iommufd_gpasid_alloc(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_free(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_lookup(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_quota(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_invalidate(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_fault_alloc(struct iommufd_ucmd *ucmd);
void iommufd_gpasid_release(struct iommufd_ctx *ictx);
void iommufd_gpasid_unbind_all(struct iommufd_device *idev);
bool iommufd_gpasid_is_alone(struct iommufd_device *idev);
u32 iommufd_pasid_paging_flags(u32 flags);
u32 iommufd_pasid_nested_flags(u32 flags);
int iommufd_pasid_hwpt_init(struct iommufd_hw_pagetable *hwpt,
			    struct iommufd_device *idev, u32 flags);
void iommufd_pasid_hwpt_destroy(struct iommufd_hw_pagetable *hwpt);
struct iommufd_hw_pagetable *iommufd_pasid_get_nested(struct iommufd_ucmd *ucmd,
						      u32 id);
int iommufd_pasid_check_rid(struct iommufd_group *igroup,
			    const struct iommufd_hw_pagetable *hwpt);
void *iommufd_pasid_hw_info(struct device *dev, u32 *len,
			    struct iommu_hw_info *cmd);
u64 iommufd_pasid_hw_caps(struct device *dev);
int iommufd_pasid_status(struct pci_dev *pdev);
u32 iommufd_pasid_max(struct device *dev);
void iommufd_fault_free_ended(struct iommufd_fault *fault);
void iommufd_fault_free_unread(struct iommufd_fault *fault);
void iommufd_fault_poll_ended(struct iommufd_fault *fault);
bool iommufd_fault_refuse(struct iopf_group *group);
int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd);
long iommufd_map_file_pin(struct iopt_pages *pages, unsigned long pos,
			  unsigned long npages, unsigned int gup_flags,
			  struct page **out);
void iommufd_map_file_release(struct iopt_pages *pages);
#else
static inline int iommufd_gpasid_alloc(struct iommufd_ucmd *ucmd)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_gpasid_free(struct iommufd_ucmd *ucmd)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_gpasid_lookup(struct iommufd_ucmd *ucmd)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_gpasid_quota(struct iommufd_ucmd *ucmd)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_gpasid_invalidate(struct iommufd_ucmd *ucmd)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_gpasid_fault_alloc(struct iommufd_ucmd *ucmd)
{
	return -EOPNOTSUPP;
}

static inline void iommufd_fault_free_ended(struct iommufd_fault *fault)
{
}

static inline void iommufd_fault_free_unread(struct iommufd_fault *fault)
{
}

static inline void iommufd_fault_poll_ended(struct iommufd_fault *fault)
{
}

static inline bool iommufd_fault_refuse(struct iopf_group *group)
{
	return false;
}

static inline void iommufd_gpasid_release(struct iommufd_ctx *ictx)
{
}

static inline void iommufd_gpasid_unbind_all(struct iommufd_device *idev)
{
}

static inline u32 iommufd_pasid_paging_flags(u32 flags)
{
	return flags;
}

static inline u32 iommufd_pasid_nested_flags(u32 flags)
{
	return flags;
}

static inline int iommufd_pasid_hwpt_init(struct iommufd_hw_pagetable *hwpt,
					  struct iommufd_device *idev, u32 flags)
{
	return 0;
}

static inline void iommufd_pasid_hwpt_destroy(struct iommufd_hw_pagetable *hwpt)
{
}

static inline struct iommufd_hw_pagetable *
iommufd_pasid_get_nested(struct iommufd_ucmd *ucmd, u32 id)
{
	return iommufd_get_hwpt_nested(ucmd, id);
}

static inline int
iommufd_pasid_check_rid(struct iommufd_group *igroup,
			const struct iommufd_hw_pagetable *hwpt)
{
	return 0;
}

static inline void *iommufd_pasid_hw_info(struct device *dev, u32 *len,
					  struct iommu_hw_info *cmd)
{
	return cmd->flags ? ERR_PTR(-EOPNOTSUPP) :
	       dev_iommu_ops(dev)->hw_info(dev, len, &cmd->out_data_type);
}

static inline u64 iommufd_pasid_hw_caps(struct device *dev)
{
	return 0;
}

static inline int iommufd_pasid_status(struct pci_dev *pdev)
{
	return pci_pasid_status(pdev);
}

static inline u32 iommufd_pasid_max(struct device *dev)
{
	return dev->iommu->max_pasids;
}

static inline int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd)
{
	return -EOPNOTSUPP;
}

static inline long iommufd_map_file_pin(struct iopt_pages *pages,
					unsigned long pos, unsigned long npages,
					unsigned int gup_flags,
					struct page **out)
{
	return pin_user_pages_fast(pos, npages, gup_flags, out);
}

static inline void iommufd_map_file_release(struct iopt_pages *pages)
{
}
#endif

/*
 * Return true if the structure of the guest PASID command @nr is larger than a
 * page.  The part that the kernel does not know is checked for zeroes byte by
 * byte, so the size must be limited.
 */
static inline bool iommufd_gpasid_too_large(unsigned int nr, u32 size)
{
	return nr >= GPASID_CMD_ALLOC && nr <= GPASID_CMD_FAULT_ALLOC &&
	       size > PAGE_SIZE;
}

/* Defined in gpasid_set.c, called by gpasid_fault.c and gpasid.c */
struct ioasid_set *iommufd_gpasid_set(struct iommufd_ctx *ictx);
struct ioasid_set *iommufd_gpasid_set_make(struct iommufd_ctx *ictx);

/* Defined in gpasid_fault.c, called by gpasid.c */
int iommufd_gpasid_iopf_enable(struct iommufd_device *idev);
void iommufd_gpasid_iopf_disable(struct iommufd_device *idev);

#endif /* __IOMMUFD_GPASID_H */
