/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_TOPOLOGY_H
#define VTDSIM_TOPOLOGY_H

#include "base.h"

struct ep;
struct sim_config;
struct unit;

struct ep *unit_find_ep(struct unit *u, u16 sid);
u8 topology_port(u32 unit);
u8 topology_devfn(const struct sim_config *cfg, u32 unit, u32 e);
u16 topology_sid(const struct sim_config *cfg, u32 unit, u32 e);
u64 topology_bar(const struct sim_config *cfg, u32 unit, u32 e);

#endif /* VTDSIM_TOPOLOGY_H */
