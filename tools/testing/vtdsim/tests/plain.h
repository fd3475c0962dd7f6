/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion: what the specification says a translation comes to, by the
 * shortest way and without a cache.  It shares nothing with the unit but the
 * numbers of the fault reasons.
 */
#ifndef VTDSIM_PLAIN_H
#define VTDSIM_PLAIN_H

#include "harness.h"

struct plain_request {
	u64 addr;
	bool write, exec, priv;		/* not write: read */
};

/* @pe: the PASID-table entry.  Returns a fault reason, or 0 and @hpa. */
u8 plain_translate(struct world *w, const u64 *pe,
		   const struct plain_request *rq, u64 *hpa);

#endif /* VTDSIM_PLAIN_H */
