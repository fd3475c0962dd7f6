// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * How QEMU's q35 machine lays out its RAM.
 */
#include "platform.h"

#define PCI_HOLE_RAM	0xb0000000ULL
#define PCI_HOLE_LOW	0x80000000ULL

/* The machine splits its RAM around the PCI hole. */
u64 ram_low_size(u64 ram_size)
{
	return ram_size >= PCI_HOLE_RAM ? PCI_HOLE_LOW : ram_size;
}

void *ram_ptr(const struct ram *ram, u64 gpa, u64 len)
{
	u64 high = ram->size - ram->low;

	if (len > ram->size)
		return NULL;
	if (gpa < ram->low)
		return gpa <= ram->low - len ? ram->base + gpa : NULL;
	if (gpa < FOUR_GIB || len > high)
		return NULL;
	gpa -= FOUR_GIB;
	return gpa <= high - len ? ram->base + ram->low + gpa : NULL;
}
