/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libvvtd: the virtual VT-d unit of a VMM, in scalable mode, whose bindings a
 * host carries out.
 *
 * The guest's driver writes registers, descriptors and tables; the unit keeps
 * what the host has bound in step with them.  A VMM supplies struct vvtd_ops:
 * the guest's memory, messages, time, and the host.  iommufd.h has the host
 * ready-made for iommufd and VFIO.
 *
 *	v = vvtd_create(&config, &ops, vmm);
 *	vvtd_dev_add(v, sid, &host_caps, device, &dev);
 *	...
 *	vvtd_write(v, offset, size, value);	// the guest writes a register
 *	while (vvtd_run(v) == VVTD_MORE)
 *		;				// at once, or on an I/O thread
 *
 * All of the guest's memory, every register and every descriptor is the
 * guest's word: none of it is trusted, and one call does a bounded amount of
 * work for it.  There is no global state.  One thread at a time may be inside
 * a unit; the callbacks may not call back into it, but for drain().
 *
 * Functions that can fail return 0 or a negative errno.
 */
#ifndef VVTD_H
#define VVTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vvtd;
struct vvtd_dev;

#define VVTD_REGISTERS	0x1000	/* bytes of the register page */
#define VVTD_MAX_DEVS	64
#define VVTD_RID	0	/* the PASID that stands for requests without one */

/* ---- what the guest sees ------------------------------------------------ */

/**
 * struct vvtd_config - What the virtual unit can do
 * @address_bits: width of guest-physical addresses, 32 to 52
 * @pasid_bits: width of a PASID, 1 to 20
 * @fault_records: fault recording registers, 1 to 32
 * @max_mappings: most mappings of one shadowed table, 0 without @second_stage
 * @max_tables: most tables of one that are looked at in one go
 * @group_timeout_ns: a page request without an answer for as long is answered
 *	by vvtd_expire(); 0: never
 * @five_level: first-stage tables of five levels
 * @huge_pages: first-stage pages of 1 GiB
 * @supervisor: requests in privileged mode
 * @extended_access: the extended accessed flag
 * @coherent: table walks and page walks snoop
 * @snoop_control: snooping can be forced
 * @device_tlb: device TLBs
 * @page_requests: page requests; needs @device_tlb
 * @page_drain: wait descriptors can drain page requests; needs ops->drain
 * @pass_through: entries without translation
 * @second_stage: second-stage tables, which are shadowed; needs ops->domain_*
 *	and ops->map and unmap
 * @legacy: root and context tables of legacy mode; needs @second_stage
 * @virtual_commands: host-wide PASIDs by virtual commands; needs ops->pasid_*
 */
struct vvtd_config {
	uint8_t address_bits;
	uint8_t pasid_bits;
	uint8_t fault_records;
	uint32_t max_mappings;
	uint32_t max_tables;
	uint64_t group_timeout_ns;
	bool five_level;
	bool huge_pages;
	bool supervisor;
	bool extended_access;
	bool coherent;
	bool snoop_control;
	bool device_tlb;
	bool page_requests;
	bool page_drain;
	bool pass_through;
	bool second_stage;
	bool legacy;
	bool virtual_commands;
};

/* What most guests want, of what every host unit with nesting has. */
void vvtd_config_init(struct vvtd_config *config);

/* ---- what the host does -------------------------------------------------- */

enum vvtd_kind {
	VVTD_NONE,		/* nothing bound: requests are blocked */
	VVTD_PASS_THROUGH,	/* guest-physical addresses */
	VVTD_FIRST_STAGE,	/* a table of the guest, over the second stage */
	VVTD_SHADOW,		/* a domain that the unit fills by map() */
};

enum vvtd_stage_flags {
	VVTD_SUPERVISOR = 1 << 0,	/* SRE */
	VVTD_EXT_ACCESS = 1 << 1,	/* EAFE */
	VVTD_WRITE_PROTECT = 1 << 2,	/* WPE */
	VVTD_FIVE_LEVEL = 1 << 3,
	VVTD_PAGE_REQUESTS = 1 << 4,	/* page requests are the guest's */
};

/**
 * struct vvtd_stage - What a PASID of a device is bound to
 * @kind: enum vvtd_kind, not VVTD_NONE
 * @flags: enum vvtd_stage_flags
 * @table: VVTD_FIRST_STAGE: guest-physical address of the top table
 * @handle: the host's own, kept with the binding: set by bind() and replace(),
 *	which finds that of before in it
 * @domain: VVTD_SHADOW: the host's, from domain_alloc()
 */
struct vvtd_stage {
	uint8_t kind;
	uint8_t flags;
	uint32_t handle;
	uint64_t table;
	void *domain;
};

enum vvtd_inv_what {
	VVTD_INV_IOTLB,		/* translations of a first-stage table */
	VVTD_INV_DEVICE_TLB,
};

#define VVTD_ALL_PAGES	UINT64_MAX

/**
 * struct vvtd_inv - What is to be invalidated
 * @host: of the device, as in vvtd_dev_add()
 * @what: enum vvtd_inv_what
 * @leaf: no table has changed, pages only
 * @all_pasids: VVTD_INV_DEVICE_TLB: of every PASID
 * @pasid: VVTD_RID: of requests without PASID
 * @handle: of the binding, unless @all_pasids
 * @addr: page-aligned
 * @npages: 4 KiB pages; VVTD_ALL_PAGES, with @addr 0: all of them
 */
struct vvtd_inv {
	void *host;
	uint8_t what;
	bool leaf;
	bool all_pasids;
	uint32_t pasid;
	uint32_t handle;
	uint64_t addr;
	uint64_t npages;
};

enum vvtd_prot {
	VVTD_READ = 1 << 0,
	VVTD_WRITE = 1 << 1,
};

enum vvtd_answer {
	VVTD_ANSWER_SUCCESS = 0,	/* try again */
	VVTD_ANSWER_INVALID = 1,	/* the access is not allowed */
	VVTD_ANSWER_FAILURE = 15,	/* stop making page requests */
};

/**
 * struct vvtd_ops - What the VMM and its host do for the unit
 * @ptr: [gpa, gpa + len) of the guest's RAM, 8-byte aligned if @gpa is, or NULL
 *	unless all of it is RAM.  Used until the call that asked returns.  @len is
 *	4 KiB at most and the range lies within one page.
 * @msi: the guest's interrupt; @addr and @data are the guest's, and may not do
 *	more than a device's MSI with them could
 * @now: nanoseconds, monotonic
 * @bind: bind a PASID that is not bound
 * @replace: bind one that is, without a window in which it is not.  On failure
 *	the old binding stays.
 * @unbind: returns when no DMA by that PASID reaches memory
 * @invalidate: @num of them, all for live bindings.  0: done; -EINPROGRESS: not
 *	yet, vvtd_host_done() will say; -ETIMEDOUT: a device does not answer,
 *	which the guest learns.
 * @device_tlbs: @invalidate wants device-TLB invalidations, too; else those of
 *	VVTD_INV_IOTLB include them
 * @drain: hand on, by vvtd_page_request(), all page requests of a device that
 *	are under way
 * @respond: the answer (enum vvtd_answer) to a group of page requests
 * @pasid_alloc: a host-wide PASID; -ENOSPC: none left
 * @pasid_free: -ENOENT: not the guest's
 * @domain_alloc: an empty second stage, for devices like the one of @host
 * @domain_free: nothing is bound to it any more; its mappings end with it
 * @map: guest-physical memory in a domain, where nothing is mapped
 * @unmap: the mappings in a range, one or more, none of them in part; returns
 *	when no DMA reaches them
 */
struct vvtd_ops {
	void *(*ptr)(void *ctx, uint64_t gpa, size_t len, bool write);
	void (*msi)(void *ctx, uint64_t addr, uint32_t data);
	uint64_t (*now)(void *ctx);

	int (*bind)(void *ctx, void *host, uint32_t pasid,
		    struct vvtd_stage *stage);
	int (*replace)(void *ctx, void *host, uint32_t pasid,
		       struct vvtd_stage *stage);
	void (*unbind)(void *ctx, void *host, uint32_t pasid, uint32_t handle);
	int (*invalidate)(void *ctx, const struct vvtd_inv *inv, size_t num);
	bool device_tlbs;
	void (*drain)(void *ctx, void *host);
	void (*respond)(void *ctx, void *host, uint64_t cookie, uint8_t answer);
	int (*pasid_alloc)(void *ctx, uint32_t *pasid);
	int (*pasid_free)(void *ctx, uint32_t pasid);
	int (*domain_alloc)(void *ctx, void *host, void **domain);
	void (*domain_free)(void *ctx, void *domain);
	int (*map)(void *ctx, void *domain, uint64_t iova, uint64_t gpa,
		   uint64_t size, unsigned int prot);
	void (*unmap)(void *ctx, void *domain, uint64_t iova, uint64_t size);
};

/* ---- the unit ------------------------------------------------------------ */

/* NULL: out of memory, or the configuration contradicts itself. */
struct vvtd *vvtd_create(const struct vvtd_config *config,
			 const struct vvtd_ops *ops, void *ctx);

/* Unbinds everything; page requests without an answer are answered. */
void vvtd_destroy(struct vvtd *v);

/* Of the machine: registers as after power-on, devices pass-through again. */
void vvtd_reset(struct vvtd *v);

/* @size is 4 or 8, @offset a multiple of it; else 0 is read, nothing written. */
uint64_t vvtd_read(struct vvtd *v, uint64_t offset, unsigned int size);
void vvtd_write(struct vvtd *v, uint64_t offset, unsigned int size,
		uint64_t value);

enum vvtd_state {
	VVTD_IDLE,
	VVTD_MORE,		/* a portion is done, call again */
	VVTD_WAITING,		/* for vvtd_host_done() */
};

/*
 * Do what the guest has asked for.  To be called after vvtd_write(), _reset(),
 * _dev_add() and _host_done(), until it says VVTD_IDLE or VVTD_WAITING.
 */
enum vvtd_state vvtd_run(struct vvtd *v);

/* invalidate() said -EINPROGRESS; @status is what it would say now. */
void vvtd_host_done(struct vvtd *v, int status);

/**
 * struct vvtd_stats - Counts since vvtd_create()
 * @descriptors: of the invalidation queue
 * @host_calls: bind, replace, unbind, invalidate, map and unmap
 * @host_errors: of them, those that failed
 * @tables: pages of the guest's root, context and PASID tables looked at
 * @faults: recorded or lost to an overflow
 * @page_requests: put into the guest's queue
 */
struct vvtd_stats {
	uint64_t descriptors;
	uint64_t host_calls;
	uint64_t host_errors;
	uint64_t tables;
	uint64_t faults;
	uint64_t page_requests;
};

void vvtd_stats(const struct vvtd *v, struct vvtd_stats *stats);

/* ---- host units and devices ------------------------------------------------- */

/**
 * struct vvtd_host_caps - What the host says of a device and its unit
 * @cap: CAP register of the unit
 * @ecap: ECAP register
 * @pasid_bits: of device and unit together, 0: no PASIDs
 * @no_read_only: no read-only second-stage mapping under a nested entry
 * @page_requests: the host hands on page requests of the device
 */
struct vvtd_host_caps {
	uint64_t cap;
	uint64_t ecap;
	uint8_t pasid_bits;
	bool no_read_only;
	bool page_requests;
};

/*
 * Can a device with @host stand below a virtual unit with @config?
 * -EOPNOTSUPP: no, and @why, of @len bytes, says why.
 */
int vvtd_check_host(const struct vvtd_config *config,
		    const struct vvtd_host_caps *host, char *why, size_t len);

/* May two devices share a second stage?  false: @why says why not. */
bool vvtd_same_second_stage(const struct vvtd_host_caps *a,
			    const struct vvtd_host_caps *b, char *why,
			    size_t len);

/*
 * A passed-through device, at any time.  The first binding is made by the next
 * vvtd_run().  -EBUSY: @sid is taken; -ENOSPC: VVTD_MAX_DEVS; -EOPNOTSUPP: see
 * vvtd_check_host(), which gives the reason.
 */
int vvtd_dev_add(struct vvtd *v, uint16_t sid,
		 const struct vvtd_host_caps *caps, void *host,
		 struct vvtd_dev **dev);

/* Unplugged: everything is unbound, page requests are forgotten. */
void vvtd_dev_remove(struct vvtd_dev *dev);

/*
 * Which second stage the device needs: devices with the same number may share
 * one.  Numbers count from 0 in the order in which devices were added.
 */
unsigned int vvtd_dev_second_stage(const struct vvtd_dev *dev);

/* A reset of the device: bindings stay, page requests end without an answer. */
void vvtd_dev_reset(struct vvtd_dev *dev);

/*
 * What is bound.  VVTD_NONE in stage->kind: nothing; then the return value is
 * the reason of the fault that DMA meets (0: translation is off), else 0.
 */
uint8_t vvtd_binding(const struct vvtd_dev *dev, uint32_t pasid,
		     struct vvtd_stage *stage);

/* ---- page requests and faults from the host ----------------------------------- */

/**
 * struct vvtd_page_request - One page request message of a device
 * @cookie: names its group towards the host
 * @addr: page
 * @pasid: with @has_pasid
 * @group: page request group index
 */
struct vvtd_page_request {
	uint64_t cookie;
	uint64_t addr;
	uint32_t pasid;
	uint16_t group;
	bool has_pasid;
	bool read;
	bool write;
	bool exec;
	bool privileged;
	bool last;
};

/*
 * Into the guest's queue.  A group ends with exactly one ops->respond(), once
 * its last request has come: by the guest, or by the unit where the guest
 * cannot be asked.
 */
void vvtd_page_request(struct vvtd_dev *dev,
		       const struct vvtd_page_request *request);

/* The host has ended the group by itself; a later answer is dropped. */
void vvtd_page_request_ended(struct vvtd_dev *dev, uint64_t cookie);

/* Answer groups that the guest has left alone for group_timeout_ns. */
void vvtd_expire(struct vvtd *v);

/**
 * struct vvtd_fault - An unrecoverable fault that the host tells of
 * @addr: page
 * @pasid: with @has_pasid
 * @reason: as the specification encodes it; 0: the unit finds out
 */
struct vvtd_fault {
	uint64_t addr;
	uint32_t pasid;
	uint8_t reason;
	bool has_pasid;
	bool write;
	bool exec;
	bool privileged;
};

void vvtd_dev_fault(struct vvtd_dev *dev, const struct vvtd_fault *fault);

#endif /* VVTD_H */
