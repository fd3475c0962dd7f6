/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef GPASID_INTERNAL_H
#define GPASID_INTERNAL_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

/* One ioctl; a negative errno in place of -1. */
int gpasid_ioctl(int fd, unsigned long cmd, void *arg);

/* Up to @max records of @size bytes: how many, or a negative errno. */
int gpasid_read(int fd, void *records, size_t size, int max, int timeout_ms);

/* All of it, or a negative errno. */
int gpasid_write(int fd, const void *record, size_t size);

#pragma GCC visibility pop

#endif /* GPASID_INTERNAL_H */
