/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A host that writes down every call, one line each, and knows what is bound.
 * It fails the test at once when a call breaks the rules of struct vvtd_ops.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include "../model.h"
#include "../vvtd.h"

#define MAX_PASIDS	(1u << 20)

struct host_dev {
	char name;
	u8 *kind;		/* by PASID */
	u64 *table;
	u8 *flags;
	struct host_domain **domain;
	u32 *handle;
	u32 nr_bound;
};

/* Of a guest's leaf each. */
struct host_map {
	u64 iova;
	u64 gpa;
	u64 size;
	u32 prot;
};

struct host_domain {
	u32 number;
	u32 bound;		/* PASIDs */
	u32 num;
	u32 room;
	struct host_map *map;	/* by iova */
};

struct fake_host {
	bool quiet;		/* count, do not write down */
	char *log;
	size_t len;
	size_t size;
	u64 calls;
	u32 fail_after;		/* the call of this number fails; 0: none */
	int fail_with;
	int invalidate_says;
	u32 next_pasid;
	u32 freed;
	u32 nr_domains;		/* ever made */
	u32 live_domains;
	struct host_domain *last;
	u32 next_handle;
	void (*drained)(void *arg, struct host_dev *dev);
	void *arg;
};

void host_init(struct fake_host *h);
void host_exit(struct fake_host *h);
void host_dev_init(struct host_dev *dev, char name);
void host_dev_exit(struct host_dev *dev);

/* vvtd_ops, whose ctx is the host. */
int host_bind(void *ctx, void *host, uint32_t pasid,
	      struct vvtd_stage *stage);
int host_replace(void *ctx, void *host, uint32_t pasid,
		 struct vvtd_stage *stage);
void host_unbind(void *ctx, void *host, uint32_t pasid, uint32_t handle);
int host_invalidate(void *ctx, const struct vvtd_inv *inv, size_t num);
void host_drain(void *ctx, void *host);
void host_respond(void *ctx, void *host, uint64_t cookie, uint8_t answer);
int host_pasid_alloc(void *ctx, uint32_t *pasid);
int host_pasid_free(void *ctx, uint32_t pasid);
int host_domain_alloc(void *ctx, void *host, void **domain);
void host_domain_free(void *ctx, void *domain);
int host_map(void *ctx, void *domain, uint64_t iova, uint64_t gpa,
	     uint64_t size, unsigned int prot);
void host_unmap(void *ctx, void *domain, uint64_t iova, uint64_t size);

/* A line of the log. */
void host_note(struct fake_host *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* FAKE_HOST_H */
