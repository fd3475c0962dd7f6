// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest process with demand paging, told and checked.
 *
 * This program runs in the lab's host, with `scripts/lab vm --vsva`.  QEMU is
 * unmodified and has no IOMMU; vsva, beside it, is the guest's VT-d unit.  A guest
 * process binds, and the device reads and writes memory of it that is not
 * resident: the host's page requests become the guest's, and its kernel answers
 * them.  What vsva did is counted by itself, the rest by the real unit.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run_show.h"
#include "story.h"
#include "vm_host.h"
#include "vm_process.h"

#define STEPS		9
#define COUNTERS	"/tmp/vsva.counters"	/* in scripts/pylib/vm.py */
#define SETTLE_US	200000			/* vsva writes them when idle */

/* What vsva counts; the names are its own. */
enum what {
	DESCRIPTORS, BINDS, REPLACES, UNBINDS, INVALIDATIONS, PAGE_REQUESTS,
	RESPONSES, FAULTS, HOST_ERRORS, MESSAGES, SYSTEM_CALLS, NR_COUNTERS,
};

static const char * const names[NR_COUNTERS] = {
	"descriptors", "binds", "replaces", "unbinds", "invalidations",
	"page_requests", "responses", "faults", "host_errors", "messages",
	"system_calls",
};

struct counters {
	unsigned long long n[NR_COUNTERS];
};

/* Rows of the last step's table. */
static struct row {
	char what[32];
	struct counters c;
	struct vtdsim_counters unit;
} rows[16];
static int nr_rows;

static struct counters before;
static struct process one, doomed;
static long pages;

static void read_counters(struct counters *c)
{
	char text[1024] = "", want[32];
	int fd = open(COUNTERS, O_RDONLY | O_CLOEXEC), i;
	ssize_t n;

	usleep(SETTLE_US);
	n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	must(n <= 0 ? -EIO : 0, COUNTERS);
	close(fd);
	for (i = 0; i < NR_COUNTERS; i++) {
		const char *at;

		snprintf(want, sizeof(want), "%s ", names[i]);
		at = strstr(text, want);
		must(!at || sscanf(at + strlen(want), "%llu", &c->n[i]) != 1 ?
		     -EIO : 0, names[i]);
	}
}

static void begin(void)
{
	read_counters(&before);
	count_begin();
}

/* What vsva and the real unit did since begin(), which the last step shows. */
static struct counters end(const char *what)
{
	struct vtdsim_counters unit;
	struct counters c;
	int i;

	read_counters(&c);
	unit = count_end();
	for (i = 0; i < NR_COUNTERS; i++)
		c.n[i] -= before.n[i];
	if (nr_rows < (int)(sizeof(rows) / sizeof(*rows))) {
		snprintf(rows[nr_rows].what, sizeof(rows->what), "%s", what);
		rows[nr_rows].unit = unit;
		rows[nr_rows++].c = c;
	}
	tell("vsva: %llu page requests, %llu invalidations, %llu system calls",
	     c.n[PAGE_REQUESTS], c.n[INVALIDATIONS], c.n[SYSTEM_CALLS]);
	return c;
}

/* ---- the steps ----------------------------------------------------------- */

static void step_boot(void)
{
	struct vtdsim_explain e;
	struct pasid_fields f;
	__u64 cap, ecap;

	step_begin("An unmodified QEMU without an IOMMU boots a guest; vsva is its VT-d unit");
	boot_vm(false);
	cap = hex("cap");
	ecap = hex("ecap");
	if (!check(cap && ecap, "the guest's kernel has found the unit"))
		give_up();
	show_vtd_caps(cap, ecap);
	check(strchr(word("device"), ':'),
	      "a driver in the guest has the endpoint: %s", word("device"));
	look_at_device();
	must(lab_explain(lab, 0, 0, &e), "explain");
	pasid_fields(e.pasid_entry, &f);
	check(f.p && f.pgtt == VM_NESTED && f.fsptptr == hex("table"),
	      "DMA without PASID: nested, by the guest kernel's own table 0x%llx",
	      f.fsptptr);
	check((lab_regs(lab)->ctl & (VTDSIM_CTL_ATS | VTDSIM_CTL_PRI)) ==
	      (VTDSIM_CTL_ATS | VTDSIM_CTL_PRI),
	      "the endpoint has ATS and page requests on");
	step_end();
}

static void step_bind(void)
{
	struct pasid_fields f;
	struct counters c;

	step_begin("A guest process binds: its page table, its PASID");
	begin();
	start_process(&one, 1);
	c = end("bind a process");
	check_entry(&one, &f);
	check(c.n[BINDS] == 1 && !c.n[REPLACES] && !c.n[UNBINDS] &&
	      !c.n[HOST_ERRORS], "one binding, and nothing else changes");
	check_copy(&one);
	step_end();
}

/* Each page that is not there is asked for once, and answered once. */
static void check_paged(const struct counters *c, const char *what)
{
	check(number("status") == VTDSIM_DONE, "%s: %s", what,
	      lab_status_name(number("status")));
	check(number("same") == one.len, "%ld of %u bytes are right, %ld us",
	      number("same"), one.len, number("us"));
	check(c->n[PAGE_REQUESTS] == c->n[RESPONSES] &&
	      c->n[PAGE_REQUESTS] >= (unsigned long long)pages,
	      "%llu page requests, %llu answers", c->n[PAGE_REQUESTS],
	      c->n[RESPONSES]);
}

static void step_fill(void)
{
	struct counters c;

	step_begin("The device writes memory that nobody has touched");
	ask("%d fresh", one.slot);
	pages = number("pages");
	check(!number("rc") && !number("resident"),
	      "%ld pages at 0x%llx, %ld resident", pages, hex("va"),
	      number("resident"));
	begin();
	ask("%d fill", one.slot);
	c = end("write, 16 pages not there");
	check_paged(&c, "the copy");
	check(number("resident") == pages, "%ld pages are resident now",
	      number("resident"));
	begin();
	ask("%d fill", one.slot);
	c = end("write, 16 pages there");
	check(number("status") == VTDSIM_DONE && !c.n[PAGE_REQUESTS],
	      "once more: %llu page requests", c.n[PAGE_REQUESTS]);
	check_oracle();
	step_end();
}

static void step_evict(void)
{
	struct counters c;

	step_begin("The pages leave the process's table; the device reads them back");
	begin();
	ask("%d evict", one.slot);
	c = end("evict 16 pages");
	check(!number("rc") && c.n[INVALIDATIONS],
	      "the device's translations are invalidated: rc %ld",
	      number("rc"));
	begin();
	ask("%d drain", one.slot);
	c = end("read back, 16 pages");
	check_paged(&c, "the copy");
	check_oracle();
	step_end();
}

static void step_fork(void)
{
	struct counters c;

	step_begin("The process forks: the device writes to the parent's page alone");
	begin();
	ask("%d fork", one.slot);
	c = end("fork, write a page");
	check(number("before") == VTDSIM_DONE && number("after") == VTDSIM_DONE,
	      "the device writes before and after");
	check(!number("child"), "the child has what was there before");
	check(hex("parent") == 0x0a, "the parent has what the device wrote");
	check(c.n[PAGE_REQUESTS] >= 2, "%llu page requests: a page, and a copy of it",
	      c.n[PAGE_REQUESTS]);
	check_oracle();
	step_end();
}

static void step_cut(void)
{
	struct counters c;

	step_begin("The process unmaps it: a page request is answered with no");
	begin();
	ask("%d cut", one.slot);
	c = end("unmap 16 pages, read");
	check(!number("rc") && number("status") == VTDSIM_PRI_FAILED,
	      "the read is %s", lab_status_name(number("status")));
	check(c.n[INVALIDATIONS] && c.n[PAGE_REQUESTS] == 1 && c.n[RESPONSES] == 1,
	      "invalidated; one page request, one answer");
	check_copy(&one);
	check_oracle();
	step_end();
}

/* A process with DMA, of whose memory pages leave all the time. */
static void start_loop(int slot, int rounds)
{
	start_process(&doomed, slot);
	ask("%d fresh", slot);
	check(!number("rc"), "memory for DMA: rc %ld", number("rc"));
	ask("%d loop %x", slot, rounds);
	check(!number("rc") && !number("failed") && !number("faults") &&
	      !number("denied"),
	      "%ld accesses, with its pages taken away %d times; %ld failed",
	      number("tried"), rounds, number("failed"));
}

/* The device does not know that the process has ended, and goes on. */
static void check_refused(void)
{
	unsigned int queue = (doomed.slot - 1) % LAB_NR_DMA_Q;
	struct vtdsim_loop a = *lab_loop(lab, queue), b;

	usleep(SETTLE_US);
	must(lab_loop_stop(lab, queue, &b), "stop the DMA");
	check(b.reads == a.reads && b.writes == a.writes &&
	      b.denied + b.failed + b.faults > 0,
	      "the device goes on and reaches nothing: %llu refused",
	      b.denied + b.failed + b.faults);
}

static void end_in_dma(const char *how, const char *what)
{
	struct counters c;

	begin();
	ask("0 %s %d", how, doomed.slot);
	c = end(what);
	check(c.n[UNBINDS] == 1, "one binding ends");
	check_nothing_left(doomed.pasid);
	check_refused();
}

static void step_exit(void)
{
	step_begin("A process exits, and one is killed, in the middle of DMA with page requests");
	start_loop(2, 5);
	end_in_dma("end", "exit in DMA");
	start_loop(3, 5);
	end_in_dma("kill", "kill in DMA");
	check_oracle();
	step_end();
}

static void step_unbind(void)
{
	struct counters c;

	step_begin("The last process unmaps a page, and closes the device");
	check_copy(&one);
	begin();
	ask("%d unmap", one.slot);
	c = end("unmap a page");
	check(c.n[INVALIDATIONS] == 1 && c.n[SYSTEM_CALLS] == 1,
	      "one invalidation, one system call");
	begin();
	ask("0 end %d", one.slot);
	c = end("unbind a process");
	check(c.n[UNBINDS] == 1 && !c.n[HOST_ERRORS],
	      "one binding ends, the host has refused nothing");
	check_nothing_left(one.pasid);
	step_end();
}

/* QEMU ends with vsva, and the host takes off what both have left. */
static bool wait_until_gone(void)
{
	struct vtdsim_census c = { .present = 1 };
	int tries;

	for (tries = 0; tries < 300 && c.present; tries++) {
		usleep(50000);
		look_again();
		must(lab_census(lab, 0, &c), "census");
	}
	return !c.present;
}

static void show_rows(void)
{
	int i;

	tell("what each step has cost, counted by vsva:");
	tell("%-26s %8s %8s %8s %8s %8s", "step", "requests", "answers",
	     "inval.", "messages", "syscalls");
	for (i = 0; i < nr_rows; i++) {
		const unsigned long long *n = rows[i].c.n;

		tell("%-26s %8llu %8llu %8llu %8llu %8llu", rows[i].what,
		     n[PAGE_REQUESTS], n[RESPONSES], n[INVALIDATIONS],
		     n[MESSAGES], n[SYSTEM_CALLS]);
	}
	tell("and by the real unit:");
	show_cost("step", NULL);
	for (i = 0; i < nr_rows; i++)
		show_cost(rows[i].what, &rows[i].unit);
}

static void step_dead(void)
{
	step_begin("vsva is killed, with a process bound");
	start_process(&one, 1);
	check_copy(&one);
	lab_vm_kill(vm);
	check(wait_until_gone(), "no binding is left");
	check_nothing_left(0);
	check_oracle();
	show_rows();
	step_end();
}

int main(void)
{
	vm_begin("vsva", STEPS);
	step_boot();
	step_bind();
	step_fill();
	step_evict();
	step_fork();
	step_cut();
	step_exit();
	step_unbind();
	step_dead();
	return story_end("vsva", STEPS);
}
