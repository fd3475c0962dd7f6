// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints: each fires once for what it is about, with the values of what was
 * done.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define TRACING		"/sys/kernel/debug/tracing/"
#define EVENTS		TRACING "events/gpasid/enable"
#define HEAP_VA		(PROC_VA + GVM_SZ_1G)
#define PASID		0x101
#define WAIT_MS		8000
#define SLOW_MS		120

FIXTURE(events)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, q;
	__u32 h;
	int fd;
	char text[65536];
};

/* Empty the trace. */
static int forget(void)
{
	int fd = open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

FIXTURE_SETUP(events)
{
	self->fd = -1;
	if (access(EVENTS, F_OK))
		SKIP(return, "a kernel without tracing");
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	ASSERT_EQ(0, sysfs_write(EVENTS, "1"));
	ASSERT_EQ(0, forget());
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, 0, &self->fd));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, PASID, &self->h));
}

FIXTURE_TEARDOWN(events)
{
	sysfs_write(EVENTS, "0");
	if (self->b.nr)
		EXPECT_EQ(0, bench_close(&self->b));
	if (self->fd >= 0)
		close(self->fd);
}

/* How often an event has been traced whose text begins with @want. */
static int traced(char *text, size_t size, const char *want)
{
	FILE *f = fopen(TRACING "trace", "r");
	int nr = 0;
	char *at;

	if (!f)
		return -1;
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
	for (at = strstr(text, want); at; at = strstr(at + 1, want))
		nr++;
	return nr;
}

#define TRACED(...) ({							\
	char __want[256];						\
									\
	snprintf(__want, sizeof(__want), __VA_ARGS__);			\
	traced(self->text, sizeof(self->text), __want);			\
})

TEST_F(events, a_bind_tells_the_device_the_pasid_and_the_table)
{
	EXPECT_EQ(1, TRACED("gpasid_bind: dev=" EP_1A
			    " pasid=%u pgtbl=0x%llx addr_width=48\n", self->h,
			    (unsigned long long)self->p.pt.root));
}

TEST_F(events, a_refused_bind_is_none)
{
	__u32 h;

	ASSERT_EQ(-EBUSY, gvm_bind(self->dev, &self->p.pt, PASID, &h));
	EXPECT_EQ(1, TRACED("gpasid_bind: "));
}

TEST_F(events, a_replace_tells_the_new_table)
{
	ASSERT_EQ(0, gvm_replace(self->dev, &self->q.pt, self->h));
	EXPECT_EQ(1, TRACED("gpasid_replace: dev=" EP_1A
			    " pasid=%u pgtbl=0x%llx addr_width=48\n", self->h,
			    (unsigned long long)self->q.pt.root));
	EXPECT_EQ(0, TRACED("gpasid_unbind: "));
}

TEST_F(events, an_unbind_tells_the_pasid)
{
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_EQ(1, TRACED("gpasid_unbind: dev=" EP_1A " pasid=%u\n", self->h));
}

TEST_F(events, a_close_unbinds_all)
{
	struct process p;
	__u32 h;

	ASSERT_EQ(0, bench_process(&self->b, &p, 3));
	ASSERT_EQ(0, gvm_bind(self->dev, &p.pt, PASID + 1, &h));
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	EXPECT_EQ(2, TRACED("gpasid_unbind: dev=" EP_1A " "));
}

/* One page of a process is one range: IOTLB, device TLB, and the wait apart. */
TEST_F(events, a_batch_tells_its_unit_and_its_descriptors)
{
	int before = TRACED("gpasid_inv_batch: unit=dmar");

	ASSERT_EQ(0, gvm_invalidate_range(&self->b.vm, PASID, PROC_VA, 1, true));
	EXPECT_EQ(before + 1, TRACED("gpasid_inv_batch: unit=dmar"));
	EXPECT_EQ(1, TRACED(" descriptors=%u\n",
			    self->b.info[0].out_caps & GPASID_CAP_ATS ? 2 : 1));
}

TEST_F(events, a_reset_has_a_beginning_and_an_end)
{
	ASSERT_EQ(0, gvm_dev_reset(self->dev));
	ASSERT_EQ(0, lab_dev_restart(self->lab));
	EXPECT_EQ(1, TRACED("gpasid_reset: dev=" EP_1A " prepare\n"));
	EXPECT_EQ(1, TRACED("gpasid_reset: dev=" EP_1A " done\n"));
}

TEST_F(events, a_page_request_and_its_answer_name_each_other)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_WRITE,
		.flags = VTDSIM_F_PASID | VTDSIM_F_ATS | VTDSIM_F_PRI,
		.pasid = self->h,
		.addr = HEAP_VA,
		.len = 8,
	};
	struct iommu_gpasid_fault f;
	unsigned int waited;
	const char *answer;

	if (!(self->b.info[0].out_caps & GPASID_CAP_PRI))
		SKIP(return, "no page requests");
	ASSERT_EQ(0, lab_submit(self->lab, 0, &d));
	ASSERT_EQ(1, gvm_faults_read(self->fd, &f, 1, WAIT_MS));
	usleep(SLOW_MS * 1000);
	ASSERT_EQ(0, gvm_faults_answer(self->fd, f.cookie,
				       IOMMU_GPASID_FAULT_INVALID));
	ASSERT_EQ(0, lab_wait(self->lab, 0, WAIT_MS));

	EXPECT_EQ(1, TRACED("gpasid_page_request: dev=" EP_1A
			    " pasid=%u group=%u addr=0x%llx perm=", self->h,
			    f.group, HEAP_VA));
	EXPECT_NE(NULL, strstr(self->text, "write"));
	EXPECT_EQ(1, TRACED("gpasid_page_answer: dev=" EP_1A
			    " pasid=%u group=%u code=invalid waited_ms=",
			    self->h, f.group));
	answer = strstr(self->text, "waited_ms=");
	ASSERT_NE(NULL, answer);
	waited = strtoul(answer + strlen("waited_ms="), NULL, 10);
	/* A tick either way. */
	EXPECT_GE(waited + 10, SLOW_MS);
}

TEST_HARNESS_MAIN
