// SPDX-License-Identifier: GPL-2.0-only
/*
 * "BIOS Considerations": the ACPI table by which firmware reports the units.
 */
#include <string.h>
#include "sim.h"

#define DMAR_DRHD		0
#define DMAR_RMRR		1
#define DMAR_ATSR		2
#define DMAR_ANDD		4
#define DMAR_SATC		5
#define DRHD_INCLUDE_PCI_ALL	1
#define ATSR_ALL_PORTS		1
#define SCOPE_PCI_ENDPOINT	1
#define SCOPE_NAMESPACE		5
#define SCOPE_SIZE		8	/* with a path of one step */
#define SCOPE_STEP		2

/*
 * A unit that no device of is there at boot is not used, and those of a scope
 * appear when the endpoint module is loaded.  So each scope has a device of QEMU's
 * ACPI tables that makes no DMA: an interrupt link.
 */
#define ANDD_NAME		"\\_SB.LNKA"
#define ANDD_DEVFN		0xff

struct buffer {
	u8 *p;
	size_t size;
	size_t len;
};

static void put(struct buffer *b, u64 val, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes && b->len < b->size; i++)
		b->p[b->len++] = i < 8 ? val >> (8 * i) : 0;
}

static void put_text(struct buffer *b, const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		put(b, *text ? *text++ : ' ', 1);
}

static void put_header(struct buffer *b, const struct sim_config *cfg)
{
	put_text(b, "DMAR", 4);
	put(b, 0, 4);			/* length, filled in at the end */
	put(b, 1, 1);			/* revision */
	put(b, 0, 1);			/* checksum, likewise */
	put_text(b, "VTDSIM", 6);
	put_text(b, "VTDSIM", 8);
	put(b, 1, 4);
	put_text(b, "SIM", 4);
	put(b, 1, 4);
	put(b, cfg->unit[0].haw - 1, 1);	/* host address width, less 1 */
	put(b, 0, 11);			/* flags: no interrupt remapping */
}

/* "Device Scope Structure": the path to a device begins on the root bus. */
static u32 scope_size(const struct ep_config *ep)
{
	return SCOPE_SIZE + (ep->port ? SCOPE_STEP : 0);
}

static void put_step(struct buffer *b, u8 devfn)
{
	put(b, devfn >> 3, 1);
	put(b, devfn & 7, 1);
}

static void put_scope(struct buffer *b, const struct sim_config *cfg, u32 unit,
		      u32 e)
{
	put(b, SCOPE_PCI_ENDPOINT, 1);
	put(b, scope_size(&cfg->ep[unit][e]), 1);
	put(b, 0, 3);
	put(b, 0, 1);			/* bus */
	if (cfg->ep[unit][e].port)
		put_step(b, topology_port(unit));
	put_step(b, topology_devfn(cfg, unit, e));
}

static void put_scope_andd(struct buffer *b, u32 unit)
{
	put(b, SCOPE_NAMESPACE, 1);
	put(b, SCOPE_SIZE, 1);
	put(b, 0, 2);
	put(b, unit + 1, 1);		/* enumeration ID: the ANDD's number */
	put(b, 0, 1);
	put_step(b, ANDD_DEVFN);
}

static void put_scopes(struct buffer *b, const struct sim_config *cfg, u32 unit)
{
	u32 e;

	put_scope_andd(b, unit);
	for (e = 0; e < cfg->nr_eps[unit]; e++)
		put_scope(b, cfg, unit, e);
}

static u32 scopes_size(const struct sim_config *cfg, u32 unit)
{
	u32 e, size = SCOPE_SIZE;

	for (e = 0; e < cfg->nr_eps[unit]; e++)
		size += scope_size(&cfg->ep[unit][e]);
	return size;
}

/* "ACPI Name-space Device Declaration Structure" */
static void put_andd(struct buffer *b, u32 unit)
{
	put(b, DMAR_ANDD, 2);
	put(b, 8 + sizeof(ANDD_NAME), 2);
	put(b, 0, 3);
	put(b, unit + 1, 1);
	put_text(b, ANDD_NAME, sizeof(ANDD_NAME) - 1);
	put(b, 0, 1);
}

/* "DMA Remapping Hardware Unit Definition Structure" */
static void put_drhd(struct buffer *b, const struct sim_config *cfg, u32 unit)
{
	bool scope = cfg->unit[unit].scope;

	put(b, DMAR_DRHD, 2);
	put(b, 16 + (scope ? scopes_size(cfg, unit) : 0), 2);
	put(b, scope ? 0 : DRHD_INCLUDE_PCI_ALL, 1);
	put(b, 0, 1);			/* size: one page */
	put(b, cfg->unit[unit].seg, 2);
	put(b, VTDSIM_WINDOW_BASE + VTDSIM_UNIT_OFF(unit), 8);
	if (scope)
		put_scopes(b, cfg, unit);
}

/* A unit that includes all comes after the others of its segment. */
static void put_drhds(struct buffer *b, const struct sim_config *cfg)
{
	u32 i;

	for (i = 0; i < cfg->nr_units; i++) {
		if (cfg->unit[i].scope)
			put_drhd(b, cfg, i);
	}
	for (i = 0; i < cfg->nr_units; i++) {
		if (!cfg->unit[i].scope)
			put_drhd(b, cfg, i);
	}
}

/* "Reserved Memory Region Reporting Structure" */
static void put_rmrr(struct buffer *b, const struct sim_config *cfg, u32 unit,
		     u32 e)
{
	u64 base = VTDSIM_WINDOW_BASE + VTDSIM_RMRR_OFF(unit, e);

	put(b, DMAR_RMRR, 2);
	put(b, 24 + scope_size(&cfg->ep[unit][e]), 2);
	put(b, 0, 2);
	put(b, cfg->unit[unit].seg, 2);
	put(b, base, 8);
	put(b, base + VTDSIM_RMRR_SIZE - 1, 8);
	put_scope(b, cfg, unit, e);
}

static void put_rmrrs(struct buffer *b, const struct sim_config *cfg, u32 unit)
{
	u32 e;

	for (e = 0; e < cfg->nr_eps[unit]; e++) {
		if (cfg->ep[unit][e].rmrr)
			put_rmrr(b, cfg, unit, e);
	}
}

/* "Root Port ATS Capability Reporting Structure" */
static void put_atsr(struct buffer *b, u32 segment)
{
	put(b, DMAR_ATSR, 2);
	put(b, 8, 2);
	put(b, ATSR_ALL_PORTS, 1);
	put(b, 0, 1);
	put(b, segment, 2);
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

/*
 * "SoC Integrated Address Translation Cache Reporting Structure": endpoints on
 * the root bus have no root port that an ATSR could name.
 */
static void put_satc(struct buffer *b, const struct sim_config *cfg, u32 unit)
{
	u32 e, nr = 0;

	for (e = 0; e < cfg->nr_eps[unit]; e++)
		nr += is_integrated(&cfg->ep[unit][e]);
	if (!nr)
		return;
	put(b, DMAR_SATC, 2);
	put(b, 8 + SCOPE_SIZE * nr, 2);
	put(b, 0, 2);
	put(b, cfg->unit[unit].seg, 2);
	for (e = 0; e < cfg->nr_eps[unit]; e++) {
		if (is_integrated(&cfg->ep[unit][e]))
			put_scope(b, cfg, unit, e);
	}
}

static void finish_header(struct buffer *b)
{
	struct buffer len = { b->p + 4, 4, 0 };
	u8 sum = 0;
	size_t i;

	put(&len, b->len, 4);
	for (i = 0; i < b->len; i++)
		sum += b->p[i];
	b->p[9] = -sum;
}

/* The table, in the order that the specification asks for; its length. */
size_t dmar_build(const struct sim_config *cfg, u8 *buf, size_t size)
{
	struct buffer b = { buf, size, 0 };
	u32 i;

	put_header(&b, cfg);
	put_drhds(&b, cfg);
	for (i = 0; i < cfg->nr_units; i++)
		put_rmrrs(&b, cfg, i);
	for (i = 0; i < cfg->nr_units; i++) {
		if (has_ats(cfg, i))
			put_atsr(&b, cfg->unit[i].seg);
	}
	for (i = 0; i < cfg->nr_units; i++) {
		if (cfg->unit[i].scope)
			put_andd(&b, i);
	}
	for (i = 0; i < cfg->nr_units; i++)
		put_satc(&b, cfg, i);
	finish_header(&b);
	return b.len;
}
