// SPDX-License-Identifier: GPL-2.0-only

/* For ioasid_pool.c, which shares the PASID space with native SVA */
#include <linux/ioasid.h>

/**
 * iommu_global_pasid_alloc_range() - Allocate a global PASID from a range
 * @min: lowest PASID of the range
 * @max: highest PASID of the range
 *
 * Unlike iommu_alloc_global_pasid() this is not limited to the PASIDs that one
 * device supports.  Free the PASID by iommu_free_global_pasid().
 *
 * Context: Process context. May sleep.
 * Return: the lowest free PASID in [@min, @max]; -ENOSPC if all of them are
 * in use; -ENOMEM; -EINVAL if the range is not one of global PASIDs.
 */
int iommu_global_pasid_alloc_range(ioasid_t min, ioasid_t max)
{
	if (min < IOMMU_FIRST_GLOBAL_PASID || min > max || max > INT_MAX)
		return -EINVAL;
	return ida_alloc_range(&iommu_global_pasid_ida, min, max, GFP_KERNEL);
}
EXPORT_SYMBOL_GPL(iommu_global_pasid_alloc_range);
