// SPDX-License-Identifier: GPL-2.0-only
/*
 * The register page: a guest that only has memory, and a unit that only sees
 * values.  The firmware table.  What is said to QEMU, and heard from it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../vsva.h"

#define SID		0x0080
#define PASID		5
#define MESSAGE		0xfee00000u
#define RAM		0x100000

static uint8_t mem[RAM] __attribute__((aligned(4096)));
static struct page page;
static struct vvtd *v;
static struct vvtd_dev *dev;
static int device, failed;
static unsigned int messages, answers;

void fail(const char *fmt, ...)
{
	printf("# failed: %s\n", fmt);
	exit(2);
}

static void *ptr(void *ctx, uint64_t gpa, size_t len, bool write)
{
	(void)ctx;
	(void)write;
	return gpa < RAM && len <= RAM - gpa ? mem + gpa : NULL;
}

static void msi(void *ctx, uint64_t addr, uint32_t data)
{
	(void)ctx;
	messages += addr == MESSAGE && data == 0x41;
}

static uint64_t now(void *ctx)
{
	(void)ctx;
	return 0;
}

static int bind(void *ctx, void *host, uint32_t pasid,
		struct vvtd_stage *stage)
{
	(void)ctx;
	(void)host;
	(void)pasid;
	(void)stage;
	return 0;
}

static void unbind(void *ctx, void *host, uint32_t pasid, uint32_t handle)
{
	(void)ctx;
	(void)host;
	(void)pasid;
	(void)handle;
}

static int invalidate(void *ctx, const struct vvtd_inv *inv, size_t num)
{
	(void)ctx;
	(void)inv;
	(void)num;
	return 0;
}

static void respond(void *ctx, void *host, uint64_t cookie, uint8_t answer)
{
	(void)ctx;
	(void)host;
	(void)cookie;
	(void)answer;
	answers++;
}

static const struct vvtd_ops ops = {
	.ptr = ptr, .msi = msi, .now = now, .bind = bind, .replace = bind,
	.unbind = unbind, .invalidate = invalidate, .respond = respond,
};

#define EXPECT(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("# %s:%d: %s\n", __func__, __LINE__, #cond); \
			failed++;					\
		}							\
	} while (0)

/* Where the guest has its tables and queues. */
#define REGS	0x1000
#define ROOT	0x2000
#define CONTEXT	0x3000
#define DIR	0x4000
#define QUEUE	0x5000
#define REQUESTS 0x6000
#define STATUS_WORD 0x7000

static uint32_t *reg32(uint32_t reg)
{
	return (uint32_t *)(mem + REGS + reg);
}

static uint64_t *reg64(uint32_t reg)
{
	return (uint64_t *)(mem + REGS + reg);
}

static uint64_t *at(uint64_t gpa)
{
	return (uint64_t *)(mem + gpa);
}

/* What main.c does in a round. */
static bool turn(void)
{
	bool any = page_take(&page);

	page_rearm(&page);
	while (vvtd_run(v) == VVTD_MORE)
		;
	page_show(&page);
	return any;
}

static void begin(void)
{
	const struct vvtd_host_caps caps = {
		.cap = ~0ULL, .ecap = ~0ULL, .pasid_bits = 20,
		.page_requests = true,
	};
	struct vvtd_config config;

	memset(mem, 0, sizeof(mem));
	messages = 0;
	answers = 0;
	vvtd_config_init(&config);
	config.page_requests = true;
	v = vvtd_create(&config, &ops, NULL);
	if (!v || vvtd_dev_add(v, SID, &caps, &device, &dev))
		exit(2);
	while (vvtd_run(v) == VVTD_MORE)
		;
	page_init(&page, mem + REGS, v);
}

/* The device has a context entry with page requests; both queues are there. */
static void boot(void)
{
	*at(ROOT + 8) = CONTEXT | ROOT_P;
	*at(CONTEXT) = DIR | CTX_P | CTX_DTE | CTX_PASIDE | CTX_PRE;
	*reg64(REG_RTADDR) = ROOT | TTM_SCALABLE << 10;
	*reg32(REG_GCMD) = GCMD_SRTP;
	turn();
	*reg64(REG_IQA) = QUEUE | IQA_DW;
	*reg64(REG_PQA) = REQUESTS;
	*reg32(REG_PEDATA) = 0x41;
	*reg32(REG_PEADDR) = MESSAGE;
	*reg32(REG_PECTL) = 0;
	*reg32(REG_GCMD) = GCMD_TE | GCMD_QIE;
	turn();
}

static void request(uint16_t group)
{
	vvtd_page_request(dev, &(struct vvtd_page_request){
		.cookie = group, .addr = 0x1000, .group = group, .pasid = PASID,
		.has_pasid = true, .read = true, .last = true,
	});
}

static void what_is_shown_is_what_the_unit_has(void)
{
	EXPECT(*reg64(REG_CAP) == vvtd_read(v, REG_CAP, 8));
	EXPECT(*reg64(REG_ECAP) & ECAP_PRS);
	EXPECT(*reg32(REG_PECTL) == ECTL_IM);
	EXPECT(!turn());
}

static void a_command_of_0_is_a_command(void)
{
	boot();
	EXPECT(*reg32(REG_GSTS) == (GCMD_TE | GCMD_QIE | GCMD_SRTP));
	*reg32(REG_GCMD) = 0;
	EXPECT(turn());
	EXPECT(*reg32(REG_GSTS) == GCMD_SRTP);
	EXPECT(!turn());
}

static void a_command_finds_what_was_written_before_it(void)
{
	*at(ROOT + 8) = CONTEXT | ROOT_P;
	*reg64(REG_RTADDR) = ROOT | TTM_SCALABLE << 10;
	*reg64(REG_IQA) = QUEUE | IQA_DW;
	*at(QUEUE) = INV_WAIT | WAIT_SW | 1ULL << 32;
	*at(QUEUE + 8) = STATUS_WORD;
	*reg32(REG_GCMD) = GCMD_SRTP | GCMD_QIE;
	*reg64(REG_IQT) = 32;
	EXPECT(turn());
	EXPECT(*reg32(REG_GSTS) == (GCMD_SRTP | GCMD_QIE));
	EXPECT(*at(STATUS_WORD) == 1);
	EXPECT(*reg64(REG_IQH) == 32);
}

static void a_register_that_is_read_only_stays_as_it_is(void)
{
	uint64_t cap = *reg64(REG_CAP);

	boot();
	*reg64(REG_CAP) = 0;
	*reg64(REG_IQH) = 0x40;
	*reg32(REG_GSTS) = 0;
	turn();
	EXPECT(*reg64(REG_CAP) == cap);
	EXPECT(*reg64(REG_IQH) == 0);
	EXPECT(*reg32(REG_GSTS) & GCMD_TE);
}

static void a_status_is_cleared_by_writing_what_was_read(void)
{
	boot();
	request(1);
	page_show(&page);
	EXPECT(*reg32(REG_PRS) & PRS_PPR);
	*reg32(REG_PRS) &= PRS_PPR;
	EXPECT(turn());
	EXPECT(!*reg32(REG_PRS));
	EXPECT(!vvtd_read(v, REG_PRS, 4));
}

static void a_page_request_is_shown_with_its_place_in_the_queue(void)
{
	boot();
	request(1);
	page_show(&page);
	EXPECT(*reg64(REG_PQT) == 32);
	EXPECT(*at(REQUESTS) & 1);
	EXPECT(messages == 1);
	*reg64(REG_PQH) = 32;
	turn();
	EXPECT(vvtd_read(v, REG_PQH, 8) == 32);
}

/* The guest clears the status and looks at the tail before this side looks. */
static void a_request_after_an_unseen_clear_has_a_message(void)
{
	boot();
	request(1);
	page_show(&page);
	turn();
	page_take(&page);
	*reg32(REG_PRS) = PRS_PPR;
	page_rearm(&page);
	request(2);
	page_show(&page);
	EXPECT(messages == 2);
	EXPECT(turn());
	EXPECT(!*reg32(REG_PRS));
}

static void a_status_that_the_guest_has_not_cleared_is_shown(void)
{
	boot();
	request(1);
	page_show(&page);
	turn();
	turn();
	EXPECT(*reg32(REG_PRS) & PRS_PPR);
	EXPECT(!vvtd_read(v, REG_PRS, 4));
}

static void an_event_that_is_pending_is_delivered_with_its_mask_off(void)
{
	boot();
	*reg32(REG_PECTL) = ECTL_IM;
	turn();
	request(1);
	page_show(&page);
	EXPECT(*reg32(REG_PECTL) == (ECTL_IM | ECTL_IP));
	turn();
	EXPECT(!messages);
	*reg32(REG_PECTL) = 0;
	turn();
	EXPECT(messages == 1);
}

static void fault(uint64_t addr)
{
	vvtd_dev_fault(dev, &(struct vvtd_fault){
		.addr = addr, .pasid = PASID, .has_pasid = true,
		.reason = FR_SPT_2,
	});
}

static void a_fault_record_is_cleared_by_its_own_bit(void)
{
	uint64_t addr;
	uint32_t data;

	boot();
	fault(0x5000);
	page_show(&page);
	EXPECT(*reg64(REG_FRCD) == 0x5000);
	EXPECT(*reg32(REG_FSTS) & FSTS_PPF);
	*reg32(REG_FRCD + 12) = FRCD_W3_F;
	EXPECT(turn());
	EXPECT(!(*reg32(REG_FRCD + 12) & FRCD_W3_F));
	EXPECT(!(*reg32(REG_FSTS) & FSTS_PPF));
	EXPECT(!page_more_faults(&page, &addr, &data));
}

/* The unit tells of the first of them alone. */
static void faults_beside_a_cleared_one_have_a_message_once(void)
{
	uint64_t addr = 0;
	uint32_t data = 0;

	boot();
	*reg32(REG_FEADDR) = MESSAGE;
	*reg32(REG_FEDATA) = 0x42;
	*reg32(REG_FECTL) = 0;
	turn();
	fault(0x5000);
	fault(0x6000);
	page_show(&page);
	EXPECT(!page_more_faults(&page, &addr, &data));
	*reg32(REG_FRCD + 12) = FRCD_W3_F;
	page_take(&page);
	EXPECT(page_more_faults(&page, &addr, &data));
	EXPECT(addr == MESSAGE && data == 0x42);
	EXPECT(!page_more_faults(&page, &addr, &data));
}

static void a_reset_leaves_nothing_of_before(void)
{
	boot();
	request(1);
	page_show(&page);
	vvtd_reset(v);
	while (vvtd_run(v) == VVTD_MORE)
		;
	page_init(&page, mem + REGS, v);
	EXPECT(answers == 1);
	EXPECT(!*reg32(REG_GSTS));
	EXPECT(!*reg32(REG_PRS));
	EXPECT(!*reg64(REG_PQT));
	EXPECT(!turn());
}

static void the_table_names_registers_and_function(void)
{
	uint8_t t[256], sum = 0;
	size_t len = dmar_build(t, sizeof(t), 0x8000000, 0x80, 48), i;
	uint64_t regs;

	for (i = 0; i < len; i++)
		sum += t[i];
	EXPECT(!sum);
	EXPECT(!memcmp(t, "DMAR", 4));
	EXPECT(t[4] + t[5] * 256u == len);
	EXPECT(t[36] == 47);
	memcpy(&regs, t + 48 + 8, 8);
	EXPECT(regs == 0x8000000);
	EXPECT(!(t[48 + 4] & 1));	/* not all functions: */
	EXPECT(t[48 + 16] == 1 && t[48 + 22] == 0x10 && !t[48 + 23]);
}

/* QEMU, as far as this side sees it: @in is what it would read, @out what it says. */
static void pretend_qemu(struct qemu *q, int *in, int *out)
{
	int to[2], from[2];

	if (pipe2(to, O_NONBLOCK) || pipe2(from, O_NONBLOCK))
		exit(2);
	*q = (struct qemu){
		.qtest_in = to[1], .qtest_out = from[0],
		.qmp_in = to[1], .qmp_out = from[0],
	};
	*in = to[0];
	*out = from[1];
}

static void a_message_is_written_to_the_interrupt_range_alone(void)
{
	char text[128] = "";
	struct qemu q;
	int in, out;

	pretend_qemu(&q, &in, &out);
	qemu_message(&q, 0, 0x41);
	qemu_message(&q, 0xfedffffc, 0x41);
	qemu_message(&q, 0xfef00000, 0x41);
	qemu_message(&q, 0x1fee00000, 0x41);
	EXPECT(read(in, text, sizeof(text) - 1) < 0);
	qemu_message(&q, 0xfee01004, 0x41);
	EXPECT(read(in, text, sizeof(text) - 1) > 0);
	EXPECT(!strcmp(text, "writel 0xfee01004 0x41\n"));
	close(out);
	close(in);
}

static void say(int out, const char *text)
{
	if (write(out, text, strlen(text)) < 0)
		exit(2);
}

static void a_reset_and_the_end_of_qemu_are_heard(void)
{
	struct qemu q;
	int in, out;

	pretend_qemu(&q, &in, &out);
	EXPECT(qemu_event(&q) == QEMU_NOTHING);
	say(out, "{\"timestamp\": {}, \"event\": \"RTC_CHANGE\"}\r\n{\"event\": \"RES");
	EXPECT(qemu_event(&q) == QEMU_NOTHING);
	say(out, "ET\", \"data\": {\"guest\": true}}\r\n");
	EXPECT(qemu_event(&q) == QEMU_RESET);
	EXPECT(qemu_event(&q) == QEMU_NOTHING);
	close(out);
	EXPECT(qemu_event(&q) == QEMU_ENDS);
	close(in);
}

#define T(fn)	{ fn, #fn }
static const struct {
	void (*run)(void);
	const char *name;
} all[] = {
	T(what_is_shown_is_what_the_unit_has),
	T(a_command_of_0_is_a_command),
	T(a_command_finds_what_was_written_before_it),
	T(a_register_that_is_read_only_stays_as_it_is),
	T(a_status_is_cleared_by_writing_what_was_read),
	T(a_page_request_is_shown_with_its_place_in_the_queue),
	T(a_request_after_an_unseen_clear_has_a_message),
	T(a_status_that_the_guest_has_not_cleared_is_shown),
	T(an_event_that_is_pending_is_delivered_with_its_mask_off),
	T(a_fault_record_is_cleared_by_its_own_bit),
	T(faults_beside_a_cleared_one_have_a_message_once),
	T(a_reset_leaves_nothing_of_before),
	T(the_table_names_registers_and_function),
	T(a_message_is_written_to_the_interrupt_range_alone),
	T(a_reset_and_the_end_of_qemu_are_heard),
};

int main(void)
{
	int i, bad = 0, num = ARRAY_SIZE(all);

	printf("1..%d\n", num);
	for (i = 0; i < num; i++) {
		failed = 0;
		begin();
		all[i].run();
		vvtd_destroy(v);
		bad += !!failed;
		printf("%sok %d %s\n", failed ? "not " : "", i + 1, all[i].name);
	}
	return bad ? 1 : 0;
}
