// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory: a file that QEMU, this process and the host's IOMMU map.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vsva.h"

void memory_create(struct memory *memory, uint64_t size)
{
	struct ram *ram = &memory->ram;

	ram->size = size;
	ram->low = ram_low_size(size);
	memory->fd = memfd_create("vsva-ram", MFD_CLOEXEC);
	if (memory->fd < 0 || ftruncate(memory->fd, size))
		fail("memory for the guest: %s", strerror(errno));
	ram->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 memory->fd, 0);
	if (ram->base == MAP_FAILED)
		fail("map the guest's memory: %s", strerror(errno));
}
