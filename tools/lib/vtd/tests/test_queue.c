// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Queued invalidation: order, batches, waits, errors, and what reaches the host.
 */
#include <errno.h>
#include "world.h"

static void boot(struct world *w)
{
	world_start(w);
	set_pasid(w, 0, 0, pe_first(1, 0x1000));
	set_pasid(w, 0, 5, pe_first(2, 0x5000));
	set_pasid(w, 0, 6, pe_first(2, 0x6000));
	set_pasid(w, 0, 7, pe_pass(2));
	guest_boot(w);
}

TEST(wait_status, "a wait descriptor writes its status")
{
	boot(w);
	submit_one(w, d_wait(WAIT_SW, 0x1234), w->status + 4);
	EXPECT_EQ(peek(w, w->status), 0x1234ULL << 32);
	EXPECT_EQ(reg32(w, REG_IQH), w->iqt);
}

TEST(wait_event, "a wait descriptor raises its interrupt once")
{
	boot(w);
	submit_one(w, d_wait(WAIT_IF, 0), 0);
	submit_one(w, d_wait(WAIT_IF, 0), 0);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(w->msi_data[0], 1);
	set32(w, REG_ICS, 1);
	EXPECT_EQ(reg32(w, REG_ICS), 0);
	submit_one(w, d_wait(WAIT_IF, 0), 0);
	EXPECT_EQ(w->nr_msis, 2);
}

TEST(wait_masked, "a masked interrupt is pending until it is unmasked")
{
	boot(w);
	set32(w, REG_IECTL, ECTL_IM);
	submit_one(w, d_wait(WAIT_IF, 0), 0);
	EXPECT_EQ(w->nr_msis, 0);
	EXPECT_EQ(reg32(w, REG_IECTL), ECTL_IM | ECTL_IP);
	set32(w, REG_IECTL, 0);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(reg32(w, REG_IECTL), 0);
}

TEST(wait_nowhere, "a status address that is not RAM is skipped")
{
	boot(w);
	queue(w, d_wait(WAIT_SW, 1), RAM_SIZE);
	queue(w, d_wait(WAIT_SW, 1), 0xffffffffffffffc0);
	queue(w, d_wait(WAIT_SW, 7), w->status);
	submit(w);
	EXPECT_EQ(peek(w, w->status), 7);
}

TEST(order, "bindings change first, then translations are invalidated")
{
	boot(w);
	set_pasid(w, 0, 9, pe_first(2, 0x9000));
	clear_pasid(w, 0, 6);
	queue(w, d_piotlb(2, 2, 5), 0);
	queue(w, d_piotlb(2, 2, 6), 0);
	queue(w, d_pasid_cache(1, 2, 6), 0);
	queue(w, d_pasid_cache(1, 2, 9), 0);
	queue(w, d_wait(WAIT_SW, 1), w->status);
	submit(w);
	CALLS(w, "unbind a 6\nbind a 9 first 9000\ninvalidate\niotlb a 5 all\n");
}

TEST(piotlb, "a range of a PASID: address, pages and hint as the guest gives them")
{
	boot(w);
	queue(w, d_piotlb(3, 2, 5), 0x12345000 | 2);
	queue(w, d_piotlb(3, 2, 5), 0x7000 | BIT_ULL(6));
	queue(w, d_piotlb(3, 2, 5), 0x7000 | 63);
	submit(w);
	CALLS(w, "invalidate\niotlb a 5 12344000+4\niotlb a 5 7000+1 leaf\n"
	      "iotlb a 5 all\n");
}

TEST(piotlb_other, "a range of another domain, of what is not bound, or not translated")
{
	boot(w);
	queue(w, d_piotlb(2, 3, 5), 0);
	queue(w, d_piotlb(2, 2, 8), 0);
	queue(w, d_piotlb(2, 2, 7), 0);
	submit(w);
	CALLS(w, "");
}

TEST(piotlb_all, "two devices with the PASID get it both")
{
	w->nr_devs = 2;
	world_start(w);
	set_pasid(w, 0, 5, pe_first(2, 0x5000));
	set_pasid(w, 1, 5, pe_first(2, 0x5000));
	guest_boot(w);
	submit_one(w, d_piotlb(2, 2, 5), 0);
	CALLS(w, "invalidate\niotlb a 5 all\niotlb b 5 all\n");
}

TEST(domain, "an IOTLB invalidation of a domain reaches its tables, once a batch")
{
	boot(w);
	queue(w, d_iotlb(2, 2), 0);
	queue(w, d_iotlb(2, 2), 0);
	queue(w, d_iotlb(2, 9), 0);
	submit(w);
	CALLS(w, "invalidate\niotlb a 5 all\niotlb a 6 all\n");
	submit_one(w, d_iotlb(1, 0), 0);
	CALLS(w, "invalidate\niotlb a 0 all\niotlb a 5 all\niotlb a 6 all\n");
}

TEST(page_selective, "a page-selective IOTLB invalidation is not of first-stage tables")
{
	boot(w);
	submit_one(w, d_iotlb(3, 2), 0x1000);
	CALLS(w, "");
}

TEST(devtlb_off, "device-TLB invalidations stay here if the host needs none")
{
	boot(w);
	queue(w, d_devtlb(w->d[0].sid), 0x1000);
	queue(w, d_pdevtlb(w->d[0].sid, 5), 0x1000);
	submit(w);
	CALLS(w, "");
}

TEST(devtlb, "device-TLB invalidations are handed on if the host needs them")
{
	w->ops.device_tlbs = true;
	boot(w);
	queue(w, d_devtlb(w->d[0].sid), 0x1000);
	queue(w, d_devtlb(w->d[0].sid), 0x7ffffffffffff001);
	queue(w, d_pdevtlb(w->d[0].sid, 5), 0x4000);
	queue(w, d_pdevtlb(w->d[0].sid, 5), 0x5000 | BIT_ULL(11));
	queue(w, d_pdevtlb(w->d[0].sid, 5), 0x7000 | 1);
	queue(w, d_pdevtlb(w->d[0].sid, 8), 0x7000);
	queue(w, d_devtlb(0x77), 0x1000);
	submit(w);
	CALLS(w, "invalidate\ndevtlb a 0 1000+1\ndevtlb a 0 all\n"
	      "devtlb a 5 4000+1\ndevtlb a 5 4000+4\ndevtlb a * 7000+1\n");
}

TEST(batch, "one call carries what one run of the queue asks for")
{
	u32 i;

	boot(w);
	w->host.quiet = true;
	for (i = 0; i < 100; i++)
		queue(w, d_piotlb(3, 2, 5), i << 12);
	w->host.calls = 0;
	submit(w);
	EXPECT_EQ(w->host.calls, 1);
}

TEST(long_queue, "a queue longer than a batch is done to its end")
{
	u32 i;

	boot(w);
	w->host.quiet = true;
	for (i = 0; i < 1000; i++)
		queue(w, d_piotlb(3, 2, 5), i << 12);
	queue(w, d_wait(WAIT_SW, 1), w->status);
	w->host.calls = 0;
	submit(w);
	EXPECT_EQ(w->host.calls, 8);
	EXPECT_EQ(peek(w, w->status), 1);
}

TEST(wrap, "the queue wraps")
{
	u32 i;

	boot(w);
	for (i = 0; i < 2500; i++) {
		queue(w, d_wait(WAIT_SW, i), w->status);
		submit(w);
		EXPECT_EQ(peek(w, w->status), i);
	}
}

TEST(not_done, "a wait completes only after the host is done")
{
	boot(w);
	w->host.invalidate_says = -EINPROGRESS;
	queue(w, d_piotlb(2, 2, 5), 0);
	queue(w, d_wait(WAIT_SW, 1), w->status);
	submit(w);
	EXPECT_EQ(vvtd_run(w->v), VVTD_WAITING);
	EXPECT_EQ(peek(w, w->status), 0);
	vvtd_host_done(w->v, 0);
	run(w);
	EXPECT_EQ(peek(w, w->status), 1);
	CALLS(w, "invalidate\niotlb a 5 all\n");
}

TEST(not_done_off, "the queue is switched off only after the host is done")
{
	boot(w);
	w->host.invalidate_says = -EINPROGRESS;
	submit_one(w, d_piotlb(2, 2, 5), 0);
	set32(w, REG_GCMD, GCMD_TE);
	EXPECT_EQ(vvtd_run(w->v), VVTD_WAITING);
	EXPECT(reg32(w, REG_GSTS) & GCMD_QIE);
	vvtd_host_done(w->v, 0);
	run(w);
	EXPECT_EQ(reg32(w, REG_GSTS), GCMD_TE | GCMD_SRTP);
}

TEST(timed_out, "a device that does not answer: waits are aborted, the guest is told")
{
	boot(w);
	w->host.invalidate_says = -ETIMEDOUT;
	queue(w, d_piotlb(2, 2, 5), 0);
	queue(w, d_wait(WAIT_SW, 1), w->status);
	submit(w);
	EXPECT_EQ(peek(w, w->status), 0);
	EXPECT(reg32(w, REG_FSTS) & FSTS_ITE);
	EXPECT_EQ(bits(reg64(w, REG_IQERCD), 47, 32), w->d[0].sid);
	EXPECT_EQ(w->nr_msis, 1);
	w->host.invalidate_says = 0;
	submit_one(w, d_wait(WAIT_SW, 2), w->status);
	EXPECT_EQ(peek(w, w->status), 0);
	set32(w, REG_FSTS, FSTS_ITE);
	run(w);
	EXPECT_EQ(peek(w, w->status), 2);
}

TEST(timed_out_late, "so does a host that says it later")
{
	boot(w);
	w->host.invalidate_says = -EINPROGRESS;
	queue(w, d_piotlb(2, 2, 5), 0);
	queue(w, d_wait(WAIT_SW, 1), w->status);
	submit(w);
	vvtd_host_done(w->v, -ETIMEDOUT);
	run(w);
	EXPECT_EQ(peek(w, w->status), 0);
	EXPECT(reg32(w, REG_FSTS) & FSTS_ITE);
}

static void expect_error(struct world *w, u8 error)
{
	EXPECT(reg32(w, REG_FSTS) & FSTS_IQE);
	EXPECT_EQ(reg64(w, REG_IQERCD) & 15, error);
	set32(w, REG_FSTS, FSTS_IQE);
	EXPECT_EQ(reg64(w, REG_IQERCD) & 15, 0);
}

TEST(bad, "a bad descriptor stops the queue there; what is before it is done")
{
	u32 bad;

	boot(w);
	queue(w, d_wait(WAIT_SW, 1), w->status);
	bad = w->iqt;
	queue(w, 0xf, 0);
	queue(w, d_wait(WAIT_SW, 2), w->status);
	submit(w);
	EXPECT_EQ(peek(w, w->status), 1);
	EXPECT_EQ(reg32(w, REG_IQH), bad);
	expect_error(w, IQEI_TYPE);
	poke(w, w->iq + bad, d_wait(WAIT_SW, 3));
	poke(w, w->iq + bad + 8, w->status + 8);
	run(w);
	EXPECT_EQ(peek(w, w->status), 2);
	EXPECT_EQ(peek(w, w->status + 8), 3);
}

/* One descriptor alone, which must be an error. */
static void bad_one(struct world *w, u64 d0, u64 d1, u8 error)
{
	queue(w, d0, d1);
	submit(w);
	expect_error(w, error);
	poke(w, w->iq + reg32(w, REG_IQH), d_wait(0, 0));
	poke(w, w->iq + reg32(w, REG_IQH) + 8, 0);
	run(w);
	EXPECT_EQ(reg32(w, REG_FSTS), 0);
}

TEST(bad_each, "every descriptor is checked for granularity and reserved fields")
{
	boot(w);
	bad_one(w, d_context(0, 0, 0), 0, IQEI_RESERVED);
	bad_one(w, d_context(1, 0, 0), 1, IQEI_RESERVED);
	bad_one(w, d_pasid_cache(2, 0, 0), 0, IQEI_RESERVED);
	bad_one(w, d_iotlb(0, 0), 0, IQEI_RESERVED);
	bad_one(w, d_iotlb(3, 0), 19, IQEI_RESERVED);
	bad_one(w, d_piotlb(1, 0, 0), 0, IQEI_RESERVED);
	bad_one(w, d_wait(WAIT_PD, 0), 0, IQEI_RESERVED);
	bad_one(w, d_wait(BIT_ULL(8), 0), 0, IQEI_RESERVED);
	bad_one(w, d_response(1, 5, 0), 0, IQEI_TYPE);
	bad_one(w, 0, 0, IQEI_TYPE);
}

TEST(no_dt, "device-TLB descriptors do not exist without device TLBs")
{
	w->cfg.device_tlb = false;
	boot(w);
	clear_faults(w);
	bad_one(w, d_devtlb(8), 0, IQEI_TYPE);
}

TEST(wide, "the upper half of a wide descriptor is reserved")
{
	boot(w);
	poke(w, w->iq + 16, 1);
	poke(w, w->iq, d_wait(0, 0));
	set64(w, REG_IQT, 32);
	run(w);
	expect_error(w, IQEI_RESERVED);
}

TEST(narrow, "scalable mode needs wide descriptors")
{
	boot(w);
	set64(w, REG_IQA, w->iq | 3);
	set64(w, REG_IQT, 16);
	run(w);
	expect_error(w, IQEI_WIDTH);
}

TEST(tail, "a tail beyond the queue, or amid a descriptor, is an error")
{
	boot(w);
	set64(w, REG_IQA, w->iq | IQA_DW);
	set64(w, REG_IQT, 0x1000);
	run(w);
	expect_error(w, IQEI_TAIL_INVALID);
	set64(w, REG_IQT, 16);
	run(w);
	expect_error(w, IQEI_TAIL_MISALIGNED);
}

TEST(no_ram, "a queue that is not RAM is an error")
{
	boot(w);
	set64(w, REG_IQA, 0xfffffffffffff000 | IQA_DW);
	set64(w, REG_IQT, 32);
	run(w);
	expect_error(w, IQEI_FETCH);
}

TEST(legacy_narrow, "before scalable mode, narrow descriptors are taken")
{
	world_start(w);
	set64(w, REG_IQA, w->iq);
	poke(w, w->iq, d_wait(WAIT_SW, 5));
	poke(w, w->iq + 8, w->status);
	poke(w, w->iq + 16, d_pasid_cache(3, 0, 0));
	gcmd(w, GCMD_QIE);
	set64(w, REG_IQT, 32);
	run(w);
	EXPECT_EQ(peek(w, w->status), 5);
	expect_error(w, IQEI_TTM);
	EXPECT_EQ(reg32(w, REG_IQH), 16);
}

TEST(off, "a queue that is off does nothing, and begins at its base")
{
	boot(w);
	submit_one(w, d_wait(0, 0), 0);
	gcmd(w, GCMD_TE);
	submit_one(w, d_wait(WAIT_SW, 1), w->status);
	EXPECT_EQ(peek(w, w->status), 0);
	set64(w, REG_IQT, 0);
	gcmd(w, GCMD_TE | GCMD_QIE);
	EXPECT_EQ(reg32(w, REG_IQH), 0);
}

TEST(by_register, "invalidations by register are done, and say so")
{
	boot(w);
	poke(w, w->d[0].ctx, 0);
	set64(w, REG_CCMD, CCMD_ICC | 1ULL << 61);
	EXPECT(reg64(w, REG_CCMD) & CCMD_ICC);
	run(w);
	EXPECT_EQ(bits(reg64(w, REG_CCMD), 63, 59), 5);
	CALLS(w, "unbind a 0\nunbind a 5\nunbind a 6\nunbind a 7\n");
}

TEST(by_register_iotlb, "so are those of translations")
{
	boot(w);
	set64(w, REG_IOTLB, IOTLB_IVT | 1ULL << 60);
	run(w);
	EXPECT_EQ(bits(reg64(w, REG_IOTLB), 63, 57), 9);
	CALLS(w, "invalidate\niotlb a 0 all\niotlb a 5 all\niotlb a 6 all\n");
}

int main(int argc, char **argv)
{
	return run_tests(argc, argv);
}
