/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vsva: a virtual VT-d unit beside an unmodified QEMU.
 *
 * The guest's RAM is a memory file that QEMU and this process share.  One page
 * of it is the unit's registers (page.c): the guest's firmware table says so, and
 * the guest's command line keeps its kernel from using it as memory.  What the
 * unit binds is carried out on the device that QEMU passes through (host.c).
 */
#ifndef VSVA_H
#define VSVA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "../lib/vtd/iommufd.h"
#include "../lib/vtd/platform.h"
#include "../lib/vtd/vtd.h"

#define MAX_MESSAGES	16

/* ---- fail.c ---------------------------------------------------------------- */

/* Say why on stderr and exit with 1. */
noreturn void fail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* ---- memory.c -------------------------------------------------------------- */

/**
 * struct memory - The guest's memory
 * @ram: all of it, mapped; must be the first member
 * @fd: the memory file
 */
struct memory {
	struct ram ram;
	int fd;
};

void memory_create(struct memory *memory, uint64_t size);

/* ---- dmar.c ---------------------------------------------------------------- */

/*
 * The ACPI table by which the guest finds the unit at @registers, which is that
 * of the one function @devfn on bus 0.  Returns its length.
 */
size_t dmar_build(uint8_t *buf, size_t size, uint64_t registers, uint8_t devfn,
		  unsigned int address_bits);

/* ---- page.c ---------------------------------------------------------------- */

/**
 * struct page - The register page, as the guest has it in memory
 * @mem: the page
 * @v: the unit
 * @shown: what was last put there, or last taken from there
 * @held: status bits that are shown though the unit has them no more
 * @cleared: the guest has cleared a fault record
 */
struct page {
	uint8_t *mem;
	struct vvtd *v;
	uint8_t shown[VVTD_REGISTERS] __attribute__((aligned(8)));
	uint32_t held[VVTD_REGISTERS / 4];
	bool cleared;
};

/* All registers anew: of a unit that has just been made, or reset. */
void page_init(struct page *page, uint8_t *mem, struct vvtd *v);

/* Hand the guest's writes to the unit; true if there were any. */
bool page_take(struct page *page);

/* Show the guest what the unit's registers hold now. */
void page_show(struct page *page);

/*
 * Before what may raise an event: let it be raised even where the guest may have
 * cleared the status of the last one without that having been seen.
 */
void page_rearm(struct page *page);

/*
 * The message of the fault event: the guest has cleared records, and others stand
 * that it may not have seen.
 */
bool page_more_faults(struct page *page, uint64_t *addr, uint32_t *data);

/* ---- host.c ---------------------------------------------------------------- */

/**
 * struct counts - What the host was asked for
 * @binds: bindings that appeared
 * @replaces: that changed
 * @unbinds: that ended
 * @invalidations: of translations of a binding
 * @requests: page requests that the host handed on
 * @responses: answers to groups of them
 * @calls: system calls for all this
 */
struct counts {
	uint64_t binds;
	uint64_t replaces;
	uint64_t unbinds;
	uint64_t invalidations;
	uint64_t requests;
	uint64_t responses;
	uint64_t calls;
};

/**
 * struct host - The device that is passed through
 * @dev: for libvvtd; must be the first member
 * @guest: its place below the unit
 * @counts: see there
 */
struct host {
	struct vvtd_iommufd dev;
	struct vvtd_dev *guest;
	struct counts counts;
};

/* Open /dev/iommu and the VFIO device file of the function at @address. */
void host_open(struct host *host, const char *address);

/*
 * QEMU has bound and attached the device: find it, map the guest's memory, make
 * the nest parent and the queue for page requests.
 */
void host_prepare(struct host *host, const struct memory *memory);

/* What libvvtd asks a host for. */
extern const struct vvtd_ops host_ops;

/* Take page requests from the host; returns how many. */
int host_page_requests(struct host *host);

void host_close(struct host *host);

/* ---- qemu.c ---------------------------------------------------------------- */

/**
 * struct qemu - QEMU, which runs until qemu_wait() has seen it end
 * @pid: its process
 * @qtest_in: for the unit's interrupts
 * @qtest_out: what it answers
 * @qmp_in: to its monitor
 * @qmp_out: from it
 * @line: what the monitor has said and was not looked at
 * @used: bytes of it
 */
struct qemu {
	pid_t pid;
	int qtest_in;
	int qtest_out;
	int qmp_in;
	int qmp_out;
	char line[4096];
	size_t used;
};

/**
 * struct qemu_setup - What QEMU is told beside what the caller says
 * @iommufd: /dev/iommu
 * @vfio: the device file
 * @memory: the guest's
 * @dmar: file with the ACPI table
 * @devfn: where the guest finds the function, on bus 0
 */
struct qemu_setup {
	int iommufd;
	int vfio;
	const struct memory *memory;
	int dmar;
	uint8_t devfn;
};

/* Start it with its processors stopped, and wait until its devices are there. */
void qemu_start(struct qemu *q, char **argv, const struct qemu_setup *setup);

/* Let the guest's processors run. */
void qemu_continue(struct qemu *q);

enum qemu_event {
	QEMU_NOTHING,
	QEMU_RESET,
	QEMU_ENDS,
};

/* What the monitor has said meanwhile. */
enum qemu_event qemu_event(struct qemu *q);

/* A message-signalled interrupt of the unit. */
void qemu_message(struct qemu *q, uint64_t addr, uint32_t data);

/* Wait for the end; returns the exit status. */
int qemu_wait(struct qemu *q);

#endif /* VSVA_H */
