// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random arguments for every ioctl that this project adds or changes.
 *
 * Several processes, each a VM with a device, call with sizes, flags, pointers,
 * numbers and object IDs that are sometimes right.  One of them has virtual devices
 * of the sample driver instead.  Nothing may come of it but 0 and the errnos that
 * the ABI has; afterwards no device has an entry left, and the kernel's log is
 * clean (the lab's --check-log).
 *
 * gpasid_fuzz [CALLS [SEED]]
 */
#define _GNU_SOURCE
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

/* The file that a call is for: /dev/iommu, the device's, that of page requests. */
enum file { IOMMU, DEVICE, FAULTS, NR_FILES };

/* @bytes: of the structure */
struct target {
	const char *name;
	unsigned long cmd;
	unsigned int bytes;
	enum file file;
};

#define ON(file, cmd, type)	{ #cmd, cmd, sizeof(struct type), file }

static const struct target target[] = {
	ON(IOMMU, IOMMU_GPASID_ALLOC, iommu_gpasid_alloc),
	ON(IOMMU, IOMMU_GPASID_FREE, iommu_gpasid_free),
	ON(IOMMU, IOMMU_GPASID_LOOKUP, iommu_gpasid_lookup),
	ON(IOMMU, IOMMU_GPASID_QUOTA, iommu_gpasid_quota),
	ON(IOMMU, IOMMU_GPASID_INVALIDATE, iommu_gpasid_invalidate),
	ON(IOMMU, IOMMU_GPASID_FAULT_ALLOC, iommu_gpasid_fault_alloc),
	ON(FAULTS, IOMMU_GPASID_FAULT_PAUSE, iommu_gpasid_fault_pause),
	ON(IOMMU, IOMMU_GET_HW_INFO, iommu_hw_info),
	ON(IOMMU, IOMMU_HWPT_ALLOC, iommu_hwpt_alloc),
	ON(IOMMU, IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate),
	ON(IOMMU, IOMMU_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking),
	ON(IOMMU, IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc),
	ON(IOMMU, GVM_IOAS_MAP_FILE, gvm_ioas_map_file),
	ON(IOMMU, IOMMU_DESTROY, iommu_destroy),
	ON(DEVICE, VFIO_DEVICE_GPASID_BIND, vfio_device_gpasid_bind),
	ON(DEVICE, VFIO_DEVICE_GPASID_UNBIND, vfio_device_gpasid_unbind),
	ON(DEVICE, VFIO_DEVICE_GPASID_INFO, vfio_device_gpasid_info),
	ON(DEVICE, VFIO_DEVICE_ATTACH_IOMMUFD_PT, gvm_attach_pt),
	ON(DEVICE, VFIO_DEVICE_DETACH_IOMMUFD_PT, gvm_detach_pt),
};

/* What a call may end with, apart from 0. */
static const int allowed[] = {
	EINVAL, EOPNOTSUPP, ENOENT, EEXIST, EBUSY, ENOSPC, ENOMEM, ENODEV, EFAULT,
	E2BIG, EPERM, EMFILE, ENOTTY, EADDRINUSE, EBADF, EOVERFLOW,
};

/* @memory: a memfd; @faults: the file of page requests, or -1 */
struct fuzzer {
	struct bench b;
	struct process p;
	int memory, faults;
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

/* Memory, or a file that must not be taken for memory. */
static int any_fd(struct fuzzer *f)
{
	const int some[] = { f->b.vm.iommufd, f->b.dev[0].fd, f->faults, f->memory };

	return pick(f, 4) ? f->memory : some[pick(f, COUNT(some))];
}

/* What has no effect unless nearly all of it is right. */
static void fill_well(struct fuzzer *f, const struct target *t)
{
	struct gvm_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = f->b.vm.ioas,
		.fd = any_fd(f),
		.start = pick(f, 2) * PAGE,
		.length = (1 + pick(f, 4)) * PAGE,
		.iova = HOTPLUG_GPA + pick(f, 64) * PAGE,
	};

	if (t->cmd == GVM_IOAS_MAP_FILE) {
		memcpy(f->word, &map, sizeof(map));
	} else if (t->cmd == IOMMU_HWPT_SET_DIRTY_TRACKING) {
		f->word[1] = pick(f, 2);
		f->word[2] = f->b.vm.parent;
		f->word[3] = 0;
	} else {
		return;
	}
	if (!pick(f, 4))
		f->word[pick(f, t->bytes / 4)] = any_word(f);
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
	if (pick(f, 2))
		fill_well(f, t);
	for (i = 0; i < 16; i++)
		data[i] = any_word(f);
}

static int file_of(struct fuzzer *f, const struct target *t)
{
	switch (t->file) {
	case DEVICE:
		return f->b.dev[pick(f, f->b.nr)].fd;
	case FAULTS:
		return f->faults;
	default:
		return f->b.vm.iommufd;
	}
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
	int fd = file_of(f, t);
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

/* ---- virtual devices ---------------------------------------------------------- */

#define SYS_PCI		"/sys/bus/pci/"
#define NR_VIRT		2
#define WITH_VIRT	1	/* the endpoint below them, in endpoint[] */

static int use_driver(const char *address, const char *driver)
{
	char path[96], override[96];

	snprintf(path, sizeof(path), SYS_PCI "devices/%s/driver/unbind", address);
	snprintf(override, sizeof(override), SYS_PCI "devices/%s/driver_override",
		 address);
	sysfs_write(path, address);
	return sysfs_write(override, driver) ?:
	       sysfs_write(SYS_PCI "drivers_probe", address);
}

static int add_virtual(struct bench *b, const char *address)
{
	struct gvm_dev *dev;
	char name[64];
	int rc = 0;

	while (b->nr < NR_VIRT && !rc) {
		dev = &b->dev[b->nr];
		snprintf(name, sizeof(name), "%s/gpasid_vdcm.vdev.%d", address, b->nr++);
		rc = gvm_dev_open(dev, name);
		if (!rc)
			rc = gvm_dev_bind(dev, &b->vm);
		if (!rc)
			rc = gvm_dev_attach(dev, b->vm.ioas);
	}
	return rc;
}

/* ---- a VM ------------------------------------------------------------------------ */

static int open_vm(struct fuzzer *f, const char *address)
{
	int rc = bench_open_size(&f->b, GVM_PASID | GVM_DIRTY_TRACKING, 1 << 20);

	if (!rc && address == endpoint[WITH_VIRT])
		rc = add_virtual(&f->b, address);
	else if (!rc)
		rc = bench_add(&f->b, address);
	f->memory = memfd_create("guest", MFD_CLOEXEC);
	if (!rc && (f->memory < 0 || ftruncate(f->memory, 4 * PAGE)))
		rc = -errno;
	f->faults = -1;
	if (!rc && pick(f, 2))
		rc = gvm_faults_open(&f->b.vm, 0, 0, &f->faults);
	rc = rc ?: bench_process(&f->b, &f->p, 1);
	if (rc)
		fprintf(stderr, "a VM with %s: %s\n", address, strerror(-rc));
	return rc;
}

static void close_vm(struct fuzzer *f)
{
	int i;

	for (i = 0; i < f->b.nr; i++)
		gvm_dev_close(&f->b.dev[i]);
	gvm_close(&f->b.vm);
	close(f->memory);
	if (f->faults >= 0)
		close(f->faults);
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
	must(system("modprobe gpasid_vdcm") ? -ENOENT : 0, "the sample driver");
	must(use_driver(endpoint[WITH_VIRT], "gpasid_vdcm"), "virtual devices");
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
	must(use_driver(endpoint[WITH_VIRT], "\n"), "the device back to vfio-pci");
	return check_result("gpasid_fuzz");
}
