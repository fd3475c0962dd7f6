/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gpasid: JSON, written as it comes.
 */
#ifndef GPASID_OUT_H
#define GPASID_OUT_H

#include <stdbool.h>

/* @key NULL: an element of an array, or the whole. */
void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_string(const char *key, const char *value);
void json_number(const char *key, unsigned long long value);
void json_bool(const char *key, bool value);
void json_end(void);

#endif /* GPASID_OUT_H */
