// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * libgpasid: page requests of host-wide PASIDs.
 */
#include "gpasid.h"
#include "internal.h"

int gpasid_faults_open(int iommufd, __u32 limit, __u32 timeout_ms, int *fd)
{
	struct iommu_gpasid_fault_alloc cmd = {
		.size = sizeof(cmd),
		.limit = limit,
		.timeout_ms = timeout_ms,
	};
	int rc = gpasid_ioctl(iommufd, IOMMU_GPASID_FAULT_ALLOC, &cmd);

	if (!rc)
		*fd = cmd.out_fault_fd;
	return rc;
}

int gpasid_faults_read(int fd, struct iommu_gpasid_fault *faults, int max,
		       int timeout_ms)
{
	return gpasid_read(fd, faults, sizeof(*faults), max, timeout_ms);
}

int gpasid_faults_answer(int fd, __u64 cookie, __u32 code)
{
	struct iommu_gpasid_fault_response r = {
		.cookie = cookie,
		.code = code,
	};

	return gpasid_write(fd, &r, sizeof(r));
}
