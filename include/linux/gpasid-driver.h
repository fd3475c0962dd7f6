/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASID binding: interface between the binding core and an IOMMU driver.
 *
 * An IOMMU driver registers a struct gpasid_ops, through which the core has it
 * write the PASID-table entries of its devices.  The core decides which PASIDs
 * are bound by which owner, and the order of teardown.
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
 * @node: in the hash of devices, by @dev
 * @dev: the device; a reference is held
 * @ops: operations of its IOMMU driver; a reference on the module is held
 * @users: reference count: attachments, and callers that use the device
 * @bindings: PASID to struct gpasid_binding; also read under RCU
 * @rcu: frees the structure after the last reader
 * @name: name of @dev, for readers under RCU: the reference on @dev is put first
 *
 * A slot of @bindings is filled and emptied under the lock of the parent whose
 * binding it holds.
 */
struct gpasid_device {
	struct hlist_node node;
	struct device *dev;
	const struct gpasid_ops *ops;
	refcount_t users;
	struct xarray bindings;
	struct rcu_head rcu;
	char name[];
};

/**
 * struct gpasid_parent - A second-stage domain that PASIDs are bound under
 * @node: in the hash of parents, by @domain
 * @set_node: in the hash of parents by @set, once @set is set
 * @domain: the domain
 * @users: reference count: first-stage tables, attachments, and callers
 * @lock: serialises all changes to the bindings under the parent
 * @close_lock: outside of @lock: serialises bulk teardowns
 * @set: IOASID set of the bindings by IOASIDs; NULL before the first of them
 * @attachments: list of struct gpasid_attachment
 * @pins: number of bindings that keep the domain alive through @unpin
 * @unpin: called with @unpin_arg when @pins drops to 0
 * @unpin_arg: the argument of @unpin
 * @releasing: number of removed bindings whose references are not put yet
 * @changes: incremented when a bind is complete and when bindings have been
 *           released
 * @changed: woken with each increment of @changes; waiters recheck their
 *           condition
 * @rcu: frees the structure after the last reader
 *
 * A VM has one or more parents, and no two VMs share one.  No lock of the core
 * on which a caller sleeps covers more than one parent, so that no VM waits for
 * another.
 */
struct gpasid_parent {
	struct hlist_node node;
	struct hlist_node set_node;
	struct iommu_domain *domain;
	refcount_t users;
	struct mutex lock;	/* bindings under the parent */
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
 * @own: true for bindings by the device's own PASIDs, false for those by
 *       IOASIDs
 * @pid: process that made the first bind, for the administrator
 * @comm: name of that process
 * @users: number of bindings
 * @sharers: further owners of its bindings (struct gpasid_sharer)
 * @rcu: frees the structure after the last reader
 * @drv: private data of the IOMMU driver, gpasid_ops::drv_size bytes, set by
 *       gpasid_ops::attach
 *
 * Exists while there are bindings of its kind.  Protected by the parent's lock;
 * @gdev, @parent, @own, @pid, @comm and @drv never change.
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
 * @bindings: the bindings to the table, linked by gpasid_binding::node
 * @pgtbl: guest-physical address of the first-stage table
 * @users: reference count: bindings, and the HWPT of the table
 * @addr_width: guest-virtual address width
 * @flags: attributes of the first stage, as defined by the IOMMU driver
 * @second_stage: there is no first stage: @parent alone translates the PASID
 * @hwpt: embedded in a struct gpasid_hwpt_table
 *
 * Constant but for @bindings and @users.  @bindings is protected by the
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
	GPASID_LEAVING,		/* claimed by an unbind, UNBIND is being sent */
	GPASID_CLEARED,		/* entry not present, caches not yet flushed */
};

/**
 * struct gpasid_binding - A device's PASID joined to a first-stage table
 * @table: the table; a reference is held
 * @att: the device under the table's parent
 * @node: in gpasid_table::bindings; after the unlink on the list to be released
 * @rcu: frees the binding; @node is no longer in use then
 * @owner: first owner
 * @set: IOASID only: its set; a reference on the IOASID is held
 * @handle: device's own PASID only: receives page requests, or NULL
 * @pasid: the PASID on the wire
 * @dev_id: device ID in page requests
 * @users: reference count: 1 until the binding is released, 1 for each bind or
 *         unbind in progress
 * @state: enum gpasid_binding_state
 * @bulk: claimed by the caller that holds gpasid_parent::close_lock
 * @shared: has further owners
 * @exclusive: no other VM uses the device
 * @pinned: counted in gpasid_parent::pins
 *
 * Stored in gpasid_device::bindings.  Protected by the parent's lock.  RCU
 * readers may read all fields but @table and @node, and may compare @owner.
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
 * struct gpasid_table_attrs - Attributes of a first-stage table
 * @pgtbl: guest-physical address of the table
 * @addr_width: guest-virtual address width
 * @flags: further attributes, as defined by the IOMMU driver
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
 * @all: the whole address space of the PASID; @addr and @npages are ignored
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
 * struct gpasid_ops - Operations of an IOMMU driver
 * @owner: module of the driver
 * @iommu_ops: the driver handles the devices that have these operations
 * @drv_size: size of the driver's data in an attachment, initially zeroed
 * @get_caps: get the capabilities of @dev; 0 or -EOPNOTSUPP
 * @parse: check @data of a bind and convert it to @attrs; 0 or -EINVAL
 * @describe: convert the first stage of a nested domain of the driver to
 *            @attrs; returns the parent
 * @check: check that the hardware supports @attrs or, with NULL, a second stage
 *         alone, on @dev under @parent; 0, -EINVAL or -EOPNOTSUPP; changes
 *         nothing
 * @attach: called before the first binding of a kind of a device under a
 *          parent: make the parent's flushes cover the device, initialise
 *          @att->drv
 * @detach: undo @attach
 * @bind: make the entry present; the caller has checked all arguments
 * @set_table: replace the table in a present entry by @b->table, which has the
 *             same parent, so that hardware sees either the old or the new
 *             table; must not fail
 * @flush_table: after @set_table, invalidate all that caches may hold of the
 *               old table, and wait; must not fail
 * @clear: make the entry not present, without any invalidation
 * @flush: after @clear, invalidate all that caches may hold of the entry, and
 *         wait; @b NULL: of all cleared bindings of the attachment
 * @drain: wait until no page request of @b is in flight; @b NULL: of any PASID
 *         of the device
 * @reset: zero the entry, which the hardware no longer uses
 * @inv_begin: start a batch of first-stage invalidations; NULL if out of memory
 * @inv_range: add one range of one binding to a batch; may submit the batch so
 *             far
 * @inv_end: submit the rest of the batch, wait for completion, free the batch
 *
 * All are called in process context.  @get_caps, @parse, @describe and @check
 * are called with or without gpasid_parent::lock held, @drain, @inv_begin and
 * @inv_end without, all others with the lock held.
 */
struct gpasid_ops {
	struct module *owner;
	const struct iommu_ops *iommu_ops;
	size_t drv_size;
	int (*get_caps)(struct device *dev, struct gpasid_caps *caps);
	int (*parse)(struct device *dev, const struct gpasid_bind_data *data,
		     struct gpasid_table_attrs *attrs);
	struct iommu_domain *(*describe)(struct iommu_domain *nested,
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
