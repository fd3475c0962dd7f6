// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle's memory: the last invalidations, and the outdated entries that
 * others were made from.  Both are rings; what has left them is forgotten, and
 * a hit that cannot be judged any more counts as legal.
 */
#include <stdlib.h>
#include "caches.h"
#include "oracle.h"
#include "state.h"
#include "vtd.h"

#define NR_SCOPES	(1u << 16)
#define NR_TAINTS	(1u << 16)

struct taint {
	struct tag tag;
	struct age age;
};

static void *ring(void **p, size_t n, size_t size)
{
	if (!*p)
		*p = calloc(n, size);
	if (!*p)
		abort();
	return *p;
}

struct age oracle_now(const struct unit *u)
{
	return (struct age){ .agreed = u->inv_nr };
}

void oracle_invalidated(struct unit *u, const struct scope *s)
{
	struct scope *scopes = ring(&u->scopes, NR_SCOPES, sizeof(*s));

	scopes[++u->inv_nr % NR_SCOPES] = *s;
}

void oracle_waited(struct unit *u)
{
	u->inv_done = u->inv_nr;
}

void oracle_destroy(struct unit *u)
{
	free(u->scopes);
	free(u->taints);
}

static bool in_range(const struct scope *s, const struct tag *t)
{
	if (!s->by_addr || (s->second_only && t->kind != SPACE_SECOND))
		return true;
	if (s->hint && !t->leaf)
		return false;
	return t->addr <= s->addr + (s->size - 1) &&
	       s->addr <= t->addr + (t->size - 1);
}

static bool covers(const struct scope *s, const struct tag *t)
{
	if (s->cache != t->cache)
		return false;
	if (s->by_sid && (s->sid ^ t->sid) & ~s->sid_ignored)
		return false;
	if (s->by_did && s->did != t->did && !t->any_did)
		return false;
	if (s->by_pasid && s->pasid != t->pasid)
		return false;
	if (s->with_first && t->kind == SPACE_SECOND)
		return false;
	if (s->global && t->pasid == PASID_NONE)
		return false;
	return in_range(s, t);
}

/* Has software, as far as it knows, told of all that changed since @age? */
static bool told(const struct unit *u, const struct tag *t,
		 const struct age *age)
{
	const struct scope *scopes = u->scopes;
	u64 i;

	for (i = u->inv_done; i > age->agreed && u->inv_nr - i < NR_SCOPES; i--) {
		if (covers(&scopes[i % NR_SCOPES], t))
			return true;
	}
	return false;
}

static const struct taint *taint_find(const struct unit *u, u32 nr)
{
	const struct taint *taints = u->taints;

	return u->nr_taints - nr < NR_TAINTS ? &taints[nr % NR_TAINTS] : NULL;
}

static bool stale(const struct unit *u, const struct tag *t,
		  const struct age *age)
{
	while (told(u, t, age)) {
		const struct taint *from;

		if (!age->taint)
			return true;
		from = taint_find(u, age->taint);
		if (!from)
			return false;
		t = &from->tag;
		age = &from->age;
	}
	return false;
}

static u32 taint_new(struct unit *u, const struct tag *t,
		     const struct age *age)
{
	struct taint *taints = ring(&u->taints, NR_TAINTS, sizeof(*taints));

	if (!++u->nr_taints)
		u->nr_taints++;
	taints[u->nr_taints % NR_TAINTS] = (struct taint){ *t, *age };
	return u->nr_taints;
}

bool oracle_hit(struct unit *u, const struct tag *tag, struct age *age,
		bool agrees, struct age *made)
{
	if (agrees) {
		*age = oracle_now(u);
		return false;
	}
	u->cnt.u_outdated_hits++;
	if (age->agreed < made->agreed)
		made->agreed = age->agreed;
	made->taint = taint_new(u, tag, age);
	if (!stale(u, tag, age))
		return false;
	u->cnt.u_stale_hits++;
	return true;
}
