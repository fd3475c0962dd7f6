/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: what the binding core's two files know of each other, and what
 * the I/O page fault layer knows of them.
 */
#ifndef __GPASID_PRIV_H
#define __GPASID_PRIV_H

#include <linux/gpasid.h>

struct iommu_attach_handle;
struct iopf_group;

/* gpasid.c; the caller is in an RCU read-side section. */
struct gpasid_binding *gpasid_binding_rcu(struct device *dev, ioasid_t hpasid);

/* gpasid_fault.c */
void gpasid_fault_flush(struct gpasid_device *gdev, struct gpasid_binding *b);
void gpasid_fault_discard_partial(struct gpasid_device *gdev,
				  struct gpasid_binding *b);
void gpasid_fault_init(void);
void gpasid_fault_exit(void);

/**
 * struct iommu_gpasid_iopf_ops - Who takes page requests of bound PASIDs
 * @claims: is @pasid of @dev a bound guest PASID
 * @handle: take the group; an error has it answered as invalid
 *
 * Called in process context, from the page-request thread of a unit.
 */
struct iommu_gpasid_iopf_ops {
	bool (*claims)(struct device *dev, ioasid_t pasid);
	int (*handle)(struct iopf_group *group);
};

/* Appended to io-pgfault.c, which CONFIG_GPASID selects. */
void iommu_gpasid_set_iopf_ops(const struct iommu_gpasid_iopf_ops *ops);
#ifdef CONFIG_IOMMU_IOPF
struct iommu_attach_handle *iommu_gpasid_attach_handle(struct device *dev,
						       ioasid_t pasid);
#else
static inline struct iommu_attach_handle *
iommu_gpasid_attach_handle(struct device *dev, ioasid_t pasid)
{
	return NULL;
}
#endif
enum iommu_page_response_code
iommu_gpasid_abort_code(const struct iommu_attach_handle *handle);
void iommu_gpasid_discard_partial(struct device *dev,
				  bool (*match)(ioasid_t pasid, void *arg),
				  void *arg);

#endif /* __GPASID_PRIV_H */
