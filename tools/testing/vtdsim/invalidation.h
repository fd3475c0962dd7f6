/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_INVALIDATION_H
#define VTDSIM_INVALIDATION_H

#include "base.h"

struct unit;

bool invalidation_poll(struct unit *u);
void invalidation_context(struct unit *u, const u64 *d);
void invalidation_iotlb(struct unit *u, const u64 *d);

#endif /* VTDSIM_INVALIDATION_H */
