/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/vtdsim_unit: a VT-d unit's registers, queue and tables, for tests that
 * change them under the kernel's driver.
 */
#ifndef VTDSIM_UNIT_H
#define VTDSIM_UNIT_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* An entry of the PASID table of the function at bus << 8 | devfn. */
struct vtdsim_unit_entry {
	__u32 sid;
	__u32 pasid;
	__u64 qw[8];
};

/* What VTDSIM_UNIT_ROOT points the unit at. */
enum vtdsim_unit_root {
	VTDSIM_UNIT_ROOT_DRIVER,	/* the driver's own root table */
	VTDSIM_UNIT_ROOT_COPY,		/* another page with the same in it */
	VTDSIM_UNIT_ROOT_EMPTY,		/* a page without an entry */
};

struct vtdsim_unit_context {
	__u32 sid;
	__u32 present;
};

struct vtdsim_unit_desc {
	__u64 qw[2];
};

/*
 * The entry as the unit finds it, from its root pointer on: zeroes when
 * translation is off or something on the way is not present.
 */
#define VTDSIM_UNIT_SEE		_IOWR('V', 0x71, struct vtdsim_unit_entry)
/* The entry as it is in the driver's tables; and write it there. */
#define VTDSIM_UNIT_GET		_IOWR('V', 0x72, struct vtdsim_unit_entry)
#define VTDSIM_UNIT_SET		_IOW('V', 0x73, struct vtdsim_unit_entry)
/* Set or clear the present bit of the function's context entry. */
#define VTDSIM_UNIT_CONTEXT	_IOW('V', 0x74, struct vtdsim_unit_context)
/* Translation off (0) or on; the root table, enum vtdsim_unit_root. */
#define VTDSIM_UNIT_TRANSLATION	_IOW('V', 0x75, __u32)
#define VTDSIM_UNIT_ROOT	_IOW('V', 0x76, __u32)
/* Have the unit execute an invalidation descriptor, and wait for it. */
#define VTDSIM_UNIT_INVALIDATE	_IOW('V', 0x77, struct vtdsim_unit_desc)

#endif /* VTDSIM_UNIT_H */
