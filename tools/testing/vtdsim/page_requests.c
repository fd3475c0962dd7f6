// SPDX-License-Identifier: GPL-2.0-only
/*
 * "Page Request Services"
 */
#include "sim.h"

struct page_group *page_request_send(struct ep *ep, const struct request *rq)
{
	(void)ep;
	(void)rq;
	return NULL;
}

bool page_group_done(struct page_group *g, u8 *code)
{
	(void)g;
	*code = PRQ_FAILURE;
	return true;
}

void page_group_put(struct page_group *g)
{
	(void)g;
}

void page_response(struct unit *u, const u64 *d)
{
	(void)u;
	(void)d;
}

bool page_requests_drained(struct unit *u)
{
	(void)u;
	return true;
}

bool page_requests_poll(struct unit *u)
{
	(void)u;
	return false;
}

u64 page_requests_count(struct ep *ep, bool one, u32 pasid)
{
	(void)ep;
	(void)one;
	(void)pasid;
	return 0;
}

void page_requests_reset(struct ep *ep)
{
	(void)ep;
}
