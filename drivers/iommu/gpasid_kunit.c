// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the binding core between an IOMMU driver and the subscribers of an
 * IOASID.  The name of each test is the rule that it checks.  The IOMMU driver
 * has no hardware; it records each operation that the core calls as one letter:
 *
 *  b bind, s set_table, t flush_table, c clear, f flush, d drain, r reset,
 *  i inv_range, p page_response
 *
 * A test can hold the subscriber in its BIND callback, while the bind may still
 * be vetoed, and the driver in any operation on a device, during which another
 * VM must not have to wait.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/gpasid-driver.h>
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/module.h>

/* Time limit for an event that must happen */
#define PATIENCE	(20 * HZ)
/* Time in which an event that must not happen would be seen */
#define A_WHILE		msecs_to_jiffies(100)

#define MAX_PASIDS	16
#define PGTBL		0x1000
#define OTHER_PGTBL	0x2000

/**
 * struct gpasid_test - A VM with a device, without hardware
 * @dev: the device
 * @iommu: IOMMU data of the device
 * @iommu_dev: IOMMU unit of the device
 * @parent: the second stage
 * @set: IOASID set of the VM
 * @id: an IOASID in @set
 * @nb: a subscriber of device priority
 * @hold: the subscriber waits for @go in its BIND callback
 * @veto: return value of the BIND callback
 * @asked: completed when the BIND callback begins to wait
 * @go: completed to let the BIND callback return
 * @unpinned: number of calls of count_unpin()
 * @iopf: queue to which @dev reports page requests
 * @faults: queue from which the VM reads page requests
 * @neighbour: another VM, with a device of its own
 */
struct gpasid_test {
	struct device *dev;
	struct dev_iommu iommu;
	struct iommu_device iommu_dev;
	struct iommu_domain parent;
	struct ioasid_set *set;
	ioasid_t id;
	struct ioasid_notifier nb;
	bool hold;
	int veto;
	struct completion asked, go;
	int unpinned;
	struct iopf_queue *iopf;
	struct gpasid_fault_queue *faults;
	struct gpasid_test *neighbour;
};

/* Two owners; only their addresses are used. */
static char first, second;

/*
 * The IOMMU driver
 */

static char said[32];
static bool present[MAX_PASIDS];

/* The operation in which the driver is held. */
static struct {
	struct device *dev;
	char what;
	struct completion reached, go;
} held;

static void wait_if_held(struct device *dev, char what)
{
	if (held.dev != dev || held.what != what)
		return;
	complete(&held.reached);
	wait_for_completion_timeout(&held.go, PATIENCE);
}

static void say(const struct gpasid_attachment *att, char what)
{
	size_t len = strlen(said);

	if (len + 1 < sizeof(said))
		said[len] = what;
	wait_if_held(att->gdev->dev, what);
}

static int fake_get_caps(struct device *dev, struct gpasid_caps *caps)
{
	caps->caps = GPASID_CAP_NEST;
	return 0;
}

static int fake_parse(struct device *dev, const struct gpasid_bind_data *data,
		      struct gpasid_table_attrs *attrs)
{
	attrs->pgtbl = data->pgtbl;
	attrs->addr_width = data->addr_width;
	attrs->flags = 0;
	return 0;
}

static int fake_check(struct device *dev, struct iommu_domain *parent,
		      const struct gpasid_table_attrs *attrs)
{
	return 0;
}

static int fake_attach(struct gpasid_attachment *att)
{
	return 0;
}

static void fake_detach(struct gpasid_attachment *att)
{
}

static int fake_bind(struct gpasid_binding *b)
{
	present[b->pasid] = true;
	say(b->att, 'b');
	return 0;
}

static void fake_set_table(struct gpasid_binding *b)
{
	say(b->att, 's');
}

static void fake_flush_table(struct gpasid_binding *b)
{
	say(b->att, 't');
}

static void fake_clear(struct gpasid_binding *b)
{
	present[b->pasid] = false;
	say(b->att, 'c');
}

static void fake_flush(struct gpasid_attachment *att, struct gpasid_binding *b)
{
	say(att, 'f');
}

static void fake_drain(struct gpasid_attachment *att, struct gpasid_binding *b)
{
	say(att, 'd');
}

static void fake_reset(struct gpasid_binding *b)
{
	say(b->att, 'r');
}

static char fake_batch;

static void *fake_inv_begin(void)
{
	return &fake_batch;
}

static void fake_inv_range(void *batch, struct gpasid_binding *b,
			   const struct gpasid_inv_range *range)
{
	say(b->att, 'i');
}

static void fake_inv_end(void *batch)
{
}

static int responses;

static void fake_response(struct device *dev, struct iopf_fault *evt,
			  struct iommu_page_response *msg)
{
	responses++;
	wait_if_held(dev, 'p');
}

static const struct iommu_ops fake_iommu_ops = {
	.page_response = fake_response,
};

static const struct gpasid_ops fake_ops = {
	.owner = THIS_MODULE,
	.iommu_ops = &fake_iommu_ops,
	.get_caps = fake_get_caps,
	.parse = fake_parse,
	.check = fake_check,
	.attach = fake_attach,
	.detach = fake_detach,
	.bind = fake_bind,
	.set_table = fake_set_table,
	.flush_table = fake_flush_table,
	.clear = fake_clear,
	.flush = fake_flush,
	.drain = fake_drain,
	.reset = fake_reset,
	.inv_begin = fake_inv_begin,
	.inv_range = fake_inv_range,
	.inv_end = fake_inv_end,
};

/* Check the operations that the driver has recorded since the last check. */
static void expect_said(struct kunit *test, const char *expected)
{
	KUNIT_EXPECT_STREQ(test, said, expected);
	memset(said, 0, sizeof(said));
}

/*
 * The VM
 */

static int subscriber(struct ioasid_notifier *nb, enum ioasid_event ev,
		      const struct ioasid_event_info *info)
{
	struct gpasid_test *ctx = container_of(nb, struct gpasid_test, nb);

	if (ev != IOASID_BIND)
		return 0;
	if (ctx->hold) {
		complete(&ctx->asked);
		wait_for_completion_timeout(&ctx->go, PATIENCE);
	}
	return ctx->veto;
}

static int new_device(struct kunit *test, struct gpasid_test *ctx,
		      const char *name)
{
	ctx->dev = kunit_device_register(test, name);
	if (IS_ERR(ctx->dev))
		return PTR_ERR(ctx->dev);
	ctx->iommu_dev.ops = &fake_iommu_ops;
	mutex_init(&ctx->iommu.lock);
	ctx->iommu.iommu_dev = &ctx->iommu_dev;
	ctx->iommu.max_pasids = MAX_PASIDS;
	ctx->dev->iommu = &ctx->iommu;
	return 0;
}

/* Allocate an IOASID.  The set's reference keeps it until the test ends. */
static int new_id(struct gpasid_test *ctx, ioasid_t min, ioasid_t max)
{
	int ret = ioasid_alloc(ctx->set, min, max, NULL, &ctx->id);

	if (!ret)
		ioasid_put(ctx->set, ctx->id);
	return ret;
}

static struct gpasid_test *new_vm(struct kunit *test, const char *name)
{
	struct gpasid_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	init_completion(&ctx->asked);
	init_completion(&ctx->go);
	KUNIT_ASSERT_EQ(test, 0, new_device(test, ctx, name));
	ctx->set = ioasid_set_alloc(ctx, MAX_PASIDS, IOASID_SET_TYPE_FILE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->set);
	KUNIT_ASSERT_EQ(test, 0, new_id(ctx, 1, MAX_PASIDS - 1));
	ctx->nb.notify = subscriber;
	ctx->nb.prio = IOASID_PRIO_DEVICE;
	KUNIT_ASSERT_EQ(test, 0, ioasid_register_notifier(ctx->set, &ctx->nb,
							  false));
	return ctx;
}

static int gpasid_test_init(struct kunit *test)
{
	struct gpasid_test *ctx = new_vm(test, "gpasid");

	test->priv = ctx;
	ctx->neighbour = new_vm(test, "gpasid_neighbour");
	memset(said, 0, sizeof(said));
	memset(present, 0, sizeof(present));
	return gpasid_register_ops(&fake_ops);
}

static void end_vm(struct gpasid_test *ctx)
{
	iommu_sva_unbind_gpasid_owner(ctx->dev, &first);
	iommu_sva_unbind_gpasid_owner(ctx->dev, &second);
	ioasid_unregister_notifier(ctx->set, &ctx->nb);
	ioasid_free_all(ctx->set);
	ioasid_drain(ctx->set);
	ioasid_set_put(ctx->set);
}

static void gpasid_test_exit(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;

	end_vm(ctx);
	end_vm(ctx->neighbour);
	KUNIT_EXPECT_FALSE(test, gpasid_owner_busy(&first));
	KUNIT_EXPECT_FALSE(test, gpasid_owner_busy(&second));
	gpasid_unregister_ops(&fake_ops);
	ctx->dev->iommu = NULL;
	ctx->neighbour->dev->iommu = NULL;
}

static struct gpasid_bind_data bind_data(struct gpasid_test *ctx, void *owner,
					 u64 pgtbl)
{
	return (struct gpasid_bind_data) {
		.argsz = sizeof(struct gpasid_bind_data),
		.set = ctx->set,
		.owner = owner,
		.addr_width = 48,
		.hpasid = ctx->id,
		.pgtbl = pgtbl,
	};
}

static int bind(struct gpasid_test *ctx, void *owner, u64 pgtbl, u32 flags)
{
	struct gpasid_bind_data data = bind_data(ctx, owner, pgtbl);

	data.flags = flags;
	return iommu_sva_bind_gpasid(&ctx->parent, ctx->dev, &data);
}

static int unbind(struct gpasid_test *ctx, void *owner)
{
	return iommu_sva_unbind_gpasid(ctx->dev, ctx->set, ctx->id, owner);
}

/*
 * Deeds: calls that an owner, mostly the first one, makes in another thread
 */

struct deed {
	int (*fn)(struct gpasid_test *ctx);
	struct gpasid_test *ctx;
	int ret;
	struct completion done;
};

static int deed_bind(struct gpasid_test *ctx)
{
	return bind(ctx, &first, PGTBL, 0);
}

static int deed_close(struct gpasid_test *ctx)
{
	iommu_sva_unbind_gpasid_owner(ctx->dev, &first);
	return 0;
}

static int deed_free(struct gpasid_test *ctx)
{
	return gpasid_free_host(ctx->set, ctx->id);
}

static int deed_thread(void *arg)
{
	struct deed *deed = arg;

	deed->ret = deed->fn(deed->ctx);
	complete(&deed->done);
	return 0;
}

static void start_deed_of(struct kunit *test, struct gpasid_test *ctx,
			  struct deed *deed, int (*fn)(struct gpasid_test *ctx))
{
	struct task_struct *task;

	deed->fn = fn;
	deed->ctx = ctx;
	init_completion(&deed->done);
	task = kthread_run(deed_thread, deed, "gpasid_deed");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
}

static void start_deed(struct kunit *test, struct deed *deed,
		       int (*fn)(struct gpasid_test *ctx))
{
	start_deed_of(test, test->priv, deed, fn);
}

static void expect_not_done(struct kunit *test, struct deed *deed)
{
	KUNIT_EXPECT_EQ(test, 0,
			wait_for_completion_timeout(&deed->done, A_WHILE));
}

static void expect_end(struct kunit *test, struct deed *deed)
{
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&deed->done, PATIENCE));
}

static void expect_done(struct kunit *test, struct deed *deed, int ret)
{
	expect_end(test, deed);
	KUNIT_EXPECT_EQ(test, ret, deed->ret);
}

/* Start a bind by the first owner and wait until its subscriber is held. */
static void start_bind(struct kunit *test, struct deed *deed)
{
	struct gpasid_test *ctx = test->priv;

	ctx->hold = true;
	start_deed(test, deed, deed_bind);
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&ctx->asked, PATIENCE));
}

static void let_go(struct gpasid_test *ctx, int veto)
{
	ctx->veto = veto;
	ctx->hold = false;
	complete(&ctx->go);
}

/*
 * A bind that may still be vetoed
 */

static void setup_is_nobodys_to_share(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;
	struct deed deed;

	start_bind(test, &deed);
	KUNIT_EXPECT_TRUE(test, present[ctx->id]);
	KUNIT_EXPECT_EQ(test, -EBUSY, bind(ctx, &second, PGTBL, 0));
	KUNIT_EXPECT_EQ(test, -EBUSY, bind(ctx, &first, PGTBL, 0));
	let_go(ctx, -EPERM);
	expect_done(test, &deed, -EPERM);
	KUNIT_EXPECT_FALSE(test, present[ctx->id]);
	KUNIT_EXPECT_EQ(test, -ENOENT, unbind(ctx, &second));
	expect_said(test, "bcfdr");

	/* The vetoed bind does not prevent another one. */
	ctx->veto = 0;
	KUNIT_EXPECT_EQ(test, 0, bind(ctx, &second, PGTBL, 0));
	expect_said(test, "b");
}

static void setup_is_not_unbound_or_replaced(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;
	struct deed deed;

	start_bind(test, &deed);
	KUNIT_EXPECT_FALSE(test, gpasid_is_bound(ctx->dev, ctx->set, ctx->id,
						 &first));
	KUNIT_EXPECT_EQ(test, -ENOENT, unbind(ctx, &first));
	KUNIT_EXPECT_EQ(test, -ENOENT, bind(ctx, &first, OTHER_PGTBL,
					    GPASID_BIND_REPLACE));
	let_go(ctx, 0);
	expect_done(test, &deed, 0);
	expect_said(test, "b");
	KUNIT_EXPECT_TRUE(test, gpasid_is_bound(ctx->dev, ctx->set, ctx->id,
						&first));
}

static void setup_ends_with_a_free(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;
	struct deed deed, free;

	start_bind(test, &deed);
	start_deed(test, &free, deed_free);
	expect_not_done(test, &free);
	let_go(ctx, 0);
	/* The bind may complete before the free takes the binding down. */
	expect_end(test, &deed);
	expect_done(test, &free, 0);
	expect_said(test, "bcfdr");
	KUNIT_EXPECT_EQ(test, -ENOENT, unbind(ctx, &first));
}

static void setup_is_waited_for_by_a_close(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;
	struct deed deed, close;

	start_bind(test, &deed);
	start_deed(test, &close, deed_close);
	expect_not_done(test, &close);
	let_go(ctx, 0);
	expect_done(test, &deed, 0);
	expect_done(test, &close, 0);
	expect_said(test, "bcfdr");
	KUNIT_EXPECT_EQ(test, -ENOENT, unbind(ctx, &first));
}

/*
 * Owners
 */

static void owners_share_one_table(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));
	KUNIT_EXPECT_EQ(test, -EBUSY, bind(ctx, &second, OTHER_PGTBL, 0));
	KUNIT_ASSERT_EQ(test, 0, bind(ctx, &second, PGTBL, 0));
	KUNIT_EXPECT_EQ(test, -EBUSY, bind(ctx, &second, PGTBL, 0));
	KUNIT_EXPECT_EQ(test, -EBUSY, bind(ctx, &first, OTHER_PGTBL,
					   GPASID_BIND_REPLACE));
	KUNIT_EXPECT_EQ(test, 0, unbind(ctx, &first));
	KUNIT_EXPECT_EQ(test, -ENOENT, unbind(ctx, &first));
	expect_said(test, "b");
	KUNIT_EXPECT_EQ(test, 0, unbind(ctx, &second));
	expect_said(test, "cfdr");
}

static void owners_replace_in_place(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, -ENOENT, bind(ctx, &first, PGTBL,
					    GPASID_BIND_REPLACE));
	KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));
	KUNIT_EXPECT_EQ(test, -ENOENT, bind(ctx, &second, OTHER_PGTBL,
					    GPASID_BIND_REPLACE));
	KUNIT_EXPECT_EQ(test, 0, bind(ctx, &first, OTHER_PGTBL,
				      GPASID_BIND_REPLACE));
	expect_said(test, "bst");
	/* A replace with the current table does nothing. */
	KUNIT_EXPECT_EQ(test, 0, bind(ctx, &first, OTHER_PGTBL,
				      GPASID_BIND_REPLACE));
	expect_said(test, "");
}

static void numbers_beyond_the_device_are_refused(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;
	ioasid_t good = ctx->id;

	KUNIT_ASSERT_EQ(test, 0, new_id(ctx, MAX_PASIDS, 2 * MAX_PASIDS));
	KUNIT_EXPECT_EQ(test, -EINVAL, bind(ctx, &first, PGTBL, 0));
	ctx->id = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, bind(ctx, &first, PGTBL, 0));
	expect_said(test, "");
	ctx->id = good;
	KUNIT_EXPECT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));
}

/*
 * Without bindings of the owner, caches hold nothing of it, and the bindings of
 * other owners on the device stay.
 */
static void close_without_bindings_flushes_nothing(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;
	ioasid_t id = ctx->id;

	KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));
	KUNIT_ASSERT_EQ(test, 0, new_id(ctx, 1, MAX_PASIDS - 1));
	KUNIT_ASSERT_EQ(test, 0, bind(ctx, &second, PGTBL, 0));
	KUNIT_ASSERT_EQ(test, 0, unbind(ctx, &second));
	expect_said(test, "bbcfdr");
	iommu_sva_unbind_gpasid_owner(ctx->dev, &second);
	expect_said(test, "");
	ctx->id = id;
	KUNIT_EXPECT_TRUE(test, gpasid_is_bound(ctx->dev, ctx->set, id, &first));
}

/* Another task is waiting for the processor: it gets it before the look ends. */
static bool stays_on_the_processor(void)
{
	set_tsk_need_resched(current);
	set_preempt_need_resched();
	gpasid_owner_busy(&second);
	return need_resched();
}

static void an_owner_is_looked_for_with_reschedules(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;
	bool stays = true;
	int i;

	if (IS_ENABLED(CONFIG_PREEMPTION))
		kunit_skip(test, "any task is preempted on this kernel");

	KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));
	/* A tick in between may ask for the processor once more. */
	for (i = 0; i < 10 && stays; i++)
		stays = stays_on_the_processor();
	KUNIT_EXPECT_FALSE(test, stays);
}

/*
 * Two VMs
 */

static int invalidate(struct gpasid_test *ctx)
{
	struct iommu_gpasid_inv inv = {
		.pasid = ctx->id,
		.flags = IOMMU_GPASID_INV_PASID,
	};
	unsigned int done;

	return gpasid_invalidate(ctx->set, &inv, 1, 0, &done);
}

static int deed_replace(struct gpasid_test *ctx)
{
	return bind(ctx, &first, OTHER_PGTBL, GPASID_BIND_REPLACE);
}

static int deed_unbind(struct gpasid_test *ctx)
{
	return unbind(ctx, &first);
}

/* Call each function of the core that a VM can cause to be called. */
static int deed_everything(struct gpasid_test *ctx)
{
	int ret;

	ret = bind(ctx, &second, PGTBL, 0);
	ret = ret ?: bind(ctx, &second, OTHER_PGTBL, GPASID_BIND_REPLACE);
	ret = ret ?: invalidate(ctx);
	ret = ret ?: unbind(ctx, &second);
	ret = ret ?: bind(ctx, &second, PGTBL, 0);
	iommu_sva_unbind_gpasid_owner(ctx->dev, &second);
	ret = ret ?: bind(ctx, &second, PGTBL, 0);
	ret = ret ?: gpasid_free_host(ctx->set, ctx->id);
	return ret ?: new_id(ctx, 1, MAX_PASIDS - 1);
}

/* Check that the neighbour completes @fn while @deed is held until @go. */
static void expect_no_wait(struct kunit *test, struct deed *deed,
			   struct completion *go, const char *what,
			   int (*fn)(struct gpasid_test *ctx))
{
	struct gpasid_test *ctx = test->priv;
	struct deed theirs;
	bool done;

	start_deed_of(test, ctx->neighbour, &theirs, fn);
	done = wait_for_completion_timeout(&theirs.done, PATIENCE / 2);
	complete(go);
	expect_end(test, deed);
	/* @theirs is on the stack. */
	if (!done)
		expect_end(test, &theirs);
	KUNIT_ASSERT_TRUE_MSG(test, done, "another VM waits for %s", what);
	KUNIT_EXPECT_EQ(test, 0, theirs.ret);
	KUNIT_EXPECT_EQ(test, 0, deed->ret);
}

/*
 * Hold the driver in operation @what of @fn and check that the neighbour
 * completes @theirs.
 */
static void hold_driver_of(struct kunit *test,
			   int (*fn)(struct gpasid_test *ctx), const char *what,
			   int (*theirs)(struct gpasid_test *ctx))
{
	struct gpasid_test *ctx = test->priv;
	struct deed deed;

	init_completion(&held.reached);
	init_completion(&held.go);
	held.what = *what;
	held.dev = ctx->dev;
	start_deed(test, &deed, fn);
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&held.reached, PATIENCE));
	held.dev = NULL;
	expect_no_wait(test, &deed, &held.go, what, theirs);
}

static void hold_driver(struct kunit *test, int (*fn)(struct gpasid_test *ctx),
			const char *what)
{
	hold_driver_of(test, fn, what, deed_everything);
}

static void no_vm_waits_for_another(struct kunit *test)
{
	static const char * const teardown[] = { "c", "f", "d", "r" };
	struct gpasid_test *ctx = test->priv;
	int i;

	hold_driver(test, deed_bind, "b");
	hold_driver(test, invalidate, "i");
	hold_driver(test, deed_replace, "s");
	KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, GPASID_BIND_REPLACE));
	hold_driver(test, deed_replace, "t");
	for (i = 0; i < ARRAY_SIZE(teardown); i++) {
		hold_driver(test, deed_unbind, teardown[i]);
		KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));
		hold_driver(test, deed_close, teardown[i]);
		KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));
		hold_driver(test, deed_free, teardown[i]);
		KUNIT_ASSERT_EQ(test, 0, new_id(ctx, 1, MAX_PASIDS - 1));
		KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));
	}
}

static void no_vm_waits_for_a_subscriber_of_another(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;
	struct deed deed;

	start_bind(test, &deed);
	ctx->hold = false;
	expect_no_wait(test, &deed, &ctx->go, "a subscriber", deed_everything);
}

/*
 * The parent
 */

static void count_unpin(void *arg)
{
	struct gpasid_test *ctx = arg;

	ctx->unpinned++;
}

static int bind_pinned(struct gpasid_test *ctx, void *owner)
{
	struct gpasid_bind_data data = bind_data(ctx, owner, PGTBL);

	data.unpin = count_unpin;
	data.unpin_arg = ctx;
	return iommu_sva_bind_gpasid(&ctx->parent, ctx->dev, &data);
}

static void parent_is_pinned_once(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;
	ioasid_t id = ctx->id;

	KUNIT_ASSERT_EQ(test, 0, bind_pinned(ctx, &first));
	KUNIT_EXPECT_EQ(test, 0, ctx->unpinned);
	/* The parent has a pin: that of a further bind is dropped at once. */
	KUNIT_ASSERT_EQ(test, 0, new_id(ctx, 1, MAX_PASIDS - 1));
	KUNIT_ASSERT_EQ(test, 0, bind_pinned(ctx, &first));
	KUNIT_EXPECT_EQ(test, 1, ctx->unpinned);
	KUNIT_EXPECT_EQ(test, -EBUSY, bind_pinned(ctx, &first));
	KUNIT_EXPECT_EQ(test, 2, ctx->unpinned);
	KUNIT_EXPECT_EQ(test, 0, unbind(ctx, &first));
	KUNIT_EXPECT_EQ(test, 2, ctx->unpinned);
	ctx->id = id;
	KUNIT_EXPECT_EQ(test, 0, unbind(ctx, &first));
	KUNIT_EXPECT_EQ(test, 3, ctx->unpinned);
}

static void parent_is_not_pinned_by_a_veto(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;

	ctx->veto = -EPERM;
	KUNIT_EXPECT_EQ(test, -EPERM, bind_pinned(ctx, &first));
	KUNIT_EXPECT_EQ(test, 1, ctx->unpinned);
}

/*
 * Page requests
 */

static int report(struct gpasid_test *ctx)
{
	struct iopf_fault evt = {
		.fault = {
			.type = IOMMU_FAULT_PAGE_REQ,
			.prm = {
				.flags = IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
					 IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE,
				.pasid = ctx->id,
				.perm = IOMMU_FAULT_PERM_READ,
			},
		},
	};

	return iommu_report_device_fault(ctx->dev, &evt);
}

static void begin_requests(struct kunit *test, struct gpasid_test *ctx)
{
	u32 limit = 0, timeout = 0;

	ctx->dev->iommu_group = iommu_group_alloc();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->dev->iommu_group);
	ctx->iopf = iopf_queue_alloc("gpasid");
	KUNIT_ASSERT_NOT_NULL(test, ctx->iopf);
	KUNIT_ASSERT_EQ(test, 0, iopf_queue_add_device(ctx->iopf, ctx->dev));
	ctx->faults = gpasid_fault_queue_create(ctx->set, &limit, &timeout);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->faults);
}

static void end_requests(struct gpasid_test *ctx)
{
	if (ctx->faults)
		gpasid_fault_queue_destroy(ctx->faults);
	iopf_queue_free(ctx->iopf);
	iommu_group_put(ctx->dev->iommu_group);
	ctx->dev->iommu_group = NULL;
}

/*
 * A driver that removes the device from its queue first does not answer the
 * page requests that the core has.
 */
static void page_requests_have_one_owner(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv;

	responses = 0;
	begin_requests(test, ctx);
	KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));

	KUNIT_EXPECT_EQ(test, 0, report(ctx));
	iopf_queue_remove_device(ctx->iopf, ctx->dev);
	KUNIT_EXPECT_EQ(test, 0, responses);
	KUNIT_EXPECT_EQ(test, 0, unbind(ctx, &first));
	KUNIT_EXPECT_EQ(test, 1, responses);
	end_requests(ctx);
}

static int deed_close_requests(struct gpasid_test *ctx)
{
	gpasid_fault_queue_destroy(ctx->faults);
	ctx->faults = NULL;
	return 0;
}

/* Report a page request, which the unbind answers. */
static int deed_request(struct gpasid_test *ctx)
{
	return report(ctx) ?: unbind(ctx, &second);
}

static void no_vm_waits_for_answers_of_another(struct kunit *test)
{
	struct gpasid_test *ctx = test->priv, *theirs = ctx->neighbour;

	begin_requests(test, ctx);
	begin_requests(test, theirs);
	KUNIT_ASSERT_EQ(test, 0, bind(ctx, &first, PGTBL, 0));
	KUNIT_ASSERT_EQ(test, 0, bind(theirs, &second, PGTBL, 0));
	KUNIT_EXPECT_EQ(test, 0, report(ctx));
	hold_driver_of(test, deed_close_requests, "p", deed_request);
	KUNIT_EXPECT_EQ(test, 0, unbind(ctx, &first));
	iopf_queue_remove_device(ctx->iopf, ctx->dev);
	iopf_queue_remove_device(theirs->iopf, theirs->dev);
	end_requests(ctx);
	end_requests(theirs);
}

static struct kunit_case gpasid_cases[] = {
	KUNIT_CASE(setup_is_nobodys_to_share),
	KUNIT_CASE(setup_is_not_unbound_or_replaced),
	KUNIT_CASE(setup_ends_with_a_free),
	KUNIT_CASE(setup_is_waited_for_by_a_close),
	KUNIT_CASE(owners_share_one_table),
	KUNIT_CASE(owners_replace_in_place),
	KUNIT_CASE(numbers_beyond_the_device_are_refused),
	KUNIT_CASE(close_without_bindings_flushes_nothing),
	KUNIT_CASE(an_owner_is_looked_for_with_reschedules),
	KUNIT_CASE_SLOW(no_vm_waits_for_another),
	KUNIT_CASE(no_vm_waits_for_a_subscriber_of_another),
	KUNIT_CASE(parent_is_pinned_once),
	KUNIT_CASE(parent_is_not_pinned_by_a_veto),
	KUNIT_CASE(page_requests_have_one_owner),
	KUNIT_CASE(no_vm_waits_for_answers_of_another),
	{}
};

static struct kunit_suite gpasid_suite = {
	.name = "gpasid",
	.init = gpasid_test_init,
	.exit = gpasid_test_exit,
	.test_cases = gpasid_cases,
};

kunit_test_suite(gpasid_suite);

MODULE_DESCRIPTION("KUnit tests for guest PASID bindings");
MODULE_LICENSE("GPL");
