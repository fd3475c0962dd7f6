// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device comes to a VM that runs, and leaves it in order.
 *
 * The guest boots with an empty slot.  QEMU plugs the device in, processes of
 * the guest bind PASIDs and do DMA, and QEMU is told to unplug it: the guest is
 * asked to let go of it, its driver unbinds the PASIDs, and it ejects the device.
 * Then the same once more.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "story.h"
#include "vm_process.h"

#define STEPS		6

static struct process one, two;

static void step_boot(void)
{
	step_begin("A guest boots with an empty slot");
	boot_vm(false);
	check(!strchr(word("device"), ':'), "there is no endpoint in it");
	look_at_device();
	check_nothing_left(0);
	step_end();
}

static void plug(void)
{
	int rc;

	count_begin();
	rc = plug_endpoint("ep0");
	if (!check(!rc, "QEMU has taken the device: %s",
		   rc ? vm->said : "no error"))
		give_up();
	ask("0 plugged");
	if (!check(!number("rc"), "a driver in the guest has it: rc %ld, %s",
		   number("rc"), word("device")))
		give_up();
	look_again();
	count_end();
}

static void step_plug(void)
{
	step_begin("The device is plugged in while the guest runs");
	plug();
	check(lab_regs(lab)->ctl & VTDSIM_CTL_ATS, "the endpoint has ATS on");
	step_end();
}

static void step_bind(void)
{
	struct pasid_fields f;

	step_begin("Processes of the guest bind, and the device works for them");
	start_process(&one, 1);
	check_entry(&one, &f);
	check_copy(&one);
	start_spinning(&two, 2);
	step_end();
}

/* QEMU closes the device's file a little after the guest has let go of it. */
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
	int rc;

	step_begin("It is unplugged in order, with PASIDs bound and in mid-DMA");
	count_begin();
	rc = lab_vm_command(vm, "device_del", "'id': 'ep0'");
	check(!rc, "QEMU asks the guest for it: %s", rc ? vm->said : "no error");
	ask("0 unplugged");
	check(!number("rc"), "the guest has let go of it: rc %ld",
	      number("rc"));
	must(lab_vm_wait_deleted(vm, "ep0", 60000), "the device leaves QEMU");
	wait_for_close();
	count_end();
	check_nothing_left(0);
	check_oracle();
	step_end();
}

/* The processes that had the device before are still there. */
static void step_again(void)
{
	struct process three;
	struct pasid_fields f;

	step_begin("It is plugged in again");
	plug();
	start_process(&three, 3);
	check_entry(&three, &f);
	check_copy(&three);
	check_shared(&three);
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

int main(void)
{
	vm_begin("vm_hotplug", STEPS);
	step_boot();
	step_plug();
	step_bind();
	step_unplug();
	step_again();
	step_killed();
	return story_end("vm_hotplug", STEPS);
}
