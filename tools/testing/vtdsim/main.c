// SPDX-License-Identifier: GPL-2.0-only
/*
 * vtdsim: plays VT-d units and the endpoints below them over the shared RAM of
 * a QEMU VM.  Interrupts travel by QEMU's qtest socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "config.h"
#include "dmar.h"
#include "endpoint.h"
#include "sim.h"
#include "state.h"
#include "trace.h"
#include "vtd.h"
#include "vtdsim_abi.h"

#define USEC		1000ULL
#define MSEC		1000000ULL
#define SPIN_NS		(300 * USEC)	/* poll hard that long after work */
#define DOZE_NS		(20 * MSEC)	/* then sleep short, then longer */
#define NAP_SHORT_NS	(50 * USEC)
#define NAP_LONG_NS	(200 * USEC)
#define RETRY_NS	(20 * MSEC)	/* to connect to QEMU */
#define LINGER_NS	(500 * MSEC)	/* when QEMU has closed its socket */

struct options {
	const char *ram;
	u64 ram_size;
	const char *qtest;
	const char *dmar;
	const char *counters;
	bool dmar_only;
	struct sim_config sim;
};

struct qtest {
	const char *path;
	int fd;
	u64 next_try;
	bool closed;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void __attribute__((noreturn)) die(const char *what, const char *name)
{
	fprintf(stderr, "vtdsim: %s%s%s%s%s\n", what, name ? " " : "",
		name ? name : "", errno ? ": " : "",
		errno ? strerror(errno) : "");
	exit(1);
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void nap(u64 ns)
{
	struct timespec ts = { .tv_nsec = ns };

	nanosleep(&ts, NULL);
}

static void qtest_connect(struct qtest *q)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	u64 now = now_ns();

	if (!q->path || q->fd >= 0 || q->closed || now < q->next_try)
		return;
	q->next_try = now + RETRY_NS;
	if (strlen(q->path) >= sizeof(sun.sun_path))
		die("socket path too long:", q->path);
	strcpy(sun.sun_path, q->path);
	q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (q->fd < 0)
		die("socket", NULL);
	if (!connect(q->fd, (struct sockaddr *)&sun, sizeof(sun)))
		return;
	close(q->fd);
	q->fd = -1;
}

/* Replies are of no interest; the end of the stream is the end of the VM. */
static void qtest_drain(struct qtest *q)
{
	char buf[512];
	ssize_t n;

	if (q->fd < 0)
		return;
	do {
		n = recv(q->fd, buf, sizeof(buf), MSG_DONTWAIT);
	} while (n > 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(q->fd);
	q->fd = -1;
	q->closed = true;
}

/* A message-signalled interrupt is a write to the VM's interrupt range. */
static void qtest_msi(void *ctx, u64 addr, u32 data)
{
	struct qtest *q = ctx;
	char line[64];
	int len;

	qtest_connect(q);
	qtest_drain(q);
	if (q->fd < 0)
		return;
	len = snprintf(line, sizeof(line), "writel 0x%llx 0x%x\n", addr, data);
	if (send(q->fd, line, len, MSG_NOSIGNAL) < 0)
		qtest_drain(q);
}

struct key {
	const char *name;
	size_t offset;
};

#define UNIT_KEY(k)	{ #k, offsetof(struct unit_config, k) }
#define EP_KEY(k)	{ #k, offsetof(struct ep_config, k) }

static const struct key unit_keys[] = {
	UNIT_KEY(seg), UNIT_KEY(cm), UNIT_KEY(nest), UNIT_KEY(fl5lp),
	UNIT_KEY(fl1gp), UNIT_KEY(srs), UNIT_KEY(ers), UNIT_KEY(eafs),
	UNIT_KEY(pasid), UNIT_KEY(pss), UNIT_KEY(prs), UNIT_KEY(pds),
	UNIT_KEY(dt), UNIT_KEY(slads), UNIT_KEY(smpwc), UNIT_KEY(c),
	UNIT_KEY(sc), UNIT_KEY(pt), UNIT_KEY(slts), UNIT_KEY(flts),
	UNIT_KEY(smts), UNIT_KEY(sagaw), UNIT_KEY(mgaw), UNIT_KEY(sslps),
	UNIT_KEY(mamv), UNIT_KEY(psi), UNIT_KEY(nd), UNIT_KEY(nfr),
	UNIT_KEY(haw), UNIT_KEY(nwfs), UNIT_KEY(ver), UNIT_KEY(qi),
	UNIT_KEY(adms), UNIT_KEY(rwbf), UNIT_KEY(iqe_in), UNIT_KEY(ice_in),
	UNIT_KEY(scope),
	{ NULL, 0 },
};

static const struct key ep_keys[] = {
	EP_KEY(unit), EP_KEY(ats), EP_KEY(ats_global), EP_KEY(pri),
	EP_KEY(pasid), EP_KEY(pasid_bits), EP_KEY(priv), EP_KEY(exec),
	EP_KEY(mute), EP_KEY(deaf), EP_KEY(port), EP_KEY(rmrr),
	{ NULL, 0 },
};

static u64 parse_number(const char *what, const char *arg, u64 max)
{
	char *end;
	u64 val = strtoull(arg, &end, 0);

	if (end == arg || *end || *arg == '-' || val > max) {
		errno = 0;
		die("not a number in range:", what);
	}
	return val;
}

/* KEY=VALUE[,KEY=VALUE]... into the structure that @keys describe. */
static void parse_keys(const char *arg, const struct key *keys, void *to)
{
	char *copy = strdup(arg);
	char *save = NULL;
	char *word;

	for (word = strtok_r(copy, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		char *eq = strchr(word, '=');
		const struct key *k = keys;

		if (!eq)
			die("KEY=VALUE wanted, not", word);
		*eq = '\0';
		while (k->name && strcmp(k->name, word))
			k++;
		if (!k->name)
			die("no such key:", word);
		*(u32 *)((char *)to + k->offset) = parse_number(word, eq + 1, ~0u);
	}
	free(copy);
}

static bool unit_sane(const struct unit_config *c)
{
	return c->haw >= 32 && c->haw <= 52 && c->mgaw >= 12 && c->mgaw <= 64 &&
	       c->nfr >= 1 && c->nfr <= 32 && c->mamv <= 52 && c->pss <= 31 &&
	       c->sagaw < 32 && c->sslps < 16 && c->nd < 8 && c->ver >= 1 &&
	       c->ver <= 15 && (c->qi || !(c->dt || c->smts)) &&
	       c->seg > 0 && c->seg < 65536;
}

static void add_unit(struct sim_config *cfg, const char *arg)
{
	struct unit_config *u = &cfg->unit[cfg->nr_units];
	u32 i;

	if (cfg->nr_units == VTDSIM_MAX_UNITS)
		die("too many units", NULL);
	unit_config_init(u);
	u->seg = ++cfg->nr_units;
	u->mgaw = 0;
	parse_keys(arg, unit_keys, u);
	if (!u->mgaw)
		u->mgaw = u->sagaw & 8 ? 57 : u->sagaw & 4 ? 48 : 39;
	if (!unit_sane(u))
		die("a value of --unit is out of range:", arg);
	for (i = 0; &cfg->unit[i] < u; i++) {
		if (cfg->unit[i].seg == u->seg && !cfg->unit[i].scope && !u->scope)
			die("two units of a segment cannot both include all:", arg);
	}
}

static void add_ep(struct sim_config *cfg, const char *arg)
{
	struct ep_config ep;
	u32 *nr;

	ep_config_init(&ep);
	parse_keys(arg, ep_keys, &ep);
	if (ep.unit >= VTDSIM_MAX_UNITS || ep.pasid_bits > PASID_BITS ||
	    ep.port > 1)
		die("a value of --ep is out of range:", arg);
	nr = &cfg->nr_eps[ep.unit];
	if (*nr == VTDSIM_MAX_EPS)
		die("too many endpoints", NULL);
	cfg->ep[ep.unit][(*nr)++] = ep;
}

static void add_defaults(struct sim_config *cfg)
{
	u32 i;

	if (!cfg->nr_units) {
		add_unit(cfg, "");
		add_unit(cfg, "");
	}
	for (i = 0; i < VTDSIM_MAX_UNITS; i++) {
		if (cfg->nr_eps[i] && i >= cfg->nr_units)
			die("--ep for a unit that is not there", NULL);
		if (cfg->nr_eps[i] || i >= cfg->nr_units)
			continue;
		ep_config_init(&cfg->ep[i][0]);
		ep_config_init(&cfg->ep[i][1]);
		cfg->nr_eps[i] = 2;
	}
}

static void print_help(void)
{
	const struct key *k;

	printf("usage: vtdsim --ram FILE --ram-size BYTES [--qtest SOCKET] [--dmar FILE]\n"
	       "              [--unit KEY=VAL,...]... [--ep KEY=VAL,...]... [--trace]\n"
	       "              [--evict PERMILLE] [--seed N] [--no-oracle] [--counters FILE]\n"
	       "              [--adverse] [--dmar-only]\n"
	       "keys of --unit:");
	for (k = unit_keys; k->name; k++)
		printf(" %s", k->name);
	printf("\nkeys of --ep:");
	for (k = ep_keys; k->name; k++)
		printf(" %s", k->name);
	printf("\n");
}

enum {
	OPT_RAM = 256,
	OPT_RAM_SIZE,
	OPT_QTEST,
	OPT_DMAR,
	OPT_DMAR_ONLY,
	OPT_UNIT,
	OPT_EP,
	OPT_TRACE,
	OPT_EVICT,
	OPT_SEED,
	OPT_NO_ORACLE,
	OPT_ADVERSE,
	OPT_COUNTERS,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "ram", required_argument, NULL, OPT_RAM },
	{ "ram-size", required_argument, NULL, OPT_RAM_SIZE },
	{ "qtest", required_argument, NULL, OPT_QTEST },
	{ "dmar", required_argument, NULL, OPT_DMAR },
	{ "dmar-only", no_argument, NULL, OPT_DMAR_ONLY },
	{ "unit", required_argument, NULL, OPT_UNIT },
	{ "ep", required_argument, NULL, OPT_EP },
	{ "trace", no_argument, NULL, OPT_TRACE },
	{ "evict", required_argument, NULL, OPT_EVICT },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "adverse", no_argument, NULL, OPT_ADVERSE },
	{ "no-oracle", no_argument, NULL, OPT_NO_ORACLE },
	{ "counters", required_argument, NULL, OPT_COUNTERS },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static void parse_option(int opt, struct options *o)
{
	switch (opt) {
	case OPT_RAM:
		o->ram = optarg;
		break;
	case OPT_RAM_SIZE:
		o->ram_size = parse_number("--ram-size", optarg, ~0ULL);
		break;
	case OPT_QTEST:
		o->qtest = optarg;
		break;
	case OPT_DMAR:
		o->dmar = optarg;
		break;
	case OPT_DMAR_ONLY:
		o->dmar_only = true;
		break;
	case OPT_UNIT:
		add_unit(&o->sim, optarg);
		break;
	case OPT_EP:
		add_ep(&o->sim, optarg);
		break;
	case OPT_TRACE:
		o->sim.trace = true;
		break;
	case OPT_EVICT:
		o->sim.evict = parse_number("--evict", optarg, 1000);
		break;
	case OPT_SEED:
		o->sim.seed = parse_number("--seed", optarg, ~0u);
		break;
	case OPT_NO_ORACLE:
		o->sim.no_oracle = true;
		break;
	case OPT_ADVERSE:
		o->sim.adverse = true;
		break;
	case OPT_COUNTERS:
		o->counters = optarg;
		break;
	case OPT_HELP:
		print_help();
		exit(0);
	default:
		exit(2);
	}
}

static void write_dmar(const struct options *o)
{
	u8 table[1024];
	size_t len = dmar_build(&o->sim, table, sizeof(table));
	FILE *f = fopen(o->dmar, "wb");

	if (!f || fwrite(table, 1, len, f) != len || fclose(f))
		die("cannot write", o->dmar);
}

static u8 *map_ram(const struct options *o)
{
	int fd = open(o->ram, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;
	u8 *p;

	if (fd < 0 || fstat(fd, &st))
		die("cannot open", o->ram);
	if ((u64)st.st_size < o->ram_size && ftruncate(fd, o->ram_size))
		die("cannot extend", o->ram);
	p = mmap(NULL, o->ram_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("cannot map", o->ram);
	close(fd);
	return p;
}

static void show_counters(struct sim *sim)
{
	u32 i, e;

	for (i = 0; i < sim->nr_units; i++) {
		for (e = 0; e < sim->unit[i].nr_eps; e++)
			ep_show_counters(&sim->unit[i].ep[e]);
	}
}

/* Nothing to do: sleep, the longer the longer nothing was. */
static void rest(struct sim *sim, struct qtest *q, u64 idle, bool *shown)
{
	if (idle < SPIN_NS) {
		if (idle > SPIN_NS / 4)
			sched_yield();
		return;
	}
	if (!*shown)
		show_counters(sim);
	*shown = true;
	qtest_connect(q);
	qtest_drain(q);
	nap(idle < DOZE_NS ? NAP_SHORT_NS : NAP_LONG_NS);
}

static void run(struct sim *sim, struct qtest *q)
{
	u64 last = now_ns();
	bool shown = false;
	u32 round = 0;

	while (!stop && !q->closed) {
		if (sim_poll(sim)) {
			last = now_ns();
			shown = false;
			/* Even a busy unit notices that its VM is gone. */
			if (!(++round & 1023))
				qtest_drain(q);
		} else {
			rest(sim, q, now_ns() - last, &shown);
		}
	}
	show_counters(sim);
	/*
	 * QEMU closes its socket a moment before it ends.  Whoever started both
	 * should see QEMU end first, and then stop the hardware.
	 */
	if (!stop)
		nap(LINGER_NS);
}

static void print_counters(const struct options *o, struct sim *sim)
{
	FILE *f = o->counters ? fopen(o->counters, "w") : stderr;

	if (!f)
		die("cannot write", o->counters);
	counters_print(sim, f);
	if (f != stderr)
		fclose(f);
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
}

int main(int argc, char **argv)
{
	static struct options o;
	static struct sim sim;
	struct qtest q = { .fd = -1 };
	int opt;

	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		parse_option(opt, &o);
	if (optind < argc)
		die("not an option:", argv[optind]);
	add_defaults(&o.sim);
	errno = 0;
	if (o.dmar)
		write_dmar(&o);
	if (o.dmar_only)
		return 0;
	if (!o.ram || !o.ram_size)
		die("--ram and --ram-size are needed", NULL);
	catch_signals();
	prctl(PR_SET_TIMERSLACK, 1000UL);
	setvbuf(stderr, NULL, _IOLBF, 0);
	q.path = o.qtest;
	sim.msi = qtest_msi;
	sim.msi_ctx = &q;
	sim.trace = o.sim.trace ? stderr : NULL;
	if (sim_init(&sim, &o.sim, map_ram(&o), o.ram_size))
		die("the RAM must reach beyond the device window", NULL);
	printf("ready\n");
	fflush(stdout);
	run(&sim, &q);
	print_counters(&o, &sim);
	sim_destroy(&sim);
	return 0;
}
