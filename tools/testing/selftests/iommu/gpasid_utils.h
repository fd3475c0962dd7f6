/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of guest PASIDs share: a bench with a VM and devices in the
 * lab, guest processes, DMA that answers with one value, and the rules that
 * every test must leave behind.
 */
#ifndef GPASID_UTILS_H
#define GPASID_UTILS_H

#include <gvm.h>

#include "lab_dev.h"

/* The endpoints of the lab: two units, two endpoints on each. */
#define EP_1A	"0001:00:00.0"
#define EP_1B	"0001:00:01.0"
#define EP_2A	"0002:00:00.0"
#define EP_2B	"0002:00:01.0"
#define NR_EPS	4

/* Two functions behind a root port, where --ep unit=0,port=1 puts them. */
#define EP_1P	"0001:01:00.0"
#define EP_1Q	"0001:01:00.1"

extern const char * const endpoint[NR_EPS];

#define RAM_GPA		0x10000000ULL
#define RAM_SIZE	(4ULL << 20)

/* Outside of RAM: for second-stage mappings that come and go. */
#define HOTPLUG_GPA	0x40000000ULL

/* Where each process of bench_process() has its first page. */
#define PROC_VA		0x00007f5500000000ULL

/* ---- results of DMA, as one value that a test can compare ---------------- */

#define TAG(n)		(0x7a600000ULL + (n))
#define FAULT(reason)	(0xfa17000000000000ULL + (reason))
#define DENIED		0xde00000000000000ULL
#define OTHER(status)	(0xbad0000000000000ULL + (status))

/* 8 bytes at @va by DMA: what was read, or FAULT(), DENIED, OTHER(). */
__u64 peek(struct lab_dev *lab, __u32 pasid, unsigned int flags, __u64 va);

/* The same for a write; @val when it was done. */
__u64 poke(struct lab_dev *lab, __u32 pasid, unsigned int flags, __u64 va,
	   __u64 val);

/* A refusal of any kind: DMA by ATS ends in another one than DMA without. */
bool refused(__u64 result);

/* ---- the bench ------------------------------------------------------------ */

/**
 * struct bench - A VM in the lab
 * @vm: the VM
 * @nr: number of devices
 * @dev: its devices
 * @lab: the DMA engine in each
 * @address: where each stands
 * @info: what VFIO_DEVICE_GPASID_INFO says of each
 * @start: counters of each, when it was added
 * @cap: VT-d capabilities of the unit of each
 * @ecap: VT-d extended capabilities of the unit of each
 */
struct bench {
	struct gvm vm;
	int nr;
	struct gvm_dev dev[NR_EPS];
	struct lab_dev lab[NR_EPS];
	const char *address[NR_EPS];
	struct vfio_device_gpasid_info info[NR_EPS];
	struct vtdsim_counters start[NR_EPS];
	__u64 cap[NR_EPS], ecap[NR_EPS];
};

int bench_open(struct bench *b, unsigned int flags);
int bench_open_size(struct bench *b, unsigned int flags, __u64 ram_size);

/* Add an endpoint; returns 0. */
int bench_add(struct bench *b, const char *address);

/* The same by VFIO's and iommufd's own ABI alone; @info stays empty. */
int bench_add_vfio(struct bench *b, const char *address);

/*
 * Close everything and see that the rules hold which no test may break: no hit
 * in a stale cache entry, and after the close no PASID-table entry and no
 * cached translation on any device.  Returns the number of rules broken, each
 * told on stderr.
 */
int bench_close(struct bench *b);

/* Close one device and look what is left of it; for the same answer. */
int bench_close_dev(struct bench *b, int dev);

/*
 * Open a device by its VFIO group, in the context of @vm.  @path: below
 * /sys/bus/pci/devices.  Returns the device's file.
 */
int open_by_group(const struct gvm *vm, const char *path);

/*
 * A HWPT nested on the parent of the device's VM, for the guest's table @pgtbl.
 * @fault: a fault queue, or 0 for a HWPT without one.
 */
int nested_alloc(struct gvm_dev *dev, __u64 pgtbl, __u32 fault, __u32 *hwpt);

/* What the unit above a device can do. */
bool bench_caching_mode(const struct bench *b, int dev);

/* ---- guest processes --------------------------------------------------------- */

/**
 * struct process - A guest process with one page at PROC_VA
 * @pt: its page table
 * @page: guest-physical address of that page
 * @mem: the page here
 */
struct process {
	struct gvm_pt pt;
	__u64 page;
	__u64 *mem;
};

/* A process whose page begins with TAG(@tag). */
int bench_process(struct bench *b, struct process *p, unsigned int tag);
int bench_process_levels(struct bench *b, struct process *p, unsigned int tag,
			 unsigned int levels);

/* What the device reads at PROC_VA by @pasid. */
__u64 peek_proc(struct lab_dev *lab, __u32 pasid, unsigned int flags);

/*
 * What @lab may read, @got, after memory said @then and before an invalidation:
 * that; or @now, where the hardware drops by chance what it has cached.
 */
bool may_be_outdated(const struct lab_dev *lab, __u64 got, __u64 then,
		     __u64 now);

/* ---- the hardware's view ----------------------------------------------------- */

/* True when nothing of @pasid (0: of any) is left on the endpoint. */
bool nothing_left(struct lab_dev *lab, __u32 pasid);

/* The 64 bits of the PASID-table entry with number @word. */
__u64 entry_word(struct lab_dev *lab, __u32 pasid, int word);
bool entry_present(struct lab_dev *lab, __u32 pasid);

/* Descriptors, submissions and waits since the counters were taken. */
int since(struct lab_dev *lab, const struct vtdsim_counters *then,
	  struct vtdsim_counters *diff);

/* ---- what may have to wait for this process ---------------------------------- */

/*
 * Run a shell command in a child, because it may have to wait for a close.  A
 * child that only forks would hold the device itself, by its copy of the BAR's
 * mapping; another program does not.
 */
pid_t later(const char *command);

/* True when it has ended with status 0 within @ms. */
bool ended_well(pid_t pid, int ms);

/* ---- programs without the harness -------------------------------------------- */

/* Seconds. */
double now(void);

/* Print what was tried, and count it. */
void check(bool ok, const char *what);

/* End the program when @rc, a negative errno, says that it cannot go on. */
void must(int rc, const char *what);

/* Print the counts; returns the exit status. */
int check_result(const char *name);

/* Names a file of /sys and writes to it; negative errno. */
int sysfs_write(const char *path, const char *text);

#endif /* GPASID_UTILS_H */
