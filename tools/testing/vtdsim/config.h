/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the command line asks for: units, what they can do, and endpoints.
 */
#ifndef VTDSIM_CONFIG_H
#define VTDSIM_CONFIG_H

#include "base.h"
#include "model.h"
#include "vtdsim_abi.h"

/* What a unit can do; every member is a key of --unit. */
struct unit_config {
	u32 seg;
	union {
		struct vtd_features;
		struct vtd_features features;
	};
	u32 haw, ver, iqe_in, ice_in;
	u32 scope;		/* names its endpoints, does not include all */
};

struct ep_config {
	u32 unit;
	u32 ats, ats_global, pri, pasid, pasid_bits, priv, exec, mute, deaf;
	u32 port;		/* behind the unit's root port */
	u32 rmrr;		/* firmware reserves memory for it */
};

struct sim_config {
	u32 nr_units;
	struct unit_config unit[VTDSIM_MAX_UNITS];
	u32 nr_eps[VTDSIM_MAX_UNITS];
	struct ep_config ep[VTDSIM_MAX_UNITS][VTDSIM_MAX_EPS];
	u32 evict;		/* per mille */
	u32 seed;
	bool adverse;
	bool no_oracle;
	bool trace;
};

void unit_config_init(struct unit_config *cfg);
void ep_config_init(struct ep_config *cfg);

#endif /* VTDSIM_CONFIG_H */
