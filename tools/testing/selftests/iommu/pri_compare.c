// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of guest PASIDs beside the kernel's own native SVA: what each
 * costs, and that neither disturbs the other.
 *
 *	pri_compare [N]		all of it, N pages by each (default: 1000)
 *	pri_compare one		one request of a guest PASID, for a trace
 *	pri_compare one-native	one request of a process, for a trace
 *
 * Two endpoints of one unit.  The first is a VM's: this process is VMM and the
 * guest's page fault handler.  The second one is vtdsim_sva's, and works in the
 * address space of this process.  Both have their buffers demand-paged by DMA.
 * Descriptors and waits are the unit's own counters, which are exact; times
 * appear only as a ratio within this run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gpasid_utils.h"
#include "native_sva.h"

#define GUEST		EP_1A
#define PAGE		4096UL
#define CHUNK		4		/* pages that one queue's local memory holds */
#define ROUNDS		20		/* the two take turns */
#define GPASID		0x101
#define OTHER_GPASID	0x102
#define NR_BINDINGS	64
#define NR_PROCESSES	16
#define ATS_PRI		(VTDSIM_F_ATS | VTDSIM_F_PRI)
#define DMA_MS		20000

/* What a device asks for at a time. */
enum asking { SINGLE, GROUPED, NR_ASKING };

/**
 * struct tally - What some rounds came to
 * @c: counters
 * @pages: pages that the device touched
 * @rate: pages per second in each round
 */
struct tally {
	struct vtdsim_counters c;
	__u64 pages;
	double rate[ROUNDS];
};

/**
 * struct side - One of the two that are compared
 * @name: how the table calls it
 * @lab: its DMA engine
 * @pasid: what its DMA is tagged with
 * @tally: by how it asks
 */
struct side {
	const char *name;
	struct lab_dev *lab;
	__u32 pasid;
	struct tally tally[NR_ASKING];
};

/**
 * struct pager - The guest's page fault handler, a thread
 * @fd: the fault file
 * @pt: the guest's page table
 * @thread: reads, maps, answers
 * @stop: it is to end
 * @failed: something went wrong
 * @show: print what is read and written
 */
struct pager {
	int fd;
	struct gvm_pt *pt;
	pthread_t thread;
	bool stop;
	bool failed;
	bool show;
};

static struct bench b;
static struct process proc, other;
static struct pager pager;
static struct native_sva nat;
static struct side guest = { .name = "guest PASID" };
static struct side native = { .name = "native SVA" };
static __u64 next_va = PROC_VA + GVM_SZ_1G;

/* ---- what the devices write ------------------------------------------------ */

/* A different value for each word of each page. */
static __u64 word(__u64 page, unsigned int i)
{
	return page * 0x9e3779b97f4a7c15ULL + i;
}

static void fill(__u64 *to, __u64 page)
{
	unsigned int i;

	for (i = 0; i < PAGE / sizeof(*to); i++)
		to[i] = word(page, i);
}

static bool filled(const __u64 *mem, __u64 page)
{
	unsigned int i;

	for (i = 0; i < PAGE / sizeof(*mem); i++)
		if (mem[i] != word(page, i))
			return false;
	return true;
}

/* @nr pages at @va, the first of them number @page, by one descriptor. */
static int write_pages(struct side *s, __u64 va, __u64 page, unsigned int nr,
		       unsigned int together)
{
	char *local = lab_local(s->lab, 0);
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_WRITE,
		.flags = ATS_PRI | VTDSIM_F_PASID,
		.pasid = s->pasid,
		.addr = va,
		.len = nr * PAGE,
		.local = LAB_LOCAL(0),
		.operand = together,
	};
	unsigned int i;
	int rc;

	for (i = 0; i < nr; i++)
		fill((__u64 *)(local + i * PAGE), page + i);
	rc = lab_submit(s->lab, 0, &d);
	if (!rc)
		rc = lab_wait(s->lab, 0, DMA_MS);
	if (rc)
		return rc;
	lab_result(s->lab, 0, 0, &d);
	if (d.status == VTDSIM_DONE)
		return 0;
	printf("  %s, %#llx: %s\n", s->name, (unsigned long long)va,
	       lab_status_name(d.status));
	return -EIO;
}

static int write_range(struct side *s, __u64 va, unsigned int pages,
		       enum asking how)
{
	unsigned int nr, i;
	int rc = 0;

	for (i = 0; i < pages && !rc; i += nr) {
		nr = how == SINGLE ? 1 : CHUNK;
		if (nr > pages - i)
			nr = pages - i;
		rc = write_pages(s, va + i * PAGE, va / PAGE + i, nr, nr);
	}
	return rc;
}

/* ---- the guest --------------------------------------------------------------- */

static void show_record(const struct iommu_gpasid_fault *f)
{
	printf("read():  cookie %llu dev_id %u gpasid %#x group %u perm %#x flags %#x addr %#llx\n",
	       f->cookie, f->dev_id, f->gpasid, f->group, f->perm, f->flags,
	       f->addr);
}

static void show_response(const struct iommu_gpasid_fault_response *r)
{
	printf("write(): cookie %llu code %u\n", r->cookie, r->code);
}

/* What a guest's kernel does: a page for the process. */
static __u32 page_in(struct pager *p, const struct iommu_gpasid_fault *f)
{
	__u64 page = gvm_ram_alloc_page(p->pt->ram);

	if (!page || gvm_pt_map(p->pt, f->addr, page, GVM_SZ_4K, GVM_SZ_4K,
				GVM_PT_RW))
		return IOMMU_GPASID_FAULT_INVALID;
	if (p->show)
		printf("guest:   maps %#llx to guest-physical %#llx\n",
		       f->addr, page);
	return IOMMU_GPASID_FAULT_SUCCESS;
}

/* Page in what @n records ask for and answer the groups that are complete. */
static int serve(struct pager *p, const struct iommu_gpasid_fault *f, int n)
{
	struct iommu_gpasid_fault_response resp[64] = {};
	static __u32 code;
	ssize_t len = 0;
	int i, nr = 0;

	for (i = 0; i < n; i++) {
		if (p->show)
			show_record(&f[i]);
		code |= page_in(p, &f[i]);
		if (!(f[i].flags & IOMMU_GPASID_FAULT_LAST))
			continue;
		resp[nr].cookie = f[i].cookie;
		resp[nr].code = code;
		if (p->show)
			show_response(&resp[nr]);
		nr++;
		code = 0;
	}
	if (nr)
		len = write(p->fd, resp, nr * sizeof(*resp));
	return len == (ssize_t)(nr * sizeof(*resp)) ? 0 : -EIO;
}

static void *pager_loop(void *arg)
{
	struct iommu_gpasid_fault f[64];
	struct pager *p = arg;
	ssize_t len;

	while (!__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE)) {
		len = read(p->fd, f, sizeof(f));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 || serve(p, f, len / sizeof(*f)))
			p->failed = true;
	}
	return NULL;
}

static void on_wake(int sig)
{
	(void)sig;
}

static int pager_start(struct pager *p)
{
	struct sigaction sa = { .sa_handler = on_wake };

	p->stop = false;
	sigaction(SIGUSR1, &sa, NULL);
	return -pthread_create(&p->thread, NULL, pager_loop, p);
}

static void pager_stop(struct pager *p)
{
	__atomic_store_n(&p->stop, true, __ATOMIC_RELEASE);
	/* The first one may come just before it reads. */
	do {
		pthread_kill(p->thread, SIGUSR1);
		usleep(1000);
	} while (pthread_tryjoin_np(p->thread, NULL));
}

static void guest_open(unsigned int pages)
{
	struct iommu_gpasid_fault_alloc cmd = { .size = sizeof(cmd) };

	must(bench_open_size(&b, 0, RAM_SIZE + 4 * pages * PAGE),
	     "a VM");
	must(gvm_ioctl(b.vm.iommufd, IOMMU_GPASID_FAULT_ALLOC, &cmd),
	     "its fault file");
	must(bench_add(&b, GUEST), GUEST);
	must(bench_process(&b, &proc, 1), "a guest process");
	must(bench_process(&b, &other, 2), "another");
	must(gvm_bind(&b.dev[0], &proc.pt, GPASID, &guest.pasid), "bind");
	guest.lab = &b.lab[0];
	pager.fd = cmd.out_fault_fd;
	pager.pt = &proc.pt;
}

static void guest_close(void)
{
	close(pager.fd);
	check(!bench_close(&b), "nothing of the guest is left");
}

static bool guest_right(__u64 va, unsigned int pages)
{
	unsigned int i;
	__u64 gpa;

	for (i = 0; i < pages; i++) {
		if (gvm_pt_translate(&proc.pt, va + i * PAGE, &gpa))
			return false;
		if (!filled(gvm_ram_ptr(&b.vm.ram, gpa, PAGE), va / PAGE + i))
			return false;
	}
	return true;
}

/* ---- the host process ---------------------------------------------------------- */

static void native_open(void)
{
	native_sva_open(&nat);
	native.pasid = nat.pasid;
	native.lab = &nat.lab;
}

/*
 * Memory that nobody has touched, never unmapped while the device is bound:
 * 6.12 leaves the PASID out of the device-TLB invalidation when a process unmaps
 * more than 33 pages at once, so that the device would go on with the old pages.
 */
static char *native_buffer(unsigned int pages)
{
	void *buf = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(buf == MAP_FAILED ? -errno : 0, "a buffer");
	return buf;
}

static bool native_right(const char *buf, unsigned int pages)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		if (!filled((const __u64 *)(buf + i * PAGE),
			    (__u64)buf / PAGE + i))
			return false;
	return true;
}

/* ---- costs ----------------------------------------------------------------------- */

static void measure(struct side *s, __u64 va, unsigned int pages,
		    enum asking how, int round)
{
	struct tally *t = &s->tally[how];
	__u64 *sum = (void *)&t->c, *part;
	struct vtdsim_counters c, d;
	double start;
	size_t i;

	must(lab_counters(s->lab, &c), "counters");
	start = now();
	must(write_range(s, va, pages, how), s->name);
	t->rate[round] = pages / (now() - start);
	must(since(s->lab, &c, &d), "counters");
	part = (void *)&d;
	for (i = 0; i < sizeof(d) / sizeof(*part); i++)
		sum[i] += part[i];
	t->pages += pages;
}

static void one_round(unsigned int pages, enum asking how, int round,
		      bool *right)
{
	char *buf = native_buffer(pages);
	__u64 va = next_va;

	next_va += pages * PAGE;
	if (round % 2)
		measure(&native, (__u64)buf, pages, how, round);
	measure(&guest, va, pages, how, round);
	if (!(round % 2))
		measure(&native, (__u64)buf, pages, how, round);
	*right &= native_right(buf, pages) && guest_right(va, pages);
}

static void row(const char *what, double n, double g)
{
	printf("  %-36s %12.3f %12.3f\n", what, n, g);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Each round has a ratio; what a loaded machine does to some is left out. */
static void row_ratio(enum asking how)
{
	double ratio[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++)
		ratio[i] = guest.tally[how].rate[i] / native.tally[how].rate[i];
	qsort(ratio, ROUNDS, sizeof(*ratio), by_value);
	row("requests per second, ratio: median", 1.0, ratio[ROUNDS / 2]);
	row("  first quartile", 1.0, ratio[ROUNDS / 4]);
	row("  third quartile", 1.0, ratio[ROUNDS - ROUNDS / 4]);
}

static double per_group(const struct side *s, enum asking how, __u64 n)
{
	return (double)n / s->tally[how].c.u_desc[VTDSIM_D_PGRP_RESP];
}

/* The same counter of both, a multiple of each one's groups. */
static void row_counter(const char *what, enum asking how, size_t offset)
{
	const char *n = (const char *)&native.tally[how].c + offset;
	const char *g = (const char *)&guest.tally[how].c + offset;

	row(what, per_group(&native, how, *(const __u64 *)n),
	    per_group(&guest, how, *(const __u64 *)g));
}

#define COUNTER(field) offsetof(struct vtdsim_counters, field)

static __u64 descriptors_other(const struct side *s, enum asking how)
{
	const struct vtdsim_counters *c = &s->tally[how].c;

	return c->u_desc_total - c->u_desc[VTDSIM_D_PGRP_RESP] -
	       c->u_desc[VTDSIM_D_WAIT];
}

static void table(enum asking how)
{
	const struct tally *n = &native.tally[how], *g = &guest.tally[how];

	printf("\n  %-36s %12s %12s\n", how == SINGLE ? "page by page" :
	       "four pages in a group", native.name, guest.name);
	printf("  %-36s %12llu %12llu\n", "pages that DMA wrote", n->pages,
	       g->pages);
	printf("  %-36s %12llu %12llu\n", "page requests",
	       n->c.e_page_requests, g->c.e_page_requests);
	printf("  %-36s %12llu %12llu\n", "groups, each answered once",
	       n->c.e_page_responses, g->c.e_page_responses);
	printf("  a group costs\n");
	row_counter("  page group responses", how,
		    COUNTER(u_desc[VTDSIM_D_PGRP_RESP]));
	row_counter("  invalidation waits", how,
		    COUNTER(u_desc[VTDSIM_D_WAIT]));
	row("  other descriptors",
	    per_group(&native, how, descriptors_other(&native, how)),
	    per_group(&guest, how, descriptors_other(&guest, how)));
	row_counter("  submissions", how,
		    COUNTER(u_submissions));
	row_ratio(how);
}

static void compare_checks(enum asking how)
{
	const struct vtdsim_counters *n = &native.tally[how].c;
	const struct vtdsim_counters *g = &guest.tally[how].c;
	__u64 nn = n->u_desc[VTDSIM_D_PGRP_RESP];
	__u64 ng = g->u_desc[VTDSIM_D_PGRP_RESP];

	check(g->e_page_requests == guest.tally[how].pages,
	      "the guest is asked for each page once");
	check(g->e_page_responses == ng && !g->u_prq_overflows,
	      "each group is answered once");
	check(g->u_desc_total * nn <= n->u_desc_total * ng,
	      "a group costs no more descriptors than native SVA");
	check(g->u_waits * nn <= n->u_waits * ng,
	      "a group costs no more waits than native SVA");
}

static void compare(unsigned int pages)
{
	enum asking how;
	bool right;
	int i;

	for (how = SINGLE; how < NR_ASKING; how++) {
		right = true;
		for (i = 0; i < ROUNDS; i++)
			one_round(pages / ROUNDS, how, i, &right);
		table(how);
		check(right, "every byte is where it belongs");
		compare_checks(how);
	}
}

/* ---- both at once -------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	struct side *side;
	__u64 va;
	unsigned int pages;
	int rc;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	w->rc = write_range(w->side, w->va, w->pages, SINGLE);
	return NULL;
}

/* Bind and unbind another guest PASID until @w is done. */
static int churn(struct worker *w)
{
	__u32 h;
	int n;

	for (n = 0; pthread_tryjoin_np(w->thread, NULL); n++) {
		must(gvm_bind(&b.dev[0], &other.pt, OTHER_GPASID, &h), "bind");
		must(gvm_unbind(&b.dev[0], h), "unbind");
	}
	return n;
}

static void at_once(unsigned int pages)
{
	struct worker n = { .side = &native, .pages = pages };
	struct worker g = { .side = &guest, .pages = pages, .va = next_va };
	char *buf = native_buffer(pages);
	int bindings;

	printf("\nBoth at once, on two devices of one unit\n");
	next_va += pages * PAGE;
	n.va = (__u64)buf;
	must(-pthread_create(&n.thread, NULL, work, &n), "a thread");
	must(-pthread_create(&g.thread, NULL, work, &g), "a thread");
	bindings = churn(&n);
	bindings += churn(&g);
	printf("  %d binds and unbinds meanwhile\n", bindings);
	check(!n.rc && native_right(buf, pages), "native SVA: every byte");
	check(!g.rc && guest_right(g.va, pages), "guest PASID: every byte");
}

/* The VMM does not answer: is the host's process held up? */
static void unanswered(unsigned int pages)
{
	struct worker g = { .side = &guest, .pages = 1, .va = next_va };
	char *buf = native_buffer(pages);
	struct vtdsim_census c;
	int rc;

	printf("\nA guest that does not answer\n");
	next_va += PAGE;
	pager_stop(&pager);
	must(-pthread_create(&g.thread, NULL, work, &g), "a thread");
	rc = write_range(&native, (__u64)buf, pages, SINGLE);
	must(lab_census(guest.lab, guest.pasid, &c), "census");
	check(c.page_requests == 1, "its request is outstanding all the time");
	check(!rc && native_right(buf, pages), "native SVA goes on");
	must(pager_start(&pager), "a thread");
	pthread_join(g.thread, NULL);
	check(!g.rc && guest_right(g.va, 1), "a late answer still counts");
}

/* ---- numbers ---------------------------------------------------------------------- */

/* A process of the host with a bond of its own, until @hold is closed. */
static void child(int out, int hold)
{
	__u32 pasid = 0;
	char c;
	int fd = native_sva_file();

	if (fd < 0 || read(fd, &pasid, sizeof(pasid)) != sizeof(pasid))
		pasid = 0;
	if (write(out, &pasid, sizeof(pasid)) != sizeof(pasid) ||
	    read(hold, &c, 1) < 0)
		_exit(1);
	_exit(0);
}

static int processes(__u32 *pasid, int nr, int *hold)
{
	int out[2], in[2], i;

	if (pipe(out) || pipe(in))
		return -errno;
	for (i = 0; i < nr; i++) {
		if (!fork()) {
			close(in[1]);
			child(out[1], in[0]);
		}
		if (read(out[0], &pasid[i], sizeof(*pasid)) != sizeof(*pasid))
			return -EIO;
	}
	close(out[0]);
	close(out[1]);
	close(in[0]);
	*hold = in[1];
	return 0;
}

static bool all_different(const __u32 *a, int nr)
{
	int i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < i; j++)
			if (!a[i] || a[i] == a[j])
				return false;
	return true;
}

static void bind_many(__u32 *h, int from, int to)
{
	int i;

	for (i = from; i < to; i++) {
		must(gvm_pasid_alloc(&b.vm, &h[i]), "allocate");
		must(gvm_bind_identity(&b.dev[0], &other.pt, h[i]), "bind");
	}
}

static void numbers(void)
{
	__u32 h[NR_BINDINGS + NR_PROCESSES + 2];
	const int half = NR_BINDINGS / 2;
	int hold = -1, i;

	printf("\nNumbers: %d guest PASIDs, %d host processes\n", NR_BINDINGS,
	       NR_PROCESSES);
	bind_many(h, 0, half);
	must(processes(&h[NR_BINDINGS], NR_PROCESSES, &hold), "processes");
	bind_many(h, half, NR_BINDINGS);
	h[NR_BINDINGS + NR_PROCESSES] = native.pasid;
	h[NR_BINDINGS + NR_PROCESSES + 1] = guest.pasid;
	check(all_different(h, NR_BINDINGS + NR_PROCESSES + 2),
	      "no PASID of a guest equals one of a process");
	close(hold);
	for (i = 0; i < NR_PROCESSES; i++)
		wait(NULL);
	for (i = 0; i < NR_BINDINGS; i++)
		must(gvm_pasid_free(&b.vm, h[i]), "free");
}

/* ---- one request, step by step ------------------------------------------------------ */

/* How often the unit's page request interrupt came, on all processors. */
static unsigned long prq_irqs(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	unsigned long sum = 0, n;
	char line[512], *at;
	int len;

	while (f && fgets(line, sizeof(line), f)) {
		at = strchr(line, ':');
		if (!at || !strstr(line, "dmar0-prq"))
			continue;
		for (at++; sscanf(at, " %lu%n", &n, &len) == 1; at += len)
			sum += n;
	}
	if (f)
		fclose(f);
	return sum;
}

static void one_page(struct side *s, __u64 va)
{
	unsigned long before = prq_irqs();

	must(write_pages(s, va, 1, 1, 1), "DMA");
	printf("device:  its write is done\n");
	printf("kernel:  %lu interrupt of dmar0-prq\n", prq_irqs() - before);
}

/* ---- main --------------------------------------------------------------------------- */

static int one_guest(void)
{
	guest_open(1);
	printf("the guest process is PASID %#x\n", guest.pasid);
	pager.show = true;
	must(pager_start(&pager), "a thread");
	one_page(&guest, next_va);
	pager_stop(&pager);
	guest_close();
	return check_result("pri_compare");
}

static int one_native(void)
{
	char *buf;

	native_open();
	buf = native_buffer(1);
	printf("this process is PASID %#x\n", native.pasid);
	one_page(&native, (__u64)buf);
	native_sva_close(&nat);
	return check_result("pri_compare");
}

static int all(unsigned int pages)
{
	guest_open(pages);
	native_open();
	must(pager_start(&pager), "a thread");
	compare(pages);
	at_once(pages / 4);
	unanswered(64);
	numbers();
	pager_stop(&pager);
	printf("\n");
	check(!pager.failed, "the page fault handler met no error");
	native_sva_close(&nat);
	guest_close();
	return check_result("pri_compare");
}

int main(int argc, char **argv)
{
	int pages = 1000;

	if (argc > 1 && !strcmp(argv[1], "one"))
		return one_guest();
	if (argc > 1 && !strcmp(argv[1], "one-native"))
		return one_native();
	if (argc > 1)
		pages = atoi(argv[1]);
	if (pages < ROUNDS * CHUNK || pages > 100000) {
		fprintf(stderr, "usage: pri_compare [PAGES | one | one-native]\n");
		return 2;
	}
	return all(pages);
}
