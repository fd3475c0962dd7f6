/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_FAILURES_H
#define VTDSIM_FAILURES_H

#include "base.h"

struct ep;

bool ep_answers(struct ep *ep);
bool ep_hears(struct ep *ep);
bool ep_is_late(struct ep *ep);
bool ep_fails_unit(struct ep *ep, bool completion);
u16 ep_names(struct ep *ep, u16 sid);
bool ep_refuses(struct ep *ep, const u64 *d);

#endif /* VTDSIM_FAILURES_H */
