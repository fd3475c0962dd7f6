// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end, with a reason in words.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "vsva.h"

void fail(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "vsva: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}
