/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */

/* As in Linux 7.3 */
#ifndef IOMMU_IOAS_MAP_FILE
#define IOMMU_IOAS_MAP_FILE _IO(IOMMUFD_TYPE, 0x8f)

/**
 * struct iommu_ioas_map_file - ioctl(IOMMU_IOAS_MAP_FILE)
 * @size: sizeof(struct iommu_ioas_map_file)
 * @flags: as those of IOMMU_IOAS_MAP
 * @ioas_id: the IOAS to map into
 * @fd: a memfd
 * @start: byte offset in the file
 * @length: number of bytes to map
 * @iova: IOVA of the mapping; input with IOMMU_IOAS_MAP_FIXED_IOVA
 */
struct iommu_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};
#endif
