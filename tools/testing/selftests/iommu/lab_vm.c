// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs in the lab's host.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab_vm.h"

#define QEMU		"/usr/bin/qemu-system-x86_64"
#define COUNTS_CALLS	"/lab/vm_calls.so"	/* vm_calls.c, if it was pushed */
#define MAX_ARGS	256
#define LOG_FD		3	/* as the arguments have it */
#define MONITOR_MS	60000

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void path_of(int index, const char *what, char *buf, size_t size)
{
	snprintf(buf, size, "%s/vm%d.%s",
		 strcmp(what, "args") ? "/tmp" : "/lab", index, what);
}

int lab_vm_count(void)
{
	char path[64];
	int n = 0;

	for (;; n++) {
		path_of(n, "args", path, sizeof(path));
		if (access(path, R_OK))
			return n;
	}
}

/* ---- the log ------------------------------------------------------------- */

/* Lines of both pipes to the kernel log; those of QEMU to a file, too. */
struct pump {
	int index, kmsg, errors;
	struct pump_end {
		int fd;
		size_t used;
		char line[800];
	} end[2];
};

static void pump_line(struct pump *p, struct pump_end *e, bool qemu)
{
	char text[900];
	int n;

	if (!e->used)
		return;
	n = snprintf(text, sizeof(text), "<6>vm%d: %s%.*s\n", p->index,
		     qemu ? "QEMU: " : "", (int)e->used, e->line);
	if (write(p->kmsg, text, n) < 0)
		_exit(1);
	if (qemu && dprintf(p->errors, "%.*s\n", (int)e->used, e->line) < 0)
		_exit(1);
	e->used = 0;
}

/* False at the end of the pipe. */
static bool pump_some(struct pump *p, int i)
{
	struct pump_end *e = &p->end[i];
	char buf[512];
	ssize_t n = read(e->fd, buf, sizeof(buf));
	ssize_t at;

	for (at = 0; at < n; at++) {
		if (buf[at] == '\n' || e->used == sizeof(e->line))
			pump_line(p, e, i);
		else if (buf[at] != '\r')
			e->line[e->used++] = buf[at];
	}
	return n > 0;
}

static void __attribute__((noreturn)) pump_run(struct pump *p)
{
	struct pollfd poll_fd[2] = {
		{ .fd = p->end[0].fd, .events = POLLIN },
		{ .fd = p->end[1].fd, .events = POLLIN },
	};
	int i;

	while (poll_fd[0].fd >= 0 || poll_fd[1].fd >= 0) {
		if (poll(poll_fd, 2, -1) < 0)
			_exit(1);
		for (i = 0; i < 2; i++) {
			if (poll_fd[i].revents && !pump_some(p, i))
				poll_fd[i].fd = -1;
		}
	}
	for (i = 0; i < 2; i++)
		pump_line(p, &p->end[i], i);
	_exit(0);
}

static pid_t pump_start(int index, int log, int errors)
{
	static struct pump p;
	char path[64];
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	path_of(index, "errors", path, sizeof(path));
	p.index = index;
	p.kmsg = open("/dev/kmsg", O_WRONLY);
	p.errors = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	p.end[0].fd = log;
	p.end[1].fd = errors;
	if (p.kmsg < 0 || p.errors < 0)
		_exit(1);
	pump_run(&p);
}

/* ---- QEMU ---------------------------------------------------------------- */

static int read_args(int index, bool reboots, char **args)
{
	static char text[MAX_ARGS * 256];
	char path[64], *line, *rest = text;
	int fd, n = 0;
	ssize_t len;

	path_of(index, "args", path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len < 0 || len == sizeof(text) - 1)
		return -E2BIG;
	text[len] = 0;
	/* Arguments that begin with a program are for that, which starts QEMU. */
	if (*text != '/')
		args[n++] = QEMU;
	while (n < MAX_ARGS - 1 && (line = strsep(&rest, "\n"))) {
		if (*line && !(reboots && !strcmp(line, "-no-reboot")))
			args[n++] = line;
	}
	args[n] = NULL;
	return 0;
}

/* QEMU's own calls of iommufd and VFIO are counted in a file. */
static void count_calls(int index)
{
	char path[64];
	int fd;

	if (access(COUNTS_CALLS, R_OK))
		return;
	path_of(index, "calls", path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(unsigned long long)))
		_exit(127);
	close(fd);
	setenv("VM_CALLS", path, 1);
	setenv("LD_PRELOAD", COUNTS_CALLS, 1);
}

/* Descriptors of the child: 0, 1, 2 and LOG_FD; all others close. */
static void __attribute__((noreturn)) run_qemu(char **args, const int fd[4])
{
	int i, high[4];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < 4; i++)
		high[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, 16);
	for (i = 0; i < 4; i++)
		dup2(high[i], i);
	execv(args[0], args);
	dprintf(2, "%s: %s\n", args[0], strerror(errno));
	_exit(127);
}

/* The two pipes of QEMU's monitor, which it opens by their names. */
static int monitor_open(struct lab_vm *vm)
{
	static const char * const name[] = { "monitor.in", "monitor.out" };
	char path[64];
	int i;

	for (i = 0; i < 2; i++) {
		path_of(vm->index, name[i], path, sizeof(path));
		unlink(path);
		if (mkfifo(path, 0600))
			return -errno;
		vm->monitor[i] = open(path, O_RDWR | O_CLOEXEC);
		if (vm->monitor[i] < 0)
			return -errno;
	}
	return 0;
}

int lab_vm_start(struct lab_vm *vm, int index, bool reboots)
{
	int in[2], out[2], log[2], errors[2];
	char *args[MAX_ARGS];
	int rc = read_args(index, reboots, args);

	if (rc)
		return rc;
	memset(vm, 0, sizeof(*vm));
	vm->index = index;
	vm->status = -1;
	rc = monitor_open(vm);
	if (rc)
		return rc;
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    pipe2(log, O_CLOEXEC) || pipe2(errors, O_CLOEXEC))
		return -errno;
	vm->pid = fork();
	if (!vm->pid) {
		int fd[4] = { in[0], out[1], errors[1], log[1] };

		count_calls(index);
		run_qemu(args, fd);
	}
	close(in[0]);
	close(out[1]);
	close(log[1]);
	close(errors[1]);
	vm->in = in[1];
	vm->out = out[0];
	vm->log_pid = pump_start(index, log[0], errors[0]);
	close(log[0]);
	close(errors[0]);
	return vm->pid < 0 || vm->log_pid < 0 ? -EAGAIN : 0;
}

int lab_vm_calls(const struct lab_vm *vm, unsigned long long *calls)
{
	char path[64];
	int fd, rc = 0;

	path_of(vm->index, "calls", path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, calls, sizeof(*calls)) != sizeof(*calls))
		rc = -EIO;
	close(fd);
	return rc;
}

/* QEMU has been waited for. */
static void ended(struct lab_vm *vm)
{
	vm->pid = 0;
	waitpid(vm->log_pid, NULL, 0);
	close(vm->in);
	close(vm->out);
	close(vm->monitor[0]);
	close(vm->monitor[1]);
}

void lab_vm_kill(struct lab_vm *vm)
{
	if (!vm->pid)
		return;
	kill(vm->pid, SIGKILL);
	waitpid(vm->pid, NULL, 0);
	ended(vm);
}

int lab_vm_wait(struct lab_vm *vm, unsigned int ms)
{
	long long end = now_ms() + ms;

	while (vm->pid) {
		if (waitpid(vm->pid, NULL, WNOHANG) == vm->pid) {
			ended(vm);
			return 0;
		}
		if (now_ms() > end)
			return -ETIMEDOUT;
		usleep(20000);
	}
	return 0;
}

/* ---- talking to it ------------------------------------------------------- */

int lab_vm_read(struct lab_vm *vm, char line[LAB_VM_LINE], unsigned int ms)
{
	struct pollfd p = { .fd = vm->out, .events = POLLIN };
	long long end = now_ms() + ms, left;
	char *nl;

	while (!(nl = memchr(vm->held, '\n', vm->used))) {
		ssize_t n;

		left = end - now_ms();
		if (left <= 0 || poll(&p, 1, left) <= 0)
			return -ETIMEDOUT;
		if (vm->used == sizeof(vm->held))
			return -EMSGSIZE;
		n = read(vm->out, vm->held + vm->used,
			 sizeof(vm->held) - vm->used);
		if (n <= 0)
			return -EPIPE;
		vm->used += n;
	}
	memcpy(line, vm->held, nl - vm->held);
	line[nl - vm->held] = 0;
	vm->used -= nl + 1 - vm->held;
	memmove(vm->held, nl + 1, vm->used);
	return 0;
}

int lab_vm_write(struct lab_vm *vm, const char *line)
{
	return dprintf(vm->in, "%s\n", line) < 0 ? -errno : 0;
}

/* The monitor's next line, into vm->said. */
static int monitor_line(struct lab_vm *vm, long long end)
{
	struct pollfd p = { .fd = vm->monitor[1], .events = POLLIN };
	size_t used = 0;
	char c = 0;

	while (c != '\n') {
		long long left = end - now_ms();

		if (left <= 0 || poll(&p, 1, left) <= 0)
			return -ETIMEDOUT;
		if (read(vm->monitor[1], &c, 1) != 1)
			return -EPIPE;
		if (used < sizeof(vm->said) - 1)
			vm->said[used++] = c;
	}
	vm->said[used - 1] = 0;
	return 0;
}

/* An event that somebody may wait for. */
static bool monitor_event(struct lab_vm *vm)
{
	static const char key[] = "\"device\": \"";
	const char *id = strstr(vm->said, key);

	if (!strstr(vm->said, "\"event\":"))
		return false;
	if (id && strstr(vm->said, "\"DEVICE_DELETED\"")) {
		id += strlen(key);
		snprintf(vm->deleted, sizeof(vm->deleted), "%.*s",
			 (int)strcspn(id, "\""), id);
	}
	return true;
}

/* Send a line, if there is one, and hear what is no event. */
static int monitor_ask(struct lab_vm *vm, const char *line)
{
	long long end = now_ms() + MONITOR_MS;
	int rc = 0;

	if (line && dprintf(vm->monitor[0], "%s\n", line) < 0)
		return -errno;
	do {
		rc = monitor_line(vm, end);
	} while (!rc && monitor_event(vm));
	return rc;
}

int lab_vm_listen(struct lab_vm *vm)
{
	int rc;

	if (vm->listens)
		return 0;
	rc = monitor_ask(vm, NULL);
	if (!rc)
		rc = monitor_ask(vm, "{\"execute\": \"qmp_capabilities\"}");
	vm->listens = !rc;
	return rc;
}

int lab_vm_command(struct lab_vm *vm, const char *name, const char *arguments)
{
	char line[256];
	int rc = lab_vm_listen(vm);

	if (rc)
		return rc;
	*vm->deleted = 0;
	snprintf(line, sizeof(line), "{\"execute\": \"%s\", \"arguments\": {%s}}",
		 name, arguments);
	rc = monitor_ask(vm, line);
	return rc || strstr(vm->said, "\"return\":") ? rc : -EPROTO;
}

int lab_vm_wait_deleted(struct lab_vm *vm, const char *id, unsigned int ms)
{
	long long end = now_ms() + ms;
	int rc = lab_vm_listen(vm);

	while (!rc && strcmp(vm->deleted, id)) {
		rc = monitor_line(vm, end);
		if (!rc)
			monitor_event(vm);
	}
	return rc;
}

const char *lab_vm_errors(const struct lab_vm *vm, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	path_of(vm->index, "errors", path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, buf, size - 1);
	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = 0;
	return buf;
}

/* What stands before the exit status: byte 1 and a word of this run. */
static const char *mark(void)
{
	static char text[64];
	int fd;

	if (*text)
		return text;
	*text = 1;
	fd = open("/lab/vm.key", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, text + 1, sizeof(text) - 2) < 0)
			text[1] = 0;
		close(fd);
	}
	return text;
}

size_t lab_vm_output(struct lab_vm *vm, const char *buf, size_t len)
{
	size_t want = strlen(mark());
	const char *at = memmem(buf, len, mark(), want);
	char number[16];

	if (!at) {
		at = memrchr(buf, 1, len);
		return at && buf + len < at + want ? (size_t)(at - buf) : len;
	}
	if (memchr(at, '\n', buf + len - at)) {
		snprintf(number, sizeof(number), "%.*s",
			 (int)(buf + len - at - want), at + want);
		vm->status = atoi(number);
	}
	return at - buf;
}
