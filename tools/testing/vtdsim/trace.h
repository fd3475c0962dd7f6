/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_TRACE_H
#define VTDSIM_TRACE_H

#include <stdio.h>
#include "base.h"

struct request;
struct sim;
struct translation;
struct unit;

void trace_desc(struct unit *u, const u64 *d);
void trace_translation(struct unit *u, const struct request *rq,
		       const struct translation *t);
void trace_note(struct unit *u, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void counters_print(struct sim *sim, FILE *f);

#endif /* VTDSIM_TRACE_H */
