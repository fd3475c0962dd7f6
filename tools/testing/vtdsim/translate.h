/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VTDSIM_TRANSLATE_H
#define VTDSIM_TRANSLATE_H

struct request;
struct translation;
struct unit;
struct vtdsim_explain;

void translate(struct unit *u, const struct request *rq, struct translation *t);
void translate_peek(struct unit *u, const struct request *rq,
		    struct translation *t, struct vtdsim_explain *ex);
void translate_page_request(struct unit *u, const struct request *rq,
			    struct translation *t);

#endif /* VTDSIM_TRANSLATE_H */
