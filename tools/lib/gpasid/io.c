// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * libgpasid: system calls that return a negative errno.
 */
#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

int gpasid_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

int gpasid_read(int fd, void *records, size_t size, int max, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return 0;
	n = read(fd, records, max * size);
	return n < 0 ? -errno : (int)(n / size);
}

int gpasid_write(int fd, const void *record, size_t size)
{
	ssize_t n = write(fd, record, size);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}
