// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpasid: JSON, written as it comes.
 */
#include <stdio.h>

#include "out.h"

static bool more;	/* something stands before, on this level */

static void json_quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void json_key(const char *key)
{
	if (more)
		printf(", ");
	more = true;
	if (!key)
		return;
	json_quoted(key);
	printf(": ");
}

void json_open(const char *key, char bracket)
{
	json_key(key);
	putchar(bracket);
	more = false;
}

void json_close(char bracket)
{
	putchar(bracket);
	more = true;
}

void json_string(const char *key, const char *value)
{
	json_key(key);
	json_quoted(value);
}

void json_number(const char *key, unsigned long long value)
{
	json_key(key);
	printf("%llu", value);
}

void json_bool(const char *key, bool value)
{
	json_key(key);
	printf(value ? "true" : "false");
}

void json_end(void)
{
	putchar('\n');
	fflush(stdout);
	more = false;
}
