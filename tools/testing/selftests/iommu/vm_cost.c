// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest's operations cost at the real unit, with 1, 10, 100, 1,000 PASIDs
 * bound (or as many as the arguments say), and that each did what it should: binds,
 * invalidations, processes that come and go, a page that is taken and the dirty
 * rounds of a migration while DMA is in flight, a reset, unbinds, a VM killed.
 *
 * Runs in the lab's host; vm_pasids runs in the guest.  A line "cost: ..." is
 * for scripts/vm-compare.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "run_show.h"
#include "story.h"
#include "vm_host.h"

#define FIRST	1		/* PASIDs that the guest uses, from here on */
#define NESTED	3
#define COMERS	10		/* processes that come and go */
#define DMA_QUEUE	1	/* the guest uses the first one */
#define QUIET_PAGE	2	/* of a buffer: nothing unmaps it */

static int bound;		/* FIRST ... FIRST + bound - 1 */
static long long begun;

static void begin(void)
{
	count_begin();
	begun = story_us();
}

static void tell_cost(const char *op, int n)
{
	long long us = story_us() - begun;
	struct vtdsim_counters c = count_end();

	printf("cost: %s n=%d descriptors=%llu waits=%llu us=%lld unit=%llu\n",
	       op, n, c.u_desc_total, c.u_waits, us, c.u_queue_ns);
}

static void succeed(const char *what)
{
	if (!check(!number("rc"), "%s: rc %ld", what, number("rc")))
		give_up();
}

/* The real unit's entry of @pasid is what the guest has written. */
static void check_entry(__u32 pasid)
{
	struct vtdsim_explain e;
	struct pasid_fields f;

	ask("0 table %x", pasid);
	must(lab_explain(lab, pasid, hex("iova"), &e), "explain");
	pasid_fields(e.pasid_entry, &f);
	check(f.p && f.pgtt == NESTED && hex("table") &&
	      f.fsptptr == hex("table"),
	      "PASID 0x%x on the wire: nested, by the guest's table 0x%llx",
	      pasid, f.fsptptr);
}

static void check_copy(__u32 pasid)
{
	ask("0 copy %x", pasid);
	check(number("status") == VTDSIM_DONE && number("same") == number("len"),
	      "the device copies by PASID 0x%x: %s, %ld bytes are right", pasid,
	      lab_status_name(number("status")), number("same"));
}

static void check_fault(__u32 pasid, int page, unsigned int reason)
{
	ask("0 read %x %x", pasid, page);
	check(number("status") == VTDSIM_FAULT && hex("reason") == reason,
	      "DMA by PASID 0x%x: %s, %s", pasid,
	      lab_status_name(number("status")), lab_reason_name(hex("reason")));
}

/* The last one alone is counted. */
static void do_bind(int n)
{
	__u32 last = FIRST + n - 1;

	if (n - 1 > bound) {
		ask("0 attach %x %x", FIRST + bound, n - 1 - bound);
		succeed("bind");
	}
	begin();
	ask("0 attach %x 1", last);
	succeed("bind one more");
	tell_cost("bind", n);
	bound = n;
	check_entry(last);
	check_copy(last);
}

static void invalidate(int n)
{
	__u32 last = FIRST + n - 1;

	begin();
	ask("0 unmap %x 0", last);
	succeed("unmap a page of it");
	tell_cost("invalidate", n);
	check_fault(last, 0, LAB_R_FS_NOT_PRESENT);
}

static void take_page(int n)
{
	ask("0 take 1");
	succeed("a page of memory that can be taken");
	begin();
	ask("0 take 0");
	succeed("take it from the VM");
	tell_cost("take", n);
}

/* ---- while DMA is in flight ---------------------------------------------- */

static void dma_begin(int n)
{
	bool ats = lab_regs(lab)->ctl & VTDSIM_CTL_ATS;
	struct vtdsim_loop how = { .dir = VTDSIM_LOOP_READ };
	__u32 last = FIRST + n - 1;

	ask("0 table %x", last);
	must(lab_loop_start(lab, DMA_QUEUE, last,
			    ats ? VTDSIM_F_ATS : 0,
			    hex("iova") + QUIET_PAGE * 4096, &how), "DMA");
	must(lab_loop_wait(lab, DMA_QUEUE, 1), "DMA");
}

static void dma_end(void)
{
	struct vtdsim_loop done;

	must(lab_loop_stop(lab, DMA_QUEUE, &done), "DMA");
	check(done.reads && !done.faults && !done.denied && !done.failed,
	      "DMA went on all the time: %llu reads, %llu refused", done.reads,
	      done.faults + done.denied + done.failed);
}

static void come_and_go(int n)
{
	begin();
	ask("0 attach %x %x", FIRST + n, COMERS);
	succeed("processes come");
	tell_cost("come", n);
	begin();
	ask("0 detach %x %x", FIRST + n, COMERS);
	succeed("and go");
	tell_cost("go", n);
}

/* What a migration does: tracking starts, rounds read what is dirty, it ends. */
static void dirty_rounds(int n)
{
	int tries = 0;

	begin();
	must(lab_vm_command(vm, "calc-dirty-rate",
			    "'calc-time': 1, 'mode': 'dirty-bitmap'"),
	     "start dirty tracking");
	do {
		usleep(200000);
		must(lab_vm_command(vm, "query-dirty-rate", ""), "ask QEMU");
	} while (!strstr(vm->said, "measured") && ++tries < 200);
	check(strstr(vm->said, "measured"), "QEMU has read what is dirty");
	tell_cost("dirty", n);
}

static void do_reset(int n)
{
	begin();
	ask("0 reset");
	succeed("reset the device");
	look_again();
	tell_cost("reset", n);
	ask("0 restart");
	succeed("start its queues");
	check_entry(FIRST + n - 1);
}

static void unbind(int n)
{
	__u32 last = FIRST + n - 1;

	begin();
	ask("0 detach %x 1", last);
	succeed("unbind");
	tell_cost("unbind", n);
	bound--;
	check_fault(last, 1, LAB_R_PASID_NOT_PRESENT);
	check_nothing_left(last);
}

static void costs_with(int n)
{
	char title[64];

	snprintf(title, sizeof(title), "%d PASID%s of a guest", n,
		 n == 1 ? "" : "s");
	step_begin(title);
	do_bind(n);
	invalidate(n);
	dma_begin(n);
	come_and_go(n);
	take_page(n);
	dirty_rounds(n);
	dma_end();
	do_reset(n);
	unbind(n);
	check_oracle();
	step_end();
}

static void step_boot(void)
{
	struct utsname u;

	step_begin("A guest whose kernel has no switch for SVA");
	uname(&u);
	tell("host: Linux %s", u.release);
	boot_vm(false);
	look_at_device();
	step_end();
}

static void step_end_of_vm(int n)
{
	step_begin("The VM is killed");
	begin();
	lab_vm_kill(vm);
	look_again();
	tell_cost("close", n);
	check_nothing_left(0);
	step_end();
}

int main(int argc, char **argv)
{
	static const int usual[] = { 1, 10, 100, 1000 };
	int i, count = argc > 1 ? argc - 1 : 4;

	vm_begin("vm_cost", count + 2);
	step_boot();
	for (i = 0; i < count; i++)
		costs_with(argc > 1 ? atoi(argv[i + 1]) : usual[i]);
	step_end_of_vm(bound);
	return story_end("vm_cost", count + 2);
}
