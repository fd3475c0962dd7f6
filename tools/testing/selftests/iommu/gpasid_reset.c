// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets: what a device has asked for before one is over, what it asks for
 * afterwards is new, although it counts its groups from the beginning.  Bindings
 * live on, and the device's TLB is empty.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define HEAP_VA		(PROC_VA + GVM_SZ_1G)
#define GPASID		0x101
#define F_DEMAND	(VTDSIM_F_PASID | VTDSIM_F_ATS | VTDSIM_F_PRI)
#define GROUP		300
#define OTHER_GROUP	VTDSIM_PRQ_GROUP(1)	/* with it, 301 */
#define WAIT_MS		8000	/* ample, under every checker */
#define LIMIT_MS	3000	/* a time limit that a test waits for */
#define PARTIAL_MAX	2048	/* of one device */
#define KEPT_MAX	4096	/* of one device, in fault queues of iommufd */

#define SYS_DEV		"/sys/bus/pci/devices/" EP_1A "/"
#define SYS_PORT_DEV	"/sys/bus/pci/devices/" EP_1Q "/"
#define IMM_READY	"/sys/module/vtdsim_ep/parameters/imm_ready"

/* One page request of a group, by hand.  @pasid 0: without a PASID. */
static int request(struct lab_dev *lab, unsigned int q, __u32 pasid, __u64 va,
		   __u64 what)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_PAGE_REQUEST,
		.flags = pasid ? F_DEMAND : F_DEMAND & ~VTDSIM_F_PASID,
		.pasid = pasid,
		.addr = va,
		.operand = VTDSIM_PRQ_READ | VTDSIM_PRQ_GROUP(GROUP) | what,
	};

	return lab_submit(lab, q, &d);
}

/* How the newest descriptor of a queue ended. */
static int ended(struct lab_dev *lab, unsigned int q, unsigned int ms)
{
	struct vtdsim_desc d;
	int rc = lab_wait(lab, q, ms);

	if (rc)
		return rc;
	lab_result(lab, q, 0, &d);
	return d.status;
}

/* ---- the kinds of resets ----------------------------------------------------- */

static int reset_by_vfio(struct bench *b)
{
	return gvm_dev_reset(&b->dev[0]);
}

static int reset_by_sysfs(struct bench *b)
{
	(void)b;
	return sysfs_write(SYS_DEV "reset", "1");
}

static int config_write(struct bench *b, __u32 where, __u16 val)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	int rc = gvm_ioctl(b->dev[0].fd, VFIO_DEVICE_GET_REGION_INFO, &info);

	if (rc)
		return rc;
	if (pwrite(b->dev[0].fd, &val, 2, info.offset + where) != 2)
		return -errno;
	return 0;
}

/* What a driver of the guest does: "initiate function level reset". */
static int reset_by_config(struct bench *b)
{
	return config_write(b, 0x48, 0x8000);
}

/*
 * Of all functions on the bus, which belong to one iommufd: no group is named.
 * VFIO does not wait for another thread's page fault on a BAR.
 */
static int reset_by_bus(struct bench *b)
{
	struct vfio_pci_hot_reset hot = { .argsz = sizeof(hot) };
	int rc;

	do {
		rc = gvm_ioctl(b->dev[0].fd, VFIO_DEVICE_PCI_HOT_RESET, &hot);
	} while (rc == -EBUSY && !usleep(100));
	return rc;
}

static bool has_port(void)
{
	return !access(SYS_PORT_DEV, F_OK);
}

FIXTURE(reset)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p;
	struct vtdsim_counters c;
	__u32 h;
	int fd;
	struct iommu_gpasid_fault f[PARTIAL_MAX + 1024];
};

FIXTURE_VARIANT(reset)
{
	int (*reset)(struct bench *b);
	bool port;	/* of two functions behind a root port */
};

FIXTURE_VARIANT_ADD(reset, vfio) { .reset = reset_by_vfio };
FIXTURE_VARIANT_ADD(reset, sysfs) { .reset = reset_by_sysfs };
FIXTURE_VARIANT_ADD(reset, config) { .reset = reset_by_config };
FIXTURE_VARIANT_ADD(reset, bus) { .reset = reset_by_bus, .port = true };

FIXTURE_SETUP(reset)
{
	self->fd = -1;
	if (variant->port && !has_port())
		SKIP(return, "no root port");
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, variant->port ? EP_1P : EP_1A));
	if (variant->port)
		ASSERT_EQ(0, bench_add(&self->b, EP_1Q));
	if (!(self->b.info[0].out_caps & GPASID_CAP_PRI))
		SKIP(return, "no page requests");
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, LIMIT_MS,
				     &self->fd));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, GPASID, &self->h));
	ASSERT_EQ(0, lab_counters(self->lab, &self->c));
}

FIXTURE_TEARDOWN(reset)
{
	EXPECT_EQ(0, bench_close(&self->b));
	if (self->fd >= 0)
		close(self->fd);
}

/* The reset, and what the guest's driver does afterwards. */
static int do_reset(struct _test_data_reset *self,
		    const struct _fixture_variant_reset *variant)
{
	int rc = variant->reset(&self->b);

	if (!rc)
		rc = gvm_dev_enable(self->dev, true);
	if (!rc)
		rc = lab_dev_restart(self->lab);
	return rc;
}

/* A whole group of one request; what is read of it goes to @f. */
static int ask(struct _test_data_reset *self, unsigned int q,
	       struct iommu_gpasid_fault *f)
{
	int rc = request(self->lab, q, self->h, HEAP_VA, VTDSIM_PRQ_LAST);

	return rc ?: gvm_faults_read(self->fd, f, 64, WAIT_MS);
}

static long ms_since(const struct timespec *then)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (t.tv_sec - then->tv_sec) * 1000 +
	       (t.tv_nsec - then->tv_nsec) / 1000000;
}

/* ---- page requests -------------------------------------------------------------- */

TEST_F(reset, an_answer_to_an_old_request_does_not_end_a_new_one)
{
	struct iommu_gpasid_fault old, new[64];

	ASSERT_EQ(1, ask(self, 0, &old));
	ASSERT_EQ(0, do_reset(self, variant));
	ASSERT_EQ(1, ask(self, 0, new));
	EXPECT_EQ(GROUP, new[0].group);
	EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, old.cookie,
					     IOMMU_GPASID_FAULT_INVALID));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 100));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, new[0].cookie,
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(reset, the_time_limit_of_an_old_request_does_not_end_a_new_one)
{
	struct iommu_gpasid_fault old, new[64];
	struct timespec then;

	ASSERT_EQ(1, ask(self, 0, &old));
	clock_gettime(CLOCK_MONOTONIC, &then);
	ASSERT_EQ(0, do_reset(self, variant));
	while (ms_since(&then) < LIMIT_MS / 2)
		usleep(10000);
	ASSERT_EQ(1, ask(self, 0, new));
	while (ms_since(&then) < LIMIT_MS + LIMIT_MS / 4)
		usleep(10000);
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 0));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, new[0].cookie,
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(reset, a_request_that_nobody_has_read_is_not_read_afterwards)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

	ASSERT_EQ(0, request(self->lab, 0, self->h, HEAP_VA, VTDSIM_PRQ_LAST));
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));
	ASSERT_EQ(0, do_reset(self, variant));
	EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 100));
}

TEST_F(reset, no_response_is_sent)
{
	ASSERT_EQ(1, ask(self, 0, self->f));
	ASSERT_EQ(0, request(self->lab, 1, self->h, HEAP_VA, OTHER_GROUP));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 1, WAIT_MS));
	ASSERT_EQ(0, do_reset(self, variant));
	ASSERT_EQ(0, gvm_unbind(self->dev, self->h));
	ASSERT_EQ(0, since(self->lab, &self->c, &self->c));
	EXPECT_EQ(0, self->c.u_desc[VTDSIM_D_PGRP_RESP]);
	EXPECT_EQ(0, lab_regs(self->lab)->pri_status);
}

TEST_F(reset, an_old_partial_request_is_not_in_a_new_group)
{
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, request(self->lab, 0, self->h,
				     HEAP_VA + i * GVM_SZ_4K, 0));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	ASSERT_EQ(0, do_reset(self, variant));
	EXPECT_EQ(1, ask(self, 0, self->f));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, self->f[0].cookie,
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

/* ---- what lives on ---------------------------------------------------------------- */

TEST_F(reset, bindings_live_on)
{
	struct vfio_device_gpasid_info info = { .argsz = sizeof(info) };

	ASSERT_EQ(TAG(1), peek_proc(self->lab, self->h, VTDSIM_F_ATS));
	ASSERT_EQ(0, do_reset(self, variant));
	EXPECT_EQ(0, gvm_dev_info(self->dev, &info));
	EXPECT_EQ(1, info.out_bound);
	EXPECT_EQ(self->b.info[0].out_caps, info.out_caps);
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, VTDSIM_F_ATS));
	ASSERT_EQ(0, since(self->lab, &self->c, &self->c));
	EXPECT_EQ(0, self->c.u_faults);
	EXPECT_EQ(0, self->c.u_iqe);
}

TEST_F(reset, page_requests_are_on_again)
{
	__u32 ctl = lab_regs(self->lab)->ctl;

	ASSERT_EQ(0, do_reset(self, variant));
	EXPECT_EQ(ctl, lab_regs(self->lab)->ctl);
	ASSERT_EQ(1, ask(self, 0, self->f));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, self->f[0].cookie,
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(reset, the_device_tlb_is_empty)
{
	struct vtdsim_census c;

	ASSERT_EQ(TAG(1), peek_proc(self->lab, self->h, VTDSIM_F_ATS));
	ASSERT_EQ(0, lab_census(self->lab, self->h, &c));
	ASSERT_NE(0, c.dev_tlb);
	ASSERT_EQ(0, do_reset(self, variant));
	ASSERT_EQ(0, lab_census(self->lab, self->h, &c));
	EXPECT_EQ(0, c.dev_tlb);
	EXPECT_EQ(1, c.present);
}

/* ---- in a loop -------------------------------------------------------------------- */

TEST_F_TIMEOUT(reset, eighty_resets_keep_nothing, 240)
{
	int i, n;

	for (i = 0; i < 80; i++) {
		for (n = 0; n < 250; n++)
			while (request(self->lab, 0, self->h,
				       HEAP_VA + n * GVM_SZ_4K, 0))
				usleep(100);
		EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
		ASSERT_EQ(0, do_reset(self, variant));
	}
	EXPECT_EQ(1, ask(self, 0, self->f));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, self->f[0].cookie,
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

/* Requests without end; each fails by a reset or by the end of the test. */
struct flood {
	struct lab_dev *lab;
	__u32 h;
	atomic_int stop;
	unsigned long sent;
};

static void *flood_main(void *arg)
{
	struct flood *f = arg;
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = F_DEMAND,
		.pasid = f->h,
		.len = 8,
	};
	unsigned int q;

	while (!f->stop) {
		for (q = 1; q < LAB_NR_DMA_Q; q++) {
			d.addr = HEAP_VA + f->sent % 4096 * GVM_SZ_4K;
			f->sent += !lab_submit(f->lab, q, &d);
		}
		usleep(100);
	}
	return NULL;
}

/*
 * Requests that are on their way when the reset begins are not taken for the
 * device's afterwards: none is left to be read, and none is answered.
 */
TEST_F_TIMEOUT(reset, requests_on_their_way_are_dropped, 240)
{
	struct flood f = { .lab = self->lab, .h = self->h };
	struct vtdsim_counters c;
	pthread_t thread;
	int i;

	for (i = 0; i < 20; i++) {
		f.stop = 0;
		ASSERT_EQ(0, lab_counters(self->lab, &c));
		ASSERT_EQ(0, pthread_create(&thread, NULL, flood_main, &f));
		usleep(1000 * i);
		ASSERT_EQ(0, variant->reset(&self->b));
		f.stop = 1;
		ASSERT_EQ(0, pthread_join(thread, NULL));
		/* The engine has not been started again: it asks for nothing. */
		EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 0));
		ASSERT_EQ(0, since(self->lab, &c, &c));
		EXPECT_EQ(0, c.u_desc[VTDSIM_D_PGRP_RESP]);
		EXPECT_EQ(0, lab_regs(self->lab)->pri_status);
		/* What the flood has written to its ring since is gone, too. */
		ASSERT_EQ(0, do_reset(self, variant));
	}
	TH_LOG("%lu requests", f.sent);
	EXPECT_EQ(1, ask(self, 0, self->f));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, self->f[0].cookie,
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

/* ---- close and limit ---------------------------------------------------------------- */

/* As the fixture, for one kind of reset. */
static int open_all(struct _test_data_reset *self)
{
	int rc;

	self->fd = -1;
	rc = bench_open(&self->b, 0);
	if (!rc)
		rc = bench_add(&self->b, EP_1A);
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	if (!rc)
		rc = bench_process(&self->b, &self->p, 1);
	if (!rc)
		rc = gvm_faults_open(&self->b.vm, 0, 0, &self->fd);
	if (!rc)
		rc = gvm_bind(self->dev, &self->p.pt, GPASID, &self->h);
	return rc;
}

static int close_all(struct _test_data_reset *self)
{
	int broken = bench_close(&self->b);

	close(self->fd);
	return broken;
}

FIXTURE(one)
{
	struct _test_data_reset r;
};

FIXTURE_SETUP(one)
{
	ASSERT_EQ(0, open_all(&self->r));
}

FIXTURE_TEARDOWN(one)
{
	EXPECT_EQ(0, close_all(&self->r));
}

TEST_F_TIMEOUT(one, partial_requests_have_a_limit, 120)
{
	struct _test_data_reset *r = &self->r;
	int i, n, all = 0;

	for (i = 0; i < PARTIAL_MAX + 500; i++) {
		while (request(r->lab, 0, r->h, HEAP_VA + i * GVM_SZ_4K, 0))
			usleep(100);
		/* Slowly: the unit's own queue has a limit, too. */
		if (i % 100 == 0)
			usleep(20000);
	}
	EXPECT_EQ(VTDSIM_DONE, ended(r->lab, 0, WAIT_MS));
	ASSERT_EQ(0, request(r->lab, 0, r->h, HEAP_VA, VTDSIM_PRQ_LAST));
	do {
		n = gvm_faults_read(r->fd, r->f, 64, WAIT_MS);
		ASSERT_GT(n, 0);
		all += n;
	} while (!(r->f[n - 1].flags & IOMMU_GPASID_FAULT_LAST));
	EXPECT_EQ(PARTIAL_MAX + 1, all);
	ASSERT_EQ(0, gvm_faults_answer(r->fd, r->f[n - 1].cookie,
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(r->lab, 0, WAIT_MS));
}

/* The reset at the close, and the one at the open that follows. */
TEST_F(one, a_close_ends_page_requests_without_a_response)
{
	struct _test_data_reset *r = &self->r;
	struct vtdsim_counters c;
	struct lab_dev lab;
	__u64 cookie;

	ASSERT_EQ(0, lab_dev_open_sysfs(&lab, EP_1A));
	ASSERT_EQ(0, lab_counters(&lab, &c));
	ASSERT_EQ(1, ask(r, 0, r->f));
	cookie = r->f[0].cookie;
	ASSERT_EQ(0, request(r->lab, 1, r->h, HEAP_VA, OTHER_GROUP));
	EXPECT_EQ(VTDSIM_DONE, ended(r->lab, 1, WAIT_MS));
	EXPECT_EQ(0, bench_close_dev(&r->b, 0));
	ASSERT_EQ(0, since(&lab, &c, &c));
	EXPECT_EQ(0, c.u_desc[VTDSIM_D_PGRP_RESP]);
	EXPECT_EQ(0, lab_regs(&lab)->pri_status);
	lab_dev_close(&lab);
	EXPECT_EQ(-ENOENT, gvm_faults_answer(r->fd, cookie,
					     IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(0, gvm_faults_read(r->fd, r->f, 64, 0));
}

/* ---- inside ------------------------------------------------------------------------ */

struct invalidator {
	struct gvm *vm;
	atomic_int stop;
	unsigned long done;
	int rc;
};

static void *invalidate_main(void *arg)
{
	struct invalidator *inv = arg;

	while (!inv->stop && !inv->rc) {
		inv->rc = gvm_invalidate_pasid(inv->vm, GPASID);
		inv->done += !inv->rc;
	}
	return NULL;
}

/* A function that is not ready at once: a reset takes 100 ms. */
static int slow_resets(bool on)
{
	int rc = sysfs_write(IMM_READY, on ? "0" : "1");

	if (!rc)
		rc = sysfs_write(SYS_DEV "remove", "1");
	if (!rc)
		rc = sysfs_write("/sys/bus/pci/rescan", "1");
	return rc;
}

/*
 * Each invalidation has one descriptor for the device's TLB, but for those of
 * which the device is inside the reset.
 */
TEST(nothing_is_sent_to_a_device_inside_a_reset)
{
	struct _test_data_reset *r = calloc(1, sizeof(*r));
	struct invalidator inv = { .vm = &r->b.vm };
	struct vtdsim_counters c;
	unsigned long before, during;
	pthread_t thread;

	ASSERT_EQ(0, slow_resets(true));
	ASSERT_EQ(0, open_all(r));
	ASSERT_EQ(0, lab_counters(r->lab, &c));
	ASSERT_EQ(0, pthread_create(&thread, NULL, invalidate_main, &inv));
	usleep(20000);
	before = inv.done;
	ASSERT_EQ(0, gvm_dev_reset(r->dev));
	during = inv.done - before;
	usleep(20000);
	inv.stop = 1;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, inv.rc);
	ASSERT_EQ(0, since(r->lab, &c, &c));
	TH_LOG("%lu invalidations, %lu of them during the reset, %llu with the device TLB",
	       inv.done, during, c.u_desc[VTDSIM_D_PDEVTLB]);
	EXPECT_GE(during, 4);
	/* One that met the end, where ATS is off for a moment, is submitted again. */
	EXPECT_LE(inv.done, c.u_desc[VTDSIM_D_PIOTLB]);
	EXPECT_LE(c.u_desc[VTDSIM_D_PDEVTLB], inv.done - during / 2);
	EXPECT_GT(c.u_desc[VTDSIM_D_PDEVTLB], 0);
	EXPECT_EQ(0, close_all(r));
	ASSERT_EQ(0, slow_resets(false));
	free(r);
}

struct asker {
	struct gvm_dev *dev;
	atomic_int stop;
	unsigned int width;
	__u64 caps;
	unsigned long asked, different;
	int rc;
};

static void *ask_main(void *arg)
{
	struct asker *a = arg;
	unsigned int width;
	__u64 caps;

	while (!a->stop && !a->rc) {
		a->rc = gvm_dev_pasid_info(a->dev, &width, &caps);
		a->different += width != a->width || caps != a->caps;
		a->asked++;
	}
	return NULL;
}

/* Inside the reset the device's own registers say that PASIDs are off. */
TEST(a_device_inside_a_reset_is_told_to_have_its_pasids)
{
	struct _test_data_reset *r = calloc(1, sizeof(*r));
	struct asker a = {};
	unsigned long before;
	pthread_t thread;

	ASSERT_EQ(0, slow_resets(true));
	ASSERT_EQ(0, open_all(r));
	a.dev = r->dev;
	ASSERT_EQ(0, gvm_dev_pasid_info(r->dev, &a.width, &a.caps));
	EXPECT_NE(0, a.width);
	ASSERT_EQ(0, pthread_create(&thread, NULL, ask_main, &a));
	usleep(20000);
	before = a.asked;
	ASSERT_EQ(0, gvm_dev_reset(r->dev));
	before = a.asked - before;
	a.stop = 1;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_GE(before, 4);
	EXPECT_EQ(0, a.rc);
	EXPECT_EQ(0, a.different);
	EXPECT_EQ(0, close_all(r));
	ASSERT_EQ(0, slow_resets(false));
	free(r);
}

/* ---- two functions on one bus ---------------------------------------------------- */

FIXTURE(bus)
{
	struct bench b;
	struct process p;
	struct vtdsim_counters c;
	__u32 h[2];
	int fd;
	struct iommu_gpasid_fault f[64];
};

FIXTURE_SETUP(bus)
{
	int i;

	self->fd = -1;
	if (!has_port())
		SKIP(return, "no root port");
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1P));
	ASSERT_EQ(0, bench_add(&self->b, EP_1Q));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, 0, &self->fd));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, gvm_bind(&self->b.dev[i], &self->p.pt, GPASID,
				      &self->h[i]));
	ASSERT_EQ(0, lab_counters(&self->b.lab[0], &self->c));
}

FIXTURE_TEARDOWN(bus)
{
	EXPECT_EQ(0, bench_close(&self->b));
	if (self->fd >= 0)
		close(self->fd);
}

/* A whole group of each function is read, a group of each is begun. */
static int ask_both(struct _test_data_bus *self, __u64 *cookie)
{
	int i, rc;

	for (i = 0; i < 2; i++) {
		struct lab_dev *lab = &self->b.lab[i];

		rc = request(lab, 0, self->h[i], HEAP_VA, VTDSIM_PRQ_LAST);
		if (rc)
			return rc;
		rc = gvm_faults_read(self->fd, self->f, 64, WAIT_MS);
		if (rc != 1)
			return rc < 0 ? rc : -ENODATA;
		cookie[i] = self->f[0].cookie;
		rc = request(lab, 1, self->h[i], HEAP_VA, OTHER_GROUP);
		if (rc)
			return rc;
		rc = ended(lab, 1, WAIT_MS);
		if (rc != VTDSIM_DONE)
			return -EIO;
	}
	return 0;
}

static int restart_both(struct _test_data_bus *self)
{
	int i, rc = 0;

	for (i = 0; i < 2 && !rc; i++) {
		rc = gvm_dev_enable(&self->b.dev[i], true);
		if (!rc)
			rc = lab_dev_restart(&self->b.lab[i]);
	}
	return rc;
}

TEST_F(bus, the_bus_is_not_the_root_bus)
{
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(1 << 8 | i, lab_regs(&self->b.lab[i])->source_id);
		EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[i], self->h[i], 0));
		EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[i], self->h[i],
					    VTDSIM_F_ATS));
	}
}

TEST_F(bus, a_reset_of_the_bus_ends_the_requests_of_both)
{
	__u64 old[2], new[2];
	int i;

	ASSERT_EQ(0, ask_both(self, old));
	ASSERT_EQ(0, reset_by_bus(&self->b));
	EXPECT_EQ(0, gvm_faults_read(self->fd, self->f, 64, 100));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-ENOENT, gvm_faults_answer(self->fd, old[i],
						     IOMMU_GPASID_FAULT_SUCCESS));
	ASSERT_EQ(0, since(&self->b.lab[0], &self->c, &self->c));
	EXPECT_EQ(0, self->c.u_desc[VTDSIM_D_PGRP_RESP]);
	ASSERT_EQ(0, restart_both(self));
	ASSERT_EQ(0, ask_both(self, new));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, gvm_faults_answer(self->fd, new[i],
					       IOMMU_GPASID_FAULT_SUCCESS));
		EXPECT_EQ(VTDSIM_DONE, ended(&self->b.lab[i], 0, WAIT_MS));
		EXPECT_EQ(TAG(1), peek_proc(&self->b.lab[i], self->h[i],
					    VTDSIM_F_ATS));
	}
}

/* It takes 100 ms, in which both are inside. */
TEST_F(bus, nothing_is_sent_to_either_inside_a_reset_of_the_bus)
{
	struct invalidator inv = { .vm = &self->b.vm };
	unsigned long before, during;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, invalidate_main, &inv));
	usleep(20000);
	before = inv.done;
	ASSERT_EQ(0, reset_by_bus(&self->b));
	during = inv.done - before;
	usleep(20000);
	inv.stop = 1;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, inv.rc);
	ASSERT_EQ(0, since(&self->b.lab[0], &self->c, &self->c));
	TH_LOG("%lu invalidations, %lu of them during the reset, %llu with a device TLB",
	       inv.done, during, self->c.u_desc[VTDSIM_D_PDEVTLB]);
	EXPECT_GE(during, 4);
	EXPECT_EQ(0, self->c.u_iqe);
	/* Those at either end of the reset are sent. */
	EXPECT_LE(self->c.u_desc[VTDSIM_D_PDEVTLB],
		  2 * inv.done - during / 2);
	EXPECT_GT(self->c.u_desc[VTDSIM_D_PDEVTLB], 0);
}

/* A function of which the VM has not even the group. */
TEST_F(bus, a_reset_of_a_bus_that_is_not_the_vm_s_alone_changes_nothing)
{
	__u64 cookie[2];

	ASSERT_EQ(0, ask_both(self, cookie));
	ASSERT_EQ(0, bench_close_dev(&self->b, 1));
	EXPECT_EQ(-EINVAL, reset_by_bus(&self->b));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, cookie[0],
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(&self->b.lab[0], 0, WAIT_MS));
}

/* ---- fault queues of iommufd ---------------------------------------------------------- */

#define PASID		1	/* the device's own */

FIXTURE(upstream)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p;
	__u32 id, hwpt;
	__u32 pasid;
	int fd;
};

FIXTURE_VARIANT(upstream)
{
	__u32 pasid;	/* 0: the RID */
};

FIXTURE_VARIANT_ADD(upstream, pasid) { .pasid = PASID };
FIXTURE_VARIANT_ADD(upstream, rid) {};

FIXTURE_SETUP(upstream)
{
	self->pasid = variant->pasid;
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_open(&self->b, GVM_PASID));
	ASSERT_EQ(0, bench_add_vfio(&self->b, EP_1A));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, gvm_fault_queue(&self->b.vm, &self->id, &self->fd));
	ASSERT_EQ(0, gvm_hwpt_nested_fault(self->dev, &self->p.pt, self->id,
					   &self->hwpt));
	ASSERT_EQ(0, self->pasid ?
		     gvm_pasid_attach(self->dev, PASID, self->hwpt) :
		     gvm_dev_attach(self->dev, self->hwpt));
}

FIXTURE_TEARDOWN(upstream)
{
	EXPECT_EQ(0, bench_close(&self->b));
	close(self->fd);
}

/* A whole group of one request, read. */
static int ask_upstream(struct _test_data_upstream *self,
			struct iommu_hwpt_pgfault *f)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	int rc = request(self->lab, 0, self->pasid, HEAP_VA, VTDSIM_PRQ_LAST);

	if (rc)
		return rc;
	if (poll(&pfd, 1, WAIT_MS) != 1)
		return -ETIMEDOUT;
	return read(self->fd, f, sizeof(*f)) == sizeof(*f) ? 0 : -EIO;
}

static int answer_upstream(int fd, __u32 cookie)
{
	struct iommu_hwpt_page_response r = {
		.cookie = cookie,
		.code = IOMMUFD_PAGE_RESP_SUCCESS,
	};

	return write(fd, &r, sizeof(r)) == sizeof(r) ? 0 : -errno;
}

static int restart(struct _test_data_upstream *self)
{
	int rc = gvm_dev_reset(self->dev);

	if (!rc)
		rc = gvm_dev_enable(self->dev, true);
	if (!rc)
		rc = lab_dev_restart(self->lab);
	return rc;
}

TEST_F(upstream, an_answer_to_an_old_request_does_not_end_a_new_one)
{
	struct iommu_hwpt_pgfault old, new;
	struct vtdsim_counters c;

	ASSERT_EQ(0, lab_counters(self->lab, &c));
	ASSERT_EQ(0, ask_upstream(self, &old));
	ASSERT_EQ(0, restart(self));
	EXPECT_EQ(-EINVAL, answer_upstream(self->fd, old.cookie));
	ASSERT_EQ(0, ask_upstream(self, &new));
	ASSERT_EQ(0, since(self->lab, &c, &c));
	EXPECT_EQ(0, c.u_desc[VTDSIM_D_PGRP_RESP]);
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 100));
	ASSERT_EQ(0, answer_upstream(self->fd, new.cookie));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
}

TEST_F(upstream, a_request_that_nobody_has_read_is_not_read_afterwards)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

	ASSERT_EQ(0, request(self->lab, 0, self->pasid, HEAP_VA,
			     VTDSIM_PRQ_LAST));
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));
	ASSERT_EQ(0, restart(self));
	EXPECT_EQ(0, poll(&pfd, 1, 100));
}

/* A reader may wait for memory that a reset keeps from it: the device's own. */
TEST_F(upstream, a_request_can_be_read_into_memory_of_the_device)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	struct iommu_hwpt_pgfault *record = lab_local(self->lab, 3);
	__u32 cookie;

	ASSERT_EQ(0, request(self->lab, 0, self->pasid, HEAP_VA,
			     VTDSIM_PRQ_LAST));
	ASSERT_EQ(1, poll(&pfd, 1, WAIT_MS));
	ASSERT_EQ(sizeof(*record), read(self->fd, record, sizeof(*record)));
	cookie = record->cookie;
	ASSERT_EQ(0, restart(self));
	EXPECT_EQ(-EINVAL, answer_upstream(self->fd, cookie));
}

/* With GROUP in request(): one of eight groups. */
static __u64 one_of_eight(unsigned int n)
{
	return VTDSIM_PRQ_GROUP((n & 3) | (n & 4) << 2);
}

/* @nr requests of groups that are not complete: of @nr_groups, from @first on. */
static void send_partial(struct _test_data_upstream *self, unsigned int q,
			 unsigned int first, int nr, unsigned int nr_groups)
{
	unsigned int n;
	int i;

	for (i = 0; i < nr; i++) {
		n = first + i % nr_groups;
		while (request(self->lab, q, self->pasid, HEAP_VA + i * GVM_SZ_4K,
			       one_of_eight(n)))
			usleep(100);
		/* Slowly: the unit's own queue has a limit, too. */
		if (i % 100 == 0)
			usleep(20000);
	}
}

/* The records of one group: how many, or a negative errno. */
static int read_group(int fd, struct iommu_hwpt_pgfault *f, int max)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t len;

	if (poll(&pfd, 1, WAIT_MS) != 1)
		return -ETIMEDOUT;
	len = read(fd, f, max * sizeof(*f));
	return len < 0 ? -errno : (int)(len / sizeof(*f));
}

TEST_F_TIMEOUT(upstream, partial_requests_have_a_limit_whatever_their_groups, 120)
{
	struct iommu_hwpt_pgfault *f = calloc(KEPT_MAX, sizeof(*f));
	unsigned int n;
	int got, all = 0;

	send_partial(self, 0, 0, PARTIAL_MAX + 500, 8);
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	for (n = 0; n < 8; n++) {
		ASSERT_EQ(0, request(self->lab, 0, self->pasid, HEAP_VA,
				     one_of_eight(n) | VTDSIM_PRQ_LAST));
		got = read_group(self->fd, f, KEPT_MAX);
		ASSERT_GT(got, 0);
		all += got;
		ASSERT_EQ(0, answer_upstream(self->fd, f->cookie));
		EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	}
	EXPECT_EQ(PARTIAL_MAX + 8, all);
	free(f);
}

/*
 * A group of as many requests as there can be, which is not answered.  On a busy
 * machine the unit's queue may overflow, and the kernel then drops what it has.
 */
static int send_full_group(struct _test_data_upstream *self, unsigned int q)
{
	struct vtdsim_counters c;
	int rc;

	do {
		rc = lab_counters(self->lab, &c);
		if (rc)
			return rc;
		send_partial(self, q, q, PARTIAL_MAX, 1);
		rc = ended(self->lab, q, WAIT_MS);
		if (rc != VTDSIM_DONE)
			return -EIO;
		/* The last one is to find room. */
		usleep(200000);
		rc = since(self->lab, &c, &c);
	} while (!rc && c.u_prq_overflows);
	return rc ? rc : request(self->lab, q, self->pasid, HEAP_VA,
				 one_of_eight(q) | VTDSIM_PRQ_LAST);
}

TEST_F_TIMEOUT(upstream, unanswered_requests_have_a_limit, 120)
{
	struct iommu_hwpt_pgfault *f = calloc(KEPT_MAX, sizeof(*f));

	ASSERT_EQ(0, send_full_group(self, 0));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 100));
	ASSERT_EQ(0, send_full_group(self, 1));
	ASSERT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 1, WAIT_MS));
	/* As invalid, not as failed: the device goes on asking. */
	EXPECT_EQ(0, lab_regs(self->lab)->pri_status & VTDSIM_PRI_RF);
	ASSERT_EQ(PARTIAL_MAX + 1, read_group(self->fd, f, KEPT_MAX));
	ASSERT_EQ(0, answer_upstream(self->fd, f->cookie));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 0, WAIT_MS));
	/* There is room again. */
	ASSERT_EQ(0, send_full_group(self, 1));
	ASSERT_EQ(PARTIAL_MAX + 1, read_group(self->fd, f, KEPT_MAX));
	ASSERT_EQ(0, answer_upstream(self->fd, f->cookie));
	EXPECT_EQ(VTDSIM_DONE, ended(self->lab, 1, WAIT_MS));
	free(f);
}

/* A VMM that is told of nothing to read polls, and no more. */
TEST_F_TIMEOUT(upstream, a_poll_frees_read_requests_that_a_reset_has_ended, 120)
{
	struct iommu_hwpt_pgfault *f = calloc(KEPT_MAX, sizeof(*f));
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	__u32 id, hwpt;
	int fd;

	ASSERT_EQ(0, send_full_group(self, 0));
	ASSERT_EQ(PARTIAL_MAX + 1, read_group(self->fd, f, KEPT_MAX));
	ASSERT_EQ(0, restart(self));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	/* As many again, in another queue. */
	ASSERT_EQ(0, gvm_fault_queue(&self->b.vm, &id, &fd));
	ASSERT_EQ(0, gvm_hwpt_nested_fault(self->dev, &self->p.pt, id, &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID + 1, hwpt));
	self->pasid = PASID + 1;
	ASSERT_EQ(0, send_full_group(self, 0));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 100));
	EXPECT_EQ(PARTIAL_MAX + 1, read_group(fd, f, KEPT_MAX));
	close(fd);
	free(f);
}

/* They are in memory until their queue is looked at. */
TEST_F_TIMEOUT(upstream, requests_that_a_reset_has_ended_count_against_the_limit, 120)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	__u32 id, hwpt;
	int fd;

	ASSERT_EQ(0, send_full_group(self, 0));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 100));
	ASSERT_EQ(0, restart(self));
	/* Another queue. */
	ASSERT_EQ(0, gvm_fault_queue(&self->b.vm, &id, &fd));
	ASSERT_EQ(0, gvm_hwpt_nested_fault(self->dev, &self->p.pt, id, &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, PASID + 1, hwpt));
	self->pasid = PASID + 1;
	ASSERT_EQ(0, send_full_group(self, 0));
	ASSERT_EQ(VTDSIM_PRI_FAILED, ended(self->lab, 0, WAIT_MS));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, send_full_group(self, 0));
	EXPECT_EQ(-ETIMEDOUT, lab_wait(self->lab, 0, 100));
	close(fd);
}

/* ---- power states ------------------------------------------------------------------- */

/* Power states are found when the function is, and shown from a reset on. */
static int power_states(bool on)
{
	int rc = sysfs_write("/sys/module/vtdsim_ep/parameters/pm", on ? "1" : "0");

	if (!rc)
		rc = sysfs_write(SYS_DEV "reset", "1");
	if (!rc)
		rc = sysfs_write(SYS_DEV "remove", "1");
	if (!rc)
		rc = sysfs_write("/sys/bus/pci/rescan", "1");
	return rc;
}

FIXTURE(power)
{
	struct _test_data_reset r;
	struct lab_dev sysfs;
};

FIXTURE_SETUP(power)
{
	ASSERT_EQ(0, power_states(true));
	ASSERT_EQ(0, lab_dev_open_sysfs(&self->sysfs, EP_1A));
	ASSERT_EQ(0, open_all(&self->r));
}

FIXTURE_TEARDOWN(power)
{
	EXPECT_EQ(0, close_all(&self->r));
	lab_dev_close(&self->sysfs);
	EXPECT_EQ(0, power_states(false));
}

/* What the guest's driver writes to PMCSR: 0 for D0, 3 for D3hot. */
static int set_power_state(struct bench *b, __u16 state)
{
	return config_write(b, 0x84, state);
}

static int wake(struct _test_data_reset *r)
{
	int rc = set_power_state(&r->b, 0);

	if (!rc)
		rc = gvm_dev_enable(r->dev, true);
	if (!rc)
		rc = lab_dev_restart(r->lab);
	return rc;
}

TEST_F(power, sleep_ends_page_requests)
{
	struct _test_data_reset *r = &self->r;
	struct iommu_gpasid_fault old, new[64];
	struct vtdsim_counters c;

	ASSERT_EQ(0, lab_counters(&self->sysfs, &c));
	ASSERT_EQ(1, ask(r, 0, &old));
	ASSERT_EQ(0, request(r->lab, 1, r->h, HEAP_VA, OTHER_GROUP));
	EXPECT_EQ(VTDSIM_DONE, ended(r->lab, 1, WAIT_MS));
	ASSERT_EQ(0, set_power_state(&r->b, 3));
	EXPECT_EQ(-ENOENT, gvm_faults_answer(r->fd, old.cookie,
					     IOMMU_GPASID_FAULT_SUCCESS));
	ASSERT_EQ(0, wake(r));
	ASSERT_EQ(1, ask(r, 0, new));
	ASSERT_EQ(0, since(&self->sysfs, &c, &c));
	EXPECT_EQ(0, c.u_desc[VTDSIM_D_PGRP_RESP]);
	ASSERT_EQ(0, gvm_faults_answer(r->fd, new[0].cookie,
				       IOMMU_GPASID_FAULT_SUCCESS));
	EXPECT_EQ(VTDSIM_DONE, ended(r->lab, 0, WAIT_MS));
	EXPECT_EQ(TAG(1), peek_proc(r->lab, r->h, VTDSIM_F_ATS));
}

/* Not while it sleeps; afterwards as ever, also if a reset has woken it. */
static void sleep_and_invalidate(struct __test_metadata *_metadata,
				 struct _test_data_power *self,
				 int (*wakes)(struct bench *b))
{
	struct _test_data_reset *r = &self->r;
	struct vtdsim_counters c;
	int i;

	ASSERT_EQ(0, set_power_state(&r->b, 3));
	ASSERT_EQ(0, lab_counters(&self->sysfs, &c));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, gvm_invalidate_pasid(&r->b.vm, GPASID));
	ASSERT_EQ(0, since(&self->sysfs, &c, &c));
	EXPECT_EQ(5, c.u_desc[VTDSIM_D_PIOTLB]);
	EXPECT_EQ(0, c.u_desc[VTDSIM_D_PDEVTLB]);
	if (wakes)
		ASSERT_EQ(0, wakes(&r->b));
	ASSERT_EQ(0, wake(r));
	ASSERT_EQ(0, lab_counters(&self->sysfs, &c));
	ASSERT_EQ(0, gvm_invalidate_pasid(&r->b.vm, GPASID));
	ASSERT_EQ(0, since(&self->sysfs, &c, &c));
	EXPECT_EQ(1, c.u_desc[VTDSIM_D_PDEVTLB]);
	EXPECT_EQ(TAG(1), peek_proc(r->lab, r->h, VTDSIM_F_ATS));
}

TEST_F(power, nothing_is_sent_to_a_device_that_sleeps)
{
	sleep_and_invalidate(_metadata, self, NULL);
}

TEST_F(power, a_reset_by_vfio_ends_sleep)
{
	sleep_and_invalidate(_metadata, self, reset_by_vfio);
}

TEST_F(power, a_reset_by_sysfs_ends_sleep)
{
	sleep_and_invalidate(_metadata, self, reset_by_sysfs);
}

/* A device that is closed asleep is not taken for one by its next owner. */
TEST_F(power, a_close_ends_sleep)
{
	struct _test_data_reset *r = &self->r;
	struct vtdsim_counters c;

	ASSERT_EQ(0, set_power_state(&r->b, 3));
	gvm_dev_close(r->dev);
	ASSERT_EQ(0, gvm_dev_add(r->dev, &r->b.vm, EP_1A));
	ASSERT_EQ(0, lab_dev_init(r->lab, r->dev->bar));
	ASSERT_EQ(0, gvm_bind(r->dev, &r->p.pt, GPASID, &r->h));
	ASSERT_EQ(0, lab_counters(&self->sysfs, &c));
	ASSERT_EQ(0, gvm_invalidate_pasid(&r->b.vm, GPASID));
	ASSERT_EQ(0, since(&self->sysfs, &c, &c));
	EXPECT_EQ(1, c.u_desc[VTDSIM_D_PDEVTLB]);
}

TEST_HARNESS_MAIN
