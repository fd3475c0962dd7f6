// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often QEMU asks the host's iommufd and VFIO for something.
 *
 * This is preloaded into an unmodified QEMU: its ioctls pass through here and are
 * counted in a file, which the program that has started QEMU reads (lab_vm.c).
 */
#define _GNU_SOURCE
#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

/* One letter marks the ioctls of both. */
static_assert(IOMMUFD_TYPE == VFIO_TYPE, "the type of what is counted");

static unsigned long long *calls;

static void __attribute__((constructor)) map_counter(void)
{
	const char *path = getenv("VM_CALLS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*calls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	calls = p == MAP_FAILED ? NULL : p;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (calls && _IOC_TYPE(request) == IOMMUFD_TYPE)
		__atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
	return syscall(SYS_ioctl, fd, request, arg);
}
