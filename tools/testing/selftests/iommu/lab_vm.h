/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM in the lab's host: QEMU with the arguments that `scripts/lab vm` left in
 * /lab/vmN.args, one in a line.  Its program port (second serial port) ends in
 * two pipes here; what the guest's kernel and QEMU say goes to the host's
 * kernel log, each line after "vmN: ".
 */
#ifndef LAB_VM_H
#define LAB_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LAB_VM_LINE	1024

/**
 * struct lab_vm - A QEMU that runs, or has ended
 * @index: which one: 0 ...
 * @pid: QEMU, or 0
 * @log_pid: who passes its log on
 * @in: to the guest's program
 * @out: from it
 * @monitor: to QEMU's monitor, and from it
 * @listens: the monitor takes commands and reports events
 * @said: the monitor's last line
 * @deleted: the last device that has left QEMU since the last command
 * @status: exit status of the program in the guest, or -1
 * @used: bytes in @held
 * @held: a line that is not complete
 */
struct lab_vm {
	int index;
	pid_t pid, log_pid;
	int in, out;
	int monitor[2];
	bool listens;
	char said[LAB_VM_LINE];
	char deleted[16];
	int status;
	size_t used;
	char held[LAB_VM_LINE];
};

/* How many VMs there are arguments for. */
int lab_vm_count(void);

/* Start QEMU; @reboots: the guest may do so.  0 or a negative errno. */
int lab_vm_start(struct lab_vm *vm, int index, bool reboots);

/*
 * How many ioctls of iommufd and VFIO QEMU has made since it was started: ENOENT
 * unless vm_calls.so was pushed to count them.
 */
int lab_vm_calls(const struct lab_vm *vm, unsigned long long *calls);

/* SIGKILL, at once; then all is over and closed. */
void lab_vm_kill(struct lab_vm *vm);

/* Wait for QEMU to end by itself: ETIMEDOUT. */
int lab_vm_wait(struct lab_vm *vm, unsigned int ms);

/*
 * A line of the guest's program without its end: EPIPE when there is no more,
 * ETIMEDOUT.
 */
int lab_vm_read(struct lab_vm *vm, char line[LAB_VM_LINE], unsigned int ms);

/* A line to the guest's program. */
int lab_vm_write(struct lab_vm *vm, const char *line);

/*
 * Greet QEMU's monitor (QMP), which reports events from then on; those who wait
 * for what no command of theirs has asked for do it beforehand.
 */
int lab_vm_listen(struct lab_vm *vm);

/*
 * A command to the monitor, its arguments the inside of a JSON object.
 * vm->said is what it answers: EPROTO when that is an error.
 */
int lab_vm_command(struct lab_vm *vm, const char *name, const char *arguments);

/* Wait until a device has left QEMU since the last command: ETIMEDOUT. */
int lab_vm_wait_deleted(struct lab_vm *vm, const char *id, unsigned int ms);

/* What QEMU wrote to its standard error so far, cut to fit. */
const char *lab_vm_errors(const struct lab_vm *vm, char *buf, size_t size);

/*
 * How many of @len bytes that the guest wrote are the program's.  The rest is,
 * or may become, the mark with the exit status; vm->status is set when that is
 * whole.
 */
size_t lab_vm_output(struct lab_vm *vm, const char *buf, size_t len);

#endif /* LAB_VM_H */
