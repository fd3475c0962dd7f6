// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACPI table by which firmware reports the units.
 */
#include "config.h"
#include "dmar.h"
#include "platform.h"
#include "topology.h"
#include "vtdsim_abi.h"

#define DMAR_RMRR		1
#define DMAR_ATSR		2
#define DMAR_ANDD		4
#define ATSR_ALL_PORTS		1

/*
 * A unit that no device of is there at boot is not used, and those of a scope
 * appear when the endpoint module is loaded.  So each scope has a device of QEMU's
 * ACPI tables that makes no DMA: an interrupt link.
 */
#define ANDD_NAME		"\\_SB.LNKA"
#define ANDD_DEVFN		0xff

/* Behind a port, the path has two steps. */
static u32 scope_size(const struct ep_config *ep)
{
	return DMAR_SCOPE_SIZE(ep->port ? 2 : 1);
}

static void put_scope(struct dmar_table *t, const struct sim_config *cfg,
		      u32 unit, u32 e)
{
	u8 path[2] = { topology_port(unit), topology_devfn(cfg, unit, e) };
	bool port = cfg->ep[unit][e].port;

	dmar_put_scope(t, DMAR_SCOPE_ENDPOINT, 0, port ? path : path + 1,
		       port ? 2 : 1);
}

/* The enumeration ID is the ANDD's number. */
static void put_scope_andd(struct dmar_table *t, u32 unit)
{
	const u8 devfn = ANDD_DEVFN;

	dmar_put_scope(t, DMAR_SCOPE_NAMESPACE, unit + 1, &devfn, 1);
}

static void put_scopes(struct dmar_table *t, const struct sim_config *cfg,
		       u32 unit)
{
	u32 e;

	put_scope_andd(t, unit);
	for (e = 0; e < cfg->nr_eps[unit]; e++)
		put_scope(t, cfg, unit, e);
}

static u32 scopes_size(const struct sim_config *cfg, u32 unit)
{
	u32 e, size = DMAR_SCOPE_SIZE(1);	/* the ANDD's */

	for (e = 0; e < cfg->nr_eps[unit]; e++)
		size += scope_size(&cfg->ep[unit][e]);
	return size;
}

/* "ACPI Name-space Device Declaration Structure" */
static void put_andd(struct dmar_table *t, u32 unit)
{
	dmar_put(t, DMAR_ANDD, 2);
	dmar_put(t, 8 + sizeof(ANDD_NAME), 2);
	dmar_put(t, 0, 3);
	dmar_put(t, unit + 1, 1);
	dmar_put_text(t, ANDD_NAME, sizeof(ANDD_NAME) - 1);
	dmar_put(t, 0, 1);
}

static void put_drhd(struct dmar_table *t, const struct sim_config *cfg,
		     u32 unit)
{
	const struct unit_config *u = &cfg->unit[unit];

	dmar_put_drhd(t, u->scope ? 0 : DRHD_INCLUDE_PCI_ALL, u->seg,
		      VTDSIM_WINDOW_BASE + VTDSIM_UNIT_OFF(unit),
		      u->scope ? scopes_size(cfg, unit) : 0);
	if (u->scope)
		put_scopes(t, cfg, unit);
}

/* A unit that includes all comes after the others of its segment. */
static void put_drhds(struct dmar_table *t, const struct sim_config *cfg)
{
	u32 i;

	for (i = 0; i < cfg->nr_units; i++) {
		if (cfg->unit[i].scope)
			put_drhd(t, cfg, i);
	}
	for (i = 0; i < cfg->nr_units; i++) {
		if (!cfg->unit[i].scope)
			put_drhd(t, cfg, i);
	}
}

/* "Reserved Memory Region Reporting Structure" */
static void put_rmrr(struct dmar_table *t, const struct sim_config *cfg,
		     u32 unit, u32 e)
{
	u64 base = VTDSIM_WINDOW_BASE + VTDSIM_RMRR_OFF(unit, e);

	dmar_put(t, DMAR_RMRR, 2);
	dmar_put(t, 24 + scope_size(&cfg->ep[unit][e]), 2);
	dmar_put(t, 0, 2);
	dmar_put(t, cfg->unit[unit].seg, 2);
	dmar_put(t, base, 8);
	dmar_put(t, base + VTDSIM_RMRR_SIZE - 1, 8);
	put_scope(t, cfg, unit, e);
}

static void put_rmrrs(struct dmar_table *t, const struct sim_config *cfg,
		      u32 unit)
{
	u32 e;

	for (e = 0; e < cfg->nr_eps[unit]; e++) {
		if (cfg->ep[unit][e].rmrr)
			put_rmrr(t, cfg, unit, e);
	}
}

/* "Root Port ATS Capability Reporting Structure" */
static void put_atsr(struct dmar_table *t, u32 segment)
{
	dmar_put(t, DMAR_ATSR, 2);
	dmar_put(t, 8, 2);
	dmar_put(t, ATSR_ALL_PORTS, 1);
	dmar_put(t, 0, 1);
	dmar_put(t, segment, 2);
}

static bool has_ats(const struct sim_config *cfg, u32 unit)
{
	u32 e;

	for (e = 0; e < cfg->nr_eps[unit]; e++) {
		if (cfg->ep[unit][e].ats)
			return true;
	}
	return false;
}

static bool is_integrated(const struct ep_config *ep)
{
	return ep->ats && !ep->port;
}

/* Endpoints on the root bus have no root port that an ATSR could name. */
static void put_satc(struct dmar_table *t, const struct sim_config *cfg,
		     u32 unit)
{
	u32 e, nr = 0;

	for (e = 0; e < cfg->nr_eps[unit]; e++)
		nr += is_integrated(&cfg->ep[unit][e]);
	if (!nr)
		return;
	dmar_put_satc(t, cfg->unit[unit].seg, DMAR_SCOPE_SIZE(1) * nr);
	for (e = 0; e < cfg->nr_eps[unit]; e++) {
		if (is_integrated(&cfg->ep[unit][e]))
			put_scope(t, cfg, unit, e);
	}
}

/* The table, in the order that the specification asks for; its length. */
size_t dmar_build(const struct sim_config *cfg, u8 *buf, size_t size)
{
	struct dmar_table t = { .p = buf, .size = size };
	u32 i;

	dmar_begin(&t, "VTDSIM", "SIM", cfg->unit[0].haw);
	put_drhds(&t, cfg);
	for (i = 0; i < cfg->nr_units; i++)
		put_rmrrs(&t, cfg, i);
	for (i = 0; i < cfg->nr_units; i++) {
		if (has_ats(cfg, i))
			put_atsr(&t, cfg->unit[i].seg);
	}
	for (i = 0; i < cfg->nr_units; i++) {
		if (cfg->unit[i].scope)
			put_andd(&t, i);
	}
	for (i = 0; i < cfg->nr_units; i++)
		put_satc(&t, cfg, i);
	return dmar_finish(&t);
}
