// SPDX-License-Identifier: GPL-2.0-only
/*
 * "Register Descriptions": a page of memory that software believes to be
 * registers.
 *
 * The simulator sees what stands in memory, not who wrote it when.  So:
 * - GCMD is a mailbox (command.c).
 * - Write-1-to-clear registers are shown with a reserved bit beside the status
 *   bits, so that software's write differs from what was shown.
 * - What both sides write is changed by compare-and-swap only.
 */
#include "base.h"
#include "command.h"
#include "faults.h"
#include "invalidation.h"
#include "model.h"
#include "oracle.h"
#include "page_requests.h"
#include "platform.h"
#include "registers.h"
#include "state.h"
#include "trace.h"
#include "vtd.h"

#define W1C_MARK	0x80000000u

#define VERSION(major)	((major) << 4)
#define VERSION_QUEUE_ONLY	6	/* no invalidation by registers from here on */

static void *memory(struct vtd_model *m, u64 gpa, size_t len, bool write)
{
	(void)write;
	return ram_ptr(&container_of(m, struct unit, m)->sim->ram, gpa, len);
}

static void send_message(struct vtd_model *m, const struct vtd_event *ev,
			 u64 addr, u32 data)
{
	struct unit *u = container_of(m, struct unit, m);
	const char *name = ev == &m->ev_fault ? "fault" :
			   ev == &m->ev_prq ? "page request" : "invalidation";

	trace_note(u, "%s event: message %#x to %#llx", name, data, addr);
	sim_msi(u->sim, addr, data);
}

/* Take what software wrote, if it wrote; returns the bits to clear. */
static u32 w1c_written(struct unit *u, u32 reg, u32 *shown)
{
	u32 seen = reg_read32(u, reg);
	u32 written = 0;

	if (seen == *shown)
		return 0;
	written = seen & ~W1C_MARK;
	*shown = seen;
	return written;
}

static void w1c_show(struct unit *u, u32 reg, u32 *shown, u32 val)
{
	u32 show = val ? val | W1C_MARK : 0;
	u32 old = *shown;

	if (show != old && cmpxchg((u32 *)(u->m.regs + reg), &old, show))
		*shown = show;
}

/* Status registers, as they are now. */
static void publish(struct vtd_model *m)
{
	struct unit *u = container_of(m, struct unit, m);

	w1c_show(u, REG_FSTS, &u->fsts_shown, m->fsts);
	w1c_show(u, REG_ICS, &u->ics_shown, m->ics);
	w1c_show(u, REG_PRS, &u->prs_shown, m->prs);
}

static void poll_w1c(struct unit *u)
{
	u32 written;

	written = w1c_written(u, REG_FSTS, &u->fsts_shown);
	if (written)
		vtd_fault_status_clear(&u->m, written);
	written = w1c_written(u, REG_ICS, &u->ics_shown);
	if (written)
		vtd_ics_clear(&u->m, written);
	written = w1c_written(u, REG_PRS, &u->prs_shown);
	if (written)
		page_request_status_clear(u, written);
	publish(&u->m);
}

/*
 * Whether an event is due depends on what software cleared, even a moment ago;
 * the fence orders what the event is about before the look at the registers.
 */
static void take_written(struct vtd_model *m)
{
	struct unit *u = container_of(m, struct unit, m);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	faults_poll(u);
	poll_w1c(u);
}

static void queued(struct vtd_model *m, u32 offset, const u64 *entry,
		   bool first)
{
	page_request_queued(container_of(m, struct unit, m), offset, entry,
			    first);
}

static const struct vtd_model_ops model_ops = {
	.ptr = memory,
	.msi = send_message,
	.sync = take_written,
	.publish = publish,
	.queued = queued,
};

void registers_init(struct unit *u)
{
	const struct vtd_features *f = &u->cfg.features;

	u->m.ops = &model_ops;
	u->m.caps = (struct vtd_caps){
		.cap = vtd_capability(f) | CAP_ZLR,
		.ecap = vtd_extended_capability(f) | ECAP_RPS | ECAP_RPRIVS,
		.haw = u->cfg.haw,
	};
	vtd_model_init(&u->m, VERSION(u->cfg.ver));
	command_init(u);
}

/*
 * "Register-based Invalidation Interface": of units with a lower version, while
 * the queue is not enabled and the mode is not scalable.  Else a command is
 * ignored, and the granularity that was carried out is none.
 */
static bool registers_invalidate(const struct unit *u)
{
	return u->cfg.ver < VERSION_QUEUE_ONLY && !(u->m.gsts & GCMD_QIE) &&
	       unit_is_legacy(u);
}

/* "Context Command Register", carried out as the descriptor would be. */
static bool poll_ccmd(struct unit *u)
{
	u64 cmd = reg_read64(u, REG_CCMD);
	u64 g = CCMD_CIRG(cmd);
	const u64 d = g << 4 | CCMD_DID(cmd) << 16 | CCMD_SID(cmd) << 32 |
		      CCMD_FM(cmd) << 48;

	if (!(cmd & CCMD_ICC))
		return false;
	if (g && registers_invalidate(u)) {
		invalidation_context(u, &d);
		oracle_waited(u);
	} else {
		g = 0;
	}
	trace_note(u, "context command %#llx: granularity %llu", cmd, g);
	reg_write64(u, REG_CCMD, CCMD_DONE(cmd, g));
	return true;
}

/* "IOTLB Invalidate Register" */
static bool poll_iotlb(struct unit *u)
{
	u64 cmd = reg_read64(u, REG_IOTLB);
	u64 iva = reg_read64(u, REG_IVA);
	u64 g = IOTLB_IIRG(cmd);
	const u64 d[] = {
		g << 4 | IOTLB_REG_DID(cmd) << 16 |
		(IOTLB_REG_DR(cmd) ? IOTLB_DR : 0) |
		(IOTLB_REG_DW(cmd) ? IOTLB_DW : 0), iva,
	};

	if (!(cmd & IOTLB_IVT))
		return false;
	if (g == 3 && bits(iva, 5, 0) > u->cfg.mamv)
		g = 0;
	if (g && registers_invalidate(u)) {
		invalidation_iotlb(u, d);
		oracle_waited(u);
		/* Without PSI the whole domain. */
		g = g == 3 && !u->cfg.psi ? 2 : g;
	} else {
		g = 0;
	}
	trace_note(u, "IOTLB command %#llx: granularity %llu", cmd, g);
	reg_write64(u, REG_IOTLB, IOTLB_DONE(cmd, g));
	return true;
}

bool registers_poll(struct unit *u)
{
	bool busy = command_poll(u);

	busy |= poll_ccmd(u);
	busy |= poll_iotlb(u);
	faults_poll(u);
	poll_w1c(u);
	faults_watch(u);
	page_requests_watch(u);
	busy |= vtd_event_service(&u->m, &u->m.ev_fault);
	busy |= vtd_event_service(&u->m, &u->m.ev_inv);
	busy |= vtd_event_service(&u->m, &u->m.ev_prq);
	return busy;
}
