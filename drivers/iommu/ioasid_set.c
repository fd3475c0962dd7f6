// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOASID sets: host PASIDs as objects, with an owner, a lifetime and a second
 * number that the owner chooses, the set-private ID (SPID).
 *
 * Two xarrays serve the lookups: the host-wide ioasid_numbers maps a number to
 * its IOASID, and the xarray of each set maps a SPID to a number.  The latter
 * stores the number itself as a value entry: a single load decides the result,
 * so a lookup cannot combine an old object with a new number.  A zero entry at
 * the last index keeps the height of both trees constant, and with it the time
 * of a lookup.
 *
 * A set has two reference counts.  @users counts the references of callers;
 * when the last one is dropped, the set is dead and its IOASIDs are freed.
 * @refs keeps the memory of the set allocated.
 *
 * An IOASID has two reference counts as well.  @gets counts the references of
 * callers, @pins those of the module.  When both are 0, the number returns to
 * the pool.
 *
 * ioasid_priv.h lists the locks.
 */
#define pr_fmt(fmt) "ioasid: " fmt

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "ioasid_priv.h"

#define IOASID_XA_FLAGS	(XA_FLAGS_LOCK_IRQ | XA_FLAGS_ACCOUNT)

struct xarray ioasid_numbers = XARRAY_INIT(ioasid_numbers, IOASID_XA_FLAGS);

static DEFINE_SPINLOCK(ioasid_sets_lock);
LIST_HEAD(ioasid_sets);
static u32 ioasid_sets_nr;

static struct workqueue_struct *ioasid_wq;
static struct kmem_cache *ioasid_cache;

/* Lets the KUnit suite look at the reference count of the module. */
struct module *ioasid_owner(void)
{
	return THIS_MODULE;
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_owner);

/*
 * Release of sets
 */

static void set_ref(struct ioasid_set *set)
{
	refcount_inc(&set->refs);
}

static void set_release_work(struct work_struct *work)
{
	struct ioasid_set *set = container_of(to_rcu_work(work),
					      struct ioasid_set, release);

	xa_destroy(&set->spids);
	ioasid_user_put(set->user);
	kfree(set);
	module_put(THIS_MODULE);
}

/*
 * May be called in any context, also with the lock of the set held: the memory
 * of the set is freed after an RCU grace period.
 */
static void set_unref(struct ioasid_set *set)
{
	if (!refcount_dec_and_test(&set->refs))
		return;
	scoped_guard(spinlock_irqsave, &ioasid_sets_lock)
		list_del_rcu(&set->node);
	queue_rcu_work(ioasid_wq, &set->release);
}

/*
 * References on IOASIDs
 */

/* Called under RCU.  If @set is NULL, the IOASID may belong to any set. */
static __always_inline struct ioasid *number_load(struct ioasid_set *set,
						  ioasid_t id)
{
	struct ioasid *ioasid;

	if (id > IOASID_MAX)
		return NULL;
	ioasid = xa_load(&ioasid_numbers, id);
	if (!ioasid || (set && ioasid->set != set))
		return NULL;
	return ioasid;
}

/*
 * Store @ioasid in the entry @id, or erase the entry if @ioasid is NULL.  The
 * caller has reserved the entry, so the store needs no memory.
 */
static void number_store(ioasid_t id, struct ioasid *ioasid)
{
	XA_STATE(xas, &ioasid_numbers, id);

	if (!ioasid && id == IOASID_MAX)
		ioasid = XA_ZERO_ENTRY;
	guard(spinlock_irqsave)(&ioasid_numbers.xa_lock);
	xas_store(&xas, ioasid);
}

/*
 * Return the number to the pool.  Called when the last reference was dropped.
 */
static void ioasid_release(struct ioasid *ioasid)
{
	struct ioasid_set *set = ioasid->set;

	lockdep_assert_held(&set->spids.xa_lock);
	number_store(ioasid->id, NULL);
	ioasid_pool_number_free(ioasid->id);
	ioasid_pool_uncharge(set->user);
	list_del(&ioasid->node);
	set->pending--;
	kfree_rcu(ioasid, rcu);
	set_unref(set);
}

static void ioasid_unpin_locked(struct ioasid *ioasid)
{
	lockdep_assert_held(&ioasid->set->spids.xa_lock);
	if (!--ioasid->pins && !ioasid->gets)
		ioasid_release(ioasid);
}

static void ioasid_unpin(struct ioasid *ioasid)
{
	struct ioasid_set *set = ioasid->set;

	/*
	 * The IOASID may hold the last reference on the set: RCU keeps the
	 * memory of the set valid until the lock is released.
	 */
	guard(rcu)();
	guard(spinlock_irqsave)(&set->spids.xa_lock);
	ioasid_unpin_locked(ioasid);
}

/**
 * struct ioasid_locked - An IOASID with its set locked
 * @ioasid: the IOASID, or NULL if none was found and nothing is locked
 * @flags: interrupt flags, for the unlock
 */
struct ioasid_locked {
	struct ioasid *ioasid;
	unsigned long flags;
};

static void ioasid_unlock(struct ioasid_locked *locked)
{
	if (!locked->ioasid)
		return;
	xa_unlock_irqrestore(&locked->ioasid->set->spids, locked->flags);
	rcu_read_unlock();
}

/*
 * Find and lock an IOASID that has a reference, so that another can be taken.
 */
static struct ioasid_locked ioasid_lock(struct ioasid_set *set, ioasid_t id)
{
	struct ioasid_locked locked;

	rcu_read_lock();
	locked.ioasid = number_load(set, id);
	if (!locked.ioasid) {
		rcu_read_unlock();
		return locked;
	}
	xa_lock_irqsave(&locked.ioasid->set->spids, locked.flags);
	if (!locked.ioasid->pins && !locked.ioasid->gets) {
		ioasid_unlock(&locked);
		locked.ioasid = NULL;
	}
	return locked;
}

/* Find and lock an IOASID that is ACTIVE. */
static struct ioasid_locked ioasid_lock_active(struct ioasid_set *set, ioasid_t id)
{
	struct ioasid_locked locked = ioasid_lock(set, id);

	if (locked.ioasid && locked.ioasid->pending) {
		ioasid_unlock(&locked);
		locked.ioasid = NULL;
	}
	return locked;
}

DEFINE_CLASS(ioasid_existing, struct ioasid_locked, ioasid_unlock(&_T),
	     ioasid_lock(set, id), struct ioasid_set *set, ioasid_t id)
DEFINE_CLASS(ioasid_active, struct ioasid_locked, ioasid_unlock(&_T),
	     ioasid_lock_active(set, id), struct ioasid_set *set, ioasid_t id)

/*
 * Iterate over the IOASIDs of a set without holding its lock between the steps:
 * pin the IOASID after @prev, or the first one if @prev is NULL, and unpin
 * @prev.
 */
static struct ioasid *ioasid_next(struct ioasid_set *set, struct ioasid *prev)
{
	struct list_head *pos = prev ? &prev->node : &set->ids;
	struct ioasid *next = NULL;

	guard(spinlock_irqsave)(&set->spids.xa_lock);
	if (!list_is_last(pos, &set->ids)) {
		next = list_entry(pos->next, struct ioasid, node);
		next->pins++;
	}
	if (prev)
		ioasid_unpin_locked(prev);
	return next;
}

/*
 * SPIDs
 */

static void spid_erase(struct ioasid_set *set, ioasid_t spid)
{
	XA_STATE(xas, &set->spids, spid);

	lockdep_assert_held(&set->spids.xa_lock);
	xas_store(&xas, spid == IOASID_MAX ? XA_ZERO_ENTRY : NULL);
	set->nr_spids--;
}

/*
 * Try once to store the SPID, with the memory that @xas has or can allocate
 * without sleeping.  A reader that gets the new SPID from ioasid_spid() also
 * finds the number by this SPID.
 */
static int spid_insert(struct xa_state *xas, struct ioasid_set *set, ioasid_t id)
{
	CLASS(ioasid_active, locked)(set, id);
	struct ioasid *ioasid = locked.ioasid;
	void *entry;

	if (!ioasid)
		return -ENOENT;
	entry = xas_load(xas);
	if (ioasid->spid != IOMMU_PASID_INVALID || (entry && !xa_is_zero(entry)))
		return -EEXIST;
	xas_store(xas, xa_mk_value(id));
	if (xas_error(xas))
		return xas_error(xas);
	set->nr_spids++;
	/* Pairs with ioasid_spid() */
	smp_store_release(&ioasid->spid, xas->xa_index);
	return 0;
}

/**
 * ioasid_attach_spid() - Assign a SPID to an IOASID
 * @set: the set that owns it
 * @id: its number
 * @spid: the SPID, at most IOASID_MAX
 *
 * Context: Process context. May sleep. May be called by a subscriber.
 * Return: 0; -EINVAL if @spid is too large; -ENOENT if @set has no such IOASID
 * or if it was freed; -EEXIST if the IOASID has a SPID already or if @spid is
 * attached to an IOASID already; -ENOMEM.
 */
int ioasid_attach_spid(struct ioasid_set *set, ioasid_t id, ioasid_t spid)
{
	XA_STATE(xas, &set->spids, spid);
	int ret;

	might_sleep();
	if (spid > IOASID_MAX)
		return -EINVAL;
	if (ioasid_out_of_memory())
		return -ENOMEM;
	do {
		ret = spid_insert(&xas, set, id);
		if (ret)
			xas_set_err(&xas, ret);
		/* Also frees unused preallocated nodes */
	} while (xas_nomem(&xas, GFP_KERNEL_ACCOUNT));
	return ret;
}
EXPORT_SYMBOL_GPL(ioasid_attach_spid);

static __always_inline ioasid_t spid_load(struct ioasid_set *set, ioasid_t spid)
{
	void *entry;

	if (spid > IOASID_MAX)
		return IOMMU_PASID_INVALID;
	entry = xa_load(&set->spids, spid);
	/*
	 * Pairs with the barrier in xas_store(): a caller that finds number b
	 * by SPID s also sees that the previous number of s has lost this SPID.
	 */
	smp_rmb();
	return entry ? xa_to_value(entry) : IOMMU_PASID_INVALID;
}

/**
 * ioasid_find_by_spid() - Look up the number of a SPID (G to H)
 * @set: the set
 * @spid: the SPID
 *
 * The result was correct at one instant during the call. Callers that need it
 * to stay correct use ioasid_get_by_spid().
 *
 * Context: Any context. Takes no lock.
 * Return: the number, or IOMMU_PASID_INVALID if @set has no such SPID.
 */
ioasid_t ioasid_find_by_spid(struct ioasid_set *set, ioasid_t spid)
{
	return spid_load(set, spid);
}
EXPORT_SYMBOL_GPL(ioasid_find_by_spid);

/**
 * ioasid_get_by_spid() - Look up the number of a SPID and take a reference
 * @set: the set
 * @spid: the SPID
 *
 * The reference is on the IOASID that had the SPID.  This IOASID can be freed
 * meanwhile and the SPID attached to another one, but the number is not
 * allocated again before ioasid_put().
 *
 * Context: Any context.
 * Return: the number, or IOMMU_PASID_INVALID if @set has no such SPID.
 */
ioasid_t ioasid_get_by_spid(struct ioasid_set *set, ioasid_t spid)
{
	ioasid_t id;

	guard(rcu)();
	guard(spinlock_irqsave)(&set->spids.xa_lock);
	id = spid_load(set, spid);
	/* An IOASID that has a SPID is ACTIVE. */
	if (id != IOMMU_PASID_INVALID)
		number_load(set, id)->gets++;
	return id;
}
EXPORT_SYMBOL_GPL(ioasid_get_by_spid);

/**
 * ioasid_spid() - Look up the SPID of an IOASID (H to G)
 * @set: the set that owns it, or NULL
 * @id: its number
 *
 * The result was correct at one instant during the call.
 *
 * Context: Any context. Takes no lock.
 * Return: the SPID, or IOMMU_PASID_INVALID if @set has no such IOASID or if the
 * IOASID was freed or has no SPID.
 */
ioasid_t ioasid_spid(struct ioasid_set *set, ioasid_t id)
{
	struct ioasid *ioasid;
	u32 spid;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return IOMMU_PASID_INVALID;
	/* Pairs with spid_insert() */
	spid = smp_load_acquire(&ioasid->spid);
	return spid & IOASID_SPID_TAKEN ? IOMMU_PASID_INVALID : spid;
}
EXPORT_SYMBOL_GPL(ioasid_spid);

/*
 * Sets
 */

/* Move an IOASID from ACTIVE to FREE_PENDING. */
static void ioasid_free_locked(struct ioasid *ioasid)
{
	struct ioasid_set *set = ioasid->set;

	lockdep_assert_held(&set->spids.xa_lock);
	if (ioasid->spid != IOMMU_PASID_INVALID) {
		spid_erase(set, ioasid->spid);
		WRITE_ONCE(ioasid->spid, ioasid->spid | IOASID_SPID_TAKEN);
	}
	ioasid->freed = jiffies;
	WRITE_ONCE(ioasid->pending, true);
	set->active--;
	set->pending++;

	llist_add(&ioasid->work, &set->freed);
	/* Each run of the work drops a reference. */
	set_ref(set);
	if (!queue_work(ioasid_wq, &set->work))
		set_unref(set);
}

/* IOASIDs that are freed during a run queue the work again. */
static void set_work(struct work_struct *work)
{
	struct ioasid_set *set = container_of(work, struct ioasid_set, work);
	struct ioasid *ioasid, *next;

	llist_for_each_entry_safe(ioasid, next,
				  llist_reverse_order(llist_del_all(&set->freed)),
				  work) {
		ioasid_tell_free(ioasid);
		ioasid_unpin(ioasid);
		cond_resched();
	}
	set_unref(set);
}

static void set_publish(struct ioasid_set *set)
{
	guard(spinlock_irqsave)(&ioasid_sets_lock);
	set->nr = ++ioasid_sets_nr;
	list_add_tail_rcu(&set->node, &ioasid_sets);
}

static struct ioasid_set *set_new(void *token, u32 quota,
				  enum ioasid_set_type type)
{
	struct ioasid_set *set;

	if (ioasid_out_of_memory())
		return NULL;
	set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	xa_init_flags(&set->spids, IOASID_XA_FLAGS);
	refcount_set(&set->users, 1);
	refcount_set(&set->refs, 1);
	set->type = type;
	set->token = token;
	set->quota = quota;
	INIT_LIST_HEAD(&set->ids);
	init_llist_head(&set->freed);
	INIT_WORK(&set->work, set_work);
	INIT_RCU_WORK(&set->release, set_release_work);
	init_rwsem(&set->events);
	INIT_LIST_HEAD(&set->chain);
	return set;
}

/*
 * Do the part of the set-up that can fail.  The zero entry stays in
 * ioasid_set.spids until the set is released.
 */
static int set_prepare(struct ioasid_set *set)
{
	if (ioasid_out_of_memory())
		return -ENOMEM;
	if (xa_reserve_irq(&set->spids, IOASID_MAX, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	set->user = ioasid_user_get();
	if (!set->user) {
		xa_destroy(&set->spids);
		return -ENOMEM;
	}
	return 0;
}

/**
 * ioasid_set_alloc() - Allocate a set of IOASIDs
 * @token: the object that the set stands for; never dereferenced
 * @quota: how many IOASIDs the set may have; 0 for the default that the
 *	administrator has chosen
 * @type: the type of @token
 *
 * The quota is a limit and not a reservation: the quotas of all sets together
 * may exceed the host-wide ceiling, while the IOASIDs that exist cannot.  The
 * IOASIDs are charged to the user of the current task as long as they exist,
 * even if another task allocates them.
 *
 * The module stays loaded as long as the set exists.
 *
 * Context: Process context. May sleep.
 * Return: the set with one reference, for ioasid_set_put(), or an ERR_PTR():
 * -EINVAL if @token is NULL or @type unknown; -ENOSPC if @quota exceeds the
 * ceiling; -ENOMEM; -ENODEV if the module is being unloaded.
 */
struct ioasid_set *ioasid_set_alloc(void *token, u32 quota,
				    enum ioasid_set_type type)
{
	struct ioasid_set *set;
	int ret = -ENOMEM;

	if (!token || type != IOASID_SET_TYPE_FILE)
		return ERR_PTR(-EINVAL);
	quota = ioasid_pool_quota(quota);
	if (!quota)
		return ERR_PTR(-ENOSPC);
	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENODEV);

	set = set_new(token, quota, type);
	if (!set)
		goto err_module;
	ret = set_prepare(set);
	if (ret)
		goto err_free;
	set_publish(set);
	return set;

err_free:
	kfree(set);
err_module:
	module_put(THIS_MODULE);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(ioasid_set_alloc);

/**
 * ioasid_set_get() - Take a reference on a set
 * @set: the set; its memory must be valid
 *
 * A caller that has a reference can always take another.  The call can fail
 * only in a subscriber, for the set in struct ioasid_event_info.
 *
 * Context: Any context.
 * Return: true, or false if the last reference was already put.
 */
bool ioasid_set_get(struct ioasid_set *set)
{
	return refcount_inc_not_zero(&set->users);
}
EXPORT_SYMBOL_GPL(ioasid_set_get);

/**
 * ioasid_set_put() - Drop a reference on a set
 * @set: the set
 *
 * The last put frees all IOASIDs of the set, as ioasid_free_all() does.  It
 * does not wait for the subscribers: callers that have to wait call
 * ioasid_free_all() and ioasid_drain() first.
 *
 * Context: Any context, except for the last put, which may sleep and needs
 * process context. May be called by a subscriber.
 */
void ioasid_set_put(struct ioasid_set *set)
{
	if (!refcount_dec_and_test(&set->users))
		return;
	scoped_guard(spinlock_irqsave, &set->spids.xa_lock) {
		set->dead = true;
		set->token = NULL;
	}
	ioasid_free_all(set);
	set_unref(set);
}
EXPORT_SYMBOL_GPL(ioasid_set_put);

/**
 * ioasid_set_disown() - Detach a set from its token
 * @set: the set
 *
 * The owner of the token calls this before it frees the token, as others may
 * hold references on the set.  The set is not changed otherwise.  Further calls
 * have no effect.
 *
 * Context: Any context.
 */
void ioasid_set_disown(struct ioasid_set *set)
{
	guard(spinlock_irqsave)(&set->spids.xa_lock);
	set->token = NULL;
}
EXPORT_SYMBOL_GPL(ioasid_set_disown);

/* Return the number of IOASIDs that count against the quota. */
static u32 set_count(const struct ioasid_set *set)
{
	lockdep_assert_held(&set->spids.xa_lock);
	return set->coming + set->active + set->pending;
}

/**
 * ioasid_set_adjust() - Change the quota of a set
 * @set: the set
 * @quota: the new quota, 0 for the default
 *
 * Context: Any context.
 * Return: 0; -EBUSY if the set has more IOASIDs than @quota, counting those
 * that are FREE_PENDING; -ENOSPC if @quota exceeds the ceiling.
 */
int ioasid_set_adjust(struct ioasid_set *set, u32 quota)
{
	quota = ioasid_pool_quota(quota);
	if (!quota)
		return -ENOSPC;
	guard(spinlock_irqsave)(&set->spids.xa_lock);
	if (quota < set_count(set))
		return -EBUSY;
	set->quota = quota;
	return 0;
}
EXPORT_SYMBOL_GPL(ioasid_set_adjust);

/**
 * ioasid_set_stats() - Read the counts of a set
 * @set: the set
 * @stats: filled in with the counts at one instant
 *
 * Context: Any context.
 */
void ioasid_set_stats(struct ioasid_set *set, struct ioasid_set_stats *stats)
{
	guard(spinlock_irqsave)(&set->spids.xa_lock);
	*stats = (struct ioasid_set_stats) {
		.quota = set->quota,
		.active = set->active,
		.free_pending = set->pending,
		.spids = set->nr_spids,
	};
}
EXPORT_SYMBOL_GPL(ioasid_set_stats);

/*
 * IOASIDs
 */

static int set_charge(struct ioasid_set *set, bool exceed)
{
	int ret;

	guard(spinlock_irqsave)(&set->spids.xa_lock);
	if (set->dead)
		return -ENODEV;
	if (set_count(set) >= set->quota)
		return -ENOSPC;
	ret = ioasid_pool_charge(set->user, exceed);
	if (!ret)
		set->coming++;
	return ret;
}

static void set_uncharge(struct ioasid_set *set)
{
	guard(spinlock_irqsave)(&set->spids.xa_lock);
	ioasid_pool_uncharge(set->user);
	set->coming--;
}

/* Tasks with CAP_SYS_RESOURCE may exceed the limit of the user. */
static int set_charge_user(struct ioasid_set *set)
{
	int ret = set_charge(set, false);

	if (ret == -EDQUOT && capable(CAP_SYS_RESOURCE))
		ret = set_charge(set, true);
	return ret == -EDQUOT ? -ENOSPC : ret;
}

/* Allocate an unpublished IOASID with a number and a reserved entry for it. */
static struct ioasid *ioasid_new(ioasid_t min, ioasid_t max)
{
	struct ioasid *ioasid;
	int ret = -ENOMEM;

	if (ioasid_out_of_memory())
		return ERR_PTR(-ENOMEM);
	ioasid = kmem_cache_zalloc(ioasid_cache, GFP_KERNEL_ACCOUNT);
	if (!ioasid)
		return ERR_PTR(-ENOMEM);
	ret = ioasid_pool_number(min, max);
	if (ret < 0)
		goto err_free;
	ioasid->id = ret;
	ret = -ENOMEM;
	if (!ioasid_out_of_memory())
		ret = xa_reserve_irq(&ioasid_numbers, ioasid->id, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_number;
	return ioasid;

err_number:
	ioasid_pool_number_free(ioasid->id);
err_free:
	kmem_cache_free(ioasid_cache, ioasid);
	return ERR_PTR(ret);
}

static void ioasid_abandon(struct ioasid *ioasid)
{
	number_store(ioasid->id, NULL);
	ioasid_pool_number_free(ioasid->id);
	kmem_cache_free(ioasid_cache, ioasid);
}

/* Make @ioasid visible.  From here on, only ioasid_release() may free it. */
static int ioasid_publish(struct ioasid *ioasid)
{
	struct ioasid_set *set = ioasid->set;

	guard(spinlock_irqsave)(&set->spids.xa_lock);
	if (set->dead)
		return -ENODEV;
	set_ref(set);
	list_add_tail(&ioasid->node, &set->ids);
	number_store(ioasid->id, ioasid);
	set->coming--;
	set->active++;
	return 0;
}

/* The caller has charged one IOASID; the charge is consumed on success. */
static int ioasid_alloc_charged(struct ioasid_set *set, ioasid_t min, ioasid_t max,
				void *data, ioasid_t *id)
{
	struct ioasid *ioasid = ioasid_new(min, max);
	int ret;

	if (IS_ERR(ioasid))
		return PTR_ERR(ioasid);
	ioasid->set = set;
	ioasid->data = data;
	ioasid->spid = IOMMU_PASID_INVALID;
	ioasid->gets = 1;
	ioasid->pins = 2;
	ioasid->teller = current;

	/*
	 * A subscriber that registers concurrently with a replay is notified
	 * either below or by ioasid_register_notifier().
	 */
	guard(rwsem_read)(&set->events);
	ret = ioasid_publish(ioasid);
	if (ret) {
		ioasid_abandon(ioasid);
		return ret;
	}
	*id = ioasid->id;
	ioasid_tell_alloc(ioasid);
	ioasid_unpin(ioasid);
	return 0;
}

/**
 * ioasid_alloc() - Allocate an IOASID
 * @set: the set that will own it
 * @min: the lowest number allowed, at least IOMMU_FIRST_GLOBAL_PASID
 * @max: the highest number allowed, at most IOASID_MAX
 * @data: private data, see ioasid_find()
 * @id: set to the number
 *
 * Allocates the lowest number of the range that is free and not reserved for
 * processes of the host; half of the numbers of each width are left to callers
 * with an @max of that width or below, until no other numbers are free.  The
 * IOASID is returned with a reference that the caller drops with ioasid_put():
 * other threads can free the IOASID as soon as it exists, but its number is not
 * allocated again before the put.
 *
 * IOASID_ALLOC is delivered to the subscribers before this returns; other
 * threads can look up the IOASID during the delivery.
 *
 * Context: Process context. Sleeps as long as subscribers do. Must not be
 * called by a subscriber, nor with a lock held that a subscriber takes.
 * Return: 0; -EINVAL for a range that is empty or out of bounds; -ENOSPC if the
 * quota, the limit of the user, the ceiling or the range is exhausted; -ENOMEM;
 * -ENODEV if the last reference on @set was put.  On failure *@id is not
 * written.
 */
int ioasid_alloc(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *data,
		 ioasid_t *id)
{
	int ret;

	might_sleep();
	if (min < IOMMU_FIRST_GLOBAL_PASID || min > max || max > IOASID_MAX)
		return -EINVAL;
	ret = set_charge_user(set);
	if (ret)
		return ret;
	ret = ioasid_alloc_charged(set, min, max, data, id);
	if (ret)
		set_uncharge(set);
	return ret;
}
EXPORT_SYMBOL_GPL(ioasid_alloc);

/**
 * ioasid_free() - Free an IOASID
 * @set: the set that owns it
 * @id: its number
 *
 * When this returns, no lookup finds the IOASID, its SPID can be attached to
 * another one, and no new reference can be taken.  The subscribers are notified
 * from process context later: IOASID_UNBIND for each BIND without an UNBIND,
 * the latest first, then IOASID_FREE.  When all subscribers have returned and
 * the last reference has been put, the number returns to the pool.
 * ioasid_drain() waits for the subscribers.
 *
 * Context: Any context.
 * Return: 0; -ENOENT if @set has no such IOASID or if it was already freed.
 */
int ioasid_free(struct ioasid_set *set, ioasid_t id)
{
	CLASS(ioasid_active, locked)(set, id);

	if (!locked.ioasid)
		return -ENOENT;
	ioasid_free_locked(locked.ioasid);
	return 0;
}
EXPORT_SYMBOL_GPL(ioasid_free);

/**
 * ioasid_free_all() - Free all IOASIDs of a set
 * @set: the set
 *
 * Has the effect of ioasid_free() for each IOASID, in the order of allocation.
 * IOASIDs that are allocated concurrently may be freed, too.
 *
 * Context: Process context, as the run time is proportional to the number of
 * IOASIDs.
 */
void ioasid_free_all(struct ioasid_set *set)
{
	struct ioasid *ioasid = NULL;

	might_sleep();
	while ((ioasid = ioasid_next(set, ioasid))) {
		scoped_guard(spinlock_irqsave, &set->spids.xa_lock)
			if (!ioasid->pending)
				ioasid_free_locked(ioasid);
		cond_resched();
	}
}
EXPORT_SYMBOL_GPL(ioasid_free_all);

/**
 * ioasid_drain() - Wait until all frees have been delivered
 * @set: the set
 *
 * Sleeps until all subscribers have returned from IOASID_FREE for each IOASID
 * of @set that was FREE_PENDING at the time of the call.  The number of such an
 * IOASID is back in the pool then, unless a caller holds a reference or a call
 * about the IOASID is in flight.
 *
 * A subscriber must not call this, as it would wait for itself.  If a
 * subscriber calls this while it handles a free in @set, the function warns and
 * returns without waiting.
 *
 * Context: Process context. Sleeps as long as subscribers do. Must not be
 * called with a lock held that a subscriber takes.
 */
void ioasid_drain(struct ioasid_set *set)
{
	might_sleep();
	if (!WARN_ON_ONCE(current_work() == &set->work))
		flush_work(&set->work);
}
EXPORT_SYMBOL_GPL(ioasid_drain);

/**
 * ioasid_get() - Take a reference on an IOASID
 * @set: the set that owns it, or NULL for any set, for callers inside the
 *	kernel that act for no set
 * @id: its number
 *
 * The number is not allocated again before ioasid_put().  The IOASID can be
 * freed meanwhile.
 *
 * Context: Any context.
 * Return: 0; -ENOENT if @set has no such IOASID or if it was freed.
 */
int ioasid_get(struct ioasid_set *set, ioasid_t id)
{
	CLASS(ioasid_active, locked)(set, id);

	if (!locked.ioasid)
		return -ENOENT;
	locked.ioasid->gets++;
	return 0;
}
EXPORT_SYMBOL_GPL(ioasid_get);

/* The KUnit suite replaces the warning with a counter. */
void ioasid_surplus_put(ioasid_t id)
{
	KUNIT_STATIC_STUB_REDIRECT(ioasid_surplus_put, id);
	WARN(1, "ioasid: %u: put without a reference\n", id);
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_surplus_put);

/**
 * ioasid_put() - Drop a reference on an IOASID
 * @set: the set that owns it, or NULL
 * @id: its number
 *
 * Warns if there is no reference to drop.
 *
 * Context: Any context.
 */
void ioasid_put(struct ioasid_set *set, ioasid_t id)
{
	CLASS(ioasid_existing, locked)(set, id);
	struct ioasid *ioasid = locked.ioasid;

	if (!ioasid || !ioasid->gets) {
		ioasid_surplus_put(id);
		return;
	}
	if (!--ioasid->gets && !ioasid->pins)
		ioasid_release(ioasid);
}
EXPORT_SYMBOL_GPL(ioasid_put);

/**
 * ioasid_find() - Look up the private data of an IOASID
 * @set: the set that owns it, or NULL
 * @id: its number
 *
 * The owner of the data must not free it before an RCU grace period has elapsed
 * after the free of the IOASID; the caller holds rcu_read_lock() while it uses
 * the data.
 *
 * Context: Any context. Takes no lock.
 * Return: the data, which may be NULL, or ERR_PTR(-ENOENT) if @set has no such
 * IOASID or if it was freed.
 */
void *ioasid_find(struct ioasid_set *set, ioasid_t id)
{
	struct ioasid *ioasid;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid || READ_ONCE(ioasid->pending))
		return ERR_PTR(-ENOENT);
	return ioasid->data;
}
EXPORT_SYMBOL_GPL(ioasid_find);

static struct ioasid *ioasid_pin(struct ioasid_set *set, ioasid_t id)
{
	CLASS(ioasid_existing, locked)(set, id);

	if (locked.ioasid)
		locked.ioasid->pins++;
	return locked.ioasid;
}

/**
 * ioasid_notify() - Deliver a BIND or UNBIND of an IOASID to the subscribers
 * @set: the set that owns it
 * @id: its number
 * @ev: IOASID_BIND or IOASID_UNBIND
 * @arg: passed to the subscribers; distinguishes the BINDs of one IOASID
 *
 * A BIND that no subscriber refuses lasts until an UNBIND with the same @arg,
 * or until the IOASID is freed.  @arg must stay valid until the UNBIND has
 * returned, with 0 or -ENOENT; after a free, until IOASID_FREE has been
 * delivered.
 *
 * Context: Process context. Sleeps as long as subscribers do. Must not be
 * called with a lock held that a subscriber takes, nor by a subscriber about
 * another IOASID.
 * Return: 0; -EINVAL for another event; -ENOENT if @set has no such IOASID, if
 * the IOASID was freed, or if there is no such BIND; -EDEADLK if called by a
 * subscriber that is handling an event of this IOASID; for a BIND also -ENOMEM
 * or the errno with which a subscriber refused it.
 */
int ioasid_notify(struct ioasid_set *set, ioasid_t id, enum ioasid_event ev,
		  void *arg)
{
	struct ioasid *ioasid;
	int ret;

	might_sleep();
	if (ev != IOASID_BIND && ev != IOASID_UNBIND)
		return -EINVAL;
	ioasid = ioasid_pin(set, id);
	if (!ioasid)
		return -ENOENT;
	ret = ev == IOASID_BIND ? ioasid_tell_bind(ioasid, arg) :
				  ioasid_tell_unbind(ioasid, arg);
	ioasid_unpin(ioasid);
	return ret;
}
EXPORT_SYMBOL_GPL(ioasid_notify);

void ioasid_set_exit(void)
{
	/* No set exists, but the work that released the last may still run. */
	if (ioasid_wq)
		destroy_workqueue(ioasid_wq);
	xa_destroy(&ioasid_numbers);
	kmem_cache_destroy(ioasid_cache);
}

int __init ioasid_set_init(void)
{
	ioasid_cache = KMEM_CACHE(ioasid, SLAB_ACCOUNT);
	/* Each set whose subscribers sleep occupies one active work item. */
	ioasid_wq = alloc_workqueue("ioasid", WQ_UNBOUND, WQ_UNBOUND_MAX_ACTIVE);
	if (!ioasid_cache || !ioasid_wq ||
	    xa_reserve_irq(&ioasid_numbers, IOASID_MAX, GFP_KERNEL)) {
		ioasid_set_exit();
		return -ENOMEM;
	}
	return 0;
}
