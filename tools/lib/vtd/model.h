/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The model of a unit, for both roles: the simulated hardware and the virtual
 * unit.  First its state and what changes it, then the rules of the
 * specification that need no state: whether an entry or a descriptor is sound
 * on a unit with given capabilities.
 */
#ifndef VTD_MODEL_H
#define VTD_MODEL_H

#include "vtd.h"

struct vtd_caps {
	u64 cap;
	u64 ecap;
	u8 haw;			/* host address width */
};

/*
 * capability.c: what CAP and ECAP say, by the specification's names in short:
 * c, sc, pt, dt and so on are bits of ECAP, cm, psi and rwbf of CAP.
 */
struct vtd_features {
	u32 cm, nest, fl5lp, fl1gp, srs, ers, eafs, pasid, pss, prs, pds, dt;
	u32 slads, smpwc, c, sc, pt, slts, flts, smts, sagaw, mgaw, sslps;
	u32 mamv, psi, nd, nfr, nwfs, qi, adms, rwbf;
};

u64 vtd_capability(const struct vtd_features *f);
u64 vtd_extended_capability(const struct vtd_features *f);

/* An event that is signalled by message: fault, invalidation, page request. */
struct vtd_event {
	u32 reg;		/* control register; data and address follow */
	bool pending;
};

struct vtd_model;

/*
 * Where the roles differ.
 * @ptr: @len bytes of the VM's memory within a page, or NULL
 * @sync: take what software has written to status registers up to now, for a
 *	role whose registers do not trap; or NULL
 * @publish: show @fsts, @ics and @prs in the registers
 * @queued: a page request stands at @offset of its queue, which software
 *	cannot see yet; @first: nothing else is in the queue; or NULL
 */
struct vtd_model_ops {
	void *(*ptr)(struct vtd_model *m, u64 gpa, size_t len, bool write);
	void (*msi)(struct vtd_model *m, const struct vtd_event *ev, u64 addr,
		    u32 data);
	void (*sync)(struct vtd_model *m);
	void (*publish)(struct vtd_model *m);
	void (*queued)(struct vtd_model *m, u32 offset, const u64 *entry,
		       bool first);
};

#define VTD_MAX_RECORDS	256

/*
 * "Global Command Register": GSTS after a command, of which the unit knows the
 * bits @known.  That a pointer was set stays shown.
 */
static inline u32 vtd_gsts_after(u32 gsts, u32 cmd, u32 known)
{
	return (gsts & known & (GCMD_SRTP | GCMD_SIRTP)) | (cmd & known);
}

/*
 * The registers as the unit holds them.  @regs is the page that software sees
 * and, unless its accesses trap, may write to at any time.
 */
struct vtd_model {
	const struct vtd_model_ops *ops;
	struct vtd_caps caps;
	u8 *regs;
	u32 gsts;
	u64 rtaddr;		/* in effect */
	u32 fsts;
	u32 ics;
	u32 prs;
	u32 prs_again;		/* condition met while its bit was set */
	u32 fault_next;		/* next fault recording register */
	u32 fault_top[VTD_MAX_RECORDS];	/* top word of each */
	struct vtd_event ev_fault;
	struct vtd_event ev_inv;
	struct vtd_event ev_prq;
	u32 iqh;		/* "Invalidation Queue Head Register" */
};

static inline u32 vtd_get32(const struct vtd_model *m, u32 reg)
{
	return load_acquire((u32 *)(m->regs + reg));
}

static inline u64 vtd_get64(const struct vtd_model *m, u32 reg)
{
	return load_acquire((u64 *)(m->regs + reg));
}

static inline void vtd_set32(struct vtd_model *m, u32 reg, u32 val)
{
	store_release((u32 *)(m->regs + reg), val);
}

static inline void vtd_set64(struct vtd_model *m, u32 reg, u64 val)
{
	store_release((u64 *)(m->regs + reg), val);
}

/*
 * events.c: the state after a reset.  @m->regs is zeroed; @m->ops and @m->caps
 * are kept.
 */
void vtd_model_init(struct vtd_model *m, u32 version);

static inline void vtd_sync(struct vtd_model *m)
{
	if (m->ops->sync)
		m->ops->sync(m);
}

/*
 * Send the message of a pending event, unless it is masked, and show what the
 * control register is now.  True if that changed it.
 */
bool vtd_event_service(struct vtd_model *m, struct vtd_event *ev);
void vtd_event_raise(struct vtd_model *m, struct vtd_event *ev);
/* Software has dealt with what a masked event was to tell it. */
void vtd_event_clear(struct vtd_model *m, struct vtd_event *ev);

/* Status registers but FSTS: software has written these bits, 1 to clear. */
void vtd_ics_clear(struct vtd_model *m, u32 written);
void vtd_prs_clear(struct vtd_model *m, u32 written);

/*
 * fault_log.c.  Setting a status bit publishes it; clearing leaves that to the
 * caller, who has more to clear.  @written: by software, 1 to clear.
 */
struct vtd_fault {
	u64 addr;
	u32 pasid;
	u16 sid;
	u8 reason;
	u8 at;			/* address type */
	bool t1;		/* type of the request */
	bool t2;
	bool has_pasid;
	bool exec;
	bool priv;
};

static inline u32 vtd_record_reg(u32 index)
{
	return REG_FRCD + index * 16;
}

static inline u32 vtd_nr_records(const struct vtd_model *m)
{
	return bits(m->caps.cap, 47, 40) + 1;
}

static inline bool vtd_record_pending(const struct vtd_model *m, u32 index)
{
	return m->fault_top[index] & FRCD_W3_F;
}

void vtd_fault_record(struct vtd_model *m, const struct vtd_fault *f);
void vtd_fault_status_set(struct vtd_model *m, u32 bit);
void vtd_fault_status_clear(struct vtd_model *m, u32 written);
void vtd_fault_record_clear(struct vtd_model *m, u32 index);
/* After records were cleared.  True: none is pending any more. */
bool vtd_fault_records_settle(struct vtd_model *m);

/*
 * inv_queue.c.  What is to be fetched, up to *@tail: the queue is enabled, and
 * not stopped by an error.
 */
bool vtd_queue_ready(const struct vtd_model *m, u32 *tail);
/* The descriptor at offset @at: IQEI_NONE, or the error. */
u8 vtd_queue_fetch(struct vtd_model *m, u64 iqa, u32 at, u64 *d);
u32 vtd_queue_after(u64 iqa, u32 at);
void vtd_queue_advance(struct vtd_model *m, u32 head);

/* "Invalidation Queue Error", "Invalidation Time-out Error" */
void vtd_queue_error(struct vtd_model *m, u8 info);
void vtd_queue_timed_out(struct vtd_model *m, u16 sid);

/* "Invalidation Wait Descriptor": all that it was to wait for is done. */
void vtd_queue_waited(struct vtd_model *m, const u64 *d);

/*
 * page_queue.c: "Page Request Queue", "Page Request Overflow".  *@offset: where
 * the request stands in the queue, if it was queued.
 */
enum prq_result {
	PRQ_QUEUED,
	PRQ_OVERFLOWED,
	PRQ_UNREACHABLE,
};

struct vtd_page_request {
	u64 addr;
	u32 pasid;
	u16 sid;
	u16 index;		/* of its group */
	bool has_pasid;
	bool read;
	bool write;
	bool exec;
	bool priv;
	bool last;
};

enum prq_result vtd_page_request_queue(struct vtd_model *m,
				       const struct vtd_page_request *rq,
				       u32 *offset);
u32 vtd_page_queue_mask(const struct vtd_model *m);
/* Set a bit of @m->prs; the event is raised when the condition appears. */
void vtd_prs_set(struct vtd_model *m, u32 bit);

/* "Page Group Response Descriptor" */
struct vtd_page_response {
	u32 pasid;
	u16 sid;
	u16 index;
	bool has_pasid;
	u8 code;
};

struct vtd_page_response vtd_page_response(const u64 *d);

/*
 * device_tables.c: how a device's context entry and its PASID directory entries
 * are found.  @saw is told of each entry that is read, or is NULL; @fpd: one of
 * them disables fault processing.
 */
enum vtd_table {
	VTD_ROOT,
	VTD_CONTEXT,
	VTD_DIRECTORY,
};

struct vtd_reader {
	struct vtd_model *m;
	void (*saw)(struct vtd_reader *r, enum vtd_table what, u64 addr,
		    u64 entry);
	bool fpd;
};

/*
 * FR_NONE, or the fault.  @ctx has four quadwords; in legacy mode, the upper
 * two are 0.
 */
u8 vtd_read_context(struct vtd_reader *r, u16 sid, u64 *ctx);
u8 vtd_read_directory(struct vtd_reader *r, u64 dir, u32 index, u64 *pde);

/* @pe: the PASID-table entry, of eight quadwords, that means the same. */
void vtd_legacy_entry(const u64 *ctx, u64 *pe);

/*
 * entries.c: FR_NONE, or the fault that the entry causes.  @ctx has four
 * quadwords, @pe eight.
 */
u8 vtd_check_root(const struct vtd_caps *c, u64 half);
u8 vtd_check_context(const struct vtd_caps *c, const u64 *ctx);
u8 vtd_check_directory(const struct vtd_caps *c, u64 pde);
u8 vtd_check_pasid(const struct vtd_caps *c, const u64 *pe);

/* Legacy mode: @root and @ctx have two quadwords. */
u8 vtd_check_legacy_root(const struct vtd_caps *c, const u64 *root);
u8 vtd_check_legacy_context(const struct vtd_caps *c, const u64 *ctx);

/*
 * paging.c: a paging entry at @level, 1 for 4 KiB pages.  First the rules that
 * both stages have in common, then the bits that must be 0 in the second.
 */
bool vtd_paging_leaf(u64 entry, unsigned int level);
u64 vtd_beyond_width(unsigned int width);
u64 vtd_second_stage_reserved(const struct vtd_caps *c, unsigned int level,
			      bool leaf);

static inline unsigned int vtd_level_shift(unsigned int level)
{
	return 3 + 9 * level;
}

/* Of the table or page that a paging entry of either stage leads to. */
static inline u64 vtd_paging_address(u64 entry)
{
	return entry & GENMASK_ULL(51, 12);
}

/* Entries of a PASID directory. */
static inline u32 vtd_directory_size(u64 ctx0)
{
	return 128u << CTX_PDTS(ctx0);
}

/*
 * descriptors.c: IQEI_NONE, or the error.  @d has four quadwords; with @wide,
 * the upper two count.  @ttm: translation table mode.
 */
u8 vtd_check_descriptor(const struct vtd_caps *c, const u64 *d, bool wide,
			u8 ttm);

/* "Invalidation Queue Tail Register": @head is checked for the width, too. */
u8 vtd_check_tail(u64 iqa, u32 head, u32 tail, u8 ttm);

/* [*addr, *addr + size) of an IOTLB or PASID-based IOTLB descriptor. */
u64 vtd_iotlb_range(u64 *addr, u64 qword1);

/* The same of a device-TLB descriptor: @s is its S. */
u64 vtd_device_tlb_range(u64 *addr, bool s);

/* The bits of a source-id that a function mask leaves out of account. */
static inline u16 vtd_sid_ignored(u32 fm)
{
	static const u16 ignored[] = { 0, 4, 6, 7 };

	return ignored[fm & 3];
}

static inline bool vtd_sid_matches(u16 a, u16 b, u32 fm)
{
	return !((a ^ b) & ~vtd_sid_ignored(fm));
}

#endif /* VTD_MODEL_H */
