// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own SVA on an endpoint of the lab.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "native_sva.h"

static int give_to(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override",
		 NATIVE);
	must(sysfs_write(path, name), path);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind",
		 NATIVE);
	sysfs_write(path, NATIVE);
	return sysfs_write("/sys/bus/pci/drivers_probe", NATIVE);
}

int native_sva_take(void)
{
	return give_to("vtdsim_sva\n");
}

int native_sva_give_back(void)
{
	return give_to("\n");
}

int native_sva_file(void)
{
	int fd = open("/dev/vtdsim_sva-" NATIVE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void native_sva_open(struct native_sva *n)
{
	must(native_sva_take(), "vtdsim_sva on " NATIVE);
	n->fd = native_sva_file();
	must(n->fd < 0 ? n->fd : 0, "native SVA");
	must(read(n->fd, &n->pasid, sizeof(n->pasid)) == sizeof(n->pasid) ?
	     0 : -errno, "PASID of this process");
	n->bar = mmap(NULL, VTDSIM_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      n->fd, 0);
	must(n->bar == MAP_FAILED ? -errno : 0, "BAR 0");
	must(lab_dev_init(&n->lab, n->bar), "its DMA engine");
}

/* The driver lets go of the device while the file is open. */
void native_sva_close(struct native_sva *n)
{
	__u32 pasid;

	check(!native_sva_give_back(), "the endpoint goes back to vfio-pci");
	check(read(n->fd, &pasid, sizeof(pasid)) < 0 && errno == ENODEV,
	      "what is left of its file knows that it has gone");
	munmap(n->bar, VTDSIM_BAR_SIZE);
	close(n->fd);
}
