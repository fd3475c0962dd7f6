/* SPDX-License-Identifier: GPL-2.0-only */
/* What drivers/iommu/ioasid.c shows to its KUnit suite and to nobody else */
#ifndef __IOASID_PRIV_H
#define __IOASID_PRIV_H

#include <linux/types.h>

#if IS_ENABLED(CONFIG_KUNIT)
bool ioasid_out_of_memory(void);
#endif

#endif /* __IOASID_PRIV_H */
