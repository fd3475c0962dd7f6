// SPDX-License-Identifier: GPL-2.0-only
/*
 * "Register Descriptions": a page of the guest's memory that its driver believes
 * to be registers.
 *
 * This side sees values, not writes.  So:
 * - what differs from what was shown last has been written;
 * - GCMD is a mailbox: it holds a reserved bit when idle, hence any command,
 *   even 0, can be seen;
 * - status registers whose bits are cleared by writing them are shown with a
 *   reserved bit beside them, so that the driver's write differs;
 * - what both sides write is shown by compare-and-swap only.
 *
 * A driver writes what a command needs, and then the command.  So commands are
 * looked at first, and what they need is handed to the unit before them.
 */
#include <string.h>

#include "vsva.h"

#define GCMD_IDLE	1u
#define STATUS_MARK	0x80000000u

enum kind {
	PLAIN,			/* holds what is written */
	STATUS,			/* bits are cleared by writing 1 */
	COMMAND,		/* a plain one, whose write starts something */
	MAILBOX,		/* GCMD */
	READ_ONLY,
};

struct reg {
	uint16_t at;
	uint8_t size;
	uint8_t kind;
};

/* In the order in which the unit is told of them. */
static const struct reg regs[] = {
	{ REG_RTADDR, 8, PLAIN }, { REG_IQA, 8, PLAIN }, { REG_PQA, 8, PLAIN },
	{ REG_IRTA, 8, PLAIN }, { REG_IVA, 8, PLAIN }, { REG_PQT, 8, PLAIN },
	{ REG_FEDATA, 4, PLAIN }, { REG_FEADDR, 4, PLAIN },
	{ REG_FEUADDR, 4, PLAIN }, { REG_IEDATA, 4, PLAIN },
	{ REG_IEADDR, 4, PLAIN }, { REG_IEUADDR, 4, PLAIN },
	{ REG_PEDATA, 4, PLAIN }, { REG_PEADDR, 4, PLAIN },
	{ REG_PEUADDR, 4, PLAIN },
	{ REG_FSTS, 4, STATUS }, { REG_ICS, 4, STATUS }, { REG_PRS, 4, STATUS },
	{ REG_FECTL, 4, COMMAND }, { REG_IECTL, 4, COMMAND },
	{ REG_PECTL, 4, COMMAND }, { REG_PQH, 8, COMMAND },
	{ REG_CCMD, 8, COMMAND }, { REG_IOTLB, 8, COMMAND },
	{ REG_IQT, 8, COMMAND }, { REG_GCMD, 4, MAILBOX },
	{ REG_VER, 4, READ_ONLY }, { REG_CAP, 8, READ_ONLY },
	{ REG_ECAP, 8, READ_ONLY }, { REG_IQH, 8, READ_ONLY },
	{ REG_IQERCD, 8, READ_ONLY },
	/* What GSTS says of is shown before it. */
	{ REG_GSTS, 4, READ_ONLY },
};

#define NR_REGS		(ARRAY_SIZE(regs))

static uint64_t load(const uint8_t *mem, const struct reg *r)
{
	if (r->size == 8)
		return load_acquire((const uint64_t *)(mem + r->at));
	return load_acquire((const uint32_t *)(mem + r->at));
}

static void set_shown(struct page *page, const struct reg *r, uint64_t val)
{
	memcpy(page->shown + r->at, &val, r->size);
}

/* False: the guest has just written.  To what it may not write, it loses. */
static bool show(struct page *page, const struct reg *r, uint64_t val)
{
	uint64_t old = load(page->shown, r);
	uint32_t old32, val32 = val;
	bool done;

	if (r->kind == READ_ONLY && load(page->mem, r) != val)
		old = load(page->mem, r);
	if (old == val)
		return true;
	old32 = old;
	if (r->size == 8)
		done = cmpxchg((uint64_t *)(page->mem + r->at), &old, val);
	else
		done = cmpxchg((uint32_t *)(page->mem + r->at), &old32, val32);
	if (done)
		set_shown(page, r, val);
	return done;
}

/* The word of a fault record that has F, and the words beside it. */
static struct reg record(unsigned int i, unsigned int word)
{
	return (struct reg){
		.at = REG_FRCD + i * 16 + word * 4, .size = 4,
		.kind = word == 3 ? STATUS : READ_ONLY,
	};
}

static unsigned int nr_records(const struct page *page)
{
	return bits(vvtd_read(page->v, REG_CAP, 8), 47, 40) + 1;
}

static uint64_t wanted(const struct page *page, const struct reg *r)
{
	uint64_t val;

	if (r->kind == MAILBOX)
		return GCMD_IDLE;
	val = vvtd_read(page->v, r->at, r->size);
	if (r->kind != STATUS || r->at >= REG_FRCD)
		return val;
	val |= page->held[r->at / 4];
	return val ? val | STATUS_MARK : 0;
}

void page_show(struct page *page)
{
	unsigned int i, w;
	size_t n;

	/* What an event is about is shown before the status that tells of it. */
	for (i = 0; i < nr_records(page); i++) {
		for (w = 0; w < 4; w++) {
			struct reg r = record(i, w);

			show(page, &r, wanted(page, &r));
		}
	}
	for (n = 0; n < NR_REGS; n++)
		show(page, &regs[n], wanted(page, &regs[n]));
}

void page_init(struct page *page, uint8_t *mem, struct vvtd *v)
{
	memset(page, 0, sizeof(*page));
	page->mem = mem;
	page->v = v;
	memset(mem, 0, VVTD_REGISTERS);
	page_show(page);
}

static void hand_over(struct page *page, const struct reg *r, uint64_t val)
{
	set_shown(page, r, val);
	if (r->kind == STATUS) {
		page->held[r->at / 4] &= ~(uint32_t)val;
		val = r->at < REG_FRCD ? val & ~(uint64_t)STATUS_MARK : val;
	}
	vvtd_write(page->v, r->at, r->size, val);
}

/* Any value but the idle one is a command, and is taken whole. */
static bool take_mailbox(struct page *page, const struct reg *r, uint64_t seen)
{
	if (seen == GCMD_IDLE)
		return false;
	seen = __atomic_exchange_n((uint32_t *)(page->mem + r->at), GCMD_IDLE,
				   __ATOMIC_ACQ_REL);
	vvtd_write(page->v, r->at, r->size, seen);
	return true;
}

static bool take_records(struct page *page)
{
	unsigned int i;
	bool any = false;

	for (i = 0; i < nr_records(page); i++) {
		struct reg r = record(i, 3);
		uint64_t seen = load(page->mem, &r);

		if (seen == load(page->shown, &r))
			continue;
		hand_over(page, &r, seen);
		any = true;
	}
	return any;
}

bool page_take(struct page *page)
{
	uint64_t seen[NR_REGS];
	bool any;
	size_t i;

	/* Backwards: commands first, then what was written before them. */
	for (i = NR_REGS; i-- > 0;)
		seen[i] = load(page->mem, &regs[i]);
	any = take_records(page);
	page->cleared |= any;
	for (i = 0; i < NR_REGS; i++) {
		const struct reg *r = &regs[i];

		if (r->kind == MAILBOX) {
			any |= take_mailbox(page, r, seen[i]);
		} else if (r->kind != READ_ONLY &&
			   seen[i] != load(page->shown, r)) {
			hand_over(page, r, seen[i]);
			any = true;
		}
	}
	return any;
}

/*
 * The driver clears the status and then looks at what it was about; the unit
 * may do something new in between, with the status not yet seen to be cleared.
 * A status that is pending is delivered when the driver takes the mask away.
 */
static void rearm(struct page *page, uint32_t status, uint32_t ctl,
		  uint32_t bit)
{
	if (!(vvtd_read(page->v, status, 4) & bit) ||
	    vvtd_read(page->v, ctl, 4) & ECTL_IP)
		return;
	vvtd_write(page->v, status, 4, bit);
	page->held[status / 4] |= bit;
}

void page_rearm(struct page *page)
{
	rearm(page, REG_PRS, REG_PECTL, PRS_PPR);
	rearm(page, REG_ICS, REG_IECTL, ICS_IWC);
}

bool page_more_faults(struct page *page, uint64_t *addr, uint32_t *data)
{
	if (!page->cleared)
		return false;
	page->cleared = false;
	if (!(vvtd_read(page->v, REG_FSTS, 4) & FSTS_PPF) ||
	    vvtd_read(page->v, REG_FECTL, 4) & ECTL_IM)
		return false;
	*addr = vvtd_read(page->v, REG_FEADDR, 8);
	*data = vvtd_read(page->v, REG_FEDATA, 4);
	return true;
}
