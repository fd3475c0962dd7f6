/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pretend VMM and guest of the tests: RAM, page tables of processes, a VM and
 * its devices, on libgpasid.  A VMM has all of these already.
 *
 * The smallest useful program:
 *
 *	struct gvm vm;
 *	struct gvm_dev dev;
 *	struct gvm_pt pt;
 *	__u32 hpasid;
 *
 *	gvm_open(&vm, 0, 16 << 20, 0);		// a VM with 16 MiB of RAM
 *	gvm_dev_add(&dev, &vm, "0001:00:00.0");	// a device for it
 *	gvm_pt_init(&pt, &vm.ram, 4);		// what a guest process does
 *	gvm_pt_map(&pt, va, gpa, size, GVM_SZ_4K, GVM_PT_RW);
 *	gvm_bind(&dev, &pt, 0x101, &hpasid);	// gPASID 0x101 is live
 *	...					// DMA with hpasid on the wire
 *	gvm_unbind(&dev, hpasid);
 *
 * Every function that can fail returns 0 or a negative errno.  Nothing here is
 * thread safe beyond what the kernel's ioctls are: the page-table builder and
 * the RAM allocator want one caller at a time, the ioctl wrappers do not care.
 */
#ifndef GVM_H
#define GVM_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <gpasid.h>

#include "hwpt-abi.h"

#define GVM_SZ_4K	0x1000ULL
#define GVM_SZ_2M	0x200000ULL
#define GVM_SZ_1G	0x40000000ULL

/* ---- guest RAM (ram.c) ------------------------------------------------- */

/**
 * struct gvm_ram - A slot of guest RAM and the pages in use
 * @hva: where it stands in this process
 * @gpa: where it stands for the guest
 * @size: bytes, a multiple of 4 KiB
 * @memfd: the memory behind it
 * @used: one bit per page
 * @next: page at which the next search for a free page starts
 */
struct gvm_ram {
	void *hva;
	__u64 gpa;
	__u64 size;
	int memfd;
	unsigned long *used;
	__u64 next;
};

int gvm_ram_init(struct gvm_ram *ram, __u64 gpa, __u64 size, bool hugetlb);
void gvm_ram_exit(struct gvm_ram *ram);

/* NULL where [gpa, gpa + len) is not all inside the slot. */
void *gvm_ram_ptr(const struct gvm_ram *ram, __u64 gpa, __u64 len);

/*
 * Zeroed pages; @align is a power of two of at least 4 KiB.  Returns the guest
 * physical address, or 0 when there is no room: the page at guest-physical
 * address 0 is never given out.
 */
__u64 gvm_ram_alloc(struct gvm_ram *ram, __u64 size, __u64 align);
__u64 gvm_ram_alloc_page(struct gvm_ram *ram);
void gvm_ram_free(struct gvm_ram *ram, __u64 gpa, __u64 size);

/* ---- a guest process's page table (pgtable.c) --------------------------- */

/* Bits of a first-stage entry, VT-d "First-Stage Paging Entries". */
#define GVM_PT_P	0x1ULL
#define GVM_PT_W	0x2ULL
#define GVM_PT_U	0x4ULL
#define GVM_PT_A	0x20ULL
#define GVM_PT_D	0x40ULL
#define GVM_PT_PS	0x80ULL	/* 2 MiB or 1 GiB page */
#define GVM_PT_EA	0x400ULL	/* extended accessed, with EAFE */
#define GVM_PT_XD	0x8000000000000000ULL
#define GVM_PT_ADDR	0x000ffffffffff000ULL
#define GVM_PT_RO	GVM_PT_U
#define GVM_PT_RW	(GVM_PT_U | GVM_PT_W)

#define GVM_PT_MAX_LEVELS	5

/**
 * struct gvm_pt - A first-stage page table in guest RAM
 * @ram: the RAM that the tables come from
 * @root: guest-physical address of the top table: what is bound
 * @levels: 4 or 5
 * @tables: tables in use, the root included
 */
struct gvm_pt {
	struct gvm_ram *ram;
	__u64 root;
	unsigned int levels;
	__u64 tables;
};

/* What libgpasid takes for it. */
static inline struct gpasid_table gvm_pt_table(const struct gvm_pt *pt)
{
	return (struct gpasid_table) {
		.address = pt->root,
		.width = pt->levels == 5 ? 57 : 48,
	};
}

int gvm_pt_init(struct gvm_pt *pt, struct gvm_ram *ram, unsigned int levels);
void gvm_pt_exit(struct gvm_pt *pt);

/*
 * Map [va, va + size) to [gpa, gpa + size) by leaves of @leaf bytes (GVM_SZ_*)
 * with @flags (GVM_PT_*, P and PS are added).  EINVAL: misaligned, not
 * canonical, wraps.  EEXIST: something is mapped there, or a table for smaller
 * pages stands there.  ENOMEM: no page left for a table.  On an error nothing
 * stays mapped.
 */
int gvm_pt_map(struct gvm_pt *pt, __u64 va, __u64 gpa, __u64 size, __u64 leaf,
	       __u64 flags);

/*
 * Take mappings away.  Holes are fine; a range that cuts through a large page
 * is EINVAL and changes nothing.  The tables stay until gvm_pt_exit(), as the
 * hardware may still be using them: the guest has to invalidate first.
 */
int gvm_pt_unmap(struct gvm_pt *pt, __u64 va, __u64 size);

/* Set and clear bits of every leaf in the range, each in one atomic step. */
int gvm_pt_change(struct gvm_pt *pt, __u64 va, __u64 size, __u64 set,
		  __u64 clear);

/* Point the leaf at @va, of whatever size, at another page.  ENOENT if none. */
int gvm_pt_move(struct gvm_pt *pt, __u64 va, __u64 gpa);

/* The leaf entry of @va and its size in @leaf, NULL where nothing is mapped. */
__u64 *gvm_pt_leaf(const struct gvm_pt *pt, __u64 va, __u64 *leaf);

/* Where @va leads to.  ENOENT where nothing is mapped. */
int gvm_pt_translate(const struct gvm_pt *pt, __u64 va, __u64 *gpa);

/* ---- the VM (vm.c) ------------------------------------------------------- */

enum gvm_flags {
	GVM_HUGETLB = 1 << 0,		/* RAM from 2 MiB hugetlb pages */
	GVM_SMALL_PAGES = 1 << 1,	/* map the second stage by 4 KiB only */
	GVM_DIRTY_TRACKING = 1 << 2,	/* the parent can track dirty pages */
	GVM_NO_MAP = 1 << 3,		/* do not map the RAM: the caller will */
	GVM_PASID = 1 << 4,		/* the parent allows PASIDs (hwpt.c) */
};

/**
 * struct gvm - A VM: an iommufd context and its memory
 * @iommufd: /dev/iommu
 * @ioas: the IOAS that holds the memory map
 * @parent: the nest-parent HWPT, 0 before the first device
 * @max_pasid: what the narrowest device so far can use, 0 before the first one
 * @flags: enum gvm_flags
 * @ram: guest RAM
 */
struct gvm {
	int iommufd;
	__u32 ioas;
	__u32 parent;
	__u32 max_pasid;
	unsigned int flags;
	struct gvm_ram ram;
};

int gvm_open(struct gvm *vm, __u64 ram_gpa, __u64 ram_size, unsigned int flags);

/* Closes the context; devices should be closed before, but need not be. */
void gvm_close(struct gvm *vm);

/* One ioctl, negative errno instead of -1. */
int gvm_ioctl(int fd, unsigned long cmd, void *arg);

enum gvm_map_prot {
	GVM_MAP_READ = 1 << 0,
	GVM_MAP_WRITE = 1 << 1,
	GVM_MAP_RW = GVM_MAP_READ | GVM_MAP_WRITE,
};

/*
 * The second stage.  The kernel takes away what was mapped by whole calls only:
 * a page that will go by itself must have been mapped by itself.
 */
int gvm_map(struct gvm *vm, __u64 gpa, void *hva, __u64 size, unsigned int prot);
int gvm_unmap(struct gvm *vm, __u64 gpa, __u64 size);

/* The same for a memfd, which need not be mapped here (hwpt.c). */
int gvm_map_file(struct gvm *vm, __u64 gpa, int fd, __u64 start, __u64 size,
		 unsigned int prot);

/* ioas_* and parent_*: for a VMM that wants more than one of them. */
int gvm_ioas_alloc(struct gvm *vm, __u32 *ioas);
int gvm_parent_alloc(struct gvm *vm, __u32 devid, __u32 ioas, __u32 *hwpt);
int gvm_destroy(struct gvm *vm, __u32 id);

int gvm_dirty_tracking(struct gvm *vm, __u32 hwpt, bool on);

/* One bit per @page bytes is or-ed into @bitmap.  @keep: do not clear them. */
int gvm_dirty_bitmap(struct gvm *vm, __u32 hwpt, __u64 gpa, __u64 size,
		     __u64 page, bool keep, __u64 *bitmap);

/* ---- devices (device.c) ---------------------------------------------------- */

/**
 * struct gvm_dev - A VFIO device of a VM
 * @vm: the VM, from gvm_dev_bind() on
 * @fd: the VFIO device file
 * @devid: its object ID in the iommufd context
 * @hwpt: what it is attached to, 0 for nothing
 * @bar: BAR 0 in this process, NULL before gvm_dev_map_bar()
 * @bar_size: bytes
 */
struct gvm_dev {
	struct gvm *vm;
	int fd;
	__u32 devid;
	__u32 hwpt;
	void *bar;
	size_t bar_size;
};

/* The VFIO character device of "ssss:bb:dd.f"; it must be bound to vfio-pci. */
int gvm_dev_open(struct gvm_dev *dev, const char *address);
int gvm_dev_bind(struct gvm_dev *dev, struct gvm *vm);
int gvm_dev_attach(struct gvm_dev *dev, __u32 pt_id);
int gvm_dev_detach(struct gvm_dev *dev);

/* Memory space and bus mastering on or off. */
int gvm_dev_enable(struct gvm_dev *dev, bool on);
int gvm_dev_map_bar(struct gvm_dev *dev);
int gvm_dev_reset(struct gvm_dev *dev);
void gvm_dev_close(struct gvm_dev *dev);

/*
 * All of the above: open, bind, attach to the VM's parent (made with the first
 * device), enable and map.
 */
int gvm_dev_add(struct gvm_dev *dev, struct gvm *vm, const char *address);

/* What the device's IOMMU says of itself: VT-d's CAP and ECAP registers. */
int gvm_dev_vtd_caps(struct gvm_dev *dev, __u64 *cap, __u64 *ecap);

/* ---- HWPTs and the device's own PASIDs (hwpt.c) ------------------------------ */

/* A paging HWPT on @pt_id, an IOAS; @flags: enum gvm_hwpt_flags. */
int gvm_hwpt_alloc(struct gvm_dev *dev, __u32 pt_id, __u32 flags, __u32 *hwpt);

/* A guest process's table as a nested HWPT on the VM's parent. */
int gvm_hwpt_nested(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 flags,
		    __u32 *hwpt);

/* The same for a PASID, with page requests to a fault queue. */
int gvm_hwpt_nested_fault(struct gvm_dev *dev, const struct gvm_pt *pt,
			  __u32 fault_id, __u32 *hwpt);

/* On every device and PASID that the HWPT is attached to. */
int gvm_hwpt_invalidate(struct gvm *vm, __u32 hwpt, __u64 addr, __u64 npages,
			bool leaf);
int gvm_hwpt_invalidate_all(struct gvm *vm, __u32 hwpt);

/*
 * Attach, or replace what is attached.  @pasid is the number on the wire.  A
 * detach of what is not attached is fine.
 */
int gvm_pasid_attach(struct gvm_dev *dev, __u32 pasid, __u32 pt_id);
int gvm_pasid_detach(struct gvm_dev *dev, __u32 pasid);

/* iommufd's own fault queue: struct iommu_hwpt_pgfault by read() from @fd. */
int gvm_fault_queue(struct gvm *vm, __u32 *fault_id, int *fd);

/* @width: bits of a PASID, 0 for none; @caps: enum gvm_hw_caps. */
int gvm_dev_pasid_info(struct gvm_dev *dev, unsigned int *width, __u64 *caps);

/* ---- guest PASIDs (pasid.c) -------------------------------------------------- */

/*
 * Allocate a host PASID: without a guest PASID; for a guest PASID that something
 * translates; and one that the guest uses by the same number.
 */
int gvm_pasid_alloc(struct gvm *vm, __u32 *hpasid);
int gvm_pasid_alloc_guest(struct gvm *vm, __u32 gpasid, __u32 *hpasid);
int gvm_pasid_alloc_identity(struct gvm *vm, __u32 pasid);
int gvm_pasid_free(struct gvm *vm, __u32 hpasid);
int gvm_pasid_free_guest(struct gvm *vm, __u32 gpasid);
int gvm_pasid_g2h(struct gvm *vm, __u32 gpasid, __u32 *hpasid);
int gvm_pasid_h2g(struct gvm *vm, __u32 hpasid, __u32 *gpasid);

/* @allocated and @pending may be NULL. */
int gvm_quota_get(struct gvm *vm, __u32 *quota, __u32 *allocated, __u32 *pending);
int gvm_quota_set(struct gvm *vm, __u32 quota);

int gvm_dev_info(struct gvm_dev *dev, struct vfio_device_gpasid_info *info);

/* Bind @gpasid to @pt; the host PASID of that number is allocated if need be. */
int gvm_bind(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 gpasid,
	     __u32 *hpasid);

/* Bind a host PASID which the guest uses under the same number. */
int gvm_bind_identity(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 hpasid);

/* The guest gave a bound PASID another table. */
int gvm_replace(struct gvm_dev *dev, const struct gvm_pt *pt, __u32 hpasid);

/* Everything that the ioctl can say; argsz and format are filled in. */
int gvm_bind_args(struct gvm_dev *dev, struct vfio_device_gpasid_bind *args);

int gvm_unbind(struct gvm_dev *dev, __u32 hpasid);
int gvm_unbind_guest(struct gvm_dev *dev, __u32 gpasid);

/* An array of invalidations; @num says how many, and then how many were done. */
int gvm_invalidate(struct gvm *vm, struct iommu_gpasid_inv *inv, __u32 *num);

/* One invalidation, by guest PASID as the guest's driver asks for it. */
int gvm_invalidate_pasid(struct gvm *vm, __u32 gpasid);
int gvm_invalidate_range(struct gvm *vm, __u32 gpasid, __u64 addr, __u64 npages,
			 bool leaf);

/* ---- page requests of host-wide PASIDs (fault.c) ------------------------------ */

/* @limit, @timeout_ms: 0 for the default.  @fd: one file for the VM. */
int gvm_faults_open(struct gvm *vm, __u32 limit, __u32 timeout_ms, int *fd);

/* Up to @max records within @ms milliseconds: how many, or a negative errno. */
int gvm_faults_read(int fd, struct iommu_gpasid_fault *f, int max, int ms);

/* @code: enum iommu_gpasid_fault_code.  ENOENT: the request has ended. */
int gvm_faults_answer(int fd, __u64 cookie, __u32 code);

#endif /* GVM_H */
