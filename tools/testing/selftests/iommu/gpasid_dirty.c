// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking on the parent, as live migration uses it: it covers every
 * binding, made before it starts or after, and is exact.
 *
 * A nested walk may also mark the pages with the guest's tables; for those both
 * answers are right, for all others only one.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define DIRTY_RAM	(4ULL << 20)
#define PAGES		(DIRTY_RAM / GVM_SZ_4K)
#define NR_BUF		64
#define BUF_VA		(PROC_VA + GVM_SZ_1G)

FIXTURE(dirty)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p;
	__u32 h;
	__u64 buf[NR_BUF];
	__u64 bitmap[PAGES / 64], want[PAGES / 64], tables[PAGES / 64];
};

FIXTURE_VARIANT(dirty)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(dirty, plain)
{
	.flags = 0,
};

FIXTURE_VARIANT_ADD(dirty, ats)
{
	.flags = VTDSIM_F_ATS,
};

static __u64 page_of(__u64 gpa)
{
	return (gpa - RAM_GPA) / GVM_SZ_4K;
}

static void mark(__u64 *map, __u64 gpa)
{
	map[page_of(gpa) / 64] |= 1ULL << (page_of(gpa) % 64);
}

/* The pages of a table and of all below it. */
static void mark_tables(struct gvm_ram *ram, __u64 table, int level, __u64 *map)
{
	__u64 *entry = gvm_ram_ptr(ram, table, GVM_SZ_4K);
	int i;

	mark(map, table);
	for (i = 0; level > 1 && i < 512; i++)
		if ((entry[i] & (GVM_PT_P | GVM_PT_PS)) == GVM_PT_P)
			mark_tables(ram, entry[i] & GVM_PT_ADDR, level - 1, map);
}

FIXTURE_SETUP(dirty)
{
	int i;

	/* By 4 KiB pages: what is tracked is a page of the second stage. */
	ASSERT_EQ(0, bench_open_size(&self->b, GVM_DIRTY_TRACKING |
				     GVM_SMALL_PAGES, DIRTY_RAM));
	i = bench_add(&self->b, EP_1A);
	if (i == -EOPNOTSUPP)
		SKIP(return, "no dirty tracking");
	ASSERT_EQ(0, i);
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_NE(0, self->b.info[0].out_caps & GPASID_CAP_DIRTY);
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	for (i = 0; i < NR_BUF; i++) {
		self->buf[i] = gvm_ram_alloc_page(&self->b.vm.ram);
		ASSERT_NE(0, self->buf[i]);
		ASSERT_EQ(0, gvm_pt_map(&self->p.pt, BUF_VA + i * GVM_SZ_4K,
					self->buf[i], GVM_SZ_4K, GVM_SZ_4K,
					GVM_PT_RW));
	}
	mark_tables(&self->b.vm.ram, self->p.pt.root, 4, self->tables);
}

FIXTURE_TEARDOWN(dirty)
{
	EXPECT_EQ(0, bench_close(&self->b));
}

static int start_tracking(struct bench *b)
{
	return gvm_dirty_tracking(&b->vm, b->vm.parent, true);
}

/* Reads and clears the map; the pages of tables are left out of it. */
#define READ_MAP(keep) do {						\
	unsigned int _i;						\
									\
	memset(self->bitmap, 0, sizeof(self->bitmap));			\
	ASSERT_EQ(0, gvm_dirty_bitmap(&self->b.vm, self->b.vm.parent,	\
				      RAM_GPA, DIRTY_RAM, GVM_SZ_4K,	\
				      keep, self->bitmap));		\
	for (_i = 0; _i < PAGES / 64; _i++)				\
		self->bitmap[_i] &= ~self->tables[_i];			\
} while (0)

#define EXPECT_MAP() do {						\
	unsigned int _w;						\
									\
	for (_w = 0; _w < PAGES / 64; _w++)				\
		EXPECT_EQ(self->want[_w], self->bitmap[_w])		\
			TH_LOG("pages from %u", _w * 64);		\
} while (0)

/* Write to every page of the buffer whose number is a multiple of @step. */
static __u64 write_buf(struct lab_dev *lab, __u32 h, unsigned int flags,
		       int step, const __u64 *buf, __u64 *want)
{
	__u64 bad = 0;
	int i;

	for (i = 0; i < NR_BUF; i += step) {
		bad += poke(lab, h, flags, BUF_VA + i * GVM_SZ_4K, i) != (__u64)i;
		mark(want, buf[i]);
	}
	return bad;
}

TEST_F(dirty, covers_a_binding_made_before_it_starts)
{
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	/* With translations in the caches that know nothing of tracking. */
	EXPECT_EQ(0, write_buf(self->lab, self->h, variant->flags, 1, self->buf,
			       self->want));
	memset(self->want, 0, sizeof(self->want));
	ASSERT_EQ(0, start_tracking(&self->b));
	EXPECT_EQ(1, entry_word(self->lab, self->h, 0) >> 9 & 1);
	READ_MAP(false);
	EXPECT_EQ(0, write_buf(self->lab, self->h, variant->flags, 3, self->buf,
			       self->want));
	READ_MAP(false);
	EXPECT_MAP();
}

TEST_F(dirty, covers_a_binding_made_after_it_starts)
{
	ASSERT_EQ(0, start_tracking(&self->b));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	EXPECT_EQ(1, entry_word(self->lab, self->h, 0) >> 9 & 1);
	READ_MAP(false);
	EXPECT_EQ(0, write_buf(self->lab, self->h, variant->flags, 5, self->buf,
			       self->want));
	READ_MAP(false);
	EXPECT_MAP();
}

TEST_F(dirty, covers_a_table_that_was_replaced)
{
	struct process q = self->p;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	ASSERT_EQ(0, start_tracking(&self->b));
	q.pt.root = gvm_ram_alloc_page(&self->b.vm.ram);
	memcpy(gvm_ram_ptr(&self->b.vm.ram, q.pt.root, GVM_SZ_4K),
	       gvm_ram_ptr(&self->b.vm.ram, self->p.pt.root, GVM_SZ_4K),
	       GVM_SZ_4K);
	mark(self->tables, q.pt.root);
	ASSERT_EQ(0, gvm_replace(self->dev, &q.pt, self->h));
	READ_MAP(false);
	EXPECT_EQ(0, write_buf(self->lab, self->h, variant->flags, 2, self->buf,
			       self->want));
	READ_MAP(false);
	EXPECT_MAP();
}

TEST_F(dirty, does_not_count_reads)
{
	int i;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	ASSERT_EQ(0, start_tracking(&self->b));
	READ_MAP(false);
	for (i = 0; i < NR_BUF; i++)
		EXPECT_EQ(0, peek(self->lab, self->h, variant->flags,
				  BUF_VA + i * GVM_SZ_4K));
	READ_MAP(false);
	EXPECT_MAP();
}

TEST_F(dirty, begins_anew_after_each_reading)
{
	int round;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	ASSERT_EQ(0, start_tracking(&self->b));
	READ_MAP(false);
	for (round = 1; round < 6; round++) {
		memset(self->want, 0, sizeof(self->want));
		EXPECT_EQ(0, write_buf(self->lab, self->h, variant->flags,
				       round, self->buf, self->want));
		/* A look that keeps the bits finds the same. */
		READ_MAP(true);
		EXPECT_MAP();
		READ_MAP(false);
		EXPECT_MAP();
	}
	memset(self->want, 0, sizeof(self->want));
	READ_MAP(false);
	EXPECT_MAP();
}

TEST_F(dirty, covers_all_of_many_bindings)
{
	__u32 h[NR_BUF];
	int i;

	for (i = 0; i < NR_BUF; i++) {
		if (i == NR_BUF / 2)
			ASSERT_EQ(0, start_tracking(&self->b));
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x200 + i, &h[i]));
		/* Warm the caches of every second one. */
		if (i & 1)
			poke(self->lab, h[i], variant->flags, PROC_VA + 8, 1);
	}
	READ_MAP(false);
	for (i = 0; i < NR_BUF; i += 3) {
		EXPECT_EQ(1, poke(self->lab, h[i], variant->flags,
				  BUF_VA + i * GVM_SZ_4K, 1));
		mark(self->want, self->buf[i]);
	}
	READ_MAP(false);
	EXPECT_MAP();
}

TEST_F(dirty, covers_all_devices_of_two_units)
{
	int i;

	for (i = 1; i < NR_EPS; i++)
		ASSERT_EQ(0, bench_add(&self->b, endpoint[i]));
	for (i = 0; i < NR_EPS / 2; i++)
		ASSERT_EQ(0, gvm_bind(&self->b.dev[i], &self->p.pt, 0x101,
				      &self->h));
	ASSERT_EQ(0, start_tracking(&self->b));
	for (; i < NR_EPS; i++)
		ASSERT_EQ(0, gvm_bind(&self->b.dev[i], &self->p.pt, 0x101,
				      &self->h));
	READ_MAP(false);
	for (i = 0; i < NR_EPS; i++) {
		EXPECT_EQ(1, poke(&self->b.lab[i], self->h, variant->flags,
				  BUF_VA + i * GVM_SZ_4K, 1));
		mark(self->want, self->buf[i]);
	}
	READ_MAP(false);
	EXPECT_MAP();
}

TEST_F(dirty, ends_for_every_binding)
{
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x101, &self->h));
	ASSERT_EQ(0, start_tracking(&self->b));
	EXPECT_EQ(1, entry_word(self->lab, self->h, 0) >> 9 & 1);
	ASSERT_EQ(0, gvm_dirty_tracking(&self->b.vm, self->b.vm.parent, false));
	EXPECT_EQ(0, entry_word(self->lab, self->h, 0) >> 9 & 1);
	EXPECT_EQ(TAG(1), peek_proc(self->lab, self->h, variant->flags));
	/* And it can start again. */
	ASSERT_EQ(0, start_tracking(&self->b));
	READ_MAP(false);
	EXPECT_EQ(0, write_buf(self->lab, self->h, variant->flags, 7, self->buf,
			       self->want));
	READ_MAP(false);
	EXPECT_MAP();
}

/* What the unit counted while tracking was switched. */
static int cost_of_switch(struct bench *b, bool on, struct vtdsim_counters *c)
{
	struct vtdsim_counters then;
	int rc = lab_counters(&b->lab[0], &then);

	if (!rc)
		rc = gvm_dirty_tracking(&b->vm, b->vm.parent, on);
	return rc ? rc : since(&b->lab[0], &then, c);
}

TEST_F(dirty, costs_the_same_at_any_number)
{
	struct vtdsim_counters none[2], many[2];
	int i;

	if (!(self->b.info[0].out_caps & GPASID_CAP_ATS_GLOBAL))
		SKIP(return, "device TLBs are flushed PASID by PASID");
	ASSERT_EQ(0, bench_add(&self->b, EP_1B));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, gvm_bind(&self->b.dev[i], &self->p.pt, 0x101,
				      &self->h));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, cost_of_switch(&self->b, !i, &none[i]));
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, 0x200 + i,
				      &self->h));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, cost_of_switch(&self->b, !i, &many[i]));
		EXPECT_EQ(none[i].u_desc_total, many[i].u_desc_total);
		EXPECT_EQ(none[i].u_waits, many[i].u_waits);
		/* PASID cache, IOTLB; for each device its RID's and PASIDs'. */
		EXPECT_EQ(1, many[i].u_desc[VTDSIM_D_PASID_CACHE]);
		EXPECT_EQ(1, many[i].u_desc[VTDSIM_D_IOTLB]);
		EXPECT_EQ(2, many[i].u_desc[VTDSIM_D_DEVTLB]);
		EXPECT_EQ(2, many[i].u_desc[VTDSIM_D_PDEVTLB]);
		EXPECT_EQ(1, many[i].u_waits);
	}
}

/*
 * A RID on the parent itself, or nested on it, whose DMA by ATS goes on while tracking is
 * switched.  The devices share the unit's IOTLB: what another one brings in by
 * an entry that is not switched yet must not stay in the device TLB.
 */

#define RID_PAGES	32
#define RID_LEN		(RID_PAGES * GVM_SZ_4K)
#define ROUNDS		20

struct stream {
	struct lab_dev *lab;
	struct vtdsim_desc desc;
	atomic_bool stop;
	pthread_t thread;
};

/* Never runs out of descriptors while there is time. */
static void *go_on(void *arg)
{
	struct stream *s = arg;

	while (!atomic_load(&s->stop)) {
		lab_submit(s->lab, 1, &s->desc);
		sched_yield();
	}
	return lab_wait(s->lab, 1, 8000) ? s : NULL;
}

FIXTURE(dirty_rid)
{
	struct bench b;
	struct process p;
	struct lab_dev *lab;
	struct stream s[2];
	__u64 gpa;		/* of the pages that are written to */
	__u64 va;		/* where the RID finds them */
	__u64 bitmap[PAGES / 64];
};

FIXTURE_VARIANT(dirty_rid)
{
	bool pasid, nested;
};

FIXTURE_VARIANT_ADD(dirty_rid, beside_another)
{
	.pasid = false,
};

FIXTURE_VARIANT_ADD(dirty_rid, beside_a_pasid)
{
	.pasid = true,
};

FIXTURE_VARIANT_ADD(dirty_rid, nested_beside_another)
{
	.nested = true,
};

FIXTURE_SETUP(dirty_rid)
{
	struct vtdsim_desc copy = { .op = VTDSIM_OP_COPY, .len = RID_LEN };
	__u32 hwpt;
	int i;

	ASSERT_EQ(0, bench_open_size(&self->b, GVM_DIRTY_TRACKING |
				     GVM_SMALL_PAGES, DIRTY_RAM));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	ASSERT_EQ(0, bench_add(&self->b, EP_1B));
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
	/* The RID copies to the first half, the other one from it. */
	self->gpa = gvm_ram_alloc(&self->b.vm.ram, 2 * RID_LEN, GVM_SZ_4K);
	ASSERT_NE(0, self->gpa);
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, BUF_VA, self->gpa, 2 * RID_LEN,
				GVM_SZ_4K, GVM_PT_RW));

	self->lab = &self->b.lab[1];
	self->s[0].lab = self->lab;
	self->s[1].lab = &self->b.lab[0];
	self->va = self->gpa;
	if (variant->nested) {
		self->va = BUF_VA;
		ASSERT_EQ(0, nested_alloc(&self->b.dev[1], self->p.pt.root, 0,
					  &hwpt));
		ASSERT_EQ(0, gvm_dev_attach(&self->b.dev[1], hwpt));
	}
	self->s[0].desc = copy;
	self->s[0].desc.flags = VTDSIM_F_ATS;
	self->s[0].desc.addr = self->va + RID_LEN;
	self->s[0].desc.addr2 = self->va;
	self->s[1].desc = copy;
	self->s[1].desc.addr = self->gpa;
	if (variant->pasid) {
		self->s[1].desc.flags = VTDSIM_F_PASID;
		self->s[1].desc.addr = BUF_VA;
		ASSERT_EQ(0, gvm_bind(&self->b.dev[0], &self->p.pt, 0x101,
				      &self->s[1].desc.pasid));
	}
	self->s[1].desc.addr2 = self->s[1].desc.addr + RID_LEN;
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&self->s[i].thread, NULL, go_on,
					    &self->s[i]));
}

FIXTURE_TEARDOWN(dirty_rid)
{
	void *bad;
	int i;

	for (i = 0; i < 2; i++) {
		atomic_store(&self->s[i].stop, true);
		EXPECT_EQ(0, pthread_join(self->s[i].thread, &bad));
		EXPECT_EQ(NULL, bad);
	}
	EXPECT_EQ(0, bench_close(&self->b));
}

/* Pages of the first half that are in the map, which is cleared. */
static int rid_pages_in_map(struct bench *b, __u64 gpa, __u64 *map)
{
	int i, n = 0;

	memset(map, 0, PAGES / 8);
	if (gvm_dirty_bitmap(&b->vm, b->vm.parent, RAM_GPA, DIRTY_RAM,
			     GVM_SZ_4K, false, map))
		return -1;
	for (i = 0; i < RID_PAGES; i++)
		n += map[(page_of(gpa) + i) / 64] >> (page_of(gpa) + i) % 64 & 1;
	return n;
}

TEST_F(dirty_rid, loses_no_page_when_tracking_starts_under_dma)
{
	struct vtdsim_desc d;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, start_tracking(&self->b));
		for (i = 0; i < RID_PAGES; i++) {
			d = (struct vtdsim_desc) {
				.op = VTDSIM_OP_WRITE,
				.flags = VTDSIM_F_ATS,
				.addr = self->va + i * GVM_SZ_4K,
				.len = 8,
			};
			EXPECT_EQ(VTDSIM_DONE, lab_run(self->lab, 0, &d));
		}
		EXPECT_EQ(RID_PAGES, rid_pages_in_map(&self->b, self->gpa,
						      self->bitmap))
			TH_LOG("round %d", round);
		ASSERT_EQ(0, gvm_dirty_tracking(&self->b.vm, self->b.vm.parent,
						false));
	}
}

TEST_HARNESS_MAIN
