// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole: memory, units, endpoints, and the round that polls them.
 */
#include <string.h>
#include "base.h"
#include "caches.h"
#include "config.h"
#include "endpoint.h"
#include "invalidation.h"
#include "oracle.h"
#include "platform.h"
#include "registers.h"
#include "sim.h"
#include "state.h"
#include "topology.h"
#include "vtdsim_abi.h"

static u32 ep_flags(const struct ep_config *c)
{
	return (c->ats ? VTDSIM_EP_ATS : 0) |
	       (c->ats_global ? VTDSIM_EP_ATS_GLOBAL : 0) |
	       (c->pri ? VTDSIM_EP_PRI : 0) |
	       (c->pasid ? VTDSIM_EP_PASID : 0) |
	       (c->priv ? VTDSIM_EP_PASID_PRIV : 0) |
	       (c->exec ? VTDSIM_EP_PASID_EXEC : 0);
}

static u64 window(u64 offset)
{
	return VTDSIM_WINDOW_BASE + offset;
}

static void unit_init(struct sim *sim, u32 index)
{
	struct unit *u = &sim->unit[index];
	u32 e;

	u->sim = sim;
	u->index = index;
	u->cfg = sim->cfg.unit[index];
	u->m.regs = ram_ptr(&sim->ram, window(VTDSIM_UNIT_OFF(index)),
			    VTDSIM_UNIT_SIZE);
	registers_init(u);
	cache_init(&u->iotlb);
	sid_cache_init(&u->ctx);
	pasid_cache_init(&u->pasids);
	u->nr_eps = sim->cfg.nr_eps[index];
	for (e = 0; e < u->nr_eps; e++) {
		struct ep *ep = &u->ep[e];

		ep->u = u;
		ep->index = e;
		ep->sid = topology_sid(&sim->cfg, index, e);
		ep->flags = ep_flags(&sim->cfg.ep[index][e]);
		ep->pasid_bits = sim->cfg.ep[index][e].pasid_bits;
		ep->bar = ram_ptr(&sim->ram, topology_bar(&sim->cfg, index, e),
				  VTDSIM_BAR_SIZE);
		ep_init(ep, &sim->cfg.ep[index][e]);
	}
}

/* Tell the endpoint module what there is; the magic number comes last. */
static void write_config(struct sim *sim)
{
	struct vtdsim_config *c;
	u32 i, e;

	c = ram_ptr(&sim->ram, window(VTDSIM_CONFIG_OFF), sizeof(*c));
	memset(c, 0, sizeof(*c));
	c->nr_units = sim->nr_units;
	for (i = 0; i < sim->nr_units; i++) {
		struct unit *u = &sim->unit[i];

		c->unit[i].segment = u->cfg.seg;
		c->unit[i].nr_eps = u->nr_eps;
		c->unit[i].regs = window(VTDSIM_UNIT_OFF(i));
		c->unit[i].port = topology_port(i);
		for (e = 0; e < u->nr_eps; e++) {
			c->unit[i].ep[e].flags = u->ep[e].flags;
			c->unit[i].ep[e].pasid_bits = u->ep[e].pasid_bits;
			c->unit[i].ep[e].bar = topology_bar(&sim->cfg, i, e);
			c->unit[i].ep[e].port = !!sim->cfg.ep[i][e].port;
			c->unit[i].ep[e].devfn = topology_devfn(&sim->cfg, i, e);
		}
	}
	store_release(&c->magic, VTDSIM_CONFIG_MAGIC);
}

/* @sim is zeroed by the caller, who may have set msi and trace. */
int sim_init(struct sim *sim, const struct sim_config *cfg, u8 *ram, u64 size)
{
	u32 i;

	sim->ram.base = ram;
	sim->ram.size = size;
	sim->ram.low = ram_low_size(size);
	if (!ram_ptr(&sim->ram, VTDSIM_WINDOW_BASE, VTDSIM_WINDOW_SIZE))
		return -1;
	sim->cfg = *cfg;
	sim->random = cfg->seed * 2ULL + 1;
	sim->nr_units = cfg->nr_units;
	for (i = 0; i < sim->nr_units; i++)
		unit_init(sim, i);
	write_config(sim);
	return 0;
}

void sim_destroy(struct sim *sim)
{
	u32 i, e;

	for (i = 0; i < sim->nr_units; i++) {
		struct unit *u = &sim->unit[i];

		cache_destroy(&u->iotlb);
		oracle_destroy(u);
		sid_cache_destroy(&u->ctx);
		pasid_cache_destroy(&u->pasids);
		for (e = 0; e < u->nr_eps; e++)
			ep_destroy(&u->ep[e]);
	}
}

/* One round; true if anything moved, so that the next may follow at once. */
bool sim_poll(struct sim *sim)
{
	bool busy = false;
	u32 i, e;

	sim->rounds++;
	for (i = 0; i < sim->nr_units; i++) {
		struct unit *u = &sim->unit[i];

		busy |= registers_poll(u);
		busy |= invalidation_poll(u);
		for (e = 0; e < u->nr_eps; e++)
			busy |= ep_poll(&u->ep[e]);
	}
	return busy;
}
