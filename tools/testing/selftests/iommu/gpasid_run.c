// SPDX-License-Identifier: GPL-2.0-only
/*
 * The story of guest PASIDs, told and checked: what `make run` shows.
 *
 * VM A lives in a child process, because it will be killed in step 10; VM B and
 * the account of costs are in the parent.  Each side waits for the other at a
 * pipe, so the steps come in order.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gvm.h>

#include "lab_dev.h"
#include "run_show.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof(*(x)))
#define __attr(x)	__attribute__((x))
#define __printf(a, b)	__attr(format(printf, a, b))

#define DEV_A		"0001:00:00.0"
#define DEV_B		"0002:00:00.0"
#define RAM_GPA		0x10000000ULL
#define RAM_SIZE	(16ULL << 20)

#define PASID_1		0x101
#define PASID_2		0x102
#define GPASID_MAPPED	0x300
#define VA_FROM		0x00007f5500000000ULL
#define VA_TO		0x00007f5512340000ULL
#define VA_SHARED	0x00000000dead0000ULL
#define BUF_SIZE	(64U << 10)
#define NR_KILLED	100

static const char * const endpoints[] = {
	"0001:00:00.0", "0001:00:01.0", "0002:00:00.0", "0002:00:01.0",
};

/* Shared by the two processes. */
static struct story {
	int passed, failed, step, broken;
	long long step_us;
	__u32 pasid[2];
} *story;

static long long start_us;
static bool in_vm_a;

/* ---- telling ------------------------------------------------------------ */

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static void step_begin(int n, const char *title)
{
	story->step = n;
	story->broken = 0;
	story->step_us = now_us();
	printf("\n[%6.3f s] %d. %s\n", (story->step_us - start_us) / 1e6, n,
	       title);
}

static void step_end(void)
{
	if (story->broken)
		story->failed++;
	else
		story->passed++;
	printf("      step %d %s, %.1f ms\n", story->step,
	       story->broken ? "FAILED" : "passed",
	       (now_us() - story->step_us) / 1e3);
	fflush(stdout);
}

static void __printf(1, 2) tell(const char *fmt, ...)
{
	va_list ap;

	printf("      ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* A fact that must hold; what it says is printed either way. */
static bool __printf(2, 3) check(bool ok, const char *fmt, ...)
{
	va_list ap;

	printf("  %s", ok ? "ok  " : "BAD ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!ok)
		story->broken++;
	return ok;
}

static int verdict(void)
{
	printf("\n[%6.3f s] run: %d steps passed, %d failed\n",
	       (now_us() - start_us) / 1e6, story->passed, story->failed);
	return story->failed || story->passed != 11;
}

/*
 * A call that must succeed, or the story cannot go on.  The last word is the
 * parent's: it sees that VM A has gone.
 */
static void must(int rc, const char *what)
{
	if (!rc)
		return;
	check(false, "%s: %s", what, strerror(-rc));
	step_end();
	exit(in_vm_a ? 1 : verdict());
}

static bool all_zero(const void *p, size_t len)
{
	const char *c = p;

	while (len--)
		if (*c++)
			return false;
	return true;
}

/* ---- VM A and its processes --------------------------------------------- */

static struct gvm vm;
static struct gvm_dev dev;
static struct lab_dev lab;
static struct gvm_pt table[2];
static __u64 page[3];
static __u32 pasid[2];

/* Map @size bytes of scattered guest pages at @va. */
static int map_scattered(struct gvm_pt *pt, __u64 va, __u32 size)
{
	__u64 gpa;
	__u32 at;
	int rc;

	for (at = 0; at < size; at += GVM_SZ_4K) {
		gpa = gvm_ram_alloc_page(&vm.ram);
		/* Leave a hole behind each page: nothing is contiguous. */
		if (!gpa || !gvm_ram_alloc_page(&vm.ram))
			return -ENOMEM;
		rc = gvm_pt_map(pt, va + at, gpa, GVM_SZ_4K, GVM_SZ_4K,
				GVM_PT_RW);
		if (rc)
			return rc;
	}
	return 0;
}

/* The byte of the process's memory at @va. */
static unsigned char *byte_at(struct gvm_pt *pt, __u64 va)
{
	__u64 gpa;

	if (gvm_pt_translate(pt, va, &gpa))
		return NULL;
	return gvm_ram_ptr(&vm.ram, gpa, 1);
}

static unsigned char pattern(__u32 at)
{
	return at * 7 + (at >> 8) * 13 + 1;
}

static void step_units(void)
{
	struct vfio_device_gpasid_info info;
	__u64 cap, ecap;
	struct gvm_dev d;
	struct gvm empty;
	unsigned int i;

	step_begin(1, "VT-d units and endpoints");
	must(gvm_open(&empty, RAM_GPA, GVM_SZ_2M, 0), "open /dev/iommu");
	for (i = 0; i < ARRAY_SIZE(endpoints); i++) {
		must(gvm_dev_add(&d, &empty, endpoints[i]), endpoints[i]);
		must(gvm_dev_vtd_caps(&d, &cap, &ecap), "read capabilities");
		must(gvm_dev_info(&d, &info), "VFIO_DEVICE_GPASID_INFO");
		if (i % 2 == 0) {
			tell("unit of PCI segment %.4s", endpoints[i]);
			show_vtd_caps(cap, ecap);
		}
		check(info.out_caps & GPASID_CAP_NEST,
		      "%s: %u PASID bits, nested%s%s%s%s", endpoints[i],
		      info.out_pasid_bits,
		      info.out_caps & GPASID_CAP_ATS ? ", ATS" : "",
		      info.out_caps & GPASID_CAP_ATS_GLOBAL ?
		      " with global invalidate" : "",
		      info.out_caps & GPASID_CAP_PRI ? ", PRI" : "",
		      info.out_caps & GPASID_CAP_DIRTY ?
		      ", dirty tracking" : "");
		gvm_dev_close(&d);
	}
	gvm_close(&empty);
	step_end();
}

static void step_vm(void)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_COPY,
		.len = 4096,
	};
	char *from, *to;

	step_begin(2, "VM A: guest memory is the second stage");
	must(gvm_open(&vm, RAM_GPA, RAM_SIZE, 0), "open and map the VM");
	must(gvm_dev_add(&dev, &vm, DEV_A), "add " DEV_A);
	must(lab_dev_init(&lab, dev.bar), "DMA engine in BAR 0");
	tell("guest-physical 0x%llx..0x%llx, %llu MiB, IOAS %u, nest parent %u",
	     RAM_GPA, RAM_GPA + RAM_SIZE - 1, RAM_SIZE >> 20, vm.ioas,
	     vm.parent);
	d.addr = gvm_ram_alloc_page(&vm.ram);
	d.addr2 = gvm_ram_alloc_page(&vm.ram);
	from = gvm_ram_ptr(&vm.ram, d.addr, 4096);
	to = gvm_ram_ptr(&vm.ram, d.addr2, 4096);
	memset(from, 0x5a, 4096);
	check(lab_run(&lab, 0, &d) == VTDSIM_DONE && !memcmp(from, to, 4096),
	      "DMA without PASID copies 4096 bytes between guest-physical pages");
	step_end();
}

static void check_entry(const struct vtdsim_explain *e)
{
	struct vtdsim_explain rid;
	struct pasid_fields f;

	pasid_fields(e->pasid_entry, &f);
	check(f.p && f.pgtt == 3, "the entry is present and nested");
	check(f.fsptptr == table[0].root && f.fspm == 0,
	      "first stage: the guest's table at 0x%llx, 4 levels",
	      table[0].root);
	if (lab_explain(&lab, 0, table[0].root, &rid))
		return;
	check(f.ssptptr == (rid.pasid_entry[0] & ~0xfffULL) &&
	      f.aw == (rid.pasid_entry[0] >> 2 & 7),
	      "second stage: the same as that of DMA without PASID");
	check(f.did == (rid.pasid_entry[1] & 0xffff),
	      "domain ID: the parent's, %u", f.did);
}

static void step_process(void)
{
	struct vtdsim_counters before, after;
	struct vtdsim_explain e;
	char buf[128];

	step_begin(3, "A guest process: its page table bound to PASID 0x101");
	must(gvm_pt_init(&table[0], &vm.ram, 4), "page table");
	must(map_scattered(&table[0], VA_FROM, BUF_SIZE), "map the source");
	must(map_scattered(&table[0], VA_TO, BUF_SIZE), "map the target");
	tell("4-level table at guest-physical 0x%llx, %llu tables, %u pages",
	     table[0].root, table[0].tables, 2 * BUF_SIZE / 4096);
	must(gvm_pasid_alloc_identity(&vm, PASID_1), "allocate");
	must(lab_counters(&lab, &before), "counters");
	must(gvm_bind(&dev, &table[0], PASID_1, &pasid[0]), "bind");
	must(lab_counters(&lab, &after), "counters");
	lab_counters_sub(&after, &before, &after);
	tell("PASID 0x%x on the wire, as the guest wrote it; invalidations: %s",
	     pasid[0], lab_descriptors(&after, buf, sizeof(buf)));
	must(lab_explain(&lab, pasid[0], VA_FROM, &e), "explain");
	show_pasid_entry(e.pasid_entry);
	check_entry(&e);
	step_end();
}

static __u32 bytes_equal(void)
{
	unsigned char *from, *to;
	__u32 at, same = 0;

	for (at = 0; at < BUF_SIZE; at++) {
		from = byte_at(&table[0], VA_FROM + at);
		to = byte_at(&table[0], VA_TO + at);
		same += from && to && *from == pattern(at) && *to == *from;
	}
	return same;
}

static void step_copy(void)
{
	struct vtdsim_counters before, after;
	struct vtdsim_explain e;
	long long us;
	__u32 at;
	int rc;

	step_begin(4, "The device copies between two guest-virtual addresses");
	for (at = 0; at < BUF_SIZE; at++)
		*byte_at(&table[0], VA_FROM + at) = pattern(at);
	must(lab_counters(&lab, &before), "counters");
	us = now_us();
	rc = lab_copy(&lab, 0, pasid[0], 0, VA_TO, VA_FROM, BUF_SIZE);
	us = now_us() - us;
	must(lab_counters(&lab, &after), "counters");
	lab_counters_sub(&after, &before, &after);
	tell("0x%llx -> 0x%llx, %u bytes in %lld us: %llu translations, %llu walks",
	     VA_FROM, VA_TO, BUF_SIZE, us, after.u_translations, after.u_walks);
	check(rc == VTDSIM_DONE, "the descriptor is %s", lab_status_name(rc));
	at = bytes_equal();
	check(at == BUF_SIZE, "%u of %u bytes are right", at, BUF_SIZE);
	must(lab_explain(&lab, pasid[0], VA_TO, &e), "explain");
	tell("the walk of 0x%llx:", VA_TO);
	show_nested_walk(&e, VA_TO);
	check(!e.reason && !gvm_pt_translate(&table[0], VA_TO, &page[0]) &&
	      page[0] == e.gpa, "it ends at the page that the guest mapped");
	step_end();
}

static void step_numbers(void)
{
	struct vfio_device_gpasid_bind mapped = {
		.flags = VFIO_GPASID_BIND_GPASID,
		.addr_width = 48,
		.gpasid = GPASID_MAPPED,
		.pgtbl = table[0].root,
	};
	__u32 h = 0, g = 0;
	int rc;

	step_begin(5, "Guest PASID and host PASID are one number on this device");
	must(gvm_pasid_g2h(&vm, PASID_1, &h), "look up");
	must(gvm_pasid_h2g(&vm, PASID_1, &g), "look up");
	check(h == PASID_1 && g == PASID_1, "gPASID 0x%x is hPASID 0x%x", g, h);
	check(gvm_pasid_g2h(&vm, PASID_2, &h) == -ENOENT,
	      "PASID 0x%x is not there yet: %s", PASID_2, strerror(ENOENT));
	must(gvm_pasid_alloc_guest(&vm, GPASID_MAPPED, &mapped.hpasid),
	     "allocate");
	tell("gPASID 0x%x -> hPASID 0x%x, for a device that translates it",
	     GPASID_MAPPED, mapped.hpasid);
	h = mapped.hpasid;
	rc = gvm_bind_args(&dev, &mapped);
	check(rc == -EINVAL, "nothing does on a passed-through one: bind: %s",
	      strerror(-rc));
	must(gvm_pasid_free(&vm, h), "free");
	step_end();
}

static __u64 new_page(const char *text)
{
	__u64 gpa = gvm_ram_alloc_page(&vm.ram);

	if (!gpa)
		must(-ENOMEM, "guest page");
	snprintf(gvm_ram_ptr(&vm.ram, gpa, 4096), 32, "%s", text);
	return gpa;
}

/* What the device reads at VA_SHARED. */
static int device_reads(__u32 pasid, unsigned int flags, char *buf)
{
	snprintf(buf, 32, "nothing");
	return lab_read(&lab, 0, pasid, flags, VA_SHARED, buf, 32);
}

static void step_second(void)
{
	char text[2][32];
	int i, rc;

	step_begin(6, "A second process: the same address, another page");
	must(gvm_pt_init(&table[1], &vm.ram, 4), "page table");
	page[0] = new_page("the page of process one");
	page[1] = new_page("the page of process two");
	page[2] = new_page("the new page of process one");
	for (i = 0; i < 2; i++)
		must(gvm_pt_map(&table[i], VA_SHARED, page[i], GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW), "map");
	must(gvm_bind(&dev, &table[1], PASID_2, &pasid[1]), "bind");
	for (i = 0; i < 2; i++) {
		rc = device_reads(pasid[i], 0, text[i]);
		check(rc == VTDSIM_DONE && !strcmp(text[i],
						   gvm_ram_ptr(&vm.ram, page[i], 32)),
		      "PASID 0x%x: 0x%llx reads \"%s\"", pasid[i], VA_SHARED,
		      text[i]);
	}
	step_end();
}

static void step_remap(void)
{
	static const struct {
		unsigned int flags;
		const char *cache;
	} way[] = {
		{ 0, "IOTLB" },
		{ VTDSIM_F_ATS, "device TLB" },
	};
	struct vtdsim_counters before, after;
	char text[32], buf[128];
	unsigned int i;

	step_begin(7, "The guest moves a page: caches, until it invalidates");
	for (i = 0; i < ARRAY_SIZE(way); i++)
		device_reads(pasid[0], way[i].flags, text);
	must(gvm_pt_move(&table[0], VA_SHARED, page[2]), "move the page");
	for (i = 0; i < ARRAY_SIZE(way); i++) {
		device_reads(pasid[0], way[i].flags, text);
		check(!strcmp(text, "the page of process one"),
		      "still from the %-10s: \"%s\"", way[i].cache, text);
	}
	must(lab_counters(&lab, &before), "counters");
	must(gvm_invalidate_range(&vm, PASID_1, VA_SHARED, 1, true),
	     "invalidate");
	must(lab_counters(&lab, &after), "counters");
	lab_counters_sub(&after, &before, &after);
	tell("the guest invalidates 0x%llx under PASID 0x%x: %s", VA_SHARED,
	     PASID_1, lab_descriptors(&after, buf, sizeof(buf)));
	for (i = 0; i < ARRAY_SIZE(way); i++) {
		device_reads(pasid[0], way[i].flags, text);
		check(!strcmp(text, "the new page of process one"),
		      "past the %-14s: \"%s\"", way[i].cache, text);
	}
	device_reads(pasid[1], 0, text);
	check(!strcmp(text, "the page of process two"),
	      "the other process: \"%s\"", text);
	step_end();
}

/* ---- VM B, in the parent -------------------------------------------------- */

static void check_refused(int rc, const char *what)
{
	check(rc == -ENOENT, "%s: %s", what, rc ? strerror(-rc) : "done!");
}

static void step_stranger(void)
{
	struct iommu_gpasid_inv inv = { .flags = IOMMU_GPASID_INV_PASID };
	__u32 victim = story->pasid[0], out, num = 1;
	struct vtdsim_counters before, after;
	struct gvm_dev dev_b;
	struct gvm_pt pt;
	struct gvm b;

	step_begin(8, "VM B, on another device, reaches for VM A's PASID");
	must(gvm_open(&b, RAM_GPA, RAM_SIZE, 0), "open VM B");
	must(gvm_dev_add(&dev_b, &b, DEV_B), "add " DEV_B);
	must(gvm_pt_init(&pt, &b.ram, 4), "page table");
	must(lab_dev_open_sysfs(&lab, DEV_A), "look at " DEV_A);
	must(lab_counters(&lab, &before), "counters");
	tell("VM A's PASID 0x%x:", victim);
	check_refused(gvm_bind_identity(&dev_b, &pt, victim), "bind      ");
	check_refused(gvm_unbind(&dev_b, victim), "unbind    ");
	check_refused(gvm_pasid_h2g(&b, victim, &out), "look up   ");
	inv.pasid = victim;
	check_refused(gvm_invalidate(&b, &inv, &num), "invalidate");
	check_refused(gvm_pasid_free(&b, victim), "free      ");
	check_refused(gvm_pasid_g2h(&b, victim, &out), "as a gPASID");
	must(lab_counters(&lab, &after), "counters");
	lab_counters_sub(&after, &before, &after);
	check(!after.u_desc_total, "VM A's unit saw %llu descriptors",
	      after.u_desc_total);
	lab_dev_close(&lab);
	gvm_dev_close(&dev_b);
	gvm_close(&b);
}

/* The end of step 8, back in VM A. */
static void step_unnoticed(void)
{
	char text[32];
	__u32 h = 0;
	int rc;

	rc = device_reads(pasid[0], 0, text);
	check(rc == VTDSIM_DONE && !strcmp(text, "the new page of process one"),
	      "VM A did not notice: \"%s\"", text);
	must(gvm_pasid_g2h(&vm, PASID_1, &h), "look up");
	check(h == PASID_1, "PASID 0x%x is still its own", h);
	step_end();
}

/* ---- faults and death -------------------------------------------------------- */

/* The first new record of the kernel log with both texts in it. */
static bool kernel_says(int fd, const char *a, const char *b, char *line,
			size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	long long end = now_us() + 5000000;
	char rec[1024], *text;
	ssize_t n;

	while (now_us() < end) {
		n = read(fd, rec, sizeof(rec) - 1);
		if (n < 0) {
			poll(&pfd, 1, 100);
			continue;
		}
		rec[n] = 0;
		text = strchr(rec, ';');
		if (!text || !strstr(text, a) || !strstr(text, b))
			continue;
		text[strcspn(text, "\n")] = 0;
		snprintf(line, size, "%s", text + 1);
		return true;
	}
	return false;
}

static void step_unbind(void)
{
	struct vtdsim_counters before, after;
	char line[256], buf[128], who[32], text[32];
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = VTDSIM_F_PASID,
		.pasid = pasid[0],
		.addr = VA_SHARED,
		.len = 8,
	};
	struct vtdsim_census c;
	int log, rc;

	step_begin(9, "Unbind: the next DMA faults, and the kernel reports it");
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log < 0)
		must(-errno, "/dev/kmsg");
	lseek(log, 0, SEEK_END);
	must(lab_counters(&lab, &before), "counters");
	must(gvm_unbind(&dev, pasid[0]), "unbind");
	must(lab_counters(&lab, &after), "counters");
	lab_counters_sub(&after, &before, &after);
	tell("invalidations: %s; submissions: %llu",
	     lab_descriptors(&after, buf, sizeof(buf)), after.u_submissions);
	must(lab_census(&lab, pasid[0], &c), "census");
	check(all_zero(&c, sizeof(c)), "no entry and no cached translation is left");
	rc = lab_run(&lab, 0, &d);
	check(rc == VTDSIM_FAULT && d.reason == LAB_R_PASID_NOT_PRESENT,
	      "the next DMA ends in %s, reason 0x%x: %s", lab_status_name(rc),
	      d.reason, lab_reason_name(d.reason));
	snprintf(who, sizeof(who), "PASID 0x%x]", pasid[0]);
	check(kernel_says(log, who, "fault reason 0x59", line, sizeof(line)),
	      "the kernel's fault handler reports it:");
	tell("%s", line);
	rc = device_reads(pasid[0], VTDSIM_F_ATS, text);
	check(rc == VTDSIM_FAULT,
	      "by ATS it gets no translation either: %s", lab_status_name(rc));
	rc = device_reads(pasid[1], 0, text);
	check(rc == VTDSIM_DONE, "the other process goes on: \"%s\"", text);
	close(log);
	step_end();
}

/* Many bindings, each with translations in the caches. */
static void prepare_death(void)
{
	char text[32];
	__u32 h;
	int i;

	for (i = 0; i < NR_KILLED - 1; i++) {
		must(gvm_bind(&dev, &table[1], 0x200 + i, &h), "bind");
		device_reads(h, i & 1 ? VTDSIM_F_ATS : 0, text);
	}
	story->pasid[1] = h;
}

static void show_census(const char *when, const struct vtdsim_census *c)
{
	tell("%-7s entries %llu, cached: PASID %llu, IOTLB %llu, paging %llu, device TLB %llu",
	     when, c->present, c->pasid_cache, c->iotlb, c->paging_cache,
	     c->dev_tlb);
}

static void step_death(pid_t a)
{
	struct vtdsim_census c;
	struct gvm_dev again;
	struct gvm b;
	int status;

	step_begin(10, "VM A is killed with its bindings alive");
	must(lab_dev_open_sysfs(&lab, DEV_A), "look at " DEV_A);
	must(lab_census(&lab, 0, &c), "census");
	show_census("before:", &c);
	check(c.nested == NR_KILLED, "%llu PASIDs are bound", c.nested);
	kill(a, SIGKILL);
	waitpid(a, &status, 0);
	must(lab_dev_restart(&lab), "DMA engine");
	must(lab_census(&lab, 0, &c), "census");
	show_census("after:", &c);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	      "VM A died of SIGKILL");
	check(all_zero(&c, sizeof(c)),
	      "no entry, no cached translation, no page request is left");
	must(gvm_open(&b, RAM_GPA, RAM_SIZE, 0), "open another VM");
	check(!gvm_pasid_alloc_identity(&b, story->pasid[1]),
	      "PASID 0x%x can be had by another VM", story->pasid[1]);
	check(!gvm_dev_add(&again, &b, DEV_A), "the device takes a new VM");
	gvm_dev_close(&again);
	gvm_close(&b);
	lab_dev_close(&lab);
	step_end();
}

/* ---- costs ------------------------------------------------------------------- */

static struct vtdsim_counters mark;

static void cost_begin(void)
{
	must(lab_counters(&lab, &mark), "counters");
}

/* Print the row of the operation since cost_begin(). */
static struct vtdsim_counters cost_end(int rc, const char *what)
{
	struct vtdsim_counters now;

	must(rc, what);
	must(lab_counters(&lab, &now), "counters");
	lab_counters_sub(&now, &mark, &now);
	show_cost(what, &now);
	return now;
}

static bool one_wait(const struct vtdsim_counters *c)
{
	return c->u_waits == 1 && c->u_submissions == 1;
}

static void cost_one(void)
{
	struct vtdsim_counters c;
	char text[32];
	__u64 cap, ecap;
	__u32 h = 1, out;

	must(gvm_dev_vtd_caps(&dev, &cap, &ecap), "capabilities");
	cost_begin();
	cost_end(gvm_pasid_alloc_identity(&vm, h), "allocate a PASID");
	cost_begin();
	c = cost_end(gvm_bind(&dev, &table[0], h, NULL), "bind");
	if (!(cap & 0x80))
		check(!c.u_desc_total, "bind needs no invalidation");
	device_reads(h, 0, text);
	device_reads(h, VTDSIM_F_ATS, text);
	cost_begin();
	c = cost_end(gvm_pasid_g2h(&vm, 1, &out), "look up");
	check(!c.u_desc_total, "nor does a look-up");
	cost_begin();
	c = cost_end(gvm_invalidate_range(&vm, 1, VA_SHARED, 1, true),
		     "invalidate one page");
	check(one_wait(&c), "one submission, one wait");
	cost_begin();
	c = cost_end(gvm_invalidate_pasid(&vm, 1), "invalidate a PASID");
	check(one_wait(&c), "one submission, one wait");
	cost_begin();
	c = cost_end(gvm_replace(&dev, &table[1], h), "replace the table");
	check(one_wait(&c), "one submission, one wait");
	cost_begin();
	c = cost_end(gvm_unbind(&dev, h), "unbind");
	check(one_wait(&c), "one submission, one wait");
	cost_begin();
	cost_end(gvm_pasid_free(&vm, h), "free the PASID");
}

/* A page of the second stage outside of RAM comes and goes. */
static __u64 cost_unmap(const char *what)
{
	__u64 gpa = RAM_GPA + RAM_SIZE + GVM_SZ_2M;
	struct vtdsim_counters c;

	must(gvm_map(&vm, gpa, vm.ram.hva, GVM_SZ_4K, GVM_MAP_RW), "map");
	cost_begin();
	c = cost_end(gvm_unmap(&vm, gpa, GVM_SZ_4K), what);
	return c.u_desc_total;
}

static void cost_many(void)
{
	struct vtdsim_counters c;
	char text[32];
	__u64 one, many;
	__u32 h;
	int i;

	/* High enough for what the host keeps of each width to leave them. */
	must(gvm_bind(&dev, &table[0], 0x1000, &h), "bind");
	one = cost_unmap("unmap a guest page, 1 bound");
	for (i = 2; i <= NR_KILLED; i++) {
		must(gvm_bind(&dev, &table[0], 0x1000 + i, &h), "bind");
		device_reads(h, i & 1 ? VTDSIM_F_ATS : 0, text);
	}
	many = cost_unmap("unmap a guest page, 100 bound");
	check(one == many, "the same number of descriptors: %llu and %llu", one,
	      many);
	cost_begin();
	gvm_dev_close(&dev);
	c = cost_end(0, "close the device, 100 bound");
	check(c.u_waits < 16, "%llu waits", c.u_waits);
}

static void step_costs(void)
{
	int i;

	step_begin(11, "What each operation costs, in descriptors, by the unit's count");
	must(gvm_open(&vm, RAM_GPA, RAM_SIZE, 0), "open a VM");
	must(gvm_dev_add(&dev, &vm, DEV_A), "add " DEV_A);
	must(lab_dev_open_sysfs(&lab, DEV_A), "look at " DEV_A);
	for (i = 0; i < 2; i++) {
		must(gvm_pt_init(&table[i], &vm.ram, 4), "page table");
		page[i] = new_page("a page");
		must(gvm_pt_map(&table[i], VA_SHARED, page[i], GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW), "map");
	}
	show_cost("operation", NULL);
	cost_one();
	cost_many();
	lab_dev_close(&lab);
	gvm_close(&vm);
	step_end();
}

/* ---- the two processes ---------------------------------------------------------- */

static bool turn_wait(int fd)
{
	char c;

	return read(fd, &c, 1) == 1;
}

static void turn_give(int fd)
{
	fflush(stdout);
	if (write(fd, "x", 1) != 1)
		exit(1);
}

static void vm_a(int in, int out)
{
	in_vm_a = true;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_units();
	step_vm();
	step_process();
	step_copy();
	step_numbers();
	step_second();
	step_remap();
	story->pasid[0] = pasid[0];
	turn_give(out);
	if (!turn_wait(in))
		exit(1);
	step_unnoticed();
	step_unbind();
	prepare_death();
	turn_give(out);
	for (;;)
		pause();
}

int main(void)
{
	int to_a[2], from_a[2];
	pid_t a;

	start_us = now_us();
	setvbuf(stdout, NULL, _IOLBF, 0);
	story = mmap(NULL, sizeof(*story), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (story == MAP_FAILED || pipe(to_a) || pipe(from_a))
		return 1;
	a = fork();
	if (a < 0)
		return 1;
	if (!a) {
		close(to_a[1]);
		close(from_a[0]);
		vm_a(to_a[0], from_a[1]);
	}
	close(to_a[0]);
	close(from_a[1]);
	if (!turn_wait(from_a[0]))
		return verdict();
	step_stranger();
	turn_give(to_a[1]);
	if (!turn_wait(from_a[0]))
		return verdict();
	step_death(a);
	step_costs();
	return verdict();
}
