/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_WALK_H
#define VTDSIM_WALK_H

#include "base.h"

struct walk;

u8 walk_pages(struct walk *w);

#endif /* VTDSIM_WALK_H */
