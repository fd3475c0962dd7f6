// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * libgpasid: host-wide PASIDs, by the ioctls of linux/gpasid.h.
 */
#include <stdint.h>
#include <string.h>

#include "gpasid.h"
#include "internal.h"

static int pasid_alloc(int iommufd, struct iommu_gpasid_alloc *cmd,
		       __u32 *hpasid)
{
	int rc;

	cmd->size = sizeof(*cmd);
	rc = gpasid_ioctl(iommufd, IOMMU_GPASID_ALLOC, cmd);
	if (!rc && hpasid)
		*hpasid = cmd->out_hpasid;
	return rc;
}

int gpasid_alloc(int iommufd, __u32 max, __u32 *hpasid)
{
	struct iommu_gpasid_alloc cmd = { .max = max };

	return pasid_alloc(iommufd, &cmd, hpasid);
}

int gpasid_alloc_guest(int iommufd, __u32 gpasid, __u32 max, __u32 *hpasid)
{
	struct iommu_gpasid_alloc cmd = {
		.flags = IOMMU_GPASID_ALLOC_GPASID,
		.max = max,
		.gpasid = gpasid,
	};

	return pasid_alloc(iommufd, &cmd, hpasid);
}

int gpasid_alloc_same(int iommufd, __u32 pasid)
{
	struct iommu_gpasid_alloc cmd = {
		.flags = IOMMU_GPASID_ALLOC_GPASID,
		.min = pasid,
		.max = pasid,
		.gpasid = pasid,
	};

	return pasid_alloc(iommufd, &cmd, NULL);
}

static int pasid_free(int iommufd, __u32 flags, __u32 pasid)
{
	struct iommu_gpasid_free cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.pasid = pasid,
	};

	return gpasid_ioctl(iommufd, IOMMU_GPASID_FREE, &cmd);
}

int gpasid_free(int iommufd, __u32 hpasid)
{
	return pasid_free(iommufd, 0, hpasid);
}

int gpasid_free_guest(int iommufd, __u32 gpasid)
{
	return pasid_free(iommufd, IOMMU_GPASID_BY_GPASID, gpasid);
}

static int pasid_lookup(int iommufd, __u32 flags, __u32 in, __u32 *out)
{
	struct iommu_gpasid_lookup cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.pasid = in,
	};
	int rc = gpasid_ioctl(iommufd, IOMMU_GPASID_LOOKUP, &cmd);

	if (!rc)
		*out = cmd.out_pasid;
	return rc;
}

int gpasid_to_host(int iommufd, __u32 gpasid, __u32 *hpasid)
{
	return pasid_lookup(iommufd, IOMMU_GPASID_BY_GPASID, gpasid, hpasid);
}

int gpasid_to_guest(int iommufd, __u32 hpasid, __u32 *gpasid)
{
	return pasid_lookup(iommufd, 0, hpasid, gpasid);
}

int gpasid_quota_get(int iommufd, __u32 *quota, __u32 *allocated,
		     __u32 *pending)
{
	struct iommu_gpasid_quota cmd = { .size = sizeof(cmd) };
	int rc = gpasid_ioctl(iommufd, IOMMU_GPASID_QUOTA, &cmd);

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

int gpasid_quota_set(int iommufd, __u32 quota)
{
	struct iommu_gpasid_quota cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_GPASID_QUOTA_SET,
		.quota = quota,
	};

	return gpasid_ioctl(iommufd, IOMMU_GPASID_QUOTA, &cmd);
}

int gpasid_info(int device, struct vfio_device_gpasid_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	return gpasid_ioctl(device, VFIO_DEVICE_GPASID_INFO, info);
}

int gpasid_bind_args(int device, struct vfio_device_gpasid_bind *args)
{
	args->argsz = sizeof(*args);
	args->format = GPASID_FORMAT_VTD;
	return gpasid_ioctl(device, VFIO_DEVICE_GPASID_BIND, args);
}

static int bind_table(int device, const struct gpasid_table *table,
		      struct vfio_device_gpasid_bind *args)
{
	args->pgtbl = table->address;
	args->addr_width = table->width;
	args->vtd_flags = table->flags;
	return gpasid_bind_args(device, args);
}

int gpasid_bind(int device, __u32 hpasid, const struct gpasid_table *table)
{
	struct vfio_device_gpasid_bind args = { .hpasid = hpasid };

	return bind_table(device, table, &args);
}

int gpasid_bind_guest(int device, __u32 gpasid, const struct gpasid_table *table,
		      __u32 *hpasid)
{
	struct vfio_device_gpasid_bind args = {
		.flags = VFIO_GPASID_BIND_GPASID,
		.gpasid = gpasid,
	};
	int rc = bind_table(device, table, &args);

	if (!rc && hpasid)
		*hpasid = args.hpasid;
	return rc;
}

int gpasid_replace(int device, __u32 hpasid, const struct gpasid_table *table)
{
	struct vfio_device_gpasid_bind args = {
		.flags = VFIO_GPASID_BIND_REPLACE,
		.hpasid = hpasid,
	};

	return bind_table(device, table, &args);
}

static int unbind(int device, __u32 flags, __u32 pasid)
{
	struct vfio_device_gpasid_unbind cmd = {
		.argsz = sizeof(cmd),
		.flags = flags,
		.pasid = pasid,
	};

	return gpasid_ioctl(device, VFIO_DEVICE_GPASID_UNBIND, &cmd);
}

int gpasid_unbind(int device, __u32 hpasid)
{
	return unbind(device, 0, hpasid);
}

int gpasid_unbind_guest(int device, __u32 gpasid)
{
	return unbind(device, IOMMU_GPASID_BY_GPASID, gpasid);
}

int gpasid_invalidate(int iommufd, const struct iommu_gpasid_inv *inv,
		      __u32 *num)
{
	struct iommu_gpasid_invalidate cmd = {
		.size = sizeof(cmd),
		.entry_uptr = (uintptr_t)inv,
		.entry_len = sizeof(*inv),
		.entry_num = *num,
	};
	int rc = gpasid_ioctl(iommufd, IOMMU_GPASID_INVALIDATE, &cmd);

	*num = cmd.entry_num;
	return rc;
}

int gpasid_invalidate_all(int iommufd, __u32 gpasid)
{
	struct iommu_gpasid_inv inv = {
		.pasid = gpasid,
		.flags = IOMMU_GPASID_INV_BY_GPASID | IOMMU_GPASID_INV_PASID,
	};
	__u32 num = 1;

	return gpasid_invalidate(iommufd, &inv, &num);
}

int gpasid_invalidate_range(int iommufd, __u32 gpasid, __u64 address,
			    __u64 npages, bool leaf)
{
	struct iommu_gpasid_inv inv = {
		.pasid = gpasid,
		.flags = IOMMU_GPASID_INV_BY_GPASID,
		.addr = address,
		.npages = npages,
	};
	__u32 num = 1;

	if (leaf)
		inv.flags |= IOMMU_GPASID_INV_LEAF;
	return gpasid_invalidate(iommufd, &inv, &num);
}
