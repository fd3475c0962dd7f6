// SPDX-License-Identifier: GPL-2.0-only
/*
 * "Fault Logging": fault recording registers, fault status, fault event.
 */
#include "faults.h"
#include "model.h"
#include "request.h"
#include "state.h"
#include "vtd.h"

#define FAULT_QUIET	1000	/* rounds without a record being cleared */

/* "Primary Fault Logging"; "Fault Recording Registers": T1 and T2 */
void fault_record(struct unit *u, const struct request *rq, u8 reason)
{
	const struct vtd_fault f = {
		.addr = rq->addr, .pasid = rq->pasid, .sid = rq->sid,
		.reason = reason, .at = rq->at,
		.t1 = rq->read && !rq->page_request,
		.t2 = rq->page_request ||
		      (rq->read && rq->write && rq->at == AT_UNTRANSLATED),
		.has_pasid = rq->has_pasid, .exec = rq->exec, .priv = rq->priv,
	};
	bool was;

	vtd_sync(&u->m);
	u->cnt.u_faults++;
	u->cnt.u_faults_by_reason[reason]++;
	was = u->m.fsts & FSTS_PPF;
	vtd_fault_record(&u->m, &f);
	if (!was)
		u->fault_handled = false;
}

/* Software clears a record by writing 1 to its F, alone in the top word. */
static bool record_cleared(struct unit *u, u32 index)
{
	u32 seen;

	if (!vtd_record_pending(&u->m, index))
		return false;
	seen = reg_read32(u, vtd_record_reg(index) + 12);
	if (seen == u->m.fault_top[index] || !(seen & FRCD_W3_F))
		return false;
	u->m.fault_top[index] = seen;
	vtd_fault_record_clear(&u->m, index);
	return true;
}

void faults_poll(struct unit *u)
{
	u32 i;

	if (!(u->m.fsts & FSTS_PPF))
		return;
	for (i = 0; i < u->cfg.nfr; i++) {
		if (record_cleared(u, i)) {
			u->fault_handled = true;
			u->fault_quiet = 0;
		}
	}
	vtd_fault_records_settle(&u->m);
}

/* Records are filled in turn: the oldest pending one follows the newest. */
static u32 oldest_record(const struct unit *u)
{
	u32 i = u->m.fault_next;

	while (!vtd_record_pending(&u->m, i))
		i = (i + 1) % u->cfg.nfr;
	return i;
}

/*
 * Software cleared records and went away, but one is left: it was recorded
 * while the last clear was still on its way, so PPF never read 0 here, as it
 * would have in hardware.  Make up for the event.
 */
void faults_watch(struct unit *u)
{
	struct vtd_model *m = &u->m;

	if (!(m->fsts & FSTS_PPF) || !u->fault_handled || m->ev_fault.pending ||
	    u->fault_quiet++ < FAULT_QUIET)
		return;
	u->fault_handled = false;
	m->fsts = (m->fsts & 0xff) | FSTS_FRI(oldest_record(u));
	m->ops->publish(m);
	vtd_event_raise(m, &m->ev_fault);
}

const char *fault_text(u8 reason)
{
	static const char * const text[256] = {
		[FR_NONE] = "none",
		[FR_LRT_1] = "LRT.1 root entry unreachable",
		[FR_LRT_2] = "LRT.2 root entry not present",
		[FR_LRT_3] = "LRT.3 root entry: reserved field",
		[FR_LCT_1] = "LCT.1 context entry unreachable",
		[FR_LCT_2] = "LCT.2 context entry not present",
		[FR_LCT_3] = "LCT.3 context entry: reserved field",
		[FR_LCT_4] = "LCT.4 context entry: invalid programming",
		[FR_LCT_5] = "LCT.5 translation or translated request, blocked by TT",
		[FR_LSS_1] = "LSS.1 second-stage entry unreachable",
		[FR_LSS_2] = "LSS.2 second-stage entry: reserved field",
		[FR_LGN_1] = "LGN.1 address beyond the width",
		[FR_LGN_2] = "LGN.2 no write permission",
		[FR_LGN_3] = "LGN.3 no read permission",
		[FR_LGN_4] = "LGN.4 interrupt address range",
		[FR_RTA_1] = "RTA.1 translation table mode invalid",
		[FR_RTA_2] = "RTA.2 request with PASID in legacy mode",
		[FR_RTA_3] = "RTA.3 page request in legacy mode",
		[FR_RTA_4] = "RTA.4 any request in abort-DMA mode",
		[FR_SRT_1] = "SRT.1 root entry unreachable",
		[FR_SRT_2] = "SRT.2 root entry not present",
		[FR_SRT_3] = "SRT.3 root entry: reserved field",
		[FR_SCT_1] = "SCT.1 context entry unreachable",
		[FR_SCT_2] = "SCT.2 context entry not present",
		[FR_SCT_3] = "SCT.3 context entry: reserved field",
		[FR_SCT_4] = "SCT.4 context entry invalid",
		[FR_SCT_5] = "SCT.5 device TLB not enabled",
		[FR_SCT_6] = "SCT.6 PASID not enabled",
		[FR_SCT_7] = "SCT.7 PASID beyond the directory",
		[FR_SCT_8] = "SCT.8 page requests not enabled",
		[FR_SCT_9] = "SCT.9 RID_PASID beyond the directory",
		[FR_SPD_1] = "SPD.1 PASID directory entry unreachable",
		[FR_SPD_2] = "SPD.2 PASID directory entry not present",
		[FR_SPD_3] = "SPD.3 PASID directory entry: reserved field",
		[FR_SPT_1] = "SPT.1 PASID-table entry unreachable",
		[FR_SPT_2] = "SPT.2 PASID-table entry not present",
		[FR_SPT_3] = "SPT.3 PASID-table entry: reserved field",
		[FR_SPT_4] = "SPT.4 PASID-table entry invalid",
		[FR_SPT_5] = "SPT.5 execute request not enabled",
		[FR_SPT_6] = "SPT.6 supervisor request not enabled",
		[FR_SFS_1] = "SFS.1 first-stage entry unreachable",
		[FR_SFS_2] = "SFS.2 first-stage entry not present",
		[FR_SFS_3] = "SFS.3 first-stage entry: reserved field",
		[FR_SFS_4] = "SFS.4 first-stage root table unreachable",
		[FR_SFS_5] = "SFS.5 first-stage table beyond the second stage",
		[FR_SFS_6] = "SFS.6 first-stage root table not readable",
		[FR_SFS_7] = "SFS.7 first-stage table not readable",
		[FR_SFS_8] = "SFS.8 first-stage table not writable for A/D",
		[FR_SFS_9] = "SFS.9 first-stage A/D update without snoop",
		[FR_SSS_1] = "SSS.1 second-stage entry unreachable",
		[FR_SSS_2] = "SSS.2 second-stage entry not present",
		[FR_SSS_3] = "SSS.3 second-stage entry: reserved field",
		[FR_SSS_4] = "SSS.4 second-stage root table unreachable",
		[FR_SSS_5] = "SSS.5 second-stage A/D update without snoop",
		[FR_SGN_1] = "SGN.1 address not canonical",
		[FR_SGN_2] = "SGN.2 user request to a supervisor page",
		[FR_SGN_3] = "SGN.3 no execute permission",
		[FR_SGN_4] = "SGN.4 address beyond the host address width",
		[FR_SGN_5] = "SGN.5 address beyond the second stage",
		[FR_SGN_6] = "SGN.6 no write permission",
		[FR_SGN_7] = "SGN.7 no read permission",
		[FR_SGN_8] = "SGN.8 interrupt address range",
	};

	return text[reason] ? text[reason] : "unknown";
}
