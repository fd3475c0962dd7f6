// SPDX-License-Identifier: GPL-2.0-only
/*
 * "Global Command Register": a mailbox.  It holds a reserved bit when idle, hence
 * any command, even 0, can be seen; the state stands in GSTS.
 */
#include "caches.h"
#include "command.h"
#include "model.h"
#include "state.h"
#include "trace.h"
#include "vtd.h"

#define GCMD_IDLE	1u

/*
 * "Write Buffer Flushing", by command or as a part of an invalidation.  A unit
 * that needs it may have seen the tables as they were before: what it saw is kept
 * as a cached fault.
 */
void write_buffer_flush(struct unit *u)
{
	if (!u->cfg.rwbf || u->cfg.cm)
		return;
	sid_cache_drop_faults(&u->ctx);
	pasid_cache_drop_faults(&u->pasids);
	cache_drop_faults(&u->iotlb);
}

/* A fresh queue begins at its base. */
static void queue_begin(struct unit *u)
{
	u->iqt_seen = 0;
	u->iq_early = NOT_EARLY;
	vtd_queue_advance(&u->m, 0);
}

void command_init(struct unit *u)
{
	reg_write32(u, REG_GCMD, GCMD_IDLE);
}

/* Taken whole; true if there was one. */
bool command_poll(struct unit *u)
{
	const u32 known = GCMD_TE | GCMD_QIE | GCMD_IRE | GCMD_CFI |
			  GCMD_SRTP | GCMD_SIRTP;
	u32 cmd = reg_read32(u, REG_GCMD);
	u32 was = u->m.gsts;

	if (cmd == GCMD_IDLE)
		return false;
	cmd = __atomic_exchange_n((u32 *)(u->m.regs + REG_GCMD), GCMD_IDLE,
				  __ATOMIC_ACQ_REL);
	if (cmd & GCMD_SRTP)
		u->m.rtaddr = reg_read64(u, REG_RTADDR);
	if (cmd & GCMD_WBF)
		write_buffer_flush(u);
	if (!u->cfg.qi)
		cmd &= ~GCMD_QIE;
	u->m.gsts = vtd_gsts_after(was, cmd, known);
	if (~was & u->m.gsts & GCMD_QIE)
		queue_begin(u);
	trace_note(u, "GCMD %#x: GSTS %#x", cmd, u->m.gsts);
	reg_write32(u, REG_GSTS, u->m.gsts);
	return true;
}
