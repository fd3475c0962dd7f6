// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "world.h"

static struct world *world_of(void *ctx)
{
	return container_of(ctx, struct world, host);
}

static void *ram_ptr(void *ctx, uint64_t gpa, size_t len, bool write)
{
	struct world *w = world_of(ctx);

	(void)write;
	if (gpa >= RAM_SIZE || len > RAM_SIZE - gpa)
		return NULL;
	if (len > 4096 || gpa / 4096 != (gpa + len - 1) / 4096)
		abort();
	return w->ram + gpa;
}

static void msi(void *ctx, uint64_t addr, uint32_t data)
{
	struct world *w = world_of(ctx);

	if (w->nr_msis < MAX_MSIS) {
		w->msi_addr[w->nr_msis] = addr;
		w->msi_data[w->nr_msis] = data;
	}
	w->nr_msis++;
}

static uint64_t now(void *ctx)
{
	return world_of(ctx)->now;
}

void world_prepare(struct world *w)
{
	memset(w, 0, sizeof(*w));
	host_init(&w->host);
	w->ram = calloc(1, RAM_SIZE);
	w->next_page = 0x100000;
	vvtd_config_init(&w->cfg);
	w->caps = (struct vvtd_host_caps){
		.cap = CAP_FS1GP | CAP_FS5LP | CAP_SAGAW(4) | CAP_SSLPS(3),
		.ecap = ECAP_SMTS | ECAP_FSTS | ECAP_SSTS | ECAP_NEST |
			ECAP_SMPWCS | ECAP_SRS | ECAP_EAFS | ECAP_SC |
			ECAP_PRS | ECAP_PSS(19),
		.pasid_bits = 20,
		.page_requests = true,
	};
	w->ops = (struct vvtd_ops){
		.ptr = ram_ptr, .msi = msi, .now = now, .bind = host_bind,
		.replace = host_replace, .unbind = host_unbind,
		.invalidate = host_invalidate, .drain = host_drain,
		.respond = host_respond, .pasid_alloc = host_pasid_alloc,
		.pasid_free = host_pasid_free,
		.domain_alloc = host_domain_alloc,
		.domain_free = host_domain_free, .map = host_map,
		.unmap = host_unmap,
	};
	w->nr_devs = 1;
}

u64 new_pages(struct world *w, u32 nr)
{
	u64 gpa = w->next_page;

	w->next_page += nr * 4096ULL;
	if (w->next_page > RAM_SIZE)
		abort();
	return gpa;
}

u64 peek(struct world *w, u64 gpa)
{
	u64 val;

	memcpy(&val, w->ram + gpa, 8);
	return val;
}

void poke(struct world *w, u64 gpa, u64 val)
{
	memcpy(w->ram + gpa, &val, 8);
}

void run(struct world *w)
{
	u32 i;

	for (i = 0; vvtd_run(w->v) == VVTD_MORE; i++) {
		if (i > 1000000)
			abort();
	}
}

void add_device(struct world *w, u32 n)
{
	struct guest_dev *d = &w->d[n];

	host_dev_init(&d->host, 'a' + n);
	if (vvtd_dev_add(w->v, d->sid, &w->caps, &d->host, &d->dev))
		abort();
	run(w);
}

void remove_device(struct world *w, u32 n)
{
	struct guest_dev *d = &w->d[n];

	if (!d->dev)
		return;
	vvtd_dev_remove(d->dev);
	d->dev = NULL;
	EXPECT_EQ(d->host.nr_bound, 0);
	host_dev_exit(&d->host);
}

/* Context entry: device TLB, PASIDs; @d->dir with the largest directory. */
static void make_tables(struct world *w, struct guest_dev *d)
{
	u64 slot = w->root + (d->sid >> 8) * 16 + (d->sid & 0x80 ? 8 : 0);

	if (!peek(w, slot))
		poke(w, slot, new_pages(w, 1) | ROOT_P);
	d->ctx = page_of(peek(w, slot)) + (d->sid & 0x7f) * 32;
	d->dir = new_pages(w, 32);
	poke(w, d->ctx, d->dir | CTX_P | CTX_DTE | CTX_PASIDE | 7 << 9 |
	     (w->cfg.page_requests ? CTX_PRE : 0));
}

void world_start(struct world *w)
{
	u32 n;

	w->v = vvtd_create(&w->cfg, &w->ops, &w->host);
	if (!w->v)
		abort();
	w->root = new_pages(w, 1);
	w->iq = new_pages(w, 8);
	w->status = new_pages(w, 1);
	w->prq = new_pages(w, 1);
	for (n = 0; n < NR_DEVS; n++) {
		w->d[n].sid = 0x0008 + n * 0x0100;
		make_tables(w, &w->d[n]);
	}
	for (n = 0; n < w->nr_devs; n++)
		add_device(w, n);
}

void world_end(struct world *w)
{
	u32 n;

	for (n = 0; n < NR_DEVS && w->v; n++)
		remove_device(w, n);
	if (w->v)
		vvtd_destroy(w->v);
	EXPECT_EQ(w->host.live_domains, 0);
	host_exit(&w->host);
	free(w->ram);
}

u32 reg32(struct world *w, u32 reg)
{
	return vvtd_read(w->v, reg, 4);
}

u64 reg64(struct world *w, u32 reg)
{
	return vvtd_read(w->v, reg, 8);
}

void set32(struct world *w, u32 reg, u32 val)
{
	vvtd_write(w->v, reg, 4, val);
}

void set64(struct world *w, u32 reg, u64 val)
{
	vvtd_write(w->v, reg, 8, val);
}

void gcmd(struct world *w, u64 bits)
{
	set32(w, REG_GCMD, bits);
	run(w);
}

void guest_boot(struct world *w)
{
	set64(w, REG_RTADDR, w->root | TTM_SCALABLE << 10);
	gcmd(w, GCMD_SRTP);
	set64(w, REG_IQA, w->iq | IQA_DW | 3);
	set64(w, REG_IQT, 0);
	w->iqt = 0;
	gcmd(w, GCMD_QIE);
	set64(w, REG_PQA, w->prq);
	set32(w, REG_FEDATA, 0xf);
	set32(w, REG_FEADDR, 0xfee0f000);
	set32(w, REG_FECTL, 0);
	set32(w, REG_IEDATA, 0x1);
	set32(w, REG_IECTL, 0);
	set32(w, REG_PEDATA, 0xb);
	set32(w, REG_PECTL, 0);
	gcmd(w, GCMD_QIE | GCMD_TE);
	w->host.len = 0;
	w->host.log[0] = 0;
	w->nr_msis = 0;
}

struct pe pe_first(u16 did, u64 table)
{
	return (struct pe){ .q = {
		PE_P | PGTT_FIRST << 6, did | PE_PWSNP, table,
	} };
}

struct pe pe_pass(u16 did)
{
	return (struct pe){ .q = { PE_P | PGTT_PASSTHROUGH << 6, did } };
}

u64 entry_of(struct world *w, u32 dev, u32 pasid)
{
	u64 slot = w->d[dev].dir + pasid / 64 * 8;

	if (!peek(w, slot))
		poke(w, slot, new_pages(w, 1) | PDE_P);
	return page_of(peek(w, slot)) + pasid % 64 * 64;
}

void set_pasid(struct world *w, u32 dev, u32 pasid, struct pe pe)
{
	u64 at = entry_of(w, dev, pasid);
	int i;

	for (i = 7; i >= 0; i--)
		poke(w, at + i * 8, pe.q[i]);
}

void clear_pasid(struct world *w, u32 dev, u32 pasid)
{
	set_pasid(w, dev, pasid, (struct pe){ .q = { 0 } });
}

void queue(struct world *w, u64 d0, u64 d1)
{
	poke(w, w->iq + w->iqt, d0);
	poke(w, w->iq + w->iqt + 8, d1);
	poke(w, w->iq + w->iqt + 16, 0);
	poke(w, w->iq + w->iqt + 24, 0);
	w->iqt = (w->iqt + 32) % 0x8000;
}

void submit(struct world *w)
{
	set64(w, REG_IQT, w->iqt);
	run(w);
}

void submit_one(struct world *w, u64 d0, u64 d1)
{
	queue(w, d0, d1);
	submit(w);
}

u64 d_response(u16 sid, u32 pasid, u8 code)
{
	return INV_PGRP_RESP | BIT_ULL(4) | (u64)sid << 16 |
	       (u64)pasid << 32 | (u64)code << 12;
}

void pasid_changed(struct world *w, u16 did, u32 pasid)
{
	submit_one(w, d_pasid_cache(1, did, pasid), 0);
}

void all_changed(struct world *w)
{
	submit_one(w, d_pasid_cache(3, 0, 0), 0);
}

u32 nr_faults(struct world *w)
{
	u32 i, n = 0;

	for (i = 0; i < w->cfg.fault_records; i++)
		n += !!(reg32(w, REG_FRCD + i * 16 + 12) & FRCD_W3_F);
	return n;
}

static u32 last_record(struct world *w)
{
	u32 first = bits(reg32(w, REG_FSTS), 15, 8);

	return REG_FRCD + (first + nr_faults(w) - 1) % w->cfg.fault_records * 16;
}

u8 last_reason(struct world *w)
{
	return reg32(w, last_record(w) + 12) & 0xff;
}

u32 last_pasid(struct world *w)
{
	return bits(reg32(w, last_record(w) + 12), 27, 8);
}

void clear_faults(struct world *w)
{
	u32 i;

	for (i = 0; i < w->cfg.fault_records; i++)
		set32(w, REG_FRCD + i * 16 + 12, FRCD_W3_F);
	set32(w, REG_FSTS, ~0u);
}

void expect_calls(struct world *w, const char *file, int line,
		  const char *calls)
{
	if (strcmp(w->host.log, calls)) {
		test_fail(file, line, "host calls");
		printf("# wanted:\n%s# seen:\n%s", calls, w->host.log);
	}
	w->host.len = 0;
	w->host.log[0] = 0;
}

int run_tests(int argc, char **argv)
{
	static struct world w;

	return test_run(argc, argv, &w, world_prepare, world_end);
}
