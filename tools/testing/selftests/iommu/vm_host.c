// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's side of a story: asking a guest, looking at the real unit.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"
#include "vm_host.h"

#define BOOT_MS		240000
#define ANSWER_MS	120000

static struct side {
	struct lab_vm vm;
	struct lab_dev lab;
	struct vtdsim_counters before;
} sides[VM_SIDES], *side = sides;

struct lab_vm *vm = &sides[0].vm;
struct lab_dev *lab = &sides[0].lab;

static const char * const device[VM_SIDES] = { VM_DEV_0, VM_DEV_1 };
static char reply[LAB_VM_LINE];
static const char *story_name;
static int story_steps;

void vm_begin(const char *name, int steps)
{
	story_name = name;
	story_steps = steps;
	setvbuf(stdout, NULL, _IOLBF, 0);
}

void vm_select(int index)
{
	side = &sides[index];
	vm = &side->vm;
	lab = &side->lab;
}

/* ---- asking -------------------------------------------------------------- */

noreturn void give_up(void)
{
	char text[2048];
	int i;

	for (i = 0; i < VM_SIDES; i++)
		lab_vm_kill(&sides[i].vm);
	tell("QEMU said:");
	printf("%s", lab_vm_errors(vm, text, sizeof(text)));
	step_end();
	story_end(story_name, story_steps);
	exit(1);
}

void must(int rc, const char *what)
{
	if (!rc)
		return;
	check(false, "%s: %s", what, strerror(-rc));
	give_up();
}

/* The guest's next answer, into reply. */
static void hear(const char *what, unsigned int ms)
{
	int rc;

	do {
		rc = lab_vm_read(vm, reply, ms);
		if (!rc && strncmp(reply, "= ", 2))
			tell("guest: %s", reply);
	} while (!rc && strncmp(reply, "= ", 2));
	must(rc, what);
}

void ask(const char *fmt, ...)
{
	char line[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	must(lab_vm_write(vm, line), "write to the guest");
	hear(line, ANSWER_MS);
}

/* The value of " key=" in the answer. */
const char *word(const char *key)
{
	char want[32];
	const char *at;

	snprintf(want, sizeof(want), " %s=", key);
	at = strstr(reply, want);
	return at ? at + strlen(want) : "";
}

long number(const char *key)
{
	return *word(key) ? strtol(word(key), NULL, 10) : -1;
}

__u64 hex(const char *key)
{
	return strtoull(word(key), NULL, 16);
}

/* ---- counting ------------------------------------------------------------ */

void count_begin(void)
{
	must(lab_counters(lab, &side->before), "counters");
}

struct vtdsim_counters count_end(void)
{
	struct vtdsim_counters c;
	char text[160];

	must(lab_counters(lab, &c), "counters");
	lab_counters_sub(&c, &side->before, &c);
	tell("descriptors: %s; submissions: %llu",
	     lab_descriptors(&c, text, sizeof(text)), c.u_submissions);
	return c;
}

void check_oracle(void)
{
	struct vtdsim_counters c;

	must(lab_counters(lab, &c), "counters");
	check(!c.u_stale_hits, "%llu stale translations", c.u_stale_hits);
}

void check_no_entry(__u32 pasid)
{
	struct vtdsim_census c;

	must(lab_census(lab, pasid, &c), "census");
	check(!(c.present | c.pasid_cache | c.dev_tlb),
	      "of the endpoint nothing is left: %llu entries, %llu cached, %llu in its own TLB",
	      c.present, c.pasid_cache, c.dev_tlb);
}

void check_nothing_left(__u32 pasid)
{
	struct vtdsim_census c;

	must(lab_census(lab, pasid, &c), "census");
	check(!(c.present | c.pasid_cache | c.iotlb | c.paging_cache),
	      "at the real unit nothing is left: %llu entries, %llu cached, %llu in the IOTLB",
	      c.present, c.pasid_cache, c.iotlb + c.paging_cache);
}

/* ---- the VM and its endpoint --------------------------------------------- */

void hear_guest(void)
{
	hear("the guest", BOOT_MS);
	if (!check(strstr(reply, "ready") && !number("rc"),
		   "the guest runs a program: rc %ld", number("rc")))
		give_up();
	ask("0 hello");
	tell("guest: Linux %.*s", (int)strcspn(word("release"), " "),
	     word("release"));
}

void boot_vm(bool reboots)
{
	must(lab_vm_start(vm, side - sides, reboots), "start QEMU");
	hear_guest();
}

/* QMP takes single quotes. */
int plug_endpoint(const char *id)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "'driver': 'vfio-pci', 'id': '%s', 'bus': 'port0', 'host': '%s', 'iommufd': 'iommufd0'",
		 id, device[side - sides]);
	return lab_vm_command(vm, "device_add", text);
}

void look_at_device(void)
{
	must(lab_dev_open_sysfs(lab, device[side - sides]),
	     "look at the endpoint");
}

/* A reset has stopped the queue that looks into the unit. */
void look_again(void)
{
	must(lab_dev_restart(lab), "look at the endpoint");
}
