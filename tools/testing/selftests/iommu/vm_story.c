// SPDX-License-Identifier: GPL-2.0-only
/*
 * The story of a guest, told and checked: what `make vm` shows.
 *
 * This program runs in the lab's host.  It starts an unmodified QEMU with a
 * Linux guest, has processes in that guest do what vm_guest.c understands, and
 * looks at the real unit from the host's side: the PASID-table entries, what is
 * left in caches, the descriptors and QEMU's system calls that each step has cost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "run_show.h"
#include "story.h"
#include "vm_host.h"
#include "vm_process.h"

#define STEPS		10

static struct process one, two, doomed;

/* Rows of the last step's table. */
static struct row {
	char what[32];
	struct vtdsim_counters c;
	unsigned long long calls;
} rows[16];
static int nr_rows;
static unsigned long long calls_before;

static unsigned long long calls_now(void)
{
	unsigned long long calls;

	must(lab_vm_calls(vm, &calls), "what QEMU calls is counted");
	return calls;
}

static void begin(void)
{
	count_begin();
	calls_before = calls_now();
}

/* What a step has cost, for the last step's table. */
static struct row cost(const char *what)
{
	struct row r = { .calls = calls_now() - calls_before };

	r.c = count_end();
	tell("ioctls of QEMU: %llu", r.calls);
	snprintf(r.what, sizeof(r.what), "%s", what);
	if (nr_rows < (int)(sizeof(rows) / sizeof(*rows)))
		rows[nr_rows++] = r;
	return r;
}

static void show_rows(void)
{
	int i;

	tell("what each step has cost, counted by the real unit:");
	show_cost("step", NULL);
	for (i = 0; i < nr_rows; i++)
		show_cost(rows[i].what, &rows[i].c);
	tell("and the ioctls of iommufd and VFIO that QEMU made for it:");
	for (i = 0; i < nr_rows; i++)
		tell("%-30s %6llu", rows[i].what, rows[i].calls);
}

/* ---- the steps ----------------------------------------------------------- */

static void step_boot(void)
{
	struct vtdsim_explain e;
	struct pasid_fields f;
	struct utsname u;
	__u64 cap, ecap;

	step_begin("An unmodified QEMU boots a guest with the endpoint");
	uname(&u);
	tell("host: Linux %s", u.release);
	boot_vm(true);
	cap = hex("cap");
	ecap = hex("ecap");
	if (!check(cap && ecap, "the guest's kernel has found QEMU's unit"))
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
	check(lab_regs(lab)->ctl & VTDSIM_CTL_ATS, "the endpoint has ATS on");
	step_end();
}

static void step_bind(void)
{
	struct vtdsim_explain e;
	struct pasid_fields f;

	step_begin("A guest process binds: its page table, its PASID");
	begin();
	start_process(&one, 1);
	cost("bind a process");
	tell("the guest's PASID 0x%x is the number on the wire", one.pasid);
	must(lab_explain(lab, one.pasid, one.from, &e), "explain");
	tell("the entry, as the real unit sees it:");
	show_pasid_entry(e.pasid_entry);
	check_entry(&one, &f);
	step_end();
}

static void step_copy(void)
{
	struct vtdsim_explain e;

	step_begin("The device copies between two virtual addresses of the process");
	tell("0x%llx -> 0x%llx, %u bytes", one.from, one.to, one.len);
	begin();
	check_copy(&one);
	cost("a copy, 32 pages");
	must(lab_explain(lab, one.pasid, one.to, &e), "explain");
	tell("the walk of 0x%llx:", one.to);
	show_nested_walk(&e, one.to);
	check_oracle();
	step_end();
}

/* The fault as the host's kernel reports it. */
static void check_fault_line(int kmsg, __u32 pasid)
{
	char line[1024], want[32];
	ssize_t n;

	snprintf(want, sizeof(want), "PASID 0x%x]", pasid);
	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		char *text;

		line[n > 0 ? n : 0] = 0;
		text = strchr(line, ';');
		if (!text || !strstr(text, "DMAR: [DMA") || !strstr(text, want))
			continue;
		text[strcspn(text, "\n")] = 0;
		check(true, "the host's kernel reports it:");
		tell("%s", text + 1);
		return;
	}
	check(false, "the host's kernel reports it");
}

static void step_unmap(void)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	step_begin("The process unmaps a page: the device no longer reaches it");
	lseek(kmsg, 0, SEEK_END);
	ask("%d ats %llx", one.slot, one.to);
	check(number("status") == VTDSIM_DONE,
	      "before, its translation is in the device's own TLB");
	begin();
	ask("%d unmap", one.slot);
	check(cost("unmap a page").calls == 1,
	      "QEMU asks the host once: to invalidate");
	ask("%d read %llx", one.slot, one.to);
	check(number("status") == VTDSIM_FAULT && hex("reason") == LAB_R_FS_NOT_PRESENT,
	      "a read is %s, reason 0x%llx: %s", lab_status_name(number("status")),
	      hex("reason"), lab_reason_name(hex("reason")));
	check_fault_line(kmsg, one.pasid);
	close(kmsg);
	ask("%d ats %llx", one.slot, one.to);
	check(number("status") != VTDSIM_DONE && number("status") > 0,
	      "by ATS it gets no translation either: %s",
	      lab_status_name(number("status")));
	check_shared(&one);
	check_oracle();
	step_end();
}

static void step_second(void)
{
	struct pasid_fields a, b;

	step_begin("A second process: the same addresses, another table");
	begin();
	start_process(&two, 2);
	cost("bind a second process");
	check_entry(&one, &a);
	check_entry(&two, &b);
	check(one.pasid != two.pasid && a.fsptptr != b.fsptptr,
	      "PASIDs 0x%x and 0x%x, two first stages", one.pasid, two.pasid);
	check(a.ssptptr == b.ssptptr, "one second stage: the VM's memory");
	check_shared(&one);
	check_shared(&two);
	step_end();
}

static void step_killed(void)
{
	step_begin("A process is killed in the middle of its DMA");
	start_spinning(&doomed, 3);
	begin();
	ask("0 kill %d", doomed.slot);
	cost("kill a process in DMA");
	check_nothing_left(doomed.pasid);
	check_shared(&two);
	check_oracle();
	step_end();
}

static void step_reset(void)
{
	struct pasid_fields f;

	step_begin("The guest resets the device, with PASIDs bound");
	begin();
	ask("0 reset");
	check(!number("rc"), "the reset is done: rc %ld", number("rc"));
	look_again();
	cost("reset the device, 2 bound");
	check_entry(&two, &f);
	ask("%d restart", two.slot);
	check_copy(&two);
	ask("%d read %llx", one.slot, one.to);
	check(number("status") == VTDSIM_FAULT,
	      "the page that process 1 has unmapped is not there: %s",
	      lab_status_name(number("status")));
	check_oracle();
	step_end();
}

static void step_unbind(void)
{
	step_begin("A process closes the device: its PASID ends, the other goes on");
	begin();
	ask("0 end %d", one.slot);
	check(cost("unbind a process").calls == 2,
	      "QEMU asks the host twice: to detach, and to drop the first stage");
	check_nothing_left(one.pasid);
	check_copy(&two);
	step_end();
}

static void step_reboot(void)
{
	struct pasid_fields f;
	__u32 old = two.pasid;

	step_begin("The guest reboots, with a PASID bound");
	begin();
	must(lab_vm_write(vm, "0 reboot"), "write to the guest");
	hear_guest();
	look_again();
	cost("reboot the guest, 1 bound");
	check_nothing_left(0);
	start_process(&one, 1);
	tell("PASID 0x%x before, 0x%x now", old, one.pasid);
	check_entry(&one, &f);
	check_copy(&one);
	check_oracle();
	step_end();
}

static void step_dead(void)
{
	struct row r;

	step_begin("The VM is killed in the middle of DMA");
	start_spinning(&doomed, 2);
	begin();
	lab_vm_kill(vm);
	look_again();
	r = cost("kill the VM, 2 bound");
	check_nothing_left(0);
	check(r.c.u_waits < 64, "%llu waits", r.c.u_waits);
	check_oracle();
	show_rows();
	step_end();
}

int main(void)
{
	vm_begin("vm", STEPS);
	step_boot();
	step_bind();
	step_copy();
	step_unmap();
	step_second();
	step_killed();
	step_reset();
	step_unbind();
	step_reboot();
	step_dead();
	return story_end("vm", STEPS);
}
