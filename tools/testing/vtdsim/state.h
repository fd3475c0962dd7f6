/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulator: one struct sim holds the VM's memory and the VT-d units, each
 * unit its registers, its caches and the endpoints below it.
 *
 * Everything runs in one thread, polled from sim_poll().  In the polite mode a
 * translation and the memory access that it is for are one step: when an
 * invalidation has been executed, no request that used the old translation is
 * still on its way.  adverse.c says what else there is.
 */
#ifndef VTDSIM_STATE_H
#define VTDSIM_STATE_H

#include <stdio.h>
#include "base.h"
#include "caches.h"
#include "config.h"
#include "model.h"
#include "platform.h"
#include "request.h"
#include "vtdsim_abi.h"

struct page_group;

/* A queue of an endpoint's DMA engine: one descriptor at a time. */
struct dma {
	bool active;
	struct vtdsim_desc desc;	/* as fetched */
	struct vtdsim_desc *slot;	/* where its status goes */
	u32 pasid;
	bool has_pasid;
	u32 done;			/* bytes */
	struct page_group *waiting;	/* page request not answered */
	struct flight {
		bool active;		/* translated, memory not reached yet */
		bool translated;	/* by the device TLB */
		bool write;
		u8 *p;
		u32 len;
		u32 rounds;
	} flight[VTDSIM_LOOP_FLIGHTS];	/* LOOP: any of them; else the first */
	bool writing;			/* COPY: what was read is in @buf */
	bool ended;			/* CAS: done */
	u64 turn;			/* LOOP: accesses begun before this one */
	bool wants_credit;		/* to send a page request */
	u32 backoff;			/* rounds to let pass before the next try */
	u32 pri_retries;
	u8 buf[4096];			/* last: not cleared */
};

/* A page request on its way to the unit, or a response to the endpoint. */
struct message {
	bool response;
	bool last;
	u8 code;
	u32 index;
	u32 rounds;
	struct request rq;
};

#define MAX_MESSAGES	64

struct ep {
	struct unit *u;
	u32 index;
	u16 sid;
	bool behind_port;		/* the bus number is software's */
	u32 flags;			/* VTDSIM_EP_* */
	u32 pasid_bits;
	u8 *bar;
	u32 ctl;			/* as last seen */
	bool gone;
	struct cache devtlb;
	struct dma q[VTDSIM_NR_QUEUES];
	struct vtdsim_counters cnt;	/* e_ part */
	struct list groups;		/* page request groups not answered */
	struct message msg[MAX_MESSAGES];	/* on their way, in order */
	u32 nr_msgs;
	u32 next_group;
	u32 pri_outstanding;
	u32 pri_status;
};

struct unit {
	struct sim *sim;
	u32 index;
	struct unit_config cfg;
	struct vtd_model m;

	/* What memory shows of status registers. */
	u32 fsts_shown;
	u32 ics_shown;
	u32 prs_shown;
	u32 prq_quiet;			/* rounds since software wrote to PRS */
	bool prq_hidden;		/* it may not have seen PRO */
	u32 fault_quiet;		/* rounds since software cleared a record */
	bool fault_handled;		/* it has cleared one since the event */

	/* Queued invalidation */
	u32 iqt_seen;
	bool timed_out;			/* the queue runs on, waits are aborted */
	u16 timed_out_sid;
	u32 iq_rest;			/* rounds before the next descriptor */
	u32 iq_early;			/* offset of one that is executed already, */
#define NOT_EARLY	(~0u)		/* or this */
	u64 inv_nr;			/* invalidations executed */
	u64 inv_done;			/* of them, those waited for */
	void *scopes;			/* their scopes */
	void *taints;
	u32 nr_taints;

	struct cache iotlb;		/* IOTLB and paging-structure caches */
	struct sid_cache ctx;
	struct pasid_cache pasids;

	struct ep ep[VTDSIM_MAX_EPS];
	u32 nr_eps;
	struct vtdsim_counters cnt;	/* u_ part */
};

struct sim {
	struct ram ram;
	struct sim_config cfg;
	struct unit unit[VTDSIM_MAX_UNITS];
	u32 nr_units;
	u64 random;
	u64 rounds;
	u64 last_pause;		/* in rounds */
	void (*paused)(void *ctx);	/* unit tests: instead of a pause */
	void (*msi)(void *ctx, u64 addr, u32 data);
	void *msi_ctx;
	FILE *trace;
};

static inline struct vtdsim_regs *ep_regs(struct ep *ep)
{
	return (struct vtdsim_regs *)(ep->bar + VTDSIM_BAR_REGS);
}

static inline void sim_msi(struct sim *sim, u64 addr, u32 data)
{
	if (sim->msi)
		sim->msi(sim->msi_ctx, addr, data);
}

static inline bool unit_is_legacy(const struct unit *u)
{
	return RTADDR_TTM(u->m.rtaddr) == TTM_LEGACY;
}

/* Are faults cached, so that what software adds may go unnoticed? */
static inline bool unit_caches_faults(const struct unit *u)
{
	return u->cfg.cm || u->cfg.rwbf;
}

static inline u32 reg_read32(const struct unit *u, u32 reg)
{
	return vtd_get32(&u->m, reg);
}

static inline u64 reg_read64(const struct unit *u, u32 reg)
{
	return vtd_get64(&u->m, reg);
}

static inline void reg_write32(struct unit *u, u32 reg, u32 val)
{
	vtd_set32(&u->m, reg, val);
}

static inline void reg_write64(struct unit *u, u32 reg, u64 val)
{
	vtd_set64(&u->m, reg, val);
}

#endif /* VTDSIM_STATE_H */
