/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What a unit needs around it in a process beside QEMU: the memory of a q35
 * machine, and the ACPI table that tells the VM of the unit.  No part of the
 * library, for a VMM has its own.
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

/*
 * dmar_table.c: the table as it is put together, cut off where @size ends.
 * Begin with @p and @size alone.
 */
struct dmar_table {
	u8 *p;
	size_t size;
	size_t len;
};

#define DRHD_INCLUDE_PCI_ALL	1

/* Types of scopes, and the bytes of one whose path has so many steps. */
#define DMAR_SCOPE_ENDPOINT	1
#define DMAR_SCOPE_NAMESPACE	5
#define DMAR_SCOPE_SIZE(steps)	(6 + 2 * (steps))

void dmar_begin(struct dmar_table *t, const char *maker, const char *creator,
		unsigned int address_bits);

/* A little-endian number; text, padded with blanks. */
void dmar_put(struct dmar_table *t, u64 val, size_t bytes);
void dmar_put_text(struct dmar_table *t, const char *text, size_t bytes);

/*
 * "DMA Remapping Hardware Unit Definition Structure" and "SoC Integrated
 * Address Translation Cache Reporting Structure", to be followed by scopes of
 * @scopes bytes.
 */
void dmar_put_drhd(struct dmar_table *t, u8 flags, u16 segment, u64 registers,
		   u32 scopes);
void dmar_put_satc(struct dmar_table *t, u16 segment, u32 scopes);

/* "Device Scope Structure": the path begins on the root bus; its steps are devfns. */
void dmar_put_scope(struct dmar_table *t, u8 type, u8 id, const u8 *path,
		    u32 steps);

/* Fill in length and checksum; returns the length. */
size_t dmar_finish(struct dmar_table *t);

#endif /* VTD_PLATFORM_H */
