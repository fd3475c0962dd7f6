/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_CENSUS_H
#define VTDSIM_CENSUS_H

#include "base.h"

struct ep;
struct vtdsim_census;

void census(struct ep *ep, bool one, u32 pasid, struct vtdsim_census *out);

#endif /* VTDSIM_CENSUS_H */
