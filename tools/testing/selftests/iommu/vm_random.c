// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest attaches, changes and detaches PASIDs at random, and resets the device
 * in between.  Behind its driver's back, entries of its PASID table, its context
 * entry, its unit's root pointer and translation enable change at random, too,
 * each change followed by an invalidation of some granularity.  After each step
 * the real unit's entries, of all PASIDs that the guest plays with, are what the
 * guest's own unit has to see, and DMA by one of them ends as they say.
 *
 *	vm_random [STEPS [SEED]]
 *
 * Runs in the lab's host; vm_pasids runs in the guest, with vtdsim_unit loaded.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../vtdsim/module/vtdsim_unit.h"
#include "run_show.h"
#include "story.h"
#include "vm_host.h"
#include "vm_unit.h"

#define FIRST		1
#define COUNT		16
#define NO_PASID	(-FIRST)	/* entry 0 is of DMA without PASID */

/* PGTT of an entry, VT-d "PASID-Table Entry". */
#define FIRST_STAGE	1
#define SECOND_STAGE	2
#define NESTED		3
#define PASS_THROUGH	4

/* What the guest has done. */
static struct pasid {
	bool attached;
	bool unmapped;		/* its first page is not there */
	enum vm_unit_entry entry;
} pasids[COUNT];

static bool translates = true, has_context = true;
static bool rid_stays;		/* on the VM's memory, see compare() */
static enum vtdsim_unit_root root;

enum { ATTACH, DETACH, UNMAP, RESET, ENTRY, CONTEXT, TRANSLATION, ROOT, STEPS };

static const char * const step_name[STEPS] = {
	[ATTACH] = "attach", [DETACH] = "detach", [UNMAP] = "unmap",
	[RESET] = "reset", [ENTRY] = "entry", [CONTEXT] = "context",
	[TRANSLATION] = "translation", [ROOT] = "root",
};

static const char * const inv_name[VM_INV_COUNT] = {
	[VM_INV_PASID] = "PASID",
	[VM_INV_PASID_DOMAIN] = "domain",
	[VM_INV_PASID_GLOBAL] = "global",
	[VM_INV_CONTEXT_DEVICE] = "context device",
	[VM_INV_CONTEXT_DOMAIN] = "context domain",
	[VM_INV_CONTEXT_GLOBAL] = "context global",
};

static int done[STEPS], invalidated[VM_INV_COUNT];
static int compared, wrong;
static char last[96];		/* the last step, in words */

static void succeed(void)
{
	if (number("rc")) {
		check(false, "%s: rc %ld", last, number("rc"));
		give_up();
	}
}

/* A request to the guest, which is the current step. */
#define step(which, ...)						\
	do {								\
		snprintf(last, sizeof(last), __VA_ARGS__);		\
		ask("0 %s", last);					\
		succeed();						\
		done[which]++;						\
	} while (0)

/* ---- what the guest's driver does ---------------------------------------- */

static void attach_one(int i)
{
	step(ATTACH, "attach %x 1", FIRST + i);
	pasids[i] = (struct pasid){ .attached = true };
}

static void detach_one(int i)
{
	step(DETACH, "detach %x 1", FIRST + i);
	pasids[i].attached = false;
}

static void unmap_page(int i)
{
	step(UNMAP, "unmap %x 0", FIRST + i);
	pasids[i].unmapped = true;
}

static void reset_device(void)
{
	step(RESET, "reset");
	look_again();
	ask("0 restart");
	succeed();
}

/* ---- what is done behind its back ---------------------------------------- */

static void send_invalidation(int i, enum vm_unit_invalidation kind)
{
	size_t len = strlen(last);

	snprintf(last + len, sizeof(last) - len, ", invalidate %s", inv_name[kind]);
	ask("0 invalidate %x %x", kind, FIRST + i);
	succeed();
	invalidated[kind]++;
}

/* For a changed PASID-table entry: the PASID cache, of any granularity. */
static void change_entry(int i)
{
	enum vm_unit_entry to = (pasids[i].entry + 1 + rand() % 3) % 4;

	step(ENTRY, "entry %x %x", FIRST + i, to);
	pasids[i].entry = to;
	send_invalidation(i, VM_INV_PASID + rand() % 3);
}

/* For a context entry: the context cache, then the PASID cache behind it. */
static void change_context(void)
{
	step(CONTEXT, "context %d", !has_context);
	has_context = !has_context;
	send_invalidation(0, VM_INV_CONTEXT_DEVICE + rand() % 3);
	send_invalidation(0, VM_INV_PASID_GLOBAL);
}

/* What nothing has changed for is no harm. */
static void change_nothing(void)
{
	snprintf(last, sizeof(last), "nothing");
	send_invalidation(rand() % COUNT, rand() % VM_INV_COUNT);
}

static void change_translation(void)
{
	step(TRANSLATION, "translation %d", !translates);
	translates = !translates;
}

static void change_root(enum vtdsim_unit_root to)
{
	step(ROOT, "root %x", to);
	root = to;
}

static bool visible(void)
{
	return translates && has_context && root != VTDSIM_UNIT_ROOT_EMPTY;
}

static void note_rid(void)
{
	if (!translates)
		rid_stays = true;
	else if (visible())
		rid_stays = false;
}

static void change_unit(void)
{
	switch (rand() % 3) {
	case 0:
		return change_context();
	case 1:
		return change_translation();
	default:
		return change_root(rand() % 3);
	}
}

static void make_visible(void)
{
	if (!translates)
		change_translation();
	else if (!has_context)
		change_context();
	else
		change_root(VTDSIM_UNIT_ROOT_COPY);
}

/* An entry that is not as the driver left it is none to detach. */
static void change_pasid(int i)
{
	if (!pasids[i].attached)
		attach_one(i);
	else if (pasids[i].entry || rand() % 2)
		change_entry(i);
	else if (pasids[i].unmapped || rand() % 2)
		detach_one(i);
	else
		unmap_page(i);
}

static void random_step(void)
{
	if (rand() % 20 == 0)
		reset_device();
	else if (rand() % 8 == 0)
		change_nothing();
	else if (!visible() && rand() % 2)
		make_visible();
	else if (rand() % 4 == 0)
		change_unit();
	else
		change_pasid(rand() % COUNT);
}

/* ---- what must hold ------------------------------------------------------ */

/* A quadword of the guest's entry, out of its answer to "see". */
static __u64 guest_qword(char which, int i)
{
	char key[16];

	snprintf(key, sizeof(key), "%c%x", which, FIRST + i);
	return hex(key);
}

/* The guest's entry, as far as it has its fields from the guest. */
static void guest_entry(int i, struct pasid_fields *f)
{
	__u64 entry[8] = { guest_qword('a', i), 0, guest_qword('b', i) };

	pasid_fields(entry, f);
}

static bool same_first_stage(const struct pasid_fields *a,
			     const struct pasid_fields *b)
{
	return a->fsptptr == b->fsptptr && a->fspm == b->fspm &&
	       a->sre == b->sre && a->wpe == b->wpe && a->eafe == b->eafe;
}

static bool matches(const struct pasid_fields *guest,
		    const struct pasid_fields *unit)
{
	if (!guest->p)
		return !unit->p;
	if (guest->pgtt == PASS_THROUGH)
		return unit->p && unit->pgtt == SECOND_STAGE;
	return unit->p && unit->pgtt == NESTED &&
	       guest->pgtt == FIRST_STAGE && same_first_stage(guest, unit);
}

/* The driver's entry of DMA without PASID does not change. */
static bool is_there(int i)
{
	if (!visible())
		return false;
	return i == NO_PASID ||
	       (pasids[i].attached && pasids[i].entry != VM_ENTRY_ABSENT);
}

static void compare_entry(int i)
{
	bool want = is_there(i);
	struct pasid_fields guest, unit;
	struct vtdsim_explain e;

	guest_entry(i, &guest);
	must(lab_explain(lab, FIRST + i, 0, &e), "explain");
	pasid_fields(e.pasid_entry, &unit);
	if (guest.p == want && matches(&guest, &unit))
		return;
	wrong++;
	tell("after \"%s\": PASID 0x%x, %s", last, FIRST + i,
	     want ? "which is there" : "which is not there");
	tell("the guest's entry: P %u, PGTT %u, table 0x%llx", guest.p,
	     guest.pgtt, guest.fsptptr);
	tell("the real unit's: P %u, PGTT %u, table 0x%llx", unit.p, unit.pgtt,
	     unit.fsptptr);
}

static void compare_dma(int i)
{
	const struct pasid *p = &pasids[i];
	bool right = visible() && p->attached && !p->entry && !p->unmapped;
	int want = right ? VTDSIM_DONE : VTDSIM_FAULT;

	ask("0 read %x 0", FIRST + i);
	if (number("status") == want)
		return;
	wrong++;
	tell("after \"%s\": DMA by PASID 0x%x is %s", last, FIRST + i,
	     lab_status_name(number("status")));
}

/*
 * QEMU 11.1 does nothing when translation goes off: what is attached stays, DMA
 * without PASID by the guest's first stage included, and changes of the guest's
 * tables have no effect until translation is on again.  So there is nothing to
 * compare with before that; from then on, all has to be right.  But if the guest
 * has no context entry then, DMA without PASID stays on the VM's memory until it
 * has one.
 */
static void compare(void)
{
	int i;

	note_rid();
	if (!translates)
		return;
	ask("0 see 0 %x", FIRST + COUNT);
	succeed();
	for (i = rid_stays ? 0 : NO_PASID; i < COUNT; i++)
		compare_entry(i);
	compare_dma(rand() % COUNT);
	compared++;
}

/* ---- the steps ----------------------------------------------------------- */

static void step_boot(void)
{
	step_begin("A guest boots");
	boot_vm(false);
	look_at_device();
	step_end();
}

static void tell_counts(const char *what, const char * const *name,
			const int *counts, int n)
{
	char text[256];
	int i, at = 0;

	for (i = 0; i < n; i++)
		at += snprintf(text + at, sizeof(text) - at, ", %s %d", name[i],
			       counts[i]);
	tell("%s: %s", what, text + 2);
}

static void step_random(int steps, unsigned int seed)
{
	step_begin("It changes its tables and its unit at random");
	tell("%d steps, seed %u", steps, seed);
	srand(seed);
	while (steps-- && wrong < 5) {
		random_step();
		compare();
	}
	tell_counts("steps", step_name, done, STEPS);
	tell_counts("invalidations", inv_name, invalidated, VM_INV_COUNT);
	tell("compared %d times", compared);
	check(!wrong, "%d differences between what the guest's unit has to see and the real unit",
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
