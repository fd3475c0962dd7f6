// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes in a guest, as the host sees them.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "story.h"
#include "vm_process.h"

void start_process(struct process *p, int slot)
{
	ask("0 start %d", slot);
	if (!check(!number("rc"), "process %d binds: rc %ld", slot,
		   number("rc")))
		give_up();
	p->slot = slot;
	p->pasid = number("pasid");
	p->len = number("len");
	p->table = hex("table");
	p->from = hex("from");
	p->to = hex("to");
	p->shared = hex("shared");
}

void check_entry(const struct process *p, struct pasid_fields *f)
{
	struct vtdsim_explain e;

	must(lab_explain(lab, p->pasid, p->from, &e), "explain");
	pasid_fields(e.pasid_entry, f);
	check(f->p && f->pgtt == VM_NESTED, "PASID 0x%x: present and nested",
	      p->pasid);
	check(p->table && f->fsptptr == p->table,
	      "first stage: the table that the guest wrote into its own entry, 0x%llx",
	      p->table);
	check(!e.reason, "0x%llx translates", p->from);
}

void check_copy(const struct process *p)
{
	ask("%d copy", p->slot);
	check(number("status") == VTDSIM_DONE, "process %d: the copy is %s",
	      p->slot, lab_status_name(number("status")));
	check(number("same") == p->len, "%ld of %u bytes are right, %ld us",
	      number("same"), p->len, number("us"));
}

void check_shared(const struct process *p)
{
	char want[64];

	snprintf(want, sizeof(want), "the page of process %d", p->slot);
	ask("%d read %llx", p->slot, p->shared);
	check(number("status") == VTDSIM_DONE && !strcmp(word("text"), want),
	      "PASID 0x%x at 0x%llx: \"%s\"", p->pasid, p->shared, word("text"));
}

void start_spinning(struct process *p, int slot)
{
	struct vtdsim_counters a, b;

	start_process(p, slot);
	ask("%d spin", slot);
	must(lab_counters(lab, &a), "counters");
	usleep(300000);
	must(lab_counters(lab, &b), "counters");
	check(b.e_bytes > a.e_bytes, "its DMA runs: %llu bytes in 0.3 s",
	      b.e_bytes - a.e_bytes);
}
