// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/gpasid: bindings, pending page requests, and the
 * capabilities of each device.  tools/gpasid reads these files.
 *
 * The first line of a file names the fields of the other lines, one line for
 * each object.  New fields are added before the last one, which may contain
 * spaces.
 */
#include <linux/debugfs.h>
#include <linux/gpasid-reset.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/rcupdate_wait.h>
#include <linux/seq_file.h>

#include "gpasid_priv.h"

static struct dentry *gpasid_debugfs;

/*
 * Return device number @*n or, if that is being freed, the next one, with a
 * reference, or NULL.  Sets @*n to the number after it.
 */
static struct gpasid_device *gpasid_debugfs_device(unsigned int *n)
{
	struct gpasid_device *gdev;
	bool alive;

	do {
		guard(rcu)();
		gdev = gpasid_device_nth((*n)++);
		alive = gdev && refcount_inc_not_zero(&gdev->users);
	} while (gdev && !alive);

	return gdev;
}

/*
 * devices
 */

struct gpasid_waiting {
	unsigned int nr;
	unsigned long since;
};

static void gpasid_count_waiting(const struct iopf_group *group, void *arg)
{
	struct gpasid_waiting *waiting = arg;

	if (!waiting->nr++ || time_before(group->since, waiting->since))
		waiting->since = group->since;
}

static unsigned long gpasid_count_bindings(struct gpasid_device *gdev)
{
	struct gpasid_binding *b;
	unsigned long pasid, nr = 0;

	guard(rcu)();
	xa_for_each(&gdev->bindings, pasid, b)
		if (!(++nr % 1024))
			cond_resched_rcu();
	return nr;
}

static int gpasid_devices_show(struct seq_file *m, void *unused)
{
	struct gpasid_device *gdev;
	unsigned int n = 0;

	seq_puts(m, "device bindings waiting oldest_ms reset\n");
	while ((gdev = gpasid_debugfs_device(&n))) {
		struct gpasid_waiting waiting = {};

		iommu_gpasid_visit_waiting(gdev->dev, gpasid_count_waiting,
					   &waiting);
		seq_printf(m, "%s %lu %u %u %c\n", gdev->name,
			   gpasid_count_bindings(gdev), waiting.nr,
			   waiting.nr ? jiffies_to_msecs(jiffies - waiting.since) : 0,
			   gpasid_in_reset(gdev->dev) ? 'y' : 'n');
		gpasid_device_put(gdev);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gpasid_devices);

/*
 * requests
 */

struct gpasid_request_arg {
	struct seq_file *m;
	struct gpasid_device *gdev;
};

static void gpasid_show_request(const struct iopf_group *group, void *arg)
{
	const struct iommu_fault_page_request *prm = &group->last_fault.fault.prm;
	struct gpasid_request_arg *request = arg;

	seq_printf(request->m, "%s %u %u 0x%llx %u\n",
		   request->gdev->name, prm->pasid, prm->grpid,
		   prm->addr, jiffies_to_msecs(jiffies - group->since));
}

static int gpasid_requests_show(struct seq_file *m, void *unused)
{
	struct gpasid_request_arg arg = { .m = m };
	unsigned int n = 0;

	seq_puts(m, "device pasid group address age_ms\n");
	while ((arg.gdev = gpasid_debugfs_device(&n))) {
		iommu_gpasid_visit_waiting(arg.gdev->dev, gpasid_show_request,
					   &arg);
		gpasid_device_put(arg.gdev);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gpasid_requests);

/*
 * bindings: position 0 is the first line, others consist of device number and
 * PASID
 */

#define GPASID_POS_BITS	20

static struct gpasid_binding *gpasid_binding_from(loff_t *pos)
{
	unsigned long pasid = (*pos - 1) & IOASID_MAX;
	unsigned int n = (*pos - 1) >> GPASID_POS_BITS;
	struct gpasid_device *gdev;
	struct gpasid_binding *b;

	for (; (gdev = gpasid_device_nth(n)); n++, pasid = 0) {
		b = xa_find(&gdev->bindings, &pasid, IOASID_MAX, XA_PRESENT);
		if (!b)
			continue;
		*pos = ((loff_t)n << GPASID_POS_BITS | pasid) + 1;
		return b;
	}
	return NULL;
}

static void *gpasid_bindings_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return *pos ? gpasid_binding_from(pos) : SEQ_START_TOKEN;
}

static void *gpasid_bindings_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return gpasid_binding_from(pos);
}

static void gpasid_bindings_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static int gpasid_bindings_show(struct seq_file *m, void *v)
{
	static const char * const states[] = {
		[GPASID_SETUP] = "setup",
		[GPASID_BOUND] = "bound",
		[GPASID_LEAVING] = "leaving",
		[GPASID_CLEARED] = "cleared",
	};
	struct gpasid_binding *b = v;
	ioasid_t gpasid;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "device pasid gpasid kind state pid comm\n");
		return 0;
	}
	gpasid = b->att->own ? IOMMU_PASID_INVALID :
			       ioasid_spid(b->set, b->pasid);
	if (gpasid == IOMMU_PASID_INVALID)
		gpasid = b->pasid;
	seq_printf(m, "%s %u %u %s %s %d %s\n", b->att->gdev->name,
		   b->pasid, gpasid, b->att->own ? "device" : "host",
		   states[READ_ONCE(b->state)], b->att->pid, b->att->comm);
	return 0;
}

static const struct seq_operations gpasid_bindings_sops = {
	.start = gpasid_bindings_start,
	.next = gpasid_bindings_next,
	.stop = gpasid_bindings_stop,
	.show = gpasid_bindings_show,
};
DEFINE_SEQ_ATTRIBUTE(gpasid_bindings);

/*
 * caps: only of devices bound to a driver, since the IOMMU driver does not free
 * its data of such a device
 */

static int gpasid_caps_one(struct device *dev, void *arg)
{
	struct seq_file *m = arg;
	struct gpasid_caps caps;

	guard(device)(dev);
	if (dev->driver && !gpasid_get_caps(dev, &caps))
		seq_printf(m, "%s 0x%x 0x%x %u 0x%x\n", dev_name(dev), caps.caps,
			   caps.errata, caps.pasid_bits, caps.addr_widths);
	return 0;
}

static int gpasid_caps_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "device caps errata pasid_bits addr_widths\n");
	return bus_for_each_dev(&pci_bus_type, NULL, m, gpasid_caps_one);
}
DEFINE_SHOW_ATTRIBUTE(gpasid_caps);

void gpasid_debugfs_init(void)
{
	gpasid_debugfs = debugfs_create_dir("gpasid", NULL);
	debugfs_create_file("bindings", 0400, gpasid_debugfs, NULL,
			    &gpasid_bindings_fops);
	debugfs_create_file("caps", 0400, gpasid_debugfs, NULL, &gpasid_caps_fops);
	debugfs_create_file("devices", 0400, gpasid_debugfs, NULL,
			    &gpasid_devices_fops);
	debugfs_create_file("requests", 0400, gpasid_debugfs, NULL,
			    &gpasid_requests_fops);
}

void gpasid_debugfs_exit(void)
{
	debugfs_remove_recursive(gpasid_debugfs);
}
