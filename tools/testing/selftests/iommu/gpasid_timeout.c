// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidations that fail: a device that does not complete them, one that was
 * pulled out, a descriptor that the unit refuses.  Each caller's invalidations
 * are done when it returns, whatever another VM's device does meanwhile; and a
 * device that never answers holds nobody up for long.
 *
 * A wait that the unit has aborted writes no status, and is not counted in
 * u_waits.  So the count tells whether a caller has returned too early.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../../../lib/vtd/vtd.h"

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define GPASID_A	0x101
#define GPASID_B	0x202
#define ROUNDS		20
#define FAULT_ROUNDS	300

/* More than the descriptors that an invalidation queue has room for. */
#define MANY		300

/* Time-outs that a device is allowed, and one more submission under way. */
#define TIMEOUTS_MAX	4

/**
 * struct vm - A VM with one device and one guest process
 * @b: the VM
 * @dev: its device
 * @lab: the engine of the device
 * @p: the process
 * @p2: another, for a replace
 * @gpasid: its PASID
 * @h: the host PASID, while it is bound
 * @waits: that a bind and an unbind take
 */
struct vm {
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, p2;
	__u32 gpasid;
	__u32 h;
	__u64 waits;
};

FIXTURE(timeout)
{
	struct vm a, b;
	struct lab_dev *unit;
	struct vtdsim_counters c;
};

static int vm_bind(struct vm *vm)
{
	int rc = gvm_bind(vm->dev, &vm->p.pt, vm->gpasid, &vm->h);

	if (!rc && peek_proc(vm->lab, vm->h, VTDSIM_F_ATS) != TAG(vm->gpasid))
		rc = -EIO;
	return rc;
}

/* Nothing is left in any cache when the unbind has returned. */
static int vm_unbind(struct vm *vm)
{
	int rc = gvm_unbind(vm->dev, vm->h);

	if (!rc && !nothing_left(vm->lab, vm->h))
		rc = -EIO;
	return rc;
}

static int vm_open(struct vm *vm, const char *address, __u32 gpasid)
{
	struct vtdsim_counters c;
	int rc;

	vm->gpasid = gpasid;
	rc = bench_open(&vm->b, 0);
	if (!rc)
		rc = bench_add(&vm->b, address);
	vm->dev = &vm->b.dev[0];
	vm->lab = &vm->b.lab[0];
	if (!rc)
		rc = bench_process(&vm->b, &vm->p, gpasid);
	if (!rc)
		rc = bench_process(&vm->b, &vm->p2, gpasid + 1);
	/* The second time nothing is set up any more. */
	if (!rc)
		rc = vm_bind(vm);
	if (!rc)
		rc = lab_counters(vm->lab, &c);
	if (!rc)
		rc = vm_unbind(vm);
	if (!rc)
		rc = vm_bind(vm);
	if (!rc)
		rc = since(vm->lab, &c, &c);
	vm->waits = c.u_waits;
	return rc;
}

static bool ats_is_on(const struct vm *vm)
{
	return lab_regs(vm->lab)->ctl & VTDSIM_CTL_ATS;
}

FIXTURE_SETUP(timeout)
{
	/* Source ID 0, which a unit that names nobody says, is VM B's. */
	ASSERT_EQ(0, vm_open(&self->b, EP_1A, GPASID_B));
	ASSERT_EQ(0, vm_open(&self->a, EP_1B, GPASID_A));
	if (!(self->a.b.info[0].out_caps & GPASID_CAP_ATS))
		SKIP(return, "no ATS");
	self->unit = self->b.lab;
	ASSERT_EQ(0, lab_counters(self->unit, &self->c));
}

FIXTURE_TEARDOWN(timeout)
{
	if (self->a.lab) {
		lab_fail(self->a.lab, LAB_FAIL(mute), 0);
		lab_fail(self->a.lab, LAB_FAIL(gone), 0);
		lab_fail(self->unit, LAB_FAIL(refuses), 0);
		lab_fail(self->unit, LAB_FAIL(names), 0);
	}
	EXPECT_EQ(0, bench_close(&self->a.b));
	EXPECT_EQ(0, bench_close(&self->b.b));
}

/* ---- a device that does not answer --------------------------------------------- */

TEST_F(timeout, an_invalidation_that_is_lost_is_sent_again)
{
	lab_fail(self->a.lab, LAB_FAIL(mute), 1);
	ASSERT_EQ(0, vm_unbind(&self->a));
	EXPECT_EQ(0, lab_fails(self->a.lab, LAB_FAIL(mute)));
	ASSERT_EQ(0, vm_bind(&self->a));
	EXPECT_TRUE(ats_is_on(&self->a));
	ASSERT_EQ(0, since(self->unit, &self->c, &self->c));
	EXPECT_EQ(self->a.waits, self->c.u_waits);
}

/* Names of no device, and of one that nothing was sent to. */
TEST_F(timeout, a_device_that_never_answers_loses_ats_whatever_the_unit_names)
{
	const __u32 names[] = { 0xffff, lab_regs(self->b.lab)->source_id };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		lab_fail(self->unit, LAB_FAIL(names), 1 + names[i]);
		lab_fail(self->a.lab, LAB_FAIL(mute), MANY);
		ASSERT_EQ(0, vm_unbind(&self->a));
		EXPECT_GE(TIMEOUTS_MAX,
			  MANY - lab_fails(self->a.lab, LAB_FAIL(mute)));
		EXPECT_FALSE(ats_is_on(&self->a));
		EXPECT_TRUE(ats_is_on(&self->b));
		lab_fail(self->a.lab, LAB_FAIL(mute), 0);
		ASSERT_EQ(0, gvm_dev_reset(self->a.dev));
		ASSERT_EQ(0, gvm_dev_enable(self->a.dev, true));
		ASSERT_EQ(0, lab_dev_restart(self->a.lab));
		ASSERT_EQ(0, vm_bind(&self->a));
		EXPECT_TRUE(ats_is_on(&self->a));
	}
}

/* One is allowed, however many invalidations it has aborted. */
TEST_F(timeout, a_time_out_that_names_no_device_counts_once)
{
	struct iommu_gpasid_inv inv[6];
	__u32 i, num = ARRAY_SIZE(inv);

	for (i = 0; i < num; i++)
		inv[i] = (struct iommu_gpasid_inv) {
			.pasid = self->a.h,
			.addr = PROC_VA + i * 4 * GVM_SZ_4K,
			.npages = 1,
		};
	lab_fail(self->unit, LAB_FAIL(names), 1 + 0xffff);
	lab_fail(self->a.lab, LAB_FAIL(mute), 1);
	ASSERT_EQ(0, gvm_invalidate(&self->a.b.vm, inv, &num));
	EXPECT_EQ(0, lab_fails(self->a.lab, LAB_FAIL(mute)));
	EXPECT_TRUE(ats_is_on(&self->a));
}

/* What the device has cached must be dropped in another way. */
TEST_F(timeout, a_device_that_never_answers_loses_ats)
{
	lab_fail(self->a.lab, LAB_FAIL(mute), MANY);
	ASSERT_EQ(0, vm_unbind(&self->a));
	EXPECT_GE(TIMEOUTS_MAX, MANY - lab_fails(self->a.lab, LAB_FAIL(mute)));
	EXPECT_FALSE(ats_is_on(&self->a));
	EXPECT_TRUE(ats_is_on(&self->b));
	ASSERT_EQ(0, vm_unbind(&self->b));
	ASSERT_EQ(0, vm_bind(&self->b));
}

TEST_F(timeout, a_device_that_never_answers_is_not_asked_again)
{
	__u32 left;
	int i;

	lab_fail(self->a.lab, LAB_FAIL(mute), MANY);
	ASSERT_EQ(0, gvm_invalidate_pasid(&self->a.b.vm, GPASID_A));
	left = lab_fails(self->a.lab, LAB_FAIL(mute));
	EXPECT_LT(0, left);
	for (i = 0; i < ROUNDS; i++)
		ASSERT_EQ(0, gvm_invalidate_pasid(&self->a.b.vm, GPASID_A));
	EXPECT_EQ(left, lab_fails(self->a.lab, LAB_FAIL(mute)));
	EXPECT_EQ(TAG(GPASID_A), peek_proc(self->a.lab, self->a.h, 0));
}

TEST_F(timeout, a_reset_gives_a_device_its_ats_again)
{
	struct vtdsim_counters c;

	lab_fail(self->a.lab, LAB_FAIL(mute), VTDSIM_ALWAYS);
	ASSERT_EQ(0, gvm_invalidate_pasid(&self->a.b.vm, GPASID_A));
	EXPECT_FALSE(ats_is_on(&self->a));
	lab_fail(self->a.lab, LAB_FAIL(mute), 0);
	ASSERT_EQ(0, gvm_dev_reset(self->a.dev));
	ASSERT_EQ(0, gvm_dev_enable(self->a.dev, true));
	ASSERT_EQ(0, lab_dev_restart(self->a.lab));
	EXPECT_TRUE(ats_is_on(&self->a));
	EXPECT_EQ(TAG(GPASID_A), peek_proc(self->a.lab, self->a.h,
					   VTDSIM_F_ATS));
	ASSERT_EQ(0, lab_counters(self->unit, &c));
	ASSERT_EQ(0, vm_unbind(&self->a));
	ASSERT_EQ(0, since(self->unit, &c, &c));
	EXPECT_EQ(1, c.u_desc[VTDSIM_D_PDEVTLB]);
	ASSERT_EQ(0, vm_bind(&self->a));
}

/* ---- a device that was pulled out ------------------------------------------------ */

static int do_invalidate(struct vm *vm)
{
	return gvm_invalidate_pasid(&vm->b.vm, vm->gpasid);
}

static int do_unmap(struct vm *vm)
{
	int rc = gvm_map(&vm->b.vm, HOTPLUG_GPA, vm->p.mem, GVM_SZ_4K,
			 GVM_MAP_RW);

	return rc ?: gvm_unmap(&vm->b.vm, HOTPLUG_GPA, GVM_SZ_4K);
}

static int do_replace(struct vm *vm)
{
	return gvm_replace(vm->dev, &vm->p2.pt, vm->h);
}

static int do_unbind(struct vm *vm)
{
	return gvm_unbind(vm->dev, vm->h);
}

/* Unless the bus says so, that it is gone is known from the first time-out. */
TEST_F(timeout, one_invalidation_is_sent_to_a_device_that_was_pulled_out)
{
	int (* const ops[])(struct vm *vm) = {
		do_invalidate, do_unmap, do_replace, do_unbind,
	};
	struct vtdsim_counters c;
	unsigned int i, sent;

	lab_fail(self->a.lab, LAB_FAIL(gone), 1);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ASSERT_EQ(0, lab_counters(self->unit, &c));
		ASSERT_EQ(0, ops[i](&self->a));
		ASSERT_EQ(0, since(self->unit, &c, &c));
		EXPECT_LT(0, c.u_waits);
		sent = c.u_desc[VTDSIM_D_PDEVTLB] + c.u_desc[VTDSIM_D_DEVTLB];
		EXPECT_EQ(!i, sent);
	}
	lab_fail(self->a.lab, LAB_FAIL(gone), 0);
	ASSERT_EQ(0, gvm_dev_reset(self->a.dev));
}

/* ---- another VM -------------------------------------------------------------------- */

struct other {
	struct vm *vm;
	atomic_int rounds;
	atomic_bool stop;
	int rc;
};

static void *bind_and_unbind(void *arg)
{
	struct other *o = arg;

	while (!atomic_load(&o->stop) && !o->rc) {
		o->rc = vm_unbind(o->vm) ?: vm_bind(o->vm);
		atomic_fetch_add(&o->rounds, 1);
	}
	return NULL;
}

/* A thread of VM B binds and unbinds while @disturb has VM A fail in rounds. */
static void disturb_other(struct __test_metadata *_metadata,
			  struct _test_data_timeout *self,
			  int (*disturb)(struct vm *a))
{
	struct other o = { .vm = &self->b };
	pthread_t thread;
	__u64 waits = 0;
	int i, begun;

	ASSERT_EQ(0, pthread_create(&thread, NULL, bind_and_unbind, &o));
	for (i = 0; i < ROUNDS; i++) {
		begun = atomic_load(&o.rounds);
		ASSERT_EQ(0, disturb(&self->a));
		while (!o.rc && atomic_load(&o.rounds) == begun)
			usleep(100);
	}
	atomic_store(&o.stop, true);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, o.rc);
	ASSERT_EQ(0, since(self->unit, &self->c, &self->c));
	waits = o.rounds * self->b.waits + ROUNDS * self->a.waits;
	TH_LOG("%d rounds of VM B, %llu waits, %llu expected", o.rounds,
	       self->c.u_waits, waits);
	EXPECT_LE(waits, self->c.u_waits);
	EXPECT_TRUE(ats_is_on(&self->b));
}

static int late(struct vm *a)
{
	lab_fail(a->lab, LAB_FAIL(mute), 2);
	return vm_unbind(a) ?: vm_bind(a);
}

TEST_F(timeout, another_vm_does_not_return_early_for_a_late_device)
{
	disturb_other(_metadata, self, late);
	EXPECT_TRUE(ats_is_on(&self->a));
}

/* Each round begins with a device that is asked again. */
static int mute(struct vm *a)
{
	int rc;

	lab_fail(a->lab, LAB_FAIL(mute), MANY);
	rc = vm_unbind(a);
	if (!rc && MANY - lab_fails(a->lab, LAB_FAIL(mute)) > TIMEOUTS_MAX)
		rc = -ETIMEDOUT;
	lab_fail(a->lab, LAB_FAIL(mute), 0);
	if (!rc)
		rc = gvm_dev_reset(a->dev);
	if (!rc)
		rc = gvm_dev_enable(a->dev, true);
	if (!rc)
		rc = lab_dev_restart(a->lab);
	return rc ?: vm_bind(a);
}

TEST_F_TIMEOUT(timeout, another_vm_waits_for_few_time_outs_of_a_mute_device, 120)
{
	disturb_other(_metadata, self, mute);
}

/* Every call has a wait of its own, and VM A's are as many as those of a round. */
static int gone(struct vm *a)
{
	__u64 i;
	int rc = 0;

	lab_fail(a->lab, LAB_FAIL(gone), 1);
	for (i = 0; i < a->waits && !rc; i++)
		rc = do_invalidate(a);
	lab_fail(a->lab, LAB_FAIL(gone), 0);
	return rc ?: lab_dev_restart(a->lab);
}

TEST_F(timeout, another_vm_does_not_return_early_for_a_device_that_was_pulled_out)
{
	disturb_other(_metadata, self, gone);
}

static void *fault_again(void *arg)
{
	struct other *o = arg;

	while (!atomic_load(&o->stop) && !o->rc) {
		if (peek_proc(o->vm->lab, o->vm->h, 0) == TAG(o->vm->gpasid))
			o->rc = -EIO;
		atomic_fetch_add(&o->rounds, 1);
	}
	return NULL;
}

/*
 * The driver clears faults in the register that reports time-outs, on another
 * processor, so a time-out that it has cleared may show once more.
 */
TEST_F_TIMEOUT(timeout, faults_beside_a_time_out_do_not_let_it_count_twice, 120)
{
	struct other o = { .vm = &self->b };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, vm_unbind(&self->b));
	ASSERT_EQ(0, pthread_create(&thread, NULL, fault_again, &o));
	for (i = 0; i < FAULT_ROUNDS && ats_is_on(&self->a); i++) {
		lab_fail(self->a.lab, LAB_FAIL(mute), 2);
		ASSERT_EQ(0, do_invalidate(&self->a));
		EXPECT_EQ(0, lab_fails(self->a.lab, LAB_FAIL(mute)));
	}
	EXPECT_EQ(FAULT_ROUNDS, i);
	atomic_store(&o.stop, true);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, o.rc);
	EXPECT_LT(0, o.rounds);
	EXPECT_TRUE(ats_is_on(&self->a));
	ASSERT_EQ(0, vm_bind(&self->b));
}

/* ---- errors of the unit -------------------------------------------------------------- */

/* Slots of the queue are not lost either: it is used all around. */
static void refuse(struct __test_metadata *_metadata,
		   struct _test_data_timeout *self, size_t what, __u32 nr)
{
	struct vtdsim_counters c;
	int i;

	ASSERT_EQ(0, lab_counters(self->unit, &c));
	lab_fail(self->unit, what, nr);
	ASSERT_EQ(0, vm_unbind(&self->a));
	EXPECT_EQ(0, lab_fails(self->unit, what));
	ASSERT_EQ(0, since(self->unit, &c, &c));
	EXPECT_LE(1, c.u_desc[VTDSIM_D_PASID_CACHE]);
	EXPECT_LE(1, c.u_desc[VTDSIM_D_IOTLB]);
	EXPECT_LE(1, c.u_desc[VTDSIM_D_PDEVTLB]);
	EXPECT_LE(self->a.waits, c.u_waits);
	ASSERT_EQ(0, vm_bind(&self->a));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, gvm_invalidate_pasid(&self->a.b.vm, GPASID_A));
}

/* PASID cache, IOTLB, device TLB, wait: whichever it is. */
TEST_F(timeout, a_refused_descriptor_is_submitted_again)
{
	__u32 nr;

	for (nr = 1; nr <= 4; nr++)
		refuse(_metadata, self, LAB_FAIL(iqe_in), nr);
	ASSERT_EQ(0, since(self->unit, &self->c, &self->c));
	EXPECT_EQ(4, self->c.u_iqe);
}

/* What is cached for A is dropped all the same, with what is cached for others. */
TEST_F(timeout, what_the_unit_keeps_refusing_is_done_in_a_coarser_way)
{
	const __u32 caches = 1 << INV_PASID_CACHE | 1 << INV_PIOTLB;

	lab_fail(self->unit, LAB_FAIL(refuses), caches);
	ASSERT_EQ(0, vm_unbind(&self->a));
	ASSERT_EQ(0, since(self->unit, &self->c, &self->c));
	EXPECT_LE(1, self->c.u_desc[VTDSIM_D_PASID_CACHE]);
	EXPECT_EQ(0, self->c.u_desc[VTDSIM_D_PIOTLB]);
	EXPECT_LE(1, self->c.u_desc[VTDSIM_D_IOTLB]);
	lab_fail(self->unit, LAB_FAIL(refuses), 0);
	EXPECT_TRUE(ats_is_on(&self->a));
	EXPECT_TRUE(ats_is_on(&self->b));
	ASSERT_EQ(0, vm_bind(&self->a));
}

TEST_F(timeout, a_device_whose_invalidations_are_refused_loses_ats)
{
	lab_fail(self->unit, LAB_FAIL(refuses), 1 << INV_PDEVTLB);
	ASSERT_EQ(0, vm_unbind(&self->a));
	lab_fail(self->unit, LAB_FAIL(refuses), 0);
	EXPECT_FALSE(ats_is_on(&self->a));
	EXPECT_TRUE(ats_is_on(&self->b));
	ASSERT_EQ(0, vm_unbind(&self->b));
	EXPECT_TRUE(ats_is_on(&self->b));
}

TEST_F(timeout, an_unmap_drops_translations_although_the_unit_refuses)
{
	struct vtdsim_census c;

	ASSERT_EQ(TAG(GPASID_A), peek_proc(self->a.lab, self->a.h, 0));
	lab_fail(self->unit, LAB_FAIL(refuses), 1 << INV_IOTLB | 1 << INV_PIOTLB);
	ASSERT_EQ(0, do_unmap(&self->a));
	ASSERT_EQ(0, lab_census(self->a.lab, self->a.h, &c));
	EXPECT_EQ(0, c.iotlb);
	EXPECT_TRUE(ats_is_on(&self->a));
}

TEST_F(timeout, a_completion_that_nobody_waits_for_changes_nothing)
{
	refuse(_metadata, self, LAB_FAIL(ice_in), 1);
	EXPECT_TRUE(ats_is_on(&self->a));
}

TEST_HARNESS_MAIN
