// SPDX-License-Identifier: GPL-2.0-only
/*
 * "BIOS Considerations": the ACPI table by which firmware reports the units.
 */
#include <string.h>
#include "sim.h"

#define DMAR_DRHD		0
#define DMAR_ATSR		2
#define DMAR_SATC		5
#define DRHD_INCLUDE_PCI_ALL	1
#define ATSR_ALL_PORTS		1
#define SCOPE_PCI_ENDPOINT	1
#define SCOPE_SIZE		8

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

/* "DMA Remapping Hardware Unit Definition Structure" */
static void put_drhd(struct buffer *b, const struct sim_config *cfg, u32 unit)
{
	put(b, DMAR_DRHD, 2);
	put(b, 16, 2);
	put(b, DRHD_INCLUDE_PCI_ALL, 1);
	put(b, 0, 1);			/* size: one page */
	put(b, cfg->unit[unit].seg, 2);
	put(b, VTDSIM_WINDOW_BASE + VTDSIM_UNIT_OFF(unit), 8);
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

static u32 nr_ats(const struct sim_config *cfg, u32 unit)
{
	u32 e, nr = 0;

	for (e = 0; e < cfg->nr_eps[unit]; e++)
		nr += !!cfg->ep[unit][e].ats;
	return nr;
}

/*
 * "SoC Integrated Address Translation Cache Reporting Structure": endpoints on
 * the root bus have no root port that an ATSR could name.
 */
static void put_satc(struct buffer *b, const struct sim_config *cfg, u32 unit)
{
	u32 e;

	put(b, DMAR_SATC, 2);
	put(b, 8 + SCOPE_SIZE * nr_ats(cfg, unit), 2);
	put(b, 0, 2);
	put(b, cfg->unit[unit].seg, 2);
	for (e = 0; e < cfg->nr_eps[unit]; e++) {
		if (!cfg->ep[unit][e].ats)
			continue;
		put(b, SCOPE_PCI_ENDPOINT, 1);
		put(b, SCOPE_SIZE, 1);
		put(b, 0, 3);
		put(b, 0, 1);		/* bus */
		put(b, e, 1);		/* device */
		put(b, 0, 1);		/* function */
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
	for (i = 0; i < cfg->nr_units; i++)
		put_drhd(&b, cfg, i);
	for (i = 0; i < cfg->nr_units; i++) {
		if (nr_ats(cfg, i))
			put_atsr(&b, cfg->unit[i].seg);
	}
	for (i = 0; i < cfg->nr_units; i++) {
		if (nr_ats(cfg, i))
			put_satc(&b, cfg, i);
	}
	finish_header(&b);
	return b.len;
}
