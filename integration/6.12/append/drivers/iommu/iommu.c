// SPDX-License-Identifier: GPL-2.0-only

/* For drivers/iommu/ioasid_pool.c, which shares the space with native SVA */
#include <linux/ioasid.h>

/**
 * iommu_global_pasid_alloc_range() - Allocate a global PASID out of a range
 * @min: the lowest number wanted
 * @max: the highest number wanted
 *
 * Unlike iommu_alloc_global_pasid() this is not tied to what one device
 * supports.  iommu_free_global_pasid() gives the number back.
 *
 * Context: Process context. May sleep.
 * Return: the lowest free number in [@min, @max]; -ENOSPC if all of them are
 * taken; -ENOMEM; -EINVAL if the range is not one of global PASIDs.
 */
int iommu_global_pasid_alloc_range(ioasid_t min, ioasid_t max)
{
	if (min < IOMMU_FIRST_GLOBAL_PASID || min > max || max > INT_MAX)
		return -EINVAL;
	return ida_alloc_range(&iommu_global_pasid_ida, min, max, GFP_KERNEL);
}
EXPORT_SYMBOL_GPL(iommu_global_pasid_alloc_range);
