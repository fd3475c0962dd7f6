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

#define HOLE_RAM	0xb0000000ULL
#define HOLE_LOW	0x80000000ULL
#define FOUR_GIB	0x100000000ULL

/* How q35 splits its RAM around the hole under 4 GiB. */
static uint64_t low_size(uint64_t size)
{
	return size >= HOLE_RAM ? HOLE_LOW : size;
}

void ram_create(struct ram *ram, uint64_t size)
{
	ram->size = size;
	ram->low = low_size(size);
	ram->fd = memfd_create("vsva-ram", MFD_CLOEXEC);
	if (ram->fd < 0 || ftruncate(ram->fd, size))
		fail("memory for the guest: %s", strerror(errno));
	ram->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 ram->fd, 0);
	if (ram->base == MAP_FAILED)
		fail("map the guest's memory: %s", strerror(errno));
}

void *ram_ptr(const struct ram *ram, uint64_t gpa, uint64_t len)
{
	uint64_t high = ram->size - ram->low;

	if (len > ram->size)
		return NULL;
	if (gpa < ram->low)
		return gpa <= ram->low - len ? ram->base + gpa : NULL;
	if (gpa < FOUR_GIB || len > high)
		return NULL;
	gpa -= FOUR_GIB;
	return gpa <= high - len ? ram->base + ram->low + gpa : NULL;
}
