/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In a guest: DMA to memory of a process that is not resident.
 */
#ifndef VM_PAGING_H
#define VM_PAGING_H

#include "lab_dev.h"
#include "vm_agent.h"

/*
 * For the commands below: the process's engine, the queue of it that is its own,
 * its PASID, and PAGING_SIZE bytes that are resident.
 */
#define PAGING_SIZE	(64U << 10)
void paging_begin(struct lab_dev *lab, unsigned int queue, __u32 pasid,
		  char *resident);

/*
 * fresh: memory that nobody has touched.  fill: the device copies resident bytes
 * there.  drain: the device copies it back; how many bytes are right.  evict: its
 * pages leave the page table; the file behind them keeps the bytes.  fork: the
 * device writes to a page that a child shares.  cut: unmap it.  loop: DMA to it
 * that does not end, with pages that leave under it.
 */
void paging_fresh(unsigned long long a, unsigned long long b);
void paging_fill(unsigned long long a, unsigned long long b);
void paging_drain(unsigned long long a, unsigned long long b);
void paging_evict(unsigned long long a, unsigned long long b);
void paging_fork(unsigned long long a, unsigned long long b);
void paging_cut(unsigned long long a, unsigned long long b);
void paging_loop(unsigned long long a, unsigned long long b);

#endif /* VM_PAGING_H */
