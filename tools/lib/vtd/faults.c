// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Fault Logging": fault recording registers, fault status, fault event.
 */
#include "unit.h"

static u32 record_reg(u32 index)
{
	return REG_FRCD + index * 16;
}

static bool is_pending(const struct vvtd *v, u32 index)
{
	return vv_get32(v, record_reg(index) + 12) & FRCD_W3_F;
}

static void write_record(struct vvtd *v, u32 index, u16 sid,
			 const struct vvtd_fault *f)
{
	u32 w3 = FRCD_W3_F | f->reason;
	u32 w2 = sid;
	u32 reg = record_reg(index);

	w3 |= f->write ? 0 : FRCD_W3_T1;
	if (f->has_pasid) {
		w3 |= FRCD_W3_PV(f->pasid & 0xfffff);
		w2 |= FRCD_W2_PP;
		w2 |= f->exec ? FRCD_W2_EXE : 0;
		w2 |= f->privileged ? FRCD_W2_PRIV : 0;
	}
	vv_set64(v, reg, page_of(f->addr));
	vv_set32(v, reg + 8, w2);
	vv_set32(v, reg + 12, w3);
}

/* The event is raised when the first condition appears. */
void vv_fault_status(struct vvtd *v, u32 bit)
{
	u32 fsts = vv_get32(v, REG_FSTS);

	vv_set32(v, REG_FSTS, fsts | bit);
	if (!(fsts & bit) && bit != FSTS_PFO)
		vv_event(v, REG_FECTL);
}

/* "Primary Fault Logging" */
void vv_fault(struct vvtd *v, u16 sid, const struct vvtd_fault *f)
{
	u32 fsts = vv_get32(v, REG_FSTS);
	u32 index = v->fault_next;

	v->stats.faults++;
	if (fsts & FSTS_PFO)
		return;
	if (is_pending(v, index)) {
		vv_fault_status(v, FSTS_PFO);
		return;
	}
	write_record(v, index, sid, f);
	v->fault_next = (index + 1) % v->cfg.fault_records;
	if (fsts & FSTS_PPF)
		return;
	vv_set32(v, REG_FSTS, (fsts & 0xff) | FSTS_FRI(index));
	vv_fault_status(v, FSTS_PPF);
}

static void settle(struct vvtd *v)
{
	if (!(vv_get32(v, REG_FSTS) & (FSTS_PPF | FSTS_RW1C)))
		vv_event_clear(v, REG_FECTL);
}

void vv_fault_status_written(struct vvtd *v, u32 val)
{
	if (val & FSTS_IQE)
		vv_set32(v, REG_IQERCD, vv_get32(v, REG_IQERCD) & ~15u);
	vv_set32(v, REG_FSTS, vv_get32(v, REG_FSTS) & ~(val & FSTS_RW1C));
	settle(v);
}

/* PPF is the OR of all F; software clears one by writing 1 to it. */
void vv_fault_record_written(struct vvtd *v, u32 reg, u32 val)
{
	u32 i;

	if (reg < REG_FRCD || reg >= record_reg(v->cfg.fault_records) ||
	    reg % 16 != 12 || !(val & FRCD_W3_F))
		return;
	vv_set32(v, reg, vv_get32(v, reg) & ~FRCD_W3_F);
	for (i = 0; i < v->cfg.fault_records; i++) {
		if (is_pending(v, i))
			return;
	}
	vv_set32(v, REG_FSTS, vv_get32(v, REG_FSTS) & 0xff & ~FSTS_PPF);
	settle(v);
}
