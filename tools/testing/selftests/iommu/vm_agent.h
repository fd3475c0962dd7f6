/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs in a guest have in common: they answer each request of the
 * host, a line, by a line that begins with "= ".
 */
#ifndef VM_AGENT_H
#define VM_AGENT_H

#include <stdbool.h>
#include <stddef.h>

void answer(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The first line of a small file, or "". */
char *file_line(const char *path, char *buf, size_t size);

/* Write a word to a file below /sys: 0 or a negative errno. */
int file_write(const char *path, const char *word);

/* The address of the @n-th endpoint that is passed through; "" if there is none. */
const char *endpoint(unsigned int n);

/*
 * The first-stage table of @pasid as the guest's kernel has written it into the
 * entry of the @n-th endpoint; 0: there is no entry.
 */
unsigned long long table_of(unsigned int n, unsigned int pasid);

/* A word that is understood; it may take two hexadecimal numbers. */
struct agent_command {
	const char *word;
	void (*run)(unsigned long long a, unsigned long long b);
};

/*
 * Do what a line asks for.  @commands end with an empty one; beside them, all
 * understand hello (what the guest's kernel says of itself and of its unit),
 * reset (a function-level reset of the endpoint), plugged (wait for an endpoint
 * that is hot-plugged, and give it to the driver), unplugged (wait until the
 * endpoint has left), unplug (cut the power of its slot), reboot and bye.
 */
void agent_run(const struct agent_command *commands, const char *line);

#endif /* VM_AGENT_H */
