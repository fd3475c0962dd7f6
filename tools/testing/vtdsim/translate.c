// SPDX-License-Identifier: GPL-2.0-only
/*
 * "DMA Remapping": what becomes of a request, from its source-id to a page.
 *
 * Order of checks: the unit's mode, the context entry, what the request needs
 * of it, the PASID-table entry, what the request needs of that, the pages.
 */
#include <string.h>
#include "adverse.h"
#include "base.h"
#include "command.h"
#include "faults.h"
#include "judge.h"
#include "model.h"
#include "oracle.h"
#include "request.h"
#include "state.h"
#include "structures.h"
#include "trace.h"
#include "translate.h"
#include "vtd.h"
#include "vtdsim_abi.h"
#include "walk.h"
#include "walk_state.h"

#define GUESS_PERMILLE	50

/* "Root Table Address Register", TTM */
static u8 check_mode(const struct unit *u, const struct request *rq)
{
	switch (RTADDR_TTM(u->m.rtaddr)) {
	case TTM_SCALABLE:
		return u->cfg.smts ? FR_NONE : FR_RTA_1;
	case TTM_LEGACY:
		if (rq->page_request)
			return FR_RTA_3;
		return rq->has_pasid ? FR_RTA_2 : FR_NONE;
	case TTM_ABORT:
		return u->cfg.adms ? FR_RTA_4 : FR_RTA_1;
	}
	return FR_RTA_1;
}

/* What the context entry lets this request do. */
static u8 check_context(const struct walk *w)
{
	const struct request *rq = w->rq;
	u32 max = vtd_directory_size(w->ctx[0]) * 64;

	if (rq->at != AT_UNTRANSLATED && !(w->ctx[0] & CTX_DTE))
		return FR_SCT_5;
	if (rq->has_pasid && !(w->ctx[0] & CTX_PASIDE))
		return FR_SCT_6;
	if (rq->page_request && !(w->ctx[0] & CTX_PRE))
		return FR_SCT_8;
	if (rq->at == AT_TRANSLATED)
		return FR_NONE;
	/* "PASID Size Supported": what is beyond is an error of the same kind. */
	if (rq->has_pasid &&
	    (rq->pasid >= max || rq->pasid >> w->u->cfg.pss >> 1))
		return FR_SCT_7;
	if (!rq->has_pasid && CTX_RID_PASID(w->ctx[1]) >= max)
		return FR_SCT_9;
	return FR_NONE;
}

/* "Interrupt Address Range" */
static bool to_interrupts(const struct request *rq)
{
	return rq->addr >= INTR_BASE && rq->addr < INTR_END;
}

/* "Handling Requests with Pre-Translated Address" */
static u8 check_translated(struct walk *w)
{
	const struct request *rq = w->rq;

	if (rq->addr >> w->u->cfg.haw)
		return FR_SGN_4;
	if (to_interrupts(rq))
		return FR_SGN_8;
	w->t->hpa = rq->addr;
	w->t->read = true;
	w->t->write = true;
	w->t->level = 1;
	return FR_NONE;
}

/* What the PASID-table entry lets this request do. */
static u8 check_pasid_entry(const struct walk *w)
{
	u8 pgtt = PE_PGTT(w->pe[0]);

	if (w->rq->exec && !(w->pe[2] & PE_ERE))
		return FR_SPT_5;
	if ((pgtt == PGTT_FIRST || pgtt == PGTT_NESTED) && w->priv &&
	    !(w->pe[2] & PE_SRE))
		return FR_SPT_6;
	return FR_NONE;
}

static u8 walk_pasid(struct walk *w)
{
	const struct request *rq = w->rq;
	u8 reason;

	w->pasid = rq->has_pasid ? rq->pasid : CTX_RID_PASID(w->ctx[1]);
	w->priv = rq->has_pasid ? rq->priv : !!(w->ctx[1] & CTX_RID_PRIV);
	reason = find_pasid_entry(w);
	memcpy(w->t->pe, w->pe, sizeof(w->pe));
	if (reason)
		return reason;
	w->t->pgtt = PE_PGTT(w->pe[0]);
	w->t->did = PE_DID(w->pe[1]);
	reason = check_pasid_entry(w);
	return reason ? reason : walk_pages(w);
}

/* Legacy mode: a context entry has what a PASID-table entry has otherwise. */
static u8 walk_legacy(struct walk *w)
{
	const struct request *rq = w->rq;

	if (rq->at != AT_UNTRANSLATED && LCTX_TT(w->ctx[0]) != LCTX_ALL)
		return FR_LCT_5;
	if (rq->at == AT_TRANSLATED)
		return check_translated(w);
	if (to_interrupts(rq))
		return FR_SGN_8;
	vtd_legacy_entry(w->ctx, w->pe);
	w->t->pgtt = PE_PGTT(w->pe[0]);
	w->t->did = PE_DID(w->pe[1]);
	return walk_pages(w);
}

static u8 walk_request(struct walk *w)
{
	const struct request *rq = w->rq;
	u8 reason = check_mode(w->u, rq);

	if (reason)
		return reason;
	reason = find_context(w);
	if (reason)
		return reason;
	if (unit_is_legacy(w->u))
		return walk_legacy(w);
	reason = check_context(w);
	if (reason || rq->page_request)
		return reason;
	if (rq->at == AT_TRANSLATED)
		return check_translated(w);
	/* "Interrupt Address Range": not memory for requests without PASID. */
	if (!rq->has_pasid && to_interrupts(rq))
		return FR_SGN_8;
	return walk_pasid(w);
}

enum how {
	FOR_REAL,
	PEEK,
	GUESS,
};

static void run(struct unit *u, const struct request *rq,
		struct translation *t, struct vtdsim_explain *ex, enum how how);

/* What the IOTLB gave for the request: does memory give the same? */
static void check_hit(struct walk *w)
{
	struct translation fresh = { 0 };
	const struct translation *t = w->t;

	if (w->u->sim->cfg.no_oracle)
		return;
	run(w->u, w->rq, &fresh, NULL, PEEK);
	judge_entry(w, "IOTLB", w->hit, w->rq->addr, !fresh.reason &&
		    fresh.hpa == t->hpa && t->read <= fresh.read &&
		    t->write <= fresh.write && t->exec <= fresh.exec &&
		    !fresh.needs_dirty);
}

static void run(struct unit *u, const struct request *rq,
		struct translation *t, struct vtdsim_explain *ex, enum how how)
{
	struct request asked = *rq;
	bool from_root = false;
	struct walk w;

	/* "No Write" in a translation request, where the unit knows it. */
	if (rq->at == AT_TRANSLATION && !u->cfg.nwfs)
		asked.write = true;
	do {
		memset(t, 0, sizeof(*t));
		memset(&w, 0, offsetof(struct walk, touch));
		w.nr_touches = 0;
		w.nr_pending = 0;
		w.from_root = from_root;
		w.u = u;
		w.rq = &asked;
		w.t = t;
		w.ex = ex;
		w.peek = how == PEEK;
		w.guess = how == GUESS;
		w.age = oracle_now(u);
		t->reason = walk_request(&w);
		if (w.hit)
			check_hit(&w);
		from_root |= t->reason == WALK_FROM_ROOT;
	} while (t->reason >= WALK_FROM_ROOT);
	t->fpd = w.fpd;
	t->age = w.age;
}

/* Remapping is off: only plain requests pass, with the address as it is. */
static bool remapping_off(struct unit *u, const struct request *rq,
			  struct translation *t)
{
	if (u->m.gsts & GCMD_TE)
		return false;
	memset(t, 0, sizeof(*t));
	t->hpa = rq->addr;
	t->read = true;
	t->write = true;
	t->level = 1;
	t->aborted = rq->has_pasid || rq->at != AT_UNTRANSLATED;
	return true;
}

/*
 * "Fault conditions": those that a translation request answers with a
 * completion that grants nothing, and does not report; a page request may
 * follow.
 */
static bool recoverable(u8 reason)
{
	switch (reason) {
	case FR_SFS_2:
	case FR_SFS_5:
	case FR_SFS_6:
	case FR_SFS_7:
	case FR_SFS_8:
	case FR_SSS_2:
	case FR_SGN_1:
	case FR_SGN_2:
	case FR_SGN_3:
	case FR_SGN_5:
	case FR_SGN_6:
	case FR_SGN_7:
		return true;
	}
	return false;
}

static void grant_nothing(struct translation *t)
{
	t->reason = FR_NONE;
	t->read = false;
	t->write = false;
	t->exec = false;
}

/*
 * The conditions have names and reasons of their own in legacy mode; that there
 * is no permission at all is none of them.
 */
static u8 reason_of(const struct unit *u, const struct request *rq, u8 reason)
{
	static const u8 legacy[] = {
		[FR_SSS_4] = FR_LCT_4, [FR_SSS_1] = FR_LSS_1,
		[FR_SSS_3] = FR_LSS_2, [FR_SGN_4] = FR_LGN_1,
		[FR_SGN_5] = FR_LGN_1, [FR_SGN_6] = FR_LGN_2,
		[FR_SGN_7] = FR_LGN_3, [FR_SGN_8] = FR_LGN_4,
	};

	if (!unit_is_legacy(u) || reason >= ARRAY_SIZE(legacy))
		return reason;
	if (reason == FR_SSS_2)
		return rq->write ? FR_LGN_2 : FR_LGN_3;
	return legacy[reason] ? legacy[reason] : reason;
}

/* Faults met before the entries that could disable their report. */
static bool unqualified(u8 reason)
{
	if (reason < FR_RTA_1)
		return reason == FR_LRT_1 || reason == FR_LRT_2 ||
		       reason == FR_LRT_3 || reason == FR_LCT_1;
	return reason <= FR_SCT_1 || reason == FR_SPD_1 || reason == FR_SPT_1;
}

static void report(struct unit *u, const struct request *rq,
		   const struct translation *t)
{
	if (!t->fpd || unqualified(t->reason))
		fault_record(u, rq, t->reason);
}

/* Adverse: the page before or after may come into the caches as well. */
static void guess_neighbour(struct unit *u, const struct request *rq,
			    const struct translation *t)
{
	struct request next = *rq;
	struct translation unused;

	if (t->reason || rq->at == AT_TRANSLATED ||
	    !adverse_chance(u, GUESS_PERMILLE))
		return;
	next.addr = page_of(rq->addr) +
		    (sim_random(u->sim) & 1 ? 0x1000 : -0x1000ULL);
	next.at = AT_UNTRANSLATED;
	next.read = true;
	next.write = false;
	run(u, &next, &unused, NULL, GUESS);
}

void translate(struct unit *u, const struct request *rq, struct translation *t)
{
	u->cnt.u_translations += rq->at != AT_TRANSLATED;
	/* Software takes a flush for done as soon as it has asked for it. */
	if (u->cfg.rwbf)
		command_poll(u);
	if (remapping_off(u, rq, t))
		return;
	run(u, rq, t, NULL, FOR_REAL);
	trace_translation(u, rq, t);
	guess_neighbour(u, rq, t);
	if (!t->reason)
		return;
	if (rq->at == AT_TRANSLATION && recoverable(t->reason)) {
		grant_nothing(t);
		return;
	}
	t->reason = reason_of(u, rq, t->reason);
	report(u, rq, t);
}

/* A page request has only the context entry to pass, if remapping is on. */
void translate_page_request(struct unit *u, const struct request *rq,
			    struct translation *t)
{
	if (remapping_off(u, rq, t)) {
		t->aborted = true;
		return;
	}
	run(u, rq, t, NULL, FOR_REAL);
	if (!t->reason)
		return;
	trace_translation(u, rq, t);
	report(u, rq, t);
}

void translate_peek(struct unit *u, const struct request *rq,
		    struct translation *t, struct vtdsim_explain *ex)
{
	if (ex)
		memset(ex, 0, sizeof(*ex));
	run(u, rq, t, ex, PEEK);
	if (!ex)
		return;
	ex->reason = reason_of(u, rq, t->reason);
	ex->output = t->reason ? 0 : t->hpa;
	ex->gpa = t->gpa;
	ex->pgtt = t->pgtt;
	ex->did = t->did;
	memcpy(ex->pasid_entry, t->pe, sizeof(ex->pasid_entry));
}
