/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What reaches a unit, and what becomes of it.
 */
#ifndef VTDSIM_REQUEST_H
#define VTDSIM_REQUEST_H

#include "base.h"
#include "caches.h"

/* Address type of a request, as in its TLP. */
enum at {
	AT_UNTRANSLATED = 0,
	AT_TRANSLATION = 1,	/* ATS translation request */
	AT_TRANSLATED = 2,
};

/* A request that reaches the unit. */
struct request {
	u16 sid;
	u8 at;
	bool has_pasid;
	bool priv;
	bool exec;
	bool read;
	bool write;
	bool page_request;
	u32 pasid;
	u64 addr;
	u32 len;
};

/* What became of it. */
struct translation {
	u8 reason;		/* enum fault_reason; FR_NONE: translated */
	bool fpd;		/* an entry on the way disables fault processing */
	bool aborted;		/* blocked before any structure was read */
	bool read;		/* permissions of the translation, for ATS */
	bool write;
	bool exec;
	bool needs_dirty;	/* peek: a write would have to set a dirty bit */
	u8 level;		/* page size: 1: 4 KiB, 2: 2 MiB, 3: 1 GiB */
	u8 pgtt;
	u16 did;
	u64 hpa;
	u64 gpa;		/* nested */
	struct age age;		/* of what it was made from */
	u64 pe[8];
};

#endif /* VTDSIM_REQUEST_H */
