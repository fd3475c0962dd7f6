// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What is bound, by PASID: a tree of the shape of the guest's PASID table, so
 * that both are walked side by side and empty parts of it cost nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include "unit.h"

struct binding_leaf *vv_leaf(const struct vvtd_dev *dev, u32 dir)
{
	const struct binding_mid *mid = dev->tree.mid[dir / 128];

	return mid ? mid->leaf[dir % 128] : NULL;
}

struct binding *vv_binding(const struct vvtd_dev *dev, u32 pasid)
{
	struct binding_leaf *leaf = vv_leaf(dev, pasid / 64);

	if (!leaf || !leaf->b[pasid % 64].kind)
		return NULL;
	return &leaf->b[pasid % 64];
}

/* The first directory index from @dir on with bindings, or NR_DIRS. */
u32 vv_next_dir(const struct vvtd_dev *dev, u32 dir)
{
	while (dir < NR_DIRS) {
		if (!dev->tree.mid[dir / 128])
			dir = (dir / 128 + 1) * 128;
		else if (!vv_leaf(dev, dir))
			dir++;
		else
			break;
	}
	return dir;
}

static struct binding_leaf *leaf_make(struct vvtd_dev *dev, u32 dir)
{
	struct binding_mid **mid = &dev->tree.mid[dir / 128];
	struct binding_leaf **leaf;

	if (!*mid)
		*mid = calloc(1, sizeof(**mid));
	if (!*mid)
		return NULL;
	leaf = &(*mid)->leaf[dir % 128];
	if (!*leaf) {
		*leaf = calloc(1, sizeof(**leaf));
		(*mid)->used += !!*leaf;
	}
	return *leaf;
}

static void leaf_trim(struct vvtd_dev *dev, u32 dir)
{
	struct binding_mid **mid = &dev->tree.mid[dir / 128];
	struct binding_leaf **leaf = &(*mid)->leaf[dir % 128];

	if ((*leaf)->used)
		return;
	free(*leaf);
	*leaf = NULL;
	if (--(*mid)->used)
		return;
	free(*mid);
	*mid = NULL;
}

static int binding_clear(struct vvtd_dev *dev, u32 pasid)
{
	struct binding_leaf *leaf = vv_leaf(dev, pasid / 64);

	if (!leaf || !leaf->b[pasid % 64].kind)
		return 0;
	leaf->b[pasid % 64] = (struct binding){ .kind = VVTD_NONE };
	leaf->used--;
	leaf_trim(dev, pasid / 64);
	return 0;
}

/* Make room first: @b->kind VVTD_NONE cannot fail, nor can a second call. */
int vv_binding_set(struct vvtd_dev *dev, u32 pasid, const struct binding *b)
{
	struct binding_leaf *leaf;

	if (!b->kind)
		return binding_clear(dev, pasid);
	leaf = leaf_make(dev, pasid / 64);
	if (!leaf) {
		/* An inner node without a leaf is of no use. */
		if (dev->tree.mid[pasid / 64 / 128] &&
		    !dev->tree.mid[pasid / 64 / 128]->used) {
			free(dev->tree.mid[pasid / 64 / 128]);
			dev->tree.mid[pasid / 64 / 128] = NULL;
		}
		return -ENOMEM;
	}
	leaf->used += !leaf->b[pasid % 64].kind;
	leaf->b[pasid % 64] = *b;
	return 0;
}

/* As the host is told. */
void vv_stage(const struct binding *b, struct vvtd_stage *stage)
{
	*stage = (struct vvtd_stage){
		.kind = b->kind, .flags = b->flags, .handle = b->handle,
	};
	if (b->kind == VVTD_FIRST_STAGE)
		stage->table = b->table;
	if (b->kind == VVTD_SHADOW)
		stage->domain = vv_shadow_domain(b->shadow);
}
