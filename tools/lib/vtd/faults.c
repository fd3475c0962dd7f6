// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Faults that the host tells of, into the guest's fault log.
 */
#include "unit.h"

void vv_fault(struct vvtd *v, u16 sid, const struct vvtd_fault *f)
{
	v->stats.faults++;
	vtd_fault_record(&v->m, &(struct vtd_fault){
		.addr = f->addr, .pasid = f->pasid, .sid = sid,
		.reason = f->reason, .t1 = !f->write,
		.has_pasid = f->has_pasid, .exec = f->exec,
		.priv = f->privileged,
	});
}

/* Software clears a record by writing 1 to its F. */
void vv_fault_record_written(struct vvtd *v, u32 reg, u32 val)
{
	u32 index = (reg - REG_FRCD) / 16;

	if (reg < REG_FRCD || index >= v->cfg.fault_records ||
	    reg % 16 != 12 || !(val & FRCD_W3_F))
		return;
	vtd_fault_record_clear(&v->m, index);
	vtd_fault_records_settle(&v->m);
}
