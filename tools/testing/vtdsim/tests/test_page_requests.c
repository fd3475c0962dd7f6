// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests: the queue, groups, responses, credits, overflow.
 */
#include <stdlib.h>
#include <string.h>
#include "../census.h"
#include "../page_requests.h"
#include "harness.h"

#define PASID	0x42
#define IA	0x7f0000ff0000ULL
#define PR_DATA	0x55

/* A first-stage table without pages, and a page request queue. */
struct pri {
	u64 table;
	u64 queue;
};

static void pri_init(struct world *w, struct pri *p, u32 order)
{
	world_init(w);
	p->table = new_page(w);
	bind_first(w, PASID, 5, p->table);
	p->queue = new_pages(w, 1u << order);
	reg_write64(w->u, REG_PQA, p->queue | order);
	reg_write32(w->u, REG_PEDATA, PR_DATA);
	reg_write32(w->u, REG_PEADDR, 0xfee02000);
	reg_write32(w->u, REG_PECTL, 0);
	world_poll(w);
}

static struct vtdsim_desc touch(u8 code, u64 addr, u32 len)
{
	return (struct vtdsim_desc){
		.op = code, .pasid = PASID, .addr = addr, .len = len,
		.flags = VTDSIM_F_PASID | VTDSIM_F_ATS | VTDSIM_F_PRI,
	};
}

static u32 queued(struct world *w)
{
	u64 size = 0x1000 << bits(reg_read64(w->u, REG_PQA), 2, 0);
	u64 bytes = reg_read64(w->u, REG_PQT) - reg_read64(w->u, REG_PQH);

	return (bytes & (size - 1)) / 32;
}

/* A request in the queue. */
struct entry {
	bool has_pasid, exec, priv, read, write, last;
	u32 sid, pasid, group;
	u64 addr;
};

static struct entry entry(struct world *w, const struct pri *p, u32 i)
{
	u64 d0 = peek(w, p->queue + i * 32);
	u64 d1 = peek(w, p->queue + i * 32 + 8);

	EXPECT_EQ(bits(d0, 7, 0), 1);
	return (struct entry){
		.has_pasid = bits(d0, 8, 8), .sid = bits(d0, 31, 16),
		.pasid = bits(d0, 51, 32), .exec = bits(d0, 52, 52),
		.priv = bits(d0, 53, 53), .read = bits(d1, 0, 0),
		.write = bits(d1, 1, 1), .last = bits(d1, 2, 2),
		.group = bits(d1, 11, 3), .addr = page_of(d1),
	};
}

/* Software takes what is queued and clears PPR. */
static void consume(struct world *w)
{
	reg_write32(w->u, REG_PRS, PRS_PPR);
	reg_write64(w->u, REG_PQH, reg_read64(w->u, REG_PQT));
	world_poll(w);
}

static void respond(struct world *w, const struct entry *e, u32 code)
{
	submit(w, INV_PGRP_RESP | (e->has_pasid ? BIT_ULL(4) : 0) |
	       (u64)code << 12 | (u64)e->sid << 16 | (u64)e->pasid << 32,
	       BIT_ULL(2) | (u64)e->group << 3);
}

TEST(request, "a page that is not there is asked for")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA + 0x123, 8);
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	EXPECT_EQ(queue(w, 0)->busy, 1);
	EXPECT_EQ(queued(w), 1);
	e = entry(w, &p, 0);
	EXPECT(e.has_pasid && e.read && !e.write && e.last);
	EXPECT(!e.exec && !e.priv);
	EXPECT_EQ(e.pasid, PASID);
	EXPECT_EQ(e.sid, w->ep->sid);
	EXPECT_EQ(e.addr, IA);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(w->msi_data[0], PR_DATA);
	EXPECT_EQ(reg_read32(w->u, REG_PRS) & 3, PRS_PPR);
	EXPECT_EQ(regs(w)->pri_outstanding, 1);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
}

TEST(success, "answered with success: the access is tried again")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_WRITE, IA, 8);
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;
	u64 page;

	pri_init(w, &p, 0);
	*(u64 *)local(w, 0) = 0x1122334455667788ULL;
	slot = dma(w, &d);
	e = entry(w, &p, 0);
	EXPECT(e.write && !e.read);
	consume(w);
	page = new_page(w);
	map_first(w, p.table, 4, IA, page, 1, FS_PAGE);
	respond(w, &e, PRQ_SUCCESS);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	EXPECT_EQ(peek(w, page), 0x1122334455667788ULL);
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
	EXPECT_EQ(w->ep->cnt.e_page_responses, 1);
}

TEST(success_again, "success, but still no page: it is asked for again")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	dma(w, &d);
	e = entry(w, &p, 0);
	respond(w, &e, PRQ_SUCCESS);
	EXPECT_EQ(queued(w), 2);
	EXPECT_EQ(entry(w, &p, 1).addr, IA);
	EXPECT(entry(w, &p, 1).group != e.group);
}

TEST(upgrade, "a page that must become writable is asked for too")
{
	struct vtdsim_desc r = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc d = touch(VTDSIM_OP_WRITE, IA, 8);
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;
	u64 leaf;

	pri_init(w, &p, 0);
	leaf = map_first(w, p.table, 4, IA, new_page(w), 1, FS_P | FS_US);
	EXPECT_EQ(dma(w, &r)->status, VTDSIM_DONE);
	slot = dma(w, &d);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	e = entry(w, &p, 0);
	EXPECT(e.write);
	poke(w, leaf, peek(w, leaf) | FS_RW);
	respond(w, &e, PRQ_SUCCESS);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
}

TEST(invalid, "answered invalid: the DMA fails")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	e = entry(w, &p, 0);
	respond(w, &e, PRQ_INVALID);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_PRI_FAILED);
	EXPECT_EQ(slot->result, 0);
	EXPECT_EQ(regs(w)->pri_status, 0);
}

TEST(failure, "answered with failure: the DMA fails, the device notes it")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	e = entry(w, &p, 0);
	respond(w, &e, PRQ_FAILURE);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_PRI_FAILED);
	EXPECT_EQ(regs(w)->pri_status, VTDSIM_PRI_RF);
}

TEST(failure_all, "failure is the function's: no group waits, none is asked for")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot, *other;
	struct entry e[2];
	struct pri p;

	pri_init(w, &p, 0);
	slot = post(w, 0, &d);
	other = post(w, 1, &d);
	world_poll(w);
	e[0] = entry(w, &p, 0);
	e[1] = entry(w, &p, 1);
	respond(w, &e[0], PRQ_FAILURE);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_PRI_FAILED);
	EXPECT_EQ(other->status, VTDSIM_PRI_FAILED);
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
	respond(w, &e[1], PRQ_SUCCESS);
	EXPECT_EQ(regs(w)->pri_status, VTDSIM_PRI_RF);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_PRI_FAILED);
	d.op = VTDSIM_OP_PAGE_REQUEST;
	d.operand = VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(300);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_PRI_FAILED);
	EXPECT_EQ(queued(w), 2);
}

/* A failure, then what should end it. */
static void after_failure(struct world *w, void (*end)(struct world *w))
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	dma(w, &d);
	e = entry(w, &p, 0);
	respond(w, &e, 2);
	world_poll(w);
	EXPECT_EQ(regs(w)->pri_status, VTDSIM_PRI_RF);
	end(w);
	world_poll(w);
	EXPECT_EQ(regs(w)->pri_status, 0);
	queue(w, 0)->enable = 1;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_PENDING);
	EXPECT_EQ(queued(w), 2);
}

static void clear_status(struct world *w)
{
	regs(w)->pri_clear = VTDSIM_PRI_UPRGI;
	world_poll(w);
	EXPECT_EQ(regs(w)->pri_status, VTDSIM_PRI_RF);
	regs(w)->pri_clear = VTDSIM_PRI_RF;
	world_poll(w);
	EXPECT_EQ(regs(w)->pri_clear, 0);
}

static void enable_again(struct world *w)
{
	regs(w)->ctl &= ~VTDSIM_CTL_PRI;
	world_poll(w);
	EXPECT_EQ(regs(w)->pri_status, VTDSIM_PRI_RF);
	regs(w)->ctl |= VTDSIM_CTL_PRI;
}

static void reset_requests(struct world *w)
{
	regs(w)->ctl |= VTDSIM_CTL_PRI_RESET;
}

static void reset_function(struct world *w)
{
	regs(w)->flr = 1;
}

TEST(failure_ends, "a failure stands until it is cleared, enabled or reset")
{
	after_failure(w, clear_status);
	world_end(w);
	after_failure(w, enable_again);
	world_end(w);
	after_failure(w, reset_requests);
	world_end(w);
	after_failure(w, reset_function);
}

TEST(unexpected, "a response that nobody waits for is noted, no more")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	e = entry(w, &p, 0);
	e.group++;
	respond(w, &e, PRQ_SUCCESS);
	EXPECT_EQ(regs(w)->pri_status, 2);
	e.group--;
	e.pasid++;
	respond(w, &e, PRQ_SUCCESS);
	e.pasid--;
	e.has_pasid = false;
	respond(w, &e, PRQ_SUCCESS);
	e.has_pasid = true;
	e.sid = 8;
	respond(w, &e, PRQ_SUCCESS);
	e.sid = 0x1ff;
	respond(w, &e, PRQ_SUCCESS);
	EXPECT_EQ(queued(w), 1);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	EXPECT_EQ(regs(w)->pri_outstanding, 1);
}

TEST(attributes, "privileged and execute travel with the request")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	u64 pe[8] = {
		PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP, PE_SRE | PE_ERE,
	};
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	pe[2] |= p.table;
	set_pasid(w, PASID, pe);
	d.flags |= VTDSIM_F_PRIV | VTDSIM_F_EXEC;
	dma(w, &d);
	e = entry(w, &p, 0);
	EXPECT(e.priv && e.exec && e.read);
}

TEST(no_pasid, "a request without PASID")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	poke(w, w->ctx + 8, PASID);
	d.flags &= ~VTDSIM_F_PASID;
	slot = dma(w, &d);
	e = entry(w, &p, 0);
	EXPECT(!e.has_pasid);
	EXPECT_EQ(e.pasid, 0);
	map_first(w, p.table, 4, IA, new_page(w), 1, FS_PAGE);
	respond(w, &e, PRQ_SUCCESS);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
}

TEST(no_block, "a queue that waits blocks neither queues nor invalidations")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot, *other;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	map_first(w, p.table, 4, 0x5000, new_page(w), 1, FS_PAGE);
	d = touch(VTDSIM_OP_READ, 0x5000, 8);
	other = post(w, 1, &d);
	submit(w, d_wait(WAIT_SW | WAIT_PD, 3), w->status);
	EXPECT_EQ(other->status, VTDSIM_DONE);
	EXPECT_EQ(peek(w, w->status), 3);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
}

TEST(out_of_order, "responses in another order than the requests")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot[2];
	struct entry e[2];
	struct pri p;

	pri_init(w, &p, 0);
	slot[0] = dma(w, &d);
	d.addr = IA + 0x1000;
	slot[1] = post(w, 1, &d);
	world_poll(w);
	e[0] = entry(w, &p, 0);
	e[1] = entry(w, &p, 1);
	EXPECT(e[0].group != e[1].group);
	map_first(w, p.table, 4, IA, new_page(w), 1, FS_PAGE);
	respond(w, &e[1], PRQ_INVALID);
	world_poll(w);
	EXPECT_EQ(slot[1]->status, VTDSIM_PRI_FAILED);
	EXPECT_EQ(slot[0]->status, VTDSIM_PENDING);
	respond(w, &e[0], PRQ_SUCCESS);
	world_poll(w);
	EXPECT_EQ(slot[0]->status, VTDSIM_DONE);
}

TEST(group, "a group of pages: one index, the last one marked")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA + 0x800, 0x3000);
	struct vtdsim_desc *slot;
	struct entry last;
	struct pri p;
	u32 i;

	pri_init(w, &p, 0);
	d.operand = 8;
	slot = dma(w, &d);
	EXPECT_EQ(queued(w), 4);
	EXPECT_EQ(regs(w)->pri_outstanding, 4);
	for (i = 0; i < 4; i++) {
		struct entry e = entry(w, &p, i);

		EXPECT_EQ(e.addr, IA + i * 0x1000);
		EXPECT_EQ(e.group, entry(w, &p, 0).group);
		EXPECT_EQ(e.last, i == 3);
		map_first(w, p.table, 4, IA + i * 0x1000, new_page(w), 1,
			  FS_PAGE);
	}
	last = entry(w, &p, 3);
	respond(w, &last, PRQ_SUCCESS);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	EXPECT_EQ(w->ep->cnt.e_page_requests, 4);
	EXPECT_EQ(w->ep->cnt.e_page_responses, 1);
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
}

TEST(credits, "no more requests than there are credits")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 0x10000);
	struct entry e;
	struct pri p;
	u64 translations;

	pri_init(w, &p, 0);
	regs(w)->pri_credits = 3;
	d.operand = 16;
	dma(w, &d);
	EXPECT_EQ(queued(w), 3);
	EXPECT(entry(w, &p, 2).last);
	d.addr = 0x5000;
	post(w, 1, &d);
	world_poll(w);
	EXPECT_EQ(queued(w), 3);
	/* Waiting for a credit is quiet. */
	translations = w->u->cnt.u_translations;
	world_poll(w);
	world_poll(w);
	EXPECT_EQ(w->u->cnt.u_translations, translations);
	e = entry(w, &p, 0);
	respond(w, &e, PRQ_INVALID);
	world_poll(w);
	EXPECT_EQ(queued(w), 6);
	EXPECT_EQ(entry(w, &p, 3).addr, 0x5000);
}

TEST(many_pages, "demand paging of a long buffer, page by page")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 0x10000);
	struct vtdsim_desc *slot;
	struct pri p;
	u32 n;

	pri_init(w, &p, 1);
	slot = dma(w, &d);
	for (n = 0; n < 16; n++) {
		struct entry e = entry(w, &p, n);

		EXPECT_EQ(slot->status, VTDSIM_PENDING);
		EXPECT_EQ(e.addr, IA + n * 0x1000);
		consume(w);
		map_first(w, p.table, 4, e.addr, new_page(w), 1, FS_PAGE);
		respond(w, &e, PRQ_SUCCESS);
		world_poll(w);
	}
	EXPECT_EQ(slot->status, VTDSIM_DONE);
	EXPECT_EQ(w->nr_msis, 16);
}

TEST(very_many_pages, "demand paging of more pages than one page is tried")
{
	const u32 nr = 1100;
	struct vtdsim_desc d = touch(VTDSIM_OP_COPY, IA, nr * 0x1000);
	struct vtdsim_desc *slot;
	u64 page, to = IA + nr * 0x1000;
	struct pri p;
	u32 n;

	pri_init(w, &p, 0);
	page = new_page(w);
	for (n = 0; n < nr; n++)
		map_first(w, p.table, 4, to + n * 0x1000, page, 1, FS_PAGE);
	d.addr2 = to;
	slot = dma(w, &d);
	for (n = 0; n < nr; n++) {
		struct entry e = entry(w, &p, n % 128);

		EXPECT_EQ(e.addr, IA + n * 0x1000);
		consume(w);
		map_first(w, p.table, 4, e.addr, page, 1, FS_PAGE);
		respond(w, &e, PRQ_SUCCESS);
		world_poll(w);
	}
	EXPECT_EQ(slot->status, VTDSIM_DONE);
}

TEST(pending, "one message until PPR is cleared")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct pri p;

	pri_init(w, &p, 0);
	dma(w, &d);
	post(w, 1, &d);
	world_poll(w);
	EXPECT_EQ(queued(w), 2);
	EXPECT_EQ(w->nr_msis, 1);
	consume(w);
	EXPECT_EQ(reg_read32(w->u, REG_PRS), 0);
	post(w, 2, &d);
	world_poll(w);
	EXPECT_EQ(w->nr_msis, 2);
}

TEST(behind_clear, "a request behind software's clear has its message")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct request rq = {
		.has_pasid = true, .pasid = PASID, .addr = IA, .read = true,
	};
	struct pri p;

	pri_init(w, &p, 0);
	rq.sid = w->ep->sid;
	dma(w, &d);
	EXPECT_EQ(w->nr_msis, 1);
	/* Software clears PPR and reads the tail; only then comes the request. */
	reg_write32(w->u, REG_PRS, PRS_PPR);
	page_group_put(page_request_send(w->ep, &rq, 1));
	world_poll(w);
	reg_write64(w->u, REG_PQH, 32);
	world_poll(w);
	EXPECT_EQ(reg_read32(w->u, REG_PRS) & 3, PRS_PPR);
	EXPECT_EQ(w->nr_msis, 2);
	page_requests_reset(w->ep);
}

TEST(masked, "the event can be masked")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct pri p;

	pri_init(w, &p, 0);
	reg_write32(w->u, REG_PECTL, ECTL_IM);
	dma(w, &d);
	EXPECT_EQ(w->nr_msis, 0);
	EXPECT_EQ(reg_read32(w->u, REG_PECTL), ECTL_IM | ECTL_IP);
	reg_write32(w->u, REG_PECTL, 0);
	world_poll(w);
	EXPECT_EQ(w->nr_msis, 1);
}

static struct vtdsim_desc raw(u64 addr, u32 how)
{
	return (struct vtdsim_desc){
		.op = VTDSIM_OP_PAGE_REQUEST, .flags = VTDSIM_F_PASID,
		.pasid = PASID, .addr = addr, .operand = how,
	};
}

static void fill_queue(struct world *w)
{
	struct vtdsim_desc d = raw(IA, VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(300));

	/* 4 KiB are 128 entries, of which 127 can be used. */
	while (queued(w) < 127)
		EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
}

TEST(overflow, "queue full: PRO, and success to a last one, to try again")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct pri p;
	u32 i;

	pri_init(w, &p, 0);
	regs(w)->pri_credits = 200;
	fill_queue(w);
	EXPECT_EQ(reg_read32(w->u, REG_PRS) & 3, PRS_PPR);
	slot = dma(w, &d);
	EXPECT_EQ(reg_read32(w->u, REG_PRS) & 3, PRS_PPR | PRS_PRO);
	EXPECT_EQ(w->u->cnt.u_prq_overflows, 1);
	EXPECT_EQ(w->nr_msis, 2);
	EXPECT_EQ(queued(w), 127);
	/* PRO holds even when there is room again. */
	consume(w);
	for (i = 0; i < 100; i++)
		world_poll(w);
	EXPECT_EQ(queued(w), 0);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	EXPECT_EQ(w->u->cnt.u_prq_overflows, 1);
	reg_write32(w->u, REG_PRS, PRS_PRO);
	for (i = 0; i < 100; i++)
		world_poll(w);
	EXPECT_EQ(reg_read32(w->u, REG_PRS) & 3, PRS_PPR);
	EXPECT_EQ(queued(w), 1);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
}

TEST(overflow_just_cleared, "PRO cleared a moment ago is no overflow any more")
{
	struct vtdsim_desc d = raw(IA, VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(300));
	struct request rq = {
		.has_pasid = true, .pasid = PASID, .addr = IA, .read = true,
	};
	struct pri p;

	pri_init(w, &p, 0);
	regs(w)->pri_credits = 200;
	rq.sid = w->ep->sid;
	fill_queue(w);
	dma(w, &d);
	EXPECT_EQ(reg_read32(w->u, REG_PRS) & 3, PRS_PPR | PRS_PRO);
	consume(w);
	/* No round between the two. */
	reg_write32(w->u, REG_PRS, PRS_PRO);
	page_group_put(page_request_send(w->ep, &rq, 1));
	EXPECT_EQ(reg_read32(w->u, REG_PRS) & 3, PRS_PPR);
	EXPECT_EQ(w->u->cnt.u_prq_overflows, 1);
	EXPECT_EQ(queued(w), 1);
	page_requests_reset(w->ep);
}

TEST(overflow_hidden, "software that may have missed PRO is told again")
{
	struct vtdsim_desc d = raw(IA, VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(300));
	u64 msis;
	struct pri p;
	u32 i;

	pri_init(w, &p, 0);
	regs(w)->pri_credits = 200;
	fill_queue(w);
	dma(w, &d);
	/* Not while requests are left: software will look when it is done. */
	reg_write32(w->u, REG_PRS, PRS_PPR);
	world_poll(w);
	msis = w->nr_msis;
	for (i = 0; i < 3000; i++)
		world_poll(w);
	EXPECT_EQ(w->nr_msis, msis);
	consume(w);
	for (i = 0; i < 3000; i++)
		world_poll(w);
	EXPECT_EQ(w->nr_msis, msis + 1);
	EXPECT_EQ(reg_read32(w->u, REG_PRS) & 3, PRS_PRO);
	/* Each time that it misses it, and never after it is cleared. */
	consume(w);
	for (i = 0; i < 3000; i++)
		world_poll(w);
	EXPECT_EQ(w->nr_msis, msis + 2);
	reg_write32(w->u, REG_PRS, PRS_PRO);
	for (i = 0; i < 3000; i++)
		world_poll(w);
	EXPECT_EQ(w->nr_msis, msis + 2);
	EXPECT_EQ(reg_read32(w->u, REG_PRS), 0);
}

TEST(wrap, "the queue wraps")
{
	struct vtdsim_desc d = raw(IA, VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(300));
	struct pri p;
	u32 i;

	pri_init(w, &p, 0);
	regs(w)->pri_credits = 1000;
	for (i = 0; i < 300; i++) {
		dma(w, &d);
		consume(w);
	}
	EXPECT_EQ(reg_read64(w->u, REG_PQT), 300 % 128 * 32);
	EXPECT_EQ(w->u->cnt.u_prq_overflows, 0);
}

TEST(not_enabled, "PRE clear: a fault, and invalid to the device")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct pri p;
	char *text;

	pri_init(w, &p, 0);
	poke(w, w->ctx, peek(w, w->ctx) & ~CTX_PRE);
	trace_begin(w);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_PRI_FAILED);
	text = trace_end(w);
	EXPECT(strstr(text, "address 0x7f0000ff0000: fault 0x47"));
	free(text);
	EXPECT_EQ(w->u->cnt.u_faults_by_reason[FR_SCT_8], 1);
	EXPECT_EQ(queued(w), 0);
	EXPECT_EQ(regs(w)->pri_status, 0);
}

TEST(translation_off, "remapping disabled: no request is queued, invalid to the device")
{
	struct page_group *g;
	struct request rq;
	bool overflowed;
	struct pri p;
	u8 code;

	pri_init(w, &p, 0);
	reg_write32(w->u, REG_GCMD, GCMD_QIE);
	world_poll(w);
	rq = req(w, 0x42, IA);
	g = page_request_send(w->ep, &rq, 1);
	EXPECT(page_group_done(g, &code, &overflowed));
	EXPECT_EQ(code, PRQ_INVALID);
	EXPECT_EQ(queued(w), 0);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
	page_group_put(g);
}

TEST(no_queue, "no page request queue: failure to the device")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct pri p;

	pri_init(w, &p, 0);
	reg_write64(w->u, REG_PQA, 0);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_PRI_FAILED);
	EXPECT_EQ(regs(w)->pri_status, 1);
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
}

TEST(not_asked, "without the flag or the enable, a denial is the end")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct pri p;

	pri_init(w, &p, 0);
	d.flags &= ~VTDSIM_F_PRI;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_ATS_DENIED);
	d.flags |= VTDSIM_F_PRI;
	regs(w)->ctl &= ~VTDSIM_CTL_PRI;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_ATS_DENIED);
	EXPECT_EQ(queued(w), 0);
}

TEST(raw_group, "by hand: a group of which the last comes late")
{
	struct vtdsim_desc d;
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	d = raw(IA, VTDSIM_PRQ_WRITE | VTDSIM_PRQ_GROUP(400));
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(regs(w)->pri_outstanding, 1);
	e = entry(w, &p, 0);
	EXPECT(e.write && !e.read && !e.last);
	EXPECT_EQ(e.group, 400);
	d = raw(IA + 0x1000, VTDSIM_PRQ_READ | VTDSIM_PRQ_LAST |
		VTDSIM_PRQ_GROUP(400));
	slot = dma(w, &d);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	EXPECT_EQ(regs(w)->pri_outstanding, 2);
	e = entry(w, &p, 1);
	EXPECT(e.last);
	respond(w, &e, PRQ_INVALID);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_PRI_FAILED);
	EXPECT_EQ(slot->result, PRQ_INVALID);
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
}

TEST(raw_group_ended, "by hand: a group that had its last takes no more")
{
	struct vtdsim_desc d = raw(IA, VTDSIM_PRQ_READ | VTDSIM_PRQ_LAST |
				   VTDSIM_PRQ_GROUP(300));
	struct vtdsim_desc *slot, *other;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	other = post(w, 1, &d);
	world_poll(w);
	EXPECT_EQ(other->status, VTDSIM_BAD_DESC);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	e = entry(w, &p, 0);
	respond(w, &e, PRQ_SUCCESS);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_DONE);
}

TEST(raw_range, "by hand: the groups of DMA are not for it")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot, *other;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	e = entry(w, &p, 0);
	d = raw(IA, VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(e.group));
	other = post(w, 1, &d);
	world_poll(w);
	EXPECT_EQ(other->status, VTDSIM_BAD_DESC);
	d.operand = VTDSIM_PRQ_LAST | VTDSIM_PRQ_GROUP(512);
	other = post(w, 1, &d);
	world_poll(w);
	EXPECT_EQ(other->status, VTDSIM_BAD_DESC);
	EXPECT_EQ(queued(w), 1);
	respond(w, &e, PRQ_INVALID);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_PRI_FAILED);
}

TEST(stop_marker, "by hand: a stop marker has no response")
{
	struct vtdsim_desc d = raw(0, VTDSIM_PRQ_LAST | VTDSIM_PRQ_GROUP(256));
	struct pri p;

	pri_init(w, &p, 0);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(queued(w), 1);
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
}

TEST(counted, "census: requests that are not answered")
{
	struct vtdsim_desc d = raw(IA, VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(300));
	struct vtdsim_census c;
	struct pri p;

	pri_init(w, &p, 0);
	dma(w, &d);
	dma(w, &d);
	d.pasid = PASID + 1;
	dma(w, &d);
	census(w->ep, true, PASID, &c);
	EXPECT_EQ(c.page_requests, 2);
	census(w->ep, false, 0, &c);
	EXPECT_EQ(c.page_requests, 3);
}

TEST(flr, "a reset forgets what is outstanding; a late answer is unexpected")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	e = entry(w, &p, 0);
	regs(w)->flr = 1;
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_ABORTED);
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
	respond(w, &e, PRQ_SUCCESS);
	EXPECT_EQ(regs(w)->pri_status, 2);
}

TEST(pri_reset, "PRI reset: who waits fails")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	regs(w)->ctl |= VTDSIM_CTL_PRI_RESET;
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_PRI_FAILED);
	EXPECT(!(regs(w)->ctl & VTDSIM_CTL_PRI_RESET));
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
}

TEST(bus_master, "bus master off: who waits is aborted")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct entry e;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	e = entry(w, &p, 0);
	regs(w)->ctl &= ~VTDSIM_CTL_BUS_MASTER;
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_ABORTED);
	/* Its answer is still expected. */
	EXPECT_EQ(regs(w)->pri_outstanding, 1);
	respond(w, &e, PRQ_SUCCESS);
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
	EXPECT_EQ(regs(w)->pri_status, 0);
}

TEST(endless, "success without a page for ever: the device gives up")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct pri p;
	u32 i;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	for (i = 0; i < 1100 && slot->status == VTDSIM_PENDING; i++) {
		struct entry e = entry(w, &p, i % 128);

		consume(w);
		respond(w, &e, PRQ_SUCCESS);
		world_poll(w);
	}
	EXPECT_EQ(slot->status, VTDSIM_PRI_FAILED);
	EXPECT_EQ(w->ep->cnt.e_page_requests, 1000);
}

TEST(deaf, "a response that the device does not take leaves it waiting")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct pri p;
	struct entry e;

	pri_init(w, &p, 0);
	regs(w)->deaf = 1;
	slot = dma(w, &d);
	e = entry(w, &p, 0);
	respond(w, &e, PRQ_INVALID);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	EXPECT_EQ(regs(w)->pri_outstanding, 1);
	respond(w, &e, PRQ_INVALID);
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_PRI_FAILED);
}

TEST(late, "a request that is told to be late arrives when it is drained")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct pri p;

	pri_init(w, &p, 0);
	regs(w)->late = 1;
	dma(w, &d);
	world_poll(w);
	submit(w, d_wait(WAIT_SW, 3), w->status);
	EXPECT_EQ(queued(w), 0);
	EXPECT_EQ(regs(w)->pri_outstanding, 1);
	EXPECT_EQ(regs(w)->late, 0);
	submit(w, d_wait(WAIT_SW | WAIT_PD, 3), w->status);
	EXPECT_EQ(queued(w), 1);
}

TEST(gone, "a device that was pulled out waits for nothing")
{
	struct vtdsim_desc d = touch(VTDSIM_OP_READ, IA, 8);
	struct vtdsim_desc *slot;
	struct pri p;

	pri_init(w, &p, 0);
	slot = dma(w, &d);
	EXPECT_EQ(regs(w)->pri_outstanding, 1);
	regs(w)->gone = 1;
	world_poll(w);
	EXPECT_EQ(slot->status, VTDSIM_ABORTED);
	EXPECT_EQ(regs(w)->pri_outstanding, 0);
}
