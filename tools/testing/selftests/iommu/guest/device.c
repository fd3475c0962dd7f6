// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO devices by their character device: open, bind to the VM's iommufd
 * context, attach to its memory map.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "gvm.h"

/* "vfioN" of a PCI device: the one entry of its directory vfio-dev. */
static int cdev_name(const char *address, char *name, size_t size)
{
	char path[PATH_MAX];
	struct dirent *d;
	int rc = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev",
		 address);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ENODEV : -errno;
	while ((d = readdir(dir))) {
		if (strncmp(d->d_name, "vfio", 4))
			continue;
		rc = snprintf(name, size, "%s", d->d_name) < (int)size ?
		     0 : -ENAMETOOLONG;
		break;
	}
	closedir(dir);
	return rc;
}

int gvm_dev_open(struct gvm_dev *dev, const char *address)
{
	char path[PATH_MAX], name[64];
	int rc;

	memset(dev, 0, sizeof(*dev));
	dev->fd = -1;
	rc = cdev_name(address, name, sizeof(name));
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	return dev->fd < 0 ? -errno : 0;
}

/* Host PASIDs are wanted that the narrowest device can use. */
static void limit_pasids(struct gvm *vm, struct gvm_dev *dev)
{
	struct vfio_device_gpasid_info info = {};
	__u32 max;

	if (gvm_dev_info(dev, &info) || !info.out_pasid_bits)
		return;
	max = (1U << info.out_pasid_bits) - 1;
	if (!vm->max_pasid || vm->max_pasid > max)
		vm->max_pasid = max;
}

int gvm_dev_bind(struct gvm_dev *dev, struct gvm *vm)
{
	struct vfio_device_bind_iommufd cmd = {
		.argsz = sizeof(cmd),
		.iommufd = vm->iommufd,
	};
	int rc = gvm_ioctl(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &cmd);

	if (rc)
		return rc;
	dev->vm = vm;
	dev->devid = cmd.out_devid;
	limit_pasids(vm, dev);
	return 0;
}

int gvm_dev_attach(struct gvm_dev *dev, __u32 pt_id)
{
	struct vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd),
		.pt_id = pt_id,
	};
	int rc = gvm_ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);

	if (!rc)
		dev->hwpt = pt_id;
	return rc;
}

int gvm_dev_detach(struct gvm_dev *dev)
{
	struct vfio_device_detach_iommufd_pt cmd = { .argsz = sizeof(cmd) };
	int rc = gvm_ioctl(dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);

	if (!rc)
		dev->hwpt = 0;
	return rc;
}

static int region(struct gvm_dev *dev, __u32 index,
		  struct vfio_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return gvm_ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

int gvm_dev_enable(struct gvm_dev *dev, bool on)
{
	__u16 bits = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	struct vfio_region_info info;
	off_t at;
	__u16 command;
	int rc = region(dev, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (rc)
		return rc;
	at = info.offset + PCI_COMMAND;
	if (pread(dev->fd, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	command = on ? command | bits : command & ~bits;
	if (pwrite(dev->fd, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	return 0;
}

int gvm_dev_map_bar(struct gvm_dev *dev)
{
	struct vfio_region_info info;
	void *bar;
	int rc = region(dev, VFIO_PCI_BAR0_REGION_INDEX, &info);

	if (rc)
		return rc;
	if (!(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return -ENXIO;
	bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
		   info.offset);
	if (bar == MAP_FAILED)
		return -errno;
	dev->bar = bar;
	dev->bar_size = info.size;
	return 0;
}

int gvm_dev_reset(struct gvm_dev *dev)
{
	return gvm_ioctl(dev->fd, VFIO_DEVICE_RESET, NULL);
}

void gvm_dev_close(struct gvm_dev *dev)
{
	if (dev->bar)
		munmap(dev->bar, dev->bar_size);
	if (dev->fd >= 0)
		close(dev->fd);
	memset(dev, 0, sizeof(*dev));
	dev->fd = -1;
}

int gvm_dev_add(struct gvm_dev *dev, struct gvm *vm, const char *address)
{
	int rc = gvm_dev_open(dev, address);

	if (!rc)
		rc = gvm_dev_bind(dev, vm);
	if (!rc && !vm->parent)
		rc = gvm_parent_alloc(vm, dev->devid, vm->ioas, &vm->parent);
	if (!rc)
		rc = gvm_dev_attach(dev, vm->parent);
	if (!rc)
		rc = gvm_dev_enable(dev, true);
	if (!rc)
		rc = gvm_dev_map_bar(dev);
	if (rc)
		gvm_dev_close(dev);
	return rc;
}

int gvm_dev_vtd_caps(struct gvm_dev *dev, __u64 *cap, __u64 *ecap)
{
	struct iommu_hw_info_vtd vtd = { 0 };
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = dev->devid,
		.data_len = sizeof(vtd),
		.data_uptr = (uintptr_t)&vtd,
	};
	int rc = gvm_ioctl(dev->vm->iommufd, IOMMU_GET_HW_INFO, &cmd);

	if (rc)
		return rc;
	if (cmd.out_data_type != IOMMU_HW_INFO_TYPE_INTEL_VTD)
		return -EOPNOTSUPP;
	*cap = vtd.cap_reg;
	*ecap = vtd.ecap_reg;
	return 0;
}
