// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a nested HWPT takes that is attached to a PASID of a device: objects of
 * the kernel over many of them.  By iommufd's and VFIO's own ABI alone, so that
 * it runs on an unmodified kernel, too.
 *
 *	gpasid_upstream_scale [N [BYTES]]
 *
 * Fails when one takes more than BYTES.  Wants the release kernel: checkers of
 * memory make objects larger.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpasid_utils.h"

#define LINUX_7_3	2598	/* what 7.3.4 takes */
#define FEW	100	/* not counted: tables and caches that grow once */

static struct bench b;
static struct process p;
static __u32 *hwpt;

/* Objects of the kernel, in bytes: a line of /proc/meminfo. */
static long long slab(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long long kb = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %lld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb * 1024;
}

static void alloc(__u32 first, __u32 last)
{
	__u32 i;

	for (i = first; i <= last; i++)
		must(gvm_hwpt_nested(&b.dev[0], &p.pt, GVM_HWPT_PASID,
				     &hwpt[i]), "allocate");
}

static void attach(__u32 first, __u32 last)
{
	__u32 i;

	for (i = first; i <= last; i++)
		must(gvm_pasid_attach(&b.dev[0], i, hwpt[i]), "attach");
}

static void look(__u32 n)
{
	__u32 i, wrong = 0;

	for (i = 1; i <= n; i += n / 100)
		wrong += peek_proc(&b.lab[0], i, 0) != TAG(1);
	check(!wrong, "DMA by one in a hundred of them");
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 10000;
	long limit = argc > 2 ? atol(argv[2]) : LINUX_7_3 / 2;
	long long before, between, after;
	char text[128];

	hwpt = calloc(n + 1, sizeof(*hwpt));
	must(hwpt && n > FEW ? 0 : -1, "number");
	must(bench_open(&b, GVM_PASID), "open");
	must(bench_add_vfio(&b, EP_1A), "add " EP_1A);
	must(bench_process(&b, &p, 1), "process");
	alloc(1, FEW);
	attach(1, FEW);

	before = slab();
	alloc(FEW + 1, n);
	between = slab();
	attach(FEW + 1, n);
	after = slab();
	snprintf(text, sizeof(text),
		 "an attached HWPT takes %lld bytes, %lld of them by its allocation",
		 (after - before) / (n - FEW), (between - before) / (n - FEW));
	check((after - before) / (n - FEW) <= limit, text);
	look(n);
	check(!bench_close(&b), "close");

	return check_result("gpasid_upstream_scale");
}
