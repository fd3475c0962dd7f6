// SPDX-License-Identifier: GPL-2.0-only
/*
 * HWPTs and the device's own PASIDs, for a VM of the tests: what runs on this
 * project's 6.12 and on an unmodified kernel since 6.15.
 */
#include <stdint.h>
#include <string.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <gpasid.h>

#include "gvm.h"

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
	struct gpasid_table table = gvm_pt_table(pt);

	return gpasid_hwpt_alloc(dev->vm->iommufd, dev->devid, dev->vm->parent,
				 &table, fault_id, hwpt);
}

int gvm_hwpt_invalidate(struct gvm *vm, __u32 hwpt, __u64 addr, __u64 npages,
			bool leaf)
{
	return gpasid_hwpt_invalidate(vm->iommufd, hwpt, addr, npages, leaf);
}

int gvm_hwpt_invalidate_all(struct gvm *vm, __u32 hwpt)
{
	return gpasid_hwpt_invalidate_all(vm->iommufd, hwpt);
}

int gvm_pasid_attach(struct gvm_dev *dev, __u32 pasid, __u32 pt_id)
{
	return gpasid_attach(dev->fd, pasid, pt_id);
}

int gvm_pasid_detach(struct gvm_dev *dev, __u32 pasid)
{
	return gpasid_detach(dev->fd, pasid);
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
	return gpasid_hwpt_faults_open(vm->iommufd, fault_id, fd);
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
