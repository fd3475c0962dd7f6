// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the lab's host runs for `scripts/lab vm`: one VM or several, the output
 * of the programs in them, and their exit status (of several, the first that is
 * not 0).  With --shell, the terminal belongs to the guest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lab_vm.h"

#define MAX_VMS		4
#define FAILED		125

/* What one VM has written and was not printed yet. */
static struct launched {
	struct lab_vm vm;
	size_t used;
	char buf[4096];
	bool ended;
} vms[MAX_VMS];

static int count;

/* One VM: bytes as they come.  Several: whole lines, each with its VM. */
static void print(struct launched *l, size_t len)
{
	char *line = l->buf, *nl;

	if (count == 1) {
		fwrite(l->buf, 1, len, stdout);
		return;
	}
	while ((nl = memchr(line, '\n', l->buf + len - line))) {
		printf("vm%d: %.*s\n", l->vm.index, (int)(nl - line), line);
		line = nl + 1;
	}
	if (line < l->buf + len)
		printf("vm%d: %.*s\n", l->vm.index,
		       (int)(l->buf + len - line), line);
}

/* How much of what is held can be printed now. */
static size_t printable(struct launched *l)
{
	size_t len = lab_vm_output(&l->vm, l->buf, l->used);
	char *end;

	if (count == 1 || l->vm.status >= 0 || len == sizeof(l->buf))
		return len;
	end = memrchr(l->buf, '\n', len);
	return end ? end + 1 - l->buf : 0;
}

static void take(struct launched *l)
{
	ssize_t n = read(l->vm.out, l->buf + l->used,
			 sizeof(l->buf) - l->used);
	size_t len;

	if (n <= 0) {
		print(l, l->used);
		l->ended = true;
		return;
	}
	l->used += n;
	len = printable(l);
	print(l, len);
	l->used -= len;
	memmove(l->buf, l->buf + len, l->used);
	if (l->vm.status >= 0)
		l->ended = true;
	fflush(stdout);
}

/* Keys to the guest.  False at the end of the terminal. */
static bool type(void)
{
	char buf[256];
	ssize_t n = read(0, buf, sizeof(buf));

	return n > 0 && write(vms[0].vm.in, buf, n) == n;
}

static void watch(bool terminal)
{
	struct pollfd p[MAX_VMS + 1];
	int i, running = count;

	while (running) {
		p[count] = (struct pollfd){ .fd = terminal ? 0 : -1, .events = POLLIN };
		for (i = 0; i < count; i++)
			p[i] = (struct pollfd){ .events = POLLIN,
				.fd = vms[i].ended ? -1 : vms[i].vm.out };
		if (poll(p, count + 1, -1) < 0)
			return;
		if (p[count].revents && !type())
			terminal = false;
		for (i = 0; i < count; i++) {
			if (p[i].revents)
				take(&vms[i]);
		}
		for (running = 0, i = 0; i < count; i++)
			running += !vms[i].ended;
	}
}

/* QEMU's own words say why there was no status. */
static int finish(struct launched *l)
{
	char text[4096];

	if (lab_vm_wait(&l->vm, l->vm.status < 0 ? 5000 : 60000))
		lab_vm_kill(&l->vm);
	if (l->vm.status >= 0)
		return l->vm.status;
	printf("lab: vm%d ended before the program\n%s", l->vm.index,
	       lab_vm_errors(&l->vm, text, sizeof(text)));
	return FAILED;
}

int main(int argc, char **argv)
{
	bool terminal = argc > 1 && !strcmp(argv[1], "--shell");
	int i, rc, status = 0;
	struct termios raw;

	count = lab_vm_count();
	if (count > MAX_VMS)
		count = MAX_VMS;
	if (terminal && !tcgetattr(0, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(0, TCSANOW, &raw);
	}
	for (i = 0; i < count; i++) {
		rc = lab_vm_start(&vms[i].vm, i, false);
		if (rc) {
			printf("lab: vm%d: %s\n", i, strerror(-rc));
			return FAILED;
		}
	}
	watch(terminal);
	for (i = 0; i < count; i++) {
		rc = finish(&vms[i]);
		status = status ? status : rc;
	}
	return status;
}
