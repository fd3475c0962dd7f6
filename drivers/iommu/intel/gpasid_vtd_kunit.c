// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of guest PASIDs on VT-d, for devices that the lab does not have.
 *
 * The device is fake: it has the VT-d driver's operations and private data, and
 * is never probed.  Only functions that do not access hardware are called.  The
 * second stage is built by the tests, with superpages, which the lab's memory
 * does not have.
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

/* A VMD child has no table but is on its domain's list of devices. */
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

/*
 * Dirty pages
 */

#define ENTRIES		512

/* Build a four-level table.  Return the level with an entry for each 2 MiB. */
static struct dma_pte *make_second_stage(struct kunit *test)
{
	struct vtd_fake *f = test->priv;
	struct dma_pte *table[3];
	int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		table[i] = (struct dma_pte *)kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, table[i]);
		if (i)
			table[i - 1]->val = virt_to_phys(table[i]) |
					    DMA_PTE_READ | DMA_PTE_WRITE;
	}
	f->parent.pgd = table[0];
	f->parent.agaw = 2;

	return table[2];
}

static void read_dirty(struct kunit *test, u64 iova, u64 size, unsigned long flags,
		       struct iommu_iotlb_gather *gather)
{
	struct vtd_fake *f = test->priv;
	struct iommu_dirty_bitmap dirty;

	iommu_dirty_bitmap_init(&dirty, NULL, gather);
	KUNIT_ASSERT_EQ(test, 0, intel_gpasid_read_and_clear_dirty(&f->parent, iova,
								   size, flags, &dirty));
}

static const u64 written = DMA_PTE_READ | DMA_PTE_WRITE | DMA_SL_PTE_DIRTY;

/* A read that begins inside a superpage. */
static void all_of_the_next_superpage_is_dirty(struct kunit *test)
{
	struct dma_pte *pte = make_second_stage(test);
	struct iommu_iotlb_gather gather;

	pte[0].val = DMA_PTE_READ | DMA_PTE_WRITE | DMA_PTE_LARGE_PAGE;
	pte[1].val = SZ_2M | written | DMA_PTE_LARGE_PAGE;
	read_dirty(test, SZ_1M, 3 * SZ_1M, 0, &gather);
	KUNIT_EXPECT_EQ(test, gather.start, SZ_2M);
	KUNIT_EXPECT_EQ(test, gather.end, SZ_4M - 1);
	KUNIT_EXPECT_FALSE(test, pte[1].val & DMA_SL_PTE_DIRTY);
}

static void dirty_pages_are_found_in_all_tables(struct kunit *test)
{
	struct dma_pte *pte = make_second_stage(test), *leaf[2];
	struct iommu_iotlb_gather gather;
	int i;

	for (i = 0; i < ARRAY_SIZE(leaf); i++) {
		leaf[i] = (struct dma_pte *)kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, leaf[i]);
		pte[i].val = virt_to_phys(leaf[i]) | DMA_PTE_READ | DMA_PTE_WRITE;
	}
	leaf[0][ENTRIES - 2].val = written;
	leaf[1][3].val = written;
	leaf[1][4].val = written;
	read_dirty(test, 0, SZ_2M + 4 * SZ_4K, 0, &gather);
	KUNIT_EXPECT_EQ(test, gather.start, SZ_2M - 2 * SZ_4K);
	KUNIT_EXPECT_EQ(test, gather.end, SZ_2M + 4 * SZ_4K - 1);
	KUNIT_EXPECT_FALSE(test, leaf[0][ENTRIES - 2].val & DMA_SL_PTE_DIRTY);
	KUNIT_EXPECT_FALSE(test, leaf[1][3].val & DMA_SL_PTE_DIRTY);
	/* This page is beyond the range. */
	KUNIT_EXPECT_TRUE(test, leaf[1][4].val & DMA_SL_PTE_DIRTY);
}

static void dirty_bits_stay_if_so_asked(struct kunit *test)
{
	struct dma_pte *pte = make_second_stage(test);
	struct iommu_iotlb_gather gather;

	pte[3].val = 3 * SZ_2M | written | DMA_PTE_LARGE_PAGE;
	read_dirty(test, 0, SZ_8M, IOMMU_DIRTY_NO_CLEAR, &gather);
	KUNIT_EXPECT_EQ(test, gather.start, 3 * SZ_2M);
	KUNIT_EXPECT_TRUE(test, pte[3].val & DMA_SL_PTE_DIRTY);
}

static struct kunit_case vtd_kunit_cases[] = {
	KUNIT_CASE(pasids_need_a_table),
	KUNIT_CASE(device_without_a_table_is_refused),
	KUNIT_CASE(dirty_tracking_needs_a_table),
	KUNIT_CASE(all_of_the_next_superpage_is_dirty),
	KUNIT_CASE(dirty_pages_are_found_in_all_tables),
	KUNIT_CASE(dirty_bits_stay_if_so_asked),
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
