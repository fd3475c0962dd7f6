// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of guest PASIDs on VT-d for devices that the lab does not have.
 *
 * The device is fake: it has the VT-d driver's operations and private data, and
 * is never probed.  Only what does not reach hardware is called.
 */
#include <kunit/test.h>
#include <linux/gpasid.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "../iommu-priv.h"
#include "gpasid.h"
#include "iommu.h"
#include "pasid.h"

#define PASID_BITS	20

struct vtd_fake {
	struct pci_dev pdev;
	struct dev_iommu param;
	struct device_domain_info info;
	struct intel_iommu iommu;
	struct pasid_table table;
	struct dmar_domain parent;
};

static int vtd_kunit_init(struct kunit *test)
{
	struct vtd_fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->iommu.iommu.ops = &intel_iommu_ops;
	f->param.iommu_dev = &f->iommu.iommu;
	f->param.priv = &f->info;
	f->param.max_pasids = BIT(PASID_BITS);
	f->info.dev = &f->pdev.dev;
	f->info.iommu = &f->iommu;
	f->info.pasid_enabled = 1;
	f->pdev.dev.iommu = &f->param;
	f->parent.domain.ops = intel_iommu_ops.default_domain_ops;
	test->priv = f;

	return 0;
}

static void pasids_need_a_table(struct kunit *test)
{
	struct vtd_fake *f = test->priv;
	struct gpasid_caps caps;

	KUNIT_ASSERT_EQ(test, gpasid_get_caps(&f->pdev.dev, &caps), 0);
	KUNIT_EXPECT_EQ(test, caps.pasid_bits, 0);
	f->info.pasid_table = &f->table;
	KUNIT_ASSERT_EQ(test, gpasid_get_caps(&f->pdev.dev, &caps), 0);
	KUNIT_EXPECT_EQ(test, caps.pasid_bits, PASID_BITS);
}

static void device_without_a_table_is_refused(struct kunit *test)
{
	struct vtd_fake *f = test->priv;
	struct device *dev = &f->pdev.dev;

	KUNIT_EXPECT_EQ(test, vtd_ops.check(dev, &f->parent.domain, NULL),
			-EOPNOTSUPP);
	f->info.pasid_table = &f->table;
	KUNIT_EXPECT_EQ(test, vtd_ops.check(dev, &f->parent.domain, NULL), 0);
}

/* A VMD child is on its domain's list of devices. */
static void dirty_tracking_needs_a_table(struct kunit *test)
{
	struct vtd_fake *f = test->priv;

	spin_lock_init(&f->parent.lock);
	spin_lock_init(&f->parent.cache_lock);
	INIT_LIST_HEAD(&f->parent.devices);
	INIT_LIST_HEAD(&f->parent.cache_tags);
	list_add(&f->info.link, &f->parent.devices);
	KUNIT_EXPECT_EQ(test, intel_gpasid_set_dirty_tracking(&f->parent, true),
			-ENODEV);
	KUNIT_EXPECT_FALSE(test, f->parent.dirty_tracking);
}

static struct kunit_case vtd_kunit_cases[] = {
	KUNIT_CASE(pasids_need_a_table),
	KUNIT_CASE(device_without_a_table_is_refused),
	KUNIT_CASE(dirty_tracking_needs_a_table),
	{}
};

static struct kunit_suite vtd_kunit_suite = {
	.name = "gpasid_vtd",
	.init = vtd_kunit_init,
	.test_cases = vtd_kunit_cases,
};

kunit_test_suite(vtd_kunit_suite);

MODULE_DESCRIPTION("Tests of guest PASIDs on Intel VT-d");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
