// SPDX-License-Identifier: GPL-2.0-only
/*
 * "Page Request Services": from an endpoint's page request message, over the
 * page request queue in memory, to the response that software gives.
 *
 * A group is what an endpoint waits for.  It is on the endpoint's list from
 * its first request until its response; the DMA queue that waits for it holds
 * it besides, and whoever lets go last frees it.
 */
#include <stdlib.h>
#include <string.h>
#include "adverse.h"
#include "base.h"
#include "failures.h"
#include "model.h"
#include "page_requests.h"
#include "request.h"
#include "state.h"
#include "topology.h"
#include "trace.h"
#include "translate.h"
#include "vtd.h"
#include "vtdsim_abi.h"

#define NR_GROUPS	512	/* page request group index: 9 bits */
#define NR_DMA_GROUPS	256	/* the upper half is for requests by hand */
#define QUIET_ROUNDS	1000	/* software has left an overflow standing */
#define WATCH_LOOKS	10000000

struct page_group {
	struct list node;
	struct ep *ep;
	u32 index;
	bool has_pasid;
	u32 pasid;
	u32 nr_requests;
	bool held;		/* a DMA queue waits */
	bool done;
	bool overflowed;	/* answered by the unit itself */
	u8 code;
};

static void show_outstanding(struct ep *ep)
{
	store_release(&ep_regs(ep)->pri_outstanding, ep->pri_outstanding);
	store_release(&ep_regs(ep)->pri_status, ep->pri_status);
}

/* "Page Request Status Register" of PCIe. */
void page_request_status(struct ep *ep, u32 set, u32 clear)
{
	ep->pri_status = (ep->pri_status & ~clear) | set;
	show_outstanding(ep);
}

static struct page_group *group_find(struct ep *ep, u32 index, bool has_pasid,
				     u32 pasid)
{
	struct list *pos;

	for (pos = ep->groups.next; pos != &ep->groups; pos = pos->next) {
		struct page_group *g;

		g = container_of(pos, struct page_group, node);
		if (g->index == index && g->has_pasid == has_pasid &&
		    (!has_pasid || g->pasid == pasid))
			return g;
	}
	return NULL;
}

static bool index_in_use(struct ep *ep, u32 index)
{
	struct list *pos;

	for (pos = ep->groups.next; pos != &ep->groups; pos = pos->next) {
		if (container_of(pos, struct page_group, node)->index == index)
			return true;
	}
	return false;
}

static struct page_group *group_new(struct ep *ep, u32 index,
				    const struct request *rq)
{
	struct page_group *g = calloc(1, sizeof(*g));

	if (!g)
		abort();
	g->ep = ep;
	g->index = index;
	g->has_pasid = rq->has_pasid;
	g->pasid = rq->pasid;
	g->held = true;
	list_add(&g->node, &ep->groups);
	return g;
}

/* The group has its answer: its requests are no longer outstanding. */
static void group_end(struct page_group *g, u8 code)
{
	struct ep *ep = g->ep;

	list_del(&g->node);
	ep->pri_outstanding -= g->nr_requests;
	g->done = true;
	g->code = code;
	show_outstanding(ep);
	if (!g->held)
		free(g);
}

static void groups_fail(struct ep *ep)
{
	while (!list_empty(&ep->groups))
		group_end(container_of(ep->groups.next, struct page_group,
				       node), PRQ_FAILURE);
}

/*
 * "Page Request Services" of PCIe: a failure, by any code that is neither
 * success nor invalid, is one of the whole function.  It makes no request until
 * its software has seen to it, and takes no response: nothing is outstanding.
 */
static void group_answer(struct page_group *g, u8 code)
{
	struct ep *ep = g->ep;

	group_end(g, code);
	if (code == PRQ_SUCCESS || code == PRQ_INVALID)
		return;
	groups_fail(ep);
	page_request_status(ep, VTDSIM_PRI_RF, 0);
}

bool page_group_done(struct page_group *g, u8 *code, bool *overflowed)
{
	*code = g->code;
	*overflowed = g->overflowed;
	return g->done;
}

/* The DMA queue waits no longer, answered or not. */
void page_group_put(struct page_group *g)
{
	g->held = false;
	if (g->done)
		free(g);
}

/*
 * Software wrote to the status register some time ago, maybe before a request
 * that found PPR still set and so raised no event.  That request counts as the
 * later one: software may have read the tail before it.
 */
void page_request_status_clear(struct unit *u, u32 written)
{
	bool again = written & u->m.prs_again & PRS_PPR;

	vtd_prs_clear(&u->m, written);
	u->prq_hidden = u->m.prs & PRS_PRO;
	u->prq_quiet = 0;
	if (again && reg_read64(u, REG_PQH) != reg_read64(u, REG_PQT))
		vtd_prs_set(&u->m, PRS_PPR);
}

/*
 * Software wrote to the status register while PRO was set, and did not clear
 * it.  What it wrote stood there, without PRO, until the next round; if it read
 * the register before that and emptied the queue, it does not know of the
 * overflow, and no request would ever get through again.  So it is told once
 * more, and watched closely enough for PRO to be back before it looks.
 */
void page_requests_watch(struct unit *u)
{
	u32 n;

	if (!u->prq_hidden || u->m.ev_prq.pending ||
	    reg_read64(u, REG_PQH) != reg_read64(u, REG_PQT) ||
	    u->prq_quiet++ < QUIET_ROUNDS)
		return;
	u->prq_hidden = false;
	vtd_event_raise(&u->m, &u->m.ev_prq);
	for (n = 0; n < WATCH_LOOKS; n++) {
		if (reg_read32(u, REG_PRS) != u->prs_shown)
			break;
	}
	vtd_sync(&u->m);
}

/*
 * Software clears PPR before it reads the queue.  If it cleared PRO as well
 * before the first write was seen, only the second one was; but it has read the
 * queue to its end, and the @first request is a new event.
 */
void page_request_queued(struct unit *u, u32 offset, const u64 *entry,
			 bool first)
{
	trace_note(u, "page request queue, offset %#x: %#llx %#llx", offset,
		   entry[0], entry[1]);
	if (first)
		u->m.prs &= ~PRS_PPR;
}

static enum prq_result enqueue(struct unit *u, const struct request *rq,
			       u32 index, bool last)
{
	const struct vtd_page_request entry = {
		.addr = rq->addr, .pasid = rq->pasid, .sid = rq->sid,
		.index = index, .has_pasid = rq->has_pasid, .read = rq->read,
		.write = rq->write, .exec = rq->exec, .priv = rq->priv,
		.last = last,
	};
	enum prq_result result;
	bool was;
	u32 offset;

	/* An overflow that software cleared a moment ago is over. */
	vtd_sync(&u->m);
	was = u->m.prs & PRS_PRO;
	result = vtd_page_request_queue(&u->m, &entry, &offset);
	u->cnt.u_prq_overflows += result == PRQ_OVERFLOWED && !was;
	return result;
}

static enum prq_result deliver(struct ep *ep, const struct request *rq,
			       u32 index, bool last, u8 *code)
{
	struct request message = *rq;
	struct translation t;

	message.at = AT_UNTRANSLATED;
	message.page_request = true;
	*code = PRQ_FAILURE;
	ep->cnt.e_page_requests++;
	ep->u->cnt.u_page_requests++;
	translate_page_request(ep->u, &message, &t);
	if (t.reason == FR_SCT_8 || t.aborted)
		*code = PRQ_INVALID;
	if (t.reason || t.aborted)
		return PRQ_UNREACHABLE;
	return enqueue(ep->u, &message, index, last);
}

/*
 * A request arrives.  The unit answers it by itself, if it is the last of its
 * group and cannot be queued: with success after an overflow, so that the
 * endpoint tries again.
 */
static void request_arrives(struct ep *ep, const struct message *m)
{
	const struct request *rq = &m->rq;
	enum prq_result result;
	struct page_group *g;
	u8 code;

	result = deliver(ep, rq, m->index, m->last, &code);
	trace_note(ep->u, "page request by %04x, PASID %#x, address %#llx, group %u%s%s",
		   rq->sid, rq->pasid, page_of(rq->addr), m->index,
		   m->last ? ", last" : "",
		   result == PRQ_QUEUED ? "" :
		   result == PRQ_OVERFLOWED ? ": overflow" : ": refused");
	if (!m->last || result == PRQ_QUEUED)
		return;
	g = group_find(ep, m->index, rq->has_pasid, rq->pasid);
	/* A stop marker has none. */
	if (!g)
		return;
	g->overflowed = result == PRQ_OVERFLOWED;
	group_answer(g, g->overflowed ? PRQ_SUCCESS : code);
}

/* "Page Group Response" as the endpoint takes it. */
static void response_arrives(struct ep *ep, const struct message *m)
{
	struct page_group *g;

	ep->cnt.e_page_responses++;
	if (ep->pri_status & VTDSIM_PRI_RF)
		return;
	g = group_find(ep, m->index, m->rq.has_pasid, m->rq.pasid);
	if (g)
		group_answer(g, m->code);
	else
		page_request_status(ep, VTDSIM_PRI_UPRGI, 0);
}

static void message_arrives(struct ep *ep, const struct message *m)
{
	if (m->response)
		response_arrives(ep, m);
	else
		request_arrives(ep, m);
}

/* message::rounds */
#define UNTIL_DRAINED	(~0u)

/* The oldest message arrives, whatever it was to wait for. */
static void first_message(struct ep *ep)
{
	struct message m = ep->msg[0];

	ep->nr_msgs--;
	memmove(&ep->msg[0], &ep->msg[1], ep->nr_msgs * sizeof(m));
	message_arrives(ep, &m);
}

void page_messages_deliver(struct ep *ep)
{
	while (ep->nr_msgs)
		first_message(ep);
}

/* A round has passed for what is on its way. */
bool page_messages_poll(struct ep *ep)
{
	if (!ep->nr_msgs || ep->msg[0].rounds == UNTIL_DRAINED)
		return false;
	if (ep->msg[0].rounds)
		ep->msg[0].rounds--;
	else
		first_message(ep);
	return true;
}

static void send(struct ep *ep, struct message *m)
{
	m->rounds = !m->response && ep_is_late(ep) ?
		    UNTIL_DRAINED : adverse_message(ep->u, m->response);
	if (!m->rounds && !ep->nr_msgs) {
		message_arrives(ep, m);
		return;
	}
	if (ep->nr_msgs == MAX_MESSAGES)
		first_message(ep);
	ep->msg[ep->nr_msgs++] = *m;
}

/* One request of a group. */
static void group_request(struct page_group *g, const struct request *rq,
			  bool last)
{
	struct message m = { .index = g->index, .last = last, .rq = *rq };

	g->nr_requests++;
	g->ep->pri_outstanding++;
	show_outstanding(g->ep);
	send(g->ep, &m);
}

/* How many requests the endpoint may send now. */
u32 page_request_credits(struct ep *ep)
{
	u32 limit = load_acquire(&ep_regs(ep)->pri_credits);

	if (limit > NR_DMA_GROUPS)
		limit = NR_DMA_GROUPS;
	return limit > ep->pri_outstanding ? limit - ep->pri_outstanding : 0;
}

/* Ask for @nr pages in a group of its own; the caller has the credits. */
struct page_group *page_request_send(struct ep *ep, const struct request *rq,
				     u32 nr)
{
	struct request page = *rq;
	struct page_group *g;
	u32 i;

	for (i = 0; i < NR_DMA_GROUPS; i++) {
		ep->next_group = (ep->next_group + 1) % NR_DMA_GROUPS;
		if (!index_in_use(ep, ep->next_group))
			break;
	}
	g = group_new(ep, ep->next_group, rq);
	for (i = 0; i < nr; i++) {
		group_request(g, &page, i == nr - 1);
		page.addr = page_of(page.addr) + 0x1000;
	}
	return g;
}

/*
 * A request by hand, for a group that DMA does not use and that has not had its
 * last one.  VTDSIM_PENDING if this is the last: then @wait has to be waited
 * for; a stop marker (last, neither read nor write) has no response.
 */
u8 page_request_raw(struct ep *ep, const struct request *rq, u64 index,
		    bool last, struct page_group **wait)
{
	struct message stop = { .index = index, .last = true, .rq = *rq };
	struct page_group *g;

	if (index < NR_DMA_GROUPS || index >= NR_GROUPS)
		return VTDSIM_BAD_DESC;
	if (last && !rq->read && !rq->write) {
		send(ep, &stop);
		return VTDSIM_DONE;
	}
	g = group_find(ep, index, rq->has_pasid, rq->pasid);
	if (!g)
		g = group_new(ep, index, rq);
	else if (g->held)
		return VTDSIM_BAD_DESC;
	g->held = last;
	group_request(g, rq, last);
	if (!last)
		return VTDSIM_DONE;
	*wait = g;
	return VTDSIM_PENDING;
}

/* "Page Group Response Descriptor" */
void page_response(struct unit *u, const u64 *d)
{
	const struct vtd_page_response r = vtd_page_response(d);
	struct ep *ep = unit_find_ep(u, r.sid);
	struct message m = {
		.response = true, .code = r.code, .index = r.index,
		.rq = { .has_pasid = r.has_pasid, .pasid = r.pasid },
	};

	if (ep && ep_hears(ep))
		send(ep, &m);
}

u64 page_requests_count(struct ep *ep, bool one, u32 pasid)
{
	struct list *pos;
	u64 n = 0;

	for (pos = ep->groups.next; pos != &ep->groups; pos = pos->next) {
		struct page_group *g;

		g = container_of(pos, struct page_group, node);
		if (!one || (g->has_pasid && g->pasid == pasid))
			n += g->nr_requests;
	}
	return n;
}

/* Nothing is outstanding any more; who waits learns of a failure. */
void page_requests_reset(struct ep *ep)
{
	ep->nr_msgs = 0;
	groups_fail(ep);
	page_request_status(ep, 0, ~0u);
}
