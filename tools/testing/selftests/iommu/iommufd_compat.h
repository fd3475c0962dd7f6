/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the kernel's own iommufd.c where it does not compile against the tree
 * that it is in: some 6.12.y took tests over from later kernels, but not the
 * ABI that they name.  Included from the command line, before anything else.
 *
 * Neutral values: a device without PASIDs, information without a type asked
 * for.  Tests that want an answer to such a question are left out by name.
 */
#ifndef IOMMUFD_COMPAT_H
#define IOMMUFD_COMPAT_H

#define IOMMU_HW_INFO_TYPE_DEFAULT	0
#define IOMMU_HW_INFO_FLAG_INPUT_TYPE	0
#define in_data_type			out_data_type
#define MOCK_FLAGS_DEVICE_PASID		0
#define MOCK_PASID_WIDTH		0

#endif /* IOMMUFD_COMPAT_H */
