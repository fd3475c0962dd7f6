// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Guest PASIDs: the ioctls of linux/gpasid.h, one function for each use.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "gpasid-vmm.h"

static int pasid_alloc(struct gvm *vm, struct iommu_gpasid_alloc *cmd,
		       __u32 *hpasid)
{
	int rc;

	cmd->size = sizeof(*cmd);
	rc = gvm_ioctl(vm->iommufd, IOMMU_GPASID_ALLOC, cmd);
	if (!rc && hpasid)
		*hpasid = cmd->out_hpasid;
	return rc;
}

int gvm_pasid_alloc(struct gvm *vm, __u32 *hpasid)
{
	struct iommu_gpasid_alloc cmd = {};

	return pasid_alloc(vm, &cmd, hpasid);
}

int gvm_pasid_alloc_guest(struct gvm *vm, __u32 gpasid, __u32 *hpasid)
{
	struct iommu_gpasid_alloc cmd = {
		.flags = IOMMU_GPASID_ALLOC_GPASID,
		.gpasid = gpasid,
	};

	return pasid_alloc(vm, &cmd, hpasid);
}

int gvm_pasid_alloc_identity(struct gvm *vm, __u32 pasid)
{
	struct iommu_gpasid_alloc cmd = {
		.flags = IOMMU_GPASID_ALLOC_GPASID,
		.min = pasid,
		.max = pasid,
		.gpasid = pasid,
	};

	return pasid_alloc(vm, &cmd, NULL);
}

static int pasid_free(struct gvm *vm, __u32 flags, __u32 pasid)
{
	struct iommu_gpasid_free cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.pasid = pasid,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_GPASID_FREE, &cmd);
}

int gvm_pasid_free(struct gvm *vm, __u32 hpasid)
{
	return pasid_free(vm, 0, hpasid);
}

int gvm_pasid_free_guest(struct gvm *vm, __u32 gpasid)
{
	return pasid_free(vm, IOMMU_GPASID_BY_GPASID, gpasid);
}

static int pasid_lookup(struct gvm *vm, __u32 flags, __u32 in, __u32 *out)
{
	struct iommu_gpasid_lookup cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.pasid = in,
	};
	int rc = gvm_ioctl(vm->iommufd, IOMMU_GPASID_LOOKUP, &cmd);

	if (!rc)
		*out = cmd.out_pasid;
	return rc;
}

int gvm_pasid_g2h(struct gvm *vm, __u32 gpasid, __u32 *hpasid)
{
	return pasid_lookup(vm, IOMMU_GPASID_BY_GPASID, gpasid, hpasid);
}

int gvm_pasid_h2g(struct gvm *vm, __u32 hpasid, __u32 *gpasid)
{
	return pasid_lookup(vm, 0, hpasid, gpasid);
}

int gvm_quota_get(struct gvm *vm, __u32 *quota, __u32 *allocated, __u32 *pending)
{
	struct iommu_gpasid_quota cmd = { .size = sizeof(cmd) };
	int rc = gvm_ioctl(vm->iommufd, IOMMU_GPASID_QUOTA, &cmd);

	if (rc)
		return rc;
	if (quota)
		*quota = cmd.quota;
	if (allocated)
		*allocated = cmd.out_allocated;
	if (pending)
		*pending = cmd.out_pending;
	return 0;
}

int gvm_quota_set(struct gvm *vm, __u32 quota)
{
	struct iommu_gpasid_quota cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_GPASID_QUOTA_SET,
		.quota = quota,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_GPASID_QUOTA, &cmd);
}

int gvm_dev_info(struct gvm_dev *dev, struct vfio_device_gpasid_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	return gvm_ioctl(dev->fd, VFIO_DEVICE_GPASID_INFO, info);
}

int gvm_bind_args(struct gvm_dev *dev, struct vfio_device_gpasid_bind *args)
{
	args->argsz = sizeof(*args);
	args->format = GPASID_FORMAT_VTD;
	return gvm_ioctl(dev->fd, VFIO_DEVICE_GPASID_BIND, args);
}

static void describe(struct vfio_device_gpasid_bind *args,
		     const struct gvm_pt *pt, __u32 flags, __u32 hpasid)
{
	memset(args, 0, sizeof(*args));
	args->flags = flags;
	args->hpasid = hpasid;
	args->addr_width = pt->levels == 5 ? 57 : 48;
	args->pgtbl = pt->root;
}

int gvm_bind(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 gpasid,
	     __u32 *hpasid)
{
	struct vfio_device_gpasid_bind args;
	int rc, made = 1;
	__u32 h;

	/* Without one the kernel would refuse the bind, and say so in its log. */
	if (gvm_pasid_g2h(dev->vm, gpasid, &h) == -ENOENT)
		made = gvm_pasid_alloc_identity(dev->vm, gpasid);
	describe(&args, pt, VFIO_GPASID_BIND_GPASID, 0);
	args.gpasid = gpasid;
	rc = gvm_bind_args(dev, &args);
	if (rc && !made)
		gvm_pasid_free(dev->vm, gpasid);
	if (rc == -ENOENT && made < 0)
		return made;
	if (!rc && hpasid)
		*hpasid = args.hpasid;
	return rc;
}

int gvm_bind_identity(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 hpasid)
{
	struct vfio_device_gpasid_bind args;

	describe(&args, pt, 0, hpasid);
	return gvm_bind_args(dev, &args);
}

int gvm_replace(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 hpasid)
{
	struct vfio_device_gpasid_bind args;

	describe(&args, pt, VFIO_GPASID_BIND_REPLACE, hpasid);
	return gvm_bind_args(dev, &args);
}

static int unbind(struct gvm_dev *dev, __u32 flags, __u32 pasid)
{
	struct vfio_device_gpasid_unbind cmd = {
		.argsz = sizeof(cmd),
		.flags = flags,
		.pasid = pasid,
	};

	return gvm_ioctl(dev->fd, VFIO_DEVICE_GPASID_UNBIND, &cmd);
}

int gvm_unbind(struct gvm_dev *dev, __u32 hpasid)
{
	return unbind(dev, 0, hpasid);
}

int gvm_unbind_guest(struct gvm_dev *dev, __u32 gpasid)
{
	return unbind(dev, IOMMU_GPASID_BY_GPASID, gpasid);
}

int gvm_invalidate(struct gvm *vm, struct iommu_gpasid_inv *inv, __u32 *num)
{
	struct iommu_gpasid_invalidate cmd = {
		.size = sizeof(cmd),
		.entry_uptr = (uintptr_t)inv,
		.entry_len = sizeof(*inv),
		.entry_num = *num,
	};
	int rc = gvm_ioctl(vm->iommufd, IOMMU_GPASID_INVALIDATE, &cmd);

	*num = cmd.entry_num;
	return rc;
}

int gvm_invalidate_pasid(struct gvm *vm, __u32 gpasid)
{
	struct iommu_gpasid_inv inv = {
		.pasid = gpasid,
		.flags = IOMMU_GPASID_INV_BY_GPASID | IOMMU_GPASID_INV_PASID,
	};
	__u32 num = 1;

	return gvm_invalidate(vm, &inv, &num);
}

int gvm_invalidate_range(struct gvm *vm, __u32 gpasid, __u64 addr, __u64 npages,
			 bool leaf)
{
	struct iommu_gpasid_inv inv = {
		.pasid = gpasid,
		.flags = IOMMU_GPASID_INV_BY_GPASID,
		.addr = addr,
		.npages = npages,
	};
	__u32 num = 1;

	if (leaf)
		inv.flags |= IOMMU_GPASID_INV_LEAF;
	return gvm_invalidate(vm, &inv, &num);
}
