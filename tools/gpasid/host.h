/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gpasid: what the kernel tells of guest PASIDs, and of the devices.
 */
#ifndef GPASID_HOST_H
#define GPASID_HOST_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_MAX_LEN	64
#define COMM_LEN	32

/* A line of /sys/kernel/debug/gpasid/devices. */
struct device {
	char name[NAME_MAX_LEN];
	unsigned long bindings;
	unsigned int waiting;
	unsigned int oldest_ms;
	bool reset;
};

/* A line of bindings. */
struct binding {
	char device[NAME_MAX_LEN];
	char kind[16];
	char state[16];
	char comm[COMM_LEN];
	unsigned int pasid;
	unsigned int gpasid;
	int pid;
};

/* A line of requests. */
struct request {
	char device[NAME_MAX_LEN];
	unsigned int pasid;
	unsigned int group;
	unsigned long long address;
	unsigned int age_ms;
};

/* A line of caps. */
struct caps {
	char device[NAME_MAX_LEN];
	unsigned int caps;
	unsigned int errata;
	unsigned int pasid_bits;
	unsigned int addr_widths;
};

/*
 * A whole file as an array, for free().  -1: it cannot be read, errno says why.
 */
int host_devices(struct device **list);
int host_bindings(struct binding **list);
int host_requests(struct request **list);
int host_caps(struct caps **list);

/* What cannot be read, in words, on stderr; returns the exit status. */
int host_unreadable(void);

/* The name of what a link in sysfs leads to, "" for none. */
void host_link(const char *path, char *name, size_t size);

/* The offset of an extended capability of a PCI function; 0: none, -1: unknown. */
int host_ext_cap(const char *device, unsigned int id);

/* A hexadecimal number in a file of sysfs; false when there is none. */
bool host_hex(const char *path, unsigned long long *value);

/* Does a file begin so? */
bool host_begins(const char *path, const char *text);

/* The first entry of a directory, "" for none. */
void host_entry(const char *path, char *name, size_t size);

/* How many entries a directory has, -1 when there is none. */
int host_entries(const char *path);

#endif /* GPASID_HOST_H */
