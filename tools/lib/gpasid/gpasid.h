/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libgpasid: guest PASIDs (vSVA) for a VMM.
 *
 * Every function takes the file descriptors and object IDs that the VMM has
 * already: @iommufd is /dev/iommu, @device a VFIO device file that is bound to it,
 * @dev_id the ID that VFIO_DEVICE_BIND_IOMMUFD gave.  The library keeps nothing, and
 * is as thread safe as the ioctls.  A function returns 0 or a negative errno, where
 * nothing else is said.
 */
#ifndef GPASID_H
#define GPASID_H

#include <stdbool.h>
#include <linux/types.h>
#include <linux/gpasid.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct gpasid_table - A guest's first-stage page table
 * @address: guest-physical address of the top table, 4 KiB aligned
 * @width: guest-virtual address width: 48 for 4 levels, 57 for 5
 * @flags: enum gpasid_vtd_flags
 */
struct gpasid_table {
	__u64 address;
	__u32 width;
	__u32 flags;
};

/*
 * The device's own PASIDs, by the ABI that Linux has since 6.15: every VM may use
 * every number on its own device.
 */

/* A second stage on an IOAS, for nested HWPTs and PASIDs. */
int gpasid_parent_alloc(int iommufd, __u32 dev_id, __u32 ioas_id, bool dirty,
			__u32 *hwpt_id);

/* A guest's table nested on @parent_id; @fault_id: a fault queue, or 0. */
int gpasid_hwpt_alloc(int iommufd, __u32 dev_id, __u32 parent_id,
		      const struct gpasid_table *table, __u32 fault_id,
		      __u32 *hwpt_id);
int gpasid_hwpt_free(int iommufd, __u32 hwpt_id);

/* A PASID that is attached to another HWPT is moved over. */
int gpasid_attach(int device, __u32 pasid, __u32 hwpt_id);
int gpasid_detach(int device, __u32 pasid);

/* On every device and PASID that the HWPT is attached to. */
int gpasid_hwpt_invalidate(int iommufd, __u32 hwpt_id, __u64 address,
			   __u64 npages, bool leaf);
int gpasid_hwpt_invalidate_all(int iommufd, __u32 hwpt_id);

/* Page requests: struct iommu_hwpt_pgfault of linux/iommufd.h. */
struct iommu_hwpt_pgfault;
int gpasid_hwpt_faults_open(int iommufd, __u32 *fault_id, int *fd);
int gpasid_hwpt_faults_read(int fd, struct iommu_hwpt_pgfault *faults, int max,
			    int timeout_ms);
int gpasid_hwpt_faults_answer(int fd, __u32 cookie, __u32 code);

/* Bits of a PASID on the device; 0: it has none. */
int gpasid_width(int iommufd, __u32 dev_id, unsigned int *width);

/*
 * Host-wide PASIDs, for devices that several VMs share (linux/gpasid.h).
 */

/*
 * Any number; one for a guest's number; one that the guest uses as it is.  @max: the
 * highest that the narrowest device can use, see gpasid_width(); 0: any.
 */
int gpasid_alloc(int iommufd, __u32 max, __u32 *hpasid);
int gpasid_alloc_guest(int iommufd, __u32 gpasid, __u32 max, __u32 *hpasid);
int gpasid_alloc_same(int iommufd, __u32 pasid);
int gpasid_free(int iommufd, __u32 hpasid);
int gpasid_free_guest(int iommufd, __u32 gpasid);
int gpasid_to_host(int iommufd, __u32 gpasid, __u32 *hpasid);
int gpasid_to_guest(int iommufd, __u32 hpasid, __u32 *gpasid);

/* @allocated and @pending may be NULL. */
int gpasid_quota_get(int iommufd, __u32 *quota, __u32 *allocated,
		     __u32 *pending);
int gpasid_quota_set(int iommufd, __u32 quota);

int gpasid_info(int device, struct vfio_device_gpasid_info *info);

/* By host PASID; by the guest's, which the host PASID has. */
int gpasid_bind(int device, __u32 hpasid, const struct gpasid_table *table);
int gpasid_bind_guest(int device, __u32 gpasid, const struct gpasid_table *table,
		      __u32 *hpasid);
int gpasid_replace(int device, __u32 hpasid, const struct gpasid_table *table);
int gpasid_unbind(int device, __u32 hpasid);
int gpasid_unbind_guest(int device, __u32 gpasid);

/* Whatever VFIO_DEVICE_GPASID_BIND can say; argsz and format are filled in. */
int gpasid_bind_args(int device, struct vfio_device_gpasid_bind *args);

/* @num: how many, and then how many were done. */
int gpasid_invalidate(int iommufd, const struct iommu_gpasid_inv *inv,
		      __u32 *num);
int gpasid_invalidate_range(int iommufd, __u32 gpasid, __u64 address,
			    __u64 npages, bool leaf);
int gpasid_invalidate_all(int iommufd, __u32 gpasid);

/* Page requests; @limit, @timeout_ms: 0 for the default. */
int gpasid_faults_open(int iommufd, __u32 limit, __u32 timeout_ms, int *fd);

/* Up to @max records within @timeout_ms: how many, or a negative errno. */
int gpasid_faults_read(int fd, struct iommu_gpasid_fault *faults, int max,
		       int timeout_ms);

/* @code: enum iommu_gpasid_fault_code.  -ENOENT: the request has ended. */
int gpasid_faults_answer(int fd, __u64 cookie, __u32 code);

#ifdef __cplusplus
}
#endif

#endif /* GPASID_H */
