// SPDX-License-Identifier: GPL-2.0-only
/*
 * What runs in a guest whose kernel is as it is: PASIDs without SVA.
 *
 * Each PASID gets an address space of its own with one buffer in it, either by
 * the lab's driver (vtdsim_pasid, iommu_attach_device_pasid()) or, in a guest
 * whose kernel has it, by VFIO and iommufd.  The host's requests, after a slot,
 * which is 0: "attach PASID COUNT", "detach PASID COUNT", "unmap PASID PAGE",
 * "copy PASID", "read PASID PAGE", "table PASID", "take 0|1", "restart" and
 * those of vm_unit.h and vm_agent.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <gvm.h>

#include "../../vtdsim/module/vtdsim_pasid.h"
#include "lab_dev.h"
#include "vm_agent.h"
#include "vm_unit.h"

#define MAX_PASIDS	4096
#define IOVA		0x7f5500000000ULL
#define PAGE		4096U
#define BUF_SIZE	((__u32)VTDSIM_PASID_BUFFER)
#define IVSHMEM		0x11101af4U	/* device and vendor ID */

/* Of upstream's ABI, in Linux since 6.15. */
#define HWPT_PASID	(1U << 3)
#define PT_PASID	(1U << 0)

struct pt_pasid {
	__u32 argsz, flags, pt_id, pasid;
};

struct pt_no_pasid {
	__u32 argsz, flags, pasid;
};

static struct lab_dev lab;
static char *buffer;

/* The driver's file, or -1: then VFIO and iommufd. */
static int driver = -1, iommufd, device;
static struct vfio_space {
	__u32 ioas, hwpt;
} space[MAX_PASIDS];

/* ---- by the lab's driver ------------------------------------------------- */

static int driver_ioctl(unsigned long cmd, __u32 pasid, __u64 iova)
{
	struct vtdsim_pasid_req req = { .pasid = pasid, .iova = iova };

	return ioctl(driver, cmd, &req) ? -errno : 0;
}

static int driver_open(void)
{
	char path[64];
	void *bar;

	snprintf(path, sizeof(path), "/dev/vtdsim_pasid-%s", endpoint(0));
	driver = open(path, O_RDWR | O_CLOEXEC);
	if (driver < 0)
		return -errno;
	bar = mmap(NULL, VTDSIM_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   driver, 0);
	buffer = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, driver,
		      VTDSIM_PASID_BUFFER_OFF);
	if (bar == MAP_FAILED || buffer == MAP_FAILED)
		return -errno;
	return lab_dev_init(&lab, bar);
}

/* ---- by VFIO and iommufd ------------------------------------------------- */

static int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static int destroy(__u32 id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return call(iommufd, IOMMU_DESTROY, &cmd);
}

/* Page by page: what is mapped in one call can only be unmapped as a whole. */
static int vfio_map(__u32 ioas)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.length = PAGE,
	};
	__u32 at;
	int rc = 0;

	for (at = 0; at < BUF_SIZE && !rc; at += PAGE) {
		map.user_va = (uintptr_t)buffer + at;
		map.iova = IOVA + at;
		rc = call(iommufd, IOMMU_IOAS_MAP, &map);
	}
	return rc;
}

/* An address space with the buffer in it, and its page table. */
static int vfio_space(__u32 devid, struct vfio_space *s)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_hwpt_alloc hwpt = {
		.size = sizeof(hwpt), .flags = HWPT_PASID, .dev_id = devid,
	};
	int rc = call(iommufd, IOMMU_IOAS_ALLOC, &ioas);

	if (rc)
		return rc;
	hwpt.pt_id = ioas.out_ioas_id;
	rc = vfio_map(ioas.out_ioas_id);
	if (!rc)
		rc = call(iommufd, IOMMU_HWPT_ALLOC, &hwpt);
	if (rc) {
		destroy(ioas.out_ioas_id);
		return rc;
	}
	s->ioas = ioas.out_ioas_id;
	s->hwpt = hwpt.out_hwpt_id;
	return 0;
}

static __u32 devid;

static int vfio_attach(__u32 pasid)
{
	struct pt_pasid cmd = {
		.argsz = sizeof(cmd), .flags = PT_PASID, .pasid = pasid,
	};
	struct vfio_space *s = &space[pasid];
	int rc = vfio_space(devid, s);

	if (rc)
		return rc;
	cmd.pt_id = s->hwpt;
	return call(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
}

static int vfio_detach(__u32 pasid)
{
	struct pt_no_pasid cmd = {
		.argsz = sizeof(cmd), .flags = PT_PASID, .pasid = pasid,
	};
	int rc = call(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);

	if (!rc)
		rc = destroy(space[pasid].hwpt);
	if (!rc)
		rc = destroy(space[pasid].ioas);
	return rc;
}

static int vfio_unmap(__u32 pasid, __u64 iova)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = space[pasid].ioas,
		.iova = iova, .length = PAGE,
	};

	return call(iommufd, IOMMU_IOAS_UNMAP, &cmd);
}

/* VFIO leaves it to its user. */
static int vfio_bus_master(void)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	__u16 command;
	int rc = call(device, VFIO_DEVICE_GET_REGION_INFO, &info);

	if (rc)
		return rc;
	if (pread(device, &command, 2, info.offset + PCI_COMMAND) != 2)
		return -EIO;
	command |= PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
	return pwrite(device, &command, 2, info.offset + PCI_COMMAND) == 2 ?
	       0 : -EIO;
}

/* The RID's page table has to be fit for PASIDs, too. */
static int vfio_open(void)
{
	struct gvm_dev dev;
	struct gvm vm = { };
	int rc = gvm_dev_open(&dev, endpoint(0));

	if (rc)
		return rc;
	buffer = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (buffer == MAP_FAILED || iommufd < 0)
		return -errno;
	vm.iommufd = iommufd;
	rc = gvm_dev_bind(&dev, &vm);
	device = dev.fd;
	devid = dev.devid;
	if (!rc)
		rc = vfio_space(devid, &space[0]);
	if (!rc)
		rc = gvm_dev_attach(&dev, space[0].hwpt);
	if (!rc)
		rc = vfio_bus_master();
	if (!rc)
		rc = lab_dev_open_sysfs(&lab, endpoint(0));
	return rc;
}

/* ---- what the host asks for ---------------------------------------------- */

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static int attach(__u32 pasid)
{
	if (driver >= 0)
		return driver_ioctl(VTDSIM_PASID_ATTACH, pasid, IOVA);
	return vfio_attach(pasid);
}

static int detach(__u32 pasid)
{
	if (driver >= 0)
		return driver_ioctl(VTDSIM_PASID_DETACH, pasid, 0);
	return vfio_detach(pasid);
}

static void each(unsigned long long pasid, unsigned long long count,
		 int (*what)(__u32 pasid))
{
	long long us = now_us();
	int rc = pasid + count > MAX_PASIDS ? -EINVAL : 0;

	while (!rc && count--)
		rc = what(pasid++);
	answer("rc=%d us=%lld", rc, now_us() - us);
}

static void cmd_attach(unsigned long long pasid, unsigned long long count)
{
	each(pasid, count, attach);
}

static void cmd_detach(unsigned long long pasid, unsigned long long count)
{
	each(pasid, count, detach);
}

static void cmd_unmap(unsigned long long pasid, unsigned long long page)
{
	__u64 iova = IOVA + page * PAGE;

	if (driver >= 0)
		answer("rc=%d", driver_ioctl(VTDSIM_PASID_UNMAP, pasid, iova));
	else
		answer("rc=%d", vfio_unmap(pasid, iova));
}

static void cmd_copy(unsigned long long pasid, unsigned long long unused)
{
	__u32 i, same = 0, half = BUF_SIZE / 2;
	struct vtdsim_desc d;
	int status;

	(void)unused;
	for (i = 0; i < half; i++)
		buffer[i] = i * 7 + (i >> 8) * 13 + pasid;
	memset(buffer + half, 0, half);
	status = lab_copy(&lab, 0, pasid, 0, IOVA + half, IOVA, half);
	lab_result(&lab, 0, 0, &d);
	for (i = 0; i < half; i++)
		same += buffer[i] == buffer[half + i];
	answer("status=%d reason=%x same=%u len=%u", status, d.reason, same,
	       half);
}

static void cmd_read(unsigned long long pasid, unsigned long long page)
{
	struct vtdsim_desc d;
	char text[8];
	int status = lab_read(&lab, 0, pasid, 0, IOVA + page * PAGE, text, 8);

	lab_result(&lab, 0, 0, &d);
	answer("status=%d reason=%x", status, d.reason);
}

static void cmd_table(unsigned long long pasid, unsigned long long unused)
{
	(void)unused;
	answer("rc=0 table=%llx iova=%llx", table_of(0, pasid), IOVA);
}

static void cmd_restart(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	answer("rc=%d", lab_dev_restart(&lab));
}

/*
 * Memory of the VM comes and goes: that behind the BAR of a second device, whose
 * memory decoding is switched on and off.
 */
static void cmd_take(unsigned long long on, unsigned long long unused)
{
	char path[64];
	__u32 id = 0, slot;
	__u16 command;
	int fd = -1, rc = -ENODEV;

	(void)unused;
	for (slot = 0; slot < 32 && id != IVSHMEM; slot++) {
		if (fd >= 0)
			close(fd);
		snprintf(path, sizeof(path),
			 "/sys/bus/pci/devices/0000:00:%02x.0/config", slot);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0 || pread(fd, &id, 4, 0) != 4)
			id = 0;
	}
	if (id == IVSHMEM && pread(fd, &command, 2, PCI_COMMAND) == 2) {
		command &= ~PCI_COMMAND_MEMORY;
		command |= on ? PCI_COMMAND_MEMORY : 0;
		rc = pwrite(fd, &command, 2, PCI_COMMAND) == 2 ? 0 : -errno;
	}
	if (fd >= 0)
		close(fd);
	answer("rc=%d", rc);
}

static const struct agent_command commands[] = {
	{ "attach", cmd_attach }, { "detach", cmd_detach },
	{ "unmap", cmd_unmap }, { "copy", cmd_copy }, { "read", cmd_read },
	{ "table", cmd_table }, { "take", cmd_take },
	{ "restart", cmd_restart },
	{ "entry", unit_entry }, { "see", unit_see },
	{ "context", unit_context }, { "translation", unit_translation },
	{ "root", unit_root }, { "invalidate", unit_invalidate }, { }
};

int main(void)
{
	char line[256];
	int rc = driver_open();

	if (rc == -ENOENT) {
		driver = -1;
		rc = vfio_open();
	}
	answer("ready rc=%d by=%s", rc, driver < 0 ? "vfio" : "driver");
	while (!rc && fgets(line, sizeof(line), stdin))
		agent_run(commands, line + strspn(line, "0 "));
	return rc ? 1 : 0;
}
