// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a guest: the PCIe capabilities that a VMM would emulate for an endpoint of
 * the lab, where the VMM does not.
 *
 * VFIO hides PASID, and shows the ATS and PRI capabilities as they are on the
 * host, whatever is written to them; QEMU makes a PASID capability only together
 * with an IOMMU of its own.  With a virtual unit beside QEMU nobody does.  On the host
 * all three are enabled whenever the function's bindings need them, so what the
 * guest writes has nothing to reach: this module stands between the PCI core and
 * the configuration space of each endpoint, whose extended part it replaces by
 * one with the three capabilities.
 *
 * Locking: the PCI core calls the accessors with pci_lock held, which also
 * protects vtdsim_caps::ext.  The list is complete before the operations of a bus
 * are replaced, and is left alone from then on.
 *
 * Lifetime: functions are scanned again with the replaced operations, so that the
 * kernel looks at what it found before; the same at unload, with those of before.
 */

#include <linux/list.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "vtdsim_abi.h"

/* Where the capabilities stand. */
#define CAP_ATS		0x100
#define CAP_PRI		0x110
#define CAP_PASID	0x120
#define EXT_END		0x130

/**
 * struct vtdsim_caps - An endpoint
 * @node: in vtdsim_caps_list
 * @bus: where it is
 * @devfn: there
 * @ops: of @bus before
 * @ext: its extended configuration space, from 0x100 on
 */
struct vtdsim_caps {
	struct list_head node;
	struct pci_bus *bus;
	unsigned int devfn;
	struct pci_ops *ops;
	u8 ext[EXT_END - PCI_CFG_SPACE_SIZE];
};

static LIST_HEAD(vtdsim_caps_list);

static unsigned int pasid_bits = 20;
module_param(pasid_bits, uint, 0444);
MODULE_PARM_DESC(pasid_bits, "Width of a PASID");

static u32 ext_get(const struct vtdsim_caps *c, int where, int size)
{
	u32 val = 0;

	while (size--) {
		int at = where + size - PCI_CFG_SPACE_SIZE;

		val = val << 8 | (at < sizeof(c->ext) ? c->ext[at] : 0);
	}
	return val;
}

static void ext_put(struct vtdsim_caps *c, int where, int size, u32 val)
{
	for (; size--; val >>= 8, where++) {
		if (where < EXT_END)
			c->ext[where - PCI_CFG_SPACE_SIZE] = val;
	}
}

static void ext_init(struct vtdsim_caps *c)
{
	ext_put(c, CAP_ATS, 4, PCI_EXT_CAP_ID(PCI_EXT_CAP_ID_ATS) | 1 << 16 |
			       CAP_PRI << 20);
	ext_put(c, CAP_ATS + PCI_ATS_CAP, 2, PCI_ATS_CAP_PAGE_ALIGNED);
	ext_put(c, CAP_PRI, 4, PCI_EXT_CAP_ID(PCI_EXT_CAP_ID_PRI) | 1 << 16 |
			       CAP_PASID << 20);
	ext_put(c, CAP_PRI + PCI_PRI_MAX_REQ, 4, VTDSIM_RING_ENTRIES);
	ext_put(c, CAP_PASID, 4, PCI_EXT_CAP_ID(PCI_EXT_CAP_ID_PASID) | 1 << 16);
	ext_put(c, CAP_PASID + PCI_PASID_CAP, 2, PCI_PASID_CAP_PRIV |
			       PCI_PASID_CAP_EXEC | pasid_bits << 8);
}

/* The bits that keep what is written to them. */
static u32 ext_writable(int where)
{
	switch (where) {
	case CAP_ATS + PCI_ATS_CTRL:
		return PCI_ATS_CTRL_ENABLE | PCI_ATS_CTRL_STU(0x1f);
	case CAP_PRI + PCI_PRI_CTRL:
		return PCI_PRI_CTRL_ENABLE;
	case CAP_PRI + PCI_PRI_ALLOC_REQ:
		return ~0U;
	case CAP_PASID + PCI_PASID_CTRL:
		return PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_EXEC |
		       PCI_PASID_CTRL_PRIV;
	default:
		return 0;
	}
}

/* What stops with the enable, has stopped at once. */
static void ext_refresh(struct vtdsim_caps *c)
{
	u16 status = PCI_PRI_STATUS_PASID;

	if (!(ext_get(c, CAP_PRI + PCI_PRI_CTRL, 2) & PCI_PRI_CTRL_ENABLE))
		status |= PCI_PRI_STATUS_STOPPED;
	ext_put(c, CAP_PRI + PCI_PRI_STATUS, 2, status);
}

static struct vtdsim_caps *caps_of(struct pci_bus *bus, unsigned int devfn)
{
	struct vtdsim_caps *c;

	list_for_each_entry(c, &vtdsim_caps_list, node) {
		if (c->bus == bus && c->devfn == devfn)
			return c;
	}
	return NULL;
}

/* Of any function of the bus. */
static struct pci_ops *ops_of(struct pci_bus *bus)
{
	struct vtdsim_caps *c;

	list_for_each_entry(c, &vtdsim_caps_list, node) {
		if (c->bus == bus)
			return c->ops;
	}
	return NULL;
}

static int caps_read(struct pci_bus *bus, unsigned int devfn, int where,
		     int size, u32 *val)
{
	struct vtdsim_caps *c = caps_of(bus, devfn);

	if (!c || where < PCI_CFG_SPACE_SIZE)
		return ops_of(bus)->read(bus, devfn, where, size, val);
	ext_refresh(c);
	*val = ext_get(c, where, size);
	return PCIBIOS_SUCCESSFUL;
}

static int caps_write(struct pci_bus *bus, unsigned int devfn, int where,
		      int size, u32 val)
{
	struct vtdsim_caps *c = caps_of(bus, devfn);
	u32 mask;

	if (!c || where < PCI_CFG_SPACE_SIZE)
		return ops_of(bus)->write(bus, devfn, where, size, val);
	mask = ext_writable(where);
	ext_put(c, where, size,
		(ext_get(c, where, size) & ~mask) | (val & mask));
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops vtdsim_caps_ops = {
	.read = caps_read,
	.write = caps_write,
};

static void free_all(void)
{
	struct vtdsim_caps *c, *next;

	list_for_each_entry_safe(c, next, &vtdsim_caps_list, node) {
		list_del(&c->node);
		put_device(&c->bus->dev);
		kfree(c);
	}
}

/* The one reference of @c to its bus ends in free_all(). */
static int add(struct pci_dev *pdev)
{
	struct vtdsim_caps *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	c->bus = pdev->bus;
	get_device(&c->bus->dev);
	c->devfn = pdev->devfn;
	c->ops = pdev->bus->ops;
	ext_init(c);
	list_add_tail(&c->node, &vtdsim_caps_list);
	return 0;
}

static void scan_again(struct vtdsim_caps *c)
{
	struct pci_dev *pdev;

	pci_lock_rescan_remove();
	pdev = pci_get_slot(c->bus, c->devfn);
	if (pdev)
		pci_stop_and_remove_bus_device(pdev);
	pci_dev_put(pdev);
	pci_rescan_bus(c->bus);
	pci_unlock_rescan_remove();
}

static int __init vtdsim_caps_init(void)
{
	struct pci_dev *pdev = NULL;
	struct vtdsim_caps *c;
	int ret = 0;

	while (!ret && (pdev = pci_get_device(VTDSIM_PCI_VENDOR,
					      VTDSIM_PCI_DEVICE, pdev)))
		ret = add(pdev);
	if (ret) {
		pci_dev_put(pdev);
		free_all();
		return ret;
	}
	list_for_each_entry(c, &vtdsim_caps_list, node)
		pci_bus_set_ops(c->bus, &vtdsim_caps_ops);
	list_for_each_entry(c, &vtdsim_caps_list, node)
		scan_again(c);
	return 0;
}
module_init(vtdsim_caps_init);

static void __exit vtdsim_caps_exit(void)
{
	struct vtdsim_caps *c;

	list_for_each_entry(c, &vtdsim_caps_list, node)
		pci_bus_set_ops(c->bus, c->ops);
	list_for_each_entry(c, &vtdsim_caps_list, node)
		scan_again(c);
	free_all();
}
module_exit(vtdsim_caps_exit);

MODULE_DESCRIPTION("PCIe capabilities of endpoints in a guest of the VT-d lab");
MODULE_LICENSE("GPL");
