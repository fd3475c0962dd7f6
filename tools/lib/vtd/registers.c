// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Register Descriptions": the register page, as the guest reads and writes it.
 */
#include <string.h>
#include "unit.h"

#define VERSION		0x60	/* 6.0 */
#define MAMV		18	/* the mask of a page-selective invalidation */

u32 vv_get32(const struct vvtd *v, u32 reg)
{
	u32 val;

	memcpy(&val, v->regs + reg, 4);
	return val;
}

u64 vv_get64(const struct vvtd *v, u32 reg)
{
	return vv_get32(v, reg) | (u64)vv_get32(v, reg + 4) << 32;
}

void vv_set32(struct vvtd *v, u32 reg, u32 val)
{
	memcpy(v->regs + reg, &val, 4);
}

void vv_set64(struct vvtd *v, u32 reg, u64 val)
{
	vv_set32(v, reg, (u32)val);
	vv_set32(v, reg + 4, val >> 32);
}

/*
 * "Capability Register".  CM: the guest has to tell of entries that become
 * present, too.
 */
static u64 capability(const struct vvtd_config *c)
{
	u64 cap = CAP_ND(6) | CAP_CM | CAP_SAGAW(4) | CAP_MGAW(47) |
		  CAP_FRO(REG_FRCD / 16) | CAP_PSI | CAP_MAMV(MAMV) |
		  CAP_NFR(c->fault_records - 1) | CAP_DWD | CAP_DRD;

	cap |= c->second_stage ? CAP_SSLPS(3) : 0;
	cap |= c->huge_pages ? CAP_FS1GP : 0;
	cap |= c->five_level ? CAP_FS5LP : 0;
	return cap;
}

/* "Extended Capability Register" */
static u64 extended_capability(const struct vvtd_config *c)
{
	const struct {
		bool on;
		u64 set;
	} flags[] = {
		{ c->coherent, ECAP_C | ECAP_SMPWCS },
		{ c->snoop_control, ECAP_SC }, { c->device_tlb, ECAP_DT },
		{ c->pass_through, ECAP_PT }, { c->supervisor, ECAP_SRS },
		{ c->extended_access, ECAP_EAFS },
		{ c->page_requests, ECAP_PRS }, { c->page_drain, ECAP_PDS },
		{ c->second_stage, ECAP_SSTS },
		{ c->virtual_commands, ECAP_VCS },
	};
	u64 ecap = ECAP_QI | ECAP_IRO(REG_IVA / 16) | ECAP_PASID |
		   ECAP_PSS(c->pasid_bits - 1) | ECAP_SMTS | ECAP_FSTS;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		ecap |= flags[i].on ? flags[i].set : 0;
	return ecap;
}

void vv_registers_init(struct vvtd *v)
{
	memset(v->regs, 0, sizeof(v->regs));
	v->caps.cap = capability(&v->cfg);
	v->caps.ecap = extended_capability(&v->cfg);
	v->caps.haw = v->cfg.address_bits;
	vv_set32(v, REG_VER, VERSION);
	vv_set64(v, REG_CAP, v->caps.cap);
	vv_set64(v, REG_ECAP, v->caps.ecap);
	vv_set64(v, REG_VCCAP, v->cfg.virtual_commands ? VCCAP_PAS : 0);
	vv_set32(v, REG_FECTL, ECTL_IM);
	vv_set32(v, REG_IECTL, ECTL_IM);
	vv_set32(v, REG_PECTL, ECTL_IM);
}

/* A message, unless it is masked: then it stays pending. */
void vv_event(struct vvtd *v, u32 ctl)
{
	if (vv_get32(v, ctl) & ECTL_IM) {
		vv_set32(v, ctl, ECTL_IM | ECTL_IP);
		return;
	}
	vv_set32(v, ctl, 0);
	v->ops.msi(v->ctx, vv_get64(v, ctl + 8), vv_get32(v, ctl + 4));
}

/* Software has dealt with what a masked event was to tell it. */
void vv_event_clear(struct vvtd *v, u32 ctl)
{
	vv_set32(v, ctl, vv_get32(v, ctl) & ECTL_IM);
}

static void control_written(struct vvtd *v, u32 ctl, u32 val)
{
	bool pending = vv_get32(v, ctl) & ECTL_IP;

	vv_set32(v, ctl, val & ECTL_IM);
	if (pending)
		vv_event(v, ctl);
}

u32 vv_gsts(const struct vvtd *v)
{
	return vv_get32(v, REG_GSTS);
}

bool vv_has_command(const struct vvtd *v)
{
	return v->has_gcmd || v->drop_pasids ||
	       vv_get64(v, REG_CCMD) & CCMD_ICC ||
	       vv_get64(v, REG_IOTLB) & IOTLB_IVT;
}

/* "Global Command Register": what a command asks for takes effect here. */
static void gcmd_begin(struct vvtd *v)
{
	u32 changed = v->gcmd ^ vv_gsts(v);

	v->has_gcmd = false;
	v->serving |= SERVE_GCMD;
	v->gsts = v->gcmd & (GCMD_TE | GCMD_QIE | GCMD_SRTP);
	v->gsts |= vv_gsts(v) & GCMD_SRTP;
	if (v->gcmd & GCMD_SRTP)
		v->rtaddr = vv_get64(v, REG_RTADDR);
	if (changed & GCMD_TE)
		v->translate = v->gcmd & GCMD_TE;
	if (changed & GCMD_TE || (v->gcmd & GCMD_SRTP && v->translate))
		vv_stale_all(v);
	if (changed & v->gcmd & GCMD_QIE)
		vv_set64(v, REG_IQH, 0);
}

/* Invalidations by register are carried out at the widest granularity. */
void vv_commands_begin(struct vvtd *v)
{
	if (v->has_gcmd)
		gcmd_begin(v);
	if (vv_get64(v, REG_CCMD) & CCMD_ICC) {
		v->serving |= SERVE_CCMD;
		vv_stale_all(v);
	}
	if (vv_get64(v, REG_IOTLB) & IOTLB_IVT) {
		v->serving |= SERVE_IOTLB;
		v->batch.iotlb.all = true;
	}
}

/* The host has followed: let software see that its commands are done. */
void vv_commands_done(struct vvtd *v)
{
	u64 ccmd = vv_get64(v, REG_CCMD) & ~(CCMD_ICC | CCMD_CAIG);
	u64 iotlb = vv_get64(v, REG_IOTLB) & ~(IOTLB_IVT | IOTLB_IAIG);

	if (v->serving & SERVE_GCMD)
		vv_set32(v, REG_GSTS, v->gsts);
	/* "Actual Invalidation Granularity": global. */
	if (v->serving & SERVE_CCMD)
		vv_set64(v, REG_CCMD, ccmd | 1ULL << 59);
	if (v->serving & SERVE_IOTLB)
		vv_set64(v, REG_IOTLB, iotlb | 1ULL << 57);
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

static void ics_written(struct vvtd *v, u32 val)
{
	if (!(val & vv_get32(v, REG_ICS) & ICS_IWC))
		return;
	vv_set32(v, REG_ICS, 0);
	vv_event_clear(v, REG_IECTL);
}

static void prs_written(struct vvtd *v, u32 val)
{
	u32 prs = vv_get32(v, REG_PRS) & ~val;

	vv_set32(v, REG_PRS, prs);
	if (!prs)
		vv_event_clear(v, REG_PECTL);
}

static void write32(struct vvtd *v, u32 reg, u32 val)
{
	u32 mask;

	if (plain_mask(reg, &mask)) {
		/* What is about to be overwritten may hold page requests. */
		if (reg == REG_PQA || reg == REG_PQA + 4 || reg == REG_PQT)
			vv_page_queue_dropped(v);
		vv_set32(v, reg, val & mask);
		return;
	}
	switch (reg) {
	case REG_GCMD:
		v->gcmd = val;
		v->has_gcmd = true;
		break;
	case REG_FECTL:
	case REG_IECTL:
	case REG_PECTL:
		control_written(v, reg, val);
		break;
	case REG_FSTS:
		vv_fault_status_written(v, val);
		break;
	case REG_ICS:
		ics_written(v, val);
		break;
	case REG_PRS:
		prs_written(v, val);
		break;
	default:
		vv_fault_record_written(v, reg, val);
	}
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
	return size == 8 ? vv_get64(v, offset) : vv_get32(v, offset);
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
