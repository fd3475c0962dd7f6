/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Guest PASIDs: user ABI of /dev/iommu and of VFIO device files.
 *
 * Every structure starts with its size (argsz on a VFIO device file) and grows
 * only at its end.  The part of a larger structure that the kernel does not
 * know must be zero, and the size at most a page (-E2BIG); fields that a caller
 * does not pass read as zero.  Reserved fields must be zero, and unknown flags
 * are refused with -EINVAL.
 */
#ifndef _UAPI_LINUX_GPASID_H
#define _UAPI_LINUX_GPASID_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define GPASID_TYPE		(';')

/* Command numbers, well above those that upstream assigns. */
enum {
	GPASID_CMD_BIND = 0xd4,
	GPASID_CMD_UNBIND = 0xd5,
	GPASID_CMD_INFO = 0xd6,
	GPASID_CMD_ALLOC = 0xe0,
	GPASID_CMD_FREE = 0xe1,
	GPASID_CMD_LOOKUP = 0xe2,
	GPASID_CMD_QUOTA = 0xe3,
	GPASID_CMD_INVALIDATE = 0xe4,
	GPASID_CMD_FAULT_ALLOC = 0xe5,
	GPASID_CMD_FAULT_PAUSE = 0xe6,
};

/**
 * enum iommu_gpasid_alloc_flags - Flags of IOMMU_GPASID_ALLOC
 * @IOMMU_GPASID_ALLOC_GPASID: @gpasid is given and becomes the guest PASID of
 *                             the host PASID allocated
 */
enum iommu_gpasid_alloc_flags {
	IOMMU_GPASID_ALLOC_GPASID = 1 << 0,
};

/**
 * struct iommu_gpasid_alloc - ioctl(IOMMU_GPASID_ALLOC)
 * @size: sizeof(struct iommu_gpasid_alloc)
 * @flags: Combination of enum iommu_gpasid_alloc_flags
 * @min: Smallest host PASID wanted, 0 for the smallest possible
 * @max: Largest host PASID wanted, inclusive, 0 for the largest possible
 * @gpasid: Guest PASID, with IOMMU_GPASID_ALLOC_GPASID
 * @out_hpasid: The host PASID allocated
 *
 * Allocate a host PASID.  It belongs to this context until it is freed or the
 * context is closed, and counts against the context's quota.
 *
 * Errors: EINVAL (empty range, PASID beyond 20 bits), EEXIST (guest PASID in
 * use), ENOSPC (quota, a limit of the administrator, more than
 * IOMMU_GPASID_ALONE_MAX without a device, or no free number in the range),
 * ENOMEM.
 */
struct iommu_gpasid_alloc {
	__u32 size;
	__u32 flags;
	__u32 min;
	__u32 max;
	__u32 gpasid;
	__u32 out_hpasid;
};

#define IOMMU_GPASID_ALLOC _IO(GPASID_TYPE, GPASID_CMD_ALLOC)

/* Number of host PASIDs that a context without a device may have (ENOSPC). */
#define IOMMU_GPASID_ALONE_MAX	64

/**
 * enum iommu_gpasid_flags - Meaning of a PASID argument
 * @IOMMU_GPASID_BY_GPASID: The PASID is a guest PASID, else a host PASID
 */
enum iommu_gpasid_flags {
	IOMMU_GPASID_BY_GPASID = 1 << 0,
};

/**
 * struct iommu_gpasid_free - ioctl(IOMMU_GPASID_FREE)
 * @size: sizeof(struct iommu_gpasid_free)
 * @flags: Combination of enum iommu_gpasid_flags
 * @pasid: The PASID to free
 * @__reserved: Must be 0
 *
 * Free a PASID.  Devices that still have the PASID bound are unbound first:
 * when the call returns, no device can access memory by the PASID.
 *
 * Errors: ENOENT (no such PASID in this context).
 */
struct iommu_gpasid_free {
	__u32 size;
	__u32 flags;
	__u32 pasid;
	__u32 __reserved;
};

#define IOMMU_GPASID_FREE _IO(GPASID_TYPE, GPASID_CMD_FREE)

/**
 * struct iommu_gpasid_lookup - ioctl(IOMMU_GPASID_LOOKUP)
 * @size: sizeof(struct iommu_gpasid_lookup)
 * @flags: Combination of enum iommu_gpasid_flags
 * @pasid: The PASID to look up
 * @out_pasid: Its host PASID with IOMMU_GPASID_BY_GPASID, else its guest PASID
 *
 * Translate a PASID of this context, from guest to host or back.
 *
 * Errors: ENOENT (no such PASID in this context, or a host PASID that has no
 * guest PASID).
 */
struct iommu_gpasid_lookup {
	__u32 size;
	__u32 flags;
	__u32 pasid;
	__u32 out_pasid;
};

#define IOMMU_GPASID_LOOKUP _IO(GPASID_TYPE, GPASID_CMD_LOOKUP)

/**
 * enum iommu_gpasid_quota_flags - Flags of IOMMU_GPASID_QUOTA
 * @IOMMU_GPASID_QUOTA_SET: Set the quota to @quota before reading
 */
enum iommu_gpasid_quota_flags {
	IOMMU_GPASID_QUOTA_SET = 1 << 0,
};

/**
 * struct iommu_gpasid_quota - ioctl(IOMMU_GPASID_QUOTA)
 * @size: sizeof(struct iommu_gpasid_quota)
 * @flags: Combination of enum iommu_gpasid_quota_flags
 * @quota: Input and output: number of host PASIDs that the context may have
 * @out_allocated: Number of host PASIDs that the context has
 * @out_pending: Number of these that were freed but are still referenced
 * @__reserved: Must be 0
 *
 * Read the context's quota and counts, or set the quota.
 *
 * Errors: EBUSY (quota below the number allocated), ENOSPC (quota above the
 * administrator's ceiling), EPERM (quota raised without CAP_SYS_RESOURCE),
 * EINVAL (quota 0).
 */
struct iommu_gpasid_quota {
	__u32 size;
	__u32 flags;
	__u32 quota;
	__u32 out_allocated;
	__u32 out_pending;
	__u32 __reserved;
};

#define IOMMU_GPASID_QUOTA _IO(GPASID_TYPE, GPASID_CMD_QUOTA)

/**
 * enum iommu_gpasid_inv_flags - Flags of an invalidation entry
 * @IOMMU_GPASID_INV_BY_GPASID: @pasid is a guest PASID, else a host PASID
 * @IOMMU_GPASID_INV_PASID: All cached translations of the PASID; @addr and
 *                          @npages must be 0
 * @IOMMU_GPASID_INV_LEAF: Only last-level entries changed
 */
enum iommu_gpasid_inv_flags {
	IOMMU_GPASID_INV_BY_GPASID = 1 << 0,
	IOMMU_GPASID_INV_PASID = 1 << 1,
	IOMMU_GPASID_INV_LEAF = 1 << 2,
};

/**
 * struct iommu_gpasid_inv - One entry of IOMMU_GPASID_INVALIDATE
 * @pasid: The PASID
 * @flags: Combination of enum iommu_gpasid_inv_flags
 * @addr: First guest-virtual address, aligned to 4 KiB
 * @npages: Number of 4 KiB pages
 */
struct iommu_gpasid_inv {
	__u32 pasid;
	__u32 flags;
	__aligned_u64 addr;
	__aligned_u64 npages;
};

/**
 * enum iommu_gpasid_invalidate_flags - Flags of IOMMU_GPASID_INVALIDATE
 * @IOMMU_GPASID_INVALIDATE_SKIP: Skip entries whose PASID is not in this
 *                                context or not bound, and count them as done
 */
enum iommu_gpasid_invalidate_flags {
	IOMMU_GPASID_INVALIDATE_SKIP = 1 << 0,
};

/**
 * struct iommu_gpasid_invalidate - ioctl(IOMMU_GPASID_INVALIDATE)
 * @size: sizeof(struct iommu_gpasid_invalidate)
 * @flags: Combination of enum iommu_gpasid_invalidate_flags
 * @entry_uptr: User pointer to an array of struct iommu_gpasid_inv
 * @entry_len: sizeof(struct iommu_gpasid_inv)
 * @entry_num: Input: entries in the array.  Output: entries done
 *
 * Send a guest's first-stage invalidations to every device of the context that
 * has the PASID bound.  When the call returns, the invalidations are complete.
 * The call ends at the first entry in error; @entry_num is then the number of
 * entries done before it.  The queue of a guest may still contain invalidations
 * for a PASID that the guest has just freed; use IOMMU_GPASID_INVALIDATE_SKIP
 * for these.
 *
 * Errors: EINVAL (flags, @entry_len too small, alignment, empty range, or a
 * range that wraps), ENOENT (without IOMMU_GPASID_INVALIDATE_SKIP: no such
 * PASID in this context, or not bound), E2BIG (@entry_len above a page, or
 * bytes after the known entry that are not zero), EINTR (the caller is being
 * killed), EFAULT, ENOMEM.
 */
struct iommu_gpasid_invalidate {
	__u32 size;
	__u32 flags;
	__aligned_u64 entry_uptr;
	__u32 entry_len;
	__u32 entry_num;
};

#define IOMMU_GPASID_INVALIDATE _IO(GPASID_TYPE, GPASID_CMD_INVALIDATE)

/**
 * struct iommu_gpasid_fault_alloc - ioctl(IOMMU_GPASID_FAULT_ALLOC)
 * @size: sizeof(struct iommu_gpasid_fault_alloc)
 * @flags: Must be 0
 * @limit: Input: number of page request groups that may be unanswered at a
 *         time, 0 for the default; a group beyond the limit is answered as
 *         invalid.  Output: the limit in force
 * @timeout_ms: Input: milliseconds after which an unanswered group is answered
 *              as invalid, 0 for the default.  Output: the time limit in force
 * @out_fault_fd: The file descriptor, close-on-exec
 * @__reserved: Must be 0
 *
 * Open the fault file, on which page requests of this context's bound PASIDs
 * are read and answered.  read() returns whole records of struct
 * iommu_gpasid_fault, as many as are unread and fit; if there is none, read()
 * waits, or with O_NONBLOCK fails with EAGAIN.  A length that is 0 or not a
 * multiple of a record is EINVAL.  write() takes whole records of struct
 * iommu_gpasid_fault_response and stops at the first record in error.  It
 * returns the number of bytes taken, or, if the first record is in error, its
 * error: ENOENT (no such unanswered group in this context, or not all of its
 * records have been read), EINVAL (code, reserved field, or length), EFAULT.
 * poll() reports when records are unread.
 *
 * Page requests are enabled on a device when a PASID is bound on the device
 * while the file is open.  When the file is closed, outstanding groups are
 * answered as invalid.  IOMMU_GPASID_FAULT_PAUSE stops the time limit.
 *
 * Errors: EBUSY (the context already has a fault file), EINVAL (flags, reserved
 * field, limit or timeout out of range), EMFILE and ENFILE (too many open
 * files), ENOMEM.
 */
struct iommu_gpasid_fault_alloc {
	__u32 size;
	__u32 flags;
	__u32 limit;
	__u32 timeout_ms;
	__u32 out_fault_fd;
	__u32 __reserved;
};

#define IOMMU_GPASID_FAULT_ALLOC _IO(GPASID_TYPE, GPASID_CMD_FAULT_ALLOC)

/**
 * enum iommu_gpasid_fault_pause_flags - Flags of IOMMU_GPASID_FAULT_PAUSE
 * @IOMMU_GPASID_FAULT_PAUSED: Stop the time limits; else resume them
 */
enum iommu_gpasid_fault_pause_flags {
	IOMMU_GPASID_FAULT_PAUSED = 1 << 0,
};

/**
 * struct iommu_gpasid_fault_pause - ioctl(IOMMU_GPASID_FAULT_PAUSE)
 * @size: sizeof(struct iommu_gpasid_fault_pause)
 * @flags: Combination of enum iommu_gpasid_fault_pause_flags
 *
 * On the fault file of IOMMU_GPASID_FAULT_ALLOC, for a VMM that pauses its VM:
 * stop or resume the time limits of all page request groups.  After a pause,
 * each time limit continues where it was stopped.  During a pause, groups can
 * be read and answered, and an unbind, a reset or the close of the file ends
 * them, as usual.
 *
 * Errors: EINVAL (size, unknown flag), EFAULT.
 */
struct iommu_gpasid_fault_pause {
	__u32 size;
	__u32 flags;
};

#define IOMMU_GPASID_FAULT_PAUSE _IO(GPASID_TYPE, GPASID_CMD_FAULT_PAUSE)

/* Bounds of iommu_gpasid_fault_alloc::limit and ::timeout_ms. */
#define IOMMU_GPASID_FAULT_LIMIT_MAX	65536
#define IOMMU_GPASID_FAULT_TIMEOUT_MAX	600000

/**
 * enum iommu_gpasid_fault_perm - Access that a page request asks for
 * @IOMMU_GPASID_FAULT_READ: Read
 * @IOMMU_GPASID_FAULT_WRITE: Write
 * @IOMMU_GPASID_FAULT_EXEC: Execute
 * @IOMMU_GPASID_FAULT_PRIV: In privileged mode
 */
enum iommu_gpasid_fault_perm {
	IOMMU_GPASID_FAULT_READ = 1 << 0,
	IOMMU_GPASID_FAULT_WRITE = 1 << 1,
	IOMMU_GPASID_FAULT_EXEC = 1 << 2,
	IOMMU_GPASID_FAULT_PRIV = 1 << 3,
};

/**
 * enum iommu_gpasid_fault_flags - Flags of a page request
 * @IOMMU_GPASID_FAULT_LAST: The last request of its group, which is to be
 *                           answered now
 */
enum iommu_gpasid_fault_flags {
	IOMMU_GPASID_FAULT_LAST = 1 << 0,
};

/**
 * struct iommu_gpasid_fault - One page request
 * @cookie: Identifies the group in the answer; the same in all requests of a
 *          group
 * @dev_id: iommufd ID of the device
 * @gpasid: Guest PASID
 * @group: Page request group index, as the device gave it
 * @perm: Combination of enum iommu_gpasid_fault_perm
 * @flags: Combination of enum iommu_gpasid_fault_flags
 * @__reserved: 0
 * @addr: Guest-virtual address of the page
 */
struct iommu_gpasid_fault {
	__aligned_u64 cookie;
	__u32 dev_id;
	__u32 gpasid;
	__u32 group;
	__u32 perm;
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 addr;
};

/**
 * enum iommu_gpasid_fault_code - Answer to a page request group
 * @IOMMU_GPASID_FAULT_SUCCESS: The pages are present; the device retries
 * @IOMMU_GPASID_FAULT_INVALID: A page cannot be made present; the access fails
 * @IOMMU_GPASID_FAULT_FAILURE: Catastrophic error; the device sends no page
 *                              requests, for any PASID, until it is reset.  On
 *                              a device that is shared with other VMs, handled
 *                              as IOMMU_GPASID_FAULT_INVALID
 */
enum iommu_gpasid_fault_code {
	IOMMU_GPASID_FAULT_SUCCESS = 0,
	IOMMU_GPASID_FAULT_INVALID = 1,
	IOMMU_GPASID_FAULT_FAILURE = 2,
};

/**
 * struct iommu_gpasid_fault_response - Answer to a page request group
 * @cookie: iommu_gpasid_fault::cookie
 * @code: One of enum iommu_gpasid_fault_code
 * @__reserved: Must be 0
 */
struct iommu_gpasid_fault_response {
	__aligned_u64 cookie;
	__u32 code;
	__u32 __reserved;
};

/**
 * enum gpasid_format - Format of a first-stage table
 * @GPASID_FORMAT_VTD: Intel VT-d first-stage translation
 */
enum gpasid_format {
	GPASID_FORMAT_VTD = 1,
};

/**
 * enum gpasid_vtd_flags - VT-d first-stage attributes
 * @GPASID_VTD_SRE: Supervisor requests are enabled
 * @GPASID_VTD_EAFE: The extended-accessed flag is set in first-stage entries
 * @GPASID_VTD_WPE: Supervisor writes honour read-only entries; needs SRE
 */
enum gpasid_vtd_flags {
	GPASID_VTD_SRE = 1 << 0,
	GPASID_VTD_EAFE = 1 << 1,
	GPASID_VTD_WPE = 1 << 2,
};

/**
 * enum vfio_gpasid_bind_flags - Flags of VFIO_DEVICE_GPASID_BIND
 * @VFIO_GPASID_BIND_GPASID: @gpasid is given; else the guest uses the host
 *                           PASID (identity)
 * @VFIO_GPASID_BIND_REPLACE: Replace the first-stage table of a bound PASID, on
 *                            all devices that have the PASID bound under the
 *                            same second stage
 */
enum vfio_gpasid_bind_flags {
	VFIO_GPASID_BIND_GPASID = 1 << 0,
	VFIO_GPASID_BIND_REPLACE = 1 << 1,
};

/**
 * struct vfio_device_gpasid_bind - ioctl(VFIO_DEVICE_GPASID_BIND)
 * @argsz: sizeof(struct vfio_device_gpasid_bind)
 * @flags: Combination of enum vfio_gpasid_bind_flags
 * @format: One of enum gpasid_format
 * @addr_width: Guest-virtual address width: 48 (4 levels) or 57 (5 levels)
 * @hpasid: Input: a host PASID of the context, or 0 for the host PASID of
 *          @gpasid.  Output: the host PASID bound
 * @gpasid: Guest PASID, with VFIO_GPASID_BIND_GPASID
 * @pgtbl: Guest-physical address of the guest's first-stage table
 * @vtd_flags: Combination of enum gpasid_vtd_flags
 * @pt_id: Nest-parent HWPT to bind under, or 0 for the one that the device is
 *         attached to, directly or by a nested HWPT.  The HWPT cannot be
 *         destroyed while the binding exists.  Must be 0 on a virtual device
 * @__reserved: Must be 0
 *
 * Point the device's PASID-table entry at a guest's first-stage table, nested
 * on a nest-parent HWPT.  The binding does not change when the device is
 * attached to another HWPT or detached afterwards.
 *
 * The guest of a physical device writes its PASID into the device, which puts
 * the same PASID on the wire: on such a device the guest PASID is the host
 * PASID.
 *
 * Errors: EINVAL (unknown flag, misaligned or too wide table address, PASID out
 * of range; physical device: the guest PASID is not the host PASID), EOPNOTSUPP
 * (not supported by the hardware, or the device is not alone in its IOMMU
 * group), ENOENT (PASID or HWPT not of this context; replace: not bound),
 * EEXIST (the host PASID has another guest PASID), EBUSY (already bound, or
 * bound to another table on another device), ENODEV (device not attached to a
 * nesting parent), ENOSPC, ENOMEM.  As for every ioctl of a VFIO device file:
 * EINVAL (file not bound to iommufd), ENOTTY (file opened by its VFIO group).
 */
struct vfio_device_gpasid_bind {
	__u32 argsz;
	__u32 flags;
	__u32 format;
	__u32 addr_width;
	__u32 hpasid;
	__u32 gpasid;
	__aligned_u64 pgtbl;
	__aligned_u64 vtd_flags;
	__u32 pt_id;
	__u32 __reserved;
};

#define VFIO_DEVICE_GPASID_BIND _IO(GPASID_TYPE, GPASID_CMD_BIND)

/**
 * struct vfio_device_gpasid_unbind - ioctl(VFIO_DEVICE_GPASID_UNBIND)
 * @argsz: sizeof(struct vfio_device_gpasid_unbind)
 * @flags: Combination of enum iommu_gpasid_flags
 * @pasid: The PASID to unbind from this device
 * @__reserved: Must be 0
 *
 * Unbind a PASID.  When the call returns, the device cannot access memory by
 * the PASID, and no cache holds a translation of the PASID.
 *
 * Errors: ENOENT (not bound on this device by this file), EINVAL (flags,
 * reserved field, or file not bound to iommufd), ENOTTY (file opened by its
 * VFIO group).
 */
struct vfio_device_gpasid_unbind {
	__u32 argsz;
	__u32 flags;
	__u32 pasid;
	__u32 __reserved;
};

#define VFIO_DEVICE_GPASID_UNBIND _IO(GPASID_TYPE, GPASID_CMD_UNBIND)

/**
 * enum gpasid_cap_flags - Capabilities of a device and its IOMMU
 * @GPASID_CAP_NEST: Nested translation per PASID
 * @GPASID_CAP_ATS: Address Translation Services are enabled
 * @GPASID_CAP_ATS_GLOBAL: The device TLB can be invalidated for all
 *                         PASIDs at once
 * @GPASID_CAP_PRI: The device can send page requests
 * @GPASID_CAP_DIRTY: Second-stage dirty tracking
 */
enum gpasid_cap_flags {
	GPASID_CAP_NEST = 1 << 0,
	GPASID_CAP_ATS = 1 << 1,
	GPASID_CAP_ATS_GLOBAL = 1 << 2,
	GPASID_CAP_PRI = 1 << 3,
	GPASID_CAP_DIRTY = 1 << 4,
};

/**
 * enum gpasid_errata_flags - Errata that a VMM must take into account
 * @GPASID_ERRATA_772415: The second stage of a nested entry must not have
 *                        read-only mappings; they are refused on a nesting
 *                        parent
 */
enum gpasid_errata_flags {
	GPASID_ERRATA_772415 = 1 << 0,
};

/**
 * struct vfio_device_gpasid_info - ioctl(VFIO_DEVICE_GPASID_INFO)
 * @argsz: sizeof(struct vfio_device_gpasid_info)
 * @flags: Must be 0
 * @out_caps: Combination of enum gpasid_cap_flags
 * @out_errata: Combination of enum gpasid_errata_flags
 * @out_vtd_flags: Combination of enum gpasid_vtd_flags that a bind may ask for
 * @out_pasid_bits: Width of the PASIDs that the device can use, 0 for none
 * @out_addr_widths: Bit 0: 48-bit, bit 1: 57-bit first-stage tables
 * @out_formats: Bit N: enum gpasid_format N
 * @out_bound: Number of PASIDs bound on this device by this file
 *
 * Report the attributes that a bind on this device may ask for.
 *
 * Errors: EINVAL (flags, or file not bound to iommufd), ENOTTY (file opened by
 * its VFIO group), EOPNOTSUPP (the IOMMU driver does not support guest PASIDs).
 */
struct vfio_device_gpasid_info {
	__u32 argsz;
	__u32 flags;
	__u32 out_caps;
	__u32 out_errata;
	__aligned_u64 out_vtd_flags;
	__u32 out_pasid_bits;
	__u32 out_addr_widths;
	__u32 out_formats;
	__u32 out_bound;
};

#define VFIO_DEVICE_GPASID_INFO _IO(GPASID_TYPE, GPASID_CMD_INFO)

#endif /* _UAPI_LINUX_GPASID_H */
