// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is not scalable mode with a queue: legacy mode, abort-DMA mode, units that
 * need their write buffer flushed, invalidation by registers.
 */
#include "../translate.h"
#include "harness.h"

#define DID	7
#define IOVA	0x12345000ULL
#define BEYOND	(1ULL << 50)
#define OUTSIDE	0x3f000000ULL	/* no RAM there */

struct legacy {
	u64 root, contexts, entry;
	u64 table, leaf, page;
};

static void set_root(struct world *w, u64 rtaddr, u32 other)
{
	reg_write64(w->u, REG_RTADDR, rtaddr);
	reg_write32(w->u, REG_GCMD, GCMD_SRTP | GCMD_TE | other);
	world_poll(w);
}

static u64 context_low(const struct legacy *l, u8 tt)
{
	return l->table | (u64)tt << 2 | CTX_P;
}

/* The first endpoint's entry, one page mapped, in a unit that runs already. */
static void legacy_mode(struct world *w, struct legacy *l, u8 tt)
{
	l->root = new_page(w);
	l->contexts = new_page(w);
	l->entry = l->contexts + w->ep->sid * 16;
	l->table = new_page(w);
	l->page = new_page(w);
	l->leaf = map_second(w, l->table, 4, IOVA, l->page, 1, SS_PAGE);
	poke(w, l->root, l->contexts | ROOT_P);
	poke(w, l->entry, context_low(l, tt));
	poke(w, l->entry + 8, DID << 8 | 2);
	set_root(w, l->root, w->u->cfg.qi ? GCMD_QIE : 0);
}

static void legacy_init(struct world *w, struct legacy *l, u8 tt)
{
	world_init(w);
	legacy_mode(w, l, tt);
}

static u8 ask(struct world *w, u64 addr, u8 at, bool write, u64 *hpa)
{
	const struct request rq = {
		.sid = w->ep->sid, .at = at, .addr = addr, .len = 8,
		.read = !write, .write = write,
	};
	struct translation t;
	u8 reason = do_request(w, &rq, &t);

	if (hpa)
		*hpa = reason || !(t.read || t.write) ? ~0ULL : t.hpa;
	return reason;
}

static u8 reads(struct world *w, u64 addr)
{
	return ask(w, addr, AT_UNTRANSLATED, false, NULL);
}

static u8 writes(struct world *w, u64 addr)
{
	return ask(w, addr, AT_UNTRANSLATED, true, NULL);
}

/* ---- legacy mode ----------------------------------------------------------- */

TEST(translate, "legacy: a context entry leads to second-stage tables")
{
	struct legacy l;
	u64 hpa;

	legacy_init(w, &l, LCTX_UNTRANSLATED);
	EXPECT_EQ(ask(w, IOVA + 0x123, AT_UNTRANSLATED, false, &hpa), 0);
	EXPECT_EQ(hpa, l.page + 0x123);
	EXPECT_EQ(writes(w, IOVA), 0);
	EXPECT_EQ(w->u->cnt.u_hits_context, 1);
	EXPECT(w->u->cnt.u_hits_iotlb > 0);
	EXPECT_EQ(w->u->cnt.u_hits_pasid, 0);
}

TEST(bus, "legacy: the bus is the root entry, device and function the context")
{
	struct request rq;
	struct translation t;
	struct legacy l;
	u64 contexts;

	legacy_init(w, &l, LCTX_UNTRANSLATED);
	contexts = new_page(w);
	poke(w, l.root + 0x21 * 16, contexts | ROOT_P);
	poke(w, contexts + 0xfe * 16, context_low(&l, LCTX_UNTRANSLATED));
	poke(w, contexts + 0xfe * 16 + 8, DID << 8 | 2);
	rq = (struct request){ .sid = 0x21fe, .addr = IOVA, .read = true, .len = 8 };
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	EXPECT_EQ(t.hpa, l.page);
	rq.sid = 0x21ff;
	EXPECT_EQ(do_request(w, &rq, &t), FR_LCT_2);
	rq.sid = 0x22fe;
	EXPECT_EQ(do_request(w, &rq, &t), FR_LRT_2);
}

TEST(tables, "legacy: what is wrong with root and context entries")
{
	struct legacy l;

	legacy_init(w, &l, LCTX_UNTRANSLATED);
	poke(w, l.root, l.contexts);
	EXPECT_EQ(reads(w, IOVA), FR_LRT_2);
	poke(w, l.root, l.contexts | ROOT_P | 2);
	EXPECT_EQ(reads(w, IOVA), FR_LRT_3);
	poke(w, l.root, l.contexts | ROOT_P);
	poke(w, l.root + 8, ROOT_P);
	EXPECT_EQ(reads(w, IOVA), FR_LRT_3);
	poke(w, l.root + 8, 0);
	poke(w, l.root, OUTSIDE | ROOT_P);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_1);
	poke(w, l.root, l.contexts | ROOT_P);
	poke(w, l.entry, 0);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_2);
	poke(w, l.entry, context_low(&l, LCTX_UNTRANSLATED) | BIT_ULL(4));
	EXPECT_EQ(reads(w, IOVA), FR_LCT_3);
	poke(w, l.entry, context_low(&l, 3));
	EXPECT_EQ(reads(w, IOVA), FR_LCT_4);
	poke(w, l.entry, OUTSIDE | CTX_P);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_4);
	set_root(w, OUTSIDE, GCMD_QIE);
	submit(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(reads(w, IOVA), FR_LRT_1);
}

TEST(context_high, "legacy: width, domain and reserved bits of a context entry")
{
	struct legacy l;

	legacy_init(w, &l, LCTX_UNTRANSLATED);
	poke(w, l.entry + 8, DID << 8 | 4);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_4);
	poke(w, l.entry + 8, DID << 8 | 2 | BIT_ULL(7));
	EXPECT_EQ(reads(w, IOVA), FR_LCT_3);
	poke(w, l.entry + 8, DID << 8 | 2 | BIT_ULL(24));
	EXPECT_EQ(reads(w, IOVA), FR_LCT_3);
	/* Software's own bits. */
	poke(w, l.entry + 8, DID << 8 | 2 | 0xf << 3);
	EXPECT_EQ(reads(w, IOVA), 0);
}

TEST(nd, "legacy: a domain ID beyond the number of domains is reserved")
{
	struct legacy l;

	world_prepare(w);
	w->cfg.unit[0].nd = 2;
	world_start(w);
	legacy_mode(w, &l, LCTX_UNTRANSLATED);
	poke(w, l.entry + 8, 0x100 << 8 | 2);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_3);
	poke(w, l.entry + 8, 0xff << 8 | 2);
	EXPECT_EQ(reads(w, IOVA), 0);
}

TEST(pages, "legacy: faults of pages have their own reasons")
{
	struct legacy l;

	legacy_init(w, &l, LCTX_UNTRANSLATED);
	EXPECT_EQ(reads(w, IOVA + 0x1000), FR_LGN_3);
	EXPECT_EQ(writes(w, IOVA + 0x1000), FR_LGN_2);
	EXPECT_EQ(reads(w, BEYOND), FR_LGN_1);
	EXPECT_EQ(reads(w, INTR_BASE), FR_LGN_4);
	poke(w, l.leaf, l.page | SS_R);
	EXPECT_EQ(writes(w, IOVA), FR_LGN_2);
	poke(w, l.leaf, l.page | SS_W);
	submit(w, d_iotlb(1, 0), 0);
	EXPECT_EQ(reads(w, IOVA), FR_LGN_3);
	poke(w, l.leaf, BIT_ULL(51) | SS_PAGE);
	submit(w, d_iotlb(1, 0), 0);
	EXPECT_EQ(reads(w, IOVA), FR_LSS_2);
	poke(w, l.table, OUTSIDE | SS_PAGE);
	submit(w, d_iotlb(1, 0), 0);
	EXPECT_EQ(reads(w, IOVA), FR_LSS_1);
}

TEST(tt, "legacy: a device TLB needs its translation type")
{
	struct legacy l;
	u64 hpa;

	legacy_init(w, &l, LCTX_UNTRANSLATED);
	EXPECT_EQ(ask(w, IOVA, AT_TRANSLATION, false, NULL), FR_LCT_5);
	EXPECT_EQ(ask(w, l.page, AT_TRANSLATED, false, NULL), FR_LCT_5);
	poke(w, l.entry, context_low(&l, LCTX_ALL));
	submit(w, d_context(3, w->ep->sid, 0) | DID << 16, 0);
	EXPECT_EQ(ask(w, IOVA, AT_TRANSLATION, false, &hpa), 0);
	EXPECT_EQ(hpa, l.page);
	EXPECT_EQ(ask(w, l.page, AT_TRANSLATED, false, NULL), 0);
	/* What is recoverable is granted nothing. */
	EXPECT_EQ(ask(w, IOVA + 0x1000, AT_TRANSLATION, false, &hpa), 0);
	EXPECT_EQ(hpa, ~0ULL);
	EXPECT_EQ(ask(w, BIT_ULL(49), AT_TRANSLATED, false, NULL), FR_LGN_1);
}

TEST(no_dt, "legacy: without device TLBs their translation type is invalid")
{
	struct legacy l;

	world_prepare(w);
	w->cfg.unit[0].dt = 0;
	world_start(w);
	legacy_mode(w, &l, LCTX_ALL);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_4);
}

TEST(pt, "legacy: pass-through for untranslated requests")
{
	struct legacy l;
	u64 hpa;

	legacy_init(w, &l, LCTX_PASSTHROUGH);
	EXPECT_EQ(ask(w, IOVA, AT_UNTRANSLATED, true, &hpa), 0);
	EXPECT_EQ(hpa, IOVA);
	EXPECT_EQ(ask(w, IOVA, AT_TRANSLATION, false, NULL), FR_LCT_5);
	EXPECT_EQ(reads(w, BEYOND), FR_LGN_1);
}

TEST(no_pt, "legacy: without pass-through its translation type is invalid")
{
	struct legacy l;

	world_prepare(w);
	w->cfg.unit[0].pt = 0;
	world_start(w);
	legacy_mode(w, &l, LCTX_PASSTHROUGH);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_4);
}

TEST(fpd, "legacy: FPD of a context entry keeps its faults quiet")
{
	struct legacy l;
	u64 faults;

	legacy_init(w, &l, LCTX_UNTRANSLATED);
	poke(w, l.entry, context_low(&l, LCTX_UNTRANSLATED) | CTX_FPD);
	faults = w->u->cnt.u_faults;
	EXPECT_EQ(reads(w, IOVA + 0x1000), FR_LGN_3);
	EXPECT_EQ(w->u->cnt.u_faults, faults);
	poke(w, l.root, 0);
	submit(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(reads(w, IOVA), FR_LRT_2);
	EXPECT_EQ(w->u->cnt.u_faults, faults + 1);
	EXPECT_EQ(w->u->cnt.u_faults_by_reason[FR_LRT_2], 1);
}

TEST(pasid, "legacy: neither PASIDs nor page requests")
{
	struct request rq = { .addr = IOVA, .read = true, .has_pasid = true };
	struct translation t;
	struct legacy l;

	legacy_init(w, &l, LCTX_ALL);
	rq.sid = w->ep->sid;
	EXPECT_EQ(do_request(w, &rq, &t), FR_RTA_2);
	rq.has_pasid = false;
	rq.page_request = true;
	translate_page_request(w->u, &rq, &t);
	EXPECT_EQ(t.reason, FR_RTA_3);
}

TEST(context_inv, "legacy: context entries leave by domain, and by device and domain")
{
	struct legacy l;

	legacy_init(w, &l, LCTX_UNTRANSLATED);
	EXPECT_EQ(reads(w, IOVA), 0);
	poke(w, l.entry, 0);
	submit(w, d_context(2, 0, 0) | (DID + 1) << 16, 0);
	EXPECT_EQ(reads(w, IOVA), 0);
	submit(w, d_context(3, w->ep->sid, 0) | (DID + 1) << 16, 0);
	EXPECT_EQ(reads(w, IOVA), 0);
	submit(w, d_context(3, w->ep->sid + 8, 0) | DID << 16, 0);
	EXPECT_EQ(reads(w, IOVA), 0);
	submit(w, d_context(3, w->ep->sid, 0) | DID << 16, 0);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_2);
	poke(w, l.entry, context_low(&l, LCTX_UNTRANSLATED));
	EXPECT_EQ(reads(w, IOVA), 0);
	poke(w, l.entry, 0);
	submit(w, d_context(2, 0, 0) | DID << 16, 0);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_2);
}

TEST(cm, "legacy: with caching mode a fault is cached in domain 0")
{
	struct legacy l;

	world_prepare(w);
	w->cfg.unit[0].cm = 1;
	world_start(w);
	legacy_mode(w, &l, LCTX_UNTRANSLATED);
	poke(w, l.entry, 0);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_2);
	poke(w, l.entry, context_low(&l, LCTX_UNTRANSLATED));
	submit(w, d_context(3, w->ep->sid, 0) | DID << 16, 0);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_2);
	submit(w, d_context(3, w->ep->sid, 0), 0);
	EXPECT_EQ(reads(w, IOVA), 0);
}

TEST(stale, "legacy: IOTLB before context cache leaves a stale translation")
{
	struct legacy l;
	u64 other;

	legacy_init(w, &l, LCTX_UNTRANSLATED);
	EXPECT_EQ(reads(w, IOVA), 0);
	other = new_page(w);
	map_second(w, other, 4, IOVA, new_page(w), 1, SS_PAGE);
	poke(w, l.entry, other | CTX_P);
	submit(w, d_iotlb(2, DID), 0);
	EXPECT_EQ(reads(w, IOVA), 0);
	submit(w, d_context(3, w->ep->sid, 0) | DID << 16, 0);
	submit(w, d_wait(WAIT_SW, 1), w->status);
	EXPECT_EQ(w->u->cnt.u_stale_hits, 0);
	EXPECT_EQ(reads(w, IOVA), 0);
	EXPECT_EQ(w->u->cnt.u_stale_hits, 1);
}

TEST(dma, "legacy: DMA of an endpoint, with its device TLB")
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ, .flags = VTDSIM_F_ATS, .addr = IOVA,
		.len = 8,
	};
	struct legacy l;

	legacy_init(w, &l, LCTX_ALL);
	poke(w, l.page, 0x1234);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(*(u64 *)local(w, 0), 0x1234);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_DONE);
	EXPECT_EQ(w->u->cnt.u_hits_devtlb, 1);
	poke(w, l.leaf, 0);
	submit(w, d_iotlb(2, DID), 0);
	submit(w, d_devtlb(w->ep->sid), ALL_PAGES);
	EXPECT_EQ(dma(w, &d)->status, VTDSIM_ATS_DENIED);
}

/* ---- the mode itself --------------------------------------------------------- */

TEST(smts, "scalable mode is invalid where it is not supported")
{
	world_prepare(w);
	w->cfg.unit[0].smts = 0;
	world_start(w);
	EXPECT_EQ(reads(w, IOVA), FR_RTA_1);
}

TEST(abort_dma, "abort-DMA mode blocks every request")
{
	struct request rq = { .addr = IOVA, .read = true, .page_request = true };
	struct translation t;

	world_init(w);
	set_root(w, w->root | TTM_ABORT << 10, GCMD_QIE);
	EXPECT_EQ(reads(w, IOVA), FR_RTA_4);
	EXPECT_EQ(ask(w, IOVA, AT_TRANSLATION, false, NULL), FR_RTA_4);
	EXPECT_EQ(ask(w, IOVA, AT_TRANSLATED, true, NULL), FR_RTA_4);
	EXPECT_EQ(read_at(w, 1, IOVA), FR_RTA_4);
	rq.sid = w->ep->sid;
	translate_page_request(w->u, &rq, &t);
	EXPECT_EQ(t.reason, FR_RTA_4);
	/* The queue is as in scalable mode. */
	submit(w, d_pasid_cache(3, 0, 0), 0);
	submit(w, d_wait(WAIT_SW, 5), w->status);
	EXPECT(queue_idle(w));
	EXPECT_EQ(peek(w, w->status) & ~0u, 5);
}

TEST(no_adms, "abort-DMA mode is invalid where it is not supported")
{
	world_prepare(w);
	w->cfg.unit[0].adms = 0;
	world_start(w);
	set_root(w, w->root | TTM_ABORT << 10, GCMD_QIE);
	EXPECT_EQ(reads(w, IOVA), FR_RTA_1);
}

/* ---- write buffers ------------------------------------------------------------- */

static void flush_write_buffer(struct world *w)
{
	reg_write32(w->u, REG_GCMD, GCMD_WBF | GCMD_QIE | GCMD_TE);
	world_poll(w);
}

static void rwbf_init(struct world *w, u32 rwbf)
{
	world_prepare(w);
	w->cfg.unit[0].rwbf = rwbf;
	world_start(w);
}

TEST(rwbf, "what a unit with write buffers has not seen is seen after a flush")
{
	u64 table, leaf, page;

	rwbf_init(w, 1);
	EXPECT(w->u->m.caps.cap & CAP_RWBF);
	table = new_page(w);
	page = new_page(w);
	leaf = map_second(w, table, 4, IOVA, page, 1, 0);
	EXPECT_EQ(read_at(w, 1, IOVA), FR_SPD_2);
	bind_second(w, 1, DID, table);
	EXPECT_EQ(read_at(w, 1, IOVA), FR_SPD_2);
	flush_write_buffer(w);
	EXPECT_EQ(reg_read32(w->u, REG_GSTS) & GCMD_WBF, 0);
	EXPECT_EQ(read_at(w, 1, IOVA), FR_SSS_2);
	poke(w, leaf, page | SS_PAGE);
	EXPECT_EQ(read_at(w, 1, IOVA), FR_SSS_2);
	flush_write_buffer(w);
	EXPECT_EQ(read_at(w, 1, IOVA), 0);
	/* What is cached and was not a fault stays. */
	poke(w, leaf, 0);
	flush_write_buffer(w);
	EXPECT_EQ(read_at(w, 1, IOVA), 0);
	EXPECT_EQ(w->u->cnt.u_stale_hits, 0);
}

TEST(rwbf_implicit, "every invalidation flushes the write buffer, whatever it is for")
{
	const u64 how[] = {
		d_context(3, 0x88, 0), d_pasid_cache(1, 99, 99),
		d_iotlb(2, 99), d_piotlb(2, 99, 99), INV_IEC,
	};
	u32 i;

	rwbf_init(w, 1);
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		EXPECT_EQ(read_at(w, 1 + i, IOVA), i ? FR_SPT_2 : FR_SPD_2);
		bind_second(w, 1 + i, DID, new_page(w));
		EXPECT_EQ(read_at(w, 1 + i, IOVA), i ? FR_SPT_2 : FR_SPD_2);
		submit(w, how[i], 0);
		EXPECT_EQ(read_at(w, 1 + i, IOVA), FR_SSS_2);
	}
}

TEST(no_rwbf, "a unit without write buffers sees at once")
{
	rwbf_init(w, 0);
	EXPECT_EQ(read_at(w, 1, IOVA), FR_SPD_2);
	bind_second(w, 1, DID, new_page(w));
	EXPECT_EQ(read_at(w, 1, IOVA), FR_SSS_2);
}

/* ---- invalidation by registers --------------------------------------------------- */

static void registers_init_world(struct world *w, struct legacy *l, u32 ver, u32 qi)
{
	world_prepare(w);
	w->cfg.unit[0].ver = ver;
	w->cfg.unit[0].qi = qi;
	world_start(w);
	legacy_mode(w, l, LCTX_UNTRANSLATED);
}

/* What was carried out, of a granularity that is asked for. */
static u32 context_command(struct world *w, u32 g, u16 did, u16 sid)
{
	reg_write64(w->u, REG_CCMD,
		    CCMD_ICC | (u64)g << 61 | (u64)sid << 16 | did);
	world_poll(w);
	EXPECT(!(reg_read64(w->u, REG_CCMD) & CCMD_ICC));
	return bits(reg_read64(w->u, REG_CCMD), 60, 59);
}

static u32 iotlb_command(struct world *w, u32 g, u16 did, u64 iva)
{
	reg_write64(w->u, REG_IVA, iva);
	reg_write64(w->u, REG_IOTLB, IOTLB_IVT | (u64)g << 60 | (u64)did << 32);
	world_poll(w);
	EXPECT(!(reg_read64(w->u, REG_IOTLB) & IOTLB_IVT));
	return bits(reg_read64(w->u, REG_IOTLB), 58, 57);
}

TEST(no_queue, "a unit without a queue does not enable one")
{
	struct legacy l;

	registers_init_world(w, &l, 1, 0);
	EXPECT(!(w->u->m.caps.ecap & ECAP_QI));
	EXPECT_EQ(reg_read32(w->u, REG_VER), 0x10);
	EXPECT_EQ(reg_read32(w->u, REG_GSTS) & GCMD_QIE, 0);
}

TEST(ccmd, "registers: the context cache by domain and by device")
{
	struct legacy l;

	registers_init_world(w, &l, 1, 0);
	EXPECT_EQ(reads(w, IOVA), 0);
	poke(w, l.entry, 0);
	EXPECT_EQ(context_command(w, 2, DID + 1, 0), 2);
	EXPECT_EQ(reads(w, IOVA), 0);
	EXPECT_EQ(context_command(w, 3, DID, w->ep->sid), 3);
	EXPECT_EQ(reads(w, IOVA), FR_LCT_2);
	EXPECT_EQ(context_command(w, 0, 0, 0), 0);
}

TEST(iotlb, "registers: the IOTLB by domain and by page")
{
	struct legacy l;

	registers_init_world(w, &l, 5, 0);
	EXPECT_EQ(reads(w, IOVA), 0);
	poke(w, l.leaf, 0);
	EXPECT_EQ(iotlb_command(w, 3, DID, IOVA + 0x1000), 3);
	EXPECT_EQ(reads(w, IOVA), 0);
	EXPECT_EQ(iotlb_command(w, 3, DID, IOVA), 3);
	EXPECT_EQ(reads(w, IOVA), FR_LGN_3);
	poke(w, l.leaf, l.page | SS_PAGE);
	EXPECT_EQ(reads(w, IOVA), 0);
	poke(w, l.leaf, 0);
	EXPECT_EQ(iotlb_command(w, 2, DID + 1, 0), 2);
	EXPECT_EQ(reads(w, IOVA), 0);
	EXPECT_EQ(iotlb_command(w, 1, 0, 0), 1);
	EXPECT_EQ(reads(w, IOVA), FR_LGN_3);
	/* Beyond MAMV nothing is done. */
	EXPECT_EQ(iotlb_command(w, 3, DID, 30), 0);
}

TEST(no_psi, "registers: without page-selective invalidation the domain goes")
{
	struct legacy l;

	world_prepare(w);
	w->cfg.unit[0].ver = 1;
	w->cfg.unit[0].qi = 0;
	w->cfg.unit[0].psi = 0;
	world_start(w);
	legacy_mode(w, &l, LCTX_UNTRANSLATED);
	EXPECT_EQ(reads(w, IOVA), 0);
	poke(w, l.leaf, 0);
	EXPECT_EQ(iotlb_command(w, 3, DID, 0), 2);
	EXPECT_EQ(reads(w, IOVA), FR_LGN_3);
}

TEST(too_new, "registers: nothing is invalidated from version 6 on, or beside a queue")
{
	struct legacy l;

	registers_init_world(w, &l, 6, 0);
	EXPECT_EQ(reads(w, IOVA), 0);
	poke(w, l.leaf, 0);
	EXPECT_EQ(iotlb_command(w, 1, 0, 0), 0);
	EXPECT_EQ(context_command(w, 1, 0, 0), 0);
	EXPECT_EQ(reads(w, IOVA), 0);
	world_end(w);
	registers_init_world(w, &l, 5, 1);
	EXPECT_EQ(iotlb_command(w, 1, 0, 0), 0);
	world_end(w);
	/* Nor in scalable mode. */
	world_prepare(w);
	w->cfg.unit[0].ver = 5;
	w->cfg.unit[0].qi = 0;
	world_start(w);
	EXPECT_EQ(iotlb_command(w, 1, 0, 0), 0);
}
