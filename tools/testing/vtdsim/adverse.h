/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_ADVERSE_H
#define VTDSIM_ADVERSE_H

#include "base.h"

struct sim;
struct unit;

u64 sim_random(struct sim *sim);
bool sim_evict(struct unit *u);
bool adverse_chance(struct unit *u, u32 permille);
u32 adverse_rest(struct unit *u);
u32 adverse_flight(struct unit *u);
u32 adverse_message(struct unit *u, bool response);
void adverse_pause(struct unit *u);
u8 adverse_level(struct unit *u, u8 level);

#endif /* VTDSIM_ADVERSE_H */
