/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GPASID_CHECK_H
#define GPASID_CHECK_H

#include <stdbool.h>

/* gpasid check: @nr devices, or with 0 all that have PASIDs; the exit status. */
int check_host(bool json, int nr, char **devices);

/* Capabilities of a device in words, into @text. */
struct caps;
void check_words(const struct caps *c, char *text, int size);

#endif /* GPASID_CHECK_H */
