/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASID binding: the in-kernel API.
 *
 * For a driver that owns devices or virtual devices (VFIO through iommufd, a
 * VDCM): bind a host PASID of a device to a guest's first-stage table, nested
 * on the VM's second stage.  For an IOMMU driver: the operations that do it.
 */
#ifndef _LINUX_GPASID_H
#define _LINUX_GPASID_H

#include <linux/bits.h>
#include <linux/iommu.h>
#include <linux/ioasid.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <uapi/linux/gpasid.h>

struct device;
struct gpasid_device;
struct module;

/* A PASID has 20 bits; 0 is the PASID of requests without one. */
#define GPASID_MAX		(BIT(20) - 1)

/**
 * enum gpasid_bind_flags - What iommu_sva_bind_gpasid() is asked for
 * @GPASID_BIND_GPASID: gpasid_bind_data::gpasid is given
 * @GPASID_BIND_REPLACE: exchange the first-stage table of a live binding
 * @GPASID_BIND_EXCLUSIVE: the device is the VM's alone: the VMM may answer a
 *                         page request with failure, which stops the device's
 *                         page requests altogether
 */
enum gpasid_bind_flags {
	GPASID_BIND_GPASID = BIT(0),
	GPASID_BIND_REPLACE = BIT(1),
	GPASID_BIND_EXCLUSIVE = BIT(2),
};

/**
 * struct gpasid_bind_data - One binding, as its owner describes it
 * @argsz: sizeof(struct gpasid_bind_data); a smaller or larger one is refused
 * @flags: combination of enum gpasid_bind_flags
 * @set: IOASID set of the VM; the caller holds a reference over the call
 * @owner: who binds; an opaque cookie, not NULL, the same at unbind.  A VFIO
 *         driver of virtual devices gives the struct vfio_device
 * @format: enum gpasid_format
 * @addr_width: guest-virtual address width in bits, 48 or 57
 * @hpasid: host PASID of @set; 0: the one that has @gpasid, else a new one that
 *          the last unbind frees.  Set to the host PASID bound on success
 * @gpasid: guest PASID, with GPASID_BIND_GPASID.  Without the flag the IOASID
 *          keeps the guest PASID that it has, and one that has none gets a
 *          guest PASID equal to the host PASID (identity)
 * @pgtbl: guest-physical address of the first-stage table, 4 KiB aligned
 * @vtd_flags: combination of enum gpasid_vtd_flags
 * @dev_id: what page requests of the binding call the device
 */
struct gpasid_bind_data {
	u32 argsz;
	u32 flags;
	struct ioasid_set *set;
	void *owner;
	u32 format;
	u32 addr_width;
	ioasid_t hpasid;
	ioasid_t gpasid;
	u64 pgtbl;
	u64 vtd_flags;
	u32 dev_id;
};

/**
 * struct gpasid_caps - What a device and its IOMMU can do
 * @caps: combination of enum vfio_gpasid_caps
 * @errata: combination of enum vfio_gpasid_errata
 * @vtd_flags: combination of enum gpasid_vtd_flags that a bind may ask for
 * @pasid_bits: width of a PASID on this device, in bits; 0: none
 * @addr_widths: bit 0: 48-bit, bit 1: 57-bit first-stage tables
 * @formats: bit N: enum gpasid_format N
 */
struct gpasid_caps {
	u32 caps;
	u32 errata;
	u64 vtd_flags;
	u32 pasid_bits;
	u32 addr_widths;
	u32 formats;
};

int iommu_sva_bind_gpasid(struct iommu_domain *parent, struct device *dev,
			  struct gpasid_bind_data *data);
int iommu_sva_unbind_gpasid(struct device *dev, struct ioasid_set *set,
			    ioasid_t hpasid, void *owner);
void iommu_sva_unbind_gpasid_owner(struct device *dev, void *owner);
void iommu_sva_unbind_gpasid_parent(struct device *dev,
				    struct iommu_domain *parent);
struct device *gpasid_event_device(const struct ioasid_event_info *info);
unsigned long gpasid_count(struct device *dev, const void *owner);
bool gpasid_owner_busy(const void *owner);
bool gpasid_parent_busy(struct device *dev, struct iommu_domain *parent);
int gpasid_check_parent(struct device *dev, struct iommu_domain *parent);
bool gpasid_is_bound(struct device *dev, struct ioasid_set *set,
		     ioasid_t hpasid, const void *owner);
int gpasid_get_caps(struct device *dev, struct gpasid_caps *caps);
int gpasid_invalidate(struct ioasid_set *set,
		      const struct iommu_gpasid_inv *entries, unsigned int nr,
		      unsigned int *done);
int gpasid_free(struct ioasid_set *set, ioasid_t hpasid);

/* Page requests: one queue for each VM that takes them. */
struct gpasid_fault_queue;

struct gpasid_fault_queue *gpasid_fault_queue_create(struct ioasid_set *set,
						     u32 *limit,
						     u32 *timeout_ms);
void gpasid_fault_queue_destroy(struct gpasid_fault_queue *q);
unsigned int gpasid_fault_read(struct gpasid_fault_queue *q,
			       struct iommu_gpasid_fault *records,
			       unsigned int nr);
bool gpasid_fault_pending(struct gpasid_fault_queue *q);
wait_queue_head_t *gpasid_fault_wait(struct gpasid_fault_queue *q);
int gpasid_fault_respond(struct gpasid_fault_queue *q, u64 cookie, u32 code);

/* For who opens devices through iommufd: bind with the context's PASIDs. */
struct iommufd_device;

int iommufd_device_bind_gpasid(struct iommufd_device *idev,
			       struct gpasid_bind_data *data);
int iommufd_device_unbind_gpasid(struct iommufd_device *idev, u32 pasid,
				 bool guest);
unsigned long iommufd_device_count_gpasid(struct iommufd_device *idev);
bool iommufd_device_gpasid_busy(struct iommufd_device *idev);

/* For who composes virtual devices: the PASIDs and the parent of a context. */
struct iommufd_ctx;
struct iommufd_hw_pagetable;

struct ioasid_set *iommufd_ctx_gpasid_set(struct iommufd_ctx *ictx);
struct iommufd_hw_pagetable *
iommufd_gpasid_parent_get(struct iommufd_ctx *ictx, struct device *dev,
			  u32 *pt_id);
void iommufd_gpasid_parent_put(struct iommufd_ctx *ictx,
			       struct iommufd_hw_pagetable *hwpt);
struct iommu_domain *
iommufd_gpasid_parent_domain(struct iommufd_hw_pagetable *hwpt);

/**
 * struct vfio_gpasid_ops - What a VFIO device does with guest PASIDs
 * @bind: VFIO_DEVICE_GPASID_BIND; everything but set and owner is filled in.
 *        Sets gpasid_bind_data::hpasid
 * @unbind: VFIO_DEVICE_GPASID_UNBIND; @guest: @pasid is a guest PASID
 * @info: VFIO_DEVICE_GPASID_INFO; @bound: PASIDs bound by this device
 *
 * @priv is what the caller of vfio_gpasid_ioctl() gave.  Called in process
 * context; the return value is that of the ioctl.
 */
struct vfio_gpasid_ops {
	int (*bind)(void *priv, struct gpasid_bind_data *data);
	int (*unbind)(void *priv, u32 pasid, bool guest);
	int (*info)(void *priv, struct gpasid_caps *caps, u32 *bound);
};

long vfio_gpasid_ioctl(const struct vfio_gpasid_ops *ops, void *priv,
		       unsigned int cmd, void __user *arg);

/*
 * Below: between the core and an IOMMU driver.
 */

/**
 * struct gpasid_attachment - A device under one parent
 * @node: in gpasid_device::attachments
 * @gdev: the device
 * @parent: the second-stage domain
 * @users: bindings under it
 * @did: the driver's tag for all of them, written by gpasid_ops::attach
 * @devtlb: the driver's own: how the device's TLB is invalidated, written by
 *          gpasid_ops::attach
 * @cleared: entries were made not present, and not flushed all at once since
 * @rcu: for readers who come by gpasid_device::bindings
 *
 * Owned by @gdev, protected by its lock; lives from the first binding of the
 * device under the parent to the last.
 */
struct gpasid_attachment {
	struct list_head node;
	struct gpasid_device *gdev;
	struct iommu_domain *parent;
	unsigned long users;
	u16 did;
	u8 devtlb;
	bool cleared;
	struct rcu_head rcu;
};

/* gpasid_binding::state */
enum gpasid_binding_state {
	GPASID_BOUND,
	GPASID_LEAVING,		/* an unbind has claimed it */
	GPASID_CLEARED,		/* entry not present, caches not yet flushed */
};

/**
 * struct gpasid_binding - A device's host PASID joined to a first-stage table
 * @att: the device and the second stage
 * @owner: first owner
 * @set: the set that the host PASID belongs to
 * @sharers: further owners (struct gpasid_sharer)
 * @pgtbl: guest-physical address of the first-stage table
 * @hpasid: host PASID
 * @dev_id: what page requests call the device
 * @addr_width: guest-virtual address width
 * @vtd_flags: enum gpasid_vtd_flags
 * @state: enum gpasid_binding_state
 * @auto_free: the bind allocated the IOASID: the last unbind frees it
 * @auto_spid: the bind gave it its guest PASID: the last unbind takes it away
 * @exclusive: the device is the VM's alone
 * @rcu: for readers of gpasid_device::bindings
 *
 * Owned by gpasid_device::bindings; all fields are protected by the device's
 * lock.  Readers under RCU may read all but @owner and @sharers, whose place @rcu
 * takes; what says which table it is changes under the IOASID's table lock only.
 * Holds one reference on its IOASID.  Its address is the argument of its events.
 */
struct gpasid_binding {
	struct gpasid_attachment *att;
	struct ioasid_set *set;
	union {
		struct {
			void *owner;
			struct hlist_head sharers;
		};
		struct rcu_head rcu;
	};
	u64 pgtbl;
	ioasid_t hpasid;
	u32 dev_id;
	u8 addr_width;
	u8 vtd_flags;
	u8 state;
	u8 auto_free:1;
	u8 auto_spid:1;
	u8 exclusive:1;
};

/**
 * struct gpasid_device - A device that has bindings
 * @node: in the core's list of all of them
 * @dev: the device; a reference is held
 * @ops: of its IOMMU driver; a reference on the module is held
 * @lock: serialises all changes of the device's bindings
 * @bindings: host PASID to struct gpasid_binding
 * @attachments: struct gpasid_attachment, one per parent
 * @nr: bindings
 * @users: who holds on to it beside its bindings
 * @rcu: for readers of the core's list
 */
struct gpasid_device {
	struct list_head node;
	struct device *dev;
	const struct gpasid_ops *ops;
	struct mutex lock;	/* all that follows */
	struct xarray bindings;
	struct list_head attachments;
	unsigned long nr;
	atomic_t users;
	struct rcu_head rcu;
};

/* One invalidation, host PASID resolved. */
struct gpasid_inv_range {
	unsigned int entry;	/* index in the caller's array */
	ioasid_t hpasid;
	bool all;		/* everything under the PASID */
	bool leaf;
	u64 addr;
	u64 npages;
};

/**
 * struct gpasid_ops - What an IOMMU driver does for the binding core
 * @owner: module of the driver
 * @iommu_ops: devices that it serves are those with these operations
 * @get_caps: what @dev can do; 0 or -EOPNOTSUPP
 * @check: -EINVAL or -EOPNOTSUPP when the hardware cannot do @data on @dev
 *         under @parent; changes nothing
 * @attach: first binding of a device under a parent: make the parent's flushes
 *          cover it, set @att->did
 * @detach: undo @attach
 * @sva_bind_gpasid: make the entry present; the caller has checked everything
 * @set_table: exchange the first-stage table of a present entry with one store;
 *             must not fail
 * @flush_table: invalidate what the table before that has left in any cache, and
 *               wait; must not fail
 * @clear: make the entry not present, without any invalidation
 * @flush: invalidate what an entry made not present may have left in any cache
 *         and wait; @b NULL: for all PASIDs of the attachment
 * @drain: wait until no page request of @b is under way; @b NULL: of any PASID
 *         of the device
 * @reset: zero the entry; the hardware no longer looks at it
 * @inv_begin: start a batch of first-stage invalidations, NULL: no memory
 * @inv_range: add one range on one device to a batch
 * @inv_end: submit what is left in the batch, wait for it, free the batch
 *
 * All are called in process context with gpasid_device::lock held, except:
 * @get_caps and @check, with or without it; @inv_begin and @inv_end, without;
 * @inv_range, from an RCU read section.
 */
struct gpasid_ops {
	struct module *owner;
	const struct iommu_ops *iommu_ops;
	int (*get_caps)(struct device *dev, struct gpasid_caps *caps);
	int (*check)(struct device *dev, struct iommu_domain *parent,
		     const struct gpasid_bind_data *data);
	int (*attach)(struct gpasid_attachment *att);
	void (*detach)(struct gpasid_attachment *att);
	int (*sva_bind_gpasid)(struct gpasid_binding *b);
	void (*set_table)(struct gpasid_binding *b);
	void (*flush_table)(struct gpasid_binding *b);
	void (*clear)(struct gpasid_binding *b);
	void (*flush)(struct gpasid_attachment *att, struct gpasid_binding *b);
	void (*drain)(struct gpasid_attachment *att, struct gpasid_binding *b);
	void (*reset)(struct gpasid_binding *b);
	void *(*inv_begin)(void);
	void (*inv_range)(void *batch, struct gpasid_attachment *att,
			  const struct gpasid_inv_range *range);
	void (*inv_end)(void *batch);
};

typedef void (*gpasid_att_fn)(struct gpasid_attachment *att, void *arg);

int gpasid_register_ops(const struct gpasid_ops *ops);
void gpasid_unregister_ops(const struct gpasid_ops *ops);
void gpasid_visit_attachments(struct iommu_domain *parent, gpasid_att_fn fn,
			      void *arg);

#endif /* _LINUX_GPASID_H */
