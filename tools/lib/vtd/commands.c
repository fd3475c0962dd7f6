// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * "Virtual Command Register": host-wide PASIDs for the guest.  The unit knows
 * which ones are the guest's and gives them back after a reset.
 */
#include <stdlib.h>
#include <string.h>
#include "unit.h"

#define WORDS	((1u << PASID_BITS) / 64)

static bool owns(const struct vvtd *v, u32 pasid)
{
	return v->pasids[pasid / 64] & BIT_ULL(pasid % 64);
}

static u64 pasid_alloc(struct vvtd *v)
{
	uint32_t pasid = 0;

	/* Those of before a reset are still to be given back. */
	if (v->drop_pasids || v->ops.pasid_alloc(v->ctx, &pasid))
		return VCRSP_SC(VCSC_NO_PASID);
	/* A number that the guest cannot use is of no use to it. */
	if (pasid >> v->cfg.pasid_bits) {
		v->ops.pasid_free(v->ctx, pasid);
		return VCRSP_SC(VCSC_NO_PASID);
	}
	v->pasids[pasid / 64] |= BIT_ULL(pasid % 64);
	return VCRSP_PASID(pasid);
}

static u64 pasid_free(struct vvtd *v, u32 pasid)
{
	if (!owns(v, pasid))
		return VCRSP_SC(VCSC_BAD_PASID);
	v->pasids[pasid / 64] &= ~BIT_ULL(pasid % 64);
	if (v->ops.pasid_free(v->ctx, pasid))
		return VCRSP_SC(VCSC_BAD_PASID);
	return VCRSP_SC(0);
}

void vv_virtual_command(struct vvtd *v)
{
	u64 cmd = vtd_get64(&v->m, REG_VCMD);
	u64 rsp = VCRSP_SC(VCSC_UNKNOWN);

	if (!v->cfg.virtual_commands)
		return;
	if (VCMD_CMD(cmd) == VCMD_ALLOC)
		rsp = pasid_alloc(v);
	else if (VCMD_CMD(cmd) == VCMD_FREE)
		rsp = pasid_free(v, VCMD_PASID(cmd));
	vtd_set64(&v->m, REG_VCRSP, rsp);
}

/* Every number of the guest; nothing is bound to them any more. */
void vv_pasids_drop(struct vvtd *v)
{
	u32 i;

	for (i = 0; v->pasids && i < WORDS; i++) {
		for (; v->pasids[i]; v->pasids[i] &= v->pasids[i] - 1)
			v->ops.pasid_free(v->ctx, i * 64 +
					  __builtin_ctzll(v->pasids[i]));
	}
}
