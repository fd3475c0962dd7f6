// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls against a model.
 *
 * Two VMs, each a process of its own, share four devices on two units.  They
 * bind host-wide PASIDs, attach PASIDs by the devices' own numbers, replace,
 * unbind, detach and free them, move their RIDs about, switch dirty tracking,
 * write and look what was written, leave page requests by both kinds of number
 * open and answer them, reset and close devices, and are killed, all in random
 * order.  This process knows what each call must answer, what each PASID of each
 * device must lead to, what is dirty, how many entries must be present and how many
 * page requests open; after each step it compares.
 *
 * gpasid_model [STEPS [SEED]]
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/iommufd.h>

#include "gpasid_utils.h"

#define NR_VMS		2
#define NR_PASIDS	6	/* 1 to NR_PASIDS */
#define NR_PROCS	3
#define STEPS		100000

#define HEAP_VA		(PROC_VA + GVM_SZ_1G)
#define Q_ASK		1
#define WAIT_MS		8000
#define POKED		0x706f6b65
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* What a PASID of a device leads to: 0 nothing, then processes, then memory. */
#define NOTHING		0
#define PROC(p)		(1 + (p))
#define SECOND_STAGE	(1 + NR_PROCS)

enum op {
	OP_OPEN,	/* a device for the VM */
	OP_CLOSE,
	OP_ALLOC,
	OP_FREE,
	OP_BIND,
	OP_REPLACE,
	OP_UNBIND,
	OP_ATTACH,
	OP_DETACH,
	OP_RID,		/* to the parent, to a nested HWPT, or to nothing */
	OP_DIRTY,
	OP_RESET,
	OP_INVALIDATE,
	OP_ASK,		/* a page request that stays open */
	OP_ANSWER,	/* the page request that is open on the device */
	OP_PEEK,
	OP_POKE,	/* into the process's page, behind what a peek reads */
	OP_DIRTIED,	/* which processes' pages were written to since the last */
	NR_OPS,
	OP_KILL = NR_OPS,	/* of the process, not a call */
};

static const char * const op_name[] = {
	"open", "close", "alloc", "free", "bind", "replace", "unbind", "attach",
	"detach", "rid", "dirty", "reset", "invalidate", "ask", "answer", "peek",
	"poke", "dirtied", "kill",
};

/* One call, and its answer. */
struct call {
	int op;
	int vm;
	int dev;
	__u32 pasid;
	int to;		/* of bind, replace, attach, rid; peek, poke: by ATS or not */
	bool own;	/* of ask and answer: by the device's own number */
	__s64 answer;
};

/* ---- a VM: a process that does what it is told --------------------------------- */

struct vm {
	struct bench b;
	int faults, own_faults;	/* host-wide PASIDs; the HWPTs' queue */
	__u32 queue;
	__u64 cookie[NR_EPS];
	struct gvm_dev dev[NR_EPS];
	struct lab_dev lab[NR_EPS];
	struct process proc[NR_PROCS];
	__u32 nested[NR_PROCS];
	bool dirty;
};

static int vm_open(struct vm *vm, int d)
{
	int i, rc;

	rc = gvm_dev_add(&vm->dev[d], &vm->b.vm, endpoint[d]);
	if (!rc)
		rc = lab_dev_init(&vm->lab[d], vm->dev[d].bar);
	for (i = 0; !rc && i < NR_PROCS; i++)
		if (!vm->nested[i])
			rc = gvm_hwpt_nested_fault(&vm->dev[d], &vm->proc[i].pt,
						   vm->queue, &vm->nested[i]);
	return rc;
}

static __u32 vm_hwpt(struct vm *vm, int to)
{
	return to == SECOND_STAGE ? vm->b.vm.parent : vm->nested[to - 1];
}

static int vm_rid(struct vm *vm, struct call *c)
{
	struct gvm_dev *dev = &vm->dev[c->dev];

	return c->to == NOTHING ? gvm_dev_detach(dev) :
	       gvm_dev_attach(dev, vm_hwpt(vm, c->to));
}

/* The RID may be attached to nothing: the call names the parent. */
static int vm_bind(struct vm *vm, const struct call *c, __u32 flags)
{
	struct vfio_device_gpasid_bind args = {
		.flags = flags,
		.addr_width = 48,
		.hpasid = c->pasid,
		.pgtbl = vm->proc[c->to - 1].pt.root,
		.pt_id = vm->b.vm.parent,
	};

	return gvm_bind_args(&vm->dev[c->dev], &args);
}

static int vm_read_own(struct vm *vm, const struct call *c)
{
	struct pollfd pfd = { .fd = vm->own_faults, .events = POLLIN };
	struct iommu_hwpt_pgfault f;

	if (poll(&pfd, 1, WAIT_MS) != 1)
		return -ETIMEDOUT;
	if (read(vm->own_faults, &f, sizeof(f)) != sizeof(f))
		return -errno;
	vm->cookie[c->dev] = f.cookie;
	return f.pasid == c->pasid && f.addr == HEAP_VA &&
	       f.dev_id == vm->dev[c->dev].devid ? 0 : -EBADMSG;
}

static int vm_read(struct vm *vm, const struct call *c)
{
	struct iommu_gpasid_fault f;

	if (gvm_faults_read(vm->faults, &f, 1, WAIT_MS) != 1)
		return -ETIMEDOUT;
	vm->cookie[c->dev] = f.cookie;
	return f.gpasid == c->pasid && f.addr == HEAP_VA &&
	       f.dev_id == vm->dev[c->dev].devid ? 0 : -EBADMSG;
}

/* DMA meets a page that no process has; the request reaches the VM. */
static int vm_ask(struct vm *vm, const struct call *c)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = VTDSIM_F_PASID | VTDSIM_F_ATS | VTDSIM_F_PRI,
		.pasid = c->pasid,
		.addr = HEAP_VA,
		.len = 8,
		.local = LAB_LOCAL(Q_ASK),
	};
	int rc = lab_submit(&vm->lab[c->dev], Q_ASK, &d);

	if (rc)
		return rc;
	return c->own ? vm_read_own(vm, c) : vm_read(vm, c);
}

static int vm_answer_own(struct vm *vm, const struct call *c)
{
	struct iommu_hwpt_page_response r = {
		.cookie = vm->cookie[c->dev],
		.code = IOMMUFD_PAGE_RESP_INVALID,
	};

	return write(vm->own_faults, &r, sizeof(r)) == sizeof(r) ? 0 : -errno;
}

/* 0 for an answer that ends the DMA, or what the kernel says to a late one. */
static int vm_answer(struct vm *vm, const struct call *c)
{
	int rc = c->own ? vm_answer_own(vm, c) :
		 gvm_faults_answer(vm->faults, vm->cookie[c->dev],
				   IOMMU_GPASID_FAULT_INVALID);

	return rc ?: lab_wait(&vm->lab[c->dev], Q_ASK, WAIT_MS);
}

static int vm_reset(struct vm *vm, int d)
{
	int rc = gvm_dev_reset(&vm->dev[d]);

	if (!rc)
		rc = gvm_dev_enable(&vm->dev[d], true);
	return rc ?: lab_dev_restart(&vm->lab[d]);
}

/* A bit for each process whose page is dirty; none of them is afterwards. */
static __s64 vm_dirtied(struct vm *vm)
{
	__s64 found = 0;
	__u64 bit;
	int i, rc;

	for (i = 0; i < NR_PROCS; i++) {
		bit = 0;
		rc = gvm_dirty_bitmap(&vm->b.vm, vm->b.vm.parent,
				      vm->proc[i].page, GVM_SZ_4K, GVM_SZ_4K,
				      false, &bit);
		if (rc)
			return rc;
		found |= (bit & 1) << i;
	}
	return found;
}

static __s64 vm_do(struct vm *vm, struct call *c)
{
	struct gvm_dev *dev = &vm->dev[c->dev];
	struct gvm *gvm = &vm->b.vm;

	switch (c->op) {
	case OP_OPEN:
		return vm_open(vm, c->dev);
	case OP_CLOSE:
		gvm_dev_close(dev);
		return 0;
	case OP_ALLOC:
		return gvm_pasid_alloc_identity(gvm, c->pasid);
	case OP_FREE:
		return gvm_pasid_free(gvm, c->pasid);
	case OP_BIND:
		return vm_bind(vm, c, 0);
	case OP_REPLACE:
		return vm_bind(vm, c, VFIO_GPASID_BIND_REPLACE);
	case OP_UNBIND:
		return gvm_unbind(dev, c->pasid);
	case OP_ATTACH:
		return gvm_pasid_attach(dev, c->pasid, vm_hwpt(vm, c->to));
	case OP_DETACH:
		return gvm_pasid_detach(dev, c->pasid);
	case OP_RID:
		return vm_rid(vm, c);
	case OP_DIRTY:
		vm->dirty = !vm->dirty;
		return gvm_dirty_tracking(gvm, gvm->parent, vm->dirty);
	case OP_RESET:
		return vm_reset(vm, c->dev);
	case OP_INVALIDATE:
		return gvm_hwpt_invalidate_all(gvm, vm->nested[c->to - 1]);
	case OP_ASK:
		return vm_ask(vm, c);
	case OP_ANSWER:
		return vm_answer(vm, c);
	case OP_PEEK:
		return peek(&vm->lab[c->dev], c->pasid,
			    c->to ? VTDSIM_F_ATS : 0, PROC_VA);
	case OP_POKE:
		return poke(&vm->lab[c->dev], c->pasid,
			    c->to ? VTDSIM_F_ATS : 0, PROC_VA + 64, POKED);
	case OP_DIRTIED:
		return vm_dirtied(vm);
	}
	return -EINVAL;
}

/* The page of each process says which VM and which process it is. */
static __u64 tag(int vm, int p)
{
	return TAG(16 * (vm + 1) + p);
}

static void vm_main(int vm, int in, int out)
{
	struct vm *v = calloc(1, sizeof(*v));
	struct call c;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(bench_open(&v->b, GVM_PASID | GVM_DIRTY_TRACKING | GVM_SMALL_PAGES),
	     "open a VM");
	must(gvm_faults_open(&v->b.vm, 0, IOMMU_GPASID_FAULT_TIMEOUT_MAX,
			     &v->faults), "page requests");
	must(gvm_fault_queue(&v->b.vm, &v->queue, &v->own_faults),
	     "a fault queue");
	for (i = 0; i < NR_PROCS; i++) {
		must(bench_process(&v->b, &v->proc[i], 0), "a process");
		*v->proc[i].mem = tag(vm, i);
	}
	while (read(in, &c, sizeof(c)) == sizeof(c)) {
		c.answer = vm_do(v, &c);
		if (write(out, &c, sizeof(c)) != sizeof(c))
			break;
	}
	_exit(0);
}

/* ---- the model ------------------------------------------------------------------- */

struct entry {
	int to;
	bool own;	/* by the device's own number */
};

struct model {
	bool allocated[NR_VMS][NR_PASIDS + 1];
	int owner[NR_EPS];	/* VM that has the device open, or -1 */
	struct entry e[NR_EPS][NR_PASIDS + 1];
	bool had_device[NR_VMS];
	bool tracking[NR_VMS];
	__u32 dirty[NR_VMS];	/* a bit for each process */
	__u32 asked[NR_EPS];	/* PASID of the page request that is open */
	bool own[NR_EPS];	/* the last was by the device's own number */
	bool late[NR_EPS];	/* one that the VM has read has ended */
};

/* What was asked by a PASID of a device ends with it, answered by the kernel. */
static void model_end_ask(struct model *m, int d, __u32 pasid)
{
	if (!m->asked[d] || (pasid && m->asked[d] != pasid))
		return;
	m->asked[d] = 0;
	m->late[d] = true;
}

static void model_close(struct model *m, int d)
{
	model_end_ask(m, d, 0);
	m->owner[d] = -1;
	memset(m->e[d], 0, sizeof(m->e[d]));
}

static void model_kill(struct model *m, int vm)
{
	int d;

	for (d = 0; d < NR_EPS; d++)
		if (m->owner[d] == vm)
			model_close(m, d);
	memset(m->allocated[vm], 0, sizeof(m->allocated[vm]));
	m->had_device[vm] = false;
	m->tracking[vm] = false;
	m->dirty[vm] = 0;
}

static __s64 model_alloc(struct model *m, const struct call *c)
{
	int vm;

	for (vm = 0; vm < NR_VMS; vm++)
		if (m->allocated[vm][c->pasid])
			return -ENOSPC;
	m->allocated[c->vm][c->pasid] = true;
	return 0;
}

static __s64 model_free(struct model *m, const struct call *c)
{
	int d;

	if (!m->allocated[c->vm][c->pasid])
		return -ENOENT;
	m->allocated[c->vm][c->pasid] = false;
	for (d = 0; d < NR_EPS; d++)
		if (m->owner[d] == c->vm && !m->e[d][c->pasid].own) {
			m->e[d][c->pasid].to = NOTHING;
			model_end_ask(m, d, c->pasid);
		}
	return 0;
}

/* Where a host-wide PASID of the VM leads to on any device. */
static int model_table(const struct model *m, int vm, __u32 pasid)
{
	const struct entry *e;
	int d;

	for (d = 0; d < NR_EPS; d++) {
		e = &m->e[d][pasid];
		if (m->owner[d] == vm && e->to && !e->own)
			return e->to;
	}
	return NOTHING;
}

static __s64 model_bind(struct model *m, const struct call *c)
{
	struct entry *e = &m->e[c->dev][c->pasid];
	int table = model_table(m, c->vm, c->pasid);

	if (!m->allocated[c->vm][c->pasid])
		return -ENOENT;
	if (e->to || (table && table != c->to))
		return -EBUSY;
	*e = (struct entry){ .to = c->to };
	return 0;
}

static __s64 model_replace(struct model *m, const struct call *c)
{
	struct entry *e = &m->e[c->dev][c->pasid];
	int d;

	if (!m->allocated[c->vm][c->pasid] || !e->to || e->own)
		return -ENOENT;
	for (d = 0; d < NR_EPS; d++) {
		e = &m->e[d][c->pasid];
		if (m->owner[d] == c->vm && e->to && !e->own)
			e->to = c->to;
	}
	return 0;
}

static __s64 model_unbind(struct model *m, const struct call *c)
{
	struct entry *e = &m->e[c->dev][c->pasid];

	if (!e->to || e->own)
		return -ENOENT;
	e->to = NOTHING;
	model_end_ask(m, c->dev, c->pasid);
	return 0;
}

static __s64 model_attach(struct model *m, const struct call *c)
{
	struct entry *e = &m->e[c->dev][c->pasid];

	if (e->to && !e->own)
		return -EBUSY;
	if (e->to != c->to)
		model_end_ask(m, c->dev, c->pasid);
	*e = (struct entry){ .to = c->to, .own = true };
	return 0;
}

static __s64 model_detach(struct model *m, const struct call *c)
{
	struct entry *e = &m->e[c->dev][c->pasid];

	if (!e->own)
		return 0;
	*e = (struct entry){ .to = NOTHING };
	model_end_ask(m, c->dev, c->pasid);
	return 0;
}

static __s64 model_answer(struct model *m, const struct call *c)
{
	if (!m->asked[c->dev])
		return c->own ? -EINVAL : -ENOENT;
	m->asked[c->dev] = 0;
	m->late[c->dev] = true;
	return 0;
}

/* PROC_VA is beyond the VM's memory: the second stage alone has nothing there. */
static __s64 model_peek(const struct model *m, const struct call *c)
{
	int to = m->e[c->dev][c->pasid].to;

	return to == NOTHING || to == SECOND_STAGE ? 0 : tag(c->vm, to - 1);
}

static __s64 model_poke(struct model *m, const struct call *c)
{
	int to = m->e[c->dev][c->pasid].to;

	if (to == NOTHING || to == SECOND_STAGE)
		return 0;
	if (m->tracking[c->vm])
		m->dirty[c->vm] |= 1 << (to - 1);
	return POKED;
}

static __s64 model_dirtied(struct model *m, const struct call *c)
{
	__s64 dirty = m->dirty[c->vm];

	m->dirty[c->vm] = 0;
	return dirty;
}

static __s64 model_do(struct model *m, const struct call *c)
{
	switch (c->op) {
	case OP_OPEN:
		m->owner[c->dev] = c->vm;
		m->had_device[c->vm] = true;
		m->late[c->dev] = false;
		return 0;
	case OP_CLOSE:
		model_close(m, c->dev);
		return 0;
	case OP_ALLOC:
		return model_alloc(m, c);
	case OP_FREE:
		return model_free(m, c);
	case OP_BIND:
		return model_bind(m, c);
	case OP_REPLACE:
		return model_replace(m, c);
	case OP_UNBIND:
		return model_unbind(m, c);
	case OP_ATTACH:
		return model_attach(m, c);
	case OP_DETACH:
		return model_detach(m, c);
	case OP_RESET:
		model_end_ask(m, c->dev, 0);
		return 0;
	case OP_DIRTY:
		m->tracking[c->vm] = !m->tracking[c->vm];
		m->dirty[c->vm] = 0;
		return 0;
	case OP_ASK:
		m->asked[c->dev] = c->pasid;
		m->own[c->dev] = c->own;
		return 0;
	case OP_ANSWER:
		return model_answer(m, c);
	case OP_PEEK:
		return model_peek(m, c);
	case OP_POKE:
		return model_poke(m, c);
	case OP_DIRTIED:
		return model_dirtied(m, c);
	}
	return 0;
}

/* ---- both together ----------------------------------------------------------------- */

struct run {
	struct model m;
	pid_t pid[NR_VMS];
	int to[NR_VMS], from[NR_VMS];	/* pipes */
	struct lab_dev look[NR_EPS];
	unsigned int seed;
	unsigned long step, calls[NR_OPS + 1];
};

static unsigned int pick(struct run *r, unsigned int n)
{
	return rand_r(&r->seed) % n;
}

static void start_vm(struct run *r, int vm)
{
	int to[2], from[2], other = !vm;

	must(pipe(to) || pipe(from) ? -errno : 0, "pipe");
	r->pid[vm] = fork();
	if (!r->pid[vm]) {
		close(to[1]);
		close(from[0]);
		if (r->to[other]) {
			close(r->to[other]);
			close(r->from[other]);
		}
		vm_main(vm, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	r->to[vm] = to[1];
	r->from[vm] = from[0];
}

static void kill_vm(struct run *r, int vm)
{
	kill(r->pid[vm], SIGKILL);
	waitpid(r->pid[vm], NULL, 0);
	close(r->to[vm]);
	close(r->from[vm]);
	r->to[vm] = 0;
	model_kill(&r->m, vm);
	start_vm(r, vm);
}

/* Common calls often, what tears much down seldom. */
static int pick_op(struct run *r)
{
	static const int common[] = {
		OP_OPEN, OP_ALLOC, OP_ALLOC, OP_FREE, OP_BIND, OP_BIND, OP_BIND,
		OP_BIND, OP_REPLACE, OP_UNBIND, OP_ATTACH, OP_ATTACH, OP_DETACH,
		OP_RID, OP_INVALIDATE, OP_ASK, OP_ASK, OP_ASK, OP_ANSWER,
		OP_PEEK, OP_PEEK, OP_PEEK, OP_POKE, OP_POKE, OP_DIRTIED,
	};
	unsigned int n = pick(r, 1000);

	if (n < 2)
		return OP_KILL;
	if (n < 8)
		return OP_CLOSE;
	if (n < 16)
		return OP_RESET;
	if (n < 30)
		return OP_DIRTY;
	return common[pick(r, COUNT(common))];
}

/*
 * A cookie of an HWPT's queue is given out again: a late answer could be one to
 * another request.
 */
static bool late_is_late(const struct model *m, const struct call *c)
{
	int d;

	for (d = 0; m->own[c->dev] && d < NR_EPS; d++)
		if (m->owner[d] == c->vm && m->asked[d] && m->own[d])
			return false;
	return m->late[c->dev];
}

/* Is the call one that the VM can make now? */
static bool possible(const struct run *r, const struct call *c)
{
	const struct entry *e = &r->m.e[c->dev][c->pasid];
	bool open = r->m.owner[c->dev] == c->vm;

	switch (c->op) {
	case OP_ASK:
		return open && !r->m.asked[c->dev] && e->to != NOTHING &&
		       e->to != SECOND_STAGE;
	case OP_ANSWER:
		return open && (r->m.asked[c->dev] || late_is_late(&r->m, c));
	case OP_OPEN:
		return r->m.owner[c->dev] == -1;
	case OP_ALLOC:
	case OP_FREE:
	case OP_KILL:
		return true;
	case OP_DIRTIED:
		return r->m.tracking[c->vm];
	case OP_DIRTY:
	case OP_INVALIDATE:
		return r->m.had_device[c->vm];
	default:
		return open;
	}
}

static struct call pick_call(struct run *r)
{
	struct call c;

	do {
		c = (struct call){
			.op = pick_op(r),
			.vm = pick(r, NR_VMS),
			.dev = pick(r, NR_EPS),
			.pasid = 1 + pick(r, NR_PASIDS),
			.to = PROC(pick(r, NR_PROCS)),
		};
		if (c.op == OP_ATTACH && !pick(r, 4))
			c.to = SECOND_STAGE;
		if (c.op == OP_RID)
			c.to = pick(r, SECOND_STAGE + 1);
		if (c.op == OP_PEEK || c.op == OP_POKE)
			c.to = pick(r, 2);
		if (c.op == OP_ASK)
			c.own = r->m.e[c.dev][c.pasid].own;
		if (c.op == OP_ANSWER)
			c.own = r->m.own[c.dev];
	} while (!possible(r, &c));
	return c;
}

static bool wrong(const struct run *r, const struct call *c, __s64 got, __s64 want,
		  const char *what)
{
	if (got == want)
		return false;
	printf("step %lu: VM %d: %s of PASID %u on %s to %d: %s %lld, not %lld\n",
	       r->step, c->vm, op_name[c->op], c->pasid, endpoint[c->dev], c->to,
	       what, (long long)got, (long long)want);
	return true;
}

/* What the hardware has on every device, against what the model has. */
static bool census_differs(struct run *r, const struct call *c)
{
	struct vtdsim_census census;
	int d, n, present, nested;

	for (d = 0; d < NR_EPS; d++) {
		present = 0;
		nested = 0;
		for (n = 1; n <= NR_PASIDS; n++) {
			present += !!r->m.e[d][n].to;
			nested += r->m.e[d][n].to && r->m.e[d][n].to != SECOND_STAGE;
		}
		/* What opens, closes or resets a device has stopped its queues. */
		must(lab_look_restart(&r->look[d]), "restart an endpoint");
		must(lab_census(&r->look[d], 0, &census), "census");
		if (wrong(r, c, census.present, present, "entries present") ||
		    wrong(r, c, census.nonzero, present, "entries not zero") ||
		    wrong(r, c, census.nested, nested, "nested entries") ||
		    wrong(r, c, census.page_requests, !!r->m.asked[d],
			  "page requests open"))
			return true;
	}
	return false;
}

static bool answer_differs(struct run *r, struct call *c)
{
	struct call back;
	__s64 want;

	must(write(r->to[c->vm], c, sizeof(*c)) == sizeof(*c) ? 0 : -EPIPE,
	     "tell the VM");
	must(read(r->from[c->vm], &back, sizeof(back)) == sizeof(back) ? 0 : -EPIPE,
	     "hear of the VM");
	want = model_do(&r->m, c);
	if ((c->op == OP_PEEK || c->op == OP_POKE) && !want)
		back.answer = !refused(back.answer);
	return wrong(r, c, back.answer, want, "answer");
}

static bool step_fails(struct run *r)
{
	struct call c = pick_call(r);

	r->calls[c.op]++;
	if (c.op == OP_KILL)
		kill_vm(r, c.vm);
	else if (answer_differs(r, &c))
		return true;
	if (c.op == OP_PEEK || c.op == OP_POKE || c.op == OP_DIRTIED)
		return false;
	return census_differs(r, &c);
}

/* Nothing that the oracle knows was wrong on the way. */
static __u64 stale_hits(struct run *r)
{
	struct vtdsim_counters c;
	__u64 n = 0;
	int d;

	for (d = 0; d < NR_EPS; d++) {
		must(lab_counters(&r->look[d], &c), "counters");
		n += c.u_stale_hits;
	}
	return n;
}

int main(int argc, char **argv)
{
	unsigned long steps = argc > 1 ? strtoul(argv[1], NULL, 0) : STEPS;
	struct run *r = calloc(1, sizeof(*r));
	unsigned int seed = argc > 2 ? strtoul(argv[2], NULL, 0) :
			    (unsigned int)time(NULL);
	__u64 stale;
	int i;

	r->seed = seed;
	printf("%lu steps, seed %u\n", steps, seed);
	fflush(stdout);
	for (i = 0; i < NR_EPS; i++) {
		r->m.owner[i] = -1;
		must(lab_dev_open_sysfs(&r->look[i], endpoint[i]), "look at an endpoint");
	}
	stale = stale_hits(r);
	for (i = 0; i < NR_VMS; i++)
		start_vm(r, i);
	for (r->step = 0; r->step < steps && !step_fails(r); r->step++)
		;
	check(r->step == steps, "every answer, and every census, is the model's");
	check(stale_hits(r) == stale, "no hit in a cache was stale");
	for (i = 0; i < NR_VMS; i++)
		kill_vm(r, i);
	check(!census_differs(r, &(struct call){ .op = OP_KILL }),
	      "nothing is left of VMs that were killed");
	for (i = 0; i <= NR_OPS; i++)
		printf("# %s %lu\n", op_name[i], r->calls[i]);
	return check_result("gpasid_model");
}
