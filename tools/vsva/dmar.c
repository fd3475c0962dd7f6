// SPDX-License-Identifier: GPL-2.0-only
/*
 * "BIOS Considerations": the ACPI table by which the guest finds the unit.
 */
#include <string.h>

#include "vsva.h"

#define DMAR_DRHD		0
#define DMAR_SATC		5
#define SCOPE_PCI_ENDPOINT	1
#define SCOPE_SIZE		8

struct buffer {
	uint8_t *p;
	size_t size;
	size_t len;
};

static void put(struct buffer *b, uint64_t val, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes && b->len < b->size; i++)
		b->p[b->len++] = i < 8 ? val >> (8 * i) : 0;
}

static void put_text(struct buffer *b, const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		put(b, *text ? *text++ : ' ', 1);
}

static void put_header(struct buffer *b, unsigned int address_bits)
{
	put_text(b, "DMAR", 4);
	put(b, 0, 4);			/* length, filled in at the end */
	put(b, 1, 1);			/* revision */
	put(b, 0, 1);			/* checksum, likewise */
	put_text(b, "VSVA", 6);
	put_text(b, "VSVA", 8);
	put(b, 1, 4);
	put_text(b, "VSVA", 4);
	put(b, 1, 4);
	put(b, address_bits - 1, 1);
	put(b, 0, 11);			/* flags: no interrupt remapping */
}

/* "Device Scope Structure": a function on bus 0. */
static void put_scope(struct buffer *b, uint8_t devfn)
{
	put(b, SCOPE_PCI_ENDPOINT, 1);
	put(b, SCOPE_SIZE, 1);
	put(b, 0, 3);
	put(b, 0, 1);			/* bus */
	put(b, devfn >> 3, 1);
	put(b, devfn & 7, 1);
}

/*
 * "DMA Remapping Hardware Unit Definition Structure", without INCLUDE_PCI_ALL:
 * QEMU's own devices have no unit, and their DMA is as ever.
 */
static void put_drhd(struct buffer *b, uint64_t registers, uint8_t devfn)
{
	put(b, DMAR_DRHD, 2);
	put(b, 16 + SCOPE_SIZE, 2);
	put(b, 0, 1);			/* flags */
	put(b, 0, 1);			/* size: one page */
	put(b, 0, 2);			/* segment */
	put(b, registers, 8);
	put_scope(b, devfn);
}

/* "SoC Integrated Address Translation Cache Reporting Structure" */
static void put_satc(struct buffer *b, uint8_t devfn)
{
	put(b, DMAR_SATC, 2);
	put(b, 8 + SCOPE_SIZE, 2);
	put(b, 0, 2);
	put(b, 0, 2);			/* segment */
	put_scope(b, devfn);
}

static void finish(struct buffer *b)
{
	struct buffer len = { b->p + 4, 4, 0 };
	uint8_t sum = 0;
	size_t i;

	put(&len, b->len, 4);
	for (i = 0; i < b->len; i++)
		sum += b->p[i];
	b->p[9] = -sum;
}

size_t dmar_build(uint8_t *buf, size_t size, uint64_t registers, uint8_t devfn,
		  unsigned int address_bits)
{
	struct buffer b = { buf, size, 0 };

	put_header(&b, address_bits);
	put_drhd(&b, registers, devfn);
	put_satc(&b, devfn);
	finish(&b);
	return b.len;
}
