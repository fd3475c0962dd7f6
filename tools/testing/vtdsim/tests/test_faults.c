// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every fault reason: what causes it, and how faults are recorded, signalled
 * and kept quiet.
 */
#include <string.h>
#include "../faults.h"
#include "../translate.h"
#include "harness.h"

#define PASID	0x42
#define IA	0x7f1234567000ULL
#define OUTSIDE	0x30000000ULL	/* within the address width, no RAM there */
#define BEYOND	BIT_ULL(50)	/* beyond the host address width of 48 */

/* A first-stage mapping of IA, ready to be broken. */
struct first {
	u64 table;
	u64 page;
	u64 leaf;
};

static void first_init(struct world *w, struct first *f)
{
	world_init(w);
	f->table = new_page(w);
	f->page = new_page(w);
	f->leaf = map_first(w, f->table, 4, IA, f->page, 1, FS_PAGE);
	bind_first(w, PASID, 5, f->table);
}

static void second_init(struct world *w, struct first *f)
{
	world_init(w);
	f->table = new_page(w);
	f->page = new_page(w);
	f->leaf = map_second(w, f->table, 4, 0x5000, f->page, 1, SS_PAGE);
	bind_second(w, PASID, 5, f->table);
}

/* Change some bits of an entry in memory. */
static void flip(struct world *w, u64 at, u64 mask)
{
	poke(w, at, peek(w, at) ^ mask);
}

TEST(rta_1, "RTA.1: a translation table mode that is reserved")
{
	struct first f;

	first_init(w, &f);
	reg_write64(w->u, REG_RTADDR, w->root | 2 << 10);
	reg_write32(w->u, REG_GCMD, GCMD_SRTP | GCMD_QIE | GCMD_TE);
	world_poll(w);
	EXPECT_EQ(read_at(w, PASID, IA), FR_RTA_1);
}

TEST(rta_2, "RTA.2: a request with PASID in legacy mode")
{
	struct first f;

	first_init(w, &f);
	reg_write64(w->u, REG_RTADDR, w->root);
	reg_write32(w->u, REG_GCMD, GCMD_SRTP | GCMD_QIE | GCMD_TE);
	world_poll(w);
	EXPECT_EQ(read_at(w, PASID, IA), FR_RTA_2);
}

static u8 ask_page(struct world *w)
{
	struct request rq = req(w, PASID, IA);
	struct translation t;

	rq.page_request = true;
	translate_page_request(w->u, &rq, &t);
	return t.reason;
}

TEST(rta_3, "RTA.3: a page request in legacy mode")
{
	struct first f;

	first_init(w, &f);
	reg_write64(w->u, REG_RTADDR, w->root);
	reg_write32(w->u, REG_GCMD, GCMD_SRTP | GCMD_QIE | GCMD_TE);
	world_poll(w);
	EXPECT_EQ(ask_page(w), FR_RTA_3);
}

TEST(srt_1, "SRT.1: root table out of reach")
{
	struct first f;

	first_init(w, &f);
	reg_write64(w->u, REG_RTADDR, OUTSIDE | TTM_SCALABLE << 10);
	reg_write32(w->u, REG_GCMD, GCMD_SRTP | GCMD_QIE | GCMD_TE);
	world_poll(w);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SRT_1);
}

TEST(srt_2, "SRT.2: root entry not present")
{
	struct first f;

	first_init(w, &f);
	flip(w, w->root, ROOT_P);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SRT_2);
}

TEST(srt_3, "SRT.3: root entry, every reserved bit")
{
	struct first f;
	int b;

	first_init(w, &f);
	for (b = 1; b < 64; b++) {
		if (b >= 12 && b < 48)
			continue;
		flip(w, w->root, BIT_ULL(b));
		EXPECT_EQ(read_at(w, PASID, IA), FR_SRT_3);
		flip(w, w->root, BIT_ULL(b));
	}
	EXPECT_EQ(read_at(w, PASID, IA), 0);
}

TEST(sct_1, "SCT.1: context table out of reach")
{
	struct first f;

	first_init(w, &f);
	poke(w, w->root, OUTSIDE | ROOT_P);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SCT_1);
}

TEST(sct_2, "SCT.2: context entry not present")
{
	struct first f;

	first_init(w, &f);
	flip(w, w->ctx, CTX_P);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SCT_2);
}

static void each_reserved(struct world *w, u64 at, u64 mask, u8 reason)
{
	int b;

	for (b = 0; b < 64; b++) {
		if (!(mask & BIT_ULL(b)))
			continue;
		flip(w, at, BIT_ULL(b));
		EXPECT_EQ(read_at(w, PASID, IA), reason);
		flip(w, at, BIT_ULL(b));
	}
}

TEST(sct_3, "SCT.3: context entry, every reserved bit")
{
	struct first f;

	first_init(w, &f);
	each_reserved(w, w->ctx, GENMASK_ULL(8, 5) | GENMASK_ULL(63, 48),
		      FR_SCT_3);
	each_reserved(w, w->ctx + 8, GENMASK_ULL(63, 21), FR_SCT_3);
	each_reserved(w, w->ctx + 16, ~0ULL, FR_SCT_3);
	each_reserved(w, w->ctx + 24, ~0ULL, FR_SCT_3);
	EXPECT_EQ(read_at(w, PASID, IA), 0);
}

TEST(sct_3_cap, "SCT.3: what the unit does not have is reserved")
{
	world_prepare(w);
	w->cfg.unit[0].pasid = 0;
	w->cfg.unit[0].dt = 0;
	w->cfg.unit[0].prs = 0;
	world_start(w);
	poke(w, w->ctx, (peek(w, w->ctx) & ~(CTX_PRE | CTX_PASIDE | CTX_DTE)) |
	     CTX_PRE);
	EXPECT_EQ(read_at(w, PASID_NONE, IA), FR_SCT_3);
	flip(w, w->ctx, CTX_PRE | CTX_DTE);
	EXPECT_EQ(read_at(w, PASID_NONE, IA), FR_SCT_3);
	flip(w, w->ctx, CTX_DTE | CTX_PASIDE);
	EXPECT_EQ(read_at(w, PASID_NONE, IA), FR_SCT_3);
	flip(w, w->ctx, CTX_PASIDE);
	EXPECT_EQ(read_at(w, PASID_NONE, IA), FR_SPD_2);
}

TEST(sct_4, "SCT.4: page requests without device TLB")
{
	struct first f;

	first_init(w, &f);
	flip(w, w->ctx, CTX_DTE);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SCT_4);
}

TEST(sct_5, "SCT.5: translation and translated requests, DTE clear")
{
	struct translation t;
	struct request rq;
	struct first f;

	first_init(w, &f);
	flip(w, w->ctx, CTX_DTE | CTX_PRE);
	rq = req(w, PASID, IA);
	rq.at = AT_TRANSLATION;
	EXPECT_EQ(do_request(w, &rq, &t), FR_SCT_5);
	rq.at = AT_TRANSLATED;
	EXPECT_EQ(do_request(w, &rq, &t), FR_SCT_5);
	rq.at = AT_UNTRANSLATED;
	EXPECT_EQ(do_request(w, &rq, &t), 0);
}

TEST(sct_6, "SCT.6: request with PASID, PASIDE clear")
{
	struct first f;

	first_init(w, &f);
	flip(w, w->ctx, CTX_PASIDE);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SCT_6);
}

TEST(sct_7, "SCT.7: PASID beyond what PDTS covers")
{
	struct first f;

	first_init(w, &f);
	flip(w, w->ctx, 7 << 9);
	/* PDTS 0: 128 directory entries, 8192 PASIDs. */
	EXPECT_EQ(read_at(w, 0x2000, IA), FR_SCT_7);
	EXPECT_EQ(read_at(w, 0x1fff, IA), FR_SPD_2);
}

TEST(sct_7_cap, "SCT.7: PASID beyond what the unit supports")
{
	world_prepare(w);
	w->cfg.unit[0].pss = 14;
	world_start(w);
	EXPECT_EQ(read_at(w, 0x8000, IA), FR_SCT_7);
	EXPECT_EQ(read_at(w, 0x7fff, IA), FR_SPD_2);
}

TEST(sct_8, "SCT.8: page request, PRE clear")
{
	struct first f;

	first_init(w, &f);
	EXPECT_EQ(ask_page(w), 0);
	flip(w, w->ctx, CTX_PRE);
	submit(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(ask_page(w), FR_SCT_8);
}

TEST(sct_9, "SCT.9: RID_PASID beyond what PDTS covers")
{
	struct first f;

	first_init(w, &f);
	flip(w, w->ctx, 7 << 9);
	poke(w, w->ctx + 8, 0x2000);
	EXPECT_EQ(read_at(w, PASID_NONE, IA), FR_SCT_9);
}

TEST(spd_1, "SPD.1: PASID directory out of reach")
{
	struct first f;

	first_init(w, &f);
	poke(w, w->ctx, OUTSIDE | (peek(w, w->ctx) & 0xfff));
	EXPECT_EQ(read_at(w, PASID, IA), FR_SPD_1);
}

TEST(spd_2, "SPD.2: PASID directory entry not present")
{
	struct first f;

	first_init(w, &f);
	flip(w, w->dir + 8, PDE_P);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SPD_2);
}

TEST(spd_3, "SPD.3: PASID directory entry, every reserved bit")
{
	struct first f;

	first_init(w, &f);
	each_reserved(w, w->dir + 8, GENMASK_ULL(11, 2) | GENMASK_ULL(63, 48),
		      FR_SPD_3);
	EXPECT_EQ(read_at(w, PASID, IA), 0);
}

TEST(spt_1, "SPT.1: PASID table out of reach")
{
	struct first f;

	first_init(w, &f);
	poke(w, w->dir + 8, OUTSIDE | PDE_P);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SPT_1);
}

TEST(spt_2, "SPT.2: PASID-table entry not present")
{
	struct first f;

	first_init(w, &f);
	flip(w, pasid_entry(w, PASID), PE_P);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SPT_2);
}

TEST(spt_3, "SPT.3: PASID-table entry, every reserved bit")
{
	struct first f;
	u64 at;
	int i;

	first_init(w, &f);
	at = pasid_entry(w, PASID);
	each_reserved(w, at, GENMASK_ULL(11, 10), FR_SPT_3);
	each_reserved(w, at + 8, GENMASK_ULL(22, 16) | GENMASK_ULL(63, 25),
		      FR_SPT_3);
	each_reserved(w, at + 16, GENMASK_ULL(11, 8) | GENMASK_ULL(63, 48),
		      FR_SPT_3);
	for (i = 3; i < 8; i++)
		each_reserved(w, at + i * 8, ~0ULL, FR_SPT_3);
	EXPECT_EQ(read_at(w, PASID, IA), 0);
	submit(w, d_pasid_cache(3, 0, 0), 0);
	bind_second(w, PASID, 5, f.table);
	each_reserved(w, at, GENMASK_ULL(63, 48), FR_SPT_3);
}

struct cap_case {
	size_t offset;		/* of the capability in struct unit_config */
	int qword;
	u64 bit;
};

TEST(spt_3_cap, "SPT.3: fields of what the unit does not have are reserved")
{
	static const struct cap_case cases[] = {
		{ offsetof(struct unit_config, slads), 0, PE_SSADE },
		{ offsetof(struct unit_config, smpwc), 1, PE_PWSNP },
		{ offsetof(struct unit_config, sc), 1, PE_PGSNP },
		{ offsetof(struct unit_config, srs), 2, PE_SRE },
		{ offsetof(struct unit_config, ers), 2, PE_ERE },
		{ offsetof(struct unit_config, eafs), 2, PE_EAFE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 pe[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 5 };

		world_prepare(w);
		*(u32 *)((char *)&w->cfg.unit[0] + cases[i].offset) = 0;
		world_start(w);
		pe[cases[i].qword] |= cases[i].bit;
		set_pasid(w, PASID, pe);
		EXPECT_EQ(read_at(w, PASID, 0x1000), FR_SPT_3);
		clear_pasid(w, PASID);
		pe[cases[i].qword] &= ~cases[i].bit;
		set_pasid(w, PASID, pe);
		EXPECT_EQ(read_at(w, PASID, 0x1000), 0);
		world_end(w);
	}
	memset(w, 0, sizeof(*w));
}

TEST(spt_3_did, "SPT.3: a domain ID beyond what the unit supports")
{
	u64 pe[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 0x3ff };

	world_prepare(w);
	w->cfg.unit[0].nd = 3;
	world_start(w);
	set_pasid(w, PASID, pe);
	EXPECT_EQ(read_at(w, PASID, 0x1000), 0);
	pe[1] = 0x400;
	set_pasid(w, PASID + 1, pe);
	EXPECT_EQ(read_at(w, PASID + 1, 0x1000), FR_SPT_3);
}

static void expect_entry(struct world *w, u64 pe0, u64 pe2, u8 reason)
{
	u64 pe[8] = { pe0 | PE_P, 5, pe2 };

	set_pasid(w, PASID, pe);
	EXPECT_EQ(read_at(w, PASID, 0x1000), reason);
}

TEST(spt_4, "SPT.4: translation types, widths and modes that do not exist")
{
	u32 pgtt, aw;

	world_init(w);
	for (pgtt = 0; pgtt < 8; pgtt++) {
		if (pgtt >= PGTT_FIRST && pgtt <= PGTT_PASSTHROUGH)
			continue;
		expect_entry(w, pgtt << 6 | 2 << 2, 0, FR_SPT_4);
	}
	for (aw = 0; aw < 8; aw++) {
		if (aw >= 1 && aw <= 3)
			continue;
		expect_entry(w, PGTT_SECOND << 6 | aw << 2, 0, FR_SPT_4);
		expect_entry(w, PGTT_NESTED << 6 | aw << 2, 0, FR_SPT_4);
	}
	expect_entry(w, PGTT_FIRST << 6, 2 << 2, FR_SPT_4);
	expect_entry(w, PGTT_FIRST << 6, 3 << 2, FR_SPT_4);
}

struct type_case {
	size_t offset;
	u64 pe0;
	u64 pe2;
};

TEST(spt_4_cap, "SPT.4: translation types that the unit does not have")
{
	static const struct type_case cases[] = {
		{ offsetof(struct unit_config, flts), PGTT_FIRST << 6, 0 },
		{ offsetof(struct unit_config, slts),
		  PGTT_SECOND << 6 | 2 << 2, 0 },
		{ offsetof(struct unit_config, nest),
		  PGTT_NESTED << 6 | 2 << 2, 0 },
		{ offsetof(struct unit_config, pt), PGTT_PASSTHROUGH << 6, 0 },
		{ offsetof(struct unit_config, fl5lp), PGTT_FIRST << 6,
		  1 << 2 },
		{ offsetof(struct unit_config, sagaw),
		  PGTT_SECOND << 6 | 2 << 2, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		world_prepare(w);
		*(u32 *)((char *)&w->cfg.unit[0] + cases[i].offset) = 0;
		world_start(w);
		expect_entry(w, cases[i].pe0, cases[i].pe2, FR_SPT_4);
		world_end(w);
	}
	memset(w, 0, sizeof(*w));
}

TEST(spt_5, "SPT.5: execute requested, ERE clear")
{
	struct translation t;
	struct request rq;
	struct first f;

	first_init(w, &f);
	rq = req(w, PASID, IA);
	rq.exec = true;
	EXPECT_EQ(do_request(w, &rq, &t), FR_SPT_5);
}

TEST(spt_6, "SPT.6: privileged mode requested, SRE clear")
{
	struct translation t;
	struct request rq;
	struct first f;

	first_init(w, &f);
	rq = req(w, PASID, IA);
	rq.priv = true;
	EXPECT_EQ(do_request(w, &rq, &t), FR_SPT_6);
}

TEST(sfs_1, "SFS.1: first-stage table out of reach")
{
	struct first f;

	first_init(w, &f);
	poke(w, entry_at(w, f.table, 4, IA, 3, 0), OUTSIDE | FS_TABLE);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SFS_1);
}

TEST(sfs_2, "SFS.2: first-stage entry not present, at every level")
{
	struct first f;
	int l;

	first_init(w, &f);
	for (l = 1; l <= 4; l++) {
		flip(w, entry_at(w, f.table, 4, IA, l, 0), FS_P);
		EXPECT_EQ(read_at(w, PASID, IA), FR_SFS_2);
		flip(w, entry_at(w, f.table, 4, IA, l, 0), FS_P);
		submit(w, d_piotlb(2, 5, PASID), 0);
	}
	EXPECT_EQ(read_at(w, PASID, IA), 0);
}

TEST(sfs_3, "SFS.3: first-stage entry, reserved bits at every level")
{
	struct first f;
	int l;

	first_init(w, &f);
	for (l = 1; l <= 4; l++) {
		each_reserved(w, entry_at(w, f.table, 4, IA, l, 0),
			      GENMASK_ULL(51, 48) | (l == 4 ? FS_PS : 0),
			      FR_SFS_3);
		submit(w, d_piotlb(2, 5, PASID), 0);
	}
	map_first(w, f.table, 4, 0x40000000, 0, 2, FS_PAGE | BIT_ULL(13));
	EXPECT_EQ(read_at(w, PASID, 0x40000000), FR_SFS_3);
	map_first(w, f.table, 4, 0x80000000, 0, 3, FS_PAGE | BIT_ULL(29));
	EXPECT_EQ(read_at(w, PASID, 0x80000000), FR_SFS_3);
}

TEST(sfs_3_1g, "SFS.3: a 1 GiB page where the unit has none")
{
	u64 table;

	world_prepare(w);
	w->cfg.unit[0].fl1gp = 0;
	world_start(w);
	table = new_page(w);
	map_first(w, table, 4, 0x80000000, 0, 3, FS_PAGE);
	bind_first(w, PASID, 5, table);
	EXPECT_EQ(read_at(w, PASID, 0x80000000), FR_SFS_3);
}

TEST(sfs_4, "SFS.4: first-stage root table out of reach")
{
	world_init(w);
	bind_first(w, PASID, 5, OUTSIDE);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SFS_4);
}

TEST(sfs_5, "SFS.5: nested, a table beyond the second stage's width")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	flip(w, entry_at(w, n.first, 4, n.ia, 4, GUEST_OFFSET), BIT_ULL(49));
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SFS_5);
	bind_nested(w, PASID, 5, BIT_ULL(49), n.second);
	submit(w, d_pasid_cache(3, 0, 0), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SFS_5);
}

static u64 second_leaf_of(struct world *w, struct nest *n, u64 hpa)
{
	return entry_at(w, n->second, 4, page_of(hpa) + GUEST_OFFSET, 1, 0);
}

TEST(sfs_6, "SFS.6: nested, root table without second-stage read permission")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	flip(w, second_leaf_of(w, &n, n.first), SS_R);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SFS_6);
}

TEST(sfs_7, "SFS.7: nested, other table without second-stage read permission")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	flip(w, second_leaf_of(w, &n, n.leaf), SS_R);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SFS_7);
}

TEST(sfs_8, "SFS.8: nested, A/D update without second-stage write permission")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	flip(w, second_leaf_of(w, &n, n.leaf), SS_W);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SFS_8);
	EXPECT(!(peek(w, n.leaf) & FS_A));
}

TEST(sfs_8_unneeded, "no A/D update, no second-stage write permission needed")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	EXPECT_EQ(write_at(w, PASID, n.ia), 0);
	flip(w, second_leaf_of(w, &n, n.leaf), SS_W);
	submit(w, d_iotlb(1, 0), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), 0);
}

TEST(sfs_9, "SFS.9: A/D update needed, PWSNP clear")
{
	struct first f;

	first_init(w, &f);
	flip(w, pasid_entry(w, PASID) + 8, PE_PWSNP);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SFS_9);
	EXPECT(!(peek(w, entry_at(w, f.table, 4, IA, 4, 0)) & FS_A));
}

TEST(sss_1, "SSS.1: second-stage table out of reach")
{
	struct first f;

	second_init(w, &f);
	poke(w, entry_at(w, f.table, 4, 0x5000, 3, 0), OUTSIDE | SS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_1);
}

TEST(sss_2, "SSS.2: second-stage entry not present, at every level")
{
	struct first f;
	int l;

	second_init(w, &f);
	for (l = 1; l <= 4; l++) {
		flip(w, entry_at(w, f.table, 4, 0x5000, l, 0), SS_R | SS_W);
		EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_2);
		flip(w, entry_at(w, f.table, 4, 0x5000, l, 0), SS_R | SS_W);
		submit(w, d_iotlb(2, 5), 0);
	}
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
}

TEST(sss_2_nested, "SSS.2: nested, for a table and for the page")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	flip(w, n.leaf2, SS_R | SS_W);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SSS_2);
	flip(w, n.leaf2, SS_R | SS_W);
	flip(w, second_leaf_of(w, &n, n.leaf), SS_R | SS_W);
	submit(w, d_iotlb(2, 5), 0);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SSS_2);
}

TEST(sss_3, "SSS.3: second-stage entry, reserved bits at every level")
{
	struct first f;
	int l, b;

	second_init(w, &f);
	for (l = 1; l <= 4; l++) {
		u64 at = entry_at(w, f.table, 4, 0x5000, l, 0);

		for (b = l == 4 ? 47 : 48; b < 52; b++) {
			u64 bit = b == 47 ? SS_PS : BIT_ULL(b);

			flip(w, at, bit);
			EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_3);
			flip(w, at, bit);
		}
		submit(w, d_iotlb(2, 5), 0);
	}
	map_second(w, f.table, 4, 0x40000000, BIT_ULL(12), 2, SS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x40000000), FR_SSS_3);
	map_second(w, f.table, 4, 0x80000000, BIT_ULL(29), 3, SS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x80000000), FR_SSS_3);
}

TEST(sss_3_table, "SSS.3: bits that have a meaning in a page's entry only")
{
	struct first f;
	int l;

	second_init(w, &f);
	for (l = 4; l >= 1; l--) {
		u64 at = entry_at(w, f.table, 4, 0x5000, l, 0);
		u8 want = l == 1 ? FR_NONE : FR_SSS_3;

		flip(w, at, SS_SNP);
		EXPECT_EQ(read_at(w, PASID, 0x5000), want);
		flip(w, at, SS_SNP | SS_TM);
		submit(w, d_iotlb(2, 5), 0);
		EXPECT_EQ(read_at(w, PASID, 0x5000), want);
		flip(w, at, SS_TM);
		submit(w, d_iotlb(2, 5), 0);
	}
}

TEST(sss_3_dt, "SSS.3: transient mapping, on a unit without device TLBs")
{
	u64 table;

	world_prepare(w);
	w->cfg.unit[0].dt = 0;
	world_start(w);
	poke(w, w->ctx, peek(w, w->ctx) & ~(CTX_DTE | CTX_PRE));
	table = new_page(w);
	bind_second(w, PASID, 5, table);
	map_second(w, table, 4, 0x5000, 0x5000, 1, SS_PAGE);
	map_second(w, table, 4, 0x6000, 0x6000, 1, SS_PAGE | SS_TM);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	EXPECT_EQ(read_at(w, PASID, 0x6000), FR_SSS_3);
}

TEST(sss_3_cap, "SSS.3: page sizes and snooping that the unit does not have")
{
	u64 table;

	world_prepare(w);
	w->cfg.unit[0].sslps = 1;
	w->cfg.unit[0].sc = 0;
	world_start(w);
	table = new_page(w);
	bind_second(w, PASID, 5, table);
	map_second(w, table, 4, 0x40000000, 0, 2, SS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x40000000), 0);
	map_second(w, table, 4, 0x80000000, 0, 3, SS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x80000000), FR_SSS_3);
	map_second(w, table, 4, 0x5000, 0x5000, 1, SS_PAGE | SS_SNP);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_3);
}

TEST(sss_4, "SSS.4: second-stage root table out of reach")
{
	struct nest n;

	world_init(w);
	bind_second(w, PASID, 5, OUTSIDE);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_4);
	nest_init(w, &n, PASID + 1, 6);
	bind_nested(w, PASID + 1, 6, n.first + GUEST_OFFSET, OUTSIDE);
	EXPECT_EQ(read_at(w, PASID + 1, n.ia), FR_SSS_4);
}

TEST(sss_5, "SSS.5: second-stage A/D update needed, PWSNP clear")
{
	struct first f;

	second_init(w, &f);
	flip(w, pasid_entry(w, PASID) + 8, PE_PWSNP);
	EXPECT_EQ(read_at(w, PASID, 0x5000), 0);
	flip(w, pasid_entry(w, PASID), PE_SSADE);
	submit(w, d_pasid_cache(3, 0, 0), 0);
	submit(w, d_iotlb(1, 0), 0);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SSS_5);
}

TEST(sgn_1, "SGN.1: address not canonical, for 4 and 5 levels")
{
	u64 pe[8] = { PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP };
	struct first f;

	first_init(w, &f);
	EXPECT_EQ(read_at(w, PASID, 0x800000000000ULL), FR_SGN_1);
	EXPECT_EQ(read_at(w, PASID, IA | BIT_ULL(63)), FR_SGN_1);
	EXPECT_EQ(read_at(w, PASID, 0xffff7fffffffffffULL), FR_SGN_1);
	pe[2] = new_page(w) | 1 << 2;
	set_pasid(w, PASID + 1, pe);
	EXPECT_EQ(read_at(w, PASID + 1, 0x800000000000ULL), FR_SFS_2);
	EXPECT_EQ(read_at(w, PASID + 1, 0x100000000000000ULL), FR_SGN_1);
}

TEST(sgn_2, "SGN.2: a user's request, a supervisor's entry at any level")
{
	struct first f;
	int l;

	first_init(w, &f);
	for (l = 1; l <= 4; l++) {
		flip(w, entry_at(w, f.table, 4, IA, l, 0), FS_US);
		EXPECT_EQ(read_at(w, PASID, IA), FR_SGN_2);
		flip(w, entry_at(w, f.table, 4, IA, l, 0), FS_US);
		submit(w, d_piotlb(2, 5, PASID), 0);
	}
}

static struct request execute(struct world *w, bool priv, u64 addr)
{
	struct request rq = req(w, PASID, addr);

	rq.exec = true;
	rq.priv = priv;
	return rq;
}

TEST(sgn_3, "SGN.3: no execute permission: XD, SMEP, second stage")
{
	u64 pe[8] = {
		PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP,
		PE_ERE | PE_NXE | PE_SRE | PE_SMEP,
	};
	struct translation t;
	struct request rq;
	u64 table;

	world_init(w);
	table = new_page(w);
	pe[2] |= table;
	set_pasid(w, PASID, pe);
	map_first(w, table, 4, IA, new_page(w), 1, FS_PAGE | FS_XD);
	map_first(w, table, 4, IA + 0x1000, new_page(w), 1, FS_PAGE);
	rq = execute(w, false, IA);
	EXPECT_EQ(do_request(w, &rq, &t), FR_SGN_3);
	rq = execute(w, false, IA + 0x1000);
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	rq = execute(w, true, IA + 0x1000);
	EXPECT_EQ(do_request(w, &rq, &t), FR_SGN_3);
}

TEST(sgn_3_second, "SGN.3: SSEE, second-stage page without X")
{
	u64 pe[8] = {
		PGTT_SECOND << 6 | 2 << 2 | PE_SSEE | PE_P, 5 | PE_PWSNP,
		PE_ERE,
	};
	struct translation t;
	struct request rq;
	u64 table, leaf;
	int l;

	world_init(w);
	table = new_page(w);
	pe[0] |= table;
	set_pasid(w, PASID, pe);
	leaf = map_second(w, table, 4, 0x5000, new_page(w), 1, SS_PAGE);
	for (l = 2; l <= 4; l++)
		flip(w, entry_at(w, table, 4, 0x5000, l, 0), SS_X);
	rq = execute(w, false, 0x5000);
	EXPECT_EQ(do_request(w, &rq, &t), FR_SGN_3);
	flip(w, leaf, SS_X);
	submit(w, d_iotlb(2, 5), 0);
	EXPECT_EQ(do_request(w, &rq, &t), 0);
}

TEST(sgn_4, "SGN.4: address beyond the host address width")
{
	u64 pe[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 1 };
	struct translation t;
	struct request rq;

	world_init(w);
	set_pasid(w, PASID, pe);
	EXPECT_EQ(read_at(w, PASID, BEYOND), FR_SGN_4);
	rq = req(w, PASID, BEYOND);
	rq.at = AT_TRANSLATED;
	EXPECT_EQ(do_request(w, &rq, &t), FR_SGN_4);
}

TEST(sgn_5, "SGN.5: address beyond the second stage's width")
{
	u64 pe[8] = { PGTT_SECOND << 6 | 1 << 2 | PE_P, 5 | PE_PWSNP };
	struct first f;
	struct nest n;

	second_init(w, &f);
	EXPECT_EQ(read_at(w, PASID, BIT_ULL(48)), FR_SGN_5);
	pe[0] |= f.table;
	set_pasid(w, PASID + 1, pe);
	EXPECT_EQ(read_at(w, PASID + 1, BIT_ULL(39)), FR_SGN_5);
	EXPECT_EQ(read_at(w, PASID + 1, BIT_ULL(39) - 1), FR_SSS_2);
	nest_init(w, &n, PASID + 2, 6);
	flip(w, n.leaf, BIT_ULL(49));
	EXPECT_EQ(read_at(w, PASID + 2, n.ia), FR_SGN_5);
}

TEST(sgn_5_cap, "SGN.5: address beyond what the unit supports")
{
	u64 table;

	world_prepare(w);
	w->cfg.unit[0].mgaw = 39;
	world_start(w);
	table = new_page(w);
	map_second(w, table, 4, 0x8000000000, new_page(w), 1, SS_PAGE);
	map_second(w, table, 4, 0x7ffffff000, new_page(w), 1, SS_PAGE);
	bind_second(w, PASID, 5, table);
	EXPECT_EQ(read_at(w, PASID, 0x7ffffff000), 0);
	EXPECT_EQ(read_at(w, PASID, 0x8000000000), FR_SGN_5);
}

TEST(sgn_6, "SGN.6: no write permission in either stage, at any level")
{
	struct first f;
	struct nest n;
	int l;

	first_init(w, &f);
	for (l = 1; l <= 4; l++) {
		flip(w, entry_at(w, f.table, 4, IA, l, 0), FS_RW);
		EXPECT_EQ(write_at(w, PASID, IA), FR_SGN_6);
		EXPECT_EQ(read_at(w, PASID, IA), 0);
		flip(w, entry_at(w, f.table, 4, IA, l, 0), FS_RW);
		submit(w, d_piotlb(2, 5, PASID), 0);
	}
	nest_init(w, &n, PASID + 1, 6);
	flip(w, n.leaf2, SS_W);
	EXPECT_EQ(write_at(w, PASID + 1, n.ia), FR_SGN_6);
	EXPECT_EQ(read_at(w, PASID + 1, n.ia), 0);
}

TEST(sgn_6_second, "SGN.6: second stage alone")
{
	struct first f;

	second_init(w, &f);
	flip(w, f.leaf, SS_W);
	EXPECT_EQ(write_at(w, PASID, 0x5000), FR_SGN_6);
}

TEST(sgn_6_wpe, "SGN.6: WPE, a supervisor's write to a read-only page")
{
	u64 pe[8] = {
		PGTT_FIRST << 6 | PE_P, 5 | PE_PWSNP, PE_SRE | PE_WPE,
	};
	struct translation t;
	struct request rq;
	u64 table;

	world_init(w);
	table = new_page(w);
	pe[2] |= table;
	set_pasid(w, PASID, pe);
	map_first(w, table, 4, IA, new_page(w), 1, FS_P | FS_US);
	rq = req(w, PASID, IA);
	rq.priv = true;
	rq.read = false;
	rq.write = true;
	EXPECT_EQ(do_request(w, &rq, &t), FR_SGN_6);
}

TEST(sgn_7, "SGN.7: no read permission in the second stage")
{
	struct first f;

	second_init(w, &f);
	flip(w, f.leaf, SS_R);
	EXPECT_EQ(read_at(w, PASID, 0x5000), FR_SGN_7);
	EXPECT_EQ(write_at(w, PASID, 0x5000), 0);
}

TEST(sgn_8, "SGN.8: the interrupt address range, as input and as output")
{
	struct translation t;
	struct request rq;
	struct first f;
	u64 pe[8] = { PGTT_PASSTHROUGH << 6 | PE_P, 1 };

	first_init(w, &f);
	EXPECT_EQ(read_at(w, PASID_NONE, INTR_BASE), FR_SGN_8);
	map_first(w, f.table, 4, 0x9000, INTR_BASE, 1, FS_PAGE);
	EXPECT_EQ(read_at(w, PASID, 0x9000), FR_SGN_8);
	/* With a PASID the range is memory like any other. */
	map_first(w, f.table, 4, INTR_BASE, f.page, 1, FS_PAGE);
	EXPECT_EQ(read_at(w, PASID, INTR_BASE), 0);
	rq = req(w, PASID, INTR_BASE);
	rq.at = AT_TRANSLATED;
	EXPECT_EQ(do_request(w, &rq, &t), FR_SGN_8);
	set_pasid(w, PASID + 1, pe);
	EXPECT_EQ(read_at(w, PASID + 1, INTR_END - 1), FR_SGN_8);
	EXPECT_EQ(read_at(w, PASID + 1, INTR_END), 0);
}

TEST(sgn_8_nested, "SGN.8: nested, what the first stage gives counts too")
{
	struct nest n;

	world_init(w);
	nest_init(w, &n, PASID, 5);
	map_second(w, n.second, 4, INTR_BASE, n.page, 1, SS_PAGE);
	poke(w, n.leaf, INTR_BASE | FS_PAGE);
	EXPECT_EQ(read_at(w, PASID, n.ia), FR_SGN_8);
}

TEST(ats_quiet, "a translation request is denied without a report")
{
	struct translation t;
	struct request rq;
	struct first f;

	first_init(w, &f);
	poke(w, f.leaf, 0);
	rq = req(w, PASID, IA);
	rq.at = AT_TRANSLATION;
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	EXPECT(!t.read && !t.write);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
	poke(w, f.leaf, f.page | FS_P | FS_US);
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	EXPECT(t.read && !t.write);
	rq.write = true;
	EXPECT_EQ(do_request(w, &rq, &t), 0);
	EXPECT(t.read && !t.write);
	/* What is broken, not merely absent, is reported. */
	submit(w, d_piotlb(2, 5, PASID), 0);
	poke(w, f.leaf, f.page | BIT_ULL(50) | FS_PAGE);
	EXPECT_EQ(do_request(w, &rq, &t), FR_SFS_3);
	EXPECT_EQ(w->u->cnt.u_faults, 1);
}

static u32 record_word(struct world *w, u32 index, u32 word)
{
	return reg_read32(w->u, REG_FRCD + index * 16 + word * 4);
}

TEST(record, "a fault is recorded: address, source, PASID, reason, type")
{
	struct first f;

	first_init(w, &f);
	EXPECT_EQ(read_at(w, PASID, 0x123456789abcULL & ~BIT_ULL(47)),
		  FR_SFS_2);
	EXPECT_EQ(reg_read64(w->u, REG_FRCD), 0x123456789000ULL);
	EXPECT_EQ(record_word(w, 0, 2), FRCD_W2_PP | w->ep->sid);
	EXPECT_EQ(record_word(w, 0, 3), FRCD_W3_F | FRCD_W3_T1 |
		  FRCD_W3_PV(PASID) | FR_SFS_2);
	EXPECT_EQ(write_at(w, PASID_NONE, INTR_BASE), FR_SGN_8);
	EXPECT_EQ(record_word(w, 1, 2), w->ep->sid);
	EXPECT_EQ(record_word(w, 1, 3), FRCD_W3_F | FR_SGN_8);
	EXPECT_EQ(w->u->cnt.u_faults_by_reason[FR_SFS_2], 1);
}

TEST(record_types, "type bits tell reads, writes, atomics and page requests")
{
	struct translation t;
	struct request rq;

	world_init(w);
	rq = req(w, PASID, IA);
	rq.write = true;
	rq.priv = true;
	rq.exec = true;
	EXPECT_EQ(do_request(w, &rq, &t), FR_SPD_2);
	EXPECT_EQ(record_word(w, 0, 3) & FRCD_W3_T1, FRCD_W3_T1);
	EXPECT_EQ(record_word(w, 0, 2), FRCD_W2_PP | FRCD_W2_PRIV |
		  FRCD_W2_EXE | FRCD_W2_T2 | w->ep->sid);
	rq.exec = false;
	rq.at = AT_TRANSLATION;
	rq.write = false;
	rq.priv = false;
	EXPECT_EQ(do_request(w, &rq, &t), FR_SPD_2);
	EXPECT_EQ(record_word(w, 1, 3) & FRCD_W3_AT(3),
		  FRCD_W3_AT(AT_TRANSLATION));
	flip(w, w->ctx, CTX_PRE);
	submit(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(ask_page(w), FR_SCT_8);
	EXPECT_EQ(record_word(w, 2, 3) & FRCD_W3_T1, 0);
	EXPECT_EQ(record_word(w, 2, 2) & FRCD_W2_T2, FRCD_W2_T2);
}

TEST(signalled, "the first pending fault sends the programmed message")
{
	world_init(w);
	read_at(w, PASID, IA);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(w->msi_addr[0], 0xfee00000);
	EXPECT_EQ(w->msi_data[0], 0x4021);
	EXPECT_EQ(reg_read32(w->u, REG_FSTS) & 0xffff, FSTS_PPF);
	/* A second one joins the pending one. */
	read_at(w, PASID, IA);
	EXPECT_EQ(w->nr_msis, 1);
}

static void clear_record(struct world *w, u32 index)
{
	reg_write32(w->u, REG_FRCD + index * 16 + 12, FRCD_W3_F);
	world_poll(w);
}

TEST(cleared, "writing F clears a record; PPF is the OR of all F")
{
	world_init(w);
	read_at(w, PASID, IA);
	read_at(w, PASID, IA);
	clear_record(w, 0);
	EXPECT(!(record_word(w, 0, 3) & FRCD_W3_F));
	EXPECT(reg_read32(w->u, REG_FSTS) & FSTS_PPF);
	clear_record(w, 1);
	EXPECT_EQ(reg_read32(w->u, REG_FSTS), 0);
	read_at(w, PASID, IA);
	EXPECT_EQ(w->nr_msis, 2);
	/* FRI: records are filled in turn. */
	EXPECT_EQ(reg_read32(w->u, REG_FSTS) & 0xffff,
		  FSTS_PPF | FSTS_FRI(2));
}

TEST(cleared_behind, "a fault behind software's last clear has its message")
{
	world_init(w);
	read_at(w, PASID, IA);
	/* Nobody has looked at the registers since this was written. */
	reg_write32(w->u, REG_FRCD + 12, FRCD_W3_F);
	read_at(w, PASID, IA);
	EXPECT_EQ(w->nr_msis, 2);
	EXPECT_EQ(reg_read32(w->u, REG_FSTS) & 0xffff,
		  FSTS_PPF | FSTS_FRI(1));
}

TEST(left_over, "a record that software missed has its message, in the end")
{
	u32 i;

	world_init(w);
	read_at(w, PASID, IA);
	read_at(w, PASID, IA);
	for (i = 0; i < 2000; i++)
		world_poll(w);
	/* Software has not come yet: nothing to make up for. */
	EXPECT_EQ(w->nr_msis, 1);
	clear_record(w, 0);
	EXPECT_EQ(w->nr_msis, 1);
	for (i = 0; i < 2000; i++)
		world_poll(w);
	EXPECT_EQ(w->nr_msis, 2);
	EXPECT_EQ(reg_read32(w->u, REG_FSTS) & 0xffff,
		  FSTS_PPF | FSTS_FRI(1));
}

TEST(overflow, "no record free: PFO, and nothing more until it is cleared")
{
	u32 i, nr;

	world_init(w);
	nr = w->u->cfg.nfr;
	for (i = 0; i < nr + 1; i++)
		read_at(w, PASID, IA);
	EXPECT(reg_read32(w->u, REG_FSTS) & FSTS_PFO);
	for (i = 0; i < nr; i++)
		clear_record(w, i);
	EXPECT_EQ(reg_read32(w->u, REG_FSTS) & 0xff, FSTS_PFO);
	read_at(w, PASID, IA);
	EXPECT(!(record_word(w, 0, 3) & FRCD_W3_F));
	reg_write32(w->u, REG_FSTS, FSTS_PFO);
	world_poll(w);
	EXPECT_EQ(reg_read32(w->u, REG_FSTS), 0);
	read_at(w, PASID, IA);
	EXPECT(record_word(w, 0, 3) & FRCD_W3_F);
	EXPECT_EQ(w->u->cnt.u_faults, nr + 3);
}

TEST(masked, "IM holds the message back, IP says so")
{
	world_init(w);
	reg_write32(w->u, REG_FECTL, ECTL_IM);
	world_poll(w);
	read_at(w, PASID, IA);
	world_poll(w);
	EXPECT_EQ(w->nr_msis, 0);
	EXPECT_EQ(reg_read32(w->u, REG_FECTL), ECTL_IM | ECTL_IP);
	reg_write32(w->u, REG_FECTL, 0);
	world_poll(w);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(reg_read32(w->u, REG_FECTL), 0);
}

TEST(masked_serviced, "faults cleared while masked: IP goes, no message comes")
{
	world_init(w);
	reg_write32(w->u, REG_FECTL, ECTL_IM);
	world_poll(w);
	read_at(w, PASID, IA);
	clear_record(w, 0);
	EXPECT_EQ(reg_read32(w->u, REG_FECTL), ECTL_IM);
	reg_write32(w->u, REG_FECTL, 0);
	world_poll(w);
	EXPECT_EQ(w->nr_msis, 0);
}

TEST(fpd_context, "FPD in the context entry silences what follows it")
{
	world_init(w);
	flip(w, w->ctx, CTX_FPD);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SPD_2);
	/* From the context cache too. */
	EXPECT_EQ(read_at(w, PASID, IA), FR_SPD_2);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
	EXPECT_EQ(w->nr_msis, 0);
	/* Not what comes before it. */
	flip(w, w->root, ROOT_P);
	submit(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SRT_2);
	EXPECT_EQ(w->u->cnt.u_faults, 1);
	/* Nor that the directory is out of reach. */
	flip(w, w->root, ROOT_P);
	poke(w, w->ctx, OUTSIDE | (peek(w, w->ctx) & 0xfff));
	EXPECT_EQ(read_at(w, PASID, IA), FR_SPD_1);
	EXPECT_EQ(w->u->cnt.u_faults, 2);
}

TEST(fpd_directory, "FPD in the PASID directory entry")
{
	world_init(w);
	poke(w, w->dir + 8, PDE_FPD);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SPD_2);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
}

TEST(fpd_entry, "FPD in the PASID-table entry, present or not")
{
	struct first f;

	first_init(w, &f);
	poke(w, pasid_entry(w, PASID + 1), PE_FPD);
	EXPECT_EQ(read_at(w, PASID + 1, IA), FR_SPT_2);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
	flip(w, pasid_entry(w, PASID), PE_FPD);
	poke(w, f.leaf, 0);
	EXPECT_EQ(read_at(w, PASID, IA), FR_SFS_2);
	/* From the PASID cache too. */
	EXPECT_EQ(read_at(w, PASID, IA), FR_SFS_2);
	EXPECT_EQ(w->u->cnt.u_faults, 0);
}

TEST(names, "every reason has its name")
{
	(void)w;
	EXPECT(!strncmp(fault_text(FR_SPT_2), "SPT.2", 5));
	EXPECT(!strcmp(fault_text(0xff), "unknown"));
}
