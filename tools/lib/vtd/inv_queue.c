// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Queued Invalidation Interface": the queue itself, and how it ends.
 */
#include "model.h"

bool vtd_queue_ready(const struct vtd_model *m, u32 *tail)
{
	if (!(m->gsts & GCMD_QIE) || m->fsts & (FSTS_IQE | FSTS_ITE))
		return false;
	*tail = vtd_get64(m, REG_IQT);
	return *tail != m->iqh;
}

u8 vtd_queue_fetch(struct vtd_model *m, u64 iqa, u32 at, u64 *d)
{
	u32 words = iqa & IQA_DW ? 4 : 2;
	const u64 *p = m->ops->ptr(m, page_of(iqa) + at, words * 8, false);
	u32 i;

	if (!p)
		return IQEI_FETCH;
	for (i = 0; i < 4; i++)
		d[i] = i < words ? load_acquire(&p[i]) : 0;
	return vtd_check_descriptor(&m->caps, d, iqa & IQA_DW,
				    RTADDR_TTM(m->rtaddr));
}

u32 vtd_queue_after(u64 iqa, u32 at)
{
	return (at + (iqa & IQA_DW ? 32 : 16)) % (0x1000u << IQA_QS(iqa));
}

void vtd_queue_advance(struct vtd_model *m, u32 head)
{
	m->iqh = head;
	vtd_set64(m, REG_IQH, head);
}

void vtd_queue_error(struct vtd_model *m, u8 info)
{
	vtd_set64(m, REG_IQERCD, (vtd_get64(m, REG_IQERCD) & ~15ULL) | info);
	vtd_fault_status_set(m, FSTS_IQE);
}

void vtd_queue_timed_out(struct vtd_model *m, u16 sid)
{
	u64 rest = vtd_get64(m, REG_IQERCD) & ~GENMASK_ULL(47, 32);

	vtd_set64(m, REG_IQERCD, rest | IQERCD_ITESID(sid));
	vtd_fault_status_set(m, FSTS_ITE);
}

static void completion_event(struct vtd_model *m)
{
	vtd_sync(m);
	if (m->ics & ICS_IWC)
		return;
	m->ics |= ICS_IWC;
	m->ops->publish(m);
	vtd_event_raise(m, &m->ev_inv);
}

void vtd_queue_waited(struct vtd_model *m, const u64 *d)
{
	u32 *status;

	if (d[0] & WAIT_SW) {
		status = m->ops->ptr(m, d[1] & ~3ULL, 4, true);
		if (status)
			store_release(status, (u32)bits(d[0], 63, 32));
	}
	if (d[0] & WAIT_IF)
		completion_event(m);
}
