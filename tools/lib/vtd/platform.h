/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What a unit needs around it in a process beside QEMU: the memory of a q35
 * machine.  No part of the library, for a VMM has its own.
 */
#ifndef VTD_PLATFORM_H
#define VTD_PLATFORM_H

#include "base.h"

#define FOUR_GIB	0x100000000ULL

/* q35_ram.c: the RAM of the VM; what is beyond @low stands at 4 GiB. */
struct ram {
	u8 *base;
	u64 size;
	u64 low;
};

u64 ram_low_size(u64 ram_size);

/* @gpa as a pointer, or NULL unless all of @len bytes are RAM. */
void *ram_ptr(const struct ram *ram, u64 gpa, u64 len);

#endif /* VTD_PLATFORM_H */
