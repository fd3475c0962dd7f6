/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest-visible interface of a virtual device of gpasid_vdcm.
 */
#ifndef GPASID_VDCM_H
#define GPASID_VDCM_H

#include <linux/types.h>

/**
 * enum vdcm_region - Regions of the VFIO device
 * @VDCM_REGION_REGS: struct vdcm_regs and the portal; emulated
 * @VDCM_REGION_RING: the hardware queue's ring of struct vtdsim_desc, read
 *                    only; can be mapped
 * @VDCM_REGION_MEM: memory on the device that belongs to the virtual device;
 *                   can be mapped
 * @VDCM_NR_REGIONS: number of regions
 */
enum vdcm_region {
	VDCM_REGION_REGS,
	VDCM_REGION_RING,
	VDCM_REGION_MEM,
	VDCM_NR_REGIONS,
};

#define VDCM_REGS_SIZE	0x1000
#define VDCM_RING_SIZE	0x4000
#define VDCM_MEM_SIZE	0x4000

/**
 * struct vdcm_regs - Registers, 32 bits each, at the start of VDCM_REGION_REGS
 * @pasid: guest PASID that the device uses, VDCM_NO_PASID for none.  A write
 *         stops the device; a PASID that is not bound is rejected
 * @enable: 1: the device runs.  Cannot be set without a PASID; writing 0 stops
 *          the device and drops the descriptors that it has not started
 * @status: VDCM_STATUS_*, read only
 * @head: first descriptor that is not complete, free running, read only
 * @tail: first free slot of the ring, free running, read only
 */
struct vdcm_regs {
	__u32 pasid;
	__u32 enable;
	__u32 status;
	__u32 head;
	__u32 tail;
};

#define VDCM_NO_PASID		0xffffffffU

#define VDCM_STATUS_REJECTED	0x1U	/* last write of @pasid was rejected */
#define VDCM_STATUS_REVOKED	0x2U	/* the PASID was revoked while in use */

/*
 * The portal: a write of 64 bytes here adds one struct vtdsim_desc to the ring.
 * The device adds the PASID.  The only flag that a guest may set is
 * VTDSIM_F_ATS, and vtdsim_desc::local is an offset in VDCM_REGION_MEM.
 */
#define VDCM_PORTAL		0x40

/* Offset of a region in the VFIO device file. */
#define VDCM_REGION_SHIFT	40
#define VDCM_REGION_OFFSET(r)	((__u64)(r) << VDCM_REGION_SHIFT)

#endif /* GPASID_VDCM_H */
