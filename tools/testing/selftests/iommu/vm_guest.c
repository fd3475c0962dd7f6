// SPDX-License-Identifier: GPL-2.0-only
/*
 * What runs in a guest of the lab: processes that bind to the endpoint which is
 * passed through, and do what the host asks for.
 *
 * Standard input and output are the guest's program port.  A request is a line,
 * "SLOT COMMAND ARGUMENTS"; slot 0 is this program, the others are processes
 * that it has started.  Each is answered by one line that begins with "= ".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab_dev.h"
#include "vm_agent.h"
#include "vm_paging.h"

#define MAX_SLOTS	8
#define BUF_SIZE	PAGING_SIZE
#define PAGE		4096U
#define VA_SHARED	0x00000000dead0000ULL	/* in every process */

/* A process, as this program sees it. */
static struct slot {
	pid_t pid;
	int to;
} slots[MAX_SLOTS];

/* The process itself. */
static struct lab_dev lab;
static unsigned int queue;
static char *from, *to;
static __u32 pasid;

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* ---- a process ----------------------------------------------------------- */

/* Resident, as a device without page requests needs it. */
static char *memory(__u64 at, size_t size)
{
	char *p = mmap((void *)at, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE |
		       (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);

	return p == MAP_FAILED || mlock(p, size) ? NULL : p;
}

static int bind_device(void)
{
	char path[64];
	void *bar;
	int fd;

	snprintf(path, sizeof(path), "/dev/vtdsim_sva-%s", endpoint(0));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || read(fd, &pasid, sizeof(pasid)) != sizeof(pasid))
		return -errno;
	bar = mmap(NULL, VTDSIM_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   fd, 0);
	if (bar == MAP_FAILED)
		return -errno;
	return lab_dev_init(&lab, bar);
}

static void process_begin(int slot)
{
	char *shared = memory(VA_SHARED, PAGE);
	int rc;

	queue = (slot - 1) % LAB_NR_DMA_Q;
	from = memory(0, BUF_SIZE);
	to = memory(0, BUF_SIZE);
	if (!shared || !from || !to) {
		answer("rc=%d", -errno);
		_exit(1);
	}
	sprintf(shared, "the page of process %d", slot);
	rc = bind_device();
	paging_begin(&lab, queue, pasid, from);
	answer("rc=%d pid=%d pasid=%u table=%llx from=%llx to=%llx len=%u shared=%llx",
	       rc, getpid(), pasid, rc ? 0 : table_of(0, pasid),
	       (__u64)(uintptr_t)from, (__u64)(uintptr_t)to, BUF_SIZE,
	       VA_SHARED);
	if (rc)
		_exit(1);
}

static void do_copy(unsigned long long a, unsigned long long b)
{
	struct vtdsim_desc d;
	__u32 i, same = 0;
	long long us;
	int status;

	(void)a;
	(void)b;
	for (i = 0; i < BUF_SIZE; i++)
		from[i] = i * 7 + (i >> 8) * 13 + pasid;
	memset(to, 0, BUF_SIZE);
	us = now_us();
	status = lab_copy(&lab, queue, pasid, 0, (uintptr_t)to,
			  (uintptr_t)from, BUF_SIZE);
	us = now_us() - us;
	lab_result(&lab, queue, 0, &d);
	for (i = 0; i < BUF_SIZE; i++)
		same += from[i] == to[i];
	answer("status=%d reason=%x same=%u us=%lld", status, d.reason, same,
	       us);
}

/* The device reads @va; its first bytes are text. */
static void read_text(__u64 va, unsigned int flags)
{
	struct vtdsim_desc d;
	char text[33] = "";
	int status;

	status = lab_read(&lab, queue, pasid, flags, va, text, 32);
	lab_result(&lab, queue, 0, &d);
	for (char *c = text; *c; c++)
		*c = *c < ' ' || *c > '~' ? '.' : *c;
	answer("status=%d reason=%x text=%s", status, d.reason, text);
}

static void do_read(unsigned long long va, unsigned long long unused)
{
	(void)unused;
	read_text(va, 0);
}

static void do_ats(unsigned long long va, unsigned long long unused)
{
	(void)unused;
	read_text(va, VTDSIM_F_ATS);
}

static void do_unmap(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	answer("rc=%d", munmap(to, PAGE) ? -errno : 0);
}

static void __attribute__((noreturn)) do_spin(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	answer("rc=0");
	for (;;)
		lab_copy(&lab, queue, pasid, 0, (uintptr_t)to + PAGE,
			 (uintptr_t)from + PAGE, BUF_SIZE - PAGE);
}

static void do_restart(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	answer("rc=%d", lab_dev_restart(&lab));
}

static void __attribute__((noreturn)) do_exit(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	_exit(0);
}

static const struct agent_command process_commands[] = {
	{ "copy", do_copy }, { "read", do_read }, { "ats", do_ats },
	{ "unmap", do_unmap }, { "spin", do_spin }, { "restart", do_restart },
	{ "fresh", paging_fresh }, { "fill", paging_fill },
	{ "drain", paging_drain }, { "evict", paging_evict },
	{ "fork", paging_fork }, { "cut", paging_cut }, { "loop", paging_loop },
	{ "exit", do_exit }, { }
};

static void __attribute__((noreturn)) process_run(int slot, int in)
{
	FILE *f = fdopen(in, "r");
	char line[256];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	process_begin(slot);
	while (f && fgets(line, sizeof(line), f))
		agent_run(process_commands, line);
	_exit(0);
}

/* ---- this program -------------------------------------------------------- */

static void cmd_start(unsigned long long slot, unsigned long long unused)
{
	int pipe_fd[2];

	(void)unused;
	if (!slot || slot >= MAX_SLOTS || slots[slot].pid || pipe2(pipe_fd, O_CLOEXEC)) {
		answer("rc=%d", -EBUSY);
		return;
	}
	fflush(stdout);
	slots[slot].pid = fork();
	if (!slots[slot].pid) {
		close(pipe_fd[1]);
		process_run(slot, pipe_fd[0]);
	}
	close(pipe_fd[0]);
	slots[slot].to = pipe_fd[1];
}

/* An exit that the process makes itself, or a death. */
static void end(unsigned long long slot, int sig)
{
	struct slot *s = &slots[slot];

	if (!slot || slot >= MAX_SLOTS || !s->pid) {
		answer("rc=%d", -ESRCH);
		return;
	}
	if (sig)
		kill(s->pid, sig);
	else
		dprintf(s->to, "exit\n");
	close(s->to);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
	answer("rc=0");
}

static void cmd_end(unsigned long long slot, unsigned long long unused)
{
	(void)unused;
	end(slot, 0);
}

static void cmd_kill(unsigned long long slot, unsigned long long unused)
{
	(void)unused;
	end(slot, SIGKILL);
}

static const struct agent_command program_commands[] = {
	{ "start", cmd_start }, { "end", cmd_end },
	{ "kill", cmd_kill }, { }
};

int main(void)
{
	char line[256];

	answer("ready rc=0");
	while (fgets(line, sizeof(line), stdin)) {
		unsigned long slot = strtoul(line, NULL, 10);
		const char *rest = strchr(line, ' ');

		if (!rest || slot >= MAX_SLOTS)
			answer("rc=%d", -EINVAL);
		else if (!slot)
			agent_run(program_commands, rest + 1);
		else if (slots[slot].pid)
			dprintf(slots[slot].to, "%s", rest + 1);
		else
			answer("rc=%d", -ESRCH);
	}
	return 0;
}
