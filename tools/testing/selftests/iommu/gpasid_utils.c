// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bench, processes and DMA for the tests of guest PASIDs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "gpasid_utils.h"

const char * const endpoint[NR_EPS] = { EP_1A, EP_1B, EP_2A, EP_2B };

static __u64 outcome(int status, const struct vtdsim_desc *d, __u64 good)
{
	switch (status) {
	case VTDSIM_DONE:
		return good;
	case VTDSIM_FAULT:
		return FAULT(d->reason);
	case VTDSIM_ATS_DENIED:
		return DENIED;
	}
	return OTHER((unsigned int)status & 0xffff);
}

/* Where ATS is off, what would go through the device TLB goes without it. */
static unsigned int ways(struct lab_dev *lab, unsigned int flags)
{
	if (!(lab_regs(lab)->ctl & VTDSIM_CTL_ATS))
		flags &= ~VTDSIM_F_ATS;
	return flags | VTDSIM_F_PASID;
}

__u64 peek(struct lab_dev *lab, __u32 pasid, unsigned int flags, __u64 va)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = ways(lab, flags),
		.pasid = pasid,
		.addr = va,
		.len = sizeof(__u64),
	};
	__u64 val;
	int rc = lab_run(lab, 0, &d);

	memcpy(&val, lab_local(lab, 0), sizeof(val));
	return outcome(rc, &d, val);
}

__u64 poke(struct lab_dev *lab, __u32 pasid, unsigned int flags, __u64 va,
	   __u64 val)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_WRITE,
		.flags = ways(lab, flags),
		.pasid = pasid,
		.addr = va,
		.len = sizeof(val),
	};
	int rc;

	memcpy(lab_local(lab, 0), &val, sizeof(val));
	rc = lab_run(lab, 0, &d);
	return outcome(rc, &d, val);
}

bool refused(__u64 result)
{
	return result == DENIED || result >> 48 == FAULT(0) >> 48;
}

/*
 * Tests take host-wide numbers by name, one beside the other.  Of each width the
 * host keeps a share for its own processes; where there is no such limit, there
 * is none to lift.
 */
static void lift_host_reserve(void)
{
	sysfs_write("/sys/module/ioasid/parameters/host_reserve", "0");
}

int bench_open_size(struct bench *b, unsigned int flags, __u64 ram_size)
{
	memset(b, 0, sizeof(*b));
	lift_host_reserve();
	return gvm_open(&b->vm, RAM_GPA, ram_size, flags);
}

int bench_open(struct bench *b, unsigned int flags)
{
	return bench_open_size(b, flags, RAM_SIZE);
}

int bench_add_vfio(struct bench *b, const char *address)
{
	int i = b->nr;
	int rc;

	if (i == NR_EPS)
		return -ENOSPC;
	rc = gvm_dev_add(&b->dev[i], &b->vm, address);
	if (rc)
		return rc;
	b->address[i] = address;
	b->nr++;
	rc = lab_dev_init(&b->lab[i], b->dev[i].bar);
	if (!rc)
		rc = lab_counters(&b->lab[i], &b->start[i]);
	if (!rc)
		rc = gvm_dev_vtd_caps(&b->dev[i], &b->cap[i], &b->ecap[i]);
	return rc;
}

int bench_add(struct bench *b, const char *address)
{
	int rc = bench_add_vfio(b, address);
	int i = b->nr - 1;

	return rc ? rc : gvm_dev_info(&b->dev[i], &b->info[i]);
}

static int check_stale(struct bench *b, int i)
{
	struct vtdsim_counters c;

	if (!b->lab[i].bar || since(&b->lab[i], &b->start[i], &c))
		return 0;
	if (!c.u_stale_hits)
		return 0;
	fprintf(stderr, "# %s: %llu hits in stale cache entries\n",
		b->address[i], c.u_stale_hits);
	return 1;
}

static int census_of(const char *address, struct vtdsim_census *c)
{
	struct lab_dev lab;
	int rc = lab_dev_open_sysfs(&lab, address);

	if (rc)
		return rc;
	rc = lab_census(&lab, 0, c);
	lab_dev_close(&lab);
	return rc;
}

/* The unit's caches are one for all its devices: do others use them? */
static bool shared_caches_in_use(const char *address)
{
	struct vtdsim_census c;
	int i;

	for (i = 0; i < NR_EPS; i++)
		if (strcmp(address, endpoint[i]) &&
		    !strncmp(address, endpoint[i], 4) &&
		    !census_of(endpoint[i], &c) && c.present)
			return true;
	return false;
}

static int check_left(const char *address)
{
	struct vtdsim_census c;
	int rc = census_of(address, &c);

	if (rc) {
		fprintf(stderr, "# %s: %s\n", address, strerror(-rc));
		return 1;
	}
	if (!c.present && !c.pasid_cache && !c.dev_tlb && !c.page_requests &&
	    !c.nonzero &&
	    ((!c.iotlb && !c.paging_cache) || shared_caches_in_use(address)))
		return 0;
	fprintf(stderr,
		"# %s: after the close: present %llu nonzero %llu, cached: PASID %llu IOTLB %llu paging %llu device TLB %llu, page requests %llu\n",
		address, c.present, c.nonzero, c.pasid_cache, c.iotlb,
		c.paging_cache, c.dev_tlb, c.page_requests);
	return 1;
}

int bench_close_dev(struct bench *b, int dev)
{
	int broken = check_stale(b, dev);

	gvm_dev_close(&b->dev[dev]);
	b->lab[dev].bar = NULL;
	return broken + check_left(b->address[dev]);
}

int bench_close(struct bench *b)
{
	int broken = 0;
	int i;

	for (i = 0; i < b->nr; i++)
		broken += check_stale(b, i);
	for (i = 0; i < b->nr; i++) {
		gvm_dev_close(&b->dev[i]);
		b->lab[i].bar = NULL;
	}
	gvm_close(&b->vm);
	for (i = 0; i < b->nr; i++)
		broken += check_left(b->address[i]);
	b->nr = 0;
	return broken;
}

int nested_alloc(struct gvm_dev *dev, __u64 pgtbl, __u32 fault, __u32 *hwpt)
{
	struct iommu_hwpt_vtd_s1 s1 = { .pgtbl_addr = pgtbl, .addr_width = 48 };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = fault ? IOMMU_HWPT_FAULT_ID_VALID : 0,
		.dev_id = dev->devid,
		.pt_id = dev->vm->parent,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(s1),
		.data_uptr = (uintptr_t)&s1,
		.fault_id = fault,
	};
	int rc = gvm_ioctl(dev->vm->iommufd, IOMMU_HWPT_ALLOC, &cmd);

	*hwpt = cmd.out_hwpt_id;
	return rc;
}

bool bench_caching_mode(const struct bench *b, int dev)
{
	return b->cap[dev] & 0x80;
}

int bench_process_levels(struct bench *b, struct process *p, unsigned int tag,
			 unsigned int levels)
{
	int rc = gvm_pt_init(&p->pt, &b->vm.ram, levels);

	if (rc)
		return rc;
	p->page = gvm_ram_alloc_page(&b->vm.ram);
	if (!p->page)
		return -ENOMEM;
	p->mem = gvm_ram_ptr(&b->vm.ram, p->page, GVM_SZ_4K);
	*p->mem = TAG(tag);
	return gvm_pt_map(&p->pt, PROC_VA, p->page, GVM_SZ_4K, GVM_SZ_4K,
			  GVM_PT_RW);
}

int bench_process(struct bench *b, struct process *p, unsigned int tag)
{
	return bench_process_levels(b, p, tag, 4);
}

__u64 peek_proc(struct lab_dev *lab, __u32 pasid, unsigned int flags)
{
	return peek(lab, pasid, flags, PROC_VA);
}

bool may_be_outdated(const struct lab_dev *lab, __u64 got, __u64 then,
		     __u64 now)
{
	if (got == then)
		return true;
	return lab_forgets(lab) && got == now;
}

bool nothing_left(struct lab_dev *lab, __u32 pasid)
{
	struct vtdsim_census c;

	if (lab_census(lab, pasid, &c))
		return false;
	return !c.present && !c.nested && !c.pasid_cache && !c.iotlb &&
	       !c.paging_cache && !c.dev_tlb && !c.page_requests && !c.nonzero;
}

__u64 entry_word(struct lab_dev *lab, __u32 pasid, int word)
{
	struct vtdsim_explain e;

	return lab_explain(lab, pasid, PROC_VA, &e) ? 0 : e.pasid_entry[word];
}

bool entry_present(struct lab_dev *lab, __u32 pasid)
{
	return entry_word(lab, pasid, 0) & 1;
}

int since(struct lab_dev *lab, const struct vtdsim_counters *then,
	  struct vtdsim_counters *diff)
{
	struct vtdsim_counters now;
	int rc = lab_counters(lab, &now);

	/* @diff may be @then. */
	if (!rc)
		lab_counters_sub(&now, then, diff);
	return rc;
}

int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

pid_t later(const char *command)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(1);
	}
	return pid;
}

bool ended_well(pid_t pid, int ms)
{
	int status;

	for (; ms > 0; ms -= 20) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) && !WEXITSTATUS(status);
		usleep(20000);
	}
	return false;
}

static int checked, failed;

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void check(bool ok, const char *what)
{
	checked++;
	if (!ok)
		failed++;
	printf("  %s%s\n", ok ? "ok  " : "BAD ", what);
	fflush(stdout);
}

void must(int rc, const char *what)
{
	if (!rc)
		return;
	printf("  BAD %s: %s\n", what, strerror(-rc));
	exit(1);
}

int check_result(const char *name)
{
	printf("%s: %d passed, %d failed\n", name, checked - failed, failed);
	return failed != 0;
}

/* ---- the other way to a device ------------------------------------------------ */

/* The file of the IOMMU group of a device. */
static int group_open(const char *path)
{
	char link[256], target[256], name[64];
	ssize_t len;
	int fd;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", path);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	snprintf(name, sizeof(name), "/dev/vfio/%s", strrchr(target, '/') + 1);
	fd = open(name, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The device keeps the group open. */
int open_by_group(const struct gvm *vm, const char *path)
{
	const char *name = strrchr(path, '/');
	int group = group_open(path), rc;

	if (group < 0)
		return group;
	rc = gvm_ioctl(group, VFIO_GROUP_SET_CONTAINER, (void *)&vm->iommufd);
	if (!rc) {
		rc = ioctl(group, VFIO_GROUP_GET_DEVICE_FD,
			   name ? name + 1 : path);
		rc = rc < 0 ? -errno : rc;
	}
	close(group);
	return rc;
}
