/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_COMMAND_H
#define VTDSIM_COMMAND_H

#include <stdbool.h>

struct unit;

void command_init(struct unit *u);
bool command_poll(struct unit *u);
void write_buffer_flush(struct unit *u);

#endif /* VTDSIM_COMMAND_H */
