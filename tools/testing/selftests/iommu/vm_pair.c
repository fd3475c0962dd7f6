// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two VMs side by side, each with an endpoint below one unit: their guests count
 * PASIDs from the same number, and neither gets in the way of the other.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "story.h"
#include "vm_process.h"

#define STEPS	5

static struct process first[VM_SIDES], second;

static void step_boot(void)
{
	int i;

	step_begin("Two VMs start");
	for (i = 0; i < VM_SIDES; i++) {
		vm_select(i);
		must(lab_vm_start(vm, i, false), "start QEMU");
	}
	for (i = 0; i < VM_SIDES; i++) {
		vm_select(i);
		hear_guest();
		look_at_device();
	}
	step_end();
}

static void step_same_number(void)
{
	struct pasid_fields f[VM_SIDES];
	int i;

	step_begin("A process in each binds: one number, two tables");
	for (i = 0; i < VM_SIDES; i++) {
		vm_select(i);
		start_process(&first[i], 1);
		check_entry(&first[i], &f[i]);
	}
	check(first[0].pasid == first[1].pasid, "PASIDs 0x%x and 0x%x",
	      first[0].pasid, first[1].pasid);
	check(f[0].ssptptr != f[1].ssptptr, "two second stages");
	check(f[0].did != f[1].did, "domain IDs %u and %u", f[0].did, f[1].did);
	step_end();
}

static void step_both_work(void)
{
	int i, round;

	step_begin("Each device works in its own VM");
	for (round = 0; round < 3; round++) {
		for (i = 0; i < VM_SIDES; i++) {
			vm_select(i);
			check_copy(&first[i]);
			check_shared(&first[i]);
		}
	}
	check_oracle();
	step_end();
}

static void step_unbind(void)
{
	struct pasid_fields f;

	step_begin("One unbinds, and the other's number stays");
	vm_select(0);
	ask("0 end %d", first[0].slot);
	check_no_entry(first[0].pasid);
	vm_select(1);
	check_entry(&first[1], &f);
	check_copy(&first[1]);
	vm_select(0);
	start_spinning(&second, 2);
	step_end();
}

static void step_killed(void)
{
	struct pasid_fields f;

	step_begin("One VM is killed in DMA, and the other goes on");
	vm_select(0);
	lab_vm_kill(vm);
	look_again();
	check_no_entry(0);
	vm_select(1);
	check_entry(&first[1], &f);
	check_copy(&first[1]);
	check_shared(&first[1]);
	check_oracle();
	lab_vm_kill(vm);
	look_again();
	check_nothing_left(0);
	step_end();
}

int main(void)
{
	vm_begin("vm_pair", STEPS);
	step_boot();
	step_same_number();
	step_both_work();
	step_unbind();
	step_killed();
	return story_end("vm_pair", STEPS);
}
