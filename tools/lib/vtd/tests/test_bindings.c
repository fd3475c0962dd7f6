// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What is bound follows the guest's tables: each transition, and the exact calls
 * that the host sees.
 */
#include <errno.h>
#include "world.h"

#define A	0
#define B	1

static void boot(struct world *w)
{
	world_start(w);
	guest_boot(w);
}

TEST(add, "a device is pass-through until the guest translates")
{
	world_start(w);
	CALLS(w, "bind a 0 pass\n");
}

TEST(te_on, "translation on: a device without entries is blocked")
{
	world_start(w);
	CALLS(w, "bind a 0 pass\n");
	set64(w, REG_RTADDR, w->root | TTM_SCALABLE << 10);
	gcmd(w, GCMD_SRTP);
	CALLS(w, "");
	EXPECT_EQ(reg32(w, REG_GSTS), GCMD_SRTP);
	gcmd(w, GCMD_TE);
	CALLS(w, "unbind a 0\n");
	EXPECT_EQ(reg32(w, REG_GSTS), GCMD_SRTP | GCMD_TE);
}

TEST(te_on_entries, "translation on: entries that are there are bound")
{
	world_start(w);
	set_pasid(w, A, 0, pe_pass(1));
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	set_pasid(w, A, 0xfffff, pe_first(3, 0x6000));
	CALLS(w, "bind a 0 pass\n");
	guest_boot(w);
	EXPECT_EQ(w->d[A].host.nr_bound, 3);
	EXPECT_EQ(w->d[A].host.table[0xfffff], 0x6000);
}

TEST(te_off, "translation off: PASIDs are unbound, the device passes through")
{
	world_start(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	guest_boot(w);
	gcmd(w, GCMD_QIE);
	CALLS(w, "bind a 0 pass\nunbind a 5\n");
	EXPECT_EQ(reg32(w, REG_GSTS), GCMD_SRTP | GCMD_QIE);
}

TEST(appear, "an entry that appears is bound by a PASID-selective invalidation")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	CALLS(w, "");
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000\n");
}

TEST(appear_any, "an entry that appears is found whatever the domain named")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	submit_one(w, d_pasid_cache(0, 9, 0), 0);
	CALLS(w, "bind a 5 first 5000\n");
}

TEST(change, "an entry that changes is replaced in place")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	set_pasid(w, A, 5, pe_first(2, 0x7000));
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000\nreplace a 5 first 7000\n");
}

TEST(change_kind, "first stage to pass-through and back is a replace")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	set_pasid(w, A, 5, pe_pass(2));
	pasid_changed(w, 2, 5);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000\nreplace a 5 pass\nreplace a 5 first 5000\n");
}

TEST(change_flags, "flags of the first stage are the host's")
{
	struct pe pe = pe_first(2, 0x5000);

	w->cfg.supervisor = true;
	w->cfg.extended_access = true;
	w->cfg.five_level = true;
	boot(w);
	pe.q[2] |= PE_SRE | PE_WPE | PE_EAFE | 1 << 2;
	set_pasid(w, A, 5, pe);
	pasid_changed(w, 2, 5);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000 sew5\nreplace a 5 first 5000\n");
}

TEST(gone, "an entry that is gone is unbound")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	clear_pasid(w, A, 5);
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000\nunbind a 5\n");
	EXPECT_EQ(w->d[A].host.nr_bound, 0);
}

TEST(unchanged, "what is unchanged costs no host call, whatever is invalidated")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	set_pasid(w, A, 6, pe_pass(3));
	all_changed(w);
	CALLS(w, "bind a 5 first 5000\nbind a 6 pass\n");
	all_changed(w);
	pasid_changed(w, 2, 5);
	submit_one(w, d_pasid_cache(0, 2, 0), 0);
	submit_one(w, d_context(1, 0, 0), 0);
	submit_one(w, d_context(3, w->d[A].sid, 0), 0);
	gcmd(w, GCMD_QIE | GCMD_TE | GCMD_SRTP);
	CALLS(w, "");
}

TEST(new_domain, "a change of the domain alone costs no host call, but counts")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	set_pasid(w, A, 5, pe_first(3, 0x5000));
	pasid_changed(w, 2, 5);
	clear_pasid(w, A, 5);
	submit_one(w, d_pasid_cache(0, 2, 0), 0);
	CALLS(w, "bind a 5 first 5000\n");
	submit_one(w, d_pasid_cache(0, 3, 0), 0);
	CALLS(w, "unbind a 5\n");
}

TEST(other_domain, "an invalidation of another domain leaves a binding alone")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	clear_pasid(w, A, 5);
	pasid_changed(w, 3, 5);
	submit_one(w, d_pasid_cache(0, 3, 0), 0);
	CALLS(w, "bind a 5 first 5000\n");
	submit_one(w, d_pasid_cache(0, 2, 0), 0);
	CALLS(w, "unbind a 5\n");
}

TEST(other_pasid, "a PASID-selective invalidation looks at that PASID alone")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	set_pasid(w, A, 6, pe_first(2, 0x6000));
	pasid_changed(w, 2, 6);
	CALLS(w, "bind a 6 first 6000\n");
}

TEST(global, "a global invalidation finds what came, changed and went")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	set_pasid(w, A, 0x12345, pe_first(2, 0x6000));
	all_changed(w);
	CALLS(w, "bind a 5 first 5000\nbind a 12345 first 6000\n");
	clear_pasid(w, A, 5);
	set_pasid(w, A, 0x12345, pe_first(2, 0x7000));
	set_pasid(w, A, 0xabcde, pe_pass(4));
	all_changed(w);
	CALLS(w, "unbind a 5\nreplace a 12345 first 7000\nbind a abcde pass\n");
}

TEST(directory, "a directory entry that is gone takes its 64 entries along")
{
	boot(w);
	set_pasid(w, A, 64, pe_first(2, 0x5000));
	set_pasid(w, A, 127, pe_first(2, 0x6000));
	set_pasid(w, A, 128, pe_first(2, 0x7000));
	all_changed(w);
	poke(w, w->d[A].dir + 8, 0);
	all_changed(w);
	CALLS(w, "bind a 40 first 5000\nbind a 7f first 6000\nbind a 80 first 7000\n"
	      "unbind a 40\nunbind a 7f\n");
}

TEST(two_devices, "each device follows its own table")
{
	w->nr_devs = 2;
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	set_pasid(w, B, 5, pe_first(2, 0x6000));
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000\nbind b 5 first 6000\n");
	clear_pasid(w, A, 5);
	pasid_changed(w, 2, 5);
	CALLS(w, "unbind a 5\n");
}

TEST(late, "a late device gets what its table says")
{
	boot(w);
	set_pasid(w, B, 0, pe_pass(1));
	set_pasid(w, B, 9, pe_first(2, 0x9000));
	add_device(w, B);
	CALLS(w, "bind b 0 pass\nbind b 9 first 9000\n");
}

TEST(unplug, "an unplugged device leaves nothing bound, the others alone")
{
	w->nr_devs = 2;
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	set_pasid(w, B, 5, pe_first(2, 0x6000));
	all_changed(w);
	CALLS(w, "bind a 5 first 5000\nbind b 5 first 6000\n");
	remove_device(w, A);
	CALLS(w, "unbind a 5\n");
	all_changed(w);
	CALLS(w, "");
}

TEST(context_gone, "a context entry that is gone blocks the device")
{
	boot(w);
	set_pasid(w, A, 0, pe_pass(1));
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	all_changed(w);
	CALLS(w, "bind a 0 pass\nbind a 5 first 5000\n");
	poke(w, w->d[A].ctx, 0);
	submit_one(w, d_context(3, w->d[A].sid, 0), 0);
	CALLS(w, "unbind a 0\nunbind a 5\n");
}

TEST(context_sid, "a device-selective context invalidation is of that device")
{
	w->nr_devs = 2;
	boot(w);
	set_pasid(w, A, 0, pe_pass(1));
	set_pasid(w, B, 0, pe_pass(1));
	all_changed(w);
	poke(w, w->d[A].ctx, 0);
	poke(w, w->d[B].ctx, 0);
	submit_one(w, d_context(3, w->d[B].sid, 0), 0);
	CALLS(w, "bind a 0 pass\nbind b 0 pass\nunbind b 0\n");
	submit_one(w, d_context(2, 7, 0), 0);
	CALLS(w, "unbind a 0\n");
}

TEST(context_mask, "the function mask widens a context invalidation")
{
	boot(w);
	set_pasid(w, A, 0, pe_pass(1));
	all_changed(w);
	poke(w, w->d[A].ctx, 0);
	submit_one(w, d_context(3, w->d[A].sid | 7, 2), 0);
	CALLS(w, "bind a 0 pass\n");
	submit_one(w, d_context(3, w->d[A].sid | 7, 3), 0);
	CALLS(w, "unbind a 0\n");
}

TEST(context_dir, "another PASID directory is another set of bindings")
{
	u64 dir;

	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	all_changed(w);
	dir = new_pages(w, 32);
	poke(w, w->d[A].ctx, dir | (peek(w, w->d[A].ctx) & 0xfff));
	w->d[A].dir = dir;
	set_pasid(w, A, 5, pe_first(2, 0x6000));
	set_pasid(w, A, 7, pe_first(2, 0x7000));
	submit_one(w, d_context(1, 0, 0), 0);
	CALLS(w, "bind a 5 first 5000\nreplace a 5 first 6000\nbind a 7 first 7000\n");
}

TEST(context_size, "entries beyond the size of the directory do not count")
{
	boot(w);
	set_pasid(w, A, 128 * 64 - 1, pe_first(2, 0x5000));
	set_pasid(w, A, 128 * 64, pe_first(2, 0x6000));
	all_changed(w);
	CALLS(w, "bind a 1fff first 5000\nbind a 2000 first 6000\n");
	poke(w, w->d[A].ctx, peek(w, w->d[A].ctx) & ~0xe00ULL);
	submit_one(w, d_context(1, 0, 0), 0);
	CALLS(w, "unbind a 2000\n");
}

TEST(pasid_width, "entries beyond the width of PASIDs do not count")
{
	w->cfg.pasid_bits = 8;
	boot(w);
	set_pasid(w, A, 255, pe_first(2, 0x5000));
	set_pasid(w, A, 256, pe_first(2, 0x6000));
	all_changed(w);
	pasid_changed(w, 2, 256);
	CALLS(w, "bind a ff first 5000\n");
}

TEST(paside, "without PASIDE only requests without PASID are bound")
{
	boot(w);
	set_pasid(w, A, 0, pe_pass(1));
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	all_changed(w);
	poke(w, w->d[A].ctx, peek(w, w->d[A].ctx) & ~CTX_PASIDE);
	submit_one(w, d_context(1, 0, 0), 0);
	CALLS(w, "bind a 0 pass\nbind a 5 first 5000\nunbind a 5\n");
}

TEST(root, "another root table takes effect with its command")
{
	u64 root = new_pages(w, 1);

	boot(w);
	set_pasid(w, A, 0, pe_pass(1));
	all_changed(w);
	set64(w, REG_RTADDR, root | TTM_SCALABLE << 10);
	all_changed(w);
	CALLS(w, "bind a 0 pass\n");
	gcmd(w, GCMD_QIE | GCMD_TE | GCMD_SRTP);
	CALLS(w, "unbind a 0\n");
}

TEST(dev_reset, "a reset of the device leaves its bindings")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	all_changed(w);
	vvtd_dev_reset(w->d[A].dev);
	all_changed(w);
	CALLS(w, "bind a 5 first 5000\n");
}

TEST(reset, "a reset of the unit unbinds and passes through")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	all_changed(w);
	vvtd_reset(w->v);
	run(w);
	CALLS(w, "bind a 5 first 5000\nbind a 0 pass\nunbind a 5\n");
	EXPECT_EQ(reg32(w, REG_GSTS), 0);
	EXPECT_EQ(reg64(w, REG_RTADDR), 0);
}

TEST(reset_amid, "a reset amid a batch leaves nothing of it")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	all_changed(w);
	w->host.invalidate_says = -EINPROGRESS;
	queue(w, d_piotlb(2, 2, 5), 0);
	queue(w, d_wait(WAIT_SW, 1), w->status);
	submit(w);
	vvtd_reset(w->v);
	run(w);
	vvtd_host_done(w->v, 0);
	run(w);
	CALLS(w, "bind a 5 first 5000\ninvalidate\niotlb a 5 all\n"
	      "bind a 0 pass\nunbind a 5\n");
	EXPECT_EQ(peek(w, w->status), 0);
}

TEST(refused, "what the host refuses is a fault, and is tried again")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	w->host.fail_after = 1;
	w->host.fail_with = -ENOMEM;
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000 fails\n");
	EXPECT_EQ(last_reason(w), FR_SPT_4);
	EXPECT_EQ(last_pasid(w), 5);
	pasid_changed(w, 9, 5);
	CALLS(w, "bind a 5 first 5000\n");
}

TEST(refused_replace, "a refused replace does not leave the old binding")
{
	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	set_pasid(w, A, 5, pe_first(2, 0x6000));
	w->host.fail_after = 1;
	w->host.fail_with = -EINVAL;
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000\nreplace a 5 first 6000 fails\nunbind a 5\n");
	EXPECT_EQ(last_reason(w), FR_SPT_4);
}

TEST(sparse, "a walk looks at directory entries that are present, and no others")
{
	struct vvtd_stats before, after;

	boot(w);
	set_pasid(w, A, 0xfffff, pe_first(2, 0x5000));
	all_changed(w);
	vvtd_stats(w->v, &before);
	all_changed(w);
	vvtd_stats(w->v, &after);
	/* 32 pages of the directory, once and again after its last entry. */
	EXPECT(after.tables - before.tables <= 34);
	CALLS(w, "bind a fffff first 5000\n");
}

TEST(one, "a PASID-selective invalidation looks at one table")
{
	struct vvtd_stats before, after;
	u32 i;

	boot(w);
	for (i = 1; i < 640; i++)
		set_pasid(w, A, i, pe_first(2, 0x5000));
	all_changed(w);
	vvtd_stats(w->v, &before);
	pasid_changed(w, 2, 77);
	vvtd_stats(w->v, &after);
	EXPECT_EQ(after.tables - before.tables, 1);
	EXPECT_EQ(after.host_calls - before.host_calls, 0);
}

TEST(portions, "much work is done in portions, and all of it")
{
	u32 i, n = 0;

	boot(w);
	for (i = 1; i <= 10000; i++)
		set_pasid(w, A, i, pe_first(2, 0x5000));
	queue(w, d_pasid_cache(3, 0, 0), 0);
	queue(w, d_wait(WAIT_SW, 1), w->status);
	set64(w, REG_IQT, w->iqt);
	for (; vvtd_run(w->v) == VVTD_MORE; n++)
		EXPECT_EQ(peek(w, w->status), 0);
	EXPECT(n >= 2);
	EXPECT_EQ(peek(w, w->status), 1);
	EXPECT_EQ(w->d[A].host.nr_bound, 10000);
}

TEST(plug_amid, "a device that is unplugged amid a walk does not stop it")
{
	u32 i;

	w->nr_devs = 2;
	boot(w);
	for (i = 1; i <= 5000; i++) {
		set_pasid(w, A, i, pe_first(2, 0x5000));
		set_pasid(w, B, i, pe_first(2, 0x5000));
	}
	queue(w, d_pasid_cache(3, 0, 0), 0);
	set64(w, REG_IQT, w->iqt);
	EXPECT_EQ(vvtd_run(w->v), VVTD_MORE);
	remove_device(w, A);
	run(w);
	EXPECT_EQ(w->d[B].host.nr_bound, 5000);
}

TEST(looks, "vvtd_binding() tells what is bound, or the fault that DMA meets")
{
	struct vvtd_stage s;

	boot(w);
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	set_pasid(w, A, 6, pe_first(2, 0x5000 | PE_EAFE));
	all_changed(w);
	EXPECT_EQ(vvtd_binding(w->d[A].dev, 5, &s), FR_NONE);
	EXPECT_EQ(s.kind, VVTD_FIRST_STAGE);
	EXPECT_EQ(s.table, 0x5000);
	EXPECT_EQ(vvtd_binding(w->d[A].dev, 6, &s), FR_SPT_3);
	EXPECT_EQ(s.kind, VVTD_NONE);
	EXPECT_EQ(vvtd_binding(w->d[A].dev, 7, &s), FR_SPT_2);
	EXPECT_EQ(vvtd_binding(w->d[A].dev, 1 << 20, &s), FR_SCT_7);
	poke(w, w->d[A].ctx, peek(w, w->d[A].ctx) & ~CTX_PASIDE);
	submit_one(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(vvtd_binding(w->d[A].dev, 7, &s), FR_SCT_6);
	poke(w, w->d[A].ctx, 0);
	submit_one(w, d_context(1, 0, 0), 0);
	EXPECT_EQ(vvtd_binding(w->d[A].dev, 7, &s), FR_SCT_2);
	gcmd(w, GCMD_QIE);
	EXPECT_EQ(vvtd_binding(w->d[A].dev, 7, &s), FR_NONE);
}

TEST(destroy, "destroying the unit unbinds everything")
{
	boot(w);
	set_pasid(w, A, 0, pe_pass(1));
	set_pasid(w, A, 5, pe_first(2, 0x5000));
	all_changed(w);
	vvtd_destroy(w->v);
	w->v = NULL;
	EXPECT_EQ(w->d[A].host.nr_bound, 0);
	host_dev_exit(&w->d[A].host);
	CALLS(w, "bind a 0 pass\nbind a 5 first 5000\nunbind a 0\nunbind a 5\n");
}

int main(int argc, char **argv)
{
	return run_tests(argc, argv);
}
