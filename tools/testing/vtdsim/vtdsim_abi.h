/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two sides of the lab share: where the hardware stands in guest
 * physical memory, and how the DMA engine behind each endpoint is programmed.
 *
 * Read by vtdsim (which plays the hardware), by the kernel module that creates
 * the PCI segments, and by every test that drives an endpoint through its BAR.
 * All fields are little endian; every structure is naturally aligned.
 *
 * The hardware side sees values in memory, not accesses.  A register that
 * software writes is therefore either a mailbox (hardware takes the value and
 * writes zero back) or an index that hardware compares with its own.
 */
#ifndef VTDSIM_ABI_H
#define VTDSIM_ABI_H

#include <linux/types.h>

/* The window of guest RAM that the kernel leaves alone (memmap=16M$...). */
#define VTDSIM_WINDOW_BASE	0x1F000000UL
#define VTDSIM_WINDOW_SIZE	0x01000000UL

#define VTDSIM_MAX_UNITS	4
#define VTDSIM_MAX_EPS		4	/* endpoints on one unit */

/* Offsets inside the window. */
#define VTDSIM_CONFIG_OFF	0x000000UL	/* struct vtdsim_config */
#define VTDSIM_UNIT_OFF(u)	(0x100000UL + (u) * 0x10000UL)
#define VTDSIM_UNIT_SIZE	0x1000UL	/* register set, one page */
/* What firmware reserves for an endpoint, where it does (RMRR). */
#define VTDSIM_RMRR_SIZE	0x10000UL
#define VTDSIM_RMRR_OFF(u, e) \
	(0x200000UL + ((u) * VTDSIM_MAX_EPS + (e)) * VTDSIM_RMRR_SIZE)
#define VTDSIM_BAR_SIZE		0x40000UL
#define VTDSIM_BAR_OFF(u, e) \
	(0x800000UL + ((u) * VTDSIM_MAX_EPS + (e)) * VTDSIM_BAR_SIZE)
/* Behind a root port, whose window is a mebibyte. */
#define VTDSIM_PORT_WINDOW	0x100000UL
#define VTDSIM_PORT_OFF(u)	(0xc00000UL + (u) * VTDSIM_PORT_WINDOW)
#define VTDSIM_PORT_BAR_OFF(u, e) \
	(VTDSIM_PORT_OFF(u) + (e) * VTDSIM_BAR_SIZE)

#define VTDSIM_CONFIG_MAGIC	0x4d49534454560002ULL	/* "..VTDSIM", 2 */

/* Capabilities of an endpoint, struct vtdsim_config_ep::flags. */
#define VTDSIM_EP_ATS		(1U << 0)
#define VTDSIM_EP_ATS_GLOBAL	(1U << 1)	/* global invalidate supported */
#define VTDSIM_EP_PRI		(1U << 2)
#define VTDSIM_EP_PASID		(1U << 3)
#define VTDSIM_EP_PASID_PRIV	(1U << 4)
#define VTDSIM_EP_PASID_EXEC	(1U << 5)

struct vtdsim_config_ep {
	__u32 flags;
	__u32 pasid_bits;
	__u64 bar;		/* guest-physical address of BAR 0 */
	__u32 port;		/* not 0: behind the unit's root port */
	__u32 devfn;		/* device << 3 | function, on its bus */
};

struct vtdsim_config_unit {
	__u32 segment;		/* PCI segment; another unit may have it, too */
	__u32 nr_eps;
	__u64 regs;		/* guest-physical address of its registers */
	__u32 port;		/* device << 3 of its root port, if there is one */
	__u32 reserved;
	struct vtdsim_config_ep ep[VTDSIM_MAX_EPS];
};

/* Written by vtdsim before the kernel starts, read by the endpoint module. */
struct vtdsim_config {
	__u64 magic;
	__u32 nr_units;
	__u32 reserved;
	struct vtdsim_config_unit unit[VTDSIM_MAX_UNITS];
};

#define VTDSIM_PCI_VENDOR	0x1AF4	/* vendor and device ID of an endpoint */
#define VTDSIM_PCI_DEVICE	0x6DA1
#define VTDSIM_PCI_PORT		0x6DA0
#define VTDSIM_PCI_CLASS	0x088000	/* system peripheral, other */

/*
 * Requests that the configuration space of an endpoint makes to its hardware:
 * the endpoint module mirrors the enables here, as a real device would latch
 * them, and asks for a function-level reset.
 */
#define VTDSIM_CTL_BUS_MASTER	(1U << 0)
#define VTDSIM_CTL_ATS		(1U << 1)	/* ATS enable; clearing it drops the device TLB */
#define VTDSIM_CTL_PASID	(1U << 2)
#define VTDSIM_CTL_PASID_EXEC	(1U << 3)
#define VTDSIM_CTL_PASID_PRIV	(1U << 4)
#define VTDSIM_CTL_PRI		(1U << 5)
#define VTDSIM_CTL_PRI_RESET	(1U << 6)	/* mailbox bit, taken and cleared by hardware */
#define VTDSIM_CTL_ATS_OFF	(1U << 7)	/* mailbox bit: ATS was off, if only for a moment */

/* BAR 0 */
#define VTDSIM_BAR_REGS		0x00000	/* struct vtdsim_regs */
#define VTDSIM_BAR_COUNTERS	0x01000	/* struct vtdsim_counters, read only */
#define VTDSIM_BAR_LOCAL	0x10000	/* memory on the device, 64 KiB */
#define VTDSIM_LOCAL_SIZE	0x10000
#define VTDSIM_NR_QUEUES	4
#define VTDSIM_BAR_QUEUE(q)	(0x20000 + (q) * 0x8000)
#define VTDSIM_QUEUE_RING	0x4000	/* ring, from the start of its queue */
#define VTDSIM_RING_ENTRIES	256

#define VTDSIM_REGS_MAGIC	0x44544456	/* "VDTD" */

struct vtdsim_regs {
	__u32 magic;		/* VTDSIM_REGS_MAGIC */
	__u32 version;		/* 1 */
	__u32 unit;		/* index of the VT-d unit above */
	__u32 ep;		/* index of the endpoint on it */
	__u32 segment;
	__u32 source_id;	/* bus << 8 | devfn */
	__u32 ctl;		/* VTDSIM_CTL_*, owned by configuration space */
	__u32 flr;		/* mailbox: write 1; reads 0 when the reset is done */
	__u32 pri_credits;	/* PRI: outstanding page requests allowed */
	__u32 pri_status;	/* VTDSIM_PRI_* */
	__u32 pri_outstanding;
	__u32 snapshot;		/* mailbox: write 1; 0 when counters are current */
	__u32 pri_clear;	/* mailbox: bits of pri_status to clear; 0 when done */
	/*
	 * Failures on demand, for tests.  A number counts down, as each of what
	 * it is about comes by; VTDSIM_ALWAYS does not.
	 */
	__u32 mute;		/* device-TLB invalidations that are never completed */
	__u32 deaf;		/* page responses that are lost */
	__u32 gone;		/* not 0: pulled out; no DMA, no answer to anything */
	__u32 iqe_in;		/* of the unit: the descriptor with this number is an error */
	__u32 ice_in;		/* of the unit: the device-TLB invalidation likewise */
	__u32 forgets;		/* not 0: caches drop by chance what they hold */
	/*
	 * Behind a root port: the number of the bus, as the endpoint has it from
	 * the last configuration request; source_id follows.
	 */
	__u32 bus;
	/* Like mute: page requests that arrive when they are drained, not before. */
	__u32 late;
	/*
	 * Of the unit: 1 << type of descriptors that are an error each time, but
	 * for global invalidations of its own caches.
	 */
	__u32 refuses;
	__u32 names;		/* of the unit: not 0: 1 + the source ID that time-outs name */
};

#define VTDSIM_ALWAYS		0xffffffffU
#define VTDSIM_BUS_NONE		0xffU	/* no number yet */

/* As in the Page Request Status Register of PCIe. */
#define VTDSIM_PRI_RF		(1U << 0)	/* response failure: no requests until cleared */
#define VTDSIM_PRI_UPRGI	(1U << 1)	/* unexpected group */

/*
 * One per queue, at VTDSIM_BAR_QUEUE(q).  To stop a queue: enable to 0, then,
 * after a full barrier, wait until busy reads 0; head is then final.
 */
struct vtdsim_queue {
	__u32 tail;		/* software: index of the first free slot, free running */
	__u32 head;		/* hardware: index of the first slot not done, free running */
	__u32 pasid;		/* PASID for descriptors with VTDSIM_F_QPASID */
	__u32 enable;		/* 0: stopped; no descriptor starts */
	__u32 busy;		/* hardware: a descriptor is in flight */
	__u32 reserved[3];
};

enum vtdsim_op {
	VTDSIM_OP_NOP,
	VTDSIM_OP_READ,		/* memory at addr to local memory at local, len bytes */
	VTDSIM_OP_WRITE,	/* local memory at local to memory at addr, len bytes */
	VTDSIM_OP_COPY,		/* memory at addr to memory at addr2, len bytes */
	VTDSIM_OP_CAS,		/* 8 bytes at addr: operand to operand2; old value in result */
	/*
	 * Not DMA: a look into the unit, for tests.  Changes no cache, no
	 * accessed or dirty bit and no counter.
	 */
	VTDSIM_OP_EXPLAIN,	/* struct vtdsim_explain of the translation of addr, to local */
	VTDSIM_OP_CENSUS,	/* struct vtdsim_census of this endpoint, to local */
	/*
	 * One page request message for addr, as operand says; for tests of
	 * groups that DMA does not make.  A last one waits for the response,
	 * whose code goes to result.
	 */
	VTDSIM_OP_PAGE_REQUEST,
	/*
	 * DMA that goes on until it is stopped, as struct vtdsim_loop in local
	 * memory says; with the flags of any DMA.  Each access is 8 bytes, and
	 * one that fails is counted and not repeated.
	 */
	VTDSIM_OP_LOOP,
};

/* VTDSIM_OP_PAGE_REQUEST: operand */
#define VTDSIM_PRQ_READ		(1U << 0)
#define VTDSIM_PRQ_WRITE	(1U << 1)
#define VTDSIM_PRQ_LAST		(1U << 2)	/* last of its group */
#define VTDSIM_PRQ_GROUP(i)	((i) << 3)	/* group index: 256 ... 511 */
#define VTDSIM_PRQ_MAX_GROUP	16		/* pages that DMA asks for in a group */

#define VTDSIM_F_PASID		(1U << 0)	/* tag requests with pasid */
#define VTDSIM_F_QPASID		(1U << 1)	/* tag requests with the queue's PASID */
#define VTDSIM_F_PRIV		(1U << 2)	/* privileged mode requested */
#define VTDSIM_F_EXEC		(1U << 3)	/* execute requested (reads) */
#define VTDSIM_F_ATS		(1U << 4)	/* translate by ATS, through the device TLB */
/*
 * With ATS: raise page requests and wait.  Except for CAS, operand is how many
 * pages of what is left to ask for in one group; 0 and 1: page by page.
 */
#define VTDSIM_F_PRI		(1U << 5)

/* vtdsim_desc::status */
enum vtdsim_status {
	VTDSIM_PENDING,
	VTDSIM_DONE,
	VTDSIM_FAULT,		/* reason holds the VT-d fault reason */
	VTDSIM_ATS_DENIED,	/* translation completion without the permission needed */
	VTDSIM_PRI_FAILED,	/* page request answered invalid or with failure */
	VTDSIM_BAD_DESC,
	VTDSIM_ABORTED,		/* reset, or bus master off */
};

struct vtdsim_desc {
	__u8 op;
	__u8 flags;
	__u8 status;		/* hardware */
	__u8 reason;		/* hardware: VT-d fault reason when status is VTDSIM_FAULT */
	__u32 pasid;
	__u64 addr;
	__u64 addr2;
	__u32 len;
	__u32 local;		/* offset in the local memory */
	__u64 operand;
	__u64 operand2;
	__u64 result;		/* hardware: CAS: old value; FAULT: faulting address */
	__u64 cookie;		/* left alone */
};

#define VTDSIM_LOOP_READ	(1U << 0)
#define VTDSIM_LOOP_WRITE	(1U << 1)
#define VTDSIM_LOOP_PASIDS	16
#define VTDSIM_LOOP_FLIGHTS	8	/* accesses on their way at once */

/*
 * VTDSIM_OP_LOOP: on each of @nr_pages pages from the descriptor's addr in turn,
 * by each PASID in turn, read the 8 bytes at addr, or write the 8 bytes behind
 * them.  What is written is the number of the write, from 1 on.
 */
struct vtdsim_loop {
	__u32 stop;		/* software: not 0 ends the descriptor */
	__u32 dir;		/* VTDSIM_LOOP_*; both: in turn */
	__u32 nr_pages;		/* 0: one */
	__u32 nr_pasids;	/* 0: the descriptor's PASID, if it has one */
	__u32 pasid[VTDSIM_LOOP_PASIDS];
	__u64 expect[2];	/* what a read may find; both 0: anything */
	/* Hardware, from here on */
	__u64 reads;		/* done */
	__u64 writes;
	__u64 faults;
	__u64 denied;		/* no translation by ATS */
	__u64 failed;		/* page request failed, or no such PASID */
	__u64 wrong;		/* reads that found something else */
	__u64 wrong_value;	/* the last such */
	__u64 reasons[4];	/* of faults, one bit for each */
};

/* One step of a walk, as VTDSIM_OP_EXPLAIN reports it. */
enum vtdsim_stage {
	VTDSIM_ST_ROOT = 1,	/* scalable-mode root entry */
	VTDSIM_ST_CONTEXT,	/* context entry */
	VTDSIM_ST_PASID_DIR,
	VTDSIM_ST_PASID,	/* PASID-table entry; entry is its first 64 bits */
	VTDSIM_ST_FIRST,	/* first-stage paging entry */
	VTDSIM_ST_SECOND,	/* second-stage paging entry */
};

struct vtdsim_step {
	__u8 stage;		/* enum vtdsim_stage */
	__u8 level;		/* paging: 5 ... 1 */
	/*
	 * Second stage: level of the first-stage table whose address it
	 * translates; 0: the page.
	 */
	__u8 for_level;
	__u8 reserved;
	__u32 reserved2;
	__u64 addr;		/* host-physical address of the entry */
	__u64 entry;
};

#define VTDSIM_EXPLAIN_STEPS	64

struct vtdsim_explain {
	__u32 reason;		/* 0: translated */
	__u32 nr_steps;
	__u64 output;		/* host-physical address */
	__u64 gpa;		/* nested: guest-physical address */
	__u32 pgtt;
	__u32 did;
	__u64 pasid_entry[8];
	struct vtdsim_step step[VTDSIM_EXPLAIN_STEPS];
};

/* What is left of a PASID, or (desc pasid 0, no flag) of all on the endpoint. */
struct vtdsim_census {
	__u64 present;		/* PASID-table entries with P set, PASID 0 not counted */
	__u64 nested;		/* of them, with PGTT nested */
	__u64 pasid_cache;	/* cached PASID-table entries of this endpoint */
	__u64 iotlb;		/* IOTLB entries tagged with such a PASID, whole unit */
	__u64 paging_cache;	/* paging-structure entries, likewise */
	__u64 dev_tlb;		/* device-TLB entries of this endpoint */
	__u64 page_requests;	/* page requests not answered */
	__u64 nonzero;		/* PASID-table entries not all zero, PASID 0 not counted */
};

/*
 * Counters of the unit above the endpoint (u_) and of the endpoint (e_).
 * Hardware keeps them current within a moment; VTDSIM regs::snapshot makes
 * them exact.  They never go backwards while the lab runs.
 */
enum vtdsim_desc_type {
	VTDSIM_D_CONTEXT,
	VTDSIM_D_PASID_CACHE,
	VTDSIM_D_IOTLB,
	VTDSIM_D_PIOTLB,
	VTDSIM_D_DEVTLB,
	VTDSIM_D_PDEVTLB,
	VTDSIM_D_IEC,
	VTDSIM_D_WAIT,
	VTDSIM_D_PGRP_RESP,
	VTDSIM_D_PSTREAM_RESP,
	VTDSIM_NR_DESC_TYPES,
};

struct vtdsim_counters {
	__u64 u_desc[16];	/* by enum vtdsim_desc_type */
	__u64 u_desc_total;
	__u64 u_submissions;	/* tail moves seen; one per software submission unless two merge */
	__u64 u_waits;		/* wait descriptors with a status write or interrupt */
	__u64 u_translations;	/* untranslated requests and translation requests served */
	__u64 u_walks;		/* translations that no cache answered whole */
	__u64 u_hits_context;
	__u64 u_hits_pasid;
	__u64 u_hits_iotlb;
	__u64 u_hits_paging;
	__u64 u_hits_devtlb;
	__u64 u_stale_hits;	/* outdated hits that software has a right not to see */
	__u64 u_evictions;
	__u64 u_faults;
	__u64 u_faults_by_reason[256];
	__u64 u_page_requests;
	__u64 u_prq_overflows;
	__u64 u_iqe;
	__u64 u_outdated_hits;	/* hits that memory no longer supports, stale ones included */
	/* Nanoseconds of the host's clock that the unit worked on descriptors. */
	__u64 u_queue_ns;
	__u64 e_dma_reads;
	__u64 e_dma_writes;
	__u64 e_bytes;
	__u64 e_page_requests;
	__u64 e_page_responses;
};

#endif /* VTDSIM_ABI_H */
