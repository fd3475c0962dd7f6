/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Inside libvvtd: the unit, its devices and the batch of descriptors under way.
 *
 * The guest's queue is taken in batches.  A batch is fetched and copied, then
 * the tables that it names are looked at (sync.c), then translations are
 * invalidated (flush.c), and only then are its wait descriptors completed: what
 * a wait descriptor stands behind has reached the host.  A batch costs one look
 * at each table however many descriptors ask for it.
 */
#ifndef VVTD_UNIT_H
#define VVTD_UNIT_H

#include "model.h"
#include "vvtd.h"

#define BATCH_DESCS	128
#define FLUSH_INVS	128
#define MAX_SHADOWS	256
#define MAX_GROUPS	512	/* of page requests, for a device */
#define SYNC_WORK	4096	/* tables and host calls in one vvtd_run() */
#define NR_DIRS		(1u << (PASID_BITS - 6))

/* Commands by register that are being carried out. */
#define SERVE_GCMD	BIT_ULL(0)
#define SERVE_CCMD	BIT_ULL(1)
#define SERVE_IOTLB	BIT_ULL(2)

/* Beside enum vvtd_kind: an entry that is not sound; the reason in @table. */
#define KIND_FAULTY	0x80

/* What a PASID of a device is bound to; 16 bytes, for there may be 2^20. */
struct binding {
	union {
		u64 table;		/* VVTD_FIRST_STAGE; or the reason */
		struct shadow *shadow;	/* VVTD_SHADOW, a reference */
	};
	u32 handle;			/* the host's */
	u16 did;			/* as the guest tags it */
	u8 kind;
	u8 flags;
};

struct binding_leaf {
	struct binding b[64];
	u32 used;
};

struct binding_mid {
	struct binding_leaf *leaf[128];
	u32 used;
};

struct binding_tree {
	struct binding_mid *mid[128];
};

/* A group of page requests that the guest has not answered. */
struct page_group {
	u64 cookie;
	u64 since;
	u32 pasid;
	u32 offset;		/* of its last request in the guest's queue */
	u16 index;
	bool has_pasid;
	bool in_queue;		/* the guest's head has not passed it */
};

enum dev_mode {
	MODE_OFF,		/* translation is off: pass-through */
	MODE_BLOCKED,		/* no usable context entry */
	MODE_SCALABLE,
	MODE_LEGACY,
};

struct vvtd_dev {
	struct vvtd *v;
	void *host;
	u16 sid;
	u32 slot;
	u32 second_stage;
	struct vvtd_host_caps caps;

	enum dev_mode mode;
	u8 reason;		/* MODE_BLOCKED: of the fault */
	bool fpd;
	bool pre;		/* page requests enabled */
	bool dte;
	bool paside;
	u64 dir;		/* PASID directory */
	u32 nr_dirs;
	u64 legacy[8];		/* MODE_LEGACY: the PASID-table entry of this kind */

	bool stale;		/* the context entry is to be read again */
	bool walk;		/* the PASID table is to be looked at: */
	bool walk_all;		/* whatever batch.pasids says */
	u32 next_dir;		/* where that goes on */

	struct binding_tree tree;
	struct page_group *group;
	u32 nr_groups;
};

/* A set of domain IDs: those whose entries are to be looked at. */
struct did_set {
	bool all;
	u32 num;
	u16 did[BATCH_DESCS];
	u64 map[65536 / 64];
};

enum phase {
	PHASE_IDLE,
	PHASE_SYNC,
	PHASE_SHADOW,
	PHASE_FLUSH,
	PHASE_COMPLETE,
};

struct batch {
	enum phase phase;
	u32 num;
	u64 d[BATCH_DESCS][4];
	u32 head;		/* after it */
	u8 error;		/* of the descriptor that follows, enum iqei */
	bool timed_out;
	u16 timed_out_sid;
	struct did_set pasids;	/* PASID cache, domain or global */
	struct did_set iotlb;	/* IOTLB, domain or global */
	u32 op;			/* where the phase goes on: descriptor, */
	u32 slot;		/* device */
	u32 pasid;		/* and PASID */
};

struct vvtd {
	struct vvtd_config cfg;
	struct vvtd_ops ops;
	void *ctx;
	struct vtd_model m;
	u8 regs[VVTD_REGISTERS] __attribute__((aligned(8)));
	u32 gcmd;		/* the last one written, and */
	bool has_gcmd;		/* not looked at */
	u32 serving;		/* SERVE_*: what this batch is for */
	u32 gsts;		/* SERVE_GCMD: to be shown when it is done */
	bool translate;		/* TE, in effect */
	u64 *pasids;		/* the guest's host-wide ones, a bit each */
	bool drop_pasids;	/* once nothing is bound to them */
	bool waiting;		/* for vvtd_host_done() */
	u32 work;		/* left in this vvtd_run() */
	struct batch batch;
	struct vvtd_dev *dev[VVTD_MAX_DEVS];
	struct shadow *shadows;
	u32 nr_shadows;
	u32 nr_second_stages;	/* numbers given out */
	struct vvtd_stats stats;
};

/* No more than one page, and within it; NULL also beyond the address width. */
static inline void *vv_ptr(struct vvtd *v, u64 gpa, size_t len, bool write)
{
	if ((gpa | (gpa + len - 1)) >> v->m.caps.haw)
		return NULL;
	return v->ops.ptr(v->ctx, gpa, len, write);
}

/* registers.c */
void vv_registers_init(struct vvtd *v);
bool vv_has_command(const struct vvtd *v);
void vv_commands_begin(struct vvtd *v);
void vv_commands_done(struct vvtd *v);

/* queue.c */
void vv_queue_fetch(struct vvtd *v);
void vv_queue_complete(struct vvtd *v);

/* tables.c */
void vv_read_context(struct vvtd_dev *dev);
void vv_read_entry(struct vvtd_dev *dev, const u64 *p, struct binding *want,
		   bool *fpd);
void vv_decode_entry(struct vvtd_dev *dev, const u64 *pe, struct binding *want);

/* sync.c */
bool vv_sync(struct vvtd *v);
void vv_stale_all(struct vvtd *v);
void vv_stale_sid(struct vvtd *v, u16 sid, u32 fm);
void vv_unbind_all(struct vvtd_dev *dev);

/* bindings.c */
struct binding *vv_binding(const struct vvtd_dev *dev, u32 pasid);
struct binding_leaf *vv_leaf(const struct vvtd_dev *dev, u32 dir);
int vv_binding_set(struct vvtd_dev *dev, u32 pasid, const struct binding *b);
u32 vv_next_dir(const struct vvtd_dev *dev, u32 dir);
void vv_stage(const struct binding *b, struct vvtd_stage *stage);

/* did_set.c */
void vv_did_add(struct did_set *set, u16 did);
bool vv_did_in(const struct did_set *set, u16 did);
void vv_did_clear(struct did_set *set);

/* flush.c */
int vv_flush(struct vvtd *v);
void vv_flushed(struct vvtd *v, int status);

/* faults.c */
void vv_fault(struct vvtd *v, u16 sid, const struct vvtd_fault *f);
void vv_fault_record_written(struct vvtd *v, u32 reg, u32 val);

/* commands.c */
void vv_virtual_command(struct vvtd *v);
void vv_pasids_drop(struct vvtd *v);

/* page_requests.c */
void vv_page_response(struct vvtd *v, const u64 *d);
void vv_page_queue_moved(struct vvtd *v);
void vv_page_queue_dropped(struct vvtd *v);
void vv_groups_end(struct vvtd_dev *dev, bool respond, u8 answer);

/* shadow.c */
int vv_shadow_get(struct vvtd_dev *dev, const u64 *pe, struct shadow **out);
void vv_shadow_put(struct vvtd *v, struct shadow *s);
void *vv_shadow_domain(const struct shadow *s);
void vv_shadows_begin(struct vvtd *v);
bool vv_shadows_invalidate(struct vvtd *v);

#endif /* VVTD_UNIT_H */
