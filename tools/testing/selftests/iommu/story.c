// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling a story, and counting its steps.
 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "story.h"

static int passed, failed, step, broken;
static long long start_us, step_us;

long long story_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

void step_begin(const char *title)
{
	step_us = story_us();
	if (!start_us)
		start_us = step_us;
	broken = 0;
	printf("\n[%6.2f s] %d. %s\n", (step_us - start_us) / 1e6, ++step,
	       title);
	fflush(stdout);
}

void step_end(void)
{
	if (broken)
		failed++;
	else
		passed++;
	printf("      step %d %s, %.2f s\n", step, broken ? "FAILED" : "passed",
	       (story_us() - step_us) / 1e6);
	fflush(stdout);
}

void tell(const char *fmt, ...)
{
	va_list ap;

	printf("      ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

bool check(bool ok, const char *fmt, ...)
{
	va_list ap;

	printf("  %s", ok ? "ok  " : "BAD ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!ok)
		broken++;
	return ok;
}

int story_end(const char *name, int steps)
{
	printf("\n[%6.2f s] %s: %d steps passed, %d failed\n",
	       (story_us() - start_us) / 1e6, name, passed, failed);
	fflush(stdout);
	return failed || passed != steps;
}
