// SPDX-License-Identifier: GPL-2.0-only
/*
 * How bindings end: unbind, free, close, kill, driver unbind, hot-unplug, in
 * any order.  Each leaves no entry, no cached translation, no number lost.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/vfio.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define SYS_PCI		"/sys/bus/pci/"
#define FIXED		0x6000U		/* a number to ask for again */
#define VICTIM		0x7000U		/* the first number of a VM that is killed */
#define NR_BUSY		8		/* how many it has when it is killed at work */

static void sleep_ms(int ms)
{
	usleep(ms * 1000);
}

/* True when nobody holds the number: it can be had, and is given back. */
static bool number_is_free(__u32 hpasid)
{
	struct iommu_gpasid_alloc cmd = {
		.size = sizeof(cmd),
		.min = hpasid,
		.max = hpasid,
	};
	struct gvm vm;
	int rc;

	if (gvm_open(&vm, RAM_GPA, GVM_SZ_4K, 0))
		return false;
	rc = gvm_ioctl(vm.iommufd, IOMMU_GPASID_ALLOC, &cmd);
	gvm_close(&vm);
	return !rc;
}

static int alloc_fixed(struct gvm *vm, __u32 hpasid)
{
	struct iommu_gpasid_alloc cmd = {
		.size = sizeof(cmd),
		.min = hpasid,
		.max = hpasid,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_GPASID_ALLOC, &cmd);
}

/* The state of an endpoint, whatever driver has it. */
static bool endpoint_is_clean(const char *address)
{
	struct lab_dev lab;
	bool clean;

	if (lab_dev_open_sysfs(&lab, address))
		return false;
	clean = nothing_left(&lab, 0);
	lab_dev_close(&lab);
	return clean;
}

/* ---- attachments ---------------------------------------------------------------- */

FIXTURE(life)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p;
	__u32 h;
};

FIXTURE_SETUP(life)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	ASSERT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
	peek_proc(self->lab, self->h, VTDSIM_F_ATS);
}

FIXTURE_TEARDOWN(life)
{
	EXPECT_EQ(0, bench_close(&self->b));
	EXPECT_TRUE(number_is_free(self->h));
}

/* The device is on this parent already; only the answer cannot be written. */
TEST_F(life, a_failed_attach_to_the_same_parent_leaves_the_bindings)
{
	struct vfio_device_attach_iommufd_pt *arg;

	arg = mmap(NULL, GVM_SZ_4K, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)arg);
	arg->argsz = sizeof(*arg);
	arg->pt_id = self->b.vm.parent;
	ASSERT_EQ(0, mprotect(arg, GVM_SZ_4K, PROT_READ));
	EXPECT_EQ(-EFAULT, gvm_ioctl(self->dev->fd,
				     VFIO_DEVICE_ATTACH_IOMMUFD_PT, arg));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
	munmap(arg, GVM_SZ_4K);
}

TEST_F(life, a_reset_of_the_device_keeps_its_bindings)
{
	ASSERT_EQ(0, gvm_dev_reset(self->dev));
	ASSERT_EQ(0, gvm_dev_enable(self->dev, true));
	ASSERT_EQ(0, lab_dev_init(self->lab, self->dev->bar));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
	if (self->b.info[0].out_caps & GPASID_CAP_ATS)
		EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, VTDSIM_F_ATS));
	EXPECT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_TRUE(nothing_left(self->lab, 0));
}

/* ---- free and unbind --------------------------------------------------------------- */

TEST_F(life, free_before_unbind_is_legal_and_the_late_unbind_fails)
{
	__u32 allocated;

	ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, self->h));
	EXPECT_TRUE(nothing_left(self->lab, 0));
	EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, self->h));
	EXPECT_EQ(-ENOENT, gvm_unbind_guest(self->dev, 0x101));
	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, NULL, &allocated, NULL));
	EXPECT_EQ(0, allocated);
	EXPECT_TRUE(number_is_free(self->h));
}

TEST_F(life, a_number_comes_back_only_when_nothing_is_bound)
{
	struct gvm other;
	int i;

	ASSERT_EQ(0, gvm_open(&other, RAM_GPA, GVM_SZ_4K, 0));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, alloc_fixed(&self->b.vm, FIXED));
		ASSERT_EQ(0, gvm_bind_identity(self->dev, &self->p.pt, FIXED));
		EXPECT_EQ(TAG(1), peek_proc(self->lab, FIXED, i & 1 ?
					    VTDSIM_F_ATS : 0));
		EXPECT_EQ(-ENOSPC, alloc_fixed(&other, FIXED));
		ASSERT_EQ(0, gvm_pasid_free(&self->b.vm, FIXED));
		EXPECT_TRUE(nothing_left(self->lab, FIXED));
		ASSERT_EQ(0, alloc_fixed(&other, FIXED));
		ASSERT_EQ(0, gvm_pasid_free(&other, FIXED));
	}
	gvm_close(&other);
}

/* ---- closing ------------------------------------------------------------------------- */

TEST_F(life, closing_the_device_takes_its_bindings_down)
{
	__u32 h = 0, allocated;
	int i;

	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x1000 + i, &h));
		peek_proc(self->lab, h, i & 1 ? VTDSIM_F_ATS : 0);
	}
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	/* The numbers are the context's, not the device's. */
	ASSERT_EQ(0, gvm_quota_get(&self->b.vm, NULL, &allocated, NULL));
	EXPECT_EQ(201, allocated);
	EXPECT_EQ(0, gvm_pasid_free(&self->b.vm, 0x101));
	EXPECT_EQ(0, gvm_pasid_free(&self->b.vm, h));
}

TEST_F(life, a_pasid_goes_over_to_a_device_opened_again)
{
	__u32 own;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x300, &own));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, own, 0));
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	ASSERT_EQ(0, gvm_dev_add(self->dev, &self->b.vm, EP_1A));
	ASSERT_EQ(0, lab_dev_init(self->lab, self->dev->bar));
	EXPECT_TRUE(refused(peek_proc(self->lab, own, 0)));
	EXPECT_EQ(-ENOENT, gvm_unbind(self->dev, own));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x300, NULL));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, own, 0));
}

TEST_F(life, closing_the_context_first_leaves_the_device_in_order)
{
	int fd = self->b.vm.iommufd;

	/* VFIO holds the context until the device is closed. */
	self->b.vm.iommufd = -1;
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
	EXPECT_FALSE(number_is_free(self->h));
	EXPECT_EQ(0, gvm_unbind(self->dev, self->h));
	EXPECT_TRUE(nothing_left(self->lab, 0));
}

TEST_F(life, closing_the_context_first_and_then_the_device_leaves_nothing)
{
	close(self->b.vm.iommufd);
	self->b.vm.iommufd = -1;
	EXPECT_EQ(0, bench_close_dev(&self->b, 0));
	EXPECT_TRUE(number_is_free(self->h));
}

/* ---- every order ---------------------------------------------------------------------- */

enum act { ACT_UNBIND, ACT_FREE, ACT_DETACH, ACT_CLOSE_DEV, ACT_CLOSE_VM, NR_ACTS };

static void act(enum act a, struct bench *b, __u32 h)
{
	switch (a) {
	case ACT_UNBIND:
		gvm_unbind(&b->dev[0], h);
		break;
	case ACT_FREE:
		gvm_pasid_free(&b->vm, h);
		break;
	case ACT_DETACH:
		gvm_dev_detach(&b->dev[0]);
		break;
	case ACT_CLOSE_DEV:
		gvm_dev_close(&b->dev[0]);
		b->lab[0].bar = NULL;
		break;
	case ACT_CLOSE_VM:
		close(b->vm.iommufd);
		b->vm.iommufd = -1;
		break;
	case NR_ACTS:
		break;
	}
}

/* The permutation with number @n of the acts. */
static void order(int n, enum act acts[NR_ACTS])
{
	enum act left[NR_ACTS];
	int i, j, k;

	for (i = 0; i < NR_ACTS; i++)
		left[i] = i;
	for (i = NR_ACTS; i > 0; i--) {
		k = n % i;
		n /= i;
		acts[NR_ACTS - i] = left[k];
		for (j = k; j + 1 < i; j++)
			left[j] = left[j + 1];
	}
}

/* Nothing to share; only a fixture's test has a time limit of its own. */
FIXTURE(orders) {
};

FIXTURE_SETUP(orders)
{
}

FIXTURE_TEARDOWN(orders)
{
}

TEST_F_TIMEOUT(orders, every_order_of_ending_leaves_nothing, 120)
{
	enum act acts[NR_ACTS];
	struct process p;
	struct bench b;
	int n, i;

	for (n = 0; n < 120; n++) {
		order(n, acts);
		ASSERT_EQ(0, bench_open_size(&b, 0, GVM_SZ_2M));
		ASSERT_EQ(0, bench_add(&b, EP_1B));
		ASSERT_EQ(0, bench_process(&b, &p, 1));
		ASSERT_EQ(0, alloc_fixed(&b.vm, FIXED));
		ASSERT_EQ(0, gvm_bind_identity(&b.dev[0], &p.pt, FIXED));
		ASSERT_EQ(TAG(1), peek_proc(&b.lab[0], FIXED, n & 1 ?
					    VTDSIM_F_ATS : 0));
		for (i = 0; i < NR_ACTS; i++)
			act(acts[i], &b, FIXED);
		EXPECT_EQ(0, bench_close(&b))
			TH_LOG("order %d%d%d%d%d", acts[0], acts[1], acts[2],
			       acts[3], acts[4]);
		ASSERT_TRUE(number_is_free(FIXED));
	}
}

/* ---- death ------------------------------------------------------------------------------ */

/* In a child: a VM with bindings; says when it is ready, then works or waits. */
static void victim(int ready, int n, bool busy)
{
	struct process p, q;
	struct bench b;
	__u32 h[256];
	int i, rc;

	rc = bench_open(&b, 0) || bench_add(&b, EP_1B) ||
	     bench_process(&b, &p, 1) || bench_process(&b, &q, 2) ||
	     alloc_fixed(&b.vm, FIXED) ||
	     gvm_bind_identity(&b.dev[0], &p.pt, FIXED);
	for (i = 0; !rc && i < n; i++) {
		rc = gvm_bind(&b.dev[0], &p.pt, VICTIM + i, &h[i]);
		peek_proc(&b.lab[0], h[i], i & 1 ? VTDSIM_F_ATS : 0);
	}
	if (write(ready, rc ? "n" : "y", 1) != 1)
		_exit(1);
	for (i = 0; busy; i = (i + 1) % n) {
		gvm_replace(&b.dev[0], &q.pt, h[i]);
		peek_proc(&b.lab[0], h[i], 0);
		gvm_invalidate_pasid(&b.vm, VICTIM + i);
		gvm_unbind(&b.dev[0], h[i]);
		gvm_bind(&b.dev[0], &p.pt, VICTIM + i, &h[i]);
		gvm_map(&b.vm, HOTPLUG_GPA, p.mem, GVM_SZ_4K, GVM_MAP_RW);
		gvm_unmap(&b.vm, HOTPLUG_GPA, GVM_SZ_4K);
	}
	for (;;)
		pause();
}

/*
 * Nothing of the busy victim on its device; the unit's caches have entries of the
 * living, too, so that they are asked for the victim's numbers.
 */
static bool victim_left_nothing(void)
{
	struct vtdsim_census c;
	struct lab_dev lab;
	bool clean;
	int i;

	if (lab_dev_open_sysfs(&lab, EP_1B))
		return false;
	clean = !lab_census(&lab, 0, &c) && !c.present && !c.nonzero &&
		!c.dev_tlb && !c.page_requests && nothing_left(&lab, FIXED);
	for (i = 0; i < NR_BUSY; i++)
		clean = clean && nothing_left(&lab, VICTIM + i);
	lab_dev_close(&lab);
	return clean;
}

/* Start a victim, kill it after @ms; 0 when it was there to be killed. */
static int kill_a_vm(int n, bool busy, int ms)
{
	int ready[2], status;
	char c = 0;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid)
		victim(ready[1], n, busy);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		c = 0;
	close(ready[0]);
	sleep_ms(ms);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return -2;
	return c == 'y' && WIFSIGNALED(status) ? 0 : -3;
}

TEST(a_killed_vm_leaves_nothing)
{
	struct bench b;
	struct process p;
	__u32 h;

	ASSERT_EQ(0, kill_a_vm(100, false, 10));
	EXPECT_TRUE(endpoint_is_clean(EP_1B));
	EXPECT_TRUE(number_is_free(FIXED));
	/* The device is as good as new. */
	ASSERT_EQ(0, bench_open(&b, 0));
	ASSERT_EQ(0, bench_add(&b, EP_1B));
	ASSERT_EQ(0, bench_process(&b, &p, 3));
	ASSERT_EQ(0, gvm_bind(&b.dev[0], &p.pt, 0x101, &h));
	EXPECT_EQ(TAG(3), peek_proc(&b.lab[0], h, 0));
	EXPECT_EQ(0, bench_close(&b));
}

TEST_F_TIMEOUT(life, a_vm_killed_at_work_leaves_nothing_and_harms_no_other, 120)
{
	int i;

	srand(time(NULL));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, kill_a_vm(NR_BUSY, true, rand() % 40));
		ASSERT_TRUE(victim_left_nothing());
		ASSERT_TRUE(number_is_free(FIXED));
		EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, 0));
	}
}

/* ---- the device goes --------------------------------------------------------------------- */

/* Until the endpoint can be opened by VFIO again. */
static bool comes_back(const char *address)
{
	struct gvm_dev dev;
	int i;

	for (i = 0; i < 100; i++) {
		if (!gvm_dev_open(&dev, address)) {
			gvm_dev_close(&dev);
			return true;
		}
		sleep_ms(50);
	}
	return false;
}

static void bound_on_2b(struct __test_metadata *_metadata, struct bench *b,
			struct process *p)
{
	__u32 h;
	int i;

	ASSERT_EQ(0, bench_open(b, 0));
	ASSERT_EQ(0, bench_add(b, EP_2B));
	ASSERT_EQ(0, bench_process(b, p, 1));
	ASSERT_EQ(0, alloc_fixed(&b->vm, FIXED));
	ASSERT_EQ(0, gvm_bind_identity(&b->dev[0], &p->pt, FIXED));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, gvm_bind(&b->dev[0], &p->pt, i + 1, &h));
		ASSERT_EQ(TAG(1), peek_proc(&b->lab[0], h, 0));
	}
}

TEST(unbinding_the_driver_waits_for_the_close_and_leaves_nothing)
{
	struct process p;
	struct bench b;
	pid_t pid;

	bound_on_2b(_metadata, &b, &p);
	pid = later("echo " EP_2B " >" SYS_PCI "drivers/vfio-pci/unbind");
	sleep_ms(200);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ(TAG(1), peek_proc(&b.lab[0], FIXED, 0));
	EXPECT_EQ(0, bench_close(&b));
	EXPECT_TRUE(ended_well(pid, 5000));
	EXPECT_TRUE(number_is_free(FIXED));
	EXPECT_EQ(0, sysfs_write(SYS_PCI "drivers/vfio-pci/bind", EP_2B));
	EXPECT_TRUE(comes_back(EP_2B));
}

TEST(removing_the_device_waits_for_the_close_and_leaves_nothing)
{
	struct process p;
	struct bench b;
	pid_t pid;
	__u32 h;

	bound_on_2b(_metadata, &b, &p);
	pid = later("echo 1 >" SYS_PCI "devices/" EP_2B "/remove");
	sleep_ms(200);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	gvm_dev_close(&b.dev[0]);
	b.nr = 0;
	EXPECT_TRUE(ended_well(pid, 5000));
	EXPECT_EQ(0, bench_close(&b));
	EXPECT_TRUE(number_is_free(FIXED));
	/* And back: the same device is born again. */
	EXPECT_EQ(0, sysfs_write(SYS_PCI "rescan", "1"));
	ASSERT_TRUE(comes_back(EP_2B));
	EXPECT_TRUE(endpoint_is_clean(EP_2B));
	ASSERT_EQ(0, bench_open(&b, 0));
	ASSERT_EQ(0, bench_add(&b, EP_2B));
	ASSERT_EQ(0, bench_process(&b, &p, 4));
	ASSERT_EQ(0, gvm_bind(&b.dev[0], &p.pt, 0x101, &h));
	EXPECT_EQ(TAG(4), peek_proc(&b.lab[0], h, 0));
	EXPECT_EQ(0, bench_close(&b));
}

TEST(removing_the_device_under_a_vm_that_is_killed_leaves_nothing)
{
	struct process p;
	struct bench b;
	pid_t vm, pid;
	int ready[2];
	char c;

	ASSERT_EQ(0, pipe(ready));
	vm = fork();
	if (!vm) {
		bound_on_2b(_metadata, &b, &p);
		if (write(ready[1], "y", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	close(ready[0]);
	pid = later("echo 1 >" SYS_PCI "devices/" EP_2B "/remove");
	sleep_ms(100);
	kill(vm, SIGKILL);
	ASSERT_EQ(vm, waitpid(vm, NULL, 0));
	EXPECT_TRUE(ended_well(pid, 5000));
	EXPECT_TRUE(number_is_free(FIXED));
	EXPECT_EQ(0, sysfs_write(SYS_PCI "rescan", "1"));
	EXPECT_TRUE(comes_back(EP_2B));
	EXPECT_TRUE(endpoint_is_clean(EP_2B));
}

/* ---- the modules go ---------------------------------------------------------------------- */

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

TEST(modules_stay_while_a_pasid_is_bound)
{
	static const char * const module[] = {
		"intel_gpasid", "gpasid_core", "ioasid",
	};
	struct process p;
	struct bench b;
	unsigned int i;
	__u32 h;

	ASSERT_EQ(0, bench_open(&b, 0));
	ASSERT_EQ(0, bench_add(&b, EP_1A));
	ASSERT_EQ(0, bench_process(&b, &p, 1));
	ASSERT_EQ(0, gvm_bind(&b.dev[0], &p.pt, 0x101, &h));
	for (i = 0; i < ARRAY_SIZE(module); i++)
		EXPECT_EQ(-EWOULDBLOCK, unload(module[i]));
	EXPECT_EQ(TAG(1), peek_proc(&b.lab[0], h, 0));

	/* Nothing is bound: the driver's part can go, and come back. */
	ASSERT_EQ(0, gvm_unbind(&b.dev[0], h));
	ASSERT_EQ(0, unload(module[0]));
	EXPECT_EQ(-EOPNOTSUPP, gvm_bind(&b.dev[0], &p.pt, 0x101, &h));
	ASSERT_TRUE(ended_well(later("modprobe intel-gpasid"), 10000));
	ASSERT_EQ(0, gvm_bind(&b.dev[0], &p.pt, 0x101, &h));
	EXPECT_EQ(TAG(1), peek_proc(&b.lab[0], h, 0));
	EXPECT_EQ(0, bench_close(&b));
}

TEST_HARNESS_MAIN
