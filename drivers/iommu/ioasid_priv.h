/* SPDX-License-Identifier: GPL-2.0-only */
/* What drivers/iommu/ioasid.c shows to its KUnit suite and to nobody else */
#ifndef __IOASID_PRIV_H
#define __IOASID_PRIV_H

#include <linux/seq_file.h>
#include <linux/types.h>

struct module;

#if IS_ENABLED(CONFIG_KUNIT)
extern const struct seq_operations ioasid_free_pending_sops, ioasid_sets_sops;

struct module *ioasid_owner(void);
u32 ioasid_ceiling(void);
u32 ioasid_total(void);
int ioasid_set_ceiling(u32 ceiling);
bool ioasid_out_of_memory(void);
#endif

#endif /* __IOASID_PRIV_H */
