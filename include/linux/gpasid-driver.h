/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASID binding: between the binding core and an IOMMU driver.
 *
 * An IOMMU driver registers struct gpasid_ops and writes the PASID-table entries
 * of its devices when the core tells it to.  The core decides what is bound,
 * its owner and in which order it is taken down.
 */
#ifndef _LINUX_GPASID_DRIVER_H
#define _LINUX_GPASID_DRIVER_H

#include <linux/gpasid.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct gpasid_ops;
struct iommu_attach_handle;
struct module;

/**
 * struct gpasid_device - A device that has bindings
 * @node: in the hash of all of them, by @dev
 * @dev: the device; a reference is held
 * @ops: of its IOMMU driver; a reference on the module is held
 * @users: attachments, and callers that look at the device
 * @bindings: PASID to struct gpasid_binding; read under RCU, too
 * @rcu: frees it after the last reader
 *
 * A slot of @bindings is claimed and given back under the lock of the parent
 * whose binding it holds.
 */
struct gpasid_device {
	struct hlist_node node;
	struct device *dev;
	const struct gpasid_ops *ops;
	refcount_t users;
	struct xarray bindings;
	struct rcu_head rcu;
};

/**
 * struct gpasid_parent - A second-stage domain that PASIDs are bound under
 * @node: in the hash of all of them, by @domain
 * @set_node: in the hash by @set, once @set is known
 * @domain: the domain
 * @users: first-stage tables, attachments, and callers
 * @lock: serialises all changes of what is bound under the parent
 * @close_lock: outside of @lock: one caller at a time takes many bindings down
 * @set: IOASID set of the bindings that have an IOASID; NULL before the first
 * @attachments: struct gpasid_attachment
 * @pins: bindings that keep the domain alive by @unpin
 * @unpin: called with @unpin_arg when @pins is back at 0
 * @unpin_arg: the argument of @unpin
 * @releasing: bindings removed whose references are not put yet
 * @changes: incremented when a bind is through, and when bindings have been
 *           released
 * @changed: woken with it; waiters look again at what they wait for
 * @rcu: frees it after the last reader
 *
 * A VM has a parent or several, and no two VMs share one: no lock of the core
 * that a caller sleeps on is wider than this.
 */
struct gpasid_parent {
	struct hlist_node node;
	struct hlist_node set_node;
	struct iommu_domain *domain;
	refcount_t users;
	struct mutex lock;	/* what is bound under the parent */
	struct mutex close_lock; /* one bulk teardown at a time */
	struct ioasid_set *set;
	struct list_head attachments;
	unsigned long pins;
	void (*unpin)(void *arg);
	void *unpin_arg;
	atomic_t releasing;
	atomic_t changes;
	wait_queue_head_t changed;
	struct rcu_head rcu;
};

/**
 * struct gpasid_attachment - A device under a parent
 * @node: in gpasid_parent::attachments
 * @gdev: the device; a reference is held
 * @parent: the second stage; a reference is held
 * @own: for bindings by the device's own numbers, else for those by IOASIDs
 * @pid: of the process whose bind was the first, for the administrator
 * @comm: its name
 * @users: bindings
 * @sharers: further owners of its bindings (struct gpasid_sharer)
 * @rcu: frees it after the last reader
 * @drv: the IOMMU driver's own, gpasid_ops::drv_size bytes, set by
 *       gpasid_ops::attach
 *
 * Lives from the first binding of its kind to the last.  Protected by the
 * parent's lock; @gdev, @parent, @own, @pid, @comm and @drv never change.
 */
struct gpasid_attachment {
	struct list_head node;
	struct gpasid_device *gdev;
	struct gpasid_parent *parent;
	bool own;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	unsigned long users;
	struct hlist_head sharers;
	struct rcu_head rcu;
	long drv[];
};

/**
 * struct gpasid_table - One guest address space
 * @parent: the second stage; a reference is held
 * @bindings: by gpasid_binding::node
 * @pgtbl: guest-physical address of the first-stage table
 * @users: bindings, and the HWPT that it is made for
 * @addr_width: guest-virtual address width
 * @flags: attributes of the first stage, in the IOMMU driver's terms
 * @second_stage: there is no first stage: the PASID translates by @parent alone
 * @hwpt: embedded in a struct gpasid_hwpt_table
 *
 * All but @bindings and @users is constant.  @bindings is protected by the
 * parent's lock.
 */
struct gpasid_table {
	struct gpasid_parent *parent;
	struct hlist_head bindings;
	u64 pgtbl;
	refcount_t users;
	u8 addr_width;
	u8 flags;
	bool second_stage;
	bool hwpt;
};

/* gpasid_binding::state */
enum gpasid_binding_state {
	GPASID_SETUP,		/* entry present, a subscriber may still veto */
	GPASID_BOUND,
	GPASID_LEAVING,		/* an unbind has claimed it, UNBIND is being sent */
	GPASID_CLEARED,		/* entry not present, caches not yet flushed */
};

/**
 * struct gpasid_binding - A device's PASID joined to a first-stage table
 * @table: the table; a reference is held
 * @att: the device under the table's parent
 * @node: in gpasid_table::bindings; afterwards on the list to be freed
 * @rcu: takes the place of @node at the end
 * @owner: first owner
 * @set: with an IOASID: its set; a reference on the IOASID is held
 * @handle: with a number of the device's own: where page requests go, or NULL
 * @pasid: the PASID on the wire
 * @dev_id: what page requests call the device
 * @users: 1 for being bound, 1 for a bind that is not through
 * @state: enum gpasid_binding_state
 * @bulk: claimed by the caller that holds gpasid_parent::close_lock
 * @shared: has further owners
 * @exclusive: the device is the VM's alone
 * @pinned: counted in gpasid_parent::pins
 *
 * In gpasid_device::bindings.  Protected by the parent's lock.  Readers under
 * RCU may read all but @table, @node and @owner.
 */
struct gpasid_binding {
	struct gpasid_table *table;
	struct gpasid_attachment *att;
	union {
		struct hlist_node node;
		struct rcu_head rcu;
	};
	void *owner;
	union {
		struct ioasid_set *set;
		struct iommu_attach_handle *handle;
	};
	u32 pasid;
	u32 dev_id;
	refcount_t users;
	u8 state;
	bool bulk:1;
	bool shared:1;
	bool exclusive:1;
	bool pinned:1;
};

/**
 * struct gpasid_table_attrs - What a first-stage table is made of
 * @pgtbl: guest-physical address of the table
 * @addr_width: guest-virtual address width
 * @flags: attributes, in the IOMMU driver's terms
 */
struct gpasid_table_attrs {
	u64 pgtbl;
	u8 addr_width;
	u8 flags;
};

/**
 * struct gpasid_inv_range - One first-stage invalidation
 * @addr: first guest-virtual address
 * @npages: number of 4 KiB pages
 * @entry: index in the caller's array
 * @all: everything under the PASID, whatever @addr and @npages are
 * @leaf: only last-level entries changed
 */
struct gpasid_inv_range {
	u64 addr;
	u64 npages;
	unsigned int entry;
	bool all;
	bool leaf;
};

/**
 * struct gpasid_ops - What an IOMMU driver does for the binding core
 * @owner: module of the driver
 * @iommu_ops: devices that it serves are those with these operations
 * @drv_size: bytes that it has in an attachment, zero at first
 * @get_caps: what @dev can do; 0 or -EOPNOTSUPP
 * @parse: check @data of a bind and turn it into @attrs; -EINVAL
 * @describe: the parent and the first stage of a nested domain of the driver
 * @check: -EINVAL or -EOPNOTSUPP when the hardware cannot do @attrs, or with
 *         NULL a second stage alone, on @dev under @parent; changes nothing
 * @attach: first binding of a kind of a device under a parent: make the parent's
 *          flushes cover it, fill @att->drv
 * @detach: undo @attach
 * @bind: make the entry present; the caller has checked everything
 * @set_table: exchange the table of a present entry for @b->table, another one
 *             under the same parent, so that hardware sees the old one or the new
 *             one; must not fail
 * @flush_table: invalidate what the table before that has left in any cache, and
 *               wait; must not fail
 * @clear: make the entry not present, without any invalidation
 * @flush: invalidate what an entry made not present may have left in any cache
 *         and wait; @b NULL: for all cleared bindings of the attachment
 * @drain: wait until no page request of @b is under way; @b NULL: of any PASID
 *         of the device
 * @reset: zero the entry; the hardware no longer looks at it
 * @inv_begin: start a batch of first-stage invalidations, NULL: no memory
 * @inv_range: add one range of one binding to a batch; may submit what is there
 * @inv_end: submit what is left in the batch, wait for it, free the batch
 *
 * All are called in process context with gpasid_parent::lock held, except:
 * @get_caps, @parse, @describe, @check, with or without it; @drain, @inv_begin
 * and @inv_end, without.
 */
struct gpasid_ops {
	struct module *owner;
	const struct iommu_ops *iommu_ops;
	size_t drv_size;
	int (*get_caps)(struct device *dev, struct gpasid_caps *caps);
	int (*parse)(struct device *dev, const struct gpasid_bind_data *data,
		     struct gpasid_table_attrs *attrs);
	int (*describe)(struct iommu_domain *nested,
			struct iommu_domain **parent,
			struct gpasid_table_attrs *attrs);
	int (*check)(struct device *dev, struct iommu_domain *parent,
		     const struct gpasid_table_attrs *attrs);
	int (*attach)(struct gpasid_attachment *att);
	void (*detach)(struct gpasid_attachment *att);
	int (*bind)(struct gpasid_binding *b);
	void (*set_table)(struct gpasid_binding *b);
	void (*flush_table)(struct gpasid_binding *b);
	void (*clear)(struct gpasid_binding *b);
	void (*flush)(struct gpasid_attachment *att, struct gpasid_binding *b);
	void (*drain)(struct gpasid_attachment *att, struct gpasid_binding *b);
	void (*reset)(struct gpasid_binding *b);
	void *(*inv_begin)(void);
	void (*inv_range)(void *batch, struct gpasid_binding *b,
			  const struct gpasid_inv_range *range);
	void (*inv_end)(void *batch);
};

typedef void (*gpasid_binding_fn)(struct gpasid_binding *b, void *arg);
typedef void (*gpasid_att_fn)(struct gpasid_attachment *att, void *arg);

int gpasid_register_ops(const struct gpasid_ops *ops);
void gpasid_unregister_ops(const struct gpasid_ops *ops);
void gpasid_visit_attachments(struct iommu_domain *parent, gpasid_att_fn fn,
			      void *arg);
struct gpasid_binding *gpasid_att_next(struct gpasid_attachment *att,
				       unsigned long *index);
void gpasid_visit_bindings(struct gpasid_table *table, gpasid_binding_fn fn,
			   void *arg);

#endif /* _LINUX_GPASID_DRIVER_H */
