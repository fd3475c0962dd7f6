// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers and the queued invalidation interface: commands, write-1-to-clear,
 * waits, and what a malformed descriptor does.
 */
#include <stdlib.h>
#include <string.h>
#include "harness.h"

TEST(identity, "VER, CAP and ECAP say what was configured")
{
	u64 cap, ecap;

	world_prepare(w);
	w->cfg.unit[0].cm = 1;
	w->cfg.unit[0].nest = 0;
	w->cfg.unit[0].sagaw = 4;
	world_start(w);
	cap = reg_read64(w->u, REG_CAP);
	ecap = reg_read64(w->u, REG_ECAP);
	EXPECT(reg_read32(w->u, REG_VER));
	EXPECT_EQ(bits(cap, 2, 0), 6);
	EXPECT(cap & CAP_CM);
	EXPECT_EQ(bits(cap, 12, 8), 4);
	EXPECT_EQ(bits(cap, 21, 16), 56);
	EXPECT_EQ(bits(cap, 33, 24) * 16, REG_FRCD);
	EXPECT_EQ(bits(cap, 47, 40), w->u->cfg.nfr - 1);
	EXPECT(!(ecap & ECAP_NEST));
	EXPECT(ecap & ECAP_QI && ecap & ECAP_SMTS && ecap & ECAP_PASID);
	EXPECT_EQ(bits(ecap, 39, 35), 19);
	EXPECT_EQ(bits(ecap, 17, 8) * 16, REG_IVA);
}

TEST(gcmd, "GCMD is taken as a whole, GSTS follows, 0 is a command too")
{
	world_init(w);
	EXPECT_EQ(reg_read32(w->u, REG_GSTS), GCMD_TE | GCMD_SRTP | GCMD_QIE);
	reg_write32(w->u, REG_GCMD, GCMD_QIE);
	world_poll(w);
	EXPECT_EQ(reg_read32(w->u, REG_GSTS), GCMD_SRTP | GCMD_QIE);
	reg_write32(w->u, REG_GCMD, 0);
	world_poll(w);
	EXPECT_EQ(reg_read32(w->u, REG_GSTS), GCMD_SRTP);
}

TEST(rtaddr, "RTADDR counts from SRTP on, not before")
{
	world_init(w);
	reg_write64(w->u, REG_RTADDR, 0x12345000);
	world_poll(w);
	EXPECT_EQ(w->u->m.rtaddr, w->root | TTM_SCALABLE << 10);
	reg_write32(w->u, REG_GCMD, GCMD_SRTP | GCMD_QIE | GCMD_TE);
	world_poll(w);
	EXPECT_EQ(w->u->m.rtaddr, 0x12345000);
}

TEST(register_invalidation, "CCMD and IOTLB registers answer: nothing done")
{
	world_init(w);
	reg_write64(w->u, REG_CCMD, CCMD_ICC | 1ULL << 61);
	reg_write64(w->u, REG_IOTLB, IOTLB_IVT | 1ULL << 60);
	world_poll(w);
	EXPECT(!(reg_read64(w->u, REG_CCMD) & (CCMD_ICC | CCMD_CAIG)));
	EXPECT(!(reg_read64(w->u, REG_IOTLB) & (IOTLB_IVT | IOTLB_IAIG)));
}

TEST(wait_status, "wait: the status is written, in order")
{
	u64 d[3][4] = {
		{ d_wait(WAIT_SW, 1) },
		{ d_iotlb(1, 0) },
		{ d_wait(WAIT_SW, 2) },
	};

	world_init(w);
	d[0][1] = w->status;
	d[2][1] = w->status + 4;
	submit_many(w, d[0], 3);
	EXPECT(queue_idle(w));
	EXPECT_EQ(peek(w, w->status), 2ULL << 32 | 1);
	EXPECT_EQ(w->u->cnt.u_waits, 2);
	EXPECT_EQ(w->u->cnt.u_submissions, 1);
	EXPECT_EQ(w->u->cnt.u_desc_total, 3);
	EXPECT_EQ(w->u->cnt.u_desc[VTDSIM_D_WAIT], 2);
	EXPECT_EQ(w->u->cnt.u_desc[VTDSIM_D_IOTLB], 1);
}

TEST(queue_time, "the time that descriptors take is counted, and no other")
{
	u64 before;

	world_init(w);
	before = w->u->cnt.u_queue_ns;
	world_poll(w);
	EXPECT_EQ(w->u->cnt.u_queue_ns, before);
	submit(w, d_wait(WAIT_SW, 1), w->status);
	EXPECT(w->u->cnt.u_queue_ns > before);
}

TEST(wait_interrupt, "wait: IWC and its message, cleared by writing 1")
{
	world_init(w);
	reg_write32(w->u, REG_IEDATA, 0x33);
	reg_write32(w->u, REG_IEADDR, 0xfee01000);
	reg_write32(w->u, REG_IECTL, 0);
	submit(w, d_wait(WAIT_IF, 0), 0);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(w->msi_data[0], 0x33);
	EXPECT(reg_read32(w->u, REG_ICS) & ICS_IWC);
	/* Still pending: no second message. */
	submit(w, d_wait(WAIT_IF, 0), 0);
	EXPECT_EQ(w->nr_msis, 1);
	reg_write32(w->u, REG_ICS, ICS_IWC);
	world_poll(w);
	EXPECT_EQ(reg_read32(w->u, REG_ICS), 0);
	submit(w, d_wait(WAIT_IF, 0), 0);
	EXPECT_EQ(w->nr_msis, 2);
}

TEST(fence_drain, "wait: fence and page-request drain are accepted")
{
	world_init(w);
	submit(w, d_wait(WAIT_FN, 0), 0);
	submit(w, d_wait(WAIT_SW | WAIT_PD, 9), w->status);
	EXPECT(queue_idle(w));
	EXPECT_EQ(peek(w, w->status), 9);
}

TEST(wrap, "the queue wraps at its size")
{
	u32 i;

	world_init(w);
	for (i = 1; i <= 300; i++)
		submit(w, d_wait(WAIT_SW, i), w->status);
	EXPECT(queue_idle(w));
	EXPECT_EQ(peek(w, w->status), 300);
	EXPECT_EQ(w->u->cnt.u_desc_total, 300);
}

TEST(iec, "interrupt-entry-cache invalidation is accepted")
{
	world_init(w);
	submit(w, INV_IEC, 0);
	submit(w, INV_IEC | BIT_ULL(4) | 3ULL << 27 | 5ULL << 32, 0);
	EXPECT(queue_idle(w));
}

/* 128-bit descriptors are those of legacy mode. */
static void narrow_init(struct world *w)
{
	world_init(w);
	reg_write64(w->u, REG_RTADDR, w->root);
	reg_write32(w->u, REG_GCMD, GCMD_SRTP);
	world_poll(w);
	reg_write64(w->u, REG_IQT, 0);
	reg_write64(w->u, REG_IQA, w->iq);
	reg_write32(w->u, REG_GCMD, GCMD_QIE);
	world_poll(w);
}

TEST(narrow, "128-bit descriptors")
{
	narrow_init(w);
	poke(w, w->iq, d_iotlb(1, 0));
	poke(w, w->iq + 16, d_wait(WAIT_SW, 7));
	poke(w, w->iq + 24, w->status);
	reg_write64(w->u, REG_IQT, 32);
	world_poll(w);
	EXPECT_EQ(reg_read64(w->u, REG_IQH), 32);
	EXPECT_EQ(peek(w, w->status), 7);
}

static u32 iqei(struct world *w)
{
	return reg_read64(w->u, REG_IQERCD) & 15;
}

static bool stopped(struct world *w, u32 info)
{
	return reg_read32(w->u, REG_FSTS) & FSTS_IQE && iqei(w) == info &&
	       !queue_idle(w);
}

/* Software mends the descriptor and clears the error. */
static void mend(struct world *w)
{
	int i;

	poke(w, w->iq + w->u->m.iqh, d_wait(WAIT_FN, 0));
	for (i = 1; i < 4; i++)
		poke(w, w->iq + w->u->m.iqh + i * 8, 0);
	reg_write32(w->u, REG_FSTS, FSTS_IQE);
	world_poll(w);
	EXPECT_EQ(reg_read32(w->u, REG_FSTS), 0);
	EXPECT_EQ(iqei(w), 0);
	EXPECT(queue_idle(w));
}

TEST(bad_type, "IQE: unknown type; the queue stops, then goes on")
{
	u64 d[2][4] = { { 15 }, { d_wait(WAIT_SW, 4) } };

	world_init(w);
	d[1][1] = w->status;
	submit_many(w, d[0], 2);
	EXPECT(stopped(w, IQEI_TYPE));
	EXPECT_EQ(reg_read64(w->u, REG_IQH), 0);
	EXPECT_EQ(peek(w, w->status), 0);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(w->u->cnt.u_iqe, 1);
	mend(w);
	EXPECT_EQ(peek(w, w->status), 4);
}

TEST(bad_type_high, "IQE: the upper type bits count")
{
	world_init(w);
	submit(w, INV_IOTLB | 1 << 4 | BIT_ULL(9), 0);
	EXPECT(stopped(w, IQEI_TYPE));
}

struct layout {
	u64 d0;
	u64 rsvd0;
	u64 rsvd1;
};

TEST(bad_reserved, "IQE: every reserved bit of every descriptor")
{
	static const struct layout layouts[] = {
		{ INV_CONTEXT | 1 << 4, GENMASK_ULL(63, 50) |
		  GENMASK_ULL(15, 12) | GENMASK_ULL(8, 6), ~0ULL },
		{ INV_PASID_CACHE, GENMASK_ULL(63, 52) |
		  GENMASK_ULL(15, 12) | GENMASK_ULL(8, 6), ~0ULL },
		{ INV_IOTLB | 1 << 4, GENMASK_ULL(63, 32) |
		  GENMASK_ULL(15, 12) | BIT_ULL(8), GENMASK_ULL(11, 7) },
		{ INV_PIOTLB | 2 << 4, GENMASK_ULL(63, 52) |
		  GENMASK_ULL(15, 12) | GENMASK_ULL(8, 6),
		  GENMASK_ULL(11, 7) },
		{ INV_DEVTLB, GENMASK_ULL(51, 48) | GENMASK_ULL(31, 21) |
		  GENMASK_ULL(8, 4), GENMASK_ULL(11, 1) },
		{ INV_PDEVTLB, 0, GENMASK_ULL(10, 1) },
		{ INV_IEC, GENMASK_ULL(63, 48) | GENMASK_ULL(26, 12) |
		  GENMASK_ULL(8, 5), ~0ULL },
		{ INV_WAIT, GENMASK_ULL(31, 12) | BIT_ULL(8),
		  GENMASK_ULL(1, 0) },
		{ INV_PGRP_RESP, GENMASK_ULL(63, 52) | GENMASK_ULL(8, 6),
		  GENMASK_ULL(63, 12) | GENMASK_ULL(1, 0) },
	};
	size_t i;
	int b;

	world_init(w);
	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		submit(w, layouts[i].d0, 0);
		EXPECT(queue_idle(w));
		for (b = 0; b < 128; b++) {
			u64 lo = b < 64 ? BIT_ULL(b) : 0;
			u64 hi = b < 64 ? 0 : BIT_ULL(b - 64);

			if (!(lo & layouts[i].rsvd0) &&
			    !(hi & layouts[i].rsvd1))
				continue;
			submit(w, layouts[i].d0 | lo, hi);
			EXPECT(stopped(w, IQEI_RESERVED));
			mend(w);
		}
	}
}

TEST(bad_wide, "IQE: the upper half of a 256-bit descriptor")
{
	u64 d[4] = { d_iotlb(1, 0), 0, 1, 0 };

	world_init(w);
	submit_wide(w, d);
	EXPECT(stopped(w, IQEI_RESERVED));
	mend(w);
	d[2] = 0;
	d[3] = BIT_ULL(63);
	submit_wide(w, d);
	EXPECT(stopped(w, IQEI_RESERVED));
}

TEST(bad_granularity, "IQE: reserved granularities")
{
	const u64 bad[] = {
		d_context(0, 0, 0), d_pasid_cache(2, 0, 0), d_iotlb(0, 0),
		d_piotlb(0, 0, 0), d_piotlb(1, 0, 0),
	};
	size_t i;

	world_init(w);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		submit(w, bad[i], 0);
		EXPECT(stopped(w, IQEI_RESERVED));
		mend(w);
	}
}

TEST(bad_mask, "IQE: an address mask beyond MAMV")
{
	world_init(w);
	submit(w, d_iotlb(3, 5), d_addr(0, w->u->cfg.mamv, false));
	EXPECT(queue_idle(w));
	submit(w, d_iotlb(3, 5), d_addr(0, w->u->cfg.mamv + 1, false));
	EXPECT(stopped(w, IQEI_RESERVED));
}

TEST(bad_capability, "IQE: descriptors of what the unit does not have")
{
	world_prepare(w);
	w->cfg.unit[0].dt = 0;
	w->cfg.unit[0].prs = 0;
	w->cfg.unit[0].pds = 0;
	world_start(w);
	submit(w, d_devtlb(0), 0);
	EXPECT(stopped(w, IQEI_TYPE));
	mend(w);
	submit(w, d_pdevtlb(0, 1), 0);
	EXPECT(stopped(w, IQEI_TYPE));
	mend(w);
	submit(w, INV_PGRP_RESP, 0);
	EXPECT(stopped(w, IQEI_TYPE));
	mend(w);
	submit(w, d_wait(WAIT_PD, 0), 0);
	EXPECT(stopped(w, IQEI_RESERVED));
}

TEST(bad_tail, "IQE: tail beyond the queue, tail not aligned")
{
	world_init(w);
	reg_write64(w->u, REG_IQT, 0x1000);
	world_poll(w);
	EXPECT(reg_read32(w->u, REG_FSTS) & FSTS_IQE);
	EXPECT_EQ(iqei(w), IQEI_TAIL_INVALID);
	reg_write64(w->u, REG_IQT, 0);
	reg_write32(w->u, REG_FSTS, FSTS_IQE);
	world_poll(w);
	EXPECT_EQ(reg_read32(w->u, REG_FSTS), 0);
	reg_write64(w->u, REG_IQT, 0x10);
	world_poll(w);
	EXPECT_EQ(iqei(w), IQEI_TAIL_MISALIGNED);
}

TEST(bad_fetch, "IQE: a queue out of reach")
{
	world_init(w);
	reg_write64(w->u, REG_IQA, 0x30000000 | IQA_DW);
	submit(w, d_iotlb(1, 0), 0);
	EXPECT(stopped(w, IQEI_FETCH));
}

TEST(bad_width, "IQE: 128-bit descriptors in scalable mode")
{
	world_init(w);
	reg_write64(w->u, REG_IQA, w->iq);
	reg_write64(w->u, REG_IQT, 16);
	world_poll(w);
	EXPECT_EQ(iqei(w), IQEI_WIDTH);
}

TEST(bad_mode, "IQE: PASID descriptors in legacy mode")
{
	narrow_init(w);
	poke(w, w->iq, d_pasid_cache(3, 0, 0));
	reg_write64(w->u, REG_IQT, 16);
	world_poll(w);
	EXPECT_EQ(iqei(w), IQEI_TTM);
}

TEST(time_out, "ITE: a device that is not there; waits are aborted")
{
	u64 d[3][4] = {
		{ d_devtlb(0x1ff), ALL_PAGES },
		{ d_iotlb(1, 0) },
		{ d_wait(WAIT_SW, 4) },
	};

	world_init(w);
	d[2][1] = w->status;
	submit_many(w, d[0], 3);
	EXPECT_EQ(reg_read32(w->u, REG_FSTS) & 0xff, FSTS_ITE);
	EXPECT_EQ(reg_read64(w->u, REG_IQERCD) >> 32 & 0xffff, 0x1ff);
	EXPECT(queue_idle(w));
	EXPECT_EQ(peek(w, w->status), 0);
	EXPECT_EQ(w->nr_msis, 1);
	/* Nothing runs until software has seen it. */
	submit(w, d[2][0], w->status);
	EXPECT(!queue_idle(w));
	reg_write32(w->u, REG_FSTS, FSTS_ITE);
	world_poll(w);
	EXPECT(queue_idle(w));
	EXPECT_EQ(peek(w, w->status), 4);
}

TEST(not_enabled, "a queue that is not enabled does not run")
{
	world_init(w);
	reg_write32(w->u, REG_GCMD, GCMD_TE);
	world_poll(w);
	submit(w, d_wait(WAIT_SW, 1), w->status);
	EXPECT_EQ(peek(w, w->status), 0);
	EXPECT(!queue_idle(w));
}

TEST(trace_error, "--trace decodes the descriptor that is refused")
{
	char *text;

	world_init(w);
	trace_begin(w);
	submit(w, d_iotlb(0, 5), 0);
	text = trace_end(w);
	EXPECT(strstr(text, "IOTLB invalidate, reserved: DID 5"));
	free(text);
}

/* ---- failures on demand --------------------------------------------------------- */

/* A device-TLB invalidation and a wait: the fault status that comes of it. */
static u32 flush_device(struct world *w, u32 data)
{
	const u64 d[8] = {
		d_devtlb(w->ep->sid), ALL_PAGES, 0, 0,
		d_wait(WAIT_SW, data), w->status,
	};
	u32 fsts;

	submit_many(w, d, 2);
	fsts = reg_read32(w->u, REG_FSTS) & (FSTS_ITE | FSTS_ICE | FSTS_IQE);
	reg_write32(w->u, REG_FSTS, fsts);
	world_poll(w);
	return fsts;
}

static u32 waited(struct world *w)
{
	return peek(w, w->status);
}

TEST(mute, "a device that is told to be mute times out so many times")
{
	world_init(w);
	regs(w)->mute = 2;
	EXPECT_EQ(flush_device(w, 1), FSTS_ITE);
	EXPECT_EQ(flush_device(w, 2), FSTS_ITE);
	EXPECT_EQ(waited(w), 0);
	EXPECT_EQ(reg_read64(w->u, REG_IQERCD) >> 32 & 0xffff, w->ep->sid);
	EXPECT_EQ(flush_device(w, 3), 0);
	EXPECT_EQ(waited(w), 3);
	EXPECT_EQ(regs(w)->mute, 0);
	regs(w)->mute = VTDSIM_ALWAYS;
	EXPECT_EQ(flush_device(w, 4), FSTS_ITE);
	EXPECT_EQ(flush_device(w, 5), FSTS_ITE);
	EXPECT_EQ(waited(w), 3);
}

TEST(mute_keeps, "what was not invalidated stays cached")
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ, .flags = VTDSIM_F_PASID | VTDSIM_F_ATS,
		.pasid = 0x42, .len = 8,
	};
	struct nest n;

	world_init(w);
	nest_init(w, &n, 0x42, 5);
	d.addr = n.ia;
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	regs(w)->mute = 1;
	submit(w, d_pdevtlb(w->ep->sid, 0x42), ALL_PASID_PAGES);
	EXPECT_EQ(w->ep->devtlb.nr_entries, 1);
	EXPECT(reg_read32(w->u, REG_FSTS) & FSTS_ITE);
}

TEST(mute_config, "a device can be mute from the start")
{
	world_prepare(w);
	w->cfg.ep[0][0].mute = 1;
	world_start(w);
	EXPECT_EQ(flush_device(w, 1), FSTS_ITE);
	EXPECT_EQ(flush_device(w, 2), 0);
}

TEST(ats_off, "a device with ATS off answers no device-TLB invalidation")
{
	world_init(w);
	regs(w)->ctl &= ~VTDSIM_CTL_ATS;
	EXPECT_EQ(flush_device(w, 1), FSTS_ITE);
	EXPECT_EQ(waited(w), 0);
	/* The unit looks at the enable as it is, not as it was a round ago. */
	regs(w)->ctl |= VTDSIM_CTL_ATS;
	EXPECT_EQ(flush_device(w, 2), 0);
	EXPECT_EQ(waited(w), 2);
}

TEST(gone, "a device that was pulled out answers nothing and does nothing")
{
	struct vtdsim_desc d = { .op = VTDSIM_OP_NOP };
	struct vtdsim_desc *slot;

	world_init(w);
	regs(w)->gone = 1;
	world_poll(w);
	EXPECT_EQ(flush_device(w, 1), FSTS_ITE);
	slot = dma(w, &d);
	EXPECT_EQ(slot->status, VTDSIM_PENDING);
	regs(w)->gone = 0;
	world_poll(w);
	EXPECT_EQ(flush_device(w, 2), 0);
}

TEST(ice, "a completion error is reported, the queue goes on")
{
	world_init(w);
	regs(w)->ice_in = 2;
	EXPECT_EQ(flush_device(w, 1), 0);
	EXPECT_EQ(flush_device(w, 2), FSTS_ICE);
	EXPECT_EQ(reg_read64(w->u, REG_IQERCD) >> 48, w->ep->sid);
	EXPECT_EQ(waited(w), 2);
	EXPECT_EQ(flush_device(w, 3), 0);
	EXPECT_EQ(waited(w), 3);
}

TEST(iqe, "a queue error comes with the descriptor that was named")
{
	world_prepare(w);
	w->cfg.unit[0].iqe_in = 3;
	world_start(w);
	EXPECT_EQ(flush_device(w, 1), 0);
	EXPECT_EQ(flush_device(w, 2), FSTS_IQE);
	EXPECT_EQ(w->u->cnt.u_iqe, 1);
	/* Cleared, it goes on with the same descriptor. */
	world_poll(w);
	EXPECT_EQ(waited(w), 2);
}

TEST(refuses, "of a type that is refused, global invalidations are executed")
{
	world_init(w);
	regs(w)->refuses = 1 << INV_IOTLB;
	submit(w, d_iotlb(2, 7), 0);
	EXPECT_EQ(w->u->cnt.u_iqe, 1);
	EXPECT_EQ(w->u->cnt.u_desc[VTDSIM_D_IOTLB], 0);
	regs(w)->refuses = 0;
	reg_write32(w->u, REG_FSTS, FSTS_IQE);
	world_poll(w);
	EXPECT_EQ(w->u->cnt.u_desc[VTDSIM_D_IOTLB], 1);
	regs(w)->refuses = 1 << INV_IOTLB;
	submit(w, d_iotlb(1, 0), 0);
	EXPECT_EQ(w->u->cnt.u_iqe, 1);
	EXPECT_EQ(w->u->cnt.u_desc[VTDSIM_D_IOTLB], 2);
	regs(w)->refuses = 1 << INV_IEC;
	submit(w, INV_IEC, 0);
	EXPECT_EQ(w->u->cnt.u_iqe, 1);
	EXPECT_EQ(w->u->cnt.u_desc[VTDSIM_D_IEC], 1);
	submit(w, INV_IEC | 1 << 4, 0);
	EXPECT_EQ(w->u->cnt.u_iqe, 2);
}

TEST(names, "a time-out names the device that it is told to name")
{
	world_init(w);
	regs(w)->mute = 1;
	regs(w)->names = 1 + 0xffff;
	EXPECT_EQ(flush_device(w, 1), FSTS_ITE);
	EXPECT_EQ(bits(reg_read64(w->u, REG_IQERCD), 47, 32), 0xffff);
}

static u32 head_seen;

/* What software finds in the moment that it learns of the time-out. */
static void look_at_head(void *ctx, u64 addr, u32 data)
{
	struct world *w = ctx;

	(void)addr;
	(void)data;
	if (reg_read32(w->u, REG_FSTS) & FSTS_ITE)
		head_seen = reg_read64(w->u, REG_IQH);
}

TEST(time_out_head, "ITE is shown when the queue stands still, not before")
{
	const u64 d[12] = {
		d_devtlb(0x1ff), ALL_PAGES, 0, 0,
		d_wait(WAIT_SW, 1), 0x80000, 0, 0,
		d_iotlb(1, 0), 0,
	};

	world_init(w);
	w->sim.msi = look_at_head;
	head_seen = ~0;
	submit_many(w, d, 3);
	EXPECT_EQ(head_seen, w->iqt);
	EXPECT_EQ(peek(w, 0x80000), 0);
}

TEST(width_changed, "a head that does not fit the width is an error, not a way round")
{
	u64 at;

	world_init(w);
	reg_write64(w->u, REG_RTADDR, w->root | TTM_LEGACY << 10);
	reg_write32(w->u, REG_GCMD, GCMD_SRTP | GCMD_QIE);
	world_poll(w);
	reg_write64(w->u, REG_IQA, w->iq);
	poke(w, w->iq, d_wait(WAIT_SW, 1));
	poke(w, w->iq + 8, w->status);
	reg_write64(w->u, REG_IQT, 16);
	world_poll(w);
	EXPECT_EQ(reg_read64(w->u, REG_IQH), 16);
	reg_write64(w->u, REG_IQA, w->iq | IQA_DW);
	for (at = 16; at < 0x1000; at += 32) {
		poke(w, w->iq + at, d_devtlb(0x1ff));
		poke(w, w->iq + at + 8, ALL_PAGES);
	}
	reg_write64(w->u, REG_IQT, 64);
	world_poll(w);
	EXPECT(reg_read32(w->u, REG_FSTS) & FSTS_IQE);
	EXPECT_EQ(iqei(w), IQEI_TAIL_MISALIGNED);
}
