// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI segments, root ports and endpoints of the lab.
 *
 * vtdsim, outside the virtual machine, plays VT-d units and the DMA engines
 * behind them.  This module makes the kernel see the engines as PCI functions:
 * the segments of the units that the configuration page names, and one function
 * for each endpoint, with a configuration space that lives here.  An endpoint is
 * integrated in the root complex, or behind the root port of its unit.
 *
 * Owns: the root buses, their address windows and the configuration spaces.
 * It does not own the BARs: their registers belong to vtdsim and to whoever
 * drives the endpoint.  Only vtdsim_regs::ctl, ::flr, ::pri_credits, ::pri_clear
 * and ::bus are written here, as the enables, resets and bus number that
 * configuration space carries; ::gone is read.
 *
 * Locking: vtdsim_ep::lock and vtdsim_port::lock, raw spinlocks, protect the
 * configuration space and those registers; the PCI core calls the accessors in
 * any context, with pci_lock held.  A port's lock is held while its endpoints'
 * are taken.  All else is set up before the bus is scanned and not changed until
 * it is removed.
 *
 * Lifetime: everything is made at load and dies at unload.  A root bus holds
 * pointers into struct vtdsim_bus and struct vtdsim_part, which are freed last.
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
#define CAP_ACS		0x140

/* How long a reset may take; vtdsim answers within microseconds. */
#define RESET_TIMEOUT_US	(USEC_PER_SEC / 2)

struct vtdsim_ep {
	raw_spinlock_t lock;
	void __iomem *regs;	/* struct vtdsim_regs */
	phys_addr_t bar;
	u32 flags;		/* VTDSIM_EP_* */
	u32 pasid_bits;
	u32 devfn;
	bool behind_port;
	bool multifunction;
	u8 bus;			/* as the endpoint has it */
	u8 cfg[PCI_CFG_SPACE_EXP_SIZE];
	u8 writable[PCI_CFG_SPACE_EXP_SIZE];	/* mask of bits that keep a write */
};

struct vtdsim_port {
	raw_spinlock_t lock;
	u32 devfn;		/* 0: there is no port */
	u8 cfg[PCI_CFG_SPACE_EXP_SIZE];
	u8 writable[PCI_CFG_SPACE_EXP_SIZE];
};

/**
 * struct vtdsim_part - What a unit contributes to a segment
 * @mem: window of the endpoints on the root bus
 * @port_mem: window of the root port
 * @port: the root port
 * @nr_eps: endpoints, on the root bus and behind the port
 * @ep: the endpoints
 */
struct vtdsim_part {
	struct resource mem;
	struct resource port_mem;
	struct vtdsim_port port;
	unsigned int nr_eps;
	struct vtdsim_ep ep[VTDSIM_MAX_EPS];
};

struct vtdsim_bus {
	struct pci_sysdata sysdata;
	struct resource busn;
	struct pci_bus *bus;
	struct vtdsim_part *part[VTDSIM_MAX_UNITS];	/* by unit; or NULL */
};

static struct vtdsim_bus *vtdsim_buses[VTDSIM_MAX_UNITS];	/* by their first unit */

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
static int cfg_add_ext_cap(u8 *cfg, int last, int where, u16 id)
{
	if (last)
		cfg_put(cfg, last, 4,
			cfg_get(cfg, last, 4) | (u32)where << 20);
	cfg_put(cfg, where, 4, PCI_EXT_CAP_ID(id) | 1 << 16);
	return where;
}

static void cfg_add_acs(u8 *cfg, u8 *writable, int last, u16 controls)
{
	cfg_add_ext_cap(cfg, last, CAP_ACS, PCI_EXT_CAP_ID_ACS);
	cfg_put(cfg, CAP_ACS + PCI_ACS_CAP, 2, controls);
	cfg_put(writable, CAP_ACS + PCI_ACS_CTRL, 2, controls);
}

/* A link that is up, so slow that it needs no more than a time after a reset. */
static void cfg_add_link(u8 *cfg)
{
	cfg_put(cfg, CAP_EXP + PCI_EXP_LNKCAP, 4,
		PCI_EXP_LNKCAP_SLS_2_5GB | 1 << 4);
	cfg_put(cfg, CAP_EXP + PCI_EXP_LNKSTA, 2,
		PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1);
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
	cfg_put(cfg, PCI_HEADER_TYPE, 1,
		ep->multifunction ? PCI_HEADER_TYPE_MFD : 0);
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
	u16 type = ep->behind_port ? PCI_EXP_TYPE_ENDPOINT : PCI_EXP_TYPE_RC_END;

	cfg_put(cfg, CAP_EXP, 1, PCI_CAP_ID_EXP);
	cfg_put(cfg, CAP_EXP + PCI_EXP_FLAGS, 2, 2 | type << 4);
	if (ep->behind_port)
		cfg_add_link(cfg);
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

	last = cfg_add_ext_cap(cfg, 0, CAP_DSN, PCI_EXT_CAP_ID_DSN);
	cfg_put(cfg, CAP_DSN + 4, 4, ep->bar);
	if (ep->flags & VTDSIM_EP_ATS) {
		last = cfg_add_ext_cap(cfg, last, CAP_ATS, PCI_EXT_CAP_ID_ATS);
		cfg_put(cfg, CAP_ATS + PCI_ATS_CAP, 2,
			PCI_ATS_CAP_PAGE_ALIGNED |
			(ep->flags & VTDSIM_EP_ATS_GLOBAL ? BIT(6) : 0));
		cfg_put(writable, CAP_ATS + PCI_ATS_CTRL, 2,
			PCI_ATS_CTRL_ENABLE | PCI_ATS_CTRL_STU(0x1f));
	}
	if (ep->flags & VTDSIM_EP_PRI) {
		last = cfg_add_ext_cap(cfg, last, CAP_PRI, PCI_EXT_CAP_ID_PRI);
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
		last = cfg_add_ext_cap(cfg, last, CAP_PASID,
				       PCI_EXT_CAP_ID_PASID);
		cfg_put(cfg, CAP_PASID + PCI_PASID_CAP, 2, cap);
		cfg_put(writable, CAP_PASID + PCI_PASID_CTRL, 2,
			PCI_PASID_CTRL_ENABLE | (cap & (PCI_PASID_CTRL_EXEC |
							PCI_PASID_CTRL_PRIV)));
	}
	/* Functions of one device are apart only where they say so. */
	if (ep->multifunction)
		cfg_add_acs(cfg, writable, last, PCI_ACS_RR | PCI_ACS_CR);
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

/* An endpoint has the number of its bus from the writes that reach it. */
static void ep_capture(struct vtdsim_ep *ep, u8 bus)
{
	u32 val;

	if (!ep->behind_port || ep->bus == bus)
		return;
	ep->bus = bus;
	writel(bus, ep_reg(ep, bus));
	if (readl_poll_timeout_atomic(ep_reg(ep, source_id), val,
				      val >> 8 == bus, 1, RESET_TIMEOUT_US))
		pr_err_ratelimited("vtdsim_ep: no answer to a bus number\n");
}

/* ---- the root port ---- */

static void port_init_windows(u8 *cfg, const struct resource *mem)
{
	cfg_put(cfg, PCI_MEMORY_BASE, 2, mem->start >> 16 & 0xfff0);
	cfg_put(cfg, PCI_MEMORY_LIMIT, 2, mem->end >> 16 & 0xfff0);
	/* None of the other two: they end before they begin. */
	cfg_put(cfg, PCI_IO_BASE, 2, 0x00f0);
	cfg_put(cfg, PCI_PREF_MEMORY_BASE, 4, 0x0000fff0);
}

static void port_init(struct vtdsim_port *port, const struct resource *mem)
{
	u8 *cfg = port->cfg, *writable = port->writable;
	int last;

	cfg_put(cfg, PCI_VENDOR_ID, 2, VTDSIM_PCI_VENDOR);
	cfg_put(cfg, PCI_DEVICE_ID, 2, VTDSIM_PCI_PORT);
	cfg_put(cfg, PCI_CLASS_REVISION, 4, PCI_CLASS_BRIDGE_PCI_NORMAL << 8);
	cfg_put(cfg, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_BRIDGE);
	cfg_put(cfg, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
	cfg_put(cfg, PCI_CAPABILITY_LIST, 1, CAP_EXP);
	port_init_windows(cfg, mem);
	cfg_put(cfg, CAP_EXP, 1, PCI_CAP_ID_EXP);
	cfg_put(cfg, CAP_EXP + PCI_EXP_FLAGS, 2,
		2 | PCI_EXP_TYPE_ROOT_PORT << 4);
	cfg_put(cfg, CAP_EXP + PCI_EXP_DEVCAP, 4, PCI_EXP_DEVCAP_RBER);
	cfg_put(cfg, CAP_EXP + PCI_EXP_DEVCAP2, 4, PCI_EXP_DEVCAP2_EE_PREFIX);
	cfg_add_link(cfg);
	last = cfg_add_ext_cap(cfg, 0, CAP_DSN, PCI_EXT_CAP_ID_DSN);
	cfg_put(cfg, CAP_DSN + 4, 4, mem->start);
	cfg_add_acs(cfg, writable, last, PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR |
		    PCI_ACS_UF);

	cfg_put(writable, PCI_COMMAND, 2, PCI_COMMAND_MEMORY |
		PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	cfg_put(writable, PCI_PRIMARY_BUS, 3, 0xffffff);
	cfg_put(writable, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_PARITY |
		PCI_BRIDGE_CTL_SERR | PCI_BRIDGE_CTL_BUS_RESET);
	cfg_put(writable, CAP_EXP + PCI_EXP_DEVCTL, 2, 0xffff);
}

static bool port_in_reset(const struct vtdsim_port *port)
{
	return cfg_get(port->cfg, PCI_BRIDGE_CONTROL, 2) &
	       PCI_BRIDGE_CTL_BUS_RESET;
}

/* Hot reset: of every function behind the port, which lose their state. */
static void port_reset_bus(struct vtdsim_part *part)
{
	unsigned int e;

	for (e = 0; e < part->nr_eps; e++) {
		struct vtdsim_ep *ep = &part->ep[e];

		if (!ep->behind_port || readl(ep_reg(ep, gone)))
			continue;
		scoped_guard(raw_spinlock, &ep->lock)
			ep_function_reset(ep);
	}
}

static void port_write(struct vtdsim_part *part, int where, int size, u32 val)
{
	struct vtdsim_port *port = &part->port;
	u32 mask = cfg_get(port->writable, where, size);
	u32 old = cfg_get(port->cfg, where, size);
	bool was = port_in_reset(port);

	cfg_put(port->cfg, where, size, (old & ~mask) | (val & mask));
	if (port_in_reset(port) && !was)
		port_reset_bus(part);
}

/* ---- the buses ---- */

static struct vtdsim_bus *segment_of(struct pci_bus *bus)
{
	return container_of(to_pci_sysdata(bus), struct vtdsim_bus, sysdata);
}

static struct vtdsim_part *part_of_port(struct pci_bus *bus, unsigned int devfn)
{
	struct vtdsim_bus *vb = segment_of(bus);
	int i;

	for (i = 0; pci_is_root_bus(bus) && i < VTDSIM_MAX_UNITS; i++)
		if (vb->part[i] && vb->part[i]->port.devfn &&
		    vb->part[i]->port.devfn == devfn)
			return vb->part[i];
	return NULL;
}

/* Do configuration requests for @bus reach an endpoint? */
static bool ep_is_on(struct vtdsim_part *part, struct vtdsim_ep *ep,
		     struct pci_bus *bus)
{
	if (!ep->behind_port)
		return pci_is_root_bus(bus);
	return !pci_is_root_bus(bus) && !port_in_reset(&part->port) &&
	       cfg_get(part->port.cfg, PCI_SECONDARY_BUS, 1) == bus->number;
}

static struct vtdsim_ep *ep_of(struct pci_bus *bus, unsigned int devfn)
{
	struct vtdsim_bus *vb = segment_of(bus);
	unsigned int i, e;

	for (i = 0; i < VTDSIM_MAX_UNITS; i++) {
		struct vtdsim_part *part = vb->part[i];

		for (e = 0; part && e < part->nr_eps; e++)
			if (part->ep[e].devfn == devfn &&
			    ep_is_on(part, &part->ep[e], bus))
				return &part->ep[e];
	}
	return NULL;
}

/* Pulled out: reads give all ones, writes change nothing. */
static bool ep_gone(struct vtdsim_ep *ep)
{
	return readl(ep_reg(ep, gone));
}

static int vtdsim_cfg_read(struct pci_bus *bus, unsigned int devfn, int where,
			   int size, u32 *val)
{
	struct vtdsim_part *part = part_of_port(bus, devfn);
	struct vtdsim_ep *ep = ep_of(bus, devfn);

	if (part) {
		guard(raw_spinlock_irqsave)(&part->port.lock);
		*val = cfg_get(part->port.cfg, where, size);
		return PCIBIOS_SUCCESSFUL;
	}
	if (!ep || ep_gone(ep)) {
		PCI_SET_ERROR_RESPONSE(val);
		return PCIBIOS_DEVICE_NOT_FOUND;
	}

	guard(raw_spinlock_irqsave)(&ep->lock);
	ep_refresh(ep);
	*val = cfg_get(ep->cfg, where, size);
	return PCIBIOS_SUCCESSFUL;
}

static int vtdsim_cfg_write(struct pci_bus *bus, unsigned int devfn, int where,
			    int size, u32 val)
{
	struct vtdsim_part *part = part_of_port(bus, devfn);
	struct vtdsim_ep *ep = ep_of(bus, devfn);

	if (part) {
		guard(raw_spinlock_irqsave)(&part->port.lock);
		port_write(part, where, size, val);
		return PCIBIOS_SUCCESSFUL;
	}
	if (!ep || ep_gone(ep))
		return PCIBIOS_DEVICE_NOT_FOUND;

	guard(raw_spinlock_irqsave)(&ep->lock);
	ep_capture(ep, bus->number);
	ep_write(ep, where, size, val);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops vtdsim_pci_ops = {
	.read = vtdsim_cfg_read,
	.write = vtdsim_cfg_write,
};

/* The port's window, as firmware leaves it, is where its endpoints are. */
static int port_claim(struct pci_dev *pdev)
{
	struct vtdsim_part *part = part_of_port(pdev->bus, pdev->devfn);
	struct resource *res = &pdev->resource[PCI_BRIDGE_MEM_WINDOW];

	if (!part)
		return -ENODEV;
	res->start = part->port_mem.start;
	res->end = part->port_mem.end;
	res->flags = IORESOURCE_MEM;
	return pci_claim_resource(pdev, PCI_BRIDGE_MEM_WINDOW);
}

static int ep_claim(struct pci_dev *pdev)
{
	/* The core believes it only of functions with power management. */
	pdev->imm_ready = imm_ready;
	pdev->resource[0].flags |= IORESOURCE_PCI_FIXED;
	return pci_claim_resource(pdev, 0);
}

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

	ret = pci_is_bridge(pdev) ? port_claim(pdev) : ep_claim(pdev);
	if (ret)
		pci_err(pdev, "cannot claim its addresses: %d\n", ret);
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
	ep->devfn = conf->devfn;
	ep->behind_port = conf->port;
	ep->bus = ep->behind_port ? VTDSIM_BUS_NONE : 0;
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

static unsigned int behind_port(const struct vtdsim_config_unit *conf)
{
	unsigned int e, nr = 0;

	for (e = 0; e < conf->nr_eps; e++)
		nr += !!conf->ep[e].port;
	return nr;
}

static int part_create_eps(struct vtdsim_part *part,
			   const struct vtdsim_config_unit *conf)
{
	bool multifunction = behind_port(conf) > 1;
	int ret;

	for (; part->nr_eps < conf->nr_eps; part->nr_eps++) {
		struct vtdsim_ep *ep = &part->ep[part->nr_eps];

		ep->multifunction = multifunction && conf->ep[part->nr_eps].port;
		ret = ep_create(ep, &conf->ep[part->nr_eps]);
		if (ret)
			return ret;
	}
	return 0;
}

static void window_include(struct resource *mem, u64 bar)
{
	mem->start = mem->end ? min_t(u64, mem->start, bar) : bar;
	mem->end = max_t(u64, mem->end, bar + VTDSIM_BAR_SIZE - 1);
}

static void part_init_windows(struct vtdsim_part *part,
			      const struct vtdsim_config_unit *conf)
{
	unsigned int e;

	part->mem.name = "vtdsim endpoints";
	part->mem.flags = IORESOURCE_MEM;
	part->port_mem.name = "vtdsim root port";
	part->port_mem.flags = IORESOURCE_MEM;
	for (e = 0; e < conf->nr_eps; e++)
		window_include(conf->ep[e].port ? &part->port_mem : &part->mem,
			       conf->ep[e].bar);
	if (!part->port_mem.end)
		return;
	part->port_mem.start = ALIGN_DOWN(part->port_mem.start,
					  VTDSIM_PORT_WINDOW);
	part->port_mem.end = part->port_mem.start + VTDSIM_PORT_WINDOW - 1;
}

/* A window that nothing is in has no parent. */
static int window_insert(struct resource *mem)
{
	return mem->end ? insert_resource(&iomem_resource, mem) : 0;
}

static void window_remove(struct resource *mem)
{
	if (mem->parent)
		remove_resource(mem);
}

static void part_free(struct vtdsim_part *part)
{
	window_remove(&part->port_mem);
	window_remove(&part->mem);
	while (part->nr_eps)
		ep_destroy(&part->ep[--part->nr_eps]);
	kfree(part);
}

static struct vtdsim_part *part_create(const struct vtdsim_config_unit *conf)
{
	struct vtdsim_part *part;
	int ret;

	if (!conf->nr_eps || conf->nr_eps > VTDSIM_MAX_EPS)
		return ERR_PTR(-EINVAL);
	part = kzalloc(sizeof(*part), GFP_KERNEL);
	if (!part)
		return ERR_PTR(-ENOMEM);

	part_init_windows(part, conf);
	if (behind_port(conf)) {
		raw_spin_lock_init(&part->port.lock);
		part->port.devfn = conf->port;
		port_init(&part->port, &part->port_mem);
	}
	ret = part_create_eps(part, conf);
	if (!ret)
		ret = window_insert(&part->mem);
	if (!ret)
		ret = window_insert(&part->port_mem);
	if (ret) {
		part_free(part);
		return ERR_PTR(ret);
	}
	return part;
}

static void segment_free(struct vtdsim_bus *vb)
{
	int i;

	for (i = 0; i < VTDSIM_MAX_UNITS; i++)
		if (vb->part[i])
			part_free(vb->part[i]);
	kfree(vb);
}

static struct vtdsim_bus *segment_alloc(u32 segment)
{
	struct vtdsim_bus *vb = kzalloc(sizeof(*vb), GFP_KERNEL);

	if (!vb)
		return NULL;
	vb->sysdata.domain = segment;
	vb->sysdata.node = NUMA_NO_NODE;
	vb->busn.name = "vtdsim bus";
	vb->busn.flags = IORESOURCE_BUS | IORESOURCE_PCI_FIXED;
	return vb;
}

/* From the top down: the PCI core merges a window with one that begins at its end. */
static void segment_windows(struct vtdsim_bus *vb, struct list_head *resources)
{
	int i;

	pci_add_resource(resources, &vb->busn);
	for (i = VTDSIM_MAX_UNITS - 1; i >= 0; i--)
		if (vb->part[i] && vb->part[i]->port_mem.end)
			pci_add_resource(resources, &vb->part[i]->port_mem);
	for (i = VTDSIM_MAX_UNITS - 1; i >= 0; i--)
		if (vb->part[i] && vb->part[i]->mem.end)
			pci_add_resource(resources, &vb->part[i]->mem);
}

static int segment_scan(struct vtdsim_bus *vb)
{
	LIST_HEAD(resources);

	segment_windows(vb, &resources);
	pci_lock_rescan_remove();
	vb->bus = pci_create_root_bus(NULL, 0, &vtdsim_pci_ops, &vb->sysdata,
				      &resources);
	if (vb->bus) {
		pci_scan_child_bus(vb->bus);
		pci_assign_unassigned_bus_resources(vb->bus);
		pci_bus_add_devices(vb->bus);
	}
	pci_unlock_rescan_remove();
	if (vb->bus)
		return 0;
	pci_free_resource_list(&resources);
	return -ENODEV;
}

static void segment_destroy(struct vtdsim_bus *vb)
{
	struct pci_host_bridge *bridge;

	if (vb->bus) {
		bridge = to_pci_host_bridge(vb->bus->bridge);
		pci_lock_rescan_remove();
		pci_stop_root_bus(vb->bus);
		pci_remove_root_bus(vb->bus);
		pci_unlock_rescan_remove();
		/* pci_create_root_bus() leaves its reference to its caller. */
		pci_free_host_bridge(bridge);
	}
	segment_free(vb);
}

/* The segment of a unit, which another unit may have made. */
static struct vtdsim_bus *segment_get(int unit, u32 segment)
{
	int i;

	for (i = 0; i < unit; i++)
		if (vtdsim_buses[i] &&
		    vtdsim_buses[i]->sysdata.domain == segment)
			return vtdsim_buses[i];
	vtdsim_buses[unit] = segment_alloc(segment);
	return vtdsim_buses[unit];
}

static int unit_register(int unit, const struct vtdsim_config_unit *conf)
{
	struct vtdsim_bus *vb = segment_get(unit, conf->segment);
	struct vtdsim_part *part;

	if (!vb)
		return -ENOMEM;
	part = part_create(conf);
	if (IS_ERR(part))
		return PTR_ERR(part);
	vb->part[unit] = part;
	if (part->port.devfn)
		vb->busn.end++;
	return 0;
}

static int register_all(const struct vtdsim_config *conf)
{
	int ret = 0;
	int i;

	for (i = 0; !ret && i < conf->nr_units; i++)
		ret = unit_register(i, &conf->unit[i]);
	for (i = 0; !ret && i < conf->nr_units; i++)
		if (vtdsim_buses[i])
			ret = segment_scan(vtdsim_buses[i]);
	return ret;
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
	int ret;

	if (IS_ERR(conf))
		return PTR_ERR(conf);

	ret = bus_register_notifier(&pci_bus_type, &vtdsim_bus_nb);
	if (!ret) {
		ret = register_all(conf);
		if (ret)
			unregister_all();
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
