// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest attaches, changes and detaches PASIDs at random, and resets the device
 * in between.  After each step the real unit's entries, of all PASIDs that the
 * guest plays with, are what the guest's own table says, and DMA by one of them
 * ends as the table says.
 *
 *	vm_random [STEPS [SEED]]
 *
 * Runs in the lab's host; vm_pasids runs in the guest.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run_show.h"
#include "story.h"
#include "vm_host.h"

#define FIRST	1
#define COUNT	16
#define NESTED	3

static bool attached[COUNT];
static bool unmapped[COUNT];	/* its first page is not there */
static int done[5], wrong;

static void succeed(const char *what)
{
	if (number("rc")) {
		check(false, "%s: rc %ld", what, number("rc"));
		give_up();
	}
}

static void attach_one(int i)
{
	ask("0 attach %x 1", FIRST + i);
	succeed("attach");
	attached[i] = true;
	unmapped[i] = false;
	done[0]++;
}

static void detach_one(int i)
{
	ask("0 detach %x 1", FIRST + i);
	succeed("detach");
	attached[i] = false;
	done[1]++;
}

static void unmap_page(int i)
{
	ask("0 unmap %x 0", FIRST + i);
	succeed("unmap");
	unmapped[i] = true;
	done[2]++;
}

static void reset_device(void)
{
	ask("0 reset");
	succeed("reset");
	look_again();
	ask("0 restart");
	succeed("restart");
	done[3]++;
}

static void random_step(void)
{
	int i = rand() % COUNT;

	if (rand() % 20 == 0)
		reset_device();
	else if (!attached[i])
		attach_one(i);
	else if (unmapped[i] || rand() % 2)
		detach_one(i);
	else
		unmap_page(i);
}

/* The guest's table of a PASID, out of its answer to "tables". */
static __u64 guest_table(int i)
{
	char key[16];

	snprintf(key, sizeof(key), "t%x", FIRST + i);
	return hex(key);
}

static void compare_entry(int i)
{
	struct vtdsim_explain e;
	struct pasid_fields f;
	__u64 want = guest_table(i);
	bool right;

	must(lab_explain(lab, FIRST + i, 0, &e), "explain");
	pasid_fields(e.pasid_entry, &f);
	if (want)
		right = f.p && f.pgtt == NESTED && f.fsptptr == want;
	else
		right = !f.p;
	if (!right || !want == attached[i]) {
		wrong++;
		tell("PASID 0x%x: the guest's table 0x%llx, the unit's 0x%llx",
		     FIRST + i, want, f.fsptptr);
		tell("P %u, PGTT %u, attached %d", f.p, f.pgtt, attached[i]);
	}
}

static void compare_dma(int i)
{
	int want = attached[i] && !unmapped[i] ? VTDSIM_DONE : VTDSIM_FAULT;

	ask("0 read %x 0", FIRST + i);
	if (number("status") == want)
		return;
	wrong++;
	tell("PASID 0x%x: DMA is %s, attached %d, unmapped %d", FIRST + i,
	     lab_status_name(number("status")), attached[i], unmapped[i]);
}

static void compare(void)
{
	int i;

	ask("0 tables %x %x", FIRST, COUNT);
	for (i = 0; i < COUNT; i++)
		compare_entry(i);
	compare_dma(rand() % COUNT);
	done[4]++;
}

static void step_boot(void)
{
	step_begin("A guest boots");
	boot_vm(false);
	look_at_device();
	step_end();
}

static void step_random(int steps, unsigned int seed)
{
	step_begin("It changes its PASID table at random");
	tell("%d steps, seed %u", steps, seed);
	srand(seed);
	while (steps-- && wrong < 5) {
		random_step();
		compare();
	}
	tell("attach %d, detach %d, unmap %d, reset %d; compared %d times",
	     done[0], done[1], done[2], done[3], done[4]);
	check(!wrong, "%d differences between the guest's table and the unit's",
	      wrong);
	check_oracle();
	step_end();
}

static void step_killed(void)
{
	step_begin("The VM is killed");
	lab_vm_kill(vm);
	look_again();
	check_nothing_left(0);
	step_end();
}

int main(int argc, char **argv)
{
	int steps = argc > 1 ? atoi(argv[1]) : 100;
	unsigned int seed = argc > 2 ? atoi(argv[2]) : time(NULL);

	vm_begin("vm_random", 3);
	step_boot();
	step_random(steps, seed);
	step_killed();
	return story_end("vm_random", 3);
}
