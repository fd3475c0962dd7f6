// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fake_host.h"

static void check(bool kept, const char *what)
{
	if (kept)
		return;
	printf("# the unit breaks a rule: %s\n", what);
	fflush(stdout);
	abort();
}

void host_init(struct fake_host *h)
{
	memset(h, 0, sizeof(*h));
	h->size = 1 << 16;
	h->log = malloc(h->size);
	h->log[0] = 0;
	h->next_pasid = 100;
}

void host_exit(struct fake_host *h)
{
	free(h->log);
}

void host_dev_init(struct host_dev *dev, char name)
{
	dev->name = name;
	dev->kind = calloc(MAX_PASIDS, 1);
	dev->table = calloc(MAX_PASIDS, 8);
	dev->flags = calloc(MAX_PASIDS, 1);
	dev->handle = calloc(MAX_PASIDS, sizeof(*dev->handle));
	dev->domain = calloc(MAX_PASIDS, sizeof(*dev->domain));
	dev->nr_bound = 0;
}

void host_dev_exit(struct host_dev *dev)
{
	free(dev->kind);
	free(dev->table);
	free(dev->flags);
	free(dev->domain);
	free(dev->handle);
}

void host_note(struct fake_host *h, const char *fmt, ...)
{
	va_list ap;

	if (h->quiet)
		return;
	if (h->size - h->len < 256) {
		h->size *= 2;
		h->log = realloc(h->log, h->size);
	}
	va_start(ap, fmt);
	h->len += vsnprintf(h->log + h->len, h->size - h->len, fmt, ap);
	va_end(ap);
}

static bool fails(struct fake_host *h)
{
	h->calls++;
	return h->fail_after && !--h->fail_after;
}

static const char *text(const struct vvtd_stage *s, char *buf)
{
	static const char letters[] = "sew5p";
	size_t i, n;

	if (s->kind == VVTD_PASS_THROUGH)
		return "pass";
	if (s->kind == VVTD_SHADOW) {
		const struct host_domain *d = s->domain;

		sprintf(buf, "domain %u", d->number);
		return buf;
	}
	n = sprintf(buf, "first %llx", (u64)s->table);
	if (s->flags)
		buf[n++] = ' ';
	for (i = 0; i < 5; i++) {
		if (s->flags & 1 << i)
			buf[n++] = letters[i];
	}
	buf[n] = 0;
	return buf;
}

static void move(struct host_dev *dev, u32 pasid, struct host_domain *to)
{
	if (dev->domain[pasid])
		dev->domain[pasid]->bound--;
	if (to)
		to->bound++;
	dev->domain[pasid] = to;
}

static void set(struct host_dev *dev, u32 pasid, const struct vvtd_stage *s)
{
	dev->nr_bound += !dev->kind[pasid];
	move(dev, pasid, s->kind == VVTD_SHADOW ? s->domain : NULL);
	dev->kind[pasid] = s->kind;
	dev->table[pasid] = s->table;
	dev->flags[pasid] = s->flags;
}

static int put(struct fake_host *h, struct host_dev *dev, u32 pasid,
	       struct vvtd_stage *s, const char *what)
{
	bool bad = fails(h);
	char buf[64];

	check(pasid < MAX_PASIDS, "a PASID has 20 bits");
	check(s->handle == dev->handle[pasid], "a replace knows the handle");
	check(s->kind >= VVTD_PASS_THROUGH && s->kind <= VVTD_SHADOW,
	      "only what can be bound is bound");
	check(s->kind != VVTD_FIRST_STAGE || !(s->table & 0xfff),
	      "a table is page-aligned");
	host_note(h, "%s %c %x %s%s\n", what, dev->name, pasid, text(s, buf),
		  bad ? " fails" : "");
	if (bad)
		return h->fail_with;
	set(dev, pasid, s);
	s->handle = ++h->next_handle;
	dev->handle[pasid] = s->handle;
	return 0;
}

int host_bind(void *ctx, void *host, uint32_t pasid,
	      struct vvtd_stage *stage)
{
	struct host_dev *dev = host;

	check(!dev->kind[pasid], "what is bound is not bound again");
	return put(ctx, dev, pasid, stage, "bind");
}

int host_replace(void *ctx, void *host, uint32_t pasid,
		 struct vvtd_stage *stage)
{
	struct host_dev *dev = host;

	check(dev->kind[pasid], "only what is bound is replaced");
	return put(ctx, dev, pasid, stage, "replace");
}

void host_unbind(void *ctx, void *host, uint32_t pasid, uint32_t handle)
{
	struct fake_host *h = ctx;
	struct host_dev *dev = host;

	h->calls++;
	check(dev->kind[pasid], "only what is bound is unbound");
	check(dev->handle[pasid] == handle, "a binding keeps its handle");
	dev->handle[pasid] = 0;
	move(dev, pasid, NULL);
	dev->kind[pasid] = VVTD_NONE;
	dev->table[pasid] = 0;
	dev->flags[pasid] = 0;
	dev->nr_bound--;
	host_note(h, "unbind %c %x\n", dev->name, pasid);
}

static void note_inv(struct fake_host *h, const struct vvtd_inv *inv)
{
	const struct host_dev *dev = inv->host;

	check(!(inv->addr & 0xfff), "an address is page-aligned");
	check(inv->all_pasids || dev->kind[inv->pasid],
	      "only what is bound is invalidated");
	check(inv->all_pasids || inv->handle == dev->handle[inv->pasid],
	      "an invalidation has the handle of its binding");
	host_note(h, "%s %c ", inv->what == VVTD_INV_IOTLB ? "iotlb" : "devtlb",
		  dev->name);
	if (inv->all_pasids)
		host_note(h, "*");
	else
		host_note(h, "%x", inv->pasid);
	if (inv->npages == VVTD_ALL_PAGES)
		host_note(h, " all\n");
	else
		host_note(h, " %llx+%llx%s\n", (u64)inv->addr,
			  (u64)inv->npages, inv->leaf ? " leaf" : "");
}

int host_invalidate(void *ctx, const struct vvtd_inv *inv, size_t num)
{
	struct fake_host *h = ctx;
	size_t i;

	h->calls++;
	check(num, "an invalidation is of something");
	host_note(h, "invalidate\n");
	for (i = 0; i < num; i++)
		note_inv(h, &inv[i]);
	return h->invalidate_says;
}

void host_drain(void *ctx, void *host)
{
	struct fake_host *h = ctx;
	struct host_dev *dev = host;

	host_note(h, "drain %c\n", dev->name);
	if (h->drained)
		h->drained(h->arg, dev);
}

void host_respond(void *ctx, void *host, uint64_t cookie, uint8_t answer)
{
	struct host_dev *dev = host;

	host_note(ctx, "answer %c %llu %u\n", dev->name, (u64)cookie, answer);
}

int host_pasid_alloc(void *ctx, uint32_t *pasid)
{
	struct fake_host *h = ctx;

	if (fails(h))
		return h->fail_with;
	*pasid = h->next_pasid++;
	return 0;
}

int host_pasid_free(void *ctx, uint32_t pasid)
{
	struct fake_host *h = ctx;

	host_note(h, "free %u\n", pasid);
	h->freed++;
	return fails(h) ? h->fail_with : 0;
}

int host_domain_alloc(void *ctx, void *host, void **domain)
{
	struct fake_host *h = ctx;
	struct host_dev *dev = host;
	struct host_domain *d;

	if (fails(h))
		return h->fail_with;
	d = calloc(1, sizeof(*d));
	d->number = h->nr_domains++;
	h->live_domains++;
	h->last = d;
	host_note(h, "domain %u for %c\n", d->number, dev->name);
	*domain = d;
	return 0;
}

void host_domain_free(void *ctx, void *domain)
{
	struct fake_host *h = ctx;
	struct host_domain *d = domain;

	check(!d->bound, "a domain is freed when nothing is bound to it");
	host_note(h, "free domain %u\n", d->number);
	h->live_domains--;
	if (h->last == d)
		h->last = NULL;
	free(d->map);
	free(d);
}

/* The first mapping that ends beyond @iova. */
static u32 find(const struct host_domain *d, u64 iova)
{
	u32 low = 0, high = d->num;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (d->map[mid].iova + d->map[mid].size - 1 < iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int host_map(void *ctx, void *domain, uint64_t iova, uint64_t gpa,
	     uint64_t size, unsigned int prot)
{
	struct fake_host *h = ctx;
	struct host_domain *d = domain;
	u32 i = find(d, iova);
	bool bad = fails(h);

	check(i == d->num || d->map[i].iova > iova + size - 1,
	      "nothing is mapped over a mapping");
	host_note(h, "map %u %llx->%llx+%llx %s%s%s\n", d->number, (u64)iova,
		  (u64)gpa, (u64)size, prot & VVTD_READ ? "r" : "",
		  prot & VVTD_WRITE ? "w" : "", bad ? " fails" : "");
	if (bad)
		return h->fail_with;
	if (d->num == d->room) {
		d->room = d->room ? d->room * 2 : 64;
		d->map = realloc(d->map, d->room * sizeof(*d->map));
	}
	memmove(d->map + i + 1, d->map + i, (d->num - i) * sizeof(*d->map));
	d->map[i] = (struct host_map){ iova, gpa, size, prot };
	d->num++;
	return 0;
}

void host_unmap(void *ctx, void *domain, uint64_t iova, uint64_t size)
{
	struct fake_host *h = ctx;
	struct host_domain *d = domain;
	u32 i = find(d, iova);
	u32 n = 0;

	h->calls++;
	host_note(h, "unmap %u %llx+%llx\n", d->number, (u64)iova, (u64)size);
	while (i + n < d->num && d->map[i + n].iova <= iova + size - 1)
		n++;
	check(n && d->map[i].iova >= iova, "an unmap is of whole mappings");
	check(d->map[i + n - 1].iova + d->map[i + n - 1].size <= iova + size,
	      "an unmap is of whole mappings, to its end");
	memmove(d->map + i, d->map + i + n,
		(d->num - i - n) * sizeof(*d->map));
	d->num -= n;
}
