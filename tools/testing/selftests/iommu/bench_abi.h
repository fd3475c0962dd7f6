/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two ways to give a device PASIDs, behind one set of operations: what the
 * measurements do is the same for both.
 */
#ifndef BENCH_ABI_H
#define BENCH_ABI_H

#include "gpasid_utils.h"

#define BENCH_MAX_PASIDS	0xfffffU
#define BENCH_RANGES		512

/**
 * struct step - An operation that is measured
 * @op: its name
 * @run: does it, with @n bound before or after
 */
struct step {
	const char *op;
	int (*run)(__u32 n);
};

/**
 * struct abi - One of the two
 * @name: what the command line calls it
 * @flags: enum gvm_flags that the VM needs
 * @allocate: the object that a PASID is attached to, or its number
 * @attach: the PASID becomes live
 * @replace: it gets another table
 * @detach: it is dead
 * @release: the inverse of @allocate
 * @invalidate: @ranges single pages of the first stage
 * @pri_open: page requests of PASID @n come to a file; a descriptor or an errno
 * @pri_answer: read one from it, map what it asks for, answer
 * @pri_close: PASID @n is again as it was
 */
struct abi {
	const char *name;
	unsigned int flags;
	int (*allocate)(__u32 n);
	int (*attach)(__u32 n);
	int (*replace)(__u32 n);
	int (*detach)(__u32 n);
	int (*release)(__u32 n);
	int (*invalidate)(__u32 n, unsigned int ranges);
	int (*pri_open)(__u32 n);
	int (*pri_answer)(int fd);
	int (*pri_close)(__u32 n, int fd);
};

extern const struct abi abi_upstream, abi_own;

/* The VM that is measured: device 0, two guest processes. */
extern struct bench vm_bench;
extern struct process vm_process, vm_other;

/* Open the VM with @address; up to @max PASIDs. */
void bench_vm_open(const struct abi *abi, const char *address, __u32 max);

/* The device's file was closed: open it again. */
void bench_vm_reopen(const char *address);

/* Bind (@from, @to]. */
void bench_grow(const struct abi *abi, __u32 from, __u32 to);

/* The same with both ABIs. */
int bench_map_page(__u32 n);
int bench_unmap_page(__u32 n);
int bench_map_64m(__u32 n);
int bench_unmap_64m(__u32 n);
int bench_dirty_start(__u32 n);
int bench_dirty_stop(__u32 n);

/**
 * struct bench_pri - Where page requests come from and are answered
 * @lab: the device
 * @pasid: by which it asks
 * @va: the page that it asks for next
 * @fd: of abi::pri_open, or -1: the kernel answers itself
 */
struct bench_pri {
	struct lab_dev *lab;
	__u32 pasid;
	__u64 va;
	int fd;
};

/* The first page of vm_process that page requests ask for. */
#define BENCH_PRI_VA	(PROC_VA + GVM_SZ_1G)

/* One page by DMA, from the device's request to its write being done. */
int bench_page_request(const struct abi *abi, struct bench_pri *pri);

#endif /* BENCH_ABI_H */
