// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random arguments for every ioctl that this project adds or changes.
 *
 * Several processes, each a VM with a device, call with sizes, flags, pointers,
 * numbers and object IDs that are sometimes right.  Nothing may come of it but 0
 * and the errnos that the ABI has; afterwards no device has an entry left, and
 * the kernel's log is clean (the lab's --check-log).
 *
 * gpasid_fuzz [CALLS [SEED]]
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "gpasid_utils.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define CALLS		100000
#define NR_WORDS	24	/* longer than any structure */
#define PAGE		4096

/* @bytes: of the structure; @on_device: for the VFIO device file. */
struct target {
	const char *name;
	unsigned long cmd;
	unsigned int bytes;
	bool on_device;
};

#define ON_IOMMU(cmd, type)	{ #cmd, cmd, sizeof(struct type), false }
#define ON_DEVICE(cmd, type)	{ #cmd, cmd, sizeof(struct type), true }

static const struct target target[] = {
	ON_IOMMU(IOMMU_GPASID_ALLOC, iommu_gpasid_alloc),
	ON_IOMMU(IOMMU_GPASID_FREE, iommu_gpasid_free),
	ON_IOMMU(IOMMU_GPASID_LOOKUP, iommu_gpasid_lookup),
	ON_IOMMU(IOMMU_GPASID_QUOTA, iommu_gpasid_quota),
	ON_IOMMU(IOMMU_GPASID_INVALIDATE, iommu_gpasid_invalidate),
	ON_IOMMU(IOMMU_GPASID_FAULT_ALLOC, iommu_gpasid_fault_alloc),
	ON_IOMMU(IOMMU_GET_HW_INFO, iommu_hw_info),
	ON_IOMMU(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc),
	ON_IOMMU(IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate),
	ON_IOMMU(IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc),
	ON_IOMMU(IOMMU_DESTROY, iommu_destroy),
	ON_DEVICE(VFIO_DEVICE_GPASID_BIND, vfio_device_gpasid_bind),
	ON_DEVICE(VFIO_DEVICE_GPASID_UNBIND, vfio_device_gpasid_unbind),
	ON_DEVICE(VFIO_DEVICE_GPASID_INFO, vfio_device_gpasid_info),
	ON_DEVICE(VFIO_DEVICE_ATTACH_IOMMUFD_PT, gvm_attach_pt),
	ON_DEVICE(VFIO_DEVICE_DETACH_IOMMUFD_PT, gvm_detach_pt),
};

/* What a call may end with, apart from 0. */
static const int allowed[] = {
	EINVAL, EOPNOTSUPP, ENOENT, EEXIST, EBUSY, ENOSPC, ENOMEM, ENODEV, EFAULT,
	E2BIG, EPERM, EMFILE, ENOTTY, EADDRINUSE,
};

struct fuzzer {
	struct bench b;
	struct process p;
	unsigned int seed;
	char *page;	/* writable, then a page that is not */
	__u32 word[NR_WORDS];
};

static unsigned int pick(struct fuzzer *f, unsigned int n)
{
	return rand_r(&f->seed) % n;
}

static __u32 any_word(struct fuzzer *f)
{
	static const __u32 some[] = {
		0, 1, 2, 3, 4, 8, 48, 57, 0x101, 0xfffff, 0x100000, 0x7fffffff,
		0x80000000, ~0U - 1, ~0U,
	};

	switch (pick(f, 4)) {
	case 0:
		return some[pick(f, COUNT(some))];
	case 1:
		return 1U << pick(f, 32);
	case 2:
		return pick(f, 24);	/* an object ID, a small number */
	}
	return rand_r(&f->seed) ^ (__u32)rand_r(&f->seed) << 16;
}

static __u64 any_pointer(struct fuzzer *f)
{
	switch (pick(f, 8)) {
	case 0:
		return 0;
	case 1:
		return ~0ULL << 12;
	case 2:
		return (uintptr_t)f->page + PAGE;	/* read only */
	case 3:
		return (uintptr_t)f->page + PAGE - 8;	/* ends in the middle */
	case 4:
		return f->p.pt.root;			/* for the guest's table */
	}
	return (uintptr_t)f->page;
}

static void fill(struct fuzzer *f, const struct target *t)
{
	static const __u32 sizes[] = { 0, 4, 8, 12, 4096, 4097, ~0U };
	__u32 *data = (__u32 *)f->page;
	__u64 pointer = any_pointer(f);
	unsigned int i, nr = t->bytes / 4;

	for (i = 0; i < NR_WORDS; i++)
		f->word[i] = i < nr || !pick(f, 8) ? any_word(f) : 0;
	f->word[0] = pick(f, 8) ? t->bytes :
		     sizes[pick(f, COUNT(sizes))];
	/* Often no flag that is unknown, and nothing where nothing belongs. */
	if (pick(f, 4))
		f->word[1] &= 15;
	if (pick(f, 2))
		f->word[nr - 1] = 0;
	if (nr >= 4 && pick(f, 2)) {
		i = 2 * pick(f, nr / 2);
		f->word[i + (i == 0) * 2] = (__u32)pointer;
		f->word[i + (i == 0) * 2 + 1] = pointer >> 32;
	}
	for (i = 0; i < 16; i++)
		data[i] = any_word(f);
}

static bool expected(int error)
{
	unsigned int i;

	for (i = 0; i < COUNT(allowed); i++)
		if (allowed[i] == error)
			return true;
	return false;
}

/* File descriptors that a call has made must not fill the table. */
static void close_new_files(void)
{
	int fd;

	for (fd = 32; fd < 64; fd++)
		close(fd);
}

/*
 * One call.  Arguments stand at the end of the writable page now and then: what
 * is written behind the structure ends in a fault.
 */
static int one_call(struct fuzzer *f)
{
	const struct target *t = &target[pick(f, COUNT(target))];
	int fd = t->on_device ? f->b.dev[0].fd : f->b.vm.iommufd;
	void *arg = f->word;

	fill(f, t);
	if (!pick(f, 8)) {
		arg = f->page + PAGE - t->bytes;
		memcpy(arg, f->word, t->bytes);
	} else if (!pick(f, 16)) {
		arg = f->page + PAGE;
	}
	if (!ioctl(fd, t->cmd, arg) || expected(errno))
		return 0;
	fprintf(stderr, "%s: %s\n", t->name, strerror(errno));
	return 1;
}

static int open_vm(struct fuzzer *f, const char *address)
{
	int rc = bench_open_size(&f->b, GVM_PASID, 1 << 20);

	if (!rc)
		rc = bench_add(&f->b, address);
	return rc ?: bench_process(&f->b, &f->p, 1);
}

static void close_vm(struct fuzzer *f)
{
	gvm_dev_close(&f->b.dev[0]);
	gvm_close(&f->b.vm);
	close_new_files();
}

static int fuzz_main(const char *address, unsigned long calls, unsigned int seed)
{
	struct fuzzer *f = calloc(1, sizeof(*f));
	unsigned long i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	f->seed = seed;
	f->page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f->page == MAP_FAILED || mprotect(f->page + PAGE, PAGE, PROT_READ))
		return 1;
	if (open_vm(f, address))
		return 1;
	for (i = 0; i < calls; i++) {
		if (one_call(f))
			return 1;
		if (i % 64 == 63)
			close_new_files();
		/* IDs grow, and what a call has destroyed is needed again. */
		if (i % 512 == 511) {
			close_vm(f);
			if (open_vm(f, address))
				return 1;
		}
	}
	close_vm(f);
	return 0;
}

static bool device_is_clean(const char *address)
{
	struct vtdsim_census c;
	struct lab_dev lab;

	must(lab_dev_open_sysfs(&lab, address), "look at an endpoint");
	must(lab_census(&lab, 0, &c), "census");
	lab_dev_close(&lab);
	return !c.present && !c.nonzero && !c.dev_tlb && !c.pasid_cache;
}

int main(int argc, char **argv)
{
	unsigned long calls = argc > 1 ? strtoul(argv[1], NULL, 0) : CALLS;
	unsigned int seed = argc > 2 ? strtoul(argv[2], NULL, 0) :
			    (unsigned int)time(NULL);
	pid_t pid[NR_EPS];
	int i, status;

	printf("%lu calls by %d processes, seed %u\n", calls, NR_EPS, seed);
	fflush(stdout);
	for (i = 0; i < NR_EPS; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(fuzz_main(endpoint[i], calls / NR_EPS, seed + i));
	}
	for (i = 0; i < NR_EPS; i++) {
		waitpid(pid[i], &status, 0);
		check(WIFEXITED(status) && !WEXITSTATUS(status),
		      "every call ends with 0 or an errno of the ABI");
	}
	for (i = 0; i < NR_EPS; i++)
		check(device_is_clean(endpoint[i]), "no entry is left on the device");
	return check_result("gpasid_fuzz");
}
