/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's side of a story needs: VMs to ask, and the real unit above
 * their endpoints to look at.
 */
#ifndef VM_HOST_H
#define VM_HOST_H

#include <stdnoreturn.h>
#include <linux/types.h>

#include "lab_dev.h"
#include "lab_vm.h"

/* Endpoints of VM 0 and VM 1: on one unit. */
#define VM_SIDES	2
#define VM_DEV_0	"0001:00:00.0"
#define VM_DEV_1	"0001:00:01.0"

/* The VM that is spoken of, and its endpoint; first VM 0. */
extern struct lab_vm *vm;
extern struct lab_dev *lab;
void vm_select(int index);

/* The name of the story, and how many steps it has: before all else. */
void vm_begin(const char *name, int steps);

/* It cannot go on: say what QEMU said, and end. */
noreturn void give_up(void);
void must(int rc, const char *what);

/* Start the VM, and listen to the first words of the program in it. */
void boot_vm(bool reboots);
void hear_guest(void);

/*
 * QEMU takes the VM's endpoint into the slot of its root port, under that name: 0
 * or EPROTO, and vm->said says why.
 */
int plug_endpoint(const char *id);

/* A request to the program in the guest; its answer is kept. */
void ask(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The value after " KEY=" in the answer, as text, a number, a hex number. */
const char *word(const char *key);
long number(const char *key);
__u64 hex(const char *key);

/* Look at the unit through the endpoint's BAR; again after a reset of it. */
void look_at_device(void);
void look_again(void);

/* What the unit got in between. */
void count_begin(void);
struct vtdsim_counters count_end(void);

/* No translation from a cache was wrong up to now. */
void check_oracle(void);

/* Nothing is left of a PASID (0: of all but the RID's) at the real unit. */
void check_nothing_left(__u32 pasid);

/* The same of one endpoint, when another on the unit may use the number. */
void check_no_entry(__u32 pasid);

#endif /* VM_HOST_H */
