// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOASID sets: initialisation and exit of the module.
 */
#include <linux/module.h>

#include "ioasid_priv.h"

static int __init ioasid_init(void)
{
	int ret = ioasid_set_init();

	if (ret)
		return ret;
	ioasid_debugfs_init();
	return 0;
}
subsys_initcall(ioasid_init);

static void __exit ioasid_exit(void)
{
	ioasid_debugfs_exit();
	ioasid_set_exit();
}
module_exit(ioasid_exit);

MODULE_DESCRIPTION("IOASID sets");
MODULE_LICENSE("GPL");
