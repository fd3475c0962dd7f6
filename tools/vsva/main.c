// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsva: start QEMU with a device that is passed through, and be the guest's VT-d
 * unit above that device until QEMU ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#include "vsva.h"

#define USEC		1000ULL
#define MSEC		1000000ULL
#define SPIN_NS		(200 * USEC)	/* look again at once that long after work */
#define DOZE_NS		(20 * MSEC)	/* then sleep short, */
#define SLEEP_NS	(500 * MSEC)	/* then longer, then as long as a tick */
#define NAP_SHORT_NS	(50 * USEC)
#define NAP_LONG_NS	(500 * USEC)
#define NAP_TICK_NS	(4 * MSEC)
#define PORTIONS	16		/* of work between two looks at the registers */
#define ADDRESS_BITS	48

struct options {
	const char *device;
	const char *counters;
	uint64_t memory;
	uint64_t registers;
	uint8_t devfn;
};

struct vsva {
	struct memory memory;	/* first: what libvvtd hands to ptr() */
	struct qemu qemu;
	struct host host;
	struct page page;
	struct vvtd *v;
	uint8_t *registers;
	int counters;		/* file, or -1 */
	struct {
		uint64_t addr;
		uint32_t data;
	} message[MAX_MESSAGES];
	unsigned int nr_messages;
	uint64_t all_messages;
	bool more;		/* the unit has not done all that it was asked for */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* ---- options --------------------------------------------------------------- */

static void print_help(void)
{
	printf("usage: vsva --device ADDRESS --memory SIZE [--registers ADDRESS]\n"
	       "            [--slot DEVICE.FUNCTION] [--counters FILE] -- QEMU ARGUMENT...\n"
	       "see vsva(8)\n");
}

static uint64_t parse_size(const char *arg)
{
	char *end;
	uint64_t val = strtoull(arg, &end, 0);

	if (end != arg && *end == 'M')
		val <<= 20;
	if (end != arg && *end == 'G')
		val <<= 30;
	end += *end == 'M' || *end == 'G';
	if (end == arg || *end || !val || val & 0xfffff)
		fail("--memory %s: not a number of mebibytes, such as 512M or 2G",
		     arg);
	return val;
}

static uint64_t parse_registers(const char *arg)
{
	char *end;
	uint64_t val = strtoull(arg, &end, 0);

	if (end == arg || *end || val & 0xfff || !val)
		fail("--registers %s: not the address of a page", arg);
	return val;
}

static uint8_t parse_slot(const char *arg)
{
	unsigned int device, function;
	char rest;

	if (sscanf(arg, "%x.%x%c", &device, &function, &rest) != 2 ||
	    device > 31 || function > 7)
		fail("--slot %s: not a device and a function, such as 8.0",
		     arg);
	return device << 3 | function;
}

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "memory", required_argument, NULL, 'm' },
	{ "registers", required_argument, NULL, 'r' },
	{ "slot", required_argument, NULL, 's' },
	{ "counters", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void parse_option(int opt, struct options *o)
{
	switch (opt) {
	case 'd':
		o->device = optarg;
		break;
	case 'm':
		o->memory = parse_size(optarg);
		break;
	case 'r':
		o->registers = parse_registers(optarg);
		break;
	case 's':
		o->devfn = parse_slot(optarg);
		break;
	case 'c':
		o->counters = optarg;
		break;
	case 'h':
		print_help();
		exit(0);
	default:
		exit(2);
	}
}

static char **parse(int argc, char **argv, struct options *o)
{
	int opt;

	*o = (struct options){ .registers = 0x8000000, .devfn = 8 << 3 };
	while ((opt = getopt_long(argc, argv, "+", long_options, NULL)) != -1)
		parse_option(opt, o);
	if (!o->device || !o->memory)
		fail("--device and --memory are needed; see vsva --help");
	if (optind == argc)
		fail("no QEMU to start; see vsva --help");
	return argv + optind;
}

/* ---- what the unit does to the guest --------------------------------------- */

/* Kept until the registers that the interrupt is about are shown. */
static void message(void *ctx, uint64_t addr, uint32_t data)
{
	struct vsva *s = ctx;
	unsigned int i;

	for (i = 0; i < s->nr_messages; i++) {
		if (s->message[i].addr == addr && s->message[i].data == data)
			return;
	}
	if (s->nr_messages == MAX_MESSAGES)
		return;
	s->message[s->nr_messages].addr = addr;
	s->message[s->nr_messages++].data = data;
}

static void send_messages(struct vsva *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_messages; i++)
		qemu_message(&s->qemu, s->message[i].addr, s->message[i].data);
	s->all_messages += s->nr_messages;
	s->nr_messages = 0;
}

static void look_at_faults(struct vsva *s)
{
	uint64_t addr;
	uint32_t data;

	if (page_more_faults(&s->page, &addr, &data))
		message(s, addr, data);
}

/* One look at everything; true if there was something to do. */
static bool look(struct vsva *s, bool requests)
{
	bool busy = page_take(&s->page);
	int i;

	if (!busy && !requests && !s->more)
		return false;
	look_at_faults(s);
	page_rearm(&s->page);
	if (requests)
		host_page_requests(&s->host);
	s->more = true;
	for (i = 0; i < PORTIONS && s->more; i++)
		s->more = vvtd_run(s->v) == VVTD_MORE;
	page_show(&s->page);
	send_messages(s);
	return true;
}

/* ---- counters ---------------------------------------------------------------- */

static void open_counters(struct vsva *s, const char *path)
{
	s->counters = -1;
	if (!path)
		return;
	s->counters = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (s->counters < 0)
		fail("%s: %s", path, strerror(errno));
}

static int print_counters(const struct vsva *s, const struct vvtd_stats *st,
			  char *text, size_t size)
{
	const struct counts *c = &s->host.counts;
	const struct {
		const char *name;
		unsigned long long n;
	} row[] = {
		{ "descriptors", st->descriptors }, { "binds", c->binds },
		{ "replaces", c->replaces }, { "unbinds", c->unbinds },
		{ "invalidations", c->invalidations },
		{ "page_requests", c->requests },
		{ "responses", c->responses }, { "faults", st->faults },
		{ "host_errors", st->host_errors },
		{ "messages", s->all_messages }, { "system_calls", c->calls },
	};
	int len = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(row); i++)
		len += snprintf(text + len, size - len, "%s %20llu\n",
				row[i].name, row[i].n);
	return len;
}

/* All in one write, each number as wide as any: a reader finds it whole. */
static void write_counters(struct vsva *s)
{
	struct vvtd_stats st;
	char text[640];
	int len;

	if (s->counters < 0)
		return;
	vvtd_stats(s->v, &st);
	len = print_counters(s, &st, text, sizeof(text));
	if (pwrite(s->counters, text, len, 0) != len)
		fail("counters: %s", strerror(errno));
}

/* ---- from start to end --------------------------------------------------------- */

static int dmar_file(const struct options *o)
{
	uint8_t table[256];
	size_t len = dmar_build(table, sizeof(table), o->registers, o->devfn,
				ADDRESS_BITS);
	int fd = memfd_create("vsva-dmar", MFD_CLOEXEC);

	if (fd < 0 || write(fd, table, len) != (ssize_t)len)
		fail("ACPI table: %s", strerror(errno));
	return fd;
}

/* What the host's unit has of what a guest can use. */
static void configure(struct vvtd_config *config,
		      const struct vvtd_host_caps *caps)
{
	vvtd_config_init(config);
	config->address_bits = ADDRESS_BITS;
	config->pasid_bits = caps->pasid_bits;
	config->huge_pages = caps->cap & CAP_FS1GP;
	config->coherent = caps->ecap & ECAP_SMPWCS;
	config->page_requests = true;
	config->page_drain = true;
	config->second_stage = true;
}

static void make_unit(struct vsva *s, const struct options *o)
{
	struct vvtd_ops ops = host_ops;
	struct vvtd_config config;
	struct vvtd_host_caps caps;
	char why[128] = "";
	int rc = vvtd_iommufd_caps(&s->host.dev, &caps);

	if (rc)
		fail("the host's unit: %s", strerror(-rc));
	configure(&config, &caps);
	if (vvtd_check_host(&config, &caps, why, sizeof(why)))
		fail("%s: %s", o->device, why);
	ops.msi = message;
	s->v = vvtd_create(&config, &ops, s);
	if (!s->v)
		fail("out of memory");
	rc = vvtd_dev_add(s->v, o->devfn, &caps, &s->host, &s->host.guest);
	if (rc)
		fail("%s: %s", o->device, strerror(-rc));
}

static void run_all(struct vsva *s)
{
	while (vvtd_run(s->v) == VVTD_MORE)
		;
}

/* The guest begins anew, and finds no binding of before. */
static void reset(struct vsva *s)
{
	vvtd_reset(s->v);
	run_all(s);
	s->nr_messages = 0;
	page_init(&s->page, s->registers, s->v);
}

/* A device that nobody could attach is no device for the guest. */
static void first_attach(struct vsva *s)
{
	struct vvtd_stage stage;

	run_all(s);
	vvtd_binding(s->host.guest, VVTD_RID, &stage);
	if (stage.kind != VVTD_PASS_THROUGH)
		fail("the host does not attach the device to the guest's memory");
	page_init(&s->page, s->registers, s->v);
}

/* True: there are page requests.  Waits up to @ns for anything to happen. */
static bool wait(struct vsva *s, uint64_t ns, enum qemu_event *event)
{
	struct pollfd p[] = {
		{ .fd = s->host.dev.fault_fd, .events = POLLIN },
		{ .fd = s->qemu.qmp_out, .events = POLLIN },
	};
	struct timespec ts = { .tv_nsec = ns };

	*event = QEMU_NOTHING;
	if (ppoll(p, 2, &ts, NULL) <= 0)
		return false;
	if (p[1].revents)
		*event = qemu_event(&s->qemu);
	return p[0].revents & POLLIN;
}

/* How long to sleep, @idle after the last work. */
static uint64_t nap(uint64_t idle)
{
	if (idle >= SLEEP_NS)
		return NAP_TICK_NS;
	if (idle >= DOZE_NS)
		return NAP_LONG_NS;
	if (idle >= SPIN_NS)
		return NAP_SHORT_NS;
	sched_yield();
	return 0;
}

static void serve(struct vsva *s)
{
	enum qemu_event event = QEMU_NOTHING;
	uint64_t last = now_ns();
	bool requests = false, written = false;

	while (event != QEMU_ENDS && !stop) {
		uint64_t idle = 0;

		if (event == QEMU_RESET)
			reset(s);
		if (look(s, requests)) {
			last = now_ns();
			written = false;
		} else {
			idle = now_ns() - last;
		}
		if (idle >= SPIN_NS && !written) {
			write_counters(s);
			written = true;
		}
		requests = wait(s, nap(idle), &event);
	}
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
}

static void start(struct vsva *s, char **argv, const struct options *o)
{
	struct qemu_setup setup = { .memory = &s->memory, .devfn = o->devfn };

	memory_create(&s->memory, o->memory);
	s->registers = ram_ptr(&s->memory.ram, o->registers,
			       VVTD_REGISTERS);
	if (!s->registers)
		fail("--registers: no memory of the guest is at 0x%llx",
		     (unsigned long long)o->registers);
	open_counters(s, o->counters);
	host_open(&s->host, o->device);
	setup.dmar = dmar_file(o);
	setup.iommufd = s->host.dev.iommufd;
	setup.vfio = s->host.dev.vfio;
	qemu_start(&s->qemu, argv, &setup);
	close(setup.dmar);
	host_prepare(&s->host, &s->memory);
	make_unit(s, o);
	first_attach(s);
	qemu_continue(&s->qemu);
}

int main(int argc, char **argv)
{
	static struct vsva s;
	struct options o;
	char **qemu = parse(argc, argv, &o);
	int status;

	prctl(PR_SET_TIMERSLACK, 1000UL);
	start(&s, qemu, &o);
	catch_signals();
	serve(&s);
	if (stop)
		kill(s.qemu.pid, SIGTERM);
	status = qemu_wait(&s.qemu);
	write_counters(&s);
	vvtd_destroy(s.v);
	host_close(&s.host);
	return status;
}
