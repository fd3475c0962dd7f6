// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpasid: what guest PASIDs are bound on this host, by which processes, what waits
 * for an answer, and whether the host can do it at all.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "host.h"
#include "out.h"

static bool json;

static const char help[] =
	"usage: gpasid [--json] list\n"
	"       gpasid [--json] show DEVICE\n"
	"       gpasid [--json] [-n SECONDS] [-c COUNT] watch\n"
	"       gpasid [--json] check [DEVICE...]\n"
	"\n"
	"list    devices with bound PASIDs, their processes, what waits and how long\n"
	"show    each PASID of a device, and each page request that waits\n"
	"watch   list, again and again\n"
	"check   can this host do vSVA; the reason if not, and what helps\n";

/* ---- list ------------------------------------------------------------------- */

/* Processes that have bound PASIDs on a device: "123 (qemu), 456 (qemu)". */
static void processes(const char *device, const struct binding *list, int nr,
		      char *text, size_t size)
{
	char one[COMM_LEN + 16];
	int i;

	text[0] = '\0';
	for (i = 0; i < nr; i++) {
		if (strcmp(list[i].device, device))
			continue;
		snprintf(one, sizeof(one), "%d (%s)", list[i].pid, list[i].comm);
		if (strstr(text, one) || strlen(text) + strlen(one) + 3 > size)
			continue;
		if (text[0])
			strcat(text, ", ");
		strcat(text, one);
	}
}

static void list_one(const struct device *d, const char *who)
{
	if (json) {
		json_open(NULL, '{');
		json_string("device", d->name);
		json_number("pasids", d->bindings);
		json_number("waiting", d->waiting);
		json_number("oldest_ms", d->oldest_ms);
		json_bool("reset", d->reset);
		json_string("processes", who);
		json_close('}');
		return;
	}
	printf("%-14s %8lu %8u %9u  %-5s  %s\n", d->name, d->bindings, d->waiting,
	       d->oldest_ms, d->reset ? "yes" : "no", who);
}

static int do_list(void)
{
	struct binding *bindings;
	struct device *devices;
	int i, nr, nr_bindings;
	char who[256];

	nr = host_devices(&devices);
	nr_bindings = host_bindings(&bindings);
	if (nr < 0 || nr_bindings < 0)
		return host_unreadable();

	if (json)
		json_open(NULL, '[');
	else
		printf("DEVICE           PASIDS  WAITING OLDEST_MS  RESET  PROCESSES\n");
	for (i = 0; i < nr; i++) {
		processes(devices[i].name, bindings, nr_bindings, who, sizeof(who));
		list_one(&devices[i], who);
	}
	if (json) {
		json_close(']');
		json_end();
	}
	free(devices);
	free(bindings);

	return 0;
}

/* ---- show ------------------------------------------------------------------- */

static void show_binding(const struct binding *b)
{
	if (json) {
		json_open(NULL, '{');
		json_number("pasid", b->pasid);
		json_number("guest_pasid", b->gpasid);
		json_string("kind", b->kind);
		json_string("state", b->state);
		json_number("pid", b->pid);
		json_string("comm", b->comm);
		json_close('}');
		return;
	}
	printf("%8u %8u  %-7s %-8s %d (%s)\n", b->pasid, b->gpasid, b->kind,
	       b->state, b->pid, b->comm);
}

static void show_bindings(const char *device)
{
	struct binding *list;
	int i, nr = host_bindings(&list);

	if (json)
		json_open("bindings", '[');
	else
		printf("\n   PASID    GUEST  NUMBERS STATE    PROCESS\n");
	for (i = 0; i < nr; i++)
		if (!strcmp(list[i].device, device))
			show_binding(&list[i]);
	if (json)
		json_close(']');
	free(list);
}

static void show_request(const struct request *r)
{
	if (json) {
		json_open(NULL, '{');
		json_number("pasid", r->pasid);
		json_number("group", r->group);
		json_number("address", r->address);
		json_number("age_ms", r->age_ms);
		json_close('}');
		return;
	}
	printf("%8u %8u  0x%-16llx %u\n", r->pasid, r->group, r->address,
	       r->age_ms);
}

static void show_requests(const char *device)
{
	struct request *list;
	int i, nr = host_requests(&list);

	if (json)
		json_open("requests", '[');
	else
		printf("\n   PASID    GROUP  ADDRESS            WAITS_MS\n");
	for (i = 0; i < nr; i++)
		if (!strcmp(list[i].device, device))
			show_request(&list[i]);
	if (json)
		json_close(']');
	free(list);
}

static int show_caps(const char *device)
{
	struct caps *list;
	char words[128];
	int i, nr = host_caps(&list);

	if (nr < 0)
		return host_unreadable();
	for (i = 0; i < nr; i++)
		if (!strcmp(list[i].device, device))
			break;
	if (i == nr) {
		fprintf(stderr, "gpasid: no device %s with a driver and guest PASIDs\n",
			device);
		free(list);
		return 1;
	}
	check_words(&list[i], words, sizeof(words));
	if (json) {
		json_open(NULL, '{');
		json_string("device", device);
		json_string("can", words);
	} else {
		printf("%s: %s\n", device, words);
	}
	free(list);

	return 0;
}

static int do_show(const char *device)
{
	int status = show_caps(device);

	if (status)
		return status;
	show_bindings(device);
	show_requests(device);
	if (json) {
		json_close('}');
		json_end();
	}
	return 0;
}

/* ---- watch ------------------------------------------------------------------ */

/* @count 0: until it is interrupted. */
static int do_watch(double seconds, unsigned long count)
{
	bool screen = isatty(STDOUT_FILENO) && !json;
	unsigned long i;
	int status = 0;

	for (i = 0; !status && (!count || i < count); i++) {
		if (i)
			usleep(seconds * 1e6);
		if (screen)
			printf("\033[H\033[J");
		status = do_list();
		fflush(stdout);
	}
	return status;
}

static int usage(void)
{
	fputs(help, stderr);
	return 2;
}

static int run(int argc, char **argv, double seconds, unsigned long count)
{
	if (!strcmp(argv[0], "list") && argc == 1)
		return do_list();
	if (!strcmp(argv[0], "show") && argc == 2)
		return do_show(argv[1]);
	if (!strcmp(argv[0], "watch") && argc == 1)
		return do_watch(seconds, count);
	if (!strcmp(argv[0], "check"))
		return check_host(json, argc - 1, argv + 1);
	return usage();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	unsigned long count = 0;
	double seconds = 2;
	int opt;

	while ((opt = getopt_long(argc, argv, "jhn:c:", options, NULL)) >= 0) {
		if (opt == 'j')
			json = true;
		else if (opt == 'n')
			seconds = atof(optarg);
		else if (opt == 'c')
			count = strtoul(optarg, NULL, 0);
		else if (opt == 'h')
			return fputs(help, stdout) < 0;
		else
			return usage();
	}
	if (optind == argc || seconds <= 0)
		return usage();
	return run(argc - optind, argv + optind, seconds, count);
}
