/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A story in numbered steps: what is told, and what must hold in it.
 */
#ifndef STORY_H
#define STORY_H

#include <stdbool.h>

long long story_us(void);

void step_begin(const char *title);
void step_end(void);

/* A line of the current step. */
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A fact that must hold; what it says is printed either way. */
bool check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The last line: "NAME: N steps passed, M failed"; the exit status. */
int story_end(const char *name, int steps);

#endif /* STORY_H */
