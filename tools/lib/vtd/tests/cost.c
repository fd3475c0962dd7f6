// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What a guest's PASID-cache invalidation costs: host calls, that is system
 * calls of a host back end, tables looked at, and time, by the number of entries
 * that are present.  The host does nothing, so the time is the library's own.
 */
#include <stdio.h>
#include <time.h>
#include "world.h"

#define ROUNDS	20

static u64 now_ns(void)
{
	struct timespec ts;

	timespec_get(&ts, TIME_UTC);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void measure(struct world *w, u32 present, const char *what, u64 d0,
		    u32 changed)
{
	struct vvtd_stats before, after;
	u64 best = ~0ULL;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		u64 start;

		if (changed)
			set_pasid(w, 0, changed, pe_first(2, 0x10000 + (i << 12)));
		vvtd_stats(w->v, &before);
		start = now_ns();
		submit_one(w, d0, 0);
		if (now_ns() - start < best)
			best = now_ns() - start;
		vvtd_stats(w->v, &after);
	}
	printf("%8u  %-34s %10llu %8llu %12llu\n", present, what,
	       (u64)(after.host_calls - before.host_calls),
	       (u64)(after.tables - before.tables), best);
}

static void with_entries(u32 present)
{
	static struct world w;
	u32 i;

	world_prepare(&w);
	w.host.quiet = true;
	world_start(&w);
	guest_boot(&w);
	for (i = 1; i <= present; i++)
		set_pasid(&w, 0, i, pe_first(2, 0x5000));
	all_changed(&w);
	measure(&w, present, "PASID-selective, nothing changed",
		d_pasid_cache(1, 2, 1), 0);
	measure(&w, present, "PASID-selective, its entry changed",
		d_pasid_cache(1, 2, 1), 1);
	measure(&w, present, "domain, nothing changed",
		d_pasid_cache(0, 2, 0), 0);
	measure(&w, present, "global, nothing changed",
		d_pasid_cache(3, 0, 0), 0);
	measure(&w, present, "global, one entry changed",
		d_pasid_cache(3, 0, 0), 1);
	world_end(&w);
}

int main(void)
{
	printf("entries   invalidation of the PASID cache    host calls   tables  nanoseconds\n");
	with_entries(1);
	with_entries(1000);
	with_entries(100000);
	return 0;
}
