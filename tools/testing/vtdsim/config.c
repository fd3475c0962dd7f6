// SPDX-License-Identifier: GPL-2.0-only
/*
 * The units and endpoints that there are unless the command line says otherwise.
 */
#include "base.h"
#include "config.h"
#include "vtd.h"

void unit_config_init(struct unit_config *cfg)
{
	*cfg = (struct unit_config){
		.nest = 1, .fl5lp = 1, .fl1gp = 1, .srs = 1, .eafs = 1,
		.pasid = 1, .pss = PASID_BITS - 1, .prs = 1, .pds = 1,
		.dt = 1, .slads = 1, .smpwc = 1, .c = 1, .sc = 1, .pt = 1,
		.slts = 1, .flts = 1, .smts = 1,
		.sagaw = BIT_ULL(2), .mgaw = 48, .sslps = 3,
		.mamv = 18, .psi = 1, .nd = 6, .nfr = 8, .haw = 48, .nwfs = 1,
		.ver = 6, .qi = 1, .adms = 1,
	};
}

void ep_config_init(struct ep_config *cfg)
{
	*cfg = (struct ep_config){
		.ats = 1, .ats_global = 1, .pri = 1, .pasid = 1,
		.pasid_bits = PASID_BITS, .priv = 1, .exec = 1,
	};
}
