// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * libgpasid: the device's own PASIDs, by iommufd's and VFIO's own ABI.
 */
#include <stdint.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "abi.h"
#include "gpasid.h"
#include "internal.h"

static int hwpt_alloc(int iommufd, struct iommu_hwpt_alloc *cmd, __u32 *hwpt_id)
{
	int rc;

	cmd->size = sizeof(*cmd);
	cmd->flags |= GPASID_HWPT_PASID;
	rc = gpasid_ioctl(iommufd, IOMMU_HWPT_ALLOC, cmd);
	if (!rc)
		*hwpt_id = cmd->out_hwpt_id;
	return rc;
}

int gpasid_parent_alloc(int iommufd, __u32 dev_id, __u32 ioas_id, bool dirty,
			__u32 *hwpt_id)
{
	struct iommu_hwpt_alloc cmd = {
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		.dev_id = dev_id,
		.pt_id = ioas_id,
	};

	if (dirty)
		cmd.flags |= IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	return hwpt_alloc(iommufd, &cmd, hwpt_id);
}

static __u64 s1_flags(__u32 flags)
{
	__u64 out = 0;

	if (flags & GPASID_VTD_SRE)
		out |= IOMMU_VTD_S1_SRE;
	if (flags & GPASID_VTD_EAFE)
		out |= IOMMU_VTD_S1_EAFE;
	if (flags & GPASID_VTD_WPE)
		out |= IOMMU_VTD_S1_WPE;
	return out;
}

int gpasid_hwpt_alloc(int iommufd, __u32 dev_id, __u32 parent_id,
		      const struct gpasid_table *table, __u32 fault_id,
		      __u32 *hwpt_id)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.flags = s1_flags(table->flags),
		.pgtbl_addr = table->address,
		.addr_width = table->width,
	};
	struct iommu_hwpt_alloc cmd = {
		.flags = fault_id ? IOMMU_HWPT_FAULT_ID_VALID : 0,
		.dev_id = dev_id,
		.pt_id = parent_id,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(s1),
		.data_uptr = (uintptr_t)&s1,
		.fault_id = fault_id,
	};

	return hwpt_alloc(iommufd, &cmd, hwpt_id);
}

int gpasid_hwpt_free(int iommufd, __u32 hwpt_id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = hwpt_id };

	return gpasid_ioctl(iommufd, IOMMU_DESTROY, &cmd);
}

int gpasid_attach(int device, __u32 pasid, __u32 hwpt_id)
{
	struct gpasid_attach_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = GPASID_BY_PASID,
		.pt_id = hwpt_id,
		.pasid = pasid,
	};

	return gpasid_ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
}

int gpasid_detach(int device, __u32 pasid)
{
	struct gpasid_detach_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = GPASID_BY_PASID,
		.pasid = pasid,
	};

	return gpasid_ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

int gpasid_hwpt_invalidate(int iommufd, __u32 hwpt_id, __u64 address,
			   __u64 npages, bool leaf)
{
	struct iommu_hwpt_vtd_s1_invalidate inv = {
		.addr = address,
		.npages = npages,
		.flags = leaf ? IOMMU_VTD_INV_FLAGS_LEAF : 0,
	};
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt_id,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.data_uptr = (uintptr_t)&inv,
		.entry_len = sizeof(inv),
		.entry_num = 1,
	};

	return gpasid_ioctl(iommufd, IOMMU_HWPT_INVALIDATE, &cmd);
}

int gpasid_hwpt_invalidate_all(int iommufd, __u32 hwpt_id)
{
	return gpasid_hwpt_invalidate(iommufd, hwpt_id, 0, ~0ULL, false);
}

int gpasid_hwpt_faults_open(int iommufd, __u32 *fault_id, int *fd)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };
	int rc = gpasid_ioctl(iommufd, IOMMU_FAULT_QUEUE_ALLOC, &cmd);

	if (rc)
		return rc;
	*fault_id = cmd.out_fault_id;
	*fd = cmd.out_fault_fd;
	return 0;
}

int gpasid_hwpt_faults_read(int fd, struct iommu_hwpt_pgfault *faults, int max,
			    int timeout_ms)
{
	return gpasid_read(fd, faults, sizeof(*faults), max, timeout_ms);
}

int gpasid_hwpt_faults_answer(int fd, __u32 cookie, __u32 code)
{
	struct iommu_hwpt_page_response r = { .cookie = cookie, .code = code };

	return gpasid_write(fd, &r, sizeof(r));
}

int gpasid_width(int iommufd, __u32 dev_id, unsigned int *width)
{
	struct iommu_hw_info cmd = { .size = sizeof(cmd), .dev_id = dev_id };
	int rc = gpasid_ioctl(iommufd, IOMMU_GET_HW_INFO, &cmd);

	if (!rc)
		*width = cmd.out_max_pasid_log2;
	return rc;
}
