// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * libFuzzer: a guest that writes any memory, any register and any descriptor,
 * and a host that fails, stalls and asks for pages.  The guest begins with
 * translation on, so that little is needed to get anywhere.  fake_host.c ends
 * the run when the unit breaks a rule towards the host.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

#define RAM_PAGES	64
#define RAM_SIZE	(RAM_PAGES * 4096ULL)
#define ROOT		0x1000ULL
#define CONTEXT		0x2000ULL
#define DIRECTORY	0x3000ULL
#define ENTRIES		0x4000ULL	/* two pages of PASID-table entries */
#define TABLES		0xa000ULL	/* four, of a second stage */
#define QUEUE		0x8000ULL	/* a page: 128 wide descriptors */
#define PRQ		0x9000ULL
#define SID		0x0008
#define MAX_RUNS	2000

struct input {
	const u8 *p;
	size_t left;
};

static u8 ram[RAM_SIZE] __attribute__((aligned(4096)));
static struct fake_host host;
static struct host_dev host_dev[2];
static struct vvtd *v;
static struct vvtd_dev *dev[2];
static u64 clock_ns;
static u32 tail;

static u64 take(struct input *in, u32 bytes)
{
	u64 val = 0;

	for (; bytes && in->left; bytes--, in->left--)
		val = val << 8 | *in->p++;
	return val;
}

static void *ram_ptr(void *ctx, uint64_t gpa, size_t len, bool write)
{
	(void)ctx;
	(void)write;
	if (len > 4096 || gpa / 4096 != (gpa + len - 1) / 4096)
		abort();
	return gpa < RAM_SIZE ? ram + gpa : NULL;
}

static void msi(void *ctx, uint64_t addr, uint32_t data)
{
	(void)ctx;
	(void)addr;
	(void)data;
}

static uint64_t now(void *ctx)
{
	(void)ctx;
	return clock_ns;
}

static void poke(u64 gpa, u64 val)
{
	memcpy(ram + gpa % RAM_SIZE / 8 * 8, &val, 8);
}

static void run(void)
{
	u32 i;

	for (i = 0; vvtd_run(v) == VVTD_MORE; i++) {
		if (i > MAX_RUNS)
			abort();
	}
}

static void page_request(struct input *in, u32 n)
{
	struct vvtd_page_request rq = {
		.cookie = take(in, 1), .addr = take(in, 2) << 12,
		.pasid = take(in, 1),
	};
	u64 bits = take(in, 1);

	rq.group = bits & 7;
	rq.has_pasid = bits & 8;
	rq.last = bits & 16;
	rq.read = bits & 32;
	rq.write = bits & 64;
	rq.privileged = bits & 128;
	if (dev[n])
		vvtd_page_request(dev[n], &rq);
}

static void fault(struct input *in, u32 n)
{
	const struct vvtd_fault f = {
		.addr = take(in, 2) << 12, .pasid = take(in, 1),
		.reason = take(in, 1), .has_pasid = true,
	};

	if (dev[n])
		vvtd_dev_fault(dev[n], &f);
}

static void plug(u32 n)
{
	static const struct vvtd_host_caps caps = {
		.cap = CAP_FS1GP | CAP_FS5LP | CAP_SAGAW(4) | CAP_SSLPS(3),
		.ecap = ECAP_SMTS | ECAP_FSTS | ECAP_NEST | ECAP_SMPWCS |
			ECAP_SRS | ECAP_EAFS | ECAP_SC | ECAP_PSS(19),
		.pasid_bits = 20, .page_requests = true,
	};

	if (dev[n]) {
		vvtd_dev_remove(dev[n]);
		dev[n] = NULL;
		if (host_dev[n].nr_bound)
			abort();
	} else if (vvtd_dev_add(v, SID + n, &caps, &host_dev[n], &dev[n])) {
		abort();
	}
}

/* A descriptor of any kind, at the tail, which moves on. */
static void descriptor(struct input *in)
{
	u64 kind = take(in, 1);
	u64 d0 = (kind & 15) | (kind >> 4) << 4;

	d0 |= take(in, 1) << 16 | take(in, 2) << 32;
	poke(QUEUE + tail, d0);
	poke(QUEUE + tail + 8, take(in, 2) << 3);
	tail = (tail + 32) % 4096;
	vvtd_write(v, REG_IQT, 8, tail);
}

static const u16 regs[] = {
	REG_GCMD, REG_RTADDR, REG_CCMD, REG_FSTS, REG_FECTL, REG_FEDATA,
	REG_FEADDR, REG_IQT, REG_IQA, REG_ICS, REG_IECTL, REG_PQH, REG_PQT,
	REG_PQA, REG_PRS, REG_PECTL, REG_IOTLB, REG_VCMD, REG_FRCD + 12,
	REG_FRCD + 28,
};

static void one(struct input *in)
{
	u64 op = take(in, 1);
	u32 n = op >> 7;
	u64 at;

	switch (op & 15) {
	case 0:
		at = take(in, 3);
		poke(at, take(in, 8));
		break;
	case 1:
		at = ENTRIES + take(in, 1) * 64;
		poke(at + 16, take(in, 1) << 12 | take(in, 1));
		poke(at + 8, take(in, 1));
		poke(at, take(in, 2));
		break;
	case 2:
		at = take(in, 2);
		vvtd_write(v, at, 4 + 4 * n, take(in, 8));
		break;
	case 3:
		at = regs[take(in, 1) % ARRAY_SIZE(regs)];
		vvtd_write(v, at, 4, take(in, 4));
		break;
	case 4:
		descriptor(in);
		break;
	case 5:
		run();
		break;
	case 6:
		page_request(in, n);
		break;
	case 7:
		fault(in, n);
		break;
	case 8:
		plug(n);
		break;
	case 9:
		vvtd_host_done(v, n ? -ETIMEDOUT : 0);
		break;
	case 10:
		vvtd_reset(v);
		break;
	case 11:
		host.invalidate_says = n ? -EINPROGRESS : 0;
		break;
	case 12:
		clock_ns += take(in, 1);
		vvtd_expire(v);
		break;
	case 13:
		host.fail_after = take(in, 1);
		break;
	case 14:
		at = CONTEXT + SID * 32;
		poke(at + n * 32, take(in, 2) | DIRECTORY);
		break;
	default:
		if (dev[n])
			vvtd_dev_reset(dev[n]);
	}
}

/* Tables with both devices' context entries, queues, translation on. */
static void boot(void)
{
	u32 i;

	memset(ram, 0, sizeof(ram));
	poke(ROOT, CONTEXT | ROOT_P);
	/* A second stage of four levels, with nothing mapped. */
	for (i = 0; i < 3; i++)
		poke(TABLES + i * 0x1000, (TABLES + 0x1000 + i * 0x1000) | 3);
	for (i = 0; i < 2; i++)
		poke(CONTEXT + (SID + i) * 32, DIRECTORY | CTX_P | CTX_DTE |
		     CTX_PASIDE | CTX_PRE);
	for (i = 0; i < 2; i++)
		poke(DIRECTORY + i * 8, (ENTRIES + i * 4096) | PDE_P);
	vvtd_write(v, REG_RTADDR, 8, ROOT | TTM_SCALABLE << 10);
	vvtd_write(v, REG_GCMD, 4, GCMD_SRTP);
	run();
	vvtd_write(v, REG_IQA, 8, QUEUE | IQA_DW);
	vvtd_write(v, REG_PQA, 8, PRQ);
	tail = 0;
	vvtd_write(v, REG_GCMD, 4, GCMD_QIE | GCMD_TE);
	run();
}

static void begin(u64 flags)
{
	struct vvtd_config cfg;
	const struct vvtd_ops ops = {
		.ptr = ram_ptr, .msi = msi, .now = now, .bind = host_bind,
		.replace = host_replace, .unbind = host_unbind,
		.invalidate = host_invalidate, .device_tlbs = flags & 1,
		.drain = host_drain, .respond = host_respond,
		.pasid_alloc = host_pasid_alloc, .pasid_free = host_pasid_free,
		.domain_alloc = host_domain_alloc,
		.domain_free = host_domain_free, .map = host_map,
		.unmap = host_unmap,
	};

	vvtd_config_init(&cfg);
	cfg.page_requests = true;
	cfg.page_drain = true;
	cfg.group_timeout_ns = 100;
	cfg.virtual_commands = true;
	cfg.five_level = flags & 2;
	cfg.supervisor = flags & 4;
	cfg.extended_access = flags & 8;
	cfg.second_stage = flags & 16;
	cfg.legacy = (flags & 48) == 48;
	cfg.max_mappings = 64;
	cfg.max_tables = 32;
	v = vvtd_create(&cfg, &ops, &host);
	plug(0);
	plug(1);
	boot();
}

static void end(void)
{
	u32 n;

	run();
	vvtd_host_done(v, 0);
	host.invalidate_says = 0;
	run();
	vvtd_destroy(v);
	if (host.live_domains)
		abort();
	for (n = 0; n < 2; n++) {
		if (host_dev[n].nr_bound)
			abort();
		dev[n] = NULL;
	}
}

int fuzz_one(const u8 *data, size_t size)
{
	struct input in = { .p = data, .left = size };

	if (!host.log) {
		host_init(&host);
		host.quiet = true;
		host_dev_init(&host_dev[0], 'a');
		host_dev_init(&host_dev[1], 'b');
	}
	host.invalidate_says = 0;
	host.fail_after = 0;
	host.fail_with = -EINVAL;
	host.next_pasid = 100;
	begin(take(&in, 1));
	while (in.left)
		one(&in);
	end();
	return 0;
}
