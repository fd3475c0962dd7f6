/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_SIM_H
#define VTDSIM_SIM_H

#include "base.h"

struct sim;
struct sim_config;

int sim_init(struct sim *sim, const struct sim_config *cfg, u8 *ram, u64 size);
void sim_destroy(struct sim *sim);
bool sim_poll(struct sim *sim);

#endif /* VTDSIM_SIM_H */
