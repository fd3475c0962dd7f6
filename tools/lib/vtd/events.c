// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The state after a reset, and events that are signalled by message.
 */
#include <string.h>
#include "model.h"

void vtd_model_init(struct vtd_model *m, u32 version)
{
	*m = (struct vtd_model){
		.ops = m->ops, .caps = m->caps, .regs = m->regs,
		.ev_fault.reg = REG_FECTL, .ev_inv.reg = REG_IECTL,
		.ev_prq.reg = REG_PECTL,
	};
	memset(m->regs, 0, 4096);
	vtd_set32(m, REG_VER, version);
	vtd_set64(m, REG_CAP, m->caps.cap);
	vtd_set64(m, REG_ECAP, m->caps.ecap);
	vtd_set32(m, REG_FECTL, ECTL_IM);
	vtd_set32(m, REG_IECTL, ECTL_IM);
	vtd_set32(m, REG_PECTL, ECTL_IM);
}

bool vtd_event_service(struct vtd_model *m, struct vtd_event *ev)
{
	u32 ctl = vtd_get32(m, ev->reg);
	u32 show;

	if (ev->pending && !(ctl & ECTL_IM)) {
		ev->pending = false;
		m->ops->msi(m, ev, vtd_get64(m, ev->reg + 8),
			    vtd_get32(m, ev->reg + 4));
	}
	show = (ctl & ECTL_IM) | (ev->pending ? ECTL_IP : 0);
	return show != ctl &&
	       cmpxchg((u32 *)(m->regs + ev->reg), &ctl, show);
}

void vtd_event_raise(struct vtd_model *m, struct vtd_event *ev)
{
	ev->pending = true;
	vtd_event_service(m, ev);
}

void vtd_event_clear(struct vtd_model *m, struct vtd_event *ev)
{
	ev->pending = false;
	vtd_event_service(m, ev);
}

void vtd_ics_clear(struct vtd_model *m, u32 written)
{
	if (!(written & m->ics & ICS_IWC))
		return;
	m->ics = 0;
	vtd_event_clear(m, &m->ev_inv);
}

void vtd_prs_clear(struct vtd_model *m, u32 written)
{
	m->prs &= ~written;
	m->prs_again &= ~written;
	if (!m->prs)
		vtd_event_clear(m, &m->ev_prq);
}
