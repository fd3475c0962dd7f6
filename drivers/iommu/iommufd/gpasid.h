/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: what the rest of iommufd calls.
 */
#ifndef __IOMMUFD_GPASID_H
#define __IOMMUFD_GPASID_H

#include <uapi/linux/gpasid.h>

struct iommufd_ctx;
struct iommufd_device;
struct iommufd_ucmd;

#ifdef CONFIG_IOMMUFD_GPASID
int iommufd_gpasid_alloc(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_free(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_lookup(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_quota(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_invalidate(struct iommufd_ucmd *ucmd);
int iommufd_gpasid_fault_alloc(struct iommufd_ucmd *ucmd);
void iommufd_gpasid_release(struct iommufd_ctx *ictx);
void iommufd_gpasid_unbind_all(struct iommufd_device *idev);
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

static inline void iommufd_gpasid_release(struct iommufd_ctx *ictx)
{
}

static inline void iommufd_gpasid_unbind_all(struct iommufd_device *idev)
{
}
#endif

/* Between gpasid.c and gpasid_fault.c. */
struct ioasid_set *iommufd_gpasid_set_make(struct iommufd_ctx *ictx);
int iommufd_gpasid_iopf_enable(struct iommufd_device *idev);
void iommufd_gpasid_iopf_disable(struct iommufd_device *idev);

#endif /* __IOMMUFD_GPASID_H */
