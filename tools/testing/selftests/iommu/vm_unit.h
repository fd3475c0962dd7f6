/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vm_random asks of vm_unit.c in the guest: changes of the guest's own
 * tables and of its unit's registers, and invalidations.
 */
#ifndef VM_UNIT_H
#define VM_UNIT_H

#include "vm_agent.h"

/* What "entry PASID KIND" makes of an entry that the guest's driver has written. */
enum vm_unit_entry {
	VM_ENTRY_DRIVER,	/* as it was */
	VM_ENTRY_ABSENT,	/* not present */
	VM_ENTRY_PASS,		/* pass-through: the VM's memory as it is */
	VM_ENTRY_MOVED,		/* by the first-stage table of DMA without PASID */
};

/* What "invalidate KIND PASID" has the unit execute; the PASID is that changed. */
enum vm_unit_invalidation {
	VM_INV_PASID,		/* PASID cache, of the PASID */
	VM_INV_PASID_DOMAIN,	/* of its domain */
	VM_INV_PASID_GLOBAL,	/* of all */
	VM_INV_CONTEXT_DEVICE,	/* context cache, of the function */
	VM_INV_CONTEXT_DOMAIN,	/* of its domain */
	VM_INV_CONTEXT_GLOBAL,	/* of all */
	VM_INV_COUNT,
};

/* The guest's commands: entry, see and so on. */
void unit_entry(unsigned long long pasid, unsigned long long kind);
void unit_see(unsigned long long pasid, unsigned long long count);
void unit_context(unsigned long long present, unsigned long long unused);
void unit_translation(unsigned long long on, unsigned long long unused);
void unit_root(unsigned long long which, unsigned long long unused);
void unit_invalidate(unsigned long long kind, unsigned long long pasid);

#endif /* VM_UNIT_H */
