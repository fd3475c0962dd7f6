/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world for unit tests: RAM in memory, one unit with one endpoint, and tables
 * that a test builds entry by entry.
 */
#ifndef VTDSIM_HARNESS_H
#define VTDSIM_HARNESS_H

#include "../config.h"
#include "../request.h"
#include "../state.h"
#include "../vtdsim_abi.h"
#include "base.h"
#include "tests/unit_test.h"
#include "vtd.h"

#define RAM_SIZE	0x20000000ULL	/* just up to the end of the window */
#define GUEST_OFFSET	0x4000000000ULL	/* nested: GPA of a page less its HPA */
#define MAX_MSIS	64

struct world {
	struct sim sim;
	struct sim_config cfg;
	struct unit *u;
	struct ep *ep;
	u64 next_page;
	u64 root;		/* root table */
	u64 ctx;		/* context entry of the endpoint */
	u64 dir;		/* PASID directory */
	u64 iq;			/* invalidation queue */
	u32 iqt;
	u64 status;		/* where wait descriptors write */
	u32 nr_msis;
	char *trace;
	size_t trace_size;
	u64 msi_addr[MAX_MSIS];
	u32 msi_data[MAX_MSIS];
};

/*
 * A test starts with a fresh world, not yet prepared.  The unit's configuration
 * may be changed between prepare and start.
 */
void world_prepare(struct world *w);
void world_start(struct world *w);
void world_init(struct world *w);
void world_end(struct world *w);
void world_poll(struct world *w);

u64 new_page(struct world *w);
u64 new_pages(struct world *w, u32 nr);
void poke(struct world *w, u64 gpa, u64 val);
u64 peek(struct world *w, u64 gpa);

/* PASID-table entries, as eight quadwords. */
u64 pasid_entry(struct world *w, u32 pasid);
void set_pasid(struct world *w, u32 pasid, const u64 *pe);
void clear_pasid(struct world *w, u32 pasid);
void bind_first(struct world *w, u32 pasid, u16 did, u64 table);
void bind_second(struct world *w, u32 pasid, u16 did, u64 table);
void bind_nested(struct world *w, u32 pasid, u16 did, u64 first, u64 second);

/*
 * Page tables.  @levels: of the table, @level: of the page.  map_* give the
 * address of the leaf entry; tables on the way are made with full rights.
 */
#define FS_TABLE	(FS_P | FS_RW | FS_US)
#define FS_PAGE		(FS_P | FS_RW | FS_US | FS_A | FS_D)
#define SS_PAGE		(SS_R | SS_W)
u64 map_first(struct world *w, u64 table, int levels, u64 ia, u64 pa,
	      int level, u64 flags);
u64 map_second(struct world *w, u64 table, int levels, u64 ia, u64 pa,
	       int level, u64 flags);
u64 map_nested(struct world *w, u64 table, u64 ia, u64 gpa, u64 flags);
u64 entry_at(struct world *w, u64 table, int levels, u64 ia, int level,
	     u64 offset);

/*
 * The usual nested set-up: @first and @second tables, every page of RAM that
 * the test allocated so far and later mapped at GUEST_OFFSET by 1 GiB page.
 */
struct nest {
	u64 first;
	u64 second;
	u64 page;		/* HPA of the data page */
	u64 ia;
	u64 leaf;		/* first-stage leaf entry, HPA */
	u64 leaf2;		/* second-stage leaf entry of the data page */
};

void nest_init(struct world *w, struct nest *n, u32 pasid, u16 did);

/* Requests */
struct request req(struct world *w, u32 pasid, u64 addr);
u8 read_at(struct world *w, u32 pasid, u64 addr);
u8 write_at(struct world *w, u32 pasid, u64 addr);
u64 target(struct world *w, u32 pasid, u64 addr);
u8 do_request(struct world *w, const struct request *rq,
	      struct translation *t);

/* Invalidation queue */
void submit(struct world *w, u64 d0, u64 d1);
void submit_wide(struct world *w, const u64 *d);
void submit_many(struct world *w, const u64 *d, u32 nr);
bool queue_idle(struct world *w);
u64 d_addr(u64 addr, u32 am, bool hint);
#define ALL_PASID_PAGES	(0x7ffffffffffff000ULL | BIT_ULL(11))
#define ALL_PAGES	(0x7ffffffffffff000ULL | 1)

/* What --trace prints from here on; the caller frees what trace_end() gives. */
void trace_begin(struct world *w);
char *trace_end(struct world *w);

/* DMA engine */
struct vtdsim_queue *queue(struct world *w, u32 n);
struct vtdsim_regs *regs(struct world *w);
struct vtdsim_desc *post(struct world *w, u32 q, const struct vtdsim_desc *d);
struct vtdsim_desc *dma(struct world *w, const struct vtdsim_desc *d);
u8 *local(struct world *w, u32 offset);

#endif /* VTDSIM_HARNESS_H */
