// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI segments and root-complex integrated endpoints of the lab.
 *
 * vtdsim, outside the virtual machine, plays VT-d units and the DMA engines
 * behind them.  This module makes the kernel see the engines as PCI functions:
 * one segment for each unit that the configuration page names, one function
 * for each endpoint, with a configuration space that lives here.
 *
 * Owns: the root buses, their address windows and the configuration spaces.
 * It does not own the BARs: their registers belong to vtdsim and to whoever
 * drives the endpoint.  Only vtdsim_regs::ctl, ::flr, ::pri_credits and
 * ::pri_clear are written here, as the enables and resets that configuration
 * space carries; ::gone is read.
 *
 * Locking: vtdsim_ep::lock, a raw spinlock, protects the configuration space
 * and those four registers; the PCI core calls the accessors in any context,
 * with pci_lock held.  All else is set up before the bus is scanned and not
 * changed until it is gone.
 *
 * Lifetime: everything is made at load and dies at unload.  A root bus holds
 * pointers into struct vtdsim_bus, which therefore goes last.
 */

#include <linux/bits.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <asm/pci.h>

#include "vtdsim_abi.h"

/* Where the capabilities stand in configuration space. */
#define CAP_EXP		0x40
#define CAP_PM		0x80	/* with the module's parameter "pm" */
#define CAP_DSN		0x100	/* the list begins here, so one that is always there */
#define CAP_ATS		0x110
#define CAP_PRI		0x120
#define CAP_PASID	0x130

/* How long a reset may take; vtdsim answers within microseconds. */
#define RESET_TIMEOUT_US	(USEC_PER_SEC / 2)

struct vtdsim_ep {
	raw_spinlock_t lock;
	void __iomem *regs;	/* struct vtdsim_regs */
	phys_addr_t bar;
	u32 flags;		/* VTDSIM_EP_* */
	u32 pasid_bits;
	u8 cfg[PCI_CFG_SPACE_EXP_SIZE];
	u8 writable[PCI_CFG_SPACE_EXP_SIZE];	/* mask of bits that keep a write */
};

struct vtdsim_bus {
	struct pci_sysdata sysdata;
	struct resource busn;
	struct resource mem;
	struct pci_bus *bus;
	unsigned int nr_eps;
	struct vtdsim_ep ep[VTDSIM_MAX_EPS];
};

static struct vtdsim_bus *vtdsim_buses[VTDSIM_MAX_UNITS];

static bool imm_ready = true;
module_param(imm_ready, bool, 0644);
MODULE_PARM_DESC(imm_ready, "Functions found from now on need no time after a reset");

static bool pm;
module_param(pm, bool, 0644);
MODULE_PARM_DESC(pm, "Functions reset from now on have power states; D3hot loses all state");

static u32 cfg_get(const u8 *space, int where, int size)
{
	u32 val = 0;

	while (size--)
		val = val << 8 | space[where + size];
	return val;
}

static void cfg_put(u8 *space, int where, int size, u32 val)
{
	for (; size--; val >>= 8)
		space[where++] = val;
}

/* Append an extended capability; the header of the one before points to it. */
static int cfg_add_ext_cap(struct vtdsim_ep *ep, int last, int where, u16 id)
{
	if (last)
		cfg_put(ep->cfg, last, 4,
			cfg_get(ep->cfg, last, 4) | (u32)where << 20);
	cfg_put(ep->cfg, where, 4, PCI_EXT_CAP_ID(id) | 1 << 16);
	return where;
}

static void cfg_init_header(struct vtdsim_ep *ep)
{
	u8 *cfg = ep->cfg, *writable = ep->writable;

	cfg_put(cfg, PCI_VENDOR_ID, 2, VTDSIM_PCI_VENDOR);
	cfg_put(cfg, PCI_DEVICE_ID, 2, VTDSIM_PCI_DEVICE);
	cfg_put(cfg, PCI_SUBSYSTEM_VENDOR_ID, 2, VTDSIM_PCI_VENDOR);
	cfg_put(cfg, PCI_SUBSYSTEM_ID, 2, VTDSIM_PCI_DEVICE);
	cfg_put(cfg, PCI_CLASS_REVISION, 4, VTDSIM_PCI_CLASS << 8);
	cfg_put(cfg, PCI_STATUS, 2, PCI_STATUS_CAP_LIST | PCI_STATUS_IMM_READY);
	cfg_put(cfg, PCI_CAPABILITY_LIST, 1, CAP_EXP);
	cfg_put(writable, PCI_COMMAND, 2, PCI_COMMAND_MEMORY |
		PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	cfg_put(writable, PCI_CACHE_LINE_SIZE, 1, 0xff);
	cfg_put(writable, PCI_INTERRUPT_LINE, 1, 0xff);

	/* The address can be written, as in any BAR; the hardware stays. */
	cfg_put(cfg, PCI_BASE_ADDRESS_0, 4, ep->bar);
	cfg_put(writable, PCI_BASE_ADDRESS_0, 4, ~(u32)(VTDSIM_BAR_SIZE - 1));
}

static void cfg_init_express(struct vtdsim_ep *ep)
{
	u8 *cfg = ep->cfg, *writable = ep->writable;

	cfg_put(cfg, CAP_EXP, 1, PCI_CAP_ID_EXP);
	cfg_put(cfg, CAP_EXP + PCI_EXP_FLAGS, 2, 2 | PCI_EXP_TYPE_RC_END << 4);
	cfg_put(cfg, CAP_EXP + PCI_EXP_DEVCAP, 4,
		PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
	cfg_put(cfg, CAP_EXP + PCI_EXP_DEVCAP2, 4, PCI_EXP_DEVCAP2_EE_PREFIX);
	cfg_put(writable, CAP_EXP + PCI_EXP_DEVCTL, 2,
		0xffff & ~PCI_EXP_DEVCTL_BCR_FLR);
}

/* No_Soft_Reset is clear: the way back from D3hot is a reset. */
static void cfg_init_pm(struct vtdsim_ep *ep)
{
	if (!pm)
		return;
	cfg_put(ep->cfg, CAP_EXP + PCI_CAP_LIST_NEXT, 1, CAP_PM);
	cfg_put(ep->cfg, CAP_PM, 1, PCI_CAP_ID_PM);
	cfg_put(ep->cfg, CAP_PM + PCI_PM_PMC, 2, 3);
	cfg_put(ep->writable, CAP_PM + PCI_PM_CTRL, 2, PCI_PM_CTRL_STATE_MASK);
}

/* D0 for a function without power states. */
static u32 cfg_power_state(struct vtdsim_ep *ep)
{
	if (cfg_get(ep->cfg, CAP_PM, 1) != PCI_CAP_ID_PM)
		return 0;
	return cfg_get(ep->cfg, CAP_PM + PCI_PM_CTRL, 2) &
	       PCI_PM_CTRL_STATE_MASK;
}

static void cfg_init_extended(struct vtdsim_ep *ep)
{
	u8 *cfg = ep->cfg, *writable = ep->writable;
	int last;

	last = cfg_add_ext_cap(ep, 0, CAP_DSN, PCI_EXT_CAP_ID_DSN);
	cfg_put(cfg, CAP_DSN + 4, 4, ep->bar);
	if (ep->flags & VTDSIM_EP_ATS) {
		last = cfg_add_ext_cap(ep, last, CAP_ATS, PCI_EXT_CAP_ID_ATS);
		cfg_put(cfg, CAP_ATS + PCI_ATS_CAP, 2,
			PCI_ATS_CAP_PAGE_ALIGNED |
			(ep->flags & VTDSIM_EP_ATS_GLOBAL ? BIT(6) : 0));
		cfg_put(writable, CAP_ATS + PCI_ATS_CTRL, 2,
			PCI_ATS_CTRL_ENABLE | PCI_ATS_CTRL_STU(0x1f));
	}
	if (ep->flags & VTDSIM_EP_PRI) {
		last = cfg_add_ext_cap(ep, last, CAP_PRI, PCI_EXT_CAP_ID_PRI);
		cfg_put(cfg, CAP_PRI + PCI_PRI_STATUS, 2, PCI_PRI_STATUS_PASID);
		cfg_put(cfg, CAP_PRI + PCI_PRI_MAX_REQ, 4, VTDSIM_RING_ENTRIES);
		cfg_put(writable, CAP_PRI + PCI_PRI_CTRL, 2, PCI_PRI_CTRL_ENABLE);
		cfg_put(writable, CAP_PRI + PCI_PRI_ALLOC_REQ, 4, ~0U);
	}
	if (ep->flags & VTDSIM_EP_PASID) {
		u16 cap = ep->pasid_bits << 8;

		if (ep->flags & VTDSIM_EP_PASID_EXEC)
			cap |= PCI_PASID_CAP_EXEC;
		if (ep->flags & VTDSIM_EP_PASID_PRIV)
			cap |= PCI_PASID_CAP_PRIV;
		last = cfg_add_ext_cap(ep, last, CAP_PASID, PCI_EXT_CAP_ID_PASID);
		cfg_put(cfg, CAP_PASID + PCI_PASID_CAP, 2, cap);
		cfg_put(writable, CAP_PASID + PCI_PASID_CTRL, 2,
			PCI_PASID_CTRL_ENABLE | (cap & (PCI_PASID_CTRL_EXEC |
							PCI_PASID_CTRL_PRIV)));
	}
}

static void cfg_init(struct vtdsim_ep *ep)
{
	memset(ep->cfg, 0, sizeof(ep->cfg));
	memset(ep->writable, 0, sizeof(ep->writable));
	cfg_init_header(ep);
	cfg_init_express(ep);
	cfg_init_pm(ep);
	cfg_init_extended(ep);
}

/* The enables, as the hardware wants to be told of them. */
static u32 ep_ctl(struct vtdsim_ep *ep)
{
	u16 pasid = cfg_get(ep->cfg, CAP_PASID + PCI_PASID_CTRL, 2);
	u32 ctl = 0;

	if (cfg_get(ep->cfg, PCI_COMMAND, 2) & PCI_COMMAND_MASTER)
		ctl |= VTDSIM_CTL_BUS_MASTER;
	if (cfg_get(ep->cfg, CAP_ATS + PCI_ATS_CTRL, 2) & PCI_ATS_CTRL_ENABLE)
		ctl |= VTDSIM_CTL_ATS;
	if (cfg_get(ep->cfg, CAP_PRI + PCI_PRI_CTRL, 2) & PCI_PRI_CTRL_ENABLE)
		ctl |= VTDSIM_CTL_PRI;
	if (pasid & PCI_PASID_CTRL_ENABLE) {
		ctl |= VTDSIM_CTL_PASID;
		if (pasid & PCI_PASID_CTRL_EXEC)
			ctl |= VTDSIM_CTL_PASID_EXEC;
		if (pasid & PCI_PASID_CTRL_PRIV)
			ctl |= VTDSIM_CTL_PASID_PRIV;
	}
	return ctl;
}

#define ep_reg(ep, name)  ((ep)->regs + offsetof(struct vtdsim_regs, name))

/* ATS that goes off and on again is not to be missed: the device TLB is empty then. */
static void ep_publish_ctl(struct vtdsim_ep *ep)
{
	u32 ctl = ep_ctl(ep);
	u32 val;

	if (!(readl(ep_reg(ep, ctl)) & ~ctl & VTDSIM_CTL_ATS)) {
		writel(ctl, ep_reg(ep, ctl));
		return;
	}
	writel(ctl | VTDSIM_CTL_ATS_OFF, ep_reg(ep, ctl));
	if (readl_poll_timeout_atomic(ep_reg(ep, ctl), val,
				      !(val & VTDSIM_CTL_ATS_OFF), 1,
				      RESET_TIMEOUT_US))
		pr_err_ratelimited("vtdsim_ep: no answer to ATS switched off\n");
}

static void ep_publish(struct vtdsim_ep *ep)
{
	writel(cfg_get(ep->cfg, CAP_PRI + PCI_PRI_ALLOC_REQ, 4),
	       ep_reg(ep, pri_credits));
	ep_publish_ctl(ep);
}

/*
 * Both resets are over when the write returns: the function says "immediate
 * readiness", which spares its users the 100 ms that others have to wait.
 */
static void ep_function_reset(struct vtdsim_ep *ep)
{
	u32 val;

	cfg_init(ep);
	ep_publish(ep);
	writel(1, ep_reg(ep, flr));
	if (readl_poll_timeout_atomic(ep_reg(ep, flr), val, !val, 1,
				      RESET_TIMEOUT_US))
		pr_err_ratelimited("vtdsim_ep: no answer to a function reset\n");
}

static void ep_pri_reset(struct vtdsim_ep *ep)
{
	u32 val;

	writel(ep_ctl(ep) | VTDSIM_CTL_PRI_RESET, ep_reg(ep, ctl));
	if (readl_poll_timeout_atomic(ep_reg(ep, ctl), val,
				      !(val & VTDSIM_CTL_PRI_RESET), 1,
				      RESET_TIMEOUT_US))
		pr_err_ratelimited("vtdsim_ep: no answer to a page request reset\n");
}

static void ep_pri_clear(struct vtdsim_ep *ep, u32 status)
{
	u32 val;

	writel(status, ep_reg(ep, pri_clear));
	if (readl_poll_timeout_atomic(ep_reg(ep, pri_clear), val, !val, 1,
				      RESET_TIMEOUT_US))
		pr_err_ratelimited("vtdsim_ep: page request status is not cleared\n");
}

/* Status bits that the hardware owns. */
static void ep_refresh(struct vtdsim_ep *ep)
{
	u16 status = PCI_PRI_STATUS_PASID;

	if (!(ep->flags & VTDSIM_EP_PRI))
		return;
	status |= readl(ep_reg(ep, pri_status)) &
		  (PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI);
	if (!(ep_ctl(ep) & VTDSIM_CTL_PRI) &&
	    !readl(ep_reg(ep, pri_outstanding)))
		status |= PCI_PRI_STATUS_STOPPED;
	cfg_put(ep->cfg, CAP_PRI + PCI_PRI_STATUS, 2, status);
}

/* The bits of a register that this write sets. */
static u32 cfg_written(int where, int size, u32 val, int reg, int reg_size)
{
	u8 bytes[PCI_CFG_SPACE_SIZE] = {};
	int i;

	for (i = 0; i < size; i++, val >>= 8)
		if (where + i >= reg && where + i < reg + reg_size)
			bytes[where + i - reg] = val;
	return cfg_get(bytes, 0, reg_size);
}

static void ep_write(struct vtdsim_ep *ep, int where, int size, u32 val)
{
	u32 mask = cfg_get(ep->writable, where, size);
	u32 old = cfg_get(ep->cfg, where, size);
	u32 state = cfg_power_state(ep);

	if (cfg_written(where, size, val, CAP_EXP + PCI_EXP_DEVCTL, 2) &
	    PCI_EXP_DEVCTL_BCR_FLR) {
		ep_function_reset(ep);
		return;
	}

	cfg_put(ep->cfg, where, size, (old & ~mask) | (val & mask));
	if (state && !cfg_power_state(ep)) {
		ep_function_reset(ep);
		return;
	}
	ep_publish(ep);

	if (!(ep->flags & VTDSIM_EP_PRI))
		return;
	if (cfg_written(where, size, val, CAP_PRI + PCI_PRI_CTRL, 2) &
	    PCI_PRI_CTRL_RESET)
		ep_pri_reset(ep);
	val = cfg_written(where, size, val, CAP_PRI + PCI_PRI_STATUS, 2) &
	      (PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI);
	if (val)
		ep_pri_clear(ep, val);
}

static struct vtdsim_ep *ep_of(struct pci_bus *bus, unsigned int devfn)
{
	struct vtdsim_bus *vb = container_of(to_pci_sysdata(bus),
					     struct vtdsim_bus, sysdata);

	if (!pci_is_root_bus(bus) || PCI_FUNC(devfn) ||
	    PCI_SLOT(devfn) >= vb->nr_eps)
		return NULL;
	return &vb->ep[PCI_SLOT(devfn)];
}

/* Pulled out: reads give all ones, writes change nothing. */
static bool ep_gone(struct vtdsim_ep *ep)
{
	return readl(ep_reg(ep, gone));
}

static int vtdsim_cfg_read(struct pci_bus *bus, unsigned int devfn, int where,
			   int size, u32 *val)
{
	struct vtdsim_ep *ep = ep_of(bus, devfn);
	unsigned long flags;

	if (!ep || ep_gone(ep)) {
		PCI_SET_ERROR_RESPONSE(val);
		return PCIBIOS_DEVICE_NOT_FOUND;
	}

	raw_spin_lock_irqsave(&ep->lock, flags);
	ep_refresh(ep);
	*val = cfg_get(ep->cfg, where, size);
	raw_spin_unlock_irqrestore(&ep->lock, flags);
	return PCIBIOS_SUCCESSFUL;
}

static int vtdsim_cfg_write(struct pci_bus *bus, unsigned int devfn, int where,
			    int size, u32 val)
{
	struct vtdsim_ep *ep = ep_of(bus, devfn);
	unsigned long flags;

	if (!ep || ep_gone(ep))
		return PCIBIOS_DEVICE_NOT_FOUND;

	raw_spin_lock_irqsave(&ep->lock, flags);
	ep_write(ep, where, size, val);
	raw_spin_unlock_irqrestore(&ep->lock, flags);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops vtdsim_pci_ops = {
	.read = vtdsim_cfg_read,
	.write = vtdsim_cfg_write,
};

/*
 * The hardware behind a BAR cannot move, so the resource is claimed where it
 * is, before the PCI core looks for a place: at the first scan and whenever
 * somebody removes a function and scans again.
 */
static int vtdsim_bus_notify(struct notifier_block *nb, unsigned long action,
			     void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);
	int ret;

	if (action != BUS_NOTIFY_ADD_DEVICE || pdev->bus->ops != &vtdsim_pci_ops)
		return NOTIFY_DONE;

	/* The core believes it only of functions with power management. */
	pdev->imm_ready = imm_ready;
	pdev->resource[0].flags |= IORESOURCE_PCI_FIXED;
	ret = pci_claim_resource(pdev, 0);
	if (ret)
		pci_err(pdev, "cannot claim BAR 0: %d\n", ret);
	return NOTIFY_OK;
}

static struct notifier_block vtdsim_bus_nb = {
	.notifier_call = vtdsim_bus_notify,
};

static void ep_destroy(struct vtdsim_ep *ep)
{
	if (ep->regs)
		iounmap(ep->regs);
}

static int ep_create(struct vtdsim_ep *ep, const struct vtdsim_config_ep *conf)
{
	raw_spin_lock_init(&ep->lock);
	ep->bar = conf->bar;
	ep->flags = conf->flags;
	ep->pasid_bits = conf->pasid_bits;
	ep->regs = ioremap(conf->bar + VTDSIM_BAR_REGS, sizeof(struct vtdsim_regs));
	if (!ep->regs)
		return -ENOMEM;
	if (readl(ep_reg(ep, magic)) != VTDSIM_REGS_MAGIC) {
		pr_err("vtdsim_ep: no endpoint at %pa\n", &ep->bar);
		iounmap(ep->regs);
		ep->regs = NULL;
		return -ENODEV;
	}
	cfg_init(ep);
	ep_publish(ep);
	return 0;
}

static int segment_create_eps(struct vtdsim_bus *vb,
			      const struct vtdsim_config_unit *conf)
{
	int ret;

	vb->mem.start = conf->ep[0].bar;
	vb->mem.end = conf->ep[0].bar;
	for (; vb->nr_eps < conf->nr_eps; vb->nr_eps++) {
		const struct vtdsim_config_ep *ep = &conf->ep[vb->nr_eps];

		ret = ep_create(&vb->ep[vb->nr_eps], ep);
		if (ret)
			return ret;
		vb->mem.start = min_t(u64, vb->mem.start, ep->bar);
		vb->mem.end = max_t(u64, vb->mem.end,
				    ep->bar + VTDSIM_BAR_SIZE - 1);
	}
	return 0;
}

static void segment_free(struct vtdsim_bus *vb)
{
	while (vb->nr_eps)
		ep_destroy(&vb->ep[--vb->nr_eps]);
	kfree(vb);
}

static struct vtdsim_bus *segment_alloc(const struct vtdsim_config_unit *conf)
{
	struct vtdsim_bus *vb;
	int ret;

	if (!conf->nr_eps || conf->nr_eps > VTDSIM_MAX_EPS)
		return ERR_PTR(-EINVAL);
	vb = kzalloc(sizeof(*vb), GFP_KERNEL);
	if (!vb)
		return ERR_PTR(-ENOMEM);

	vb->sysdata.domain = conf->segment;
	vb->sysdata.node = NUMA_NO_NODE;
	vb->busn.name = "vtdsim bus";
	vb->busn.flags = IORESOURCE_BUS | IORESOURCE_PCI_FIXED;
	vb->mem.name = "vtdsim endpoints";
	vb->mem.flags = IORESOURCE_MEM;
	ret = segment_create_eps(vb, conf);
	if (!ret)
		ret = insert_resource(&iomem_resource, &vb->mem);
	if (ret) {
		segment_free(vb);
		return ERR_PTR(ret);
	}
	return vb;
}

static void segment_release(struct vtdsim_bus *vb)
{
	remove_resource(&vb->mem);
	segment_free(vb);
}

static struct vtdsim_bus *segment_create(const struct vtdsim_config_unit *conf)
{
	struct vtdsim_bus *vb = segment_alloc(conf);
	LIST_HEAD(resources);

	if (IS_ERR(vb))
		return vb;

	pci_add_resource(&resources, &vb->busn);
	pci_add_resource(&resources, &vb->mem);
	pci_lock_rescan_remove();
	vb->bus = pci_create_root_bus(NULL, 0, &vtdsim_pci_ops, &vb->sysdata,
				      &resources);
	if (vb->bus) {
		pci_scan_child_bus(vb->bus);
		pci_assign_unassigned_bus_resources(vb->bus);
		pci_bus_add_devices(vb->bus);
	}
	pci_unlock_rescan_remove();
	if (!vb->bus) {
		pci_free_resource_list(&resources);
		segment_release(vb);
		return ERR_PTR(-ENODEV);
	}
	return vb;
}

static void segment_destroy(struct vtdsim_bus *vb)
{
	struct pci_host_bridge *bridge = to_pci_host_bridge(vb->bus->bridge);

	pci_lock_rescan_remove();
	pci_stop_root_bus(vb->bus);
	pci_remove_root_bus(vb->bus);
	pci_unlock_rescan_remove();
	/* pci_create_root_bus() leaves its reference to the one who called. */
	pci_free_host_bridge(bridge);
	segment_release(vb);
}

static void unregister_all(void)
{
	int i;

	for (i = VTDSIM_MAX_UNITS - 1; i >= 0; i--)
		if (vtdsim_buses[i])
			segment_destroy(vtdsim_buses[i]);
	bus_unregister_notifier(&pci_bus_type, &vtdsim_bus_nb);
}

static struct vtdsim_config *config_read(void)
{
	struct vtdsim_config *conf;
	void __iomem *page;

	conf = kmalloc(sizeof(*conf), GFP_KERNEL);
	if (!conf)
		return ERR_PTR(-ENOMEM);
	page = ioremap(VTDSIM_WINDOW_BASE + VTDSIM_CONFIG_OFF, sizeof(*conf));
	if (!page) {
		kfree(conf);
		return ERR_PTR(-ENOMEM);
	}
	memcpy_fromio(conf, page, sizeof(*conf));
	iounmap(page);

	if (conf->magic != VTDSIM_CONFIG_MAGIC ||
	    conf->nr_units > VTDSIM_MAX_UNITS) {
		pr_err("vtdsim_ep: no vtdsim behind this machine's memory\n");
		kfree(conf);
		return ERR_PTR(-ENODEV);
	}
	return conf;
}

static int __init vtdsim_ep_init(void)
{
	struct vtdsim_config *conf = config_read();
	int ret, i;

	if (IS_ERR(conf))
		return PTR_ERR(conf);

	ret = bus_register_notifier(&pci_bus_type, &vtdsim_bus_nb);
	for (i = 0; !ret && i < conf->nr_units; i++) {
		struct vtdsim_bus *vb = segment_create(&conf->unit[i]);

		if (IS_ERR(vb)) {
			ret = PTR_ERR(vb);
			unregister_all();
		} else {
			vtdsim_buses[i] = vb;
		}
	}
	kfree(conf);
	return ret;
}

static void __exit vtdsim_ep_exit(void)
{
	unregister_all();
}

module_init(vtdsim_ep_init);
module_exit(vtdsim_ep_exit);

MODULE_DESCRIPTION("PCI segments and endpoints of the VT-d lab");
MODULE_LICENSE("GPL");
