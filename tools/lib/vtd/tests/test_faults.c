// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Wrong entries and the host's faults: the reason that the guest is given, the
 * records and their overflow.
 */
#include "world.h"

static void boot(struct world *w)
{
	world_start(w);
	guest_boot(w);
}

static void expect_fault(struct world *w, u8 reason, u32 pasid)
{
	EXPECT_EQ(nr_faults(w), 1);
	EXPECT_EQ(last_reason(w), reason);
	EXPECT_EQ(last_pasid(w), pasid);
	EXPECT_EQ(w->host.len, 0);
	clear_faults(w);
	EXPECT_EQ(reg32(w, REG_FSTS), 0);
}

/* PASID 5, which is wrong by what @set adds to a sound entry. */
static void wrong_entry(struct world *w, int qword, u64 set, u8 reason)
{
	struct pe pe = pe_first(2, 0x5000);

	pe.q[qword] |= set;
	set_pasid(w, 0, 5, pe);
	pasid_changed(w, 2, 5);
	expect_fault(w, reason, 5);
	clear_pasid(w, 0, 5);
	pasid_changed(w, 2, 5);
}

TEST(reserved, "reserved fields of a PASID-table entry")
{
	boot(w);
	wrong_entry(w, 0, BIT_ULL(10), FR_SPT_3);
	wrong_entry(w, 0, PE_SSADE, FR_SPT_3);
	wrong_entry(w, 1, BIT_ULL(16), FR_SPT_3);
	wrong_entry(w, 1, BIT_ULL(63), FR_SPT_3);
	wrong_entry(w, 1, PE_PGSNP, FR_SPT_3);
	wrong_entry(w, 2, PE_ERE, FR_SPT_3);
	wrong_entry(w, 2, PE_SRE, FR_SPT_3);
	wrong_entry(w, 2, PE_EAFE, FR_SPT_3);
	wrong_entry(w, 2, BIT_ULL(8), FR_SPT_3);
	wrong_entry(w, 2, BIT_ULL(48), FR_SPT_3);
	wrong_entry(w, 3, 1, FR_SPT_3);
	wrong_entry(w, 7, 1, FR_SPT_3);
}

TEST(programming, "an entry that asks for what the unit cannot do")
{
	boot(w);
	wrong_entry(w, 0, 2 << 6, FR_SPT_4);	/* nested */
	wrong_entry(w, 0, 4 << 6, FR_SPT_4);	/* no such type */
	wrong_entry(w, 2, 1 << 2, FR_SPT_4);	/* five levels */
	wrong_entry(w, 2, 2 << 2, FR_SPT_4);
}

TEST(no_pass, "pass-through where the guest was not shown it")
{
	w->cfg.pass_through = false;
	boot(w);
	set_pasid(w, 0, 5, pe_pass(2));
	pasid_changed(w, 2, 5);
	expect_fault(w, FR_SPT_4, 5);
}

TEST(second, "second stage where the guest was not shown it")
{
	boot(w);
	set_pasid(w, 0, 5, (struct pe){ .q = { PE_P | 2 << 6 | 2 << 2, 2 } });
	pasid_changed(w, 2, 5);
	expect_fault(w, FR_SPT_4, 5);
}

TEST(wrong_replaces, "an entry that becomes wrong is unbound")
{
	struct pe pe = pe_first(2, 0x5000);

	boot(w);
	set_pasid(w, 0, 5, pe);
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000\n");
	pe.q[3] = 1;
	set_pasid(w, 0, 5, pe);
	pasid_changed(w, 2, 5);
	CALLS(w, "unbind a 5\n");
	EXPECT_EQ(last_reason(w), FR_SPT_3);
}

TEST(once, "a wrong entry is told of once, and again if it is wrong otherwise")
{
	struct pe pe = pe_first(2, 0x5000);

	boot(w);
	pe.q[3] = 1;
	set_pasid(w, 0, 5, pe);
	all_changed(w);
	all_changed(w);
	EXPECT_EQ(nr_faults(w), 1);
	pe.q[3] = 0;
	pe.q[0] |= 4 << 6;
	set_pasid(w, 0, 5, pe);
	all_changed(w);
	EXPECT_EQ(nr_faults(w), 2);
	EXPECT_EQ(last_reason(w), FR_SPT_4);
}

TEST(fpd, "Fault Processing Disable of entry, directory and context is heeded")
{
	struct pe pe = pe_first(2, 0x5000);

	boot(w);
	pe.q[0] |= PE_FPD;
	pe.q[3] = 1;
	set_pasid(w, 0, 5, pe);
	all_changed(w);
	poke(w, w->d[0].dir + 16, RAM_SIZE | PDE_P | PDE_FPD);
	all_changed(w);
	poke(w, w->d[0].ctx, peek(w, w->d[0].ctx) | CTX_FPD | BIT_ULL(5));
	submit_one(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(nr_faults(w), 0);
}

TEST(directory, "a directory entry with reserved fields, or that leads nowhere")
{
	boot(w);
	poke(w, w->d[0].dir + 16, new_pages(w, 1) | PDE_P | BIT_ULL(4));
	all_changed(w);
	expect_fault(w, FR_SPD_3, 128);
	poke(w, w->d[0].dir + 16, RAM_SIZE | PDE_P);
	all_changed(w);
	expect_fault(w, FR_SPT_1, 128);
	pasid_changed(w, 2, 130);
	expect_fault(w, FR_SPT_1, 130);
}

TEST(no_directory, "a directory that is not RAM")
{
	boot(w);
	poke(w, w->d[0].ctx, RAM_SIZE | CTX_P | CTX_PASIDE | 7 << 9);
	submit_one(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(last_reason(w), FR_SPD_1);
	pasid_changed(w, 0, 77);
	EXPECT_EQ(last_reason(w), FR_SPD_1);
	EXPECT_EQ(last_pasid(w), 77);
}

TEST(context, "a context entry that is wrong")
{
	u64 ctx0;

	boot(w);
	ctx0 = peek(w, w->d[0].ctx);
	poke(w, w->d[0].ctx, ctx0 | BIT_ULL(5));
	submit_one(w, d_context(1, 0, 0), 0);
	expect_fault(w, FR_SCT_3, 0);
	/* PRE is reserved here; RID_PASID as well. */
	poke(w, w->d[0].ctx, ctx0);
	poke(w, w->d[0].ctx + 8, 1);
	submit_one(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(nr_faults(w), 0);
	poke(w, w->d[0].ctx + 8, 0);
	submit_one(w, d_context(1, 0, 0), 0);
	poke(w, w->d[0].ctx + 8, 1);
	submit_one(w, d_context(1, 0, 0), 0);
	expect_fault(w, FR_SCT_3, 0);
}

TEST(context_pre, "page requests without a device TLB")
{
	w->cfg.page_requests = true;
	boot(w);
	poke(w, w->d[0].ctx, peek(w, w->d[0].ctx) & ~CTX_DTE);
	submit_one(w, d_context(1, 0, 0), 0);
	expect_fault(w, FR_SCT_4, 0);
}

TEST(unreachable, "root and context tables that are not RAM, or wrong")
{
	u64 root = new_pages(w, 1);

	boot(w);
	poke(w, root, RAM_SIZE | ROOT_P);
	set64(w, REG_RTADDR, root | TTM_SCALABLE << 10);
	gcmd(w, GCMD_QIE | GCMD_TE | GCMD_SRTP);
	expect_fault(w, FR_SCT_1, 0);
	poke(w, root, new_pages(w, 1) | ROOT_P | 2);
	submit_one(w, d_context(1, 0, 0), 0);
	expect_fault(w, FR_SRT_3, 0);
	set64(w, REG_RTADDR, RAM_SIZE | TTM_SCALABLE << 10);
	gcmd(w, GCMD_QIE | GCMD_TE | GCMD_SRTP);
	expect_fault(w, FR_SRT_1, 0);
	set64(w, REG_RTADDR, root);
	gcmd(w, GCMD_QIE | GCMD_TE | GCMD_SRTP);
	expect_fault(w, FR_RTA_1, 0);
}

TEST(absent, "what is merely not present is no fault before DMA meets it")
{
	boot(w);
	poke(w, w->d[0].ctx, 0);
	submit_one(w, d_context(1, 0, 0), 0);
	poke(w, w->root, 0);
	submit_one(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(nr_faults(w), 0);
}

TEST(from_host, "a fault of the host: reason found, kind and PASID recorded")
{
	boot(w);
	set_pasid(w, 0, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000\n");
	vvtd_dev_fault(w->d[0].dev, &(struct vvtd_fault){
		.addr = 0x123456, .pasid = 5, .has_pasid = true,
		.write = true, .exec = true, .privileged = true,
	});
	EXPECT_EQ(reg64(w, REG_FRCD), 0x123000);
	EXPECT_EQ(reg32(w, REG_FRCD + 8), w->d[0].sid | FRCD_W2_PP |
		  FRCD_W2_EXE | FRCD_W2_PRIV);
	EXPECT_EQ(reg32(w, REG_FRCD + 12), FRCD_W3_F | FR_SFS_2 | 5 << 8);
	clear_faults(w);
	vvtd_dev_fault(w->d[0].dev, &(struct vvtd_fault){
		.pasid = 6, .has_pasid = true,
	});
	EXPECT_EQ(last_reason(w), FR_SPT_2);
	clear_faults(w);
	vvtd_dev_fault(w->d[0].dev, &(struct vvtd_fault){ .reason = FR_SGN_5 });
	EXPECT_EQ(last_reason(w), FR_SGN_5);
	EXPECT_EQ(last_pasid(w), 0);
}

TEST(from_host_pass, "a fault of what passes through, and of a device that is off")
{
	boot(w);
	set_pasid(w, 0, 0, pe_pass(1));
	all_changed(w);
	vvtd_dev_fault(w->d[0].dev, &(struct vvtd_fault){ .addr = 0x1000 });
	EXPECT_EQ(last_reason(w), FR_SSS_2);
	clear_faults(w);
	gcmd(w, GCMD_QIE);
	vvtd_dev_fault(w->d[0].dev, &(struct vvtd_fault){
		.pasid = 5, .has_pasid = true,
	});
	EXPECT_EQ(nr_faults(w), 0);
}

static void fault(struct world *w)
{
	vvtd_dev_fault(w->d[0].dev, &(struct vvtd_fault){ .reason = FR_SGN_5 });
}

TEST(overflow, "records fill up, overflow once, and are filled in turn")
{
	u32 i;

	boot(w);
	for (i = 0; i < 9; i++)
		fault(w);
	EXPECT_EQ(nr_faults(w), 8);
	EXPECT_EQ(reg32(w, REG_FSTS), FSTS_PPF | FSTS_PFO);
	EXPECT_EQ(w->nr_msis, 1);
	set32(w, REG_FRCD + 12, FRCD_W3_F);
	fault(w);
	EXPECT_EQ(nr_faults(w), 7);
	set32(w, REG_FSTS, FSTS_PFO);
	fault(w);
	EXPECT_EQ(nr_faults(w), 8);
	clear_faults(w);
	EXPECT_EQ(reg32(w, REG_FSTS), 0);
	fault(w);
	EXPECT_EQ(bits(reg32(w, REG_FSTS), 15, 8), 1);
	EXPECT_EQ(w->nr_msis, 2);
}

TEST(masked, "a masked fault event is pending; the guest takes it back by clearing")
{
	boot(w);
	set32(w, REG_FECTL, ECTL_IM);
	fault(w);
	EXPECT_EQ(w->nr_msis, 0);
	EXPECT_EQ(reg32(w, REG_FECTL), ECTL_IM | ECTL_IP);
	clear_faults(w);
	EXPECT_EQ(reg32(w, REG_FECTL), ECTL_IM);
	set32(w, REG_FECTL, 0);
	EXPECT_EQ(w->nr_msis, 0);
	fault(w);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(w->msi_addr[0], 0xfee0f000);
	EXPECT_EQ(w->msi_data[0], 0xf);
}

int main(int argc, char **argv)
{
	return run_tests(argc, argv);
}
