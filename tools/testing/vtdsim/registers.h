/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_REGISTERS_H
#define VTDSIM_REGISTERS_H

#include <stdbool.h>

struct unit;

void registers_init(struct unit *u);
bool registers_poll(struct unit *u);

#endif /* VTDSIM_REGISTERS_H */
