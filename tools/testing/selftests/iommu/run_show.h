/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What gpasid_run shows of the hardware, in words.
 */
#ifndef RUN_SHOW_H
#define RUN_SHOW_H

#include "lab_dev.h"

/* Fields of a scalable-mode PASID-table entry, VT-d "PASID-Table Entry". */
struct pasid_fields {
	unsigned int p, fpd, aw, pgtt, ssade, did, pwsnp, pgsnp;
	unsigned int sre, fspm, wpe, eafe;
	__u64 ssptptr, fsptptr;
};

void pasid_fields(const __u64 entry[8], struct pasid_fields *f);

/* One line for each field. */
void show_pasid_entry(const __u64 entry[8]);

/* One line for each first-stage level, with the second-stage walk beside it. */
void show_nested_walk(const struct vtdsim_explain *e, __u64 va);

/* The capabilities that guest PASIDs build upon. */
void show_vtd_caps(__u64 cap, __u64 ecap);

/* Descriptors of one operation, as a row of a table; NULL for the heading. */
void show_cost(const char *what, const struct vtdsim_counters *c);

#endif /* RUN_SHOW_H */
