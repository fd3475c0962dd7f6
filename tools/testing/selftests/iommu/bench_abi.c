// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of struct abi: by HWPTs on the device's own PASIDs, which an
 * unmodified kernel has since 6.15, and by host-wide PASIDs, which it has not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/iommufd.h>

#include "bench_abi.h"

/* Guest RAM: page tables, and the pages that page requests ask for. */
#define BENCH_RAM	(16ULL << 20)

/* Memory that the second stage gets and loses. */
#define BIG		(64ULL << 20)
#define BIG_GPA		(HOTPLUG_GPA + GVM_SZ_1G)

#define DMA_MS		20000

struct bench vm_bench;
struct process vm_process, vm_other;

static void *big;
static __u32 *hwpt;		/* by PASID */
static __u32 other_hwpt, pri_hwpt, pri_queue;

void bench_vm_open(const struct abi *abi, const char *address, __u32 max)
{
	struct bench *b = &vm_bench;

	must(bench_open_size(b, abi->flags | GVM_DIRTY_TRACKING, BENCH_RAM),
	     "open");
	must(bench_add_vfio(b, address), address);
	must(bench_process(b, &vm_process, 1), "process");
	must(bench_process(b, &vm_other, 2), "process");
	big = mmap(NULL, BIG, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	must(big == MAP_FAILED ? -errno : 0, "memory");
	if (abi == &abi_own) {
		must(gvm_quota_set(&b->vm, BENCH_MAX_PASIDS), "quota");
		return;
	}
	hwpt = calloc(max + 1, sizeof(*hwpt));
	must(hwpt ? 0 : -ENOMEM, "memory");
	must(gvm_hwpt_nested(&b->dev[0], &vm_other.pt, GVM_HWPT_PASID,
			     &other_hwpt), "HWPT");
}

void bench_vm_reopen(const char *address)
{
	struct bench *b = &vm_bench;

	must(gvm_dev_add(&b->dev[0], &b->vm, address), "open the device again");
	must(lab_dev_init(&b->lab[0], b->dev[0].bar), "its DMA engine");
}

void bench_grow(const struct abi *abi, __u32 from, __u32 to)
{
	__u32 n;

	for (n = from + 1; n <= to; n++) {
		must(abi->allocate(n), "allocate");
		must(abi->attach(n), "attach");
		if (n % 50000 == 0)
			printf("at: %u\n", n);
	}
}

/* ---- the second stage ---------------------------------------------------- */

int bench_map_page(__u32 n)
{
	(void)n;
	return gvm_map(&vm_bench.vm, HOTPLUG_GPA, big, GVM_SZ_4K, GVM_MAP_RW);
}

int bench_unmap_page(__u32 n)
{
	(void)n;
	return gvm_unmap(&vm_bench.vm, HOTPLUG_GPA, GVM_SZ_4K);
}

int bench_map_64m(__u32 n)
{
	(void)n;
	return gvm_map(&vm_bench.vm, BIG_GPA, big, BIG, GVM_MAP_RW);
}

int bench_unmap_64m(__u32 n)
{
	(void)n;
	return gvm_unmap(&vm_bench.vm, BIG_GPA, BIG);
}

int bench_dirty_start(__u32 n)
{
	(void)n;
	return gvm_dirty_tracking(&vm_bench.vm, vm_bench.vm.parent, true);
}

int bench_dirty_stop(__u32 n)
{
	(void)n;
	return gvm_dirty_tracking(&vm_bench.vm, vm_bench.vm.parent, false);
}

/* ---- page requests ------------------------------------------------------- */

/* The same page for all: there is no end of requests. */
static int page_in(__u64 va)
{
	static __u64 page;

	if (!page)
		page = gvm_ram_alloc_page(&vm_bench.vm.ram);
	if (!page)
		return -ENOMEM;
	return gvm_pt_map(&vm_process.pt, va, page, GVM_SZ_4K, GVM_SZ_4K,
			  GVM_PT_RW);
}

int bench_page_request(const struct abi *abi, struct bench_pri *pri)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_WRITE,
		.flags = VTDSIM_F_PASID | VTDSIM_F_ATS | VTDSIM_F_PRI,
		.pasid = pri->pasid,
		.addr = pri->va,
		.len = sizeof(__u64),
	};
	struct pollfd pfd = { .fd = pri->fd, .events = POLLIN };
	int rc = lab_submit(pri->lab, 0, &d);

	pri->va += GVM_SZ_4K;
	if (!rc && pri->fd >= 0)
		rc = poll(&pfd, 1, DMA_MS) == 1 ? abi->pri_answer(pri->fd) :
		     -ETIMEDOUT;
	if (!rc)
		rc = lab_wait(pri->lab, 0, DMA_MS);
	if (rc)
		return rc;
	lab_result(pri->lab, 0, 0, &d);
	return d.status == VTDSIM_DONE ? 0 : -EIO;
}

/* ---- upstream's ---------------------------------------------------------- */

static int upstream_allocate(__u32 n)
{
	return gvm_hwpt_nested(&vm_bench.dev[0], &vm_process.pt, GVM_HWPT_PASID,
			       &hwpt[n]);
}

static int upstream_attach(__u32 n)
{
	return gvm_pasid_attach(&vm_bench.dev[0], n, hwpt[n]);
}

static int upstream_replace(__u32 n)
{
	return gvm_pasid_attach(&vm_bench.dev[0], n, other_hwpt);
}

static int upstream_detach(__u32 n)
{
	return gvm_pasid_detach(&vm_bench.dev[0], n);
}

static int upstream_release(__u32 n)
{
	return gvm_destroy(&vm_bench.vm, hwpt[n]);
}

static int upstream_invalidate(__u32 n, unsigned int ranges)
{
	static struct iommu_hwpt_vtd_s1_invalidate inv[BENCH_RANGES];
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt[n],
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.data_uptr = (uintptr_t)inv,
		.entry_len = sizeof(*inv),
		.entry_num = ranges,
	};
	unsigned int i;

	for (i = 0; i < ranges; i++) {
		inv[i].addr = PROC_VA + i * 3 * GVM_SZ_4K;
		inv[i].npages = 1;
	}
	return gvm_ioctl(vm_bench.vm.iommufd, IOMMU_HWPT_INVALIDATE, &cmd);
}

static int upstream_pri_open(__u32 n)
{
	struct gvm_dev *dev = &vm_bench.dev[0];
	int fd, rc = gvm_fault_queue(&vm_bench.vm, &pri_queue, &fd);

	if (!rc)
		rc = gvm_hwpt_nested_fault(dev, &vm_process.pt, pri_queue,
					   &pri_hwpt);
	if (!rc)
		rc = gvm_pasid_attach(dev, n, pri_hwpt);
	return rc ? rc : fd;
}

static int upstream_pri_answer(int fd)
{
	struct iommu_hwpt_page_response resp = {
		.code = IOMMUFD_PAGE_RESP_SUCCESS,
	};
	struct iommu_hwpt_pgfault fault;
	int rc;

	if (read(fd, &fault, sizeof(fault)) != sizeof(fault))
		return -EIO;
	rc = page_in(fault.addr);
	if (rc)
		return rc;
	resp.cookie = fault.cookie;
	return write(fd, &resp, sizeof(resp)) == sizeof(resp) ? 0 : -EIO;
}

static int upstream_pri_close(__u32 n, int fd)
{
	int rc = upstream_attach(n);

	if (!rc)
		rc = gvm_destroy(&vm_bench.vm, pri_hwpt);
	close(fd);
	return rc ? rc : gvm_destroy(&vm_bench.vm, pri_queue);
}

const struct abi abi_upstream = {
	.name = "upstream",
	.flags = GVM_PASID,
	.allocate = upstream_allocate,
	.attach = upstream_attach,
	.replace = upstream_replace,
	.detach = upstream_detach,
	.release = upstream_release,
	.invalidate = upstream_invalidate,
	.pri_open = upstream_pri_open,
	.pri_answer = upstream_pri_answer,
	.pri_close = upstream_pri_close,
};

/* ---- ours ---------------------------------------------------------------- */

static int own_allocate(__u32 n)
{
	return gvm_pasid_alloc_identity(&vm_bench.vm, n);
}

static int own_attach(__u32 n)
{
	return gvm_bind_identity(&vm_bench.dev[0], &vm_process.pt, n);
}

static int own_replace(__u32 n)
{
	return gvm_replace(&vm_bench.dev[0], &vm_other.pt, n);
}

static int own_detach(__u32 n)
{
	return gvm_unbind(&vm_bench.dev[0], n);
}

static int own_release(__u32 n)
{
	return gvm_pasid_free(&vm_bench.vm, n);
}

static int own_invalidate(__u32 n, unsigned int ranges)
{
	static struct iommu_gpasid_inv inv[BENCH_RANGES];
	__u32 i, num = ranges;

	for (i = 0; i < ranges; i++)
		inv[i] = (struct iommu_gpasid_inv){
			.pasid = n,
			.addr = PROC_VA + i * 3 * GVM_SZ_4K,
			.npages = 1,
		};
	return gvm_invalidate(&vm_bench.vm, inv, &num);
}

static int own_pri_open(__u32 n)
{
	int fd, rc = gvm_faults_open(&vm_bench.vm, 0, 0, &fd);

	if (!rc)
		rc = own_detach(n);
	if (!rc)
		rc = own_attach(n);
	return rc ? rc : fd;
}

static int own_pri_answer(int fd)
{
	struct iommu_gpasid_fault fault;
	int rc = gvm_faults_read(fd, &fault, 1, 10000);

	if (rc != 1)
		return rc ? rc : -ETIMEDOUT;
	rc = page_in(fault.addr);
	if (rc)
		return rc;
	return gvm_faults_answer(fd, fault.cookie, IOMMU_GPASID_FAULT_SUCCESS);
}

/* Bound again, it has no page requests to drain. */
static int own_pri_close(__u32 n, int fd)
{
	int rc = own_detach(n);

	close(fd);
	return rc ? rc : own_attach(n);
}

const struct abi abi_own = {
	.name = "own",
	.allocate = own_allocate,
	.attach = own_attach,
	.replace = own_replace,
	.detach = own_detach,
	.release = own_release,
	.invalidate = own_invalidate,
	.pri_open = own_pri_open,
	.pri_answer = own_pri_answer,
	.pri_close = own_pri_close,
};
