// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: resets of devices.
 *
 * Built in, since the PCI core calls it.  After a reset, a device has forgotten
 * the page requests that it sent before, and its group numbers start again: it
 * would take an answer to an old page request for the answer to a new one.  So
 * the reset ends all page requests of the device without an answer.  Page
 * requests that arrive while the device is inside the reset were sent before it
 * and are dropped.
 *
 * A device inside a reset does not answer invalidations, and its TLB is empty
 * after the reset.  To empty the TLB also if the reset fails, ATS is disabled
 * before the reset; it is enabled again with the configuration space.
 *
 * Bindings stay: a reset of a device does not change its PASID table.
 *
 * A device has a struct gpasid_reset while it is inside a reset.  The list of
 * these is protected by a spinlock and read under RCU.  Calls that wait for an
 * IOMMU are made under gpasid_reset::lock, so that no device waits for another.
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
 * @users: number of entered resets that have not been left; protected by
 *         gpasid_resets_lock
 * @lock: serialises the begin and the end of the reset
 * @depth: number of nested resets that @dev is inside of; protected by @lock
 * @active: no invalidation is sent to @dev, and its page requests are dropped
 * @asleep: one of @depth is a power state that ends with a reset
 * @rcu: frees the structure after the last reader
 */
struct gpasid_reset {
	struct list_head node;
	struct device *dev;
	unsigned int users;
	struct mutex lock;	/* begin and end of the reset */
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
 * @ops: its operations; a host has one such driver, which is built in
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

/* Only a device with ATS has a TLB or sends page requests. */
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

/* Change only the enable bit: the PCI core owns the other settings of ATS. */
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
 * After the drain, all page requests that were in flight when the reset began
 * have arrived.  The page-request thread may have checked the last of them
 * before @active was set, so end all page requests once more.
 *
 * The restore of the configuration space has enabled ATS before invalidations
 * are sent again.  Disable and enable ATS once more: this empties the device's
 * TLB (PCIe: "ATS Control Register"), which the device may have filled in
 * between.
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

/* __GFP_NOFAIL: a reset cannot fail for lack of memory, and needs little. */
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

/*
 * Leave a reset; with @asleep, one that a power state has entered.  Return
 * false if the device is not inside such a reset.
 */
static bool gpasid_reset_leave(struct device *dev, bool asleep)
{
	struct gpasid_reset *reset;

	/* The entry that is left here holds a reference until the put below. */
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
 * Ends all page requests of the device, of complete groups and of others,
 * without an answer; a VMM that answers one that it has read gets -ENOENT.
 * Waits for invalidations of the device's TLB in flight, and stops sending
 * them.  Bindings stay.  May be nested.
 *
 * The PCI core calls this before every reset of a function, a slot or a bus.  A
 * driver that resets its device by other means must call it.
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
 * When this returns, all page requests that the device sent before the reset
 * have been dropped: those that arrive later were sent after the reset.
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
 * @resets: the device is reset when it leaves D3hot
 *
 * With @resets, a device that enters D3hot or D3cold is inside a reset until
 * gpasid_reset_powered() finds it in another power state.
 *
 * Context: Process context. May sleep.
 * Return: the result of pci_set_power_state().
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
 * @pdev: the device; if it has woken up, its configuration space is restored
 *
 * Context: Process context. May sleep.
 */
void gpasid_reset_powered(struct pci_dev *pdev)
{
	if (!gpasid_reset_sleeps(pdev->current_state))
		gpasid_reset_leave(&pdev->dev, true);
}
EXPORT_SYMBOL_GPL(gpasid_reset_powered);
