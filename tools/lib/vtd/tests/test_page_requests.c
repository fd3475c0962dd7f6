// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Page requests: into the guest's queue, answers back, and that every group ends
 * exactly once.
 */
#include "world.h"

#define ENTRIES	128	/* of a queue of one page */

static void boot(struct world *w)
{
	w->cfg.page_requests = true;
	world_start(w);
	guest_boot(w);
}

static struct vvtd_page_request request(u32 pasid, u16 group)
{
	return (struct vvtd_page_request){
		.cookie = 1000 + group, .addr = 0x123456, .pasid = pasid,
		.group = group, .has_pasid = true, .read = true, .last = true,
	};
}

static void ask(struct world *w, u32 pasid, u16 group)
{
	struct vvtd_page_request rq = request(pasid, group);

	vvtd_page_request(w->d[0].dev, &rq);
}

static void answer(struct world *w, u32 pasid, u16 group, u8 code)
{
	submit_one(w, d_response(w->d[0].sid, pasid, code), group << 3);
}

TEST(entry, "a request stands in the queue as the specification lays it out")
{
	struct vvtd_page_request rq = request(5, 7);

	boot(w);
	rq.write = true;
	rq.exec = true;
	rq.privileged = true;
	vvtd_page_request(w->d[0].dev, &rq);
	EXPECT_EQ(peek(w, w->prq), 1 | BIT_ULL(8) | (u64)w->d[0].sid << 16 |
		  5ULL << 32 | BIT_ULL(52) | BIT_ULL(53));
	EXPECT_EQ(peek(w, w->prq + 8), 0x123000 | 7 << 3 | 7);
	EXPECT_EQ(reg64(w, REG_PQT), 32);
	EXPECT_EQ(reg32(w, REG_PRS), PRS_PPR);
	EXPECT_EQ(w->nr_msis, 1);
	EXPECT_EQ(w->msi_data[0], 0xb);
}

TEST(no_pasid, "a request without PASID, and its answer")
{
	struct vvtd_page_request rq = request(0, 7);

	boot(w);
	rq.has_pasid = false;
	vvtd_page_request(w->d[0].dev, &rq);
	EXPECT_EQ(peek(w, w->prq), 1 | (u64)w->d[0].sid << 16);
	answer(w, 0, 7, 0);
	CALLS(w, "");
	submit_one(w, d_response(w->d[0].sid, 0, 0) & ~BIT_ULL(4), 7 << 3);
	CALLS(w, "answer a 1007 0\n");
}

TEST(answers, "the answer of the guest is the host's, by group and PASID")
{
	boot(w);
	ask(w, 5, 1);
	ask(w, 6, 1);
	ask(w, 5, 2);
	ask(w, 5, 3);
	answer(w, 5, 2, PRQ_INVALID);
	CALLS(w, "answer a 1002 1\n");
	answer(w, 6, 1, PRQ_SUCCESS);
	answer(w, 5, 1, PRQ_FAILURE);
	answer(w, 5, 3, 9);
	CALLS(w, "answer a 1001 0\nanswer a 1001 15\nanswer a 1003 15\n");
}

TEST(once, "a group is answered once")
{
	boot(w);
	ask(w, 5, 1);
	answer(w, 5, 1, 0);
	answer(w, 5, 1, 0);
	answer(w, 5, 9, 0);
	submit_one(w, d_response(0x77, 5, 0), 1 << 3);
	CALLS(w, "answer a 1001 0\n");
}

TEST(group, "a group has its answer after its last request")
{
	struct vvtd_page_request rq = request(5, 1);

	boot(w);
	rq.last = false;
	vvtd_page_request(w->d[0].dev, &rq);
	vvtd_page_request(w->d[0].dev, &rq);
	answer(w, 5, 1, 0);
	CALLS(w, "");
	rq.last = true;
	vvtd_page_request(w->d[0].dev, &rq);
	EXPECT_EQ(reg64(w, REG_PQT), 96);
	answer(w, 5, 1, 0);
	CALLS(w, "answer a 1001 0\n");
}

TEST(event, "one event until the guest clears the status")
{
	boot(w);
	ask(w, 5, 1);
	ask(w, 5, 2);
	EXPECT_EQ(w->nr_msis, 1);
	set32(w, REG_PRS, PRS_PPR);
	ask(w, 5, 3);
	EXPECT_EQ(w->nr_msis, 2);
}

TEST(overflow, "a full queue: success by the unit, and nothing until it is cleared")
{
	u32 i;

	boot(w);
	for (i = 0; i < ENTRIES - 1; i++)
		ask(w, 5, i);
	CALLS(w, "");
	ask(w, 5, 200);
	CALLS(w, "answer a 1200 0\n");
	EXPECT_EQ(reg32(w, REG_PRS), PRS_PPR | PRS_PRO);
	set64(w, REG_PQH, reg64(w, REG_PQT));
	ask(w, 5, 201);
	CALLS(w, "answer a 1201 0\n");
	set32(w, REG_PRS, PRS_PPR | PRS_PRO);
	ask(w, 5, 202);
	CALLS(w, "");
	for (i = 0; i < ENTRIES - 1; i++)
		answer(w, 5, i, 0);
	answer(w, 5, 202, 0);
	w->host.len = 0;
	w->host.log[0] = 0;
	answer(w, 5, 202, 0);
	CALLS(w, "");
}

TEST(overflow_part, "a request that is not its group's last is dropped in silence")
{
	struct vvtd_page_request rq = request(5, 200);
	u32 i;

	boot(w);
	for (i = 0; i < ENTRIES - 1; i++)
		ask(w, 5, i);
	rq.last = false;
	vvtd_page_request(w->d[0].dev, &rq);
	CALLS(w, "");
	EXPECT(reg32(w, REG_PRS) & PRS_PRO);
}

TEST(too_many, "more groups than the unit keeps: the device asks again")
{
	u32 i;

	boot(w);
	for (i = 0; i < 512; i++) {
		ask(w, 5 + i / 256, i % 256);
		set64(w, REG_PQH, reg64(w, REG_PQT));
	}
	CALLS(w, "");
	ask(w, 9, 300);
	CALLS(w, "answer a 1300 0\n");
}

TEST(not_allowed, "requests that the guest has not enabled are refused")
{
	world_start(w);
	guest_boot(w);
	ask(w, 5, 1);
	CALLS(w, "answer a 1001 1\n");
	EXPECT_EQ(reg64(w, REG_PQT), 0);
}

TEST(off, "while translation is off, requests are refused")
{
	boot(w);
	gcmd(w, GCMD_QIE);
	CALLS(w, "bind a 0 pass\n");
	ask(w, 5, 1);
	CALLS(w, "answer a 1001 1\n");
}

TEST(no_queue, "a queue that is not there: failure")
{
	boot(w);
	set64(w, REG_PQA, 0);
	ask(w, 5, 1);
	set64(w, REG_PQA, RAM_SIZE);
	ask(w, 5, 2);
	CALLS(w, "answer a 1001 15\nanswer a 1002 15\n");
	EXPECT_EQ(reg64(w, REG_PQT), 0);
}

TEST(twice, "an index in use is refused, and the first group still has its answer")
{
	boot(w);
	ask(w, 5, 1);
	ask(w, 5, 1);
	CALLS(w, "answer a 1001 1\n");
	answer(w, 5, 1, 0);
	CALLS(w, "answer a 1001 0\n");
}

TEST(moved, "another queue: what was not read is asked again, what was is not")
{
	boot(w);
	ask(w, 5, 1);
	set64(w, REG_PQH, 32);
	ask(w, 5, 2);
	set64(w, REG_PQA, new_pages(w, 1));
	CALLS(w, "answer a 1002 0\n");
	set64(w, REG_PQH, 0);
	set64(w, REG_PQT, 0);
	CALLS(w, "");
	answer(w, 5, 1, 0);
	CALLS(w, "answer a 1001 0\n");
}

TEST(tail, "a tail that the guest writes drops what stood there")
{
	boot(w);
	ask(w, 5, 1);
	set64(w, REG_PQT, 0);
	CALLS(w, "answer a 1001 0\n");
}

TEST(dev_reset, "a reset of the device ends its groups without an answer")
{
	boot(w);
	ask(w, 5, 1);
	vvtd_dev_reset(w->d[0].dev);
	answer(w, 5, 1, 0);
	CALLS(w, "");
}

TEST(unit_reset, "a reset of the unit answers what is open")
{
	boot(w);
	ask(w, 5, 1);
	vvtd_reset(w->v);
	CALLS(w, "answer a 1001 1\n");
}

TEST(unplugged, "unplugging ends groups without an answer, destroying with one")
{
	boot(w);
	ask(w, 5, 1);
	remove_device(w, 0);
	CALLS(w, "");
	add_device(w, 0);
	ask(w, 5, 2);
	vvtd_destroy(w->v);
	w->v = NULL;
	host_dev_exit(&w->d[0].host);
	CALLS(w, "answer a 1002 1\n");
}

TEST(ended, "a group that the host has ended is forgotten")
{
	boot(w);
	ask(w, 5, 1);
	ask(w, 5, 2);
	vvtd_page_request_ended(w->d[0].dev, 1001);
	answer(w, 5, 1, 0);
	answer(w, 5, 2, 0);
	CALLS(w, "answer a 1002 0\n");
}

TEST(expire, "a group that the guest leaves alone is refused in the end")
{
	w->cfg.group_timeout_ns = 100;
	boot(w);
	ask(w, 5, 1);
	w->now = 50;
	ask(w, 5, 2);
	w->now = 100;
	vvtd_expire(w->v);
	CALLS(w, "answer a 1001 1\n");
	w->now = 200;
	vvtd_expire(w->v);
	CALLS(w, "answer a 1002 1\n");
}

TEST(no_expire, "without a limit the guest has all the time")
{
	boot(w);
	ask(w, 5, 1);
	w->now = ~0ULL;
	vvtd_expire(w->v);
	CALLS(w, "");
	EXPECT_EQ(nr_faults(w), 0);
}

static void late_request(void *arg, struct host_dev *dev)
{
	struct world *w = arg;

	(void)dev;
	ask(w, 5, 1);
}

TEST(drain, "a wait descriptor drains what is under way before it completes")
{
	w->cfg.page_drain = true;
	boot(w);
	w->host.drained = late_request;
	w->host.arg = w;
	submit_one(w, d_wait(WAIT_SW | WAIT_PD, 1), w->status);
	CALLS(w, "drain a\n");
	EXPECT_EQ(reg64(w, REG_PQT), 32);
	EXPECT_EQ(peek(w, w->status), 1);
}

TEST(flag, "a table is bound with page requests if guest and host have them")
{
	boot(w);
	set_pasid(w, 0, 5, pe_first(2, 0x5000));
	pasid_changed(w, 2, 5);
	CALLS(w, "bind a 5 first 5000 p\n");
	poke(w, w->d[0].ctx, peek(w, w->d[0].ctx) & ~CTX_PRE);
	submit_one(w, d_context(1, 0, 0), 0);
	CALLS(w, "replace a 5 first 5000\n");
}

int main(int argc, char **argv)
{
	return run_tests(argc, argv);
}
