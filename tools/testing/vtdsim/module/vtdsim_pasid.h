/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/vtdsim_pasid-ssss:bb:dd.f: address spaces that a driver makes itself, on
 * PASIDs of an endpoint.
 */
#ifndef VTDSIM_PASID_H
#define VTDSIM_PASID_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VTDSIM_PASID_BUFFER	0x10000	/* bytes; one for each open file */

/* mmap(): offset 0 is BAR 0, this one the buffer. */
#define VTDSIM_PASID_BUFFER_OFF	0x1000000

struct vtdsim_pasid_req {
	__u32 pasid;
	__u32 reserved;
	__u64 iova;
};

/* A new address space for the PASID, with the buffer at iova. */
#define VTDSIM_PASID_ATTACH	_IOW('V', 0x61, struct vtdsim_pasid_req)
/* The PASID loses its address space. */
#define VTDSIM_PASID_DETACH	_IOW('V', 0x62, struct vtdsim_pasid_req)
/* The page at iova leaves the address space. */
#define VTDSIM_PASID_UNMAP	_IOW('V', 0x63, struct vtdsim_pasid_req)

#endif /* VTDSIM_PASID_H */
