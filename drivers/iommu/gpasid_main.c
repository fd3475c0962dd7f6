// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs: the module of the binding core.
 *
 * A binding joins a PASID of a device to a guest's first-stage table and to the
 * VM's second stage.  The core has all bindings of the host: it knows which
 * PASID is bound where and by which owners, and decides the order of teardown.
 * The IOMMU driver programs the hardware (struct gpasid_ops).  Files and ioctls
 * are in iommufd and in VFIO.
 */
#include <linux/module.h>

#include "gpasid_priv.h"

static int __init gpasid_init(void)
{
	int ret;

	ret = gpasid_table_init_cache();
	if (ret)
		return ret;
	ret = gpasid_unbind_init();
	if (ret) {
		gpasid_table_exit_cache();
		return ret;
	}
	gpasid_fault_init();
	gpasid_debugfs_init();
	return 0;
}

static void __exit gpasid_exit(void)
{
	gpasid_debugfs_exit();
	gpasid_fault_exit();
	gpasid_unbind_exit();
	gpasid_table_exit_cache();
}

module_init(gpasid_init);
module_exit(gpasid_exit);

MODULE_ALIAS("gpasid");
MODULE_SOFTDEP("post: intel-gpasid");
MODULE_DESCRIPTION("Guest PASID bindings");
MODULE_LICENSE("GPL");
