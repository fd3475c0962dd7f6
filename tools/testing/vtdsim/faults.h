/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_FAULTS_H
#define VTDSIM_FAULTS_H

#include "base.h"

struct request;
struct unit;

void fault_record(struct unit *u, const struct request *rq, u8 reason);
void faults_poll(struct unit *u);
void faults_watch(struct unit *u);
const char *fault_text(u8 reason);

#endif /* VTDSIM_FAULTS_H */
