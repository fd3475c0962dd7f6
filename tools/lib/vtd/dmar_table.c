// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "BIOS Considerations": the structures of the ACPI table by which firmware
 * reports units.
 */
#include "platform.h"

#define DMAR_DRHD		0
#define DMAR_SATC		5
#define AT_LENGTH		4
#define AT_CHECKSUM		9

void dmar_put(struct dmar_table *t, u64 val, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes && t->len < t->size; i++)
		t->p[t->len++] = i < 8 ? val >> (8 * i) : 0;
}

void dmar_put_text(struct dmar_table *t, const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		dmar_put(t, *text ? *text++ : ' ', 1);
}

void dmar_begin(struct dmar_table *t, const char *maker, const char *creator,
		unsigned int address_bits)
{
	dmar_put_text(t, "DMAR", 4);
	dmar_put(t, 0, 4);		/* length, filled in at the end */
	dmar_put(t, 1, 1);		/* revision */
	dmar_put(t, 0, 1);		/* checksum, likewise */
	dmar_put_text(t, maker, 6);
	dmar_put_text(t, maker, 8);
	dmar_put(t, 1, 4);
	dmar_put_text(t, creator, 4);
	dmar_put(t, 1, 4);
	dmar_put(t, address_bits - 1, 1);
	dmar_put(t, 0, 11);		/* flags: no interrupt remapping */
}

void dmar_put_drhd(struct dmar_table *t, u8 flags, u16 segment, u64 registers,
		   u32 scopes)
{
	dmar_put(t, DMAR_DRHD, 2);
	dmar_put(t, 16 + scopes, 2);
	dmar_put(t, flags, 1);
	dmar_put(t, 0, 1);		/* size: one page */
	dmar_put(t, segment, 2);
	dmar_put(t, registers, 8);
}

void dmar_put_satc(struct dmar_table *t, u16 segment, u32 scopes)
{
	dmar_put(t, DMAR_SATC, 2);
	dmar_put(t, 8 + scopes, 2);
	dmar_put(t, 0, 2);
	dmar_put(t, segment, 2);
}

void dmar_put_scope(struct dmar_table *t, u8 type, u8 id, const u8 *path,
		    u32 steps)
{
	u32 i;

	dmar_put(t, type, 1);
	dmar_put(t, DMAR_SCOPE_SIZE(steps), 1);
	dmar_put(t, 0, 2);
	dmar_put(t, id, 1);
	dmar_put(t, 0, 1);		/* bus */
	for (i = 0; i < steps; i++) {
		dmar_put(t, path[i] >> 3, 1);
		dmar_put(t, path[i] & 7, 1);
	}
}

size_t dmar_finish(struct dmar_table *t)
{
	struct dmar_table length = { .p = t->p + AT_LENGTH, .size = 4 };
	u8 sum = 0;
	size_t i;

	dmar_put(&length, t->len, 4);
	for (i = 0; i < t->len; i++)
		sum += t->p[i];
	t->p[AT_CHECKSUM] = -sum;
	return t->len;
}
