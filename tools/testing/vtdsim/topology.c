// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the endpoints stand on their segment.
 *
 * On the root bus each is a device of its own.  Those of a unit that are behind
 * its root port are the functions of one device: a link has no more than one.
 */
#include "config.h"
#include "state.h"
#include "topology.h"
#include "vtdsim_abi.h"

#define FIRST_PORT	0x10	/* device number; endpoints have smaller ones */

u8 topology_port(u32 unit)
{
	return (FIRST_PORT + unit) << 3;
}

/* Endpoints of a unit, the first @n, that are on the same side of its port. */
static u32 count(const struct sim_config *cfg, u32 unit, u32 n, bool port)
{
	u32 e, nr = 0;

	for (e = 0; e < n; e++)
		nr += !!cfg->ep[unit][e].port == port;
	return nr;
}

u8 topology_devfn(const struct sim_config *cfg, u32 unit, u32 e)
{
	u32 dev, i;

	if (cfg->ep[unit][e].port)
		return count(cfg, unit, e, true);
	dev = count(cfg, unit, e, false);
	for (i = 0; i < unit; i++) {
		if (cfg->unit[i].seg == cfg->unit[unit].seg)
			dev += count(cfg, i, cfg->nr_eps[i], false);
	}
	return dev << 3;
}

/* Until software has numbered the bus, no request names an endpoint on it. */
u16 topology_sid(const struct sim_config *cfg, u32 unit, u32 e)
{
	u16 bus = cfg->ep[unit][e].port ? VTDSIM_BUS_NONE : 0;

	return bus << 8 | topology_devfn(cfg, unit, e);
}

/* A port's window is made of whole mebibytes. */
u64 topology_bar(const struct sim_config *cfg, u32 unit, u32 e)
{
	return VTDSIM_WINDOW_BASE + (cfg->ep[unit][e].port ?
				     VTDSIM_PORT_BAR_OFF(unit, e) :
				     VTDSIM_BAR_OFF(unit, e));
}

struct ep *unit_find_ep(struct unit *u, u16 sid)
{
	u32 e;

	for (e = 0; e < u->nr_eps; e++) {
		if (u->ep[e].sid == sid)
			return &u->ep[e];
	}
	return NULL;
}
