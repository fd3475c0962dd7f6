// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs on Intel VT-d: error handling of queued invalidations.
 *
 * Built in together with the VT-d driver's queue (dmar.c).  The unit waits for
 * a device to complete an invalidation of its TLB.  If the device does not, the
 * unit aborts the wait descriptors of all submissions in flight, for any
 * device.  Four rules follow.  They are enforced here, with the queue's lock
 * held, so that no path can bypass them:
 *
 * - Descriptors for a device that cannot answer are replaced by no-ops.  Such a
 *   device is inside a reset, has been removed, was found to be absent after a
 *   time-out, has let too many invalidations time out, or has been released.
 * - A device that is present but does not answer loses ATS, which empties its
 *   TLB, until it is reset.  So other submissions wait for a few of its
 *   time-outs at most.
 * - A submission is complete when all of its descriptors have been executed.  A
 *   submission with aborted or refused descriptors is submitted again.
 * - A descriptor that the unit keeps refusing is replaced by a coarser one: a
 *   global invalidation of the same cache.  If the descriptor is for a device
 *   TLB, the device loses ATS instead, as above.
 *
 * struct intel_gpasid_port exists from the probe of a device with ATS to its
 * release and is found by unit and source ID.  Lookups are under RCU; the
 * fields are protected by the lock of the unit's queue.
 *
 * VT-d: "Invalidation Queue", "Queued Invalidation: Error Conditions".
 */
#define pr_fmt(fmt) "DMAR: gpasid: " fmt

#include <linux/delay.h>
#include <linux/export.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "gpasid.h"
#include "iommu.h"

/* Consecutive time-outs after which a device is sent no more invalidations. */
#define PORT_TIMEOUTS_MAX	3

/*
 * Times that a descriptor is refused before a coarser one is submitted in its
 * place, and before it is given up.
 */
#define QUEUE_COARSE_AFTER	2
#define QUEUE_TRIES_MAX		3

/* Microseconds that a unit may take to clear an error. */
#define QUEUE_CLEAR_US		1000000

/* q_inval::desc_status of a descriptor that the unit has refused. */
#define QUEUE_REFUSED		(QI_ABORT + 1)

/**
 * enum intel_gpasid_port_state - Descriptors that may be sent to a device
 * @PORT_LIVE: everything
 * @PORT_HELD: nothing, since it is inside a reset
 * @PORT_SETTLING: everything, but time-outs are not counted, since ATS is being
 *                 switched
 * @PORT_SILENT: no invalidation: ATS was switched off after too many time-outs
 *               or because the unit refused the invalidations
 */
enum intel_gpasid_port_state {
	PORT_LIVE,
	PORT_HELD,
	PORT_SETTLING,
	PORT_SILENT,
};

/**
 * struct intel_gpasid_port - A device that the unit sends invalidations to
 * @pdev: the device; outlives this structure
 * @state: descriptors that may be sent to the device
 * @doubtful: the last invalidation timed out
 * @absent: valid if @doubtful: the device was absent at the last check
 * @ats_global: the device can invalidate its TLB for all PASIDs at once;
 *              constant
 * @timeouts: number of consecutive time-outs
 */
struct intel_gpasid_port {
	struct pci_dev *pdev;
	enum intel_gpasid_port_state state;
	bool doubtful;
	bool absent;
	bool ats_global;
	unsigned int timeouts;
};

static DEFINE_XARRAY(intel_gpasid_ports);

static unsigned long intel_gpasid_port_index(struct intel_iommu *iommu, u16 sid)
{
	return (unsigned long)iommu->seq_id << 16 | sid;
}

/* Called under RCU. */
static struct intel_gpasid_port *
intel_gpasid_port_find(struct intel_iommu *iommu, u16 sid)
{
	return xa_load(&intel_gpasid_ports,
		       intel_gpasid_port_index(iommu, sid));
}

/* ATS Capability Register: Global Invalidate Supported. */
static bool intel_gpasid_read_ats_global(struct pci_dev *pdev)
{
	u16 cap;

	if (!pdev->ats_cap ||
	    pci_read_config_word(pdev, pdev->ats_cap + PCI_ATS_CAP, &cap))
		return false;
	return cap & INTEL_GPASID_ATS_GLOBAL;
}

/**
 * intel_gpasid_port_add() - Add a device with ATS that is being probed
 * @info: the device
 *
 * Context: Process context. May sleep.
 * Return: 0, or -ENOMEM.
 */
int intel_gpasid_port_add(struct device_domain_info *info)
{
	struct intel_gpasid_port *port = kzalloc(sizeof(*port), GFP_KERNEL);
	u16 sid = PCI_DEVID(info->bus, info->devfn);
	int ret;

	if (!port)
		return -ENOMEM;
	port->pdev = to_pci_dev(info->dev);
	port->ats_global = intel_gpasid_read_ats_global(port->pdev);
	ret = xa_insert(&intel_gpasid_ports,
			intel_gpasid_port_index(info->iommu, sid), port,
			GFP_KERNEL);
	if (ret)
		kfree(port);
	return ret;
}

/**
 * intel_gpasid_port_remove() - Remove a device that is being released
 * @info: the device; its ATS is off
 *
 * Context: Process context. May sleep.
 */
void intel_gpasid_port_remove(struct device_domain_info *info)
{
	u16 sid = PCI_DEVID(info->bus, info->devfn);
	struct intel_gpasid_port *port;

	port = xa_erase(&intel_gpasid_ports,
			intel_gpasid_port_index(info->iommu, sid));
	/* Wait for readers, which use the device: it may be freed next. */
	synchronize_rcu();
	kfree(port);
}

/**
 * intel_gpasid_ats_global() - Check whether a device can invalidate its TLB for
 * all PASIDs at once
 * @info: the device
 *
 * Return the value read at probe: a read of configuration space takes as long
 * as many binds.
 *
 * Context: Any context.
 * Return: true if the device has ATS with Global Invalidate Supported.
 */
bool intel_gpasid_ats_global(struct device_domain_info *info)
{
	struct intel_gpasid_port *port;

	guard(rcu)();
	port = intel_gpasid_port_find(info->iommu,
				      PCI_DEVID(info->bus, info->devfn));
	return port && port->ats_global;
}
EXPORT_SYMBOL_GPL(intel_gpasid_ats_global);

static void intel_gpasid_port_set(struct device_domain_info *info,
				  enum intel_gpasid_port_state state)
{
	struct intel_iommu *iommu = info->iommu;
	struct intel_gpasid_port *port;

	guard(rcu)();
	port = intel_gpasid_port_find(iommu, PCI_DEVID(info->bus, info->devfn));
	if (!port)
		return;
	guard(raw_spinlock_irqsave)(&iommu->qi->q_lock);
	port->state = state;
	port->timeouts = 0;
}

/**
 * intel_gpasid_port_hold() - Stop sending descriptors to a device
 * @info: the device
 *
 * Context: Process context.
 * Return: nothing; no earlier descriptor for the device is in flight.
 */
void intel_gpasid_port_hold(struct device_domain_info *info)
{
	struct qi_desc none = {};

	intel_gpasid_port_set(info, PORT_HELD);
	/* A lone wait completes after all descriptors queued earlier. */
	qi_submit_sync(info->iommu, &none, 0, 0);
}

/**
 * intel_gpasid_port_settle() - Resume sending to a device whose ATS may be off
 * @info: the device
 *
 * Context: Any context.
 */
void intel_gpasid_port_settle(struct device_domain_info *info)
{
	intel_gpasid_port_set(info, PORT_SETTLING);
}

/**
 * intel_gpasid_port_release() - Resume sending to a device whose ATS is on
 * @info: the device
 *
 * Context: Any context.
 */
void intel_gpasid_port_release(struct device_domain_info *info)
{
	intel_gpasid_port_set(info, PORT_LIVE);
}

/* PCIe: "ATS Control Register": a device's TLB is empty while ATS is off. */
static void intel_gpasid_ats_off(struct pci_dev *pdev)
{
	int where = pdev->ats_cap + PCI_ATS_CTRL;
	u16 ctrl;

	pci_read_config_word(pdev, where, &ctrl);
	pci_write_config_word(pdev, where, ctrl & ~PCI_ATS_CTRL_ENABLE);
}

static void intel_gpasid_port_silence(struct intel_gpasid_port *port,
				      const char *why)
{
	port->state = PORT_SILENT;
	intel_gpasid_ats_off(port->pdev);
	dev_err_ratelimited(&port->pdev->dev,
			    "%s, ATS is off until it is reset\n", why);
}

/*
 * Descriptors
 */

static bool intel_gpasid_desc_is_devtlb(const struct qi_desc *desc)
{
	u64 type = desc->qw0 & GENMASK_ULL(3, 0);

	return type == QI_DIOTLB_TYPE || type == QI_DEIOTLB_TYPE;
}

static bool intel_gpasid_desc_is_wait(const struct qi_desc *desc)
{
	return (desc->qw0 & GENMASK_ULL(3, 0)) == QI_IWD_TYPE &&
	       desc->qw0 & QI_IWD_STATUS_WRITE;
}

/* Return true if @desc is for a device, whose source ID is stored in @sid. */
static bool intel_gpasid_desc_sid(const struct qi_desc *desc, u16 *sid)
{
	switch (desc->qw0 & GENMASK_ULL(3, 0)) {
	case QI_DIOTLB_TYPE:
		*sid = desc->qw0 >> 32;
		return true;
	case QI_DEIOTLB_TYPE:
	case QI_PGRP_RESP_TYPE:
		*sid = desc->qw0 >> 16;
		return true;
	}
	return false;
}

static bool intel_gpasid_same_device(const struct qi_desc *a,
				     const struct qi_desc *b)
{
	u16 sid_a, sid_b;

	return intel_gpasid_desc_sid(a, &sid_a) &&
	       intel_gpasid_desc_sid(b, &sid_b) && sid_a == sid_b;
}

/*
 * Return true if the device is absent.  The queue's lock is held, so read its
 * configuration space only if its last invalidation timed out, and only for the
 * first of consecutive descriptors for the device (@ask).
 */
static bool intel_gpasid_port_absent(struct intel_gpasid_port *port, bool ask)
{
	if (pci_dev_is_disconnected(port->pdev))
		return true;
	if (!port->doubtful)
		return false;
	if (ask)
		port->absent = !pci_device_is_present(port->pdev);
	return port->absent;
}

/*
 * Return true if the descriptor @desc should be sent to the device @sid.
 * Called under RCU.
 */
static bool intel_gpasid_desc_wanted(struct intel_iommu *iommu, u16 sid,
				     const struct qi_desc *desc, bool ask)
{
	struct intel_gpasid_port *port = intel_gpasid_port_find(iommu, sid);

	if (!port || port->state == PORT_HELD)
		return false;
	if (!intel_gpasid_desc_is_devtlb(desc))
		return true;
	return port->state != PORT_SILENT &&
	       !intel_gpasid_port_absent(port, ask);
}

static const struct qi_desc intel_gpasid_nothing = {
	.qw0 = QI_IWD_FENCE | QI_IWD_TYPE,
};

/*
 * Switch off ATS of the device that the device-TLB invalidation @desc is for, and
 * return a no-op.  While a reset switches ATS itself, @desc is retried, as after
 * a time-out.  Called under RCU.
 */
static const struct qi_desc *
intel_gpasid_no_devtlb(struct intel_iommu *iommu, const struct qi_desc *desc)
{
	struct intel_gpasid_port *port = NULL;
	u16 sid;

	if (intel_gpasid_desc_sid(desc, &sid))
		port = intel_gpasid_port_find(iommu, sid);
	if (!port || port->state == PORT_SETTLING)
		return desc;
	intel_gpasid_port_silence(port, "invalidations of it are refused");

	return &intel_gpasid_nothing;
}

/* Set @coarse to the global form of @desc; return NULL if it has none. */
static const struct qi_desc *
intel_gpasid_desc_global(struct intel_iommu *iommu, const struct qi_desc *desc,
			 struct qi_desc *coarse)
{
	*coarse = (struct qi_desc){};
	switch (desc->qw0 & GENMASK_ULL(3, 0)) {
	case QI_CC_TYPE:
		coarse->qw0 = QI_CC_GRAN(DMA_CCMD_GLOBAL_INVL) | QI_CC_TYPE;
		return coarse;
	case QI_PC_TYPE:
		coarse->qw0 = QI_PC_GRAN(QI_PC_GLOBAL) | QI_PC_TYPE;
		return coarse;
	case QI_IOTLB_TYPE:
	case QI_EIOTLB_TYPE:
		qi_desc_iotlb(iommu, 0, 0, 0, DMA_TLB_GLOBAL_FLUSH, coarse);
		return coarse;
	case QI_IEC_TYPE:
		coarse->qw0 = QI_IEC_TYPE;
		return coarse;
	}
	return NULL;
}

/*
 * Return the descriptor to submit for @desc, which the unit has refused @times
 * times: @desc, @coarse, or a no-op.  Called under RCU.
 */
static const struct qi_desc *
intel_gpasid_desc_refused(struct intel_iommu *iommu, const struct qi_desc *desc,
			  unsigned int times, struct qi_desc *coarse)
{
	if (times < QUEUE_COARSE_AFTER)
		return desc;
	if (intel_gpasid_desc_is_devtlb(desc))
		return intel_gpasid_no_devtlb(iommu, desc);
	if (times < QUEUE_TRIES_MAX)
		return intel_gpasid_desc_global(iommu, desc, coarse) ?: desc;
	pr_err_ratelimited("%s: descriptor of type %llu refused\n", iommu->name,
			   desc->qw0 & GENMASK_ULL(3, 0));

	return &intel_gpasid_nothing;
}

/**
 * intel_gpasid_queue_desc() - Put a descriptor into a unit's queue
 * @iommu: the unit; the lock of its queue is held
 * @to: the slot
 * @desc: the descriptor, one of an array that is submitted
 * @nr: its index in the array
 * @tries: descriptors of the array that the unit has refused so far
 *
 * Context: Any context.
 */
void intel_gpasid_queue_desc(struct intel_iommu *iommu, void *to,
			     const struct qi_desc *desc, unsigned int nr,
			     const struct intel_gpasid_tries *tries)
{
	bool ask = !nr || !intel_gpasid_same_device(desc, desc - 1);
	struct qi_desc coarse;
	u16 sid;

	guard(rcu)();
	if (intel_gpasid_desc_sid(desc, &sid) &&
	    !intel_gpasid_desc_wanted(iommu, sid, desc, ask))
		desc = &intel_gpasid_nothing;
	else
		desc = intel_gpasid_desc_refused(iommu, desc,
						 tries->refused[nr], &coarse);
	memcpy(to, desc, 1 << qi_shift(iommu));
}

/*
 * Error handling
 */

static struct qi_desc *intel_gpasid_slot(struct intel_iommu *iommu, int index)
{
	return iommu->qi->desc + (index << qi_shift(iommu));
}

static int intel_gpasid_queue_head(struct intel_iommu *iommu)
{
	return readl(iommu->reg + DMAR_IQH_REG) >> qi_shift(iommu);
}

/*
 * Return the head index at which the queue stopped on @error, or -1 if it is
 * running.
 */
static int intel_gpasid_queue_stopped(struct intel_iommu *iommu, u32 error)
{
	int head;

	do {
		head = intel_gpasid_queue_head(iommu);
		if (!(readl(iommu->reg + DMAR_FSTS_REG) & error))
			return -1;
	} while (head != intel_gpasid_queue_head(iommu));

	return head;
}

/*
 * Restart the queue and wait until the unit has cleared @error.  The queue's
 * lock is held and nothing is submitted meanwhile, so an error seen after the
 * return is a new one.  If this error were seen again, clearing it twice could
 * clear a new one unhandled.
 */
static void intel_gpasid_queue_clear(struct intel_iommu *iommu, u32 error)
{
	int us;

	writel(error, iommu->reg + DMAR_FSTS_REG);
	for (us = 0; us < QUEUE_CLEAR_US; us++) {
		if (!(readl(iommu->reg + DMAR_FSTS_REG) & error))
			return;
		udelay(1);
	}
	pr_err_ratelimited("%s: queue error 0x%x stays\n", iommu->name, error);
}

static void intel_gpasid_port_timed_out(struct intel_gpasid_port *port)
{
	port->doubtful = true;
	if (port->state != PORT_LIVE || ++port->timeouts < PORT_TIMEOUTS_MAX)
		return;
	intel_gpasid_port_silence(port, "does not complete invalidations");
}

/*
 * Return true if an invalidation for @sid is among the descriptors that the unit
 * has fetched and that are not known to be complete.
 */
static bool intel_gpasid_fetched_for(struct intel_iommu *iommu, int head, u16 sid)
{
	struct q_inval *qi = iommu->qi;
	struct qi_desc *desc;
	u16 other;
	int slot;

	for (slot = qi->free_tail; slot != head; slot = (slot + 1) % QI_LENGTH) {
		desc = intel_gpasid_slot(iommu, slot);
		if (qi->desc_status[slot] == QI_IN_USE &&
		    intel_gpasid_desc_is_devtlb(desc) &&
		    intel_gpasid_desc_sid(desc, &other) && other == sid)
			return true;
	}
	return false;
}

/*
 * Count a time-out once for each device that it may be due to.  Units before
 * version 4 of the specification do not report the source ID.
 */
static void intel_gpasid_unnamed_timed_out(struct intel_iommu *iommu, int head)
{
	unsigned long first = intel_gpasid_port_index(iommu, 0), index;
	struct intel_gpasid_port *port;

	xa_for_each_range(&intel_gpasid_ports, index, port, first,
			  first | U16_MAX)
		if (intel_gpasid_fetched_for(iommu, head, index))
			intel_gpasid_port_timed_out(port);
}

/*
 * A source ID for which nothing was fetched is handled as if the unit reported
 * none: if the time-out did not count for the device that causes it, aborted
 * submissions would be retried forever.
 */
static void intel_gpasid_count_time_out(struct intel_iommu *iommu, int head)
{
	u16 sid = DMAR_IQER_REG_ITESID(dmar_readq(iommu->reg + DMAR_IQER_REG));
	struct intel_gpasid_port *port;

	guard(rcu)();
	port = intel_gpasid_port_find(iommu, sid);
	if (port && intel_gpasid_fetched_for(iommu, head, sid))
		intel_gpasid_port_timed_out(port);
	else
		intel_gpasid_unnamed_timed_out(iommu, head);
}

/*
 * Mark descriptors as aborted that the unit has fetched and that are not known
 * to be complete.
 */
static void intel_gpasid_queue_abort(struct q_inval *qi, int head)
{
	int slot;

	for (slot = qi->free_tail; slot != head; slot = (slot + 1) % QI_LENGTH)
		if (qi->desc_status[slot] == QI_IN_USE)
			qi->desc_status[slot] = QI_ABORT;
}

/*
 * A time-out that aborts no descriptor has been handled before, and counts for
 * no device.  The fault handler writes the same register without the queue's
 * lock, and its write may hide that of intel_gpasid_queue_clear() from a reader.
 */
static void intel_gpasid_queue_timed_out(struct intel_iommu *iommu)
{
	int head = intel_gpasid_queue_stopped(iommu, DMA_FSTS_ITE);

	if (head < 0)
		return;
	intel_gpasid_count_time_out(iommu, head);
	intel_gpasid_queue_abort(iommu->qi, head);
	intel_gpasid_queue_clear(iommu, DMA_FSTS_ITE);
}

/*
 * Replace the descriptor that the unit has refused by a no-op, so that the
 * queue continues.  The descriptor may belong to another submission.  If it is
 * a wait, mark it as aborted, since the no-op writes no status.
 */
static void intel_gpasid_queue_error(struct intel_iommu *iommu)
{
	int head = intel_gpasid_queue_stopped(iommu, DMA_FSTS_IQE);
	struct qi_desc *desc;
	int *status;

	if (head < 0 || iommu->qi->desc_status[head] != QI_IN_USE)
		return;
	desc = intel_gpasid_slot(iommu, head);
	status = &iommu->qi->desc_status[head];
	*status = intel_gpasid_desc_is_wait(desc) ? QI_ABORT : QUEUE_REFUSED;
	memcpy(desc, &intel_gpasid_nothing, 1 << qi_shift(iommu));
	intel_gpasid_queue_clear(iommu, DMA_FSTS_IQE);
}

/**
 * intel_gpasid_queue_check() - Handle queue errors while waiting for a
 * submission
 * @iommu: the unit; the lock of its queue is held
 * @wait_index: slot of the wait descriptor
 *
 * Context: Any context.
 * Return: 0, or -EAGAIN if the wait descriptor is aborted.
 */
int intel_gpasid_queue_check(struct intel_iommu *iommu, int wait_index)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	int *status = &iommu->qi->desc_status[wait_index];
	u32 fault;

	if (*status == QI_ABORT)
		return -EAGAIN;
	fault = readl(iommu->reg + DMAR_FSTS_REG) &
		(DMA_FSTS_IQE | DMA_FSTS_ITE | DMA_FSTS_ICE);
	if (!fault)
		return 0;
	if (__ratelimit(&limit))
		qi_dump_fault(iommu, fault);
	if (fault & DMA_FSTS_IQE)
		intel_gpasid_queue_error(iommu);
	if (fault & DMA_FSTS_ITE)
		intel_gpasid_queue_timed_out(iommu);
	if (fault & DMA_FSTS_ICE)
		writel(DMA_FSTS_ICE, iommu->reg + DMAR_FSTS_REG);

	return *status == QI_ABORT ? -EAGAIN : 0;
}

/* Restart the device's count of consecutive time-outs. */
static void intel_gpasid_desc_done(struct intel_iommu *iommu,
				   const struct qi_desc *desc)
{
	struct intel_gpasid_port *port;
	u16 sid;

	if (!intel_gpasid_desc_is_devtlb(desc) ||
	    !intel_gpasid_desc_sid(desc, &sid))
		return;
	guard(rcu)();
	port = intel_gpasid_port_find(iommu, sid);
	if (port) {
		port->doubtful = false;
		port->timeouts = 0;
	}
}

/**
 * intel_gpasid_queue_done() - Finish a submission whose wait is complete
 * @iommu: the unit; the lock of its queue is held
 * @index: slot of the first descriptor
 * @count: number of descriptors without the wait
 * @tries: descriptors that the unit has refused so far; zeroed at first
 *
 * Context: Any context.
 * Return: 0; -EAGAIN if the submission must be retried, because a descriptor was
 * aborted or refused.
 */
int intel_gpasid_queue_done(struct intel_iommu *iommu, int index,
			    unsigned int count, struct intel_gpasid_tries *tries)
{
	unsigned int i, slot;
	bool again = false;
	int status;

	for (i = 0; i < count; i++) {
		slot = (index + i) % QI_LENGTH;
		status = iommu->qi->desc_status[slot];
		if (status == QUEUE_REFUSED && tries->refused[i] < U8_MAX)
			tries->refused[i]++;
		if (status == QUEUE_REFUSED || status == QI_ABORT)
			again = true;
		else
			intel_gpasid_desc_done(iommu,
					       intel_gpasid_slot(iommu, slot));
	}
	return again ? -EAGAIN : 0;
}
