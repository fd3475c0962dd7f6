// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID-table entries, nested walks and costs as text.
 */
#include <stdio.h>
#include <string.h>

#include "run_show.h"

#define ADDR_MASK	0x000ffffffffff000ULL
#define ENTRY_PS	0x80

static __u64 bits(__u64 val, unsigned int high, unsigned int low)
{
	return val >> low & (~0ULL >> (63 - (high - low)));
}

void pasid_fields(const __u64 entry[8], struct pasid_fields *f)
{
	memset(f, 0, sizeof(*f));
	f->p = bits(entry[0], 0, 0);
	f->fpd = bits(entry[0], 1, 1);
	f->aw = bits(entry[0], 4, 2);
	f->pgtt = bits(entry[0], 8, 6);
	f->ssade = bits(entry[0], 9, 9);
	f->ssptptr = entry[0] & ~0xfffULL;
	f->did = bits(entry[1], 15, 0);
	f->pwsnp = bits(entry[1], 23, 23);
	f->pgsnp = bits(entry[1], 24, 24);
	f->sre = bits(entry[2], 0, 0);
	f->fspm = bits(entry[2], 3, 2);
	f->wpe = bits(entry[2], 4, 4);
	f->eafe = bits(entry[2], 7, 7);
	f->fsptptr = entry[2] & ~0xfffULL;
}

static const char *pgtt_name(unsigned int pgtt)
{
	static const char * const name[8] = {
		"reserved", "first stage only", "second stage only", "nested",
		"pass-through", "reserved", "reserved", "reserved",
	};

	return name[pgtt & 7];
}

static const char *aw_name(unsigned int aw)
{
	static const char * const name[8] = {
		"reserved", "39-bit, 3 levels", "48-bit, 4 levels",
		"57-bit, 5 levels", "reserved", "reserved", "reserved",
		"reserved",
	};

	return name[aw & 7];
}

static void field(const char *where, const char *name, __u64 val,
		  const char *words)
{
	printf("      %-8s %-8s 0x%-11llx %s\n", where, name, val, words);
}

void show_pasid_entry(const __u64 entry[8])
{
	struct pasid_fields f;

	pasid_fields(entry, &f);
	printf("      %-8s %-8s %-13s %s\n", "bits", "field", "value", "meaning");
	field("0", "P", f.p, f.p ? "present" : "not present");
	field("1", "FPD", f.fpd, f.fpd ? "faults are not reported" :
	      "faults are reported");
	field("4:2", "AW", f.aw, aw_name(f.aw));
	field("8:6", "PGTT", f.pgtt, pgtt_name(f.pgtt));
	field("9", "SSADE", f.ssade, f.ssade ? "dirty tracking in the second stage" :
	      "no dirty tracking");
	field("63:12", "SSPTPTR", f.ssptptr,
	      "the VM's memory map, host-physical");
	field("79:64", "DID", f.did, "domain ID");
	field("87", "PWSNP", f.pwsnp, f.pwsnp ? "page walks snoop" :
	      "page walks do not snoop");
	field("88", "PGSNP", f.pgsnp, f.pgsnp ? "accesses snoop" :
	      "accesses snoop as the device asks");
	field("128", "SRE", f.sre, f.sre ? "supervisor requests allowed" :
	      "user requests only");
	field("131:130", "FSPM", f.fspm, f.fspm == 1 ? "5 levels" : "4 levels");
	field("132", "WPE", f.wpe, f.wpe ? "supervisor writes honour read-only" :
	      "no write protection for supervisor");
	field("135", "EAFE", f.eafe, f.eafe ? "extended accessed flag is set" :
	      "no extended accessed flag");
	field("191:140", "FSPTPTR", f.fsptptr,
	      "the process's page table, guest-physical");
}

/* "4 3 2" and how large the page is that the last of them maps. */
static void second_stage(const struct vtdsim_explain *e, unsigned int for_level,
			 char *buf, size_t size)
{
	static const char * const page[] = { "", "4 KiB", "2 MiB", "1 GiB" };
	unsigned int i, level = 0;
	size_t at = 0;

	*buf = 0;
	for (i = 0; i < e->nr_steps && i < VTDSIM_EXPLAIN_STEPS; i++) {
		if (e->step[i].stage != VTDSIM_ST_SECOND ||
		    e->step[i].for_level != for_level || at >= size)
			continue;
		level = e->step[i].level;
		at += snprintf(buf + at, size - at, "%u ", level);
	}
	if (at && at < size && level < 4)
		snprintf(buf + at, size - at, "(%s)", page[level]);
}

static const char *entry_words(__u64 entry, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s%s%s", entry & 1 ? "P" : "-",
		 entry & 2 ? " W" : "", entry & 4 ? " U" : "",
		 entry & 0x20 ? " A" : "", entry & 0x40 ? " D" : "",
		 entry & ENTRY_PS ? " PS" : "", entry >> 63 ? " XD" : "");
	return buf;
}

static void show_level(const struct vtdsim_explain *e,
		       const struct vtdsim_step *s, __u64 gpa)
{
	char second[40], words[32], name[16];

	second_stage(e, s->level, second, sizeof(second));
	snprintf(name, sizeof(name), "level %u", s->level);
	printf("      %-8s 0x%-12llx %-17s 0x%-12llx 0x%-12llx %s\n", name, gpa,
	       second, s->addr, s->entry & ADDR_MASK,
	       entry_words(s->entry, words, sizeof(words)));
}

void show_nested_walk(const struct vtdsim_explain *e, __u64 va)
{
	struct pasid_fields f;
	char second[40];
	unsigned int i;
	__u64 table;

	pasid_fields(e->pasid_entry, &f);
	table = f.fsptptr;
	printf("      %-8s %-14s %-17s %-14s %-14s %s\n", "first", "guest-physical",
	       "second stage", "host-physical", "entry leads to", "bits");
	for (i = 0; i < e->nr_steps && i < VTDSIM_EXPLAIN_STEPS; i++) {
		const struct vtdsim_step *s = &e->step[i];

		if (s->stage != VTDSIM_ST_FIRST)
			continue;
		show_level(e, s, table + 8 * bits(va, 9 * s->level + 11,
						  9 * s->level + 3));
		table = s->entry & ADDR_MASK;
	}
	second_stage(e, 0, second, sizeof(second));
	printf("      %-8s 0x%-12llx %-17s 0x%llx\n", "page", e->gpa, second,
	       e->output);
	printf("      %u entries read for one translation\n", e->nr_steps);
}

void show_vtd_caps(__u64 cap, __u64 ecap)
{
	printf("      CAP  0x%016llx  first stage: 1 GiB pages %s, 5 levels %s\n",
	       cap, bits(cap, 56, 56) ? "yes" : "no",
	       bits(cap, 60, 60) ? "yes" : "no");
	printf("      %24s  page-selective %s, caching mode %s, %llu-bit domain IDs\n",
	       "", bits(cap, 39, 39) ? "yes" : "no",
	       bits(cap, 7, 7) ? "on" : "off", 4 + 2 * bits(cap, 2, 0));
	printf("      ECAP 0x%016llx  scalable mode %s, first stage %s, second stage %s\n",
	       ecap, bits(ecap, 43, 43) ? "yes" : "no",
	       bits(ecap, 47, 47) ? "yes" : "no",
	       bits(ecap, 46, 46) ? "yes" : "no");
	printf("      %24s  nested %s, %llu-bit PASIDs, device TLB %s, page requests %s\n",
	       "", bits(ecap, 26, 26) ? "yes" : "no",
	       bits(ecap, 40, 40) ? bits(ecap, 39, 35) + 1 : 0,
	       bits(ecap, 2, 2) ? "yes" : "no", bits(ecap, 29, 29) ? "yes" : "no");
	printf("      %24s  supervisor %s, extended accessed %s, second-stage dirty %s\n",
	       "", bits(ecap, 31, 31) ? "yes" : "no",
	       bits(ecap, 34, 34) ? "yes" : "no",
	       bits(ecap, 45, 45) ? "yes" : "no");
}

void show_cost(const char *what, const struct vtdsim_counters *c)
{
	if (!c) {
		printf("      %-30s %6s %6s %6s %6s %6s %6s  %s\n", "", "PASID",
		       "", "PASID", "device", "PASID", "", "times");
		printf("      %-30s %6s %6s %6s %6s %6s %6s  %s\n", what, "cache",
		       "IOTLB", "IOTLB", "TLB", "devTLB", "wait", "submitted");
		return;
	}
	printf("      %-30s %6llu %6llu %6llu %6llu %6llu %6llu %6llu\n", what,
	       c->u_desc[VTDSIM_D_PASID_CACHE], c->u_desc[VTDSIM_D_IOTLB],
	       c->u_desc[VTDSIM_D_PIOTLB], c->u_desc[VTDSIM_D_DEVTLB],
	       c->u_desc[VTDSIM_D_PDEVTLB], c->u_waits, c->u_submissions);
}
