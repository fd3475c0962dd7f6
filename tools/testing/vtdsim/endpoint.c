// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device: a DMA engine with a few queues behind BAR 0, and its device TLB
 * ("Address Translation Service").
 *
 * An access has two halves: its address is translated, and later the memory is
 * reached.  In the polite mode the second follows at once.
 *
 * Every queue is a state machine that ep_poll() advances by a few pages, so
 * neither a long transfer nor one that waits for a page response holds up
 * anything else.
 */
#include <string.h>
#include "adverse.h"
#include "base.h"
#include "caches.h"
#include "census.h"
#include "config.h"
#include "endpoint.h"
#include "oracle.h"
#include "page_requests.h"
#include "platform.h"
#include "request.h"
#include "state.h"
#include "trace.h"
#include "translate.h"
#include "vtd.h"
#include "vtdsim_abi.h"

#define PAGES_PER_POLL	16
#define MAX_PRI_RETRIES	1000	/* without getting any further */
#define OVERFLOW_BACKOFF 16	/* rounds */
#define LOOP_BACKOFF	64	/* rounds */

#define KNOWN_FLAGS	(VTDSIM_F_PASID | VTDSIM_F_QPASID | VTDSIM_F_PRIV | \
			 VTDSIM_F_EXEC | VTDSIM_F_ATS | VTDSIM_F_PRI)

static struct vtdsim_queue *queue_of(struct ep *ep, u32 n)
{
	return (struct vtdsim_queue *)(ep->bar + VTDSIM_BAR_QUEUE(n));
}

static u8 *local_of(struct ep *ep, u32 offset)
{
	return ep->bar + VTDSIM_BAR_LOCAL + offset;
}

void ep_init(struct ep *ep, const struct ep_config *cfg)
{
	struct vtdsim_regs *r = ep_regs(ep);

	memset(ep->bar, 0, VTDSIM_BAR_SIZE);
	r->version = 1;
	r->unit = ep->u->index;
	r->ep = ep->index;
	r->segment = ep->u->cfg.seg;
	r->source_id = ep->sid;
	r->bus = ep->sid >> 8;
	ep->behind_port = cfg->port;
	r->pri_credits = 32;
	r->forgets = ep->u->sim->cfg.adverse || ep->u->sim->cfg.evict;
	r->mute = cfg->mute;
	r->deaf = cfg->deaf;
	/* One of the endpoints stands for the unit. */
	r->iqe_in = ep->index ? 0 : ep->u->cfg.iqe_in;
	r->ice_in = ep->index ? 0 : ep->u->cfg.ice_in;
	store_release(&r->magic, VTDSIM_REGS_MAGIC);
	cache_init(&ep->devtlb);
	list_init(&ep->groups);
}

void ep_destroy(struct ep *ep)
{
	u32 n;

	for (n = 0; n < VTDSIM_NR_QUEUES; n++) {
		if (ep->q[n].waiting)
			page_group_put(ep->q[n].waiting);
	}
	page_requests_reset(ep);
	cache_destroy(&ep->devtlb);
}

/* Counters of the unit and of the endpoint, to where software reads them. */
void ep_show_counters(struct ep *ep)
{
	struct vtdsim_counters *c;

	c = (struct vtdsim_counters *)(ep->bar + VTDSIM_BAR_COUNTERS);
	memcpy(c, &ep->u->cnt, offsetof(struct vtdsim_counters, e_dma_reads));
	c->e_dma_reads = ep->cnt.e_dma_reads;
	c->e_dma_writes = ep->cnt.e_dma_writes;
	c->e_bytes = ep->cnt.e_bytes;
	c->e_page_requests = ep->cnt.e_page_requests;
	c->e_page_responses = ep->cnt.e_page_responses;
}

/* An invalidate request from the unit, for the device TLB. */
void ep_invalidate(struct ep *ep, bool has_pasid, u32 pasid, bool global,
		   u64 addr, u64 size)
{
	if (global && !(ep->flags & VTDSIM_EP_ATS_GLOBAL))
		global = false;
	cache_drop_device(&ep->devtlb, has_pasid, pasid, global, addr, size);
	/* "Invalidate Completion": behind all requests that used the entries. */
	ep_drain(ep, true, true, true);
	oracle_invalidated(ep->u, &(struct scope){
		.cache = CACHE_DEVICE, .by_sid = true, .sid = ep->sid,
		.by_pasid = !(has_pasid && global),
		.global = has_pasid && global,
		.pasid = has_pasid ? pasid : PASID_NONE,
		.by_addr = true, .addr = addr, .size = size,
	});
}

static void finish(struct ep *ep, struct dma *q, u32 n, u8 status, u8 reason)
{
	struct vtdsim_queue *hw = queue_of(ep, n);

	q->slot->reason = reason;
	store_release(&q->slot->status, status);
	q->active = false;
	/* In this order: software that sees the queue idle may trust its head. */
	store_release(&hw->head, hw->head + 1);
	store_release(&hw->busy, 0);
	trace_note(ep->u, "endpoint %04x queue %u: descriptor done, status %u",
		   ep->sid, n, status);
}

static bool lacks_enable(const struct ep *ep, const struct dma *q)
{
	u8 f = q->desc.flags;

	if (f & (VTDSIM_F_ATS | VTDSIM_F_PRI) && !(ep->ctl & VTDSIM_CTL_ATS))
		return true;
	if (f & VTDSIM_F_PRI && !(f & VTDSIM_F_ATS))
		return true;
	if (!q->has_pasid)
		return f & (VTDSIM_F_PRIV | VTDSIM_F_EXEC);
	return !(ep->ctl & VTDSIM_CTL_PASID) ||
	       (f & VTDSIM_F_PRIV && !(ep->ctl & VTDSIM_CTL_PASID_PRIV)) ||
	       (f & VTDSIM_F_EXEC && !(ep->ctl & VTDSIM_CTL_PASID_EXEC));
}

static u64 local_bytes(const struct vtdsim_desc *d)
{
	switch (d->op) {
	case VTDSIM_OP_READ:
	case VTDSIM_OP_WRITE:
		return d->len;
	case VTDSIM_OP_EXPLAIN:
		return sizeof(struct vtdsim_explain);
	case VTDSIM_OP_CENSUS:
		return sizeof(struct vtdsim_census);
	case VTDSIM_OP_LOOP:
		return sizeof(struct vtdsim_loop);
	}
	return 0;
}

static bool is_dma(u8 op)
{
	return (op >= VTDSIM_OP_READ && op <= VTDSIM_OP_CAS) ||
	       op == VTDSIM_OP_LOOP;
}

static bool on_the_bus(u8 op)
{
	return is_dma(op) || op == VTDSIM_OP_PAGE_REQUEST;
}

/* May the engine execute this at all? */
static bool desc_valid(const struct ep *ep, const struct dma *q)
{
	const struct vtdsim_desc *d = &q->desc;

	if (d->op > VTDSIM_OP_LOOP || d->flags & ~KNOWN_FLAGS)
		return false;
	if ((d->flags & VTDSIM_F_PASID) && (d->flags & VTDSIM_F_QPASID))
		return false;
	if (q->has_pasid && q->pasid >> ep->pasid_bits)
		return false;
	if (d->local + local_bytes(d) > VTDSIM_LOCAL_SIZE)
		return false;
	if ((d->op == VTDSIM_OP_CAS || d->op == VTDSIM_OP_LOOP) && d->addr & 7)
		return false;
	if (d->op == VTDSIM_OP_LOOP && (d->addr & 0xfff) == 0xff8)
		return false;
	if (d->op >= VTDSIM_OP_EXPLAIN && d->local & 7)
		return false;
	if (d->op == VTDSIM_OP_PAGE_REQUEST && !(ep->ctl & VTDSIM_CTL_PRI))
		return false;
	return !on_the_bus(d->op) || !lacks_enable(ep, q);
}

static void request_init(const struct ep *ep, const struct dma *q, u64 addr,
			 bool read, bool write, struct request *rq)
{
	*rq = (struct request){
		.sid = ep->sid,
		.at = AT_UNTRANSLATED,
		.has_pasid = q->has_pasid,
		.pasid = q->pasid,
		.priv = q->desc.flags & VTDSIM_F_PRIV,
		.exec = read && q->desc.flags & VTDSIM_F_EXEC,
		.read = read,
		.write = write,
		.addr = addr,
	};
}

/* An access that has not come back yet, or how it failed. */
struct access {
	u8 status;	/* VTDSIM_PENDING: wait; VTDSIM_DONE: @p is the memory */
	u8 reason;
	bool translated;
	u8 *p;
};

static void reach(struct ep *ep, u64 hpa, u32 len, struct access *a)
{
	a->p = ram_ptr(&ep->u->sim->ram, hpa, len);
	a->status = a->p ? VTDSIM_DONE : VTDSIM_FAULT;
}

static void access_untranslated(struct ep *ep, const struct request *rq,
				u32 len, struct access *a)
{
	struct translation t;

	translate(ep->u, rq, &t);
	a->reason = t.reason;
	a->status = VTDSIM_FAULT;
	if (!t.reason && !t.aborted)
		reach(ep, t.hpa, len, a);
}

static u16 grant_bits(const struct request *rq, const struct translation *t)
{
	u16 rights = 0;

	rights |= t->read ? RIGHT_SS_R : 0;
	rights |= t->write ? RIGHT_SS_W : 0;
	rights |= t->exec && rq->exec ? RIGHT_SS_X : 0;
	rights |= rq->priv ? 0 : RIGHT_FS_U;
	return rights;
}

static bool granted(const struct request *rq, u16 rights)
{
	return (!rq->read || rights & RIGHT_SS_R) &&
	       (!rq->write || rights & RIGHT_SS_W) &&
	       (!rq->exec || rights & RIGHT_SS_X) &&
	       rq->priv == !(rights & RIGHT_FS_U);
}

static struct tag devtlb_tag(const struct ep *ep, const struct cache_entry *e)
{
	return (struct tag){
		.cache = CACHE_DEVICE,
		.leaf = true,
		.sid = ep->sid,
		.pasid = e->space->pasid,
		.addr = e->page << level_shift(e->level),
		.size = 1ULL << level_shift(e->level),
	};
}

static void check_devtlb_hit(struct ep *ep, const struct request *rq,
			     struct cache_entry *e, u64 hpa)
{
	struct tag tag = devtlb_tag(ep, e);
	struct request again = *rq;
	struct age made = e->age;
	bool agrees, is_stale;
	struct translation t;
	u16 lost;

	if (ep->u->sim->cfg.no_oracle)
		return;
	again.at = AT_TRANSLATION;
	/* What was asked for is not recorded: ask for what is held. */
	again.write = e->rights & RIGHT_SS_W;
	again.exec = e->rights & RIGHT_SS_X;
	translate_peek(ep->u, &again, &t, NULL);
	lost = e->rights & ~grant_bits(&again, &t) & ~RIGHT_FS_U;
	agrees = !t.reason && t.hpa == hpa && !lost &&
		 !(rq->write && t.needs_dirty);
	is_stale = oracle_hit(ep->u, &tag, &e->age, agrees, &made);
	if (!agrees)
		trace_note(ep->u, "%s hit: device TLB of %04x PASID %#x address %#llx",
			   is_stale ? "stale" : "outdated", ep->sid,
			   rq->has_pasid ? rq->pasid : 0, rq->addr);
}

static struct cache_entry *devtlb_lookup(struct ep *ep,
					 const struct request *rq)
{
	struct cache_entry *e = NULL;
	unsigned int level;
	struct space *sp;

	sp = cache_space(&ep->devtlb, SPACE_DEVICE, 0,
			 rq->has_pasid ? rq->pasid : PASID_NONE, false);
	for (level = 1; level <= 3 && !e; level++)
		e = cache_find(&ep->devtlb, sp, rq->addr, level, true);
	if (!e || !granted(rq, e->rights))
		return NULL;
	if (sim_evict(ep->u)) {
		cache_remove(&ep->devtlb, e);
		return NULL;
	}
	return e;
}

static void devtlb_insert(struct ep *ep, const struct request *rq,
			  const struct translation *t, u16 rights)
{
	u8 level = adverse_level(ep->u, t->level);
	u64 mask = (1ULL << level_shift(level)) - 1;
	struct cache_entry *e;
	struct space *sp;

	sp = cache_space(&ep->devtlb, SPACE_DEVICE, 0,
			 rq->has_pasid ? rq->pasid : PASID_NONE, true);
	e = cache_insert(&ep->devtlb, sp, rq->addr, level, true);
	e->out = t->hpa & ~mask;
	e->rights = rights;
	e->age = t->age;
}

/* "Handling Requests with Pre-Translated Address" */
static void access_translated(struct ep *ep, const struct request *rq, u64 hpa,
			      u32 len, struct access *a)
{
	struct request plain = *rq;

	plain.at = AT_TRANSLATED;
	plain.addr = hpa;
	a->translated = true;
	access_untranslated(ep, &plain, len, a);
}

/* How many pages to ask for at once: those that are left, as far as allowed. */
static u32 group_size(const struct dma *q, u64 addr, u32 credits)
{
	u64 left = q->desc.len - q->done;
	u64 pages = ((addr & 0xfff) + left + 0xfff) >> 12;
	u64 nr = q->desc.op == VTDSIM_OP_CAS ? 1 : q->desc.operand;

	if (nr > VTDSIM_PRQ_MAX_GROUP)
		nr = VTDSIM_PRQ_MAX_GROUP;
	if (nr > pages)
		nr = pages;
	if (nr > credits)
		nr = credits;
	return nr ? nr : 1;
}

/* The translation completion grants less than needed: ask for the page. */
static void access_denied(struct ep *ep, struct dma *q,
			  const struct request *rq, struct access *a)
{
	u32 credits = page_request_credits(ep);

	a->status = VTDSIM_ATS_DENIED;
	if (!(q->desc.flags & VTDSIM_F_PRI) || !(ep->ctl & VTDSIM_CTL_PRI))
		return;
	a->status = VTDSIM_PRI_FAILED;
	if (ep->pri_status & VTDSIM_PRI_RF || q->pri_retries >= MAX_PRI_RETRIES)
		return;
	a->status = VTDSIM_PENDING;
	if (credits)
		q->waiting = page_request_send(ep, rq,
					       group_size(q, rq->addr,
							  credits));
	else
		q->wants_credit = true;
}

static void access_ats(struct ep *ep, struct dma *q, struct request *rq,
		       u32 len, struct access *a)
{
	struct cache_entry *e = devtlb_lookup(ep, rq);
	struct translation t;
	u16 rights;
	u64 hpa;

	if (e) {
		hpa = e->out | (rq->addr & ((1ULL << level_shift(e->level)) - 1));
		ep->u->cnt.u_hits_devtlb++;
		check_devtlb_hit(ep, rq, e, hpa);
		access_translated(ep, rq, hpa, len, a);
		return;
	}
	rq->at = AT_TRANSLATION;
	translate(ep->u, rq, &t);
	a->reason = t.reason;
	a->status = VTDSIM_FAULT;
	if (t.reason || t.aborted)
		return;
	rights = grant_bits(rq, &t);
	if (!granted(rq, rights)) {
		access_denied(ep, q, rq, a);
		return;
	}
	devtlb_insert(ep, rq, &t, rights);
	access_translated(ep, rq, t.hpa, len, a);
}

static struct flight *free_flight(struct dma *q)
{
	u32 i, nr = q->desc.op == VTDSIM_OP_LOOP ? VTDSIM_LOOP_FLIGHTS : 1;

	for (i = 0; i < nr; i++) {
		if (!q->flight[i].active)
			return &q->flight[i];
	}
	return NULL;
}

/*
 * Memory for @len bytes at @addr, which do not cross a page.  The caller has made
 * sure that a flight is free.
 */
static void access_memory(struct ep *ep, struct dma *q, u64 addr, u32 len,
			  bool read, bool write, struct access *a)
{
	struct request rq;

	memset(a, 0, sizeof(*a));
	request_init(ep, q, addr, read, write, &rq);
	/* ATS may have been switched off since the descriptor began. */
	if (q->desc.flags & VTDSIM_F_ATS && !(ep->ctl & VTDSIM_CTL_ATS))
		a->status = VTDSIM_ATS_DENIED;
	else if (q->desc.flags & VTDSIM_F_ATS)
		access_ats(ep, q, &rq, len, a);
	else
		access_untranslated(ep, &rq, len, a);
	if (a->status == VTDSIM_DONE) {
		ep->cnt.e_dma_reads += read;
		ep->cnt.e_dma_writes += write;
		*free_flight(q) = (struct flight){
			.active = true,
			.translated = a->translated,
			.write = write,
			.p = a->p,
			.len = len,
			.rounds = adverse_flight(ep->u),
		};
	} else if (a->status != VTDSIM_PENDING) {
		q->slot->result = addr;
	}
}

static u32 to_page_end(u64 addr, u32 len)
{
	u32 left = 0x1000 - (addr & 0xfff);

	return len < left ? len : left;
}

/* "Interrupt Requests": a write without PASID to the interrupt range. */
static bool is_message(const struct dma *q)
{
	const struct vtdsim_desc *d = &q->desc;

	return d->op == VTDSIM_OP_WRITE && !q->has_pasid && d->len == 4 &&
	       !(d->flags & VTDSIM_F_ATS) && !(d->addr & 3) &&
	       d->addr >= INTR_BASE && d->addr < INTR_END;
}

static void send_message(struct ep *ep, struct dma *q, struct access *a)
{
	u32 data;

	memcpy(&data, local_of(ep, q->desc.local), 4);
	sim_msi(ep->u->sim, q->desc.addr, data);
	q->done = 4;
	memset(a, 0, sizeof(*a));
	a->status = VTDSIM_DONE;
}

/* A page at a time: read into the buffer, then written from it. */
static void step_copy(struct ep *ep, struct dma *q, struct access *a)
{
	const struct vtdsim_desc *d = &q->desc;
	u64 addr = q->writing ? d->addr2 : d->addr;
	u32 len = to_page_end(d->addr + q->done, d->len - q->done);

	len = to_page_end(d->addr2 + q->done, len);
	access_memory(ep, q, addr + q->done, len, !q->writing, q->writing, a);
}

static void step_local(struct ep *ep, struct dma *q, bool write,
		       struct access *a)
{
	const struct vtdsim_desc *d = &q->desc;
	u32 len = to_page_end(d->addr + q->done, d->len - q->done);

	if (is_message(q))
		send_message(ep, q, a);
	else
		access_memory(ep, q, d->addr + q->done, len, !write, write, a);
}

static struct vtdsim_loop *loop_of(struct ep *ep, const struct dma *q)
{
	return (struct vtdsim_loop *)local_of(ep, q->desc.local);
}

static void count(u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELEASE);
}

/* The PASID whose turn it is; what software wrote may have any value. */
static bool loop_pasid(const struct ep *ep, struct dma *q, u64 turn,
		       const struct vtdsim_loop *l)
{
	u32 nr = load_acquire(&l->nr_pasids);

	if (!nr)
		return true;
	if (nr > VTDSIM_LOOP_PASIDS)
		nr = VTDSIM_LOOP_PASIDS;
	q->pasid = load_acquire(&l->pasid[turn % nr]);
	return q->has_pasid && !(q->pasid >> ep->pasid_bits);
}

static void step_loop(struct ep *ep, struct dma *q, struct access *a)
{
	struct vtdsim_loop *l = loop_of(ep, q);
	u32 dir = load_acquire(&l->dir) & (VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE);
	u32 pages = load_acquire(&l->nr_pages);
	u64 turn = q->turn;
	bool write = dir == VTDSIM_LOOP_WRITE;
	u64 addr = q->desc.addr;

	if (dir == (VTDSIM_LOOP_READ | VTDSIM_LOOP_WRITE)) {
		write = turn & 1;
		turn /= 2;
	}
	addr += (turn % (pages ? pages : 1)) << 12;
	memset(a, 0, sizeof(*a));
	a->status = VTDSIM_BAD_DESC;
	if (loop_pasid(ep, q, turn / (pages ? pages : 1), l))
		access_memory(ep, q, write ? addr + 8 : addr, 8, !write, write,
			      a);
}

static void land_loop(struct ep *ep, struct dma *q, const struct flight *f)
{
	struct vtdsim_loop *l = loop_of(ep, q);
	u64 *p = (u64 *)f->p;
	u64 val;

	ep->cnt.e_bytes += f->len;
	if (f->write) {
		store_release(p, load_acquire(&l->writes) + 1);
		count(&l->writes);
		return;
	}
	val = load_acquire(p);
	if ((l->expect[0] || l->expect[1]) &&
	    val != load_acquire(&l->expect[0]) &&
	    val != load_acquire(&l->expect[1])) {
		store_release(&l->wrong_value, val);
		count(&l->wrong);
	}
	count(&l->reads);
}

/* Counted; a rest follows, so that the report of a fault can keep up. */
static void loop_failed(struct ep *ep, struct dma *q, u8 status, u8 reason)
{
	struct vtdsim_loop *l = loop_of(ep, q);

	q->turn++;
	q->backoff = LOOP_BACKOFF;
	q->pri_retries = 0;
	if (status == VTDSIM_FAULT) {
		l->reasons[reason / 64] |= BIT_ULL(reason % 64);
		count(&l->faults);
	} else if (status == VTDSIM_ATS_DENIED) {
		count(&l->denied);
	} else {
		count(&l->failed);
	}
}

static void step(struct ep *ep, struct dma *q, struct access *a)
{
	switch (q->desc.op) {
	case VTDSIM_OP_COPY:
		step_copy(ep, q, a);
		break;
	case VTDSIM_OP_CAS:
		access_memory(ep, q, q->desc.addr, 8, true, true, a);
		break;
	default:
		step_local(ep, q, q->desc.op == VTDSIM_OP_WRITE, a);
	}
}

static void land_copy(struct dma *q, u8 *p, u32 len)
{
	if (q->writing)
		memcpy(p, q->buf, len);
	else
		memcpy(q->buf, p, len);
	q->writing = !q->writing;
}

static void land_cas(struct dma *q, u8 *p)
{
	u64 old = q->desc.operand;

	cmpxchg((u64 *)p, &old, q->desc.operand2);
	q->slot->result = old;
	q->ended = true;
}

/* The second half of an access: the bytes move. */
static void land(struct ep *ep, struct dma *q, struct flight *f)
{
	u8 *local = local_of(ep, q->desc.local + q->done);
	u32 len = f->len;
	u8 *p = f->p;

	f->active = false;
	switch (q->desc.op) {
	case VTDSIM_OP_COPY:
		land_copy(q, p, len);
		if (q->writing)
			return;
		break;
	case VTDSIM_OP_CAS:
		land_cas(q, p);
		break;
	case VTDSIM_OP_LOOP:
		land_loop(ep, q, f);
		return;
	case VTDSIM_OP_READ:
		memmove(local, p, len);
		break;
	default:
		memmove(p, local, len);
	}
	q->done += len;
	ep->cnt.e_bytes += len;
}

/*
 * Requests on their way arrive: those that the unit translated (@translated
 * false), or those that the device TLB did.
 */
void ep_drain(struct ep *ep, bool translated, bool reads, bool writes)
{
	struct flight *f;
	u32 n, i;

	for (n = 0; n < VTDSIM_NR_QUEUES; n++) {
		for (i = 0; i < VTDSIM_LOOP_FLIGHTS; i++) {
			f = &ep->q[n].flight[i];
			if (f->active && f->translated == translated &&
			    (f->write ? writes : reads))
				land(ep, &ep->q[n], f);
		}
	}
}

static void explain(struct ep *ep, struct dma *q)
{
	struct vtdsim_explain *ex;
	struct translation t;
	struct request rq;

	ex = (struct vtdsim_explain *)local_of(ep, q->desc.local);
	request_init(ep, q, q->desc.addr, true, false, &rq);
	translate_peek(ep->u, &rq, &t, ex);
}

static void take_census(struct ep *ep, struct dma *q)
{
	struct vtdsim_census c;

	census(ep, q->has_pasid, q->pasid, &c);
	memcpy(local_of(ep, q->desc.local), &c, sizeof(c));
}

static u8 send_raw(struct ep *ep, struct dma *q)
{
	u64 how = q->desc.operand;
	struct request rq;

	if (ep->pri_status & VTDSIM_PRI_RF)
		return VTDSIM_PRI_FAILED;
	request_init(ep, q, q->desc.addr, how & VTDSIM_PRQ_READ,
		     how & VTDSIM_PRQ_WRITE, &rq);
	return page_request_raw(ep, &rq, how >> 3, how & VTDSIM_PRQ_LAST,
				&q->waiting);
}

/* What does not touch the VM's memory is done at once. */
static bool run_special(struct ep *ep, struct dma *q, u32 n)
{
	u8 status = VTDSIM_DONE;

	if (!desc_valid(ep, q)) {
		finish(ep, q, n, VTDSIM_BAD_DESC, 0);
		return true;
	}
	if (on_the_bus(q->desc.op) && !(ep->ctl & VTDSIM_CTL_BUS_MASTER)) {
		finish(ep, q, n, VTDSIM_ABORTED, 0);
		return true;
	}
	if (is_dma(q->desc.op))
		return false;
	if (q->desc.op == VTDSIM_OP_PAGE_REQUEST)
		status = send_raw(ep, q);
	else if (q->desc.op == VTDSIM_OP_EXPLAIN)
		explain(ep, q);
	else if (q->desc.op == VTDSIM_OP_CENSUS)
		take_census(ep, q);
	if (status != VTDSIM_PENDING)
		finish(ep, q, n, status, 0);
	return true;
}

static bool queue_start(struct ep *ep, struct dma *q, u32 n)
{
	struct vtdsim_queue *hw = queue_of(ep, n);
	struct vtdsim_desc *ring;
	u32 head = hw->head;

	if (!load_acquire(&hw->enable) || load_acquire(&hw->tail) == head)
		return false;
	ring = (struct vtdsim_desc *)((u8 *)hw + VTDSIM_QUEUE_RING);
	memset(q, 0, offsetof(struct dma, buf));
	q->slot = &ring[head % VTDSIM_RING_ENTRIES];
	memcpy(&q->desc, q->slot, sizeof(q->desc));
	q->has_pasid = q->desc.flags & (VTDSIM_F_PASID | VTDSIM_F_QPASID);
	q->pasid = q->desc.flags & VTDSIM_F_QPASID ? load_acquire(&hw->pasid) :
						     q->desc.pasid;
	if (!q->has_pasid)
		q->pasid = 0;
	store_release(&hw->busy, 1);
	/* Software that stops the queue writes enable, then looks at busy. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!load_acquire(&hw->enable)) {
		store_release(&hw->busy, 0);
		return false;
	}
	q->active = true;
	return true;
}

static void raw_answered(struct ep *ep, struct dma *q, u32 n, u8 code)
{
	q->slot->result = code;
	finish(ep, q, n, code == PRQ_SUCCESS ? VTDSIM_DONE : VTDSIM_PRI_FAILED,
	       0);
}

/* The answer to the page request: try again, now or a little later, or fail. */
static bool take_answer(struct ep *ep, struct dma *q, u32 n)
{
	bool overflowed;
	u8 code;

	if (!page_group_done(q->waiting, &code, &overflowed))
		return false;
	page_group_put(q->waiting);
	q->waiting = NULL;
	if (q->desc.op == VTDSIM_OP_PAGE_REQUEST)
		raw_answered(ep, q, n, code);
	else if (code != PRQ_SUCCESS && q->desc.op == VTDSIM_OP_LOOP)
		loop_failed(ep, q, VTDSIM_PRI_FAILED, 0);
	else if (code != PRQ_SUCCESS)
		finish(ep, q, n, VTDSIM_PRI_FAILED, 0);
	else if (overflowed)
		q->backoff = OVERFLOW_BACKOFF;
	else
		q->pri_retries++;
	return true;
}

/* What holds the queue up, if anything still does. */
static bool queue_held(struct ep *ep, struct dma *q)
{
	if (q->wants_credit && !page_request_credits(ep))
		return true;
	q->wants_credit = false;
	if (!q->backoff)
		return false;
	q->backoff--;
	return true;
}

static bool loop_stopped(struct ep *ep, struct dma *q, u32 n)
{
	return load_acquire(&loop_of(ep, q)->stop) ||
	       !load_acquire(&queue_of(ep, n)->enable);
}

static bool queue_ended(const struct dma *q)
{
	if (q->desc.op == VTDSIM_OP_CAS)
		return q->ended;
	return q->done >= q->desc.len;
}

/* Is what was translated still on its way? */
static bool in_flight(struct ep *ep, struct dma *q, struct flight *f)
{
	if (!f->active)
		return false;
	if (f->rounds) {
		f->rounds--;
		return true;
	}
	land(ep, q, f);
	return false;
}

/* A round passes for what a loop has on its way; is there anything left? */
static bool loop_in_flight(struct ep *ep, struct dma *q)
{
	bool left = false;
	u32 i;

	for (i = 0; i < VTDSIM_LOOP_FLIGHTS; i++)
		left |= in_flight(ep, q, &q->flight[i]);
	return left;
}

/* As many new accesses as there is room for. */
static void loop_run(struct ep *ep, struct dma *q)
{
	struct access a = { 0 };
	struct flight *f;
	u32 i;

	for (i = 0; i < PAGES_PER_POLL; i++) {
		f = free_flight(q);
		if (!f)
			return;
		step_loop(ep, q, &a);
		if (a.status == VTDSIM_PENDING)
			return;
		if (a.status != VTDSIM_DONE) {
			loop_failed(ep, q, a.status, a.reason);
			return;
		}
		q->turn++;
		q->pri_retries = 0;
		if (!f->rounds)
			land(ep, q, f);
	}
}

static bool queue_run(struct ep *ep, struct dma *q, u32 n)
{
	struct access a = { 0 };
	u32 pages;

	for (pages = 0; pages < PAGES_PER_POLL; pages += !q->writing) {
		if (in_flight(ep, q, &q->flight[0]))
			return true;
		if (queue_ended(q)) {
			finish(ep, q, n, VTDSIM_DONE, 0);
			return true;
		}
		step(ep, q, &a);
		if (a.status == VTDSIM_PENDING) {
			q->writing = false;
			return true;
		}
		if (a.status != VTDSIM_DONE) {
			finish(ep, q, n, a.status, a.reason);
			return true;
		}
		q->pri_retries = 0;
		if (in_flight(ep, q, &q->flight[0]))
			return true;
	}
	return true;
}

/* Stopped or reset: what has left the device already arrives all the same. */
static void queue_abandon(struct ep *ep, struct dma *q)
{
	u32 i;

	for (i = 0; i < VTDSIM_LOOP_FLIGHTS; i++) {
		if (q->flight[i].active)
			land(ep, q, &q->flight[i]);
	}
	if (q->waiting)
		page_group_put(q->waiting);
	q->waiting = NULL;
}

/* True when it waits for nothing: a page response, a credit, the end of a rest. */
static bool queue_may_run(struct ep *ep, struct dma *q, u32 n, bool *busy)
{
	*busy = true;
	if (q->waiting) {
		*busy = take_answer(ep, q, n);
		return false;
	}
	if (!queue_held(ep, q))
		return true;
	*busy = q->desc.op == VTDSIM_OP_LOOP;
	return false;
}

/* A loop that is stopped ends at once: what is on its way arrives. */
static bool loop_poll(struct ep *ep, struct dma *q, u32 n)
{
	bool left, busy = true;

	if (loop_stopped(ep, q, n)) {
		queue_abandon(ep, q);
		finish(ep, q, n, VTDSIM_DONE, 0);
		return true;
	}
	left = loop_in_flight(ep, q);
	if (queue_may_run(ep, q, n, &busy))
		loop_run(ep, q);
	return busy || left;
}

static bool queue_poll(struct ep *ep, u32 n)
{
	struct dma *q = &ep->q[n];
	bool busy;

	if (!q->active) {
		if (!queue_start(ep, q, n))
			return false;
		if (run_special(ep, q, n))
			return true;
	}
	if (!(ep->ctl & VTDSIM_CTL_BUS_MASTER)) {
		queue_abandon(ep, q);
		finish(ep, q, n, VTDSIM_ABORTED, 0);
		return true;
	}
	if (q->desc.op == VTDSIM_OP_LOOP)
		return loop_poll(ep, q, n);
	return queue_may_run(ep, q, n, &busy) ? queue_run(ep, q, n) : busy;
}

static void queue_reset(struct ep *ep, u32 n)
{
	struct vtdsim_queue *hw = queue_of(ep, n);
	struct dma *q = &ep->q[n];

	queue_abandon(ep, q);
	if (q->active)
		store_release(&q->slot->status, VTDSIM_ABORTED);
	memset(q, 0, offsetof(struct dma, buf));
	memset(hw, 0, sizeof(*hw));
}

/* Function-level reset: nothing of what the device held remains. */
static bool poll_flr(struct ep *ep)
{
	struct vtdsim_regs *r = ep_regs(ep);
	u32 n;

	if (!load_acquire(&r->flr))
		return false;
	for (n = 0; n < VTDSIM_NR_QUEUES; n++)
		queue_reset(ep, n);
	page_requests_reset(ep);
	cache_drop_all(&ep->devtlb);
	memset(local_of(ep, 0), 0, VTDSIM_LOCAL_SIZE);
	store_release(&r->flr, 0);
	return true;
}

static bool poll_ctl(struct ep *ep)
{
	struct vtdsim_regs *r = ep_regs(ep);
	u32 ctl = load_acquire(&r->ctl);

	if (ctl == ep->ctl)
		return false;
	if (ctl & VTDSIM_CTL_PRI_RESET) {
		page_requests_reset(ep);
		__atomic_fetch_and(&r->ctl, ~VTDSIM_CTL_PRI_RESET,
				   __ATOMIC_ACQ_REL);
		ctl &= ~VTDSIM_CTL_PRI_RESET;
	}
	if (ctl & VTDSIM_CTL_ATS_OFF) {
		cache_drop_all(&ep->devtlb);
		__atomic_fetch_and(&r->ctl, ~VTDSIM_CTL_ATS_OFF,
				   __ATOMIC_ACQ_REL);
		ctl &= ~VTDSIM_CTL_ATS_OFF;
	}
	if (ep->ctl & ~ctl & VTDSIM_CTL_ATS)
		cache_drop_all(&ep->devtlb);
	if (ctl & ~ep->ctl & VTDSIM_CTL_PRI)
		page_request_status(ep, 0, ~0u);
	ep->ctl = ctl;
	return true;
}

/* "Captured" from a configuration request, as PCIe says it. */
static bool poll_bus(struct ep *ep)
{
	struct vtdsim_regs *r = ep_regs(ep);
	u16 sid = (load_acquire(&r->bus) & 0xff) << 8 | (ep->sid & 0xff);

	if (!ep->behind_port || sid == ep->sid)
		return false;
	ep->sid = sid;
	store_release(&r->source_id, sid);
	return true;
}

static bool poll_pri_clear(struct ep *ep)
{
	struct vtdsim_regs *r = ep_regs(ep);
	u32 clear = load_acquire(&r->pri_clear);

	if (!clear)
		return false;
	page_request_status(ep, 0, clear);
	store_release(&r->pri_clear, 0);
	return true;
}

static bool poll_snapshot(struct ep *ep)
{
	struct vtdsim_regs *r = ep_regs(ep);

	if (!load_acquire(&r->snapshot))
		return false;
	ep_show_counters(ep);
	store_release(&r->snapshot, 0);
	return true;
}

/* Pulled out: what it had to do is aborted.  Put back, it knows nothing. */
static bool poll_gone(struct ep *ep)
{
	bool gone = load_acquire(&ep_regs(ep)->gone);
	u32 n;

	if (gone == ep->gone)
		return false;
	ep->gone = gone;
	if (!gone)
		return true;
	for (n = 0; n < VTDSIM_NR_QUEUES; n++)
		queue_reset(ep, n);
	page_requests_reset(ep);
	cache_drop_all(&ep->devtlb);
	return true;
}

bool ep_poll(struct ep *ep)
{
	bool busy = poll_gone(ep);
	u32 n;

	/* What plays the configuration space waits for it, even now. */
	busy |= poll_ctl(ep);
	busy |= poll_bus(ep);
	if (ep->gone)
		return poll_snapshot(ep) || busy;
	busy |= page_messages_poll(ep);
	busy |= poll_pri_clear(ep);
	busy |= poll_flr(ep);
	for (n = 0; n < VTDSIM_NR_QUEUES; n++)
		busy |= queue_poll(ep, n);
	return poll_snapshot(ep) || busy;
}
