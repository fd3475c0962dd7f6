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
#ifndef VTDSIM_SIM_H
#define VTDSIM_SIM_H

#include <stdio.h>
#include "caches.h"
#include "base.h"
#include "model.h"
#include "oracle.h"
#include "platform.h"
#include "vtd.h"
#include "vtdsim_abi.h"

/* What a unit can do; every member is a key of --unit. */
struct unit_config {
	u32 seg;
	union {
		struct vtd_features;
		struct vtd_features features;
	};
	u32 haw, ver, iqe_in, ice_in;
	u32 scope;		/* names its endpoints, does not include all */
};

struct ep_config {
	u32 unit;
	u32 ats, ats_global, pri, pasid, pasid_bits, priv, exec, mute, deaf;
	u32 port;		/* behind the unit's root port */
	u32 rmrr;		/* firmware reserves memory for it */
};

struct sim_config {
	u32 nr_units;
	struct unit_config unit[VTDSIM_MAX_UNITS];
	u32 nr_eps[VTDSIM_MAX_UNITS];
	struct ep_config ep[VTDSIM_MAX_UNITS][VTDSIM_MAX_EPS];
	u32 evict;		/* per mille */
	u32 seed;
	bool adverse;
	bool no_oracle;
	bool trace;
};

void unit_config_init(struct unit_config *cfg);
void ep_config_init(struct ep_config *cfg);

/* Address type of a request, as in its TLP. */
enum at {
	AT_UNTRANSLATED = 0,
	AT_TRANSLATION = 1,	/* ATS translation request */
	AT_TRANSLATED = 2,
};

/* A request that reaches the unit. */
struct request {
	u16 sid;
	u8 at;
	bool has_pasid;
	bool priv;
	bool exec;
	bool read;
	bool write;
	bool page_request;
	u32 pasid;
	u64 addr;
	u32 len;
};

/* What became of it. */
struct translation {
	u8 reason;		/* enum fault_reason; FR_NONE: translated */
	bool fpd;		/* an entry on the way disables fault processing */
	bool aborted;		/* blocked before any structure was read */
	bool read;		/* permissions of the translation, for ATS */
	bool write;
	bool exec;
	bool needs_dirty;	/* peek: a write would have to set a dirty bit */
	u8 level;		/* page size: 1: 4 KiB, 2: 2 MiB, 3: 1 GiB */
	u8 pgtt;
	u16 did;
	u64 hpa;
	u64 gpa;		/* nested */
	struct age age;		/* of what it was made from */
	u64 pe[8];
};

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

/* sim.c */
int sim_init(struct sim *sim, const struct sim_config *cfg, u8 *ram, u64 size);
void sim_destroy(struct sim *sim);
bool sim_poll(struct sim *sim);

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

/* adverse.c */
u64 sim_random(struct sim *sim);
bool sim_evict(struct unit *u);
bool adverse_chance(struct unit *u, u32 permille);
u32 adverse_rest(struct unit *u);
u32 adverse_flight(struct unit *u);
u32 adverse_message(struct unit *u, bool response);
void adverse_pause(struct unit *u);
u8 adverse_level(struct unit *u, u8 level);

/* command.c */
void command_init(struct unit *u);
bool command_poll(struct unit *u);
void write_buffer_flush(struct unit *u);

/* registers.c */
void registers_init(struct unit *u);
bool registers_poll(struct unit *u);

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

/* invalidation.c */
bool invalidation_poll(struct unit *u);
void invalidation_context(struct unit *u, const u64 *d);
void invalidation_iotlb(struct unit *u, const u64 *d);

/* faults.c */
void fault_record(struct unit *u, const struct request *rq, u8 reason);
void faults_poll(struct unit *u);
void faults_watch(struct unit *u);
const char *fault_text(u8 reason);

/* translate.c */
void translate(struct unit *u, const struct request *rq, struct translation *t);
void translate_peek(struct unit *u, const struct request *rq,
		    struct translation *t, struct vtdsim_explain *ex);
void translate_page_request(struct unit *u, const struct request *rq,
			    struct translation *t);

/* page_requests.c */
struct page_group *page_request_send(struct ep *ep, const struct request *rq,
				     u32 nr);
u8 page_request_raw(struct ep *ep, const struct request *rq, u64 index,
		    bool last, struct page_group **wait);
u32 page_request_credits(struct ep *ep);
bool page_group_done(struct page_group *g, u8 *code, bool *overflowed);
void page_group_put(struct page_group *g);
void page_request_status_clear(struct unit *u, u32 written);
void page_request_queued(struct unit *u, u32 offset, const u64 *entry,
			 bool first);
void page_requests_watch(struct unit *u);
void page_response(struct unit *u, const u64 *d);
bool page_messages_poll(struct ep *ep);
void page_messages_deliver(struct ep *ep);
u64 page_requests_count(struct ep *ep, bool one, u32 pasid);
void page_requests_reset(struct ep *ep);
void page_request_status(struct ep *ep, u32 set, u32 clear);

/* failures.c */
bool ep_answers(struct ep *ep);
bool ep_hears(struct ep *ep);
bool ep_is_late(struct ep *ep);
bool ep_fails_unit(struct ep *ep, bool completion);

/* census.c */
void census(struct ep *ep, bool one, u32 pasid, struct vtdsim_census *out);

/* endpoint.c */
void ep_init(struct ep *ep, const struct ep_config *cfg);
void ep_destroy(struct ep *ep);
bool ep_poll(struct ep *ep);
void ep_invalidate(struct ep *ep, bool has_pasid, u32 pasid, bool global,
		   u64 addr, u64 size);
void ep_drain(struct ep *ep, bool translated, bool reads, bool writes);
void ep_show_counters(struct ep *ep);

/* topology.c */
struct ep *unit_find_ep(struct unit *u, u16 sid);
u8 topology_port(u32 unit);
u8 topology_devfn(const struct sim_config *cfg, u32 unit, u32 e);
u16 topology_sid(const struct sim_config *cfg, u32 unit, u32 e);
u64 topology_bar(const struct sim_config *cfg, u32 unit, u32 e);

/* dmar.c */
size_t dmar_build(const struct sim_config *cfg, u8 *buf, size_t size);

/* trace.c */
void trace_desc(struct unit *u, const u64 *d);
void trace_translation(struct unit *u, const struct request *rq,
		       const struct translation *t);
void trace_note(struct unit *u, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void counters_print(struct sim *sim, FILE *f);

#endif /* VTDSIM_SIM_H */
