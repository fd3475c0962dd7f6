// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host-wide PASIDs, for a VM of the tests.
 */
#include <errno.h>
#include <gpasid.h>

#include "gvm.h"

int gvm_pasid_alloc(struct gvm *vm, __u32 *hpasid)
{
	return gpasid_alloc(vm->iommufd, vm->max_pasid, hpasid);
}

int gvm_pasid_alloc_guest(struct gvm *vm, __u32 gpasid, __u32 *hpasid)
{
	return gpasid_alloc_guest(vm->iommufd, gpasid, vm->max_pasid, hpasid);
}

int gvm_pasid_alloc_identity(struct gvm *vm, __u32 pasid)
{
	return gpasid_alloc_same(vm->iommufd, pasid);
}

int gvm_pasid_free(struct gvm *vm, __u32 hpasid)
{
	return gpasid_free(vm->iommufd, hpasid);
}

int gvm_pasid_free_guest(struct gvm *vm, __u32 gpasid)
{
	return gpasid_free_guest(vm->iommufd, gpasid);
}

int gvm_pasid_g2h(struct gvm *vm, __u32 gpasid, __u32 *hpasid)
{
	return gpasid_to_host(vm->iommufd, gpasid, hpasid);
}

int gvm_pasid_h2g(struct gvm *vm, __u32 hpasid, __u32 *gpasid)
{
	return gpasid_to_guest(vm->iommufd, hpasid, gpasid);
}

int gvm_quota_get(struct gvm *vm, __u32 *quota, __u32 *allocated, __u32 *pending)
{
	return gpasid_quota_get(vm->iommufd, quota, allocated, pending);
}

int gvm_quota_set(struct gvm *vm, __u32 quota)
{
	return gpasid_quota_set(vm->iommufd, quota);
}

int gvm_dev_info(struct gvm_dev *dev, struct vfio_device_gpasid_info *info)
{
	return gpasid_info(dev->fd, info);
}

int gvm_bind_args(struct gvm_dev *dev, struct vfio_device_gpasid_bind *args)
{
	return gpasid_bind_args(dev->fd, args);
}

int gvm_bind(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 gpasid,
	     __u32 *hpasid)
{
	struct gpasid_table table = gvm_pt_table(pt);
	int rc, made = 1;
	__u32 h;

	/* Without one the kernel would refuse the bind, and say so in its log. */
	if (gvm_pasid_g2h(dev->vm, gpasid, &h) == -ENOENT)
		made = gvm_pasid_alloc_identity(dev->vm, gpasid);
	rc = gpasid_bind_guest(dev->fd, gpasid, &table, hpasid);
	if (rc && !made)
		gvm_pasid_free(dev->vm, gpasid);
	return rc == -ENOENT && made < 0 ? made : rc;
}

int gvm_bind_identity(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 hpasid)
{
	struct gpasid_table table = gvm_pt_table(pt);

	return gpasid_bind(dev->fd, hpasid, &table);
}

int gvm_replace(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 hpasid)
{
	struct gpasid_table table = gvm_pt_table(pt);

	return gpasid_replace(dev->fd, hpasid, &table);
}

int gvm_unbind(struct gvm_dev *dev, __u32 hpasid)
{
	return gpasid_unbind(dev->fd, hpasid);
}

int gvm_unbind_guest(struct gvm_dev *dev, __u32 gpasid)
{
	return gpasid_unbind_guest(dev->fd, gpasid);
}

int gvm_invalidate(struct gvm *vm, struct iommu_gpasid_inv *inv, __u32 *num)
{
	return gpasid_invalidate(vm->iommufd, inv, num);
}

int gvm_invalidate_pasid(struct gvm *vm, __u32 gpasid)
{
	return gpasid_invalidate_all(vm->iommufd, gpasid);
}

int gvm_invalidate_range(struct gvm *vm, __u32 gpasid, __u64 addr, __u64 npages,
			 bool leaf)
{
	return gpasid_invalidate_range(vm->iommufd, gpasid, addr, npages, leaf);
}
