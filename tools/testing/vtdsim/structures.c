// SPDX-License-Identifier: GPL-2.0-only
/*
 * "Translation Structure Formats": root and context entries, PASID directory
 * and PASID table, with the context cache and the PASID cache in front.
 */
#include <string.h>
#include "adverse.h"
#include "base.h"
#include "caches.h"
#include "judge.h"
#include "model.h"
#include "oracle.h"
#include "platform.h"
#include "state.h"
#include "structures.h"
#include "vtd.h"
#include "vtdsim_abi.h"
#include "walk_state.h"

#define PREFETCH_PERMILLE	30
#define FORGET_PERMILLE		50

/* A walk reads: VTDSIM_OP_EXPLAIN is to hear of it. */
struct walk_reader {
	struct vtd_reader r;
	struct walk *w;
};

static void explain(struct vtd_reader *r, enum vtd_table what, u64 addr,
		    u64 entry)
{
	static const u8 stage[] = {
		[VTD_ROOT] = VTDSIM_ST_ROOT,
		[VTD_CONTEXT] = VTDSIM_ST_CONTEXT,
		[VTD_DIRECTORY] = VTDSIM_ST_PASID_DIR,
	};

	explain_step(container_of(r, struct walk_reader, r)->w, stage[what], 0,
		     addr, entry);
}

static struct walk_reader reader_of(struct walk *w)
{
	return (struct walk_reader){
		.r = { .m = &w->u->m, .saw = w->ex ? explain : NULL }, .w = w,
	};
}

static u8 fetch_context(struct walk *w, u64 *ctx)
{
	struct walk_reader reader = reader_of(w);
	u8 reason = vtd_read_context(&reader.r, w->rq->sid, ctx);

	w->fpd = reader.r.fpd;
	return reason;
}

/* Does memory still say what the cache says? */
static void check_context_hit(struct walk *w, struct ctx_entry *e)
{
	const struct tag tag = {
		.cache = CACHE_CONTEXT, .sid = w->rq->sid, .did = e->did,
	};
	struct walk fresh = { .u = w->u, .rq = w->rq, .peek = true };
	u64 ctx[4] = { 0 };
	u8 reason;

	if (w->u->sim->cfg.no_oracle)
		return;
	reason = fetch_context(&fresh, ctx);
	judge_hit(w, "context cache", &tag, &e->age, 0, reason == e->reason &&
		  (reason || !memcmp(ctx, e->val, sizeof(ctx))));
}

static bool context_hit(struct walk *w, struct ctx_entry *e)
{
	if (!e->valid)
		return false;
	if (sim_evict(w->u)) {
		e->valid = false;
		return false;
	}
	w->u->cnt.u_hits_context++;
	check_context_hit(w, e);
	return true;
}

/* The context entry of the request, to w->ctx. */
u8 find_context(struct walk *w)
{
	struct ctx_entry *e = &w->u->ctx.e[w->rq->sid];
	u8 reason;

	if (!w->peek && context_hit(w, e)) {
		memcpy(w->ctx, e->val, sizeof(w->ctx));
		w->fpd = e->fpd;
		return e->reason;
	}
	reason = fetch_context(w, w->ctx);
	if (!w->peek && (!reason || (unit_caches_faults(w->u) && !w->guess))) {
		e->valid = true;
		e->reason = reason;
		e->did = unit_is_legacy(w->u) && !reason ?
			 LCTX_DID(w->ctx[1]) : 0;
		e->fpd = w->fpd;
		e->age = w->age;
		memcpy(e->val, w->ctx, sizeof(e->val));
	}
	return reason;
}

/* At once: begin again if the entry changes meanwhile. */
static void read_entry_atomic(u64 *p, u64 *pe)
{
	int i;

	do {
		for (i = 0; i < 8; i++)
			pe[i] = load_acquire(&p[i]);
	} while (load_acquire(&p[0]) != pe[0]);
}

/*
 * In pieces of 128 bits.  The one with P comes first: software that sets P last
 * may rely on the rest, software that rewrites a present entry may not.
 */
static void read_entry_pieces(struct unit *u, u64 *p, u64 *pe)
{
	int i;

	for (i = 0; i < 8; i += 2) {
		if (i)
			adverse_pause(u);
		do {
			pe[i] = load_acquire(&p[i]);
			pe[i + 1] = load_acquire(&p[i + 1]);
		} while (load_acquire(&p[i]) != pe[i]);
	}
}

/* "Scalable-Mode PASID-Table Entry" */
static u8 read_pasid_entry(struct walk *w, u64 pde, u64 *pe)
{
	struct unit *u = w->u;
	u64 addr = page_of(pde) + (w->pasid & 63) * 64;
	u64 *p = ram_ptr(&u->sim->ram, addr, 64);

	if (!p)
		return FR_SPT_1;
	if (u->sim->cfg.adverse && !w->peek)
		read_entry_pieces(u, p, pe);
	else
		read_entry_atomic(p, pe);
	explain_step(w, VTDSIM_ST_PASID, 0, addr, pe[0]);
	w->fpd |= !!(pe[0] & PE_FPD);
	return vtd_check_pasid(&u->m.caps, pe);
}

static u8 fetch_pasid_entry(struct walk *w, u64 *pe)
{
	struct walk_reader reader = reader_of(w);
	u64 pde;
	u8 reason = vtd_read_directory(&reader.r, page_of(w->ctx[0]),
				       w->pasid >> 6, &pde);

	w->fpd |= reader.r.fpd;
	return reason ? reason : read_pasid_entry(w, pde, pe);
}

static void check_pasid_hit(struct walk *w, struct pasid_entry *e)
{
	const struct tag tag = {
		.cache = CACHE_PASID, .sid = e->sid, .did = e->did,
		.any_did = e->reason, .pasid = e->pasid,
	};
	struct walk fresh = {
		.u = w->u, .rq = w->rq, .pasid = w->pasid, .peek = true
	};
	u64 pe[8] = { 0 };
	u8 reason;

	if (w->u->sim->cfg.no_oracle)
		return;
	memcpy(fresh.ctx, w->ctx, sizeof(fresh.ctx));
	reason = fetch_pasid_entry(&fresh, pe);
	judge_hit(w, "PASID cache", &tag, &e->age, 0, reason == e->reason &&
		  (reason || !memcmp(pe, e->val, sizeof(pe))));
}

/*
 * Adverse: an entry leaves now and then, with what was translated by it, so that
 * all of the entry that comes next is used.
 */
static bool forget_all_of(struct walk *w, const struct pasid_entry *e)
{
	if (!adverse_chance(w->u, FORGET_PERMILLE))
		return false;
	cache_drop_pasid(&w->u->iotlb, e->did, e->pasid);
	return true;
}

static struct pasid_entry *pasid_hit(struct walk *w)
{
	struct pasid_entry *e;

	e = pasid_cache_find(&w->u->pasids, w->rq->sid, w->pasid);
	if (!e)
		return NULL;
	if (sim_evict(w->u) || forget_all_of(w, e)) {
		pasid_cache_remove(&w->u->pasids, e);
		return NULL;
	}
	w->u->cnt.u_hits_pasid++;
	check_pasid_hit(w, e);
	return e;
}

static void cache_pasid_entry(struct walk *w, u8 reason, bool fpd)
{
	struct pasid_entry *e;

	e = pasid_cache_insert(&w->u->pasids, w->rq->sid, w->pasid,
			       PE_DID(w->pe[1]), reason);
	e->fpd = fpd;
	e->age = w->age;
	memcpy(e->val, w->pe, sizeof(e->val));
}

/*
 * Adverse: now and then one of the 64 entries of the same page comes into the
 * cache unasked, if it is present and sound.
 */
static void prefetch_pasid_entry(struct walk *w)
{
	struct walk other = {
		.u = w->u, .rq = w->rq, .peek = true, .age = oracle_now(w->u),
	};
	struct pasid_entry *e;

	if (w->peek || !adverse_chance(w->u, PREFETCH_PERMILLE))
		return;
	other.pasid = (w->pasid & ~63u) | (sim_random(w->u->sim) & 63);
	memcpy(other.ctx, w->ctx, sizeof(other.ctx));
	e = pasid_cache_find(&w->u->pasids, w->rq->sid, other.pasid);
	if (e || fetch_pasid_entry(&other, other.pe))
		return;
	other.age = w->age;
	cache_pasid_entry(&other, FR_NONE, other.fpd);
}

/* The PASID-table entry of the request, to w->pe. */
u8 find_pasid_entry(struct walk *w)
{
	struct pasid_entry *e = w->peek ? NULL : pasid_hit(w);
	bool ctx_fpd = w->fpd;
	u8 reason;

	if (e) {
		memcpy(w->pe, e->val, sizeof(w->pe));
		w->fpd |= e->fpd;
		reason = e->reason;
		prefetch_pasid_entry(w);
		return reason;
	}
	w->fpd = false;
	reason = fetch_pasid_entry(w, w->pe);
	if (!w->peek && (!reason || (unit_caches_faults(w->u) && !w->guess)))
		cache_pasid_entry(w, reason, w->fpd);
	w->fpd |= ctx_fpd;
	return reason;
}
