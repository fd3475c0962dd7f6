// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures on demand: software in the VM writes to an endpoint's registers what
 * is to go wrong, and how many times.
 */
#include "base.h"
#include "failures.h"
#include "state.h"
#include "vtdsim_abi.h"

/* One of those that a failure on demand is about has come by. */
static bool counts_down(u32 *left, u32 *was)
{
	*was = load_acquire(left);
	if (!*was)
		return false;
	return *was == VTDSIM_ALWAYS || cmpxchg(left, was, *was - 1);
}

/*
 * Will an invalidate request be completed?  One for a device TLB that is not
 * enabled is an unsupported request to the device.
 */
bool ep_answers(struct ep *ep)
{
	struct vtdsim_regs *r = ep_regs(ep);
	u32 was;

	/* The enable as it is now: the next round may be too late. */
	if (load_acquire(&r->gone) || !(load_acquire(&r->ctl) & VTDSIM_CTL_ATS))
		return false;
	return !counts_down(&r->mute, &was);
}

/* Does a page response reach the device? */
bool ep_hears(struct ep *ep)
{
	struct vtdsim_regs *r = ep_regs(ep);
	u32 was;

	return !load_acquire(&r->gone) && !counts_down(&r->deaf, &was);
}

/* Does a page request stay on its way until it is drained? */
bool ep_is_late(struct ep *ep)
{
	u32 was;

	return counts_down(&ep_regs(ep)->late, &was);
}

static bool is_global(const u64 *d)
{
	switch (inv_type(d[0])) {
	case INV_CONTEXT:
	case INV_IOTLB:
		return INV_G(d[0]) == 1;
	case INV_PASID_CACHE:
		return INV_G(d[0]) == 3;
	case INV_IEC:
		return !bits(d[0], 4, 4);
	}
	return false;
}

/* The device that a time-out of @sid names. */
u16 ep_names(struct ep *ep, u16 sid)
{
	u32 names = load_acquire(&ep_regs(ep)->names);

	return names ? names - 1 : sid;
}

/* Is @d an error, although nothing is wrong with it? */
bool ep_refuses(struct ep *ep, const u64 *d)
{
	u32 types = load_acquire(&ep_regs(ep)->refuses);

	return types & (1u << inv_type(d[0])) && !is_global(d);
}

/* Is it time for an error of the unit: of the queue, or of a completion? */
bool ep_fails_unit(struct ep *ep, bool completion)
{
	struct vtdsim_regs *r = ep_regs(ep);
	u32 was;

	return counts_down(completion ? &r->ice_in : &r->iqe_in, &was) &&
	       was == 1;
}
