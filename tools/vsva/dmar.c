// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACPI table by which the guest finds the unit.
 */
#include "vsva.h"

static void put_function(struct dmar_table *t, uint8_t devfn)
{
	dmar_put_scope(t, DMAR_SCOPE_ENDPOINT, 0, &devfn, 1);
}

/*
 * Without DRHD_INCLUDE_PCI_ALL: QEMU's own devices have no unit, and their DMA is
 * as ever.
 */
size_t dmar_build(uint8_t *buf, size_t size, uint64_t registers, uint8_t devfn,
		  unsigned int address_bits)
{
	struct dmar_table t = { .p = buf, .size = size };

	dmar_begin(&t, "VSVA", "VSVA", address_bits);
	dmar_put_drhd(&t, 0, 0, registers, DMAR_SCOPE_SIZE(1));
	put_function(&t, devfn);
	dmar_put_satc(&t, 0, DMAR_SCOPE_SIZE(1));
	put_function(&t, devfn);
	return dmar_finish(&t);
}
