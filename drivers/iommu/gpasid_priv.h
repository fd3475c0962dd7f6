/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASIDs: interfaces between the files of the binding core, and to the
 * I/O page fault layer.
 *
 * Each file calls only files above it in this list:
 *
 *  gpasid_device.c	IOMMU drivers, devices, parents, attachments
 *  gpasid_table.c	first-stage tables
 *  gpasid_fault.c	page requests
 *  gpasid_inv.c	invalidation
 *  gpasid_unbind.c	teardown of one binding, and bulk teardown
 *  gpasid_bind.c	bind, replace
 *  gpasid_debugfs.c	files for the administrator
 *  gpasid_main.c	module init and exit
 *
 * Three files are built in: gpasid_iopf.c, between the I/O page fault layer and
 * gpasid_fault.c; gpasid_reset.c, which the PCI core calls; and gpasid_trace.c,
 * which both of them use.
 *
 * Locks, outer to inner:
 *
 *  the IOASID's events		held by the IOASID code around callbacks
 *  gpasid_parent::close_lock	one bulk teardown under a parent at a time
 *  gpasid_parent::lock		the bindings under a parent
 *  gpasid_hash_lock		the hashes of devices and parents; a spinlock
 *
 * gpasid_ops_rwsem is taken alone, when a device or a parent is first used.  The
 * locks of page requests (gpasid_fault.c) are taken without any of these.
 *
 * gpasid_parent::lock is held while a binding is created, moved to another
 * table or cleared, and while invalidations are submitted and waited for.  It
 * protects changes to gpasid_device::bindings, which RCU readers read without
 * it.  No lock of the core is held during an event, during a drain of page
 * requests, or while waiting for a VMM.
 */
#ifndef __GPASID_PRIV_H
#define __GPASID_PRIV_H

#include <linux/gpasid-driver.h>

struct iommu_fault;
struct iommu_fault_param;
struct iopf_fault;
struct iopf_group;

/*
 * Requests of incomplete groups that a device may have: as many as the page
 * request queue of a unit has room for.
 */
#define IOMMU_GPASID_PARTIAL_MAX	2048

/*
 * Requests of complete groups that a device may have in fault queues of iommufd:
 * as many as it may have outstanding, and as many again that a reset has ended.
 */
#define IOMMU_GPASID_KEPT_MAX		4096

/* Further owner of a shared binding, in gpasid_attachment::sharers. */
struct gpasid_sharer {
	struct hlist_node node;
	struct gpasid_binding *b;
	void *owner;
	u32 dev_id;
	struct rcu_head rcu;
};

/**
 * struct gpasid_hwpt_table - The table of an HWPT
 * @table: the table
 * @ops: called for each binding that is released
 * @priv: the argument of @ops
 */
struct gpasid_hwpt_table {
	struct gpasid_table table;
	const struct gpasid_hwpt_ops *ops;
	void *priv;
};

typedef void (*gpasid_group_fn)(const struct iopf_group *group, void *arg);

/* gpasid_device.c */
const struct gpasid_ops *gpasid_ops_get(struct device *dev);
struct gpasid_device *gpasid_device_find(struct device *dev);
struct gpasid_device *gpasid_device_get(struct device *dev);
void gpasid_device_put(struct gpasid_device *gdev);
struct gpasid_parent *gpasid_parent_get(struct iommu_domain *domain);
struct gpasid_parent *gpasid_parent_hold(struct gpasid_parent *parent);
void gpasid_parent_put(struct gpasid_parent *parent);
int gpasid_parent_set(struct gpasid_parent *parent, struct ioasid_set *set);
struct gpasid_parent *gpasid_parent_next(struct ioasid_set *set,
					 struct gpasid_parent *prev);
struct gpasid_attachment *gpasid_att_get(struct gpasid_parent *parent,
					 struct gpasid_device *gdev, bool own);
void gpasid_att_put(struct gpasid_attachment *att);
struct gpasid_parent *gpasid_pasid_parent(struct gpasid_device *gdev,
					  unsigned long pasid);
struct gpasid_binding *gpasid_pasid_under(struct gpasid_device *gdev,
					  struct gpasid_parent *parent,
					  unsigned long pasid);
struct gpasid_parent *gpasid_pasid_lock(struct gpasid_device *gdev,
					unsigned long pasid,
					struct gpasid_binding **b);
void gpasid_pasid_unlock(struct gpasid_parent *parent);
/* Called under RCU. */
struct gpasid_binding *gpasid_binding_rcu(struct device *dev, ioasid_t pasid);
struct gpasid_device *gpasid_device_nth(unsigned int n);
struct gpasid_device *gpasid_device_next(struct gpasid_device *prev);

/* gpasid_table.c */
struct gpasid_table *gpasid_table_create(struct gpasid_parent *parent,
					 const struct gpasid_table_attrs *attrs);
void gpasid_table_hold(struct gpasid_table *table);
bool gpasid_table_is(const struct gpasid_table *table,
		     const struct gpasid_table_attrs *attrs);
struct gpasid_table_attrs gpasid_table_attrs(const struct gpasid_table *table);
int gpasid_table_init_cache(void);
void gpasid_table_exit_cache(void);

/* gpasid_fault.c */
void gpasid_fault_flush(struct gpasid_attachment *att,
			struct gpasid_binding *b);
void gpasid_fault_discard_partial(struct gpasid_attachment *att,
				  struct gpasid_binding *b);
void gpasid_fault_init(void);
void gpasid_fault_exit(void);

/* gpasid_debugfs.c */
void gpasid_debugfs_init(void);
void gpasid_debugfs_exit(void);

/* gpasid_unbind.c */
extern struct kmem_cache *gpasid_binding_cache;
bool gpasid_owned_by(struct gpasid_binding *b, const void *owner);
void gpasid_binding_put(struct gpasid_binding *b);
void gpasid_binding_unlink(struct gpasid_binding *b, struct hlist_head *dead);
void gpasid_changed(struct gpasid_parent *parent);
void gpasid_release_dead(struct gpasid_parent *parent, struct hlist_head *dead);
void gpasid_quiesce(struct gpasid_parent *parent, struct gpasid_binding *b);
void gpasid_take_down(struct gpasid_parent *parent, struct gpasid_binding *b);
void gpasid_wait_released(struct gpasid_device *gdev,
			  struct gpasid_parent *parent,
			  struct gpasid_binding *b);
int gpasid_unbind_init(void);
void gpasid_unbind_exit(void);

/**
 * struct iommu_gpasid_iopf_ops - Handlers for page requests of bound PASIDs
 * @claims: return true if @pasid of @dev is bound; set @handle to the handle
 *          for its page requests, or to NULL for @handle()
 * @handle: accept the group; on an error the group is answered as invalid
 * @alloc: allocate zeroed memory for a request of @pasid of @dev, charged to
 *         the VM, without sleeping
 * @reset: free the groups of @dev, which a reset has ended
 *
 * Called in process context; all but @reset from the page-request thread of a
 * unit.
 */
struct iommu_gpasid_iopf_ops {
	bool (*claims)(struct device *dev, ioasid_t pasid,
		       struct iommu_attach_handle **handle);
	int (*handle)(struct iopf_group *group);
	void *(*alloc)(struct device *dev, ioasid_t pasid, size_t size);
	void (*reset)(struct device *dev);
};

/* gpasid_iopf.c */
void iommu_gpasid_set_iopf_ops(const struct iommu_gpasid_iopf_ops *ops);
#ifdef CONFIG_IOMMU_IOPF
struct iommu_attach_handle *iommu_gpasid_attach_handle(struct device *dev,
						       ioasid_t pasid);
#else
static inline struct iommu_attach_handle *
iommu_gpasid_attach_handle(struct device *dev, ioasid_t pasid)
{
	return NULL;
}
#endif
void iommu_gpasid_begin_group(struct iopf_group *group);
bool iommu_gpasid_answer_group(struct iopf_group *group,
			       enum iommu_page_response_code code);
void iommu_gpasid_end_group(struct iopf_group *group);
enum iommu_page_response_code
iommu_gpasid_abort_code(const struct iommu_attach_handle *handle);
void iommu_gpasid_discard_partial(struct device *dev,
				  bool (*match)(ioasid_t pasid, void *arg),
				  void *arg);
struct iopf_fault *
iommu_gpasid_alloc_partial(struct iommu_fault_param *param,
			   const struct iommu_fault *fault);
void iommu_gpasid_visit_waiting(struct device *dev, gpasid_group_fn fn,
				void *arg);
void iommu_gpasid_reset_requests(struct device *dev);

#endif /* __GPASID_PRIV_H */
