// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * HWPTs and the device's own PASIDs, by iommufd's and VFIO's own ABI: what runs
 * on this project's 6.12 and on an unmodified kernel since 6.15.
 */
#include <stdint.h>
#include <string.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "gpasid-vmm.h"

static int hwpt_alloc(struct gvm_dev *dev, struct iommu_hwpt_alloc *cmd,
		      __u32 *hwpt)
{
	int rc;

	cmd->size = sizeof(*cmd);
	cmd->dev_id = dev->devid;
	rc = gvm_ioctl(dev->vm->iommufd, IOMMU_HWPT_ALLOC, cmd);
	if (!rc)
		*hwpt = cmd->out_hwpt_id;
	return rc;
}

int gvm_hwpt_alloc(struct gvm_dev *dev, __u32 pt_id, __u32 flags, __u32 *hwpt)
{
	struct iommu_hwpt_alloc cmd = { .flags = flags, .pt_id = pt_id };

	return hwpt_alloc(dev, &cmd, hwpt);
}

static int nested_alloc(struct gvm_dev *dev, const struct gvm_pt *pt,
			struct iommu_hwpt_alloc *cmd, __u32 *hwpt)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.pgtbl_addr = pt->root,
		.addr_width = pt->levels == 5 ? 57 : 48,
	};

	cmd->pt_id = dev->vm->parent;
	cmd->data_type = IOMMU_HWPT_DATA_VTD_S1;
	cmd->data_len = sizeof(s1);
	cmd->data_uptr = (uintptr_t)&s1;
	return hwpt_alloc(dev, cmd, hwpt);
}

int gvm_hwpt_nested(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 flags,
		    __u32 *hwpt)
{
	struct iommu_hwpt_alloc cmd = { .flags = flags };

	return nested_alloc(dev, pt, &cmd, hwpt);
}

int gvm_hwpt_nested_fault(struct gvm_dev *dev, const struct gvm_pt *pt,
			  __u32 fault_id, __u32 *hwpt)
{
	struct iommu_hwpt_alloc cmd = {
		.flags = GVM_HWPT_FAULT | GVM_HWPT_PASID,
		.fault_id = fault_id,
	};

	return nested_alloc(dev, pt, &cmd, hwpt);
}

int gvm_hwpt_invalidate(struct gvm *vm, __u32 hwpt, __u64 addr, __u64 npages,
			bool leaf)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = {
		.addr = addr,
		.npages = npages,
		.flags = leaf ? IOMMU_VTD_INV_FLAGS_LEAF : 0,
	};
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.data_uptr = (uintptr_t)&inv,
		.entry_len = sizeof(inv),
		.entry_num = 1,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_HWPT_INVALIDATE, &cmd);
}

int gvm_hwpt_invalidate_all(struct gvm *vm, __u32 hwpt)
{
	return gvm_hwpt_invalidate(vm, hwpt, 0, ~0ULL, false);
}

int gvm_pasid_attach(struct gvm_dev *dev, __u32 pasid, __u32 pt_id)
{
	struct gvm_attach_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = GVM_BY_PASID,
		.pt_id = pt_id,
		.pasid = pasid,
	};

	return gvm_ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
}

int gvm_pasid_detach(struct gvm_dev *dev, __u32 pasid)
{
	struct gvm_detach_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = GVM_BY_PASID,
		.pasid = pasid,
	};

	return gvm_ioctl(dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

int gvm_map_file(struct gvm *vm, __u64 gpa, int fd, __u64 start, __u64 size,
		 unsigned int prot)
{
	struct gvm_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = vm->ioas,
		.fd = fd,
		.start = start,
		.length = size,
		.iova = gpa,
	};

	if (prot & GVM_MAP_READ)
		cmd.flags |= IOMMU_IOAS_MAP_READABLE;
	if (prot & GVM_MAP_WRITE)
		cmd.flags |= IOMMU_IOAS_MAP_WRITEABLE;
	return gvm_ioctl(vm->iommufd, GVM_IOAS_MAP_FILE, &cmd);
}

int gvm_fault_queue(struct gvm *vm, __u32 *fault_id, int *fd)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };
	int rc = gvm_ioctl(vm->iommufd, IOMMU_FAULT_QUEUE_ALLOC, &cmd);

	if (rc)
		return rc;
	*fault_id = cmd.out_fault_id;
	*fd = cmd.out_fault_fd;
	return 0;
}

int gvm_dev_pasid_info(struct gvm_dev *dev, unsigned int *width, __u64 *caps)
{
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = dev->devid,
	};
	int rc = gvm_ioctl(dev->vm->iommufd, IOMMU_GET_HW_INFO, &cmd);

	if (rc)
		return rc;
	*width = cmd.out_max_pasid_log2;
	*caps = cmd.out_capabilities;
	return 0;
}
