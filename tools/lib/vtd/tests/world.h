/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A guest for unit tests: memory, tables built entry by entry, a queue, and two
 * devices of a fake host below the virtual unit.
 */
#ifndef WORLD_H
#define WORLD_H

#include "fake_host.h"
#include "unit_test.h"

#define RAM_SIZE	0x4000000ULL
#define NR_DEVS		2
#define MAX_MSIS	64

struct guest_dev {
	struct host_dev host;
	struct vvtd_dev *dev;
	u16 sid;
	u64 ctx;		/* its context entry */
	u64 dir;		/* its PASID directory, of 2^14 entries */
};

struct world {
	struct vvtd_config cfg;
	struct vvtd_ops ops;
	struct vvtd_host_caps caps;
	struct vvtd *v;
	struct fake_host host;	/* ctx of the callbacks */
	u8 *ram;
	u64 next_page;
	u64 now;
	u64 root;
	u64 iq;
	u32 iqt;
	u64 status;		/* where wait descriptors write */
	u64 prq;
	struct guest_dev d[NR_DEVS];
	u32 nr_devs;
	u32 nr_msis;
	u64 msi_addr[MAX_MSIS];
	u32 msi_data[MAX_MSIS];
};

/* The configuration may be changed between prepare and start. */
void world_prepare(struct world *w);
void world_start(struct world *w);
void world_end(struct world *w);
void add_device(struct world *w, u32 n);
void remove_device(struct world *w, u32 n);

/* Everything at work: root table, queue, translation on.  Clears the log. */
void guest_boot(struct world *w);

void run(struct world *w);
u64 new_pages(struct world *w, u32 nr);
u64 peek(struct world *w, u64 gpa);
void poke(struct world *w, u64 gpa, u64 val);
u32 reg32(struct world *w, u32 reg);
u64 reg64(struct world *w, u32 reg);
void set32(struct world *w, u32 reg, u32 val);
void set64(struct world *w, u32 reg, u64 val);
void gcmd(struct world *w, u64 bits);

/* PASID-table entries */
struct pe {
	u64 q[8];
};

struct pe pe_first(u16 did, u64 table);
struct pe pe_pass(u16 did);
u64 entry_of(struct world *w, u32 dev, u32 pasid);
void set_pasid(struct world *w, u32 dev, u32 pasid, struct pe pe);
void clear_pasid(struct world *w, u32 dev, u32 pasid);

/* Descriptors: queued, then all of them submitted and waited for. */
void queue(struct world *w, u64 d0, u64 d1);
void submit(struct world *w);
void submit_one(struct world *w, u64 d0, u64 d1);
u64 d_response(u16 sid, u32 pasid, u8 code);

/* Shortcuts: the invalidations that a driver makes, and no wait. */
void pasid_changed(struct world *w, u16 did, u32 pasid);
void all_changed(struct world *w);

/* Fault records: how many are pending, and what the last one says. */
u32 nr_faults(struct world *w);
u8 last_reason(struct world *w);
u32 last_pasid(struct world *w);
void clear_faults(struct world *w);

/* The calls since the last time, exactly. */
void expect_calls(struct world *w, const char *file, int line,
		  const char *calls);
#define CALLS(w, text)	expect_calls(w, __FILE__, __LINE__, text)

/* The tests of a file; each starts with a world that is prepared. */
int run_tests(int argc, char **argv);

#endif /* WORLD_H */
