// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device leaves a VM that uses it.
 *
 * It stands behind a root port whose slot loses its power, so QEMU takes it out
 * at once and the guest's kernel has no say: the RID is detached while PASIDs
 * are attached, and closing the file has to clean up.  QEMU gets the device
 * again afterwards.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "story.h"
#include "vm_process.h"

#define STEPS	4

static struct process one, two;

static void step_boot(void)
{
	struct pasid_fields f;

	step_begin("A guest with the endpoint behind a root port");
	boot_vm(false);
	must(lab_vm_listen(vm), "listen to QEMU");
	look_at_device();
	start_process(&one, 1);
	check_entry(&one, &f);
	check_copy(&one);
	start_spinning(&two, 2);
	step_end();
}

/* It closes the device's file a little after the device has gone from its bus. */
static void wait_for_close(void)
{
	struct vtdsim_census c;
	int tries = 0;

	do {
		usleep(100000);
		look_again();
		must(lab_census(lab, 0, &c), "census");
	} while (c.present && ++tries < 200);
}

static void step_unplug(void)
{
	step_begin("The slot loses its power, in the middle of DMA");
	count_begin();
	ask("0 unplug");
	check(!number("rc"), "the guest has cut it: rc %ld", number("rc"));
	must(lab_vm_wait_deleted(vm, "ep0", 60000), "the device leaves QEMU");
	wait_for_close();
	count_end();
	check_nothing_left(0);
	check_oracle();
	step_end();
}

static void step_again(void)
{
	int rc;

	step_begin("QEMU takes the device again");
	rc = plug_endpoint("again");
	check(!rc, "it is there: %s", rc ? vm->said : "no error");
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

int main(void)
{
	vm_begin("vm_unplug", STEPS);
	step_boot();
	step_unplug();
	step_again();
	step_killed();
	return story_end("vm_unplug", STEPS);
}
