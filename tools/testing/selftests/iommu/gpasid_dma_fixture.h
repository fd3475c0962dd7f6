/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One device with a process bound to gPASID 0x101, a second process, and each
 * test twice: by untranslated requests, and by ATS.
 */
#ifndef GPASID_DMA_FIXTURE_H
#define GPASID_DMA_FIXTURE_H

#include <kselftest_harness.h>

#include "gpasid_utils.h"

FIXTURE(dma)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p, q;
	__u32 h;
};

FIXTURE_VARIANT(dma)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(dma, plain)
{
	.flags = 0,
};

FIXTURE_VARIANT_ADD(dma, ats)
{
	.flags = VTDSIM_F_ATS,
};

FIXTURE_SETUP(dma)
{
	ASSERT_EQ(0, bench_open(&self->b, 0));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	if (variant->flags && !(self->b.info[0].out_caps & GPASID_CAP_ATS))
		SKIP(return, "no ATS");
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	ASSERT_EQ(0, bench_process(&self->b, &self->q, 2));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
}

FIXTURE_TEARDOWN(dma)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

#endif /* GPASID_DMA_FIXTURE_H */
