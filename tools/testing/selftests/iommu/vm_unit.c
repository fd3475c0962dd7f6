// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a guest: its PASID table, context entry and unit, changed behind its
 * kernel's back by the lab's module vtdsim_unit.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../vtdsim/module/vtdsim_unit.h"
#include "vm_unit.h"

#define MAX_PASIDS	64

/* Of a scalable-mode PASID-table entry, first and third quadword. */
#define PRESENT		1ULL
#define PGTT		(7ULL << 6)
#define PGTT_PASS	(4ULL << 6)
#define TABLE		(~0ULL << 12)
#define DID(qw1)	((qw1) & 0xffff)

/* Descriptors, VT-d "Context-cache Invalidate Descriptor" and the next. */
#define DESC_CONTEXT	1ULL
#define DESC_PASID	7ULL
#define CONTEXT_GLOBAL	(1ULL << 4)
#define CONTEXT_DOMAIN	(2ULL << 4)
#define CONTEXT_DEVICE	(3ULL << 4)
#define PASID_DOMAIN	(0ULL << 4)
#define PASID_ONE	(1ULL << 4)
#define PASID_GLOBAL	(3ULL << 4)

/* Entries as the driver wrote them, of PASIDs that are changed. */
static struct saved {
	bool changed;
	struct vtdsim_unit_entry e;
} saved[MAX_PASIDS];

static int call(unsigned long cmd, void *arg)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/vtdsim_unit", O_RDWR | O_CLOEXEC);
	return fd < 0 || ioctl(fd, cmd, arg) ? -errno : 0;
}

/* Bus, device and function of the endpoint, as the unit knows it. */
static unsigned int source_id(void)
{
	unsigned int bus, dev, fn;

	if (sscanf(endpoint(0), "%*x:%x:%x.%x", &bus, &dev, &fn) != 3)
		return 0;
	return bus << 8 | dev << 3 | fn;
}

static int get(unsigned int pasid, struct vtdsim_unit_entry *e)
{
	e->sid = source_id();
	e->pasid = pasid;
	return call(VTDSIM_UNIT_GET, e);
}

static int save(struct saved *s, unsigned int pasid)
{
	int rc = s->changed ? 0 : get(pasid, &s->e);

	s->changed = !rc;
	return rc;
}

static int change(struct vtdsim_unit_entry *e, unsigned long long kind)
{
	struct vtdsim_unit_entry rid;
	int rc = 0;

	switch (kind) {
	case VM_ENTRY_DRIVER:
		break;
	case VM_ENTRY_ABSENT:
		e->qw[0] &= ~PRESENT;
		break;
	case VM_ENTRY_PASS:
		e->qw[0] = (e->qw[0] & ~PGTT) | PGTT_PASS;
		break;
	case VM_ENTRY_MOVED:
		rc = get(0, &rid);
		e->qw[2] = (e->qw[2] & ~TABLE) | (rid.qw[2] & TABLE);
		break;
	default:
		rc = -EINVAL;
	}
	return rc;
}

void unit_entry(unsigned long long pasid, unsigned long long kind)
{
	struct saved *s = &saved[pasid % MAX_PASIDS];
	struct vtdsim_unit_entry e;
	int rc = save(s, pasid);

	e = s->e;
	if (!rc)
		rc = change(&e, kind);
	if (!rc)
		rc = call(VTDSIM_UNIT_SET, &e);
	if (!rc && kind == VM_ENTRY_DRIVER)
		s->changed = false;
	answer("rc=%d", rc);
}

/* Of each PASID the first and third quadword, as the unit has to see them. */
void unit_see(unsigned long long pasid, unsigned long long count)
{
	struct vtdsim_unit_entry e = { .sid = source_id() };
	char text[900] = "";
	size_t at = 0;
	int rc = 0;

	for (; !rc && count-- && at < sizeof(text); pasid++) {
		e.pasid = pasid;
		rc = call(VTDSIM_UNIT_SEE, &e);
		at += snprintf(text + at, sizeof(text) - at, " a%llx=%llx b%llx=%llx",
			       pasid, (unsigned long long)e.qw[0], pasid,
			       (unsigned long long)e.qw[2]);
	}
	answer("rc=%d%s", at < sizeof(text) ? rc : -E2BIG, text);
}

void unit_context(unsigned long long present, unsigned long long unused)
{
	struct vtdsim_unit_context c = {
		.sid = source_id(), .present = present,
	};

	(void)unused;
	answer("rc=%d", call(VTDSIM_UNIT_CONTEXT, &c));
}

void unit_translation(unsigned long long on, unsigned long long unused)
{
	__u32 val = on;

	(void)unused;
	answer("rc=%d", call(VTDSIM_UNIT_TRANSLATION, &val));
}

void unit_root(unsigned long long which, unsigned long long unused)
{
	__u32 val = which;

	(void)unused;
	answer("rc=%d", call(VTDSIM_UNIT_ROOT, &val));
}

static __u64 descriptor(unsigned long long kind, __u64 pasid, __u64 did)
{
	switch (kind) {
	case VM_INV_PASID:
		return DESC_PASID | PASID_ONE | did << 16 | pasid << 32;
	case VM_INV_PASID_DOMAIN:
		return DESC_PASID | PASID_DOMAIN | did << 16;
	case VM_INV_PASID_GLOBAL:
		return DESC_PASID | PASID_GLOBAL;
	case VM_INV_CONTEXT_DEVICE:
		return DESC_CONTEXT | CONTEXT_DEVICE | (__u64)source_id() << 32;
	case VM_INV_CONTEXT_DOMAIN:
		return DESC_CONTEXT | CONTEXT_DOMAIN | did << 16;
	default:
		return DESC_CONTEXT | CONTEXT_GLOBAL;
	}
}

void unit_invalidate(unsigned long long kind, unsigned long long pasid)
{
	struct vtdsim_unit_entry e;
	struct vtdsim_unit_desc d = { };
	int rc = get(pasid, &e);

	if (!rc)
		d.qw[0] = descriptor(kind, pasid, DID(e.qw[1]));
	if (!rc)
		rc = call(VTDSIM_UNIT_INVALIDATE, &d);
	answer("rc=%d", rc);
}
