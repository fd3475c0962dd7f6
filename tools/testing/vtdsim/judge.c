// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is told of a walk: its steps, to VTDSIM_OP_EXPLAIN, and its hits in the
 * caches, to the oracle.
 */
#include "caches.h"
#include "judge.h"
#include "oracle.h"
#include "request.h"
#include "trace.h"
#include "vtdsim_abi.h"
#include "walk_state.h"

void explain_step(struct walk *w, u8 stage, u8 level, u64 addr, u64 entry)
{
	struct vtdsim_explain *ex = w->ex;
	struct vtdsim_step *s;

	if (!ex || ex->nr_steps == VTDSIM_EXPLAIN_STEPS)
		return;
	s = &ex->step[ex->nr_steps++];
	s->stage = stage;
	s->level = level;
	s->for_level = stage == VTDSIM_ST_SECOND ? w->for_level : 0;
	s->addr = addr;
	s->entry = entry;
}

void judge_hit(struct walk *w, const char *what, const struct tag *tag,
	       struct age *age, u64 addr, bool agrees)
{
	bool stale = oracle_hit(w->u, tag, age, agrees, &w->age);

	if (!agrees)
		trace_note(w->u, "%s hit: %s, source-id %04x PASID %#x address %#llx",
			   stale ? "stale" : "outdated", what, w->rq->sid,
			   w->pasid, addr);
}

static struct tag tag_of(const struct cache_entry *e)
{
	return (struct tag){
		.cache = CACHE_IOTLB,
		.kind = e->space->kind,
		.leaf = e->leaf,
		.did = e->space->did,
		.pasid = e->space->pasid,
		.addr = e->page << level_shift(e->level),
		.size = 1ULL << level_shift(e->level),
	};
}

/* The entry that the request has hit: does memory support it? */
void judge_entry(struct walk *w, const char *what, struct cache_entry *e,
		 u64 addr, bool agrees)
{
	const struct tag tag = tag_of(e);

	judge_hit(w, what, &tag, &e->age, addr, agrees);
}
