// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of host-wide PASIDs, for a VM of the tests.
 */
#include <gpasid.h>

#include "gvm.h"

int gvm_faults_open(struct gvm *vm, __u32 limit, __u32 timeout_ms, int *fd)
{
	return gpasid_faults_open(vm->iommufd, limit, timeout_ms, fd);
}

int gvm_faults_read(int fd, struct iommu_gpasid_fault *f, int max, int ms)
{
	return gpasid_faults_read(fd, f, max, ms);
}

int gvm_faults_answer(int fd, __u64 cookie, __u32 code)
{
	return gpasid_faults_answer(fd, cookie, code);
}
