// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Fault Logging": fault recording registers, fault status, fault event.
 */
#include "model.h"

static void write_record(struct vtd_model *m, u32 index,
			 const struct vtd_fault *f)
{
	u32 w3 = FRCD_W3_F | FRCD_W3_AT(f->at) | f->reason;
	u32 w2 = f->sid;
	u32 reg = vtd_record_reg(index);

	w3 |= f->t1 ? FRCD_W3_T1 : 0;
	w2 |= f->t2 ? FRCD_W2_T2 : 0;
	if (f->has_pasid) {
		w3 |= FRCD_W3_PV(f->pasid & 0xfffff);
		w2 |= FRCD_W2_PP;
		w2 |= f->exec ? FRCD_W2_EXE : 0;
		w2 |= f->priv ? FRCD_W2_PRIV : 0;
	}
	vtd_set64(m, reg, page_of(f->addr));
	vtd_set32(m, reg + 8, w2);
	vtd_set32(m, reg + 12, w3);
	m->fault_top[index] = w3;
}

/*
 * The event is raised whenever the first condition appears, even while an
 * overflow is still being cleared: a record is never left without its interrupt.
 */
void vtd_fault_status_set(struct vtd_model *m, u32 bit)
{
	bool was = m->fsts & bit;

	m->fsts |= bit;
	m->ops->publish(m);
	if (!was && bit != FSTS_PFO)
		vtd_event_raise(m, &m->ev_fault);
}

/* "Primary Fault Logging" */
void vtd_fault_record(struct vtd_model *m, const struct vtd_fault *f)
{
	u32 index = m->fault_next;

	if (m->fsts & FSTS_PFO)
		return;
	if (vtd_record_pending(m, index)) {
		vtd_fault_status_set(m, FSTS_PFO);
		return;
	}
	write_record(m, index, f);
	m->fault_next = (index + 1) % vtd_nr_records(m);
	if (m->fsts & FSTS_PPF)
		return;
	m->fsts = (m->fsts & 0xff) | FSTS_FRI(index);
	vtd_fault_status_set(m, FSTS_PPF);
}

static void settle(struct vtd_model *m)
{
	if (!(m->fsts & (FSTS_PPF | FSTS_RW1C)))
		vtd_event_clear(m, &m->ev_fault);
}

void vtd_fault_status_clear(struct vtd_model *m, u32 written)
{
	m->fsts &= ~(written & FSTS_RW1C);
	if (written & FSTS_IQE)
		vtd_set64(m, REG_IQERCD, vtd_get64(m, REG_IQERCD) & ~15ULL);
	settle(m);
}

void vtd_fault_record_clear(struct vtd_model *m, u32 index)
{
	m->fault_top[index] &= ~FRCD_W3_F;
	vtd_set32(m, vtd_record_reg(index) + 12, m->fault_top[index]);
}

/* PPF is the OR of all F. */
bool vtd_fault_records_settle(struct vtd_model *m)
{
	u32 i;

	for (i = 0; i < vtd_nr_records(m); i++) {
		if (vtd_record_pending(m, i))
			return false;
	}
	m->fsts &= 0xff & ~FSTS_PPF;
	settle(m);
	return true;
}
