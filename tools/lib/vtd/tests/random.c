// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A guest at random: after each step what is bound is compared with a walk of
 * the guest's tables from scratch.
 *
 *	random STEPS [SEED]
 *
 * The walk is written for the test: it follows the tables for one PASID at a
 * time and knows nothing of what has changed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "world.h"

#define NR_PASIDS	24
#define PDTS		3		/* 1024 directory entries */

static const u32 pasids[NR_PASIDS] = {
	0, 1, 2, 3, 62, 63, 64, 65, 127, 128, 129, 1000, 1001, 4095, 4096, 4097,
	8191, 8192, 20000, 32768, 65000, 65472, 65534, 65535,
};

static u64 state;
static u64 step;
static u64 compared;
static u64 spare_root;
static bool translating;

static u64 rnd(u64 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static u32 any_pasid(void)
{
	return pasids[rnd(NR_PASIDS)];
}

/* ---- the walk from scratch --------------------------------------------------- */

static u64 load(struct world *w, u64 gpa)
{
	return gpa < RAM_SIZE ? peek(w, gpa) : 0;
}

static void context_of(struct world *w, u16 sid, u64 *ctx)
{
	u64 root = page_of(reg64(w, REG_RTADDR)) + (sid >> 8) * 16;
	u64 half = load(w, root + (sid & 0x80 ? 8 : 0));
	int i;

	memset(ctx, 0, 32);
	if (!(half & ROOT_P) || half & ROOT_RSVD)
		return;
	for (i = 0; i < 4; i++)
		ctx[i] = load(w, page_of(half) + (sid & 0x7f) * 32 + i * 8);
}

static bool entry_for(struct world *w, u16 sid, u32 pasid, u64 *pe)
{
	const struct vtd_caps caps = {
		.cap = reg64(w, REG_CAP), .ecap = reg64(w, REG_ECAP),
		.haw = w->cfg.address_bits,
	};
	u64 ctx[4], pde;
	int i;

	context_of(w, sid, ctx);
	if (vtd_check_context(&caps, ctx) ||
	    (pasid && !(ctx[0] & CTX_PASIDE)) ||
	    pasid / 64 >= 128u << bits(ctx[0], 11, 9))
		return false;
	pde = load(w, page_of(ctx[0]) + pasid / 64 * 8);
	if (!(pde & PDE_P) || pde & PDE_RSVD || page_of(pde) >= RAM_SIZE)
		return false;
	for (i = 0; i < 8; i++)
		pe[i] = load(w, page_of(pde) + pasid % 64 * 64 + i * 8);
	return !vtd_check_pasid(&caps, pe);
}

static u8 wanted(struct world *w, struct guest_dev *d, u32 pasid, u64 *table)
{
	u64 pe[8];

	*table = 0;
	if (!translating)
		return pasid ? VVTD_NONE : VVTD_PASS_THROUGH;
	if (!entry_for(w, d->sid, pasid, pe))
		return VVTD_NONE;
	if (bits(pe[0], 8, 6) == PGTT_PASSTHROUGH)
		return VVTD_PASS_THROUGH;
	*table = page_of(pe[2]);
	return VVTD_FIRST_STAGE;
}

static void complain(const struct guest_dev *d, u32 pasid, u8 kind, u64 table)
{
	printf("not ok 1 step %llu, device %c, PASID %#x: bound %u %#llx, wanted %u %#llx\n",
	       step, d->host.name, pasid, d->host.kind[pasid],
	       d->host.table[pasid], kind, table);
	exit(1);
}

static void compare_device(struct world *w, struct guest_dev *d)
{
	u32 i, bound = 0;

	for (i = 0; i < NR_PASIDS; i++) {
		u64 table;
		u8 kind = wanted(w, d, pasids[i], &table);

		if (d->host.kind[pasids[i]] != kind ||
		    d->host.table[pasids[i]] != table)
			complain(d, pasids[i], kind, table);
		bound += !!kind;
		compared++;
	}
	/* Nothing else is bound. */
	if (d->host.nr_bound != bound)
		complain(d, ~0u % MAX_PASIDS, bound, d->host.nr_bound);
}

static void compare(struct world *w)
{
	u32 n;

	for (n = 0; n < NR_DEVS; n++) {
		if (w->d[n].dev)
			compare_device(w, &w->d[n]);
	}
}

/* ---- what a guest does --------------------------------------------------------- */

static u64 slot_of(struct guest_dev *d, u32 pasid)
{
	return d->dir + pasid / 64 * 8;
}

static struct pe any_entry(void)
{
	static const u64 bad[8] = {
		BIT_ULL(10), BIT_ULL(40), BIT_ULL(9), 1, 2, 4, 8, 16,
	};
	struct pe pe = pe_first(1 + rnd(3), 0x1000 * (1 + rnd(4)));
	u32 q;

	switch (rnd(8)) {
	case 0:
		return (struct pe){ .q = { 0 } };
	case 1:
		return pe_pass(1 + rnd(3));
	case 2:
		q = rnd(8);
		pe.q[q] |= bad[q];
		return pe;
	case 3:
		pe.q[0] = (pe.q[0] & ~0x1c0ULL) | rnd(8) << 6;
		return pe;
	}
	return pe;
}

/* Invalidate as the specification asks for: by the domain of before. */
static void tell(struct world *w, u16 did, u32 pasid)
{
	switch (rnd(4)) {
	case 0:
		queue(w, d_pasid_cache(3, 0, 0), 0);
		break;
	case 1:
		queue(w, d_pasid_cache(0, did, 0), 0);
		break;
	default:
		queue(w, d_pasid_cache(1, did, pasid), 0);
	}
	if (rnd(2))
		queue(w, d_piotlb(2, did, pasid), 0);
	if (rnd(4) == 0)
		queue(w, d_iotlb(1 + rnd(2), did), 0);
}

static void change_entry(struct world *w, struct guest_dev *d)
{
	u32 pasid = any_pasid();
	u64 pde = peek(w, slot_of(d, pasid));
	u64 at = page_of(pde) + pasid % 64 * 64;
	u16 did;

	/* A directory entry that is bad or absent has no entries. */
	if (!(pde & PDE_P) || at >= RAM_SIZE)
		return;
	did = bits(peek(w, at + 8), 15, 0);
	set_pasid(w, d - w->d, pasid, any_entry());
	tell(w, did, pasid);
}

static void change_directory(struct world *w, struct guest_dev *d)
{
	static const u64 bad[] = { PDE_P, BIT_ULL(5), BIT_ULL(40) };
	u64 slot = slot_of(d, any_pasid());
	u64 pde = (peek(w, slot) & ~(BIT_ULL(5) | BIT_ULL(40))) | PDE_P;

	/* Three times out of four, sound again. */
	if (rnd(4) == 0)
		pde ^= bad[rnd(ARRAY_SIZE(bad))];
	poke(w, slot, pde);
	queue(w, d_pasid_cache(3, 0, 0), 0);
}

static void change_context(struct world *w, struct guest_dev *d)
{
	static const u64 flip[] = {
		CTX_P, CTX_DTE, CTX_PASIDE, 1 << 9, 2 << 9, BIT_ULL(6),
	};
	u64 ctx = d->dir | CTX_P | CTX_DTE | CTX_PASIDE | PDTS << 9;

	if (rnd(4) == 0)
		ctx ^= flip[rnd(ARRAY_SIZE(flip))];
	poke(w, d->ctx, ctx);
	if (rnd(2))
		queue(w, d_context(1 + rnd(2), 0, 0), 0);
	else
		queue(w, d_context(3, d->sid | rnd(2), 3), 0);
}

static void change_root(struct world *w)
{
	u64 other = reg64(w, REG_RTADDR);

	other = page_of(other) == w->root ? spare_root : w->root;
	set64(w, REG_RTADDR, other | TTM_SCALABLE << 10);
	gcmd(w, GCMD_QIE | GCMD_SRTP | (translating ? GCMD_TE : 0));
}

static void switch_translation(struct world *w)
{
	translating = !translating;
	gcmd(w, GCMD_QIE | (translating ? GCMD_TE : 0));
}

static void plug(struct world *w)
{
	u32 n = rnd(NR_DEVS);

	if (w->d[n].dev)
		remove_device(w, n);
	else
		add_device(w, n);
}

static void reset(struct world *w)
{
	vvtd_reset(w->v);
	translating = false;
	run(w);
	compare(w);
	guest_boot(w);
	translating = true;
}

/* The host refuses once; then all is told again. */
static void refuse(struct world *w, struct guest_dev *d)
{
	w->host.fail_after = 1 + rnd(3);
	w->host.fail_with = -ENOMEM;
	change_entry(w, d);
	submit(w);
	w->host.fail_after = 0;
	queue(w, d_pasid_cache(3, 0, 0), 0);
}

static void one_step(struct world *w)
{
	struct guest_dev *d = &w->d[rnd(NR_DEVS)];
	u64 what = rnd(1000);

	if (what < 3)
		reset(w);
	else if (what < 13)
		plug(w);
	else if (what < 23)
		switch_translation(w);
	else if (what < 33)
		change_root(w);
	else if (what < 63)
		change_context(w, d);
	else if (what < 123)
		change_directory(w, d);
	else if (what < 143)
		refuse(w, d);
	else
		change_entry(w, d);
	submit(w);
}

/* Room for every PASID's table; the spare root leads to the same devices. */
static void begin(struct world *w)
{
	u32 n, i;

	w->cfg.pasid_bits = 16;
	w->nr_devs = NR_DEVS;
	w->host.quiet = true;
	world_start(w);
	spare_root = new_pages(w, 1);
	poke(w, spare_root, peek(w, w->root));
	for (n = 0; n < NR_DEVS; n++) {
		poke(w, w->d[n].ctx, w->d[n].dir | CTX_P | CTX_DTE |
		     CTX_PASIDE | PDTS << 9);
		for (i = 0; i < NR_PASIDS; i++)
			entry_of(w, n, pasids[i]);
	}
	guest_boot(w);
	translating = true;
}

int main(int argc, char **argv)
{
	u64 steps = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;
	static struct world w;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x9e3779b97f4a7c15;
	world_prepare(&w);
	begin(&w);
	printf("1..1\n");
	for (step = 0; step < steps; step++) {
		one_step(&w);
		compare(&w);
	}
	printf("# %llu steps, %llu host calls, %llu bindings compared\n", steps,
	       w.host.calls, compared);
	world_end(&w);
	printf("ok 1 bindings are what a walk from scratch finds, after every step\n");
	return 0;
}
