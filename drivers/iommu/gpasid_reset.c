// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: a device that is reset.
 *
 * Built in, as the PCI core calls it.  What a device has asked for before a reset
 * is not asked for afterwards, and group numbers begin anew: an answer to a page
 * request from before would be taken for that to another.  So all of them end
 * without an answer.  What arrives while the device is inside the reset was sent
 * before, too, and is dropped.
 *
 * A device inside a reset does not answer invalidations, and its TLB is empty
 * afterwards.  So that this holds for a reset that fails as well, ATS is switched
 * off beforehand, and comes back with the configuration space.
 *
 * Bindings live on: a reset of a device changes nothing in its PASID table.
 *
 * A device has a struct gpasid_reset while it is inside a reset.  The list of
 * them is protected by a spinlock and read under RCU; what waits for an IOMMU is
 * done under the lock of the one, so that no device waits for another.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/gpasid-reset.h>
#include <linux/mutex.h>
#include <linux/pci-ats.h>
#include <linux/pci.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <trace/events/gpasid.h>

#include "gpasid_priv.h"
#include "iommu-priv.h"

/**
 * struct gpasid_reset - A device inside a reset
 * @node: in gpasid_resets
 * @dev: the device
 * @users: callers of gpasid_reset_prepare(), as far as gpasid_reset_done() has
 *         not followed; protected by gpasid_resets_lock
 * @lock: held by the caller that begins or ends it
 * @depth: resets that @dev is inside of; protected by @lock
 * @active: nothing is sent to @dev, nothing is taken from it
 * @asleep: one of @depth is a power state that ends with a reset
 * @rcu: frees it after the last reader
 */
struct gpasid_reset {
	struct list_head node;
	struct device *dev;
	unsigned int users;
	struct mutex lock;	/* beginning and end */
	unsigned int depth;
	bool active;
	bool asleep;
	struct rcu_head rcu;
};

static LIST_HEAD(gpasid_resets);
static DEFINE_SPINLOCK(gpasid_resets_lock);
static const struct gpasid_reset_ops *gpasid_reset_driver;

/**
 * gpasid_reset_register_ops() - Register an IOMMU driver
 * @ops: its operations; there is one such driver in a host, and it is built in
 *
 * Context: Boot.
 */
void gpasid_reset_register_ops(const struct gpasid_reset_ops *ops)
{
	WARN_ON(gpasid_reset_driver);
	gpasid_reset_driver = ops;
}

static const struct gpasid_reset_ops *gpasid_reset_ops(struct device *dev)
{
	if (!gpasid_reset_driver ||
	    gpasid_reset_driver->iommu_ops != dev_iommu_ops(dev))
		return NULL;
	return gpasid_reset_driver;
}

/* Only a device with ATS has a TLB of its own, or makes page requests. */
static bool gpasid_reset_concerns(struct device *dev)
{
	return dev_is_pci(dev) && dev->iommu && dev->iommu->iommu_dev &&
	       pci_ats_supported(to_pci_dev(dev));
}

/* Under RCU or gpasid_resets_lock. */
static struct gpasid_reset *gpasid_reset_find(struct device *dev)
{
	struct gpasid_reset *reset;

	list_for_each_entry_rcu(reset, &gpasid_resets, node,
				lockdep_is_held(&gpasid_resets_lock))
		if (reset->dev == dev)
			return reset;
	return NULL;
}

/**
 * gpasid_in_reset() - Check whether a device is inside a reset
 * @dev: the device
 *
 * Context: Any context.
 * Return: true between gpasid_reset_prepare() and gpasid_reset_done().
 */
bool gpasid_in_reset(struct device *dev)
{
	struct gpasid_reset *reset;

	guard(rcu)();
	reset = gpasid_reset_find(dev);
	return reset && READ_ONCE(reset->active);
}
EXPORT_SYMBOL_GPL(gpasid_in_reset);

/* What ATS is switched on with is the PCI core's: only the switch changes. */
static void gpasid_reset_ats(struct pci_dev *pdev, bool on)
{
	int where = pdev->ats_cap + PCI_ATS_CTRL;
	u16 ctrl;

	if (!pdev->ats_enabled)
		return;
	pci_read_config_word(pdev, where, &ctrl);
	ctrl &= ~PCI_ATS_CTRL_ENABLE;
	if (on)
		ctrl |= PCI_ATS_CTRL_ENABLE;
	pci_write_config_word(pdev, where, ctrl);
}

static void gpasid_reset_begin(struct gpasid_reset *reset)
{
	const struct gpasid_reset_ops *ops = gpasid_reset_ops(reset->dev);

	lockdep_assert_held(&reset->lock);

	trace_gpasid_reset(reset->dev, true);
	WRITE_ONCE(reset->active, true);
	if (ops)
		ops->prepare(reset->dev);
	gpasid_reset_ats(to_pci_dev(reset->dev), false);
	iommu_gpasid_reset_requests(reset->dev);
}

/*
 * What was on its way when the reset began has arrived by now.  The last of it
 * may have been looked at before @active was set, so all is ended once more.
 *
 * ATS has come back before invalidations do.  Switched off and on, it has an empty
 * TLB again (PCIe: "ATS Control Register"), whatever the device did in between.
 */
static void gpasid_reset_end(struct gpasid_reset *reset)
{
	const struct gpasid_reset_ops *ops = gpasid_reset_ops(reset->dev);

	lockdep_assert_held(&reset->lock);

	if (ops)
		ops->drain(reset->dev);
	iommu_gpasid_reset_requests(reset->dev);
	if (ops)
		ops->done(reset->dev);
	WRITE_ONCE(reset->active, false);
	gpasid_reset_ats(to_pci_dev(reset->dev), false);
	gpasid_reset_ats(to_pci_dev(reset->dev), true);
	if (ops)
		ops->settled(reset->dev);
	trace_gpasid_reset(reset->dev, false);
}

/* A reset cannot be put off for want of memory, and the record is small. */
static struct gpasid_reset *gpasid_reset_get(struct device *dev)
{
	struct gpasid_reset *new = kzalloc(sizeof(*new),
					   GFP_KERNEL | __GFP_NOFAIL);
	struct gpasid_reset *reset;

	new->dev = dev;
	mutex_init(&new->lock);
	scoped_guard(spinlock, &gpasid_resets_lock) {
		reset = gpasid_reset_find(dev);
		if (!reset) {
			list_add_rcu(&new->node, &gpasid_resets);
			swap(reset, new);
		}
		reset->users++;
	}
	kfree(new);

	return reset;
}

static void gpasid_reset_put(struct gpasid_reset *reset)
{
	scoped_guard(spinlock, &gpasid_resets_lock) {
		if (--reset->users)
			return;
		list_del_rcu(&reset->node);
	}
	kfree_rcu(reset, rcu);
}

static void gpasid_reset_enter(struct device *dev, bool asleep)
{
	struct gpasid_reset *reset = gpasid_reset_get(dev);

	guard(mutex)(&reset->lock);
	if (!reset->depth++)
		gpasid_reset_begin(reset);
	if (asleep)
		WRITE_ONCE(reset->asleep, true);
}

/* @asleep: only if it was entered so; false: the device is in no such reset. */
static bool gpasid_reset_leave(struct device *dev, bool asleep)
{
	struct gpasid_reset *reset;

	/* The caller's own entry keeps it from being freed. */
	scoped_guard(rcu) {
		reset = gpasid_reset_find(dev);
		if (!reset || (asleep && !xchg(&reset->asleep, false)))
			return false;
	}

	scoped_guard(mutex, &reset->lock)
		if (!--reset->depth)
			gpasid_reset_end(reset);
	gpasid_reset_put(reset);

	return true;
}

/**
 * gpasid_reset_prepare() - Prepare for the reset of a device
 * @dev: the device
 *
 * Page requests of the device end without an answer, complete groups and others;
 * what the VMM has read of them gets -ENOENT when it is answered.  Invalidations
 * that are under way towards the device's TLB are waited for, and no more are
 * sent.  Bindings stay.  May be nested.
 *
 * The PCI core calls it around every reset of a function, a slot or a bus; a
 * driver that resets its device by other means calls it itself.
 *
 * Context: Process context. May sleep. The caller keeps the device from being
 * removed, and restores its configuration space before gpasid_reset_done().
 */
void gpasid_reset_prepare(struct device *dev)
{
	if (gpasid_reset_concerns(dev))
		gpasid_reset_enter(dev, false);
}
EXPORT_SYMBOL_GPL(gpasid_reset_prepare);

/**
 * gpasid_reset_done() - Undo gpasid_reset_prepare()
 * @dev: the device; its configuration space is restored
 *
 * Page requests that were sent before the reset and arrived meanwhile have been
 * dropped when this returns: what arrives from now on is the device's after the
 * reset.
 *
 * Context: Process context. May sleep.
 */
void gpasid_reset_done(struct device *dev)
{
	if (!gpasid_reset_concerns(dev))
		return;
	gpasid_reset_powered(to_pci_dev(dev));
	WARN_ON_ONCE(!gpasid_reset_leave(dev, false));
}
EXPORT_SYMBOL_GPL(gpasid_reset_done);

static bool gpasid_reset_sleeps(pci_power_t state)
{
	return state == PCI_D3hot || state == PCI_D3cold;
}

/**
 * gpasid_reset_set_power_state() - Change the power state of a device
 * @pdev: the device
 * @state: the power state
 * @resets: the device is reset when it comes back from D3hot
 *
 * A device that enters D3hot, and will be reset by waking up, is inside the reset
 * until gpasid_reset_powered().
 *
 * Context: Process context. May sleep.
 * Return: what pci_set_power_state() does.
 */
int gpasid_reset_set_power_state(struct pci_dev *pdev, pci_power_t state,
				 bool resets)
{
	int ret;

	gpasid_reset_powered(pdev);
	resets &= gpasid_reset_sleeps(state) &&
		  !gpasid_reset_sleeps(pdev->current_state) &&
		  gpasid_reset_concerns(&pdev->dev);
	if (resets)
		gpasid_reset_enter(&pdev->dev, true);
	ret = pci_set_power_state(pdev, state);
	if (resets)
		gpasid_reset_powered(pdev);

	return ret;
}
EXPORT_SYMBOL_GPL(gpasid_reset_set_power_state);

/**
 * gpasid_reset_powered() - Handle a device that may have woken up
 * @pdev: the device; if it has, its configuration space is restored
 *
 * Context: Process context. May sleep.
 */
void gpasid_reset_powered(struct pci_dev *pdev)
{
	if (!gpasid_reset_sleeps(pdev->current_state))
		gpasid_reset_leave(&pdev->dev, true);
}
EXPORT_SYMBOL_GPL(gpasid_reset_powered);
