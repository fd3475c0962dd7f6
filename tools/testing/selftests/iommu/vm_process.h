/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes in a guest (vm_guest.c), as the host sees them.
 */
#ifndef VM_PROCESS_H
#define VM_PROCESS_H

#include "run_show.h"
#include "vm_host.h"

#define VM_NESTED	3	/* PASID-table entry, PGTT */

/* A process, as it has introduced itself. */
struct process {
	int slot;
	__u32 pasid;
	__u64 table, from, to, shared;
	__u32 len;
};

/* Have the guest start it, and bind it to the endpoint. */
void start_process(struct process *p, int slot);

/* The same, with DMA that does not end by itself. */
void start_spinning(struct process *p, int slot);

/* The real unit's entry for its PASID against what the guest has written. */
void check_entry(const struct process *p, struct pasid_fields *f);

/* The device copies between two of its buffers. */
void check_copy(const struct process *p);

/* The device reads its page at the address that all processes have one at. */
void check_shared(const struct process *p);

#endif /* VM_PROCESS_H */
