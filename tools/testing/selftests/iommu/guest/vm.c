// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM: an iommufd context, the IOAS with its memory map, and the nest parent
 * that turns the map into second-stage tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>

#include "gvm.h"

int gvm_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

int gvm_ioas_alloc(struct gvm *vm, __u32 *ioas)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	int rc = gvm_ioctl(vm->iommufd, IOMMU_IOAS_ALLOC, &cmd);

	if (!rc)
		*ioas = cmd.out_ioas_id;
	return rc;
}

int gvm_destroy(struct gvm *vm, __u32 id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return gvm_ioctl(vm->iommufd, IOMMU_DESTROY, &cmd);
}

static int small_pages(struct gvm *vm)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = vm->ioas,
		.val64 = 0,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_OPTION, &cmd);
}

int gvm_open(struct gvm *vm, __u64 ram_gpa, __u64 ram_size, unsigned int flags)
{
	int rc;

	memset(vm, 0, sizeof(*vm));
	vm->flags = flags;
	vm->ram.memfd = -1;
	vm->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (vm->iommufd < 0)
		return -errno;
	rc = gvm_ioas_alloc(vm, &vm->ioas);
	if (!rc && (flags & GVM_SMALL_PAGES))
		rc = small_pages(vm);
	if (!rc)
		rc = gvm_ram_init(&vm->ram, ram_gpa, ram_size,
				  flags & GVM_HUGETLB);
	if (!rc && !(flags & GVM_NO_MAP))
		rc = gvm_map(vm, ram_gpa, vm->ram.hva, ram_size, GVM_MAP_RW);
	if (rc)
		gvm_close(vm);
	return rc;
}

void gvm_close(struct gvm *vm)
{
	if (vm->iommufd >= 0)
		close(vm->iommufd);
	gvm_ram_exit(&vm->ram);
	memset(vm, 0, sizeof(*vm));
	vm->iommufd = -1;
}

int gvm_map(struct gvm *vm, __u64 gpa, void *hva, __u64 size, unsigned int prot)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = vm->ioas,
		.user_va = (uintptr_t)hva,
		.length = size,
		.iova = gpa,
	};

	if (prot & GVM_MAP_READ)
		cmd.flags |= IOMMU_IOAS_MAP_READABLE;
	if (prot & GVM_MAP_WRITE)
		cmd.flags |= IOMMU_IOAS_MAP_WRITEABLE;
	return gvm_ioctl(vm->iommufd, IOMMU_IOAS_MAP, &cmd);
}

int gvm_unmap(struct gvm *vm, __u64 gpa, __u64 size)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = vm->ioas,
		.iova = gpa,
		.length = size,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_IOAS_UNMAP, &cmd);
}

int gvm_parent_alloc(struct gvm *vm, __u32 devid, __u32 ioas, __u32 *hwpt)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		.dev_id = devid,
		.pt_id = ioas,
	};
	int rc;

	if (vm->flags & GVM_DIRTY_TRACKING)
		cmd.flags |= IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	if (vm->flags & GVM_PASID)
		cmd.flags |= GVM_HWPT_PASID;
	rc = gvm_ioctl(vm->iommufd, IOMMU_HWPT_ALLOC, &cmd);
	if (!rc)
		*hwpt = cmd.out_hwpt_id;
	return rc;
}

int gvm_dirty_tracking(struct gvm *vm, __u32 hwpt, bool on)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd),
		.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = hwpt,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd);
}

int gvm_dirty_bitmap(struct gvm *vm, __u32 hwpt, __u64 gpa, __u64 size,
		     __u64 page, bool keep, __u64 *bitmap)
{
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt,
		.flags = keep ? IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR : 0,
		.iova = gpa,
		.length = size,
		.page_size = page,
		.data = (uintptr_t)bitmap,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}
