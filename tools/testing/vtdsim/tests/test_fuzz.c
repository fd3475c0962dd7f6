// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever software writes, wherever it may write, the unit neither crashes nor
 * hangs; the sanitizers watch.  Bounded, and the same in every run.
 *
 * The values are half random and half of a kind that leads on: addresses of a
 * few pages, sound entries, registers with a meaning.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../sim.h"
#include "harness.h"
#include "platform.h"

#define WORLDS		200		/* or what FUZZ in the environment says */
#define STEPS		20000
#define POOL		24		/* pages that tables and data are in */
#define SECONDS		240		/* a hang is one on any machine */

static u64 state, pool;

static u64 draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static u64 pool_page(void)
{
	return pool + draw() % POOL * 0x1000;
}

/* An address of the pool with some flags, a small number, or anything. */
static u64 value(void)
{
	u64 v = draw();

	switch (draw() % 8) {
	case 0:
		return v;
	case 1:
		return v & 0xff;
	case 2:
		return 1ULL << (v & 63);
	case 3:
		return (pool_page() & ~0xfffULL) | (v & 0xfff);
	case 4:
		return pool_page() | PE_P | (v & 7) << 6 | (v & 3) << 10;
	case 5:
		return pool_page() | 0x67 | (v & 3) << 8;
	default:
		return pool_page() | 7;
	}
}

static void write_pool(struct world *w)
{
	u64 at = pool_page() + (draw() & 0xff8);
	int n = draw() % 8;

	do {
		poke(w, page_of(at) + (at & 0xff8), value());
		at += 8;
	} while (n-- > 0 && at & 0xfff);
}

static void write_register(struct world *w)
{
	static const u32 regs[] = {
		REG_GCMD, REG_RTADDR, REG_RTADDR + 4, REG_CCMD + 4, REG_FSTS,
		REG_FECTL, REG_IQT, REG_IQT, REG_IQT, REG_IQA, REG_ICS,
		REG_IECTL, REG_PQH, REG_PQT, REG_PQA, REG_PRS, REG_PECTL,
		REG_IOTLB + 4, REG_FRCD + 12,
	};
	u32 reg = regs[draw() % ARRAY_SIZE(regs)];

	if (!(draw() % 16))
		reg = draw() & 0xffc;
	reg_write32(w->u, reg, reg == REG_IQT ? draw() & 0x1ff0 : value());
}

/* Something that runs: remapping on, a queue, PASID tables in the pool. */
static void make_sound(struct world *w)
{
	bool odd = !(draw() % 8);

	reg_write32(w->u, REG_GCMD, 0);
	reg_write32(w->u, REG_FSTS, ~0u);
	reg_write64(w->u, REG_PQH, reg_read64(w->u, REG_PQT));
	sim_poll(&w->sim);
	reg_write64(w->u, REG_RTADDR, odd ? pool_page() | (draw() & 3) << 10 :
		    w->root | TTM_SCALABLE << 10);
	reg_write64(w->u, REG_IQA, (odd ? pool_page() : w->iq) | IQA_DW);
	reg_write64(w->u, REG_IQT, 0);
	reg_write64(w->u, REG_PQA, pool_page() | (draw() & 1));
	reg_write32(w->u, REG_PRS, ~0u);
	poke(w, w->dir, pool_page() | PDE_P);
	poke(w, w->dir + 8, pool_page() | PDE_P);
	reg_write32(w->u, REG_GCMD, GCMD_SRTP);
	sim_poll(&w->sim);
	reg_write32(w->u, REG_GCMD, GCMD_QIE | (draw() % 16 ? GCMD_TE : 0));
	sim_poll(&w->sim);
}

/* A PASID-table entry, sound but for what its tables hold. */
static void write_pasid_entry(struct world *w)
{
	u64 at = pool_page() + draw() % 64 * 64;
	int i;

	poke(w, at + 16, pool_page() | (draw() & 1));
	poke(w, at + 8, (draw() & 3) | PE_PWSNP);
	poke(w, at, pool_page() | PE_P | 2 << 2 | (1 + draw() % 4) << 6 |
	     (draw() & 1) << 9);
	for (i = 24; i < 64; i += 8)
		poke(w, at + i, 0);
}

/* Mostly one that can be executed. */
static u64 descriptor(struct world *w)
{
	u16 sid = w->u->ep[draw() % w->u->nr_eps].sid;
	u32 pasid = draw() & 0x7f, g = draw() & 3;
	u16 did = draw() & 3;

	switch (draw() % 10) {
	case 0:
		return d_context(g, sid, draw() & 3);
	case 1:
		return d_pasid_cache(g, did, pasid);
	case 2:
		return d_iotlb(g, did) | (draw() & 3) << 6;
	case 3: case 4:
		return d_piotlb(g, did, pasid);
	case 5:
		return d_devtlb(sid);
	case 6:
		return d_pdevtlb(sid, pasid);
	case 7: case 8:
		return d_wait((draw() & 15) << 4, draw());
	default:
		return draw() % 2 ? draw() : INV_PGRP_RESP | BIT_ULL(4) |
		       (draw() & 15) << 12 | (u64)sid << 16 | (u64)pasid << 32;
	}
}

static void write_descriptor(struct world *w)
{
	u64 iqa = page_of(reg_read64(w->u, REG_IQA));
	u64 at = iqa + (reg_read64(w->u, REG_IQT) & 0xfe0);

	if (!ram_ptr(&w->sim.ram, at, 32))
		return;
	poke(w, at, descriptor(w));
	poke(w, at + 8, draw() % 8 ? pool_page() | (draw() & 0x44) : value());
	poke(w, at + 16, draw() % 64 ? 0 : value());
	poke(w, at + 24, 0);
	reg_write64(w->u, REG_IQT, ((at & 0xfff) + 32) & 0xfff);
	if (reg_read32(w->u, REG_FSTS) && draw() % 2)
		reg_write32(w->u, REG_FSTS, ~0u);
}

static void write_bar(struct world *w)
{
	struct ep *ep = &w->u->ep[draw() % w->u->nr_eps];
	u32 at = draw() % 4 ? draw() % 64 * 4 : draw() % (VTDSIM_BAR_SIZE - 8);

	if (draw() % 4)
		at = VTDSIM_BAR_QUEUE(draw() % VTDSIM_NR_QUEUES) +
		     draw() % 8 * 4;
	*(u32 *)(ep->bar + (at & ~3)) = draw() % 2 ? value() : draw() & 7;
}

static void post_descriptor(struct world *w)
{
	struct vtdsim_desc d = {
		.op = draw() % (VTDSIM_OP_LOOP + 2),
		.flags = draw() & (draw() % 8 ? 0x3f : 0xff),
		.pasid = draw() & 0x7f,
		.addr = draw() % 4 ? draw() & 0x7ffffff8 : value(),
		.addr2 = draw() & 0x7fffff,
		.len = draw() % 8 ? draw() & 0x3fff : draw(),
		.local = draw() & 0xfff8,
		.operand = draw() % 4 ? draw() & 0xfff : draw(),
	};
	u32 q = draw() % VTDSIM_NR_QUEUES;
	struct vtdsim_queue *hw = queue(w, q);

	/* A census of a directory that leads everywhere takes too long. */
	if (d.op == VTDSIM_OP_CENSUS && draw() % 64)
		d.op = VTDSIM_OP_EXPLAIN;
	hw->enable = 1;
	post(w, q, &d);
	memset(local(w, d.local & ~7), draw(), 8);
}

static void enable_devices(struct world *w)
{
	u32 e;

	for (e = 0; e < w->u->nr_eps; e++) {
		struct vtdsim_regs *r;

		r = (struct vtdsim_regs *)w->u->ep[e].bar;
		r->gone = 0;
		r->mute = 0;
		r->late = 0;
		r->ctl = draw() % 8 ? 0x3f : draw();
	}
}

static void one_step(struct world *w)
{
	switch (draw() % 16) {
	case 0:
		if (!(draw() % 8))
			write_register(w);
		break;
	case 1:
		if (!(draw() % 4))
			write_bar(w);
		break;
	case 2:
		if (!(draw() % 4))
			enable_devices(w);
		break;
	case 3:
		if (!(draw() % 4))
			make_sound(w);
		break;
	case 4:
		write_pool(w);
		break;
	case 5: case 6:
		write_pasid_entry(w);
		break;
	case 7: case 8:
		write_descriptor(w);
		break;
	case 9: case 10:
		post_descriptor(w);
		break;
	default:
		sim_poll(&w->sim);
	}
}

static void fuzz(struct world *w, u32 seed, struct vtdsim_counters *sum)
{
	u32 i;

	world_prepare(w);
	w->cfg.adverse = seed & 1;
	w->cfg.evict = seed & 2 ? 100 : 0;
	w->cfg.unit[0].cm = seed >> 2 & 1;
	w->cfg.seed = seed;
	world_start(w);
	w->u->iotlb.max_entries = 64;
	w->u->pasids.max = 16;
	pool = new_pages(w, POOL);
	state = seed * 2ULL + 1;
	for (i = 0; i < 20; i++)
		draw();
	for (i = 0; i < 200; i++)
		write_pool(w);
	for (i = 0; i < STEPS; i++)
		one_step(w);
	sum->u_desc_total += w->u->cnt.u_desc_total;
	sum->u_translations += w->u->cnt.u_translations;
	sum->u_faults += w->u->cnt.u_faults;
	sum->u_hits_iotlb += w->u->cnt.u_hits_iotlb;
	sum->u_page_requests += w->u->cnt.u_page_requests;
	sum->u_iqe += w->u->cnt.u_iqe;
}

TEST(fuzz, "no input crashes the unit or hangs it")
{
	struct vtdsim_counters sum = { 0 };
	const char *asked = getenv("FUZZ");
	u32 seed, worlds = asked ? atoi(asked) : WORLDS;

	if (!asked)
		alarm(SECONDS);
	for (seed = 1; seed <= worlds; seed++) {
		fuzz(w, seed, &sum);
		world_end(w);
		memset(w, 0, sizeof(*w));
	}
	alarm(0);
	/* It went somewhere. */
	EXPECT(sum.u_desc_total > 1000);
	EXPECT(sum.u_translations > 1000);
	EXPECT(sum.u_faults > 1000);
	EXPECT(sum.u_hits_iotlb > 100);
	EXPECT(sum.u_page_requests > 10);
	EXPECT(sum.u_iqe > 10);
	printf("# descriptors %llu, translations %llu, faults %llu, hits %llu\n",
	       sum.u_desc_total, sum.u_translations, sum.u_faults,
	       sum.u_hits_iotlb);
}
