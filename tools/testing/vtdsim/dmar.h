/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_DMAR_H
#define VTDSIM_DMAR_H

#include "base.h"

struct sim_config;

size_t dmar_build(const struct sim_config *cfg, u8 *buf, size_t size);

#endif /* VTDSIM_DMAR_H */
