/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PASID part of iommufd's and VFIO's user ABI, which is in Linux since
 * 6.15 and not in the headers of 6.12.  Numbers and layout are the ABI's; the
 * names are this library's, so that later headers can be included beside it.
 */
#ifndef GPASID_HWPT_ABI_H
#define GPASID_HWPT_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Flags of IOMMU_HWPT_ALLOC; all of them, so that a mix is readable. */
enum gvm_hwpt_flags {
	GVM_HWPT_NEST_PARENT = 1 << 0,	/* second stage: nested HWPTs stand on it */
	GVM_HWPT_DIRTY = 1 << 1,	/* can track dirty pages */
	GVM_HWPT_FAULT = 1 << 2,	/* fault_id is valid */
	GVM_HWPT_PASID = 1 << 3,	/* for a PASID, or for a RID beside PASIDs */
};

/* Bits of iommu_hw_info::out_capabilities. */
enum gvm_hw_caps {
	GVM_HW_CAP_DIRTY = 1 << 0,
	GVM_HW_CAP_PASID_EXEC = 1 << 1,
	GVM_HW_CAP_PASID_PRIV = 1 << 2,
	GVM_HW_CAP_NO_ATS = 1 << 3,
};

/* Flag of IOMMU_GET_HW_INFO: out_data_type is the type that is asked for. */
#define GVM_HW_INFO_INPUT_TYPE	(1U << 0)

/* The one flag that both of VFIO's commands have. */
#define GVM_BY_PASID	(1U << 0)

/**
 * struct gvm_attach_pt - What VFIO_DEVICE_ATTACH_IOMMUFD_PT takes
 * @argsz: bytes, 12 or more; 16 or more with @pasid
 * @flags: 0 or GVM_BY_PASID
 * @pt_id: in: an IOAS or an HWPT; out: the HWPT that is attached
 * @pasid: read with GVM_BY_PASID only
 */
struct gvm_attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
	__u32 pasid;
};

/**
 * struct gvm_detach_pt - What VFIO_DEVICE_DETACH_IOMMUFD_PT takes
 * @argsz: bytes, 8 or more; 12 or more with @pasid
 * @flags: 0 or GVM_BY_PASID
 * @pasid: read with GVM_BY_PASID only
 */
struct gvm_detach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pasid;
};

/* ioctl of an iommufd, its type ';' as IOMMUFD_TYPE */
#define GVM_IOAS_MAP_FILE	_IO(';', 0x8f)

/**
 * struct gvm_ioas_map_file - What GVM_IOAS_MAP_FILE takes
 * @size: of this structure
 * @flags: those of IOMMU_IOAS_MAP
 * @ioas_id: the IOAS
 * @fd: a memfd
 * @start: position in the file
 * @length: bytes
 * @iova: where it is mapped
 */
struct gvm_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#endif /* GPASID_HWPT_ABI_H */
