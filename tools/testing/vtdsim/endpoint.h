/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_ENDPOINT_H
#define VTDSIM_ENDPOINT_H

#include "base.h"

struct ep;
struct ep_config;

void ep_init(struct ep *ep, const struct ep_config *cfg);
void ep_destroy(struct ep *ep);
bool ep_poll(struct ep *ep);
void ep_invalidate(struct ep *ep, bool has_pasid, u32 pasid, bool global,
		   u64 addr, u64 size);
void ep_drain(struct ep *ep, bool translated, bool reads, bool writes);
void ep_show_counters(struct ep *ep);

#endif /* VTDSIM_ENDPOINT_H */
