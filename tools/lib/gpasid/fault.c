// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Page requests by the file of linux/gpasid.h: open, read, answer.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "gpasid-vmm.h"

int gvm_faults_open(struct gvm *vm, __u32 limit, __u32 timeout_ms, int *fd)
{
	struct iommu_gpasid_fault_alloc cmd = {
		.size = sizeof(cmd),
		.limit = limit,
		.timeout_ms = timeout_ms,
	};
	int rc = gvm_ioctl(vm->iommufd, IOMMU_GPASID_FAULT_ALLOC, &cmd);

	if (!rc)
		*fd = cmd.out_fault_fd;
	return rc;
}

int gvm_faults_read(int fd, struct iommu_gpasid_fault *f, int max, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, ms) <= 0)
		return 0;
	n = read(fd, f, max * sizeof(*f));
	return n < 0 ? -errno : (int)(n / (ssize_t)sizeof(*f));
}

int gvm_faults_answer(int fd, __u64 cookie, __u32 code)
{
	struct iommu_gpasid_fault_response r = {
		.cookie = cookie,
		.code = code,
	};
	ssize_t n = write(fd, &r, sizeof(r));

	if (n < 0)
		return -errno;
	return n == sizeof(r) ? 0 : -EIO;
}
