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
	u32 nr_bound;
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
	void (*drained)(void *arg, struct host_dev *dev);
	void *arg;
};

void host_init(struct fake_host *h);
void host_exit(struct fake_host *h);
void host_dev_init(struct host_dev *dev, char name);
void host_dev_exit(struct host_dev *dev);

/* vvtd_ops, whose ctx is the host. */
int host_bind(void *ctx, void *host, uint32_t pasid,
	      const struct vvtd_stage *stage);
int host_replace(void *ctx, void *host, uint32_t pasid,
		 const struct vvtd_stage *stage);
void host_unbind(void *ctx, void *host, uint32_t pasid);
int host_invalidate(void *ctx, const struct vvtd_inv *inv, size_t num);
void host_drain(void *ctx, void *host);
void host_respond(void *ctx, void *host, uint64_t cookie, uint8_t answer);
int host_pasid_alloc(void *ctx, uint32_t *pasid);
int host_pasid_free(void *ctx, uint32_t pasid);

/* A line of the log. */
void host_note(struct fake_host *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* FAKE_HOST_H */
