// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU: started with the descriptors that it shares with this process, and
 * spoken to by its monitor (QMP) and its test protocol (qtest), each on a pair of
 * pipes that have no name.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsva.h"

#define MAX_ARGS	512
#define START_MS	60000
#define MSI_BASE	0xfee00000ULL
#define MSI_SIZE	0x00100000ULL

struct args {
	char *argv[MAX_ARGS];
	int num;
};

static void add(struct args *a, char *word)
{
	if (a->num == MAX_ARGS - 1)
		fail("too many arguments for QEMU");
	a->argv[a->num++] = word;
}

/* An option and its value. */
static void __attribute__((format(printf, 3, 4)))
option(struct args *a, const char *name, const char *fmt, ...)
{
	char *value;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		fail("out of memory");
	va_end(ap);
	add(a, (char *)name);
	add(a, value);
}

/* Two pipes: ours are the first end of the one and the second of the other. */
struct channel {
	int from[2];
	int to[2];
};

static void channel_open(struct channel *c)
{
	if (pipe2(c->from, O_CLOEXEC) || pipe2(c->to, O_CLOEXEC) ||
	    fcntl(c->from[0], F_SETFL, O_NONBLOCK))
		fail("pipe: %s", strerror(errno));
}

static void channel_keep_ours(const struct channel *c)
{
	close(c->from[1]);
	close(c->to[0]);
}

static void channel_inherit(const struct channel *c)
{
	fcntl(c->from[1], F_SETFD, 0);
	fcntl(c->to[0], F_SETFD, 0);
}

static void add_channel(struct args *a, const char *id, const struct channel *c)
{
	option(a, "-chardev",
	       "file,id=%s,path=/proc/self/fd/%d,input-path=/proc/self/fd/%d",
	       id, c->from[1], c->to[0]);
}

static void add_ours(struct args *a, const struct qemu_setup *s,
		     const struct channel *qtest, const struct channel *qmp)
{
	add(a, "-S");
	option(a, "-m", "%lluM", (unsigned long long)s->memory->ram.size >> 20);
	option(a, "-object",
	       "memory-backend-file,id=vsva-ram,mem-path=/proc/self/fd/%d,size=%llu,share=on",
	       s->memory->fd, (unsigned long long)s->memory->ram.size);
	option(a, "-machine", "memory-backend=vsva-ram");
	option(a, "-acpitable", "file=/proc/self/fd/%d", s->dmar);
	option(a, "-object", "iommufd,id=vsva-iommufd,fd=%d", s->iommufd);
	option(a, "-device",
	       "vfio-pci,id=vsva-device,fd=%d,iommufd=vsva-iommufd,addr=%x.%x",
	       s->vfio, s->devfn >> 3, s->devfn & 7);
	add_channel(a, "vsva-qtest", qtest);
	option(a, "-qtest", "chardev:vsva-qtest");
	option(a, "-qtest-log", "none");
	add_channel(a, "vsva-qmp", qmp);
	option(a, "-qmp", "chardev:vsva-qmp");
	add(a, NULL);
}

/* This process's files, but for those that QEMU is given, close. */
static noreturn void run(const struct args *a, const struct qemu_setup *s,
			 const struct channel *qtest, const struct channel *qmp,
			 pid_t parent)
{
	const int keep[] = { s->iommufd, s->vfio, s->memory->fd, s->dmar };
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	for (i = 0; i < ARRAY_SIZE(keep); i++)
		fcntl(keep[i], F_SETFD, 0);
	channel_inherit(qtest);
	channel_inherit(qmp);
	execvp(a->argv[0], a->argv);
	fprintf(stderr, "vsva: %s: %s\n", a->argv[0], strerror(errno));
	_exit(127);
}

/* The monitor's next whole line, or NULL. */
static char *next_line(struct qemu *q, char line[sizeof(q->line)])
{
	char *nl = memchr(q->line, '\n', q->used);
	size_t len;

	if (!nl)
		return NULL;
	len = nl - q->line;
	memcpy(line, q->line, len);
	line[len] = 0;
	q->used -= len + 1;
	memmove(q->line, nl + 1, q->used);
	return line;
}

/* False: QEMU has closed it. */
static bool listen_to(struct qemu *q)
{
	ssize_t n;

	/* A line that is longer than any of interest is left out. */
	if (q->used == sizeof(q->line))
		q->used = 0;
	n = read(q->qmp_out, q->line + q->used, sizeof(q->line) - q->used);
	if (n > 0)
		q->used += n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void say(struct qemu *q, const char *command)
{
	if (write(q->qmp_in, command, strlen(command)) < 0)
		fail("QEMU's monitor: %s", strerror(errno));
}

/* Wait for a line with @word in it.  QEMU itself says why it ends. */
static void wait_for(struct qemu *q, const char *word)
{
	struct pollfd p = { .fd = q->qmp_out, .events = POLLIN };
	char line[sizeof(q->line)];

	for (;;) {
		while (next_line(q, line)) {
			if (strstr(line, word))
				return;
		}
		if (poll(&p, 1, START_MS) == 0)
			fail("QEMU's monitor does not answer");
		if (!listen_to(q))
			exit(qemu_wait(q));
	}
}

void qemu_start(struct qemu *q, char **argv, const struct qemu_setup *setup)
{
	struct args args = { .num = 0 };
	struct channel qtest, qmp;
	pid_t self = getpid();

	signal(SIGPIPE, SIG_IGN);
	channel_open(&qtest);
	channel_open(&qmp);
	while (*argv)
		add(&args, *argv++);
	add_ours(&args, setup, &qtest, &qmp);
	q->pid = fork();
	if (q->pid < 0)
		fail("fork: %s", strerror(errno));
	if (!q->pid)
		run(&args, setup, &qtest, &qmp, self);
	channel_keep_ours(&qtest);
	channel_keep_ours(&qmp);
	q->qtest_in = qtest.to[1];
	q->qtest_out = qtest.from[0];
	q->qmp_in = qmp.to[1];
	q->qmp_out = qmp.from[0];
	/* The monitor answers when all devices have been made. */
	wait_for(q, "\"QMP\"");
	say(q, "{\"execute\": \"qmp_capabilities\"}\n");
	wait_for(q, "\"return\"");
}

void qemu_continue(struct qemu *q)
{
	say(q, "{\"execute\": \"cont\"}\n");
	wait_for(q, "\"return\"");
}

enum qemu_event qemu_event(struct qemu *q)
{
	char line[sizeof(q->line)];
	enum qemu_event event = QEMU_NOTHING;
	bool open = listen_to(q);

	while (next_line(q, line)) {
		if (strstr(line, "\"event\": \"RESET\""))
			event = QEMU_RESET;
	}
	return open ? event : QEMU_ENDS;
}

/* Replies are of no interest. */
static void drain_qtest(struct qemu *q)
{
	char buf[512];

	while (read(q->qtest_out, buf, sizeof(buf)) > 0)
		;
}

/* The address is the guest's: what is no interrupt could write anywhere. */
void qemu_message(struct qemu *q, uint64_t addr, uint32_t data)
{
	char line[64];
	int len;

	drain_qtest(q);
	if (addr - MSI_BASE >= MSI_SIZE)
		return;
	len = snprintf(line, sizeof(line), "writel 0x%llx 0x%x\n",
		       (unsigned long long)addr, data);
	if (write(q->qtest_in, line, len) < 0 && errno != EPIPE)
		fail("QEMU's qtest: %s", strerror(errno));
}

int qemu_wait(struct qemu *q)
{
	int status;

	while (waitpid(q->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 1;
	}
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "vsva: QEMU was ended by signal %d\n",
			WTERMSIG(status));
		return 128 + WTERMSIG(status);
	}
	return WEXITSTATUS(status);
}
