// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpasid: what the kernel tells of guest PASIDs, and of the devices.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define DEBUGFS		"/sys/kernel/debug/gpasid/"

/* Fill in one element from a line; false: it is not one. */
typedef bool (*parse_fn)(const char *line, void *element);

/* The lines of a file, without its headline, as an array of @size bytes each. */
static int host_lines(const char *path, parse_fn parse, size_t size, void **list)
{
	char line[512], *new;
	int nr = 0, room = 0;
	FILE *f;

	*list = NULL;
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		if (nr == room) {
			room = room ? 2 * room : 64;
			new = realloc(*list, room * size);
			if (!new)
				break;
			*list = new;
		}
		nr += parse(line, (char *)*list + nr * size);
	}
	fclose(f);

	return nr;
}

static bool parse_device(const char *line, void *element)
{
	struct device *d = element;
	char reset;

	if (sscanf(line, "%63s %lu %u %u %c", d->name, &d->bindings,
		   &d->waiting, &d->oldest_ms, &reset) != 5)
		return false;
	d->reset = reset == 'y';
	return true;
}

static bool parse_binding(const char *line, void *element)
{
	struct binding *b = element;

	return sscanf(line, "%63s %u %u %15s %15s %d %31[^\n]", b->device,
		      &b->pasid, &b->gpasid, b->kind, b->state, &b->pid,
		      b->comm) == 7;
}

static bool parse_request(const char *line, void *element)
{
	struct request *r = element;

	return sscanf(line, "%63s %u %u %llx %u", r->device, &r->pasid,
		      &r->group, &r->address, &r->age_ms) == 5;
}

static bool parse_caps(const char *line, void *element)
{
	struct caps *c = element;

	return sscanf(line, "%63s %x %x %u %x", c->device, &c->caps, &c->errata,
		      &c->pasid_bits, &c->addr_widths) == 5;
}

int host_devices(struct device **list)
{
	return host_lines(DEBUGFS "devices", parse_device, sizeof(**list),
			  (void **)list);
}

int host_bindings(struct binding **list)
{
	return host_lines(DEBUGFS "bindings", parse_binding, sizeof(**list),
			  (void **)list);
}

int host_requests(struct request **list)
{
	return host_lines(DEBUGFS "requests", parse_request, sizeof(**list),
			  (void **)list);
}

int host_caps(struct caps **list)
{
	return host_lines(DEBUGFS "caps", parse_caps, sizeof(**list),
			  (void **)list);
}

int host_unreadable(void)
{
	if (errno == ENOENT && !access("/sys/module/gpasid_core", F_OK))
		fprintf(stderr, "gpasid: mount debugfs on /sys/kernel/debug\n");
	else if (errno == ENOENT)
		fprintf(stderr, "gpasid: the module gpasid-core is not loaded\n");
	else
		fprintf(stderr, "gpasid: %s: %s\n", DEBUGFS, strerror(errno));
	return 2;
}

void host_link(const char *path, char *name, size_t size)
{
	char target[512];
	ssize_t len;
	char *last;

	name[0] = '\0';
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return;
	target[len] = '\0';
	last = strrchr(target, '/');
	snprintf(name, size, "%s", last ? last + 1 : target);
}

int host_ext_cap(const char *device, unsigned int id)
{
	unsigned char config[4096];
	unsigned int header, at = 0x100;
	char path[256];
	ssize_t len;
	int fd, hops;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = pread(fd, config, sizeof(config), 0);
	close(fd);
	if (len <= 64)
		return -1;	/* without a privilege */

	for (hops = 0; at >= 0x100 && at + 4 <= len && hops < 1000; hops++) {
		memcpy(&header, &config[at], sizeof(header));
		if ((header & 0xffff) == id)
			return at;
		at = header >> 20;
	}
	return 0;
}

bool host_hex(const char *path, unsigned long long *value)
{
	FILE *f = fopen(path, "r");
	bool found;

	if (!f)
		return false;
	found = fscanf(f, "%llx", value) == 1;
	fclose(f);

	return found;
}

bool host_begins(const char *path, const char *text)
{
	char line[256] = "";
	FILE *f = fopen(path, "r");

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);

	return !strncmp(line, text, strlen(text));
}

void host_entry(const char *path, char *name, size_t size)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	name[0] = '\0';
	if (!dir)
		return;
	while (!name[0] && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			snprintf(name, size, "%s", entry->d_name);
	closedir(dir);
}

int host_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int nr = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		nr += entry->d_name[0] != '.';
	closedir(dir);

	return nr;
}
