// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests' world and their main().
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "../caches.h"
#include "../sim.h"
#include "../translate.h"
#include "harness.h"
#include "platform.h"

#define FIRST_PAGE	0x100000ULL

static void record_msi(void *ctx, u64 addr, u32 data)
{
	struct world *w = ctx;

	if (w->nr_msis == MAX_MSIS)
		return;
	w->msi_addr[w->nr_msis] = addr;
	w->msi_data[w->nr_msis++] = data;
}

void world_prepare(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->cfg.nr_units = 1;
	unit_config_init(&w->cfg.unit[0]);
	w->cfg.unit[0].seg = 1;
	/* Both kinds of second stage that a test may ask for. */
	w->cfg.unit[0].sagaw = BIT_ULL(1) | BIT_ULL(2) | BIT_ULL(3);
	w->cfg.unit[0].mgaw = 57;
	w->cfg.unit[0].ers = 1;
	w->cfg.nr_eps[0] = 2;
	ep_config_init(&w->cfg.ep[0][0]);
	ep_config_init(&w->cfg.ep[0][1]);
	w->next_page = FIRST_PAGE;
}

u64 new_pages(struct world *w, u32 nr)
{
	u64 gpa = w->next_page;

	w->next_page += 0x1000ULL * nr;
	if (w->next_page > VTDSIM_WINDOW_BASE)
		abort();
	return gpa;
}

u64 new_page(struct world *w)
{
	return new_pages(w, 1);
}

void poke(struct world *w, u64 gpa, u64 val)
{
	u64 *p = ram_ptr(&w->sim.ram, gpa, 8);

	if (!p)
		abort();
	store_release(p, val);
}

u64 peek(struct world *w, u64 gpa)
{
	u64 *p = ram_ptr(&w->sim.ram, gpa, 8);

	if (!p)
		abort();
	return load_acquire(p);
}

static void build_structures(struct world *w)
{
	u64 contexts = new_page(w);

	w->root = new_page(w);
	w->ctx = contexts;
	w->dir = new_pages(w, 32);
	poke(w, w->root, contexts | ROOT_P);
	/* PDTS 7: 2^14 directory entries, 20 bits of PASID. */
	poke(w, w->ctx, w->dir | 7 << 9 | CTX_PRE | CTX_PASIDE | CTX_DTE |
	     CTX_P);
	/* The second endpoint shares the directory. */
	poke(w, w->ctx + 8 * 32, peek(w, w->ctx));
}

static void enable(struct world *w)
{
	struct unit *u = w->u;

	w->iq = new_page(w);
	w->status = new_page(w);
	reg_write64(u, REG_RTADDR, w->root | TTM_SCALABLE << 10);
	reg_write64(u, REG_IQA, w->iq | IQA_DW);
	reg_write32(u, REG_GCMD, GCMD_SRTP);
	world_poll(w);
	reg_write32(u, REG_GCMD, GCMD_QIE);
	world_poll(w);
	reg_write32(u, REG_GCMD, GCMD_QIE | GCMD_TE);
	world_poll(w);
}

static void enable_endpoints(struct world *w)
{
	u32 e, q;

	for (e = 0; e < w->u->nr_eps; e++) {
		struct ep *ep = &w->u->ep[e];
		struct vtdsim_regs *r = (struct vtdsim_regs *)ep->bar;

		r->ctl = VTDSIM_CTL_BUS_MASTER | VTDSIM_CTL_ATS |
			 VTDSIM_CTL_PASID | VTDSIM_CTL_PASID_EXEC |
			 VTDSIM_CTL_PASID_PRIV | VTDSIM_CTL_PRI;
		for (q = 0; q < VTDSIM_NR_QUEUES; q++)
			((struct vtdsim_queue *)
			 (ep->bar + VTDSIM_BAR_QUEUE(q)))->enable = 1;
	}
	world_poll(w);
}

void world_start(struct world *w)
{
	u8 *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (ram == MAP_FAILED)
		abort();
	w->sim.msi = record_msi;
	w->sim.msi_ctx = w;
	if (getenv("TRACE"))
		w->sim.trace = stdout;
	if (sim_init(&w->sim, &w->cfg, ram, RAM_SIZE))
		abort();
	w->u = &w->sim.unit[0];
	w->ep = &w->u->ep[0];
	build_structures(w);
	enable(w);
	enable_endpoints(w);
	reg_write32(w->u, REG_FEDATA, 0x4021);
	reg_write32(w->u, REG_FEADDR, 0xfee00000);
	reg_write32(w->u, REG_FECTL, 0);
	world_poll(w);
}

void world_init(struct world *w)
{
	world_prepare(w);
	world_start(w);
}

void world_end(struct world *w)
{
	if (!w->sim.ram.base)
		return;
	sim_destroy(&w->sim);
	munmap(w->sim.ram.base, RAM_SIZE);
}

void world_poll(struct world *w)
{
	int i;

	for (i = 0; i < 100 && sim_poll(&w->sim); i++)
		;
}

/* HPA of a PASID-table entry; its table is made when it is not there. */
u64 pasid_entry(struct world *w, u32 pasid)
{
	u64 slot = w->dir + (pasid >> 6) * 8;

	if (!(peek(w, slot) & PDE_P))
		poke(w, slot, new_page(w) | PDE_P);
	return page_of(peek(w, slot)) + (pasid & 63) * 64;
}

void set_pasid(struct world *w, u32 pasid, const u64 *pe)
{
	u64 at = pasid_entry(w, pasid);
	int i;

	for (i = 7; i >= 0; i--)
		poke(w, at + i * 8, pe[i]);
}

void clear_pasid(struct world *w, u32 pasid)
{
	static const u64 none[8];

	set_pasid(w, pasid, none);
}

void bind_first(struct world *w, u32 pasid, u16 did, u64 table)
{
	u64 pe[8] = {
		PGTT_FIRST << 6 | PE_P, did | PE_PWSNP, table,
	};

	set_pasid(w, pasid, pe);
}

/* AW 2: four levels. */
void bind_second(struct world *w, u32 pasid, u16 did, u64 table)
{
	u64 pe[8] = {
		table | PGTT_SECOND << 6 | 2 << 2 | PE_P, did | PE_PWSNP,
	};

	set_pasid(w, pasid, pe);
}

void bind_nested(struct world *w, u32 pasid, u16 did, u64 first, u64 second)
{
	u64 pe[8] = {
		second | PGTT_NESTED << 6 | 2 << 2 | PE_P, did | PE_PWSNP,
		first,
	};

	set_pasid(w, pasid, pe);
}

static u64 map(struct world *w, u64 table, int levels, u64 ia, int level,
	       u64 val, u64 table_flags, u64 offset)
{
	int l;

	for (l = levels; l > level; l--) {
		u64 slot = table + (ia >> level_shift(l) & 511) * 8;

		if (!peek(w, slot))
			poke(w, slot, (new_page(w) + offset) | table_flags);
		table = (peek(w, slot) & GENMASK_ULL(51, 12)) - offset;
	}
	table += (ia >> level_shift(level) & 511) * 8;
	poke(w, table, val);
	return table;
}

u64 map_first(struct world *w, u64 table, int levels, u64 ia, u64 pa,
	      int level, u64 flags)
{
	return map(w, table, levels, ia, level,
		   pa | flags | (level > 1 ? FS_PS : 0), FS_TABLE, 0);
}

u64 map_second(struct world *w, u64 table, int levels, u64 ia, u64 pa,
	       int level, u64 flags)
{
	return map(w, table, levels, ia, level,
		   pa | flags | (level > 1 ? SS_PS : 0), SS_PAGE, 0);
}

/* A first stage whose tables are named by guest-physical address. */
u64 map_nested(struct world *w, u64 table, u64 ia, u64 gpa, u64 flags)
{
	return map(w, table, 4, ia, 1, gpa | flags, FS_TABLE, GUEST_OFFSET);
}

/* Address of the entry at @level on the way to @ia. */
u64 entry_at(struct world *w, u64 table, int levels, u64 ia, int level,
	     u64 offset)
{
	int l;

	for (l = levels; l > level; l--)
		table = (peek(w, table + (ia >> level_shift(l) & 511) * 8) &
			 GENMASK_ULL(51, 12)) - offset;
	return table + (ia >> level_shift(level) & 511) * 8;
}

void nest_init(struct world *w, struct nest *n, u32 pasid, u16 did)
{
	u64 p;

	n->ia = 0x7f1234567000ULL;
	n->first = new_page(w);
	n->second = new_page(w);
	n->page = new_page(w);
	n->leaf = map_nested(w, n->first, n->ia, n->page + GUEST_OFFSET,
			     FS_TABLE);
	/* Of the guest's memory, what was allocated so far and a bit more. */
	for (p = FIRST_PAGE; p < w->next_page + 0x100000; p += 0x1000)
		map_second(w, n->second, 4, p + GUEST_OFFSET, p, 1, SS_PAGE);
	n->leaf2 = entry_at(w, n->second, 4, n->page + GUEST_OFFSET, 1, 0);
	bind_nested(w, pasid, did, n->first + GUEST_OFFSET, n->second);
}

struct request req(struct world *w, u32 pasid, u64 addr)
{
	return (struct request){
		.sid = w->ep->sid,
		.has_pasid = pasid != PASID_NONE,
		.pasid = pasid == PASID_NONE ? 0 : pasid,
		.read = true,
		.addr = addr,
	};
}

u8 do_request(struct world *w, const struct request *rq, struct translation *t)
{
	translate(w->u, rq, t);
	return t->reason;
}

u8 read_at(struct world *w, u32 pasid, u64 addr)
{
	struct request rq = req(w, pasid, addr);
	struct translation t;

	return do_request(w, &rq, &t);
}

u8 write_at(struct world *w, u32 pasid, u64 addr)
{
	struct request rq = req(w, pasid, addr);
	struct translation t;

	rq.read = false;
	rq.write = true;
	return do_request(w, &rq, &t);
}

/* Where a read goes; ~0 if nowhere. */
u64 target(struct world *w, u32 pasid, u64 addr)
{
	struct request rq = req(w, pasid, addr);
	struct translation t;

	return do_request(w, &rq, &t) ? ~0ULL : t.hpa;
}

/* @nr descriptors of four quadwords each. */
void submit_many(struct world *w, const u64 *d, u32 nr)
{
	u32 i, j;

	for (i = 0; i < nr; i++) {
		for (j = 0; j < 4; j++)
			poke(w, w->iq + w->iqt + j * 8, d[i * 4 + j]);
		w->iqt = (w->iqt + 32) % 0x1000;
	}
	reg_write64(w->u, REG_IQT, w->iqt);
	world_poll(w);
}

void submit_wide(struct world *w, const u64 *d)
{
	submit_many(w, d, 1);
}

void submit(struct world *w, u64 d0, u64 d1)
{
	u64 d[4] = { d0, d1 };

	submit_wide(w, d);
}

bool queue_idle(struct world *w)
{
	return reg_read64(w->u, REG_IQH) == w->iqt;
}

u64 d_addr(u64 addr, u32 am, bool hint)
{
	return addr | am | (hint ? BIT_ULL(6) : 0);
}

void trace_begin(struct world *w)
{
	w->sim.trace = open_memstream(&w->trace, &w->trace_size);
	if (!w->sim.trace)
		abort();
}

char *trace_end(struct world *w)
{
	fclose(w->sim.trace);
	w->sim.trace = NULL;
	return w->trace;
}

struct vtdsim_queue *queue(struct world *w, u32 n)
{
	return (struct vtdsim_queue *)(w->ep->bar + VTDSIM_BAR_QUEUE(n));
}

struct vtdsim_regs *regs(struct world *w)
{
	return (struct vtdsim_regs *)w->ep->bar;
}

u8 *local(struct world *w, u32 offset)
{
	return w->ep->bar + VTDSIM_BAR_LOCAL + offset;
}

/* Put a descriptor on a queue; nothing runs yet. */
struct vtdsim_desc *post(struct world *w, u32 q, const struct vtdsim_desc *d)
{
	struct vtdsim_queue *hw = queue(w, q);
	struct vtdsim_desc *ring;

	ring = (struct vtdsim_desc *)((u8 *)hw + VTDSIM_QUEUE_RING);
	ring += hw->tail % VTDSIM_RING_ENTRIES;
	*ring = *d;
	store_release(&hw->tail, hw->tail + 1);
	return ring;
}

struct vtdsim_desc *dma(struct world *w, const struct vtdsim_desc *d)
{
	struct vtdsim_desc *slot = post(w, 0, d);

	world_poll(w);
	return slot;
}

static void world_clear(struct world *w)
{
	memset(w, 0, sizeof(*w));
}

int main(int argc, char **argv)
{
	static struct world w;

	return test_run(argc, argv, &w, world_clear, world_end);
}
