/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_STRUCTURES_H
#define VTDSIM_STRUCTURES_H

#include "base.h"

struct walk;

u8 find_context(struct walk *w);
u8 find_pasid_entry(struct walk *w);

#endif /* VTDSIM_STRUCTURES_H */
