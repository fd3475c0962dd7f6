// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device on iommufd and VFIO.  QEMU has bound it and attached it to an IOAS
 * of its own, which holds read-only memory and so cannot be a nest parent's: the
 * device moves to one that this process makes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "../lib/gpasid/abi.h"
#include "vsva.h"

#define LAST_ID		64	/* QEMU binds its devices before all else */
#define DRAIN_READS	64	/* of the fault queue, each of many requests */

static void must(int rc, const char *what)
{
	if (rc)
		fail("%s: %s", what, strerror(errno));
}

/* The file below /dev/vfio/devices of a function. */
static int open_vfio(const char *address)
{
	char path[96], name[64] = "";
	struct dirent *d;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev",
		 address);
	dir = opendir(path);
	if (!dir)
		fail("%s is not bound to vfio-pci, or the kernel has no VFIO device files",
		     address);
	while ((d = readdir(dir))) {
		if (!strncmp(d->d_name, "vfio", 4))
			snprintf(name, sizeof(name), "%.60s", d->d_name);
	}
	closedir(dir);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

void host_open(struct host *host, const char *address)
{
	host->dev.iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (host->dev.iommufd < 0)
		fail("/dev/iommu: %s", strerror(errno));
	host->dev.vfio = open_vfio(address);
}

/* QEMU knows the ID; to others it is the one at which there is a device. */
static uint32_t find_device(int iommufd)
{
	struct iommu_hw_info cmd = { .size = sizeof(cmd) };

	for (cmd.dev_id = 1; cmd.dev_id <= LAST_ID; cmd.dev_id++) {
		if (!ioctl(iommufd, IOMMU_GET_HW_INFO, &cmd))
			return cmd.dev_id;
	}
	fail("QEMU has not bound the device to /dev/iommu");
}

static void map_memory(const struct host *host, int fd, uint64_t start,
		       uint64_t length, uint64_t iova)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA |
			 IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = host->dev.ioas,
		.fd = fd,
		.start = start,
		.length = length,
		.iova = iova,
	};

	if (length)
		must(ioctl(host->dev.iommufd, IOMMU_IOAS_MAP_FILE, &cmd),
		     "map the guest's memory for the device");
}

static void make_parent(struct host *host, const struct memory *memory)
{
	const struct ram *ram = &memory->ram;
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_hwpt_alloc hwpt = {
		.size = sizeof(hwpt),
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT | GPASID_HWPT_PASID,
		.dev_id = host->dev.devid,
	};

	must(ioctl(host->dev.iommufd, IOMMU_IOAS_ALLOC, &ioas), "make an IOAS");
	host->dev.ioas = ioas.out_ioas_id;
	map_memory(host, memory->fd, 0, ram->low, 0);
	map_memory(host, memory->fd, ram->low, ram->size - ram->low, FOUR_GIB);
	hwpt.pt_id = host->dev.ioas;
	must(ioctl(host->dev.iommufd, IOMMU_HWPT_ALLOC, &hwpt),
	     "make a nest parent for PASIDs");
	host->dev.parent = hwpt.out_hwpt_id;
}

static void make_fault_queue(struct host *host)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };

	must(ioctl(host->dev.iommufd, IOMMU_FAULT_QUEUE_ALLOC, &cmd),
	     "make a queue for page requests");
	host->dev.fault_id = cmd.out_fault_id;
	host->dev.fault_fd = cmd.out_fault_fd;
	must(fcntl(host->dev.fault_fd, F_SETFL, O_NONBLOCK) < 0,
	     "make a queue for page requests");
	fcntl(host->dev.fault_fd, F_SETFD, FD_CLOEXEC);
}

void host_prepare(struct host *host, const struct memory *memory)
{
	host->dev.devid = find_device(host->dev.iommufd);
	make_parent(host, memory);
	make_fault_queue(host);
}

void host_close(struct host *host)
{
	close(host->dev.fault_fd);
	close(host->dev.vfio);
	close(host->dev.iommufd);
}

/* ---- what libvvtd asks for, counted --------------------------------------- */

static int bind(void *ctx, void *dev, uint32_t pasid,
		struct vvtd_stage *stage)
{
	struct host *host = dev;

	host->counts.binds++;
	host->counts.calls += stage->kind == VVTD_FIRST_STAGE ? 2 : 1;
	return vvtd_iommufd_bind(ctx, &host->dev, pasid, stage);
}

static int replace(void *ctx, void *dev, uint32_t pasid,
		   struct vvtd_stage *stage)
{
	struct host *host = dev;

	host->counts.replaces++;
	host->counts.calls += stage->kind == VVTD_FIRST_STAGE ? 2 : 1;
	host->counts.calls += !!stage->handle;
	return vvtd_iommufd_replace(ctx, &host->dev, pasid, stage);
}

static void unbind(void *ctx, void *dev, uint32_t pasid, uint32_t handle)
{
	struct host *host = dev;

	host->counts.unbinds++;
	host->counts.calls += handle ? 2 : 1;
	vvtd_iommufd_unbind(ctx, &host->dev, pasid, handle);
}

/* A call for each binding in turn. */
static int invalidate(void *ctx, const struct vvtd_inv *inv, size_t num)
{
	struct host *host = inv->host;
	size_t i;

	host->counts.invalidations += num;
	for (i = 0; i < num; i++)
		host->counts.calls += !i || inv[i].handle != inv[i - 1].handle;
	return vvtd_iommufd_invalidate(ctx, inv, num);
}

static void respond(void *ctx, void *dev, uint64_t cookie, uint8_t answer)
{
	struct host *host = dev;

	host->counts.responses++;
	host->counts.calls++;
	vvtd_iommufd_respond(ctx, &host->dev, cookie, answer);
}

int host_page_requests(struct host *host)
{
	int n = vvtd_iommufd_page_requests(&host->dev, host->guest);

	if (n < 0)
		fail("page requests of the host: %s", strerror(-n));
	if (n) {
		host->counts.requests += n;
		host->counts.calls++;
	}
	return n;
}

/*
 * What is on its way from the device to the host has been answered by the host
 * when a binding has ended; the rest is in the queue.  A device that is told to
 * try again, because the guest's queue is full, could go on for ever.
 */
static void drain(void *ctx, void *dev)
{
	int i;

	(void)ctx;
	for (i = 0; i < DRAIN_READS && host_page_requests(dev); i++)
		;
}

static void *ptr(void *ctx, uint64_t gpa, size_t len, bool write)
{
	(void)write;
	return ram_ptr(ctx, gpa, len);
}

static uint64_t now(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

const struct vvtd_ops host_ops = {
	.ptr = ptr,
	.now = now,
	.bind = bind,
	.replace = replace,
	.unbind = unbind,
	.invalidate = invalidate,
	.drain = drain,
	.respond = respond,
	.domain_alloc = vvtd_iommufd_domain_alloc,
	.domain_free = vvtd_iommufd_domain_free,
	.map = vvtd_iommufd_map,
	.unmap = vvtd_iommufd_unmap,
};
