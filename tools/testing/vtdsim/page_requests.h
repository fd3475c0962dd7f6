/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_PAGE_REQUESTS_H
#define VTDSIM_PAGE_REQUESTS_H

#include "base.h"

struct ep;
struct page_group;
struct request;
struct unit;

struct page_group *page_request_send(struct ep *ep, const struct request *rq,
				     u32 nr);
u8 page_request_raw(struct ep *ep, const struct request *rq, u64 index,
		    bool last, struct page_group **wait);
u32 page_request_credits(struct ep *ep);
bool page_group_done(struct page_group *g, u8 *code, bool *overflowed);
void page_group_put(struct page_group *g);
void page_request_status_clear(struct unit *u, u32 written);
void page_request_queued(struct unit *u, u32 offset, const u64 *entry,
			 bool first);
void page_requests_watch(struct unit *u);
void page_response(struct unit *u, const u64 *d);
bool page_messages_poll(struct ep *ep);
void page_messages_deliver(struct ep *ep);
u64 page_requests_count(struct ep *ep, bool one, u32 pasid);
void page_requests_reset(struct ep *ep);
void page_request_status(struct ep *ep, u32 set, u32 clear);

#endif /* VTDSIM_PAGE_REQUESTS_H */
