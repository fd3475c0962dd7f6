// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Register Descriptions": the register page, as the guest reads and writes it.
 */
#include <string.h>
#include "unit.h"

#define VERSION		0x60	/* 6.0 */
#define MAMV		18	/* the mask of a page-selective invalidation */

/* CM: the guest has to tell of entries that become present, too. */
static struct vtd_features features(const struct vvtd_config *c)
{
	return (struct vtd_features){
		.cm = 1, .psi = 1, .mamv = MAMV, .nd = 6, .sagaw = BIT_ULL(2),
		.mgaw = 48, .nfr = c->fault_records, .qi = 1, .pasid = 1,
		.pss = c->pasid_bits - 1, .smts = 1, .flts = 1,
		.slts = c->second_stage, .sslps = c->second_stage ? 3 : 0,
		.fl1gp = c->huge_pages, .fl5lp = c->five_level,
		.c = c->coherent, .smpwc = c->coherent,
		.sc = c->snoop_control, .dt = c->device_tlb,
		.pt = c->pass_through, .srs = c->supervisor,
		.eafs = c->extended_access, .prs = c->page_requests,
		.pds = c->page_drain,
	};
}

static void *memory(struct vtd_model *m, u64 gpa, size_t len, bool write)
{
	return vv_ptr(container_of(m, struct vvtd, m), gpa, len, write);
}

static void send_message(struct vtd_model *m, const struct vtd_event *ev,
			 u64 addr, u32 data)
{
	struct vvtd *v = container_of(m, struct vvtd, m);

	(void)ev;
	v->ops.msi(v->ctx, addr, data);
}

static void publish(struct vtd_model *m)
{
	vtd_set32(m, REG_FSTS, m->fsts);
	vtd_set32(m, REG_ICS, m->ics);
	vtd_set32(m, REG_PRS, m->prs);
}

static const struct vtd_model_ops model_ops = {
	.ptr = memory,
	.msi = send_message,
	.publish = publish,
};

void vv_registers_init(struct vvtd *v)
{
	const struct vtd_features f = features(&v->cfg);
	bool vcs = v->cfg.virtual_commands;

	v->m.ops = &model_ops;
	v->m.regs = v->regs;
	v->m.caps = (struct vtd_caps){
		.cap = vtd_capability(&f),
		.ecap = vtd_extended_capability(&f) | (vcs ? ECAP_VCS : 0),
		.haw = v->cfg.address_bits,
	};
	vtd_model_init(&v->m, VERSION);
	vtd_set64(&v->m, REG_VCCAP, vcs ? VCCAP_PAS : 0);
}

static void control_written(struct vvtd *v, struct vtd_event *ev, u32 val)
{
	vtd_set32(&v->m, ev->reg, val & ECTL_IM);
	vtd_event_service(&v->m, ev);
}

bool vv_has_command(const struct vvtd *v)
{
	return v->has_gcmd || v->drop_pasids ||
	       vtd_get64(&v->m, REG_CCMD) & CCMD_ICC ||
	       vtd_get64(&v->m, REG_IOTLB) & IOTLB_IVT;
}

/* "Global Command Register": what a command asks for takes effect here. */
static void gcmd_begin(struct vvtd *v)
{
	u32 changed = v->gcmd ^ v->m.gsts;

	v->has_gcmd = false;
	v->serving |= SERVE_GCMD;
	v->gsts = vtd_gsts_after(v->m.gsts, v->gcmd,
				 GCMD_TE | GCMD_QIE | GCMD_SRTP);
	if (v->gcmd & GCMD_SRTP)
		v->m.rtaddr = vtd_get64(&v->m, REG_RTADDR);
	if (changed & GCMD_TE)
		v->translate = v->gcmd & GCMD_TE;
	if (changed & GCMD_TE || (v->gcmd & GCMD_SRTP && v->translate))
		vv_stale_all(v);
	if (changed & v->gcmd & GCMD_QIE)
		vtd_queue_advance(&v->m, 0);
}

/* Invalidations by register are carried out at the widest granularity. */
void vv_commands_begin(struct vvtd *v)
{
	if (v->has_gcmd)
		gcmd_begin(v);
	if (vtd_get64(&v->m, REG_CCMD) & CCMD_ICC) {
		v->serving |= SERVE_CCMD;
		vv_stale_all(v);
	}
	if (vtd_get64(&v->m, REG_IOTLB) & IOTLB_IVT) {
		v->serving |= SERVE_IOTLB;
		v->batch.iotlb.all = true;
	}
}

/* The host has followed: let software see that its commands are done. */
void vv_commands_done(struct vvtd *v)
{
	u64 ccmd = vtd_get64(&v->m, REG_CCMD);
	u64 iotlb = vtd_get64(&v->m, REG_IOTLB);

	if (v->serving & SERVE_GCMD) {
		v->m.gsts = v->gsts;
		vtd_set32(&v->m, REG_GSTS, v->gsts);
	}
	/* "Actual Invalidation Granularity": global. */
	if (v->serving & SERVE_CCMD)
		vtd_set64(&v->m, REG_CCMD, CCMD_DONE(ccmd, 1));
	if (v->serving & SERVE_IOTLB)
		vtd_set64(&v->m, REG_IOTLB, IOTLB_DONE(iotlb, 1));
	v->serving = 0;
}

/* Registers that hold what is written; bits that do not, read as 0. */
static bool plain_mask(u32 reg, u32 *mask)
{
	static const struct {
		u16 reg;
		u32 mask;
	} plain[] = {
		{ REG_RTADDR, 0xfffffc00 }, { REG_RTADDR + 4, ~0u },
		{ REG_CCMD, ~0u }, { REG_CCMD + 4, ~0u },
		{ REG_IVA, ~0u }, { REG_IVA + 4, ~0u },
		{ REG_IOTLB, ~0u }, { REG_IOTLB + 4, ~0u },
		{ REG_FEDATA, ~0u }, { REG_FEADDR, ~3u }, { REG_FEUADDR, ~0u },
		{ REG_IEDATA, ~0u }, { REG_IEADDR, ~3u }, { REG_IEUADDR, ~0u },
		{ REG_PEDATA, ~0u }, { REG_PEADDR, ~3u }, { REG_PEUADDR, ~0u },
		{ REG_IQT, 0x0007fff0 }, { REG_IQA, 0xfffff807 },
		{ REG_IQA + 4, ~0u }, { REG_IRTA, ~0u }, { REG_IRTA + 4, ~0u },
		{ REG_PQH, 0x0007ffe0 }, { REG_PQT, 0x0007ffe0 },
		{ REG_PQA, 0xfffff007 }, { REG_PQA + 4, ~0u },
		{ REG_VCMD, ~0u }, { REG_VCMD + 4, ~0u },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		if (plain[i].reg == reg) {
			*mask = plain[i].mask;
			return true;
		}
	}
	return false;
}

static void write32(struct vvtd *v, u32 reg, u32 val)
{
	u32 mask;

	if (plain_mask(reg, &mask)) {
		/* What is about to be overwritten may hold page requests. */
		if (reg == REG_PQA || reg == REG_PQA + 4 || reg == REG_PQT)
			vv_page_queue_dropped(v);
		vtd_set32(&v->m, reg, val & mask);
		return;
	}
	switch (reg) {
	case REG_GCMD:
		v->gcmd = val;
		v->has_gcmd = true;
		break;
	case REG_FECTL:
		control_written(v, &v->m.ev_fault, val);
		break;
	case REG_IECTL:
		control_written(v, &v->m.ev_inv, val);
		break;
	case REG_PECTL:
		control_written(v, &v->m.ev_prq, val);
		break;
	case REG_FSTS:
		vtd_fault_status_clear(&v->m, val);
		break;
	case REG_ICS:
		vtd_ics_clear(&v->m, val);
		break;
	case REG_PRS:
		vtd_prs_clear(&v->m, val);
		break;
	default:
		vv_fault_record_written(v, reg, val);
	}
	publish(&v->m);
}

/* What a write starts, once all of it is in the register. */
static void written(struct vvtd *v, u32 reg)
{
	if (reg == REG_VCMD)
		vv_virtual_command(v);
	if (reg == REG_PQH)
		vv_page_queue_moved(v);
}

static bool is_access(u64 offset, unsigned int size)
{
	if (size != 4 && size != 8)
		return false;
	return offset % size == 0 && offset <= VVTD_REGISTERS - size;
}

uint64_t vvtd_read(struct vvtd *v, uint64_t offset, unsigned int size)
{
	if (!is_access(offset, size))
		return 0;
	return size == 8 ? vtd_get64(&v->m, offset) : vtd_get32(&v->m, offset);
}

void vvtd_write(struct vvtd *v, uint64_t offset, unsigned int size,
		uint64_t value)
{
	if (!is_access(offset, size))
		return;
	write32(v, offset, (u32)value);
	if (size == 8)
		write32(v, offset + 4, value >> 32);
	written(v, offset);
	if (size == 8)
		written(v, offset + 4);
}
