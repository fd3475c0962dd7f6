// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of guest PASIDs.
 *
 * A device that accesses a page which its guest has not mapped sends a page
 * request.  The I/O page fault layer collects the requests of a group and
 * passes the group to gpasid_fault_handle(), which puts it on the queue of the
 * VM (struct gpasid_fault_queue).  The group stays there until the VMM has read
 * and answered it.  Every group that is accepted is answered exactly once: by
 * the VMM, by the time limit, when its binding is removed, or when the queue is
 * destroyed.  Only a reset of the device ends it without an answer.
 *
 * Locks, outer to inner:
 *
 *  gpasid_fault_queue::answer	held while groups are taken off the queue and
 *				answered: no answer is in progress for a caller
 *				that holds it
 *  gpasid_fault_queue::lock	the groups of one queue
 *  gpasid_queues_lock		the hash of queues; a spinlock, taken alone
 *
 * A queue is looked up under RCU and reference-counted.  It stays in the hash
 * until its last group is answered, so that a teardown that does not find it
 * has nothing to wait for.  The page-request thread takes only
 * gpasid_fault_queue::lock and never waits for memory: callers that hold
 * gpasid_fault_queue::answer may wait for the thread, and no VM's memory limit
 * delays the requests of another VM.
 */
#include <linux/gpasid.h>
#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "gpasid_priv.h"

#define GPASID_FAULT_LIMIT	1024
#define GPASID_FAULT_TIMEOUT_MS	10000
#define GPASID_QUEUE_HASH_BITS	6

/**
 * struct gpasid_fault_group - A page request group that is not yet answered
 * @node: in gpasid_fault_queue::groups
 * @unread: in gpasid_fault_queue::unread until all records are read
 * @iopf: the group in the I/O page fault layer
 * @gdev: the device; no reference is needed, since the group is answered before
 *        its binding, which keeps the device, is removed
 * @hpasid: host PASID
 * @deadline: when the group is answered as invalid, in jiffies
 * @cookie: identifies the group to the VMM
 * @exclusive: the device is used by this VM only
 * @nr: number of records
 * @nr_read: number of records that have been read
 * @record: the records that the VMM reads
 *
 * Protected by the lock of the queue that it is on.
 */
struct gpasid_fault_group {
	struct list_head node;
	struct list_head unread;
	struct iopf_group *iopf;
	struct gpasid_device *gdev;
	ioasid_t hpasid;
	unsigned long deadline;
	u64 cookie;
	bool exclusive;
	unsigned int nr;
	unsigned int nr_read;
	struct iommu_gpasid_fault record[] __counted_by(nr);
};

/**
 * struct gpasid_fault_queue - The page requests of one VM
 * @hash: in gpasid_queues, by @set
 * @users: reference count; held by the fault file and by callers of
 *         gpasid_queue_get()
 * @set: the VM's PASIDs; a reference is held
 * @memcg: the memory cgroup that groups are charged to; a reference is held
 * @answer: held while groups are taken off the queue and answered
 * @lock: protects the fields below
 * @groups: all groups, oldest first
 * @unread: groups with unread records, oldest first
 * @by_cookie: @groups by cookie
 * @nr: number of groups
 * @dead: no more groups are accepted
 * @paused: time limits are stopped since @paused_at
 * @paused_at: in jiffies
 * @limit: number of groups allowed at a time; constant
 * @timeout: time limit in jiffies; constant
 * @expire: answers the groups whose time limit has expired
 * @wait: woken when a group is queued
 * @rcu: defers the free until the page-request thread has left its RCU critical
 *       section
 */
struct gpasid_fault_queue {
	struct hlist_node hash;
	refcount_t users;
	struct ioasid_set *set;
	struct mem_cgroup *memcg;
	struct mutex answer;	/* groups being answered */
	spinlock_t lock;	/* all that follows */
	struct list_head groups;
	struct list_head unread;
	struct xarray by_cookie;
	unsigned int nr;
	bool dead;
	bool paused;
	unsigned long paused_at;
	unsigned int limit;
	unsigned long timeout;
	struct delayed_work expire;
	wait_queue_head_t wait;
	struct rcu_head rcu;
};

static DEFINE_SPINLOCK(gpasid_queues_lock);
static DEFINE_HASHTABLE(gpasid_queues, GPASID_QUEUE_HASH_BITS);

/*
 * Unique across all contexts, so that an answer which is written to the wrong
 * file or repeated does not match another group.
 */
static atomic64_t gpasid_fault_cookie;

/* Called under RCU or with gpasid_queues_lock held. */
static struct gpasid_fault_queue *gpasid_queue_find(struct ioasid_set *set)
{
	struct gpasid_fault_queue *q;

	hash_for_each_possible_rcu(gpasid_queues, q, hash, (unsigned long)set,
				   lockdep_is_held(&gpasid_queues_lock))
		if (q->set == set)
			return q;
	return NULL;
}

/* Return the queue of @set with a reference, or NULL. */
static struct gpasid_fault_queue *gpasid_queue_get(struct ioasid_set *set)
{
	struct gpasid_fault_queue *q;

	guard(rcu)();
	q = gpasid_queue_find(set);
	return q && refcount_inc_not_zero(&q->users) ? q : NULL;
}

static void gpasid_queue_put(struct gpasid_fault_queue *q)
{
	if (!refcount_dec_and_test(&q->users))
		return;
	ioasid_set_put(q->set);
	mem_cgroup_put(q->memcg);
	xa_destroy(&q->by_cookie);
	mutex_destroy(&q->answer);
	kfree_rcu(q, rcu);
}

/*
 * Groups
 */

/* Take @g off its queue; the caller must answer or free it. */
static void gpasid_group_take(struct gpasid_fault_queue *q,
			      struct gpasid_fault_group *g)
{
	lockdep_assert_held(&q->answer);
	lockdep_assert_held(&q->lock);

	list_del(&g->node);
	list_del_init(&g->unread);
	xa_erase(&q->by_cookie, g->cookie);
	q->nr--;
}

static void gpasid_group_answer(struct gpasid_fault_group *g,
				enum iommu_page_response_code code)
{
	iopf_group_response(g->iopf, code);
	iopf_free_group(g->iopf);
	kfree(g);
}

/*
 * Answer @groups as invalid, which fails these requests only.  On "Response
 * Failure", the device would disable its page requests until it is reset, for
 * all VMs that use it.
 */
static void gpasid_groups_fail(struct list_head *groups)
{
	struct gpasid_fault_group *g, *next;

	list_for_each_entry_safe(g, next, groups, node)
		gpasid_group_answer(g, IOMMU_PAGE_RESP_INVALID);
}

static u32 gpasid_fault_perm(u32 perm)
{
	u32 out = 0;

	if (perm & IOMMU_FAULT_PERM_READ)
		out |= IOMMU_GPASID_FAULT_READ;
	if (perm & IOMMU_FAULT_PERM_WRITE)
		out |= IOMMU_GPASID_FAULT_WRITE;
	if (perm & IOMMU_FAULT_PERM_EXEC)
		out |= IOMMU_GPASID_FAULT_EXEC;
	if (perm & IOMMU_FAULT_PERM_PRIV)
		out |= IOMMU_GPASID_FAULT_PRIV;
	return out;
}

static void gpasid_record_fill(struct gpasid_fault_group *g,
			       const struct iommu_fault_page_request *prm)
{
	struct iommu_gpasid_fault *record;

	g->nr++;
	record = &g->record[g->nr - 1];
	*record = (struct iommu_gpasid_fault) {
		.cookie = g->cookie,
		.group = prm->grpid,
		.perm = gpasid_fault_perm(prm->perm),
		.addr = prm->addr,
	};
	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
		record->flags = IOMMU_GPASID_FAULT_LAST;
}

/*
 * The I/O page fault layer groups the requests of a device by their group index
 * alone, so a group may contain a request for another PASID.  Leave such
 * requests out: they must not be visible to this VM.
 */
static struct gpasid_fault_group *gpasid_group_alloc(struct iopf_group *iopf)
{
	ioasid_t hpasid = iopf->last_fault.fault.prm.pasid;
	struct gpasid_fault_group *g;
	struct iopf_fault *fault;

	g = kzalloc(struct_size(g, record, iopf->fault_count),
		    GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT);
	if (!g)
		return NULL;
	g->iopf = iopf;
	g->hpasid = hpasid;
	g->cookie = atomic64_inc_return(&gpasid_fault_cookie);
	INIT_LIST_HEAD(&g->unread);
	list_for_each_entry(fault, &iopf->faults, list)
		if (fault->fault.prm.pasid == hpasid)
			gpasid_record_fill(g, &fault->fault.prm);

	return g;
}

/* Put @g on the queue of the VM that @b belongs to. */
static int gpasid_group_queue(struct gpasid_fault_queue *q,
			      struct gpasid_binding *b,
			      struct gpasid_fault_group *g)
{
	ioasid_t gpasid = ioasid_spid(b->set, b->pasid);
	unsigned int i;
	int ret;

	/* A guest without guest PASIDs uses host PASIDs. */
	if (gpasid == IOMMU_PASID_INVALID)
		gpasid = b->pasid;

	g->gdev = b->att->gdev;
	g->exclusive = b->exclusive;
	for (i = 0; i < g->nr; i++) {
		g->record[i].gpasid = gpasid;
		g->record[i].dev_id = READ_ONCE(b->dev_id);
	}

	guard(spinlock)(&q->lock);
	/* A teardown sets GPASID_CLEARED before it takes the queue's lock. */
	if (q->dead || READ_ONCE(b->state) == GPASID_CLEARED)
		return -ENODEV;
	if (q->nr >= q->limit)
		return -ENOSPC;
	ret = xa_insert(&q->by_cookie, g->cookie, g, GFP_NOWAIT);
	if (ret)
		return ret;
	g->deadline = jiffies + q->timeout;
	list_add_tail(&g->node, &q->groups);
	list_add_tail(&g->unread, &q->unread);
	if (!q->nr++ && !q->paused)
		mod_delayed_work(system_wq, &q->expire, q->timeout);
	wake_up_interruptible(&q->wait);

	return 0;
}

/*
 * Return the queue of the VM that has bound @hpasid on @dev, or NULL, and the
 * binding in *@b.  Called under RCU.
 */
static struct gpasid_fault_queue *gpasid_fault_target(struct device *dev,
						      ioasid_t hpasid,
						      struct gpasid_binding **b)
{
	*b = gpasid_binding_rcu(dev, hpasid);
	return *b && !(*b)->att->own ? gpasid_queue_find((*b)->set) : NULL;
}

/*
 * Return the memory cgroup to charge for page requests of @pasid, with a
 * reference, or NULL.  Set *@found to whether the VM has a queue.
 */
static struct mem_cgroup *gpasid_fault_memcg(struct device *dev, ioasid_t pasid,
					     bool *found)
{
	struct gpasid_fault_queue *q;
	struct gpasid_binding *b;

	guard(rcu)();
	q = gpasid_fault_target(dev, pasid, &b);
	*found = q;
	return q && mem_cgroup_tryget(q->memcg) ? q->memcg : NULL;
}

/*
 * gpasid_group_alloc(), charged to the VM instead of the page-request thread.
 */
static struct gpasid_fault_group *gpasid_group_charge(struct iopf_group *iopf)
{
	ioasid_t hpasid = iopf->last_fault.fault.prm.pasid;
	struct mem_cgroup *memcg, *old;
	struct gpasid_fault_group *g;
	bool found;

	memcg = gpasid_fault_memcg(iopf->fault_param->dev, hpasid, &found);
	if (!found)
		return ERR_PTR(-ENODEV);

	old = set_active_memcg(memcg);
	g = gpasid_group_alloc(iopf);
	set_active_memcg(old);
	mem_cgroup_put(memcg);

	return g ?: ERR_PTR(-ENOMEM);
}

/*
 * Allocate a request of an incomplete group.  Requests of PASIDs that are
 * attached to an HWPT are not charged, like the groups of these PASIDs.
 */
static void *gpasid_fault_alloc(struct device *dev, ioasid_t pasid, size_t size)
{
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	struct mem_cgroup *memcg, *old;
	bool found;
	void *p;

	memcg = gpasid_fault_memcg(dev, pasid, &found);
	old = set_active_memcg(memcg);
	p = kzalloc(size, found ? gfp | __GFP_ACCOUNT : gfp);
	set_active_memcg(old);
	mem_cgroup_put(memcg);

	return p;
}

/* Put the group on the queue of its VM. */
static int gpasid_fault_deliver(struct iopf_group *iopf)
{
	struct gpasid_fault_group *g;
	struct gpasid_fault_queue *q;
	struct gpasid_binding *b;
	int ret = -ENODEV;

	g = gpasid_group_charge(iopf);
	if (IS_ERR(g))
		return PTR_ERR(g);

	scoped_guard(rcu) {
		q = gpasid_fault_target(iopf->fault_param->dev, g->hpasid, &b);
		if (q)
			ret = gpasid_group_queue(q, b, g);
	}
	if (ret)
		kfree(g);

	return ret;
}

/* Called from the page-request thread of a unit. */
static int gpasid_fault_handle(struct iopf_group *iopf)
{
	int ret;

	/* From now on only this file answers the group. */
	iopf_group_dequeue(iopf);
	ret = gpasid_fault_deliver(iopf);
	if (!ret)
		return 0;

	dev_warn_ratelimited(iopf->fault_param->dev,
			     "hPASID %u: page request at 0x%llx refused: %pe\n",
			     iopf->last_fault.fault.prm.pasid,
			     iopf->last_fault.fault.prm.addr, ERR_PTR(ret));
	iopf_group_response(iopf, IOMMU_PAGE_RESP_INVALID);
	iopf_free_group(iopf);

	return 0;
}

/*
 * Return true if page requests of @pasid are for a binding.  A binding whose
 * PASID-table entry has been cleared claims none, so that no request is kept
 * for it after the page requests of the device are drained.
 */
static bool gpasid_fault_claims(struct device *dev, ioasid_t pasid,
				struct iommu_attach_handle **handle)
{
	struct gpasid_binding *b;
	bool claims;

	*handle = NULL;
	guard(rcu)();
	b = gpasid_binding_rcu(dev, pasid);
	claims = b && READ_ONCE(b->state) != GPASID_CLEARED;
	if (claims && b->att->own)
		*handle = READ_ONCE(b->handle);

	return claims;
}

/*
 * Teardown
 */

/*
 * Return true if @pasid is that of @b, or, if @b is NULL, that of any cleared
 * binding of @gdev.
 */
static bool gpasid_ending(struct gpasid_device *gdev, struct gpasid_binding *b,
			  ioasid_t pasid)
{
	if (b)
		return pasid == b->pasid;
	guard(rcu)();
	b = xa_load(&gdev->bindings, pasid);
	return b && READ_ONCE(b->state) == GPASID_CLEARED;
}

/*
 * Answer groups of @q as invalid: those of the binding @b of @gdev, those of
 * all cleared bindings of @gdev if @b is NULL, or all groups if @gdev is NULL.
 */
static void gpasid_queue_fail(struct gpasid_fault_queue *q,
			      struct gpasid_device *gdev,
			      struct gpasid_binding *b)
{
	struct gpasid_fault_group *g, *next;
	LIST_HEAD(ending);

	guard(mutex)(&q->answer);
	scoped_guard(spinlock, &q->lock)
		list_for_each_entry_safe(g, next, &q->groups, node) {
			if (gdev && (g->gdev != gdev ||
				     !gpasid_ending(gdev, b, g->hpasid)))
				continue;
			gpasid_group_take(q, g);
			list_add_tail(&g->node, &ending);
		}
	gpasid_groups_fail(&ending);
}

/*
 * Answer the outstanding page requests of @b, or, if @b is NULL, of all cleared
 * bindings of the device of @att, and wait for answers in progress.  Only
 * bindings of IOASIDs have a queue here: iommufd answers the page requests of
 * PASIDs that are attached to an HWPT.
 */
void gpasid_fault_flush(struct gpasid_attachment *att,
			struct gpasid_binding *b)
{
	struct gpasid_fault_queue *q;

	if (att->own)
		return;
	q = gpasid_queue_get(att->parent->set);
	if (!q)
		return;
	gpasid_queue_fail(q, att->gdev, b);
	gpasid_queue_put(q);
}

struct gpasid_partial_arg {
	struct gpasid_device *gdev;
	struct gpasid_binding *b;
};

static bool gpasid_partial_match(ioasid_t pasid, void *arg)
{
	struct gpasid_partial_arg *partial = arg;

	return gpasid_ending(partial->gdev, partial->b, pasid);
}

/*
 * Drop the requests of incomplete groups of @b, or, if @b is NULL, of all
 * cleared bindings: their groups will not be completed.
 */
void gpasid_fault_discard_partial(struct gpasid_attachment *att,
				  struct gpasid_binding *b)
{
	struct gpasid_partial_arg partial = { .gdev = att->gdev, .b = b };

	iommu_gpasid_discard_partial(att->gdev->dev, gpasid_partial_match,
				     &partial);
}

/*
 * Queues
 */

static void gpasid_queue_expire(struct work_struct *work)
{
	struct gpasid_fault_queue *q = container_of(to_delayed_work(work),
						    struct gpasid_fault_queue,
						    expire);
	struct gpasid_fault_group *g, *next;
	LIST_HEAD(expired);

	guard(mutex)(&q->answer);
	scoped_guard(spinlock, &q->lock)
		list_for_each_entry_safe(g, next, &q->groups, node) {
			if (q->paused)
				break;
			if (time_before(jiffies, g->deadline)) {
				mod_delayed_work(system_wq, &q->expire,
						 g->deadline - jiffies);
				break;
			}
			gpasid_group_take(q, g);
			list_add_tail(&g->node, &expired);
		}

	list_for_each_entry(g, &expired, node)
		dev_warn_ratelimited(g->gdev->dev,
				     "hPASID %u: page request at 0x%llx not answered in time\n",
				     g->hpasid, g->record[g->nr - 1].addr);
	gpasid_groups_fail(&expired);
}

/*
 * Extend each time limit by the time for which the group waited during the
 * pause: a group that arrived in the pause gets its full time limit.
 */
static void gpasid_queue_resume(struct gpasid_fault_queue *q)
{
	struct gpasid_fault_group *g;
	unsigned long since;

	lockdep_assert_held(&q->lock);

	list_for_each_entry(g, &q->groups, node) {
		since = g->deadline - q->timeout;
		if (time_before(since, q->paused_at))
			since = q->paused_at;
		g->deadline += jiffies - since;
	}
	g = list_first_entry_or_null(&q->groups, struct gpasid_fault_group, node);
	if (g)
		mod_delayed_work(system_wq, &q->expire,
				 max_t(long, g->deadline - jiffies, 0));
}

/**
 * gpasid_fault_pause() - Stop or resume the time limits of a queue
 * @q: the queue
 * @pause: true to stop the time limits, false to resume them
 *
 * Context: Process context. Takes the queue's lock.
 */
void gpasid_fault_pause(struct gpasid_fault_queue *q, bool pause)
{
	guard(spinlock)(&q->lock);
	if (pause && !q->paused)
		q->paused_at = jiffies;
	if (!pause && q->paused)
		gpasid_queue_resume(q);
	q->paused = pause;
}
EXPORT_SYMBOL_GPL(gpasid_fault_pause);

/*
 * Add @q to the hash.  Return false if the set already has a queue or is being
 * freed.
 */
static bool gpasid_queue_publish(struct gpasid_fault_queue *q)
{
	guard(spinlock)(&gpasid_queues_lock);
	if (gpasid_queue_find(q->set) || !ioasid_set_get(q->set))
		return false;
	hash_add_rcu(gpasid_queues, &q->hash, (unsigned long)q->set);
	return true;
}

/**
 * gpasid_fault_queue_create() - Create the queue of page requests of a VM
 * @set: the VM's PASIDs
 * @limit: Input: number of groups that may be unanswered at a time, or 0 for
 *         the default.  Output: the limit in force
 * @timeout_ms: Input: time limit in milliseconds, or 0 for the default.
 *              Output: the time limit in force
 *
 * Page requests of PASIDs of @set, on any device, are then put on the queue.
 * Without a queue they are answered as invalid.
 *
 * Context: Process context. May sleep.
 * Return: the queue; -EBUSY if @set already has a queue or is being freed;
 * -EINVAL (limit or time limit out of range); -ENOMEM.
 */
struct gpasid_fault_queue *gpasid_fault_queue_create(struct ioasid_set *set,
						     u32 *limit,
						     u32 *timeout_ms)
{
	struct gpasid_fault_queue *q;

	*limit = *limit ?: GPASID_FAULT_LIMIT;
	*timeout_ms = *timeout_ms ?: GPASID_FAULT_TIMEOUT_MS;
	if (*limit > IOMMU_GPASID_FAULT_LIMIT_MAX ||
	    *timeout_ms > IOMMU_GPASID_FAULT_TIMEOUT_MAX)
		return ERR_PTR(-EINVAL);

	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return ERR_PTR(-ENOMEM);
	mutex_init(&q->answer);
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->groups);
	INIT_LIST_HEAD(&q->unread);
	xa_init(&q->by_cookie);
	q->limit = *limit;
	q->timeout = msecs_to_jiffies(*timeout_ms);
	INIT_DELAYED_WORK(&q->expire, gpasid_queue_expire);
	init_waitqueue_head(&q->wait);
	q->set = set;
	q->memcg = get_mem_cgroup_from_mm(current->mm);
	refcount_set(&q->users, 1);

	if (!gpasid_queue_publish(q)) {
		mem_cgroup_put(q->memcg);
		kfree(q);
		return ERR_PTR(-EBUSY);
	}
	return q;
}
EXPORT_SYMBOL_GPL(gpasid_fault_queue_create);

/**
 * gpasid_fault_queue_destroy() - Undo gpasid_fault_queue_create()
 * @q: the queue; no readers or waiters remain
 *
 * Outstanding groups are answered as invalid.
 *
 * Context: Process context. May sleep.
 */
void gpasid_fault_queue_destroy(struct gpasid_fault_queue *q)
{
	scoped_guard(spinlock, &q->lock)
		q->dead = true;
	gpasid_queue_fail(q, NULL, NULL);
	scoped_guard(spinlock, &gpasid_queues_lock)
		hash_del_rcu(&q->hash);
	cancel_delayed_work_sync(&q->expire);
	gpasid_queue_put(q);
}
EXPORT_SYMBOL_GPL(gpasid_fault_queue_destroy);

/**
 * gpasid_fault_peek() - Copy the page requests that are to be read next
 * @q: the queue
 * @records: filled in
 * @nr: room in @records
 *
 * The records stay unread until gpasid_fault_take(); the caller must serialise
 * readers from this call to that one.
 *
 * Context: Process context. Takes the queue's lock.
 * Return: the number of records copied.
 */
unsigned int gpasid_fault_peek(struct gpasid_fault_queue *q,
			       struct iommu_gpasid_fault *records,
			       unsigned int nr)
{
	struct gpasid_fault_group *g;
	unsigned int i, done = 0;

	guard(spinlock)(&q->lock);
	list_for_each_entry(g, &q->unread, unread) {
		for (i = g->nr_read; done < nr && i < g->nr; i++)
			records[done++] = g->record[i];
		if (done == nr)
			break;
	}
	return done;
}
EXPORT_SYMBOL_GPL(gpasid_fault_peek);

/**
 * gpasid_fault_take() - Mark page requests as read
 * @q: the queue
 * @records: records that gpasid_fault_peek() has copied
 * @nr: number of records
 *
 * Groups that have been answered since gpasid_fault_peek() are skipped.
 *
 * Context: Process context. Takes the queue's lock.
 */
void gpasid_fault_take(struct gpasid_fault_queue *q,
		       const struct iommu_gpasid_fault *records,
		       unsigned int nr)
{
	struct gpasid_fault_group *g;
	unsigned int i;

	guard(spinlock)(&q->lock);
	for (i = 0; i < nr; i++) {
		g = xa_load(&q->by_cookie, records[i].cookie);
		if (g && ++g->nr_read == g->nr)
			list_del_init(&g->unread);
	}
}
EXPORT_SYMBOL_GPL(gpasid_fault_take);

/**
 * gpasid_fault_pending() - Check whether there are unread records
 * @q: the queue
 *
 * Context: Any context.
 * Return: true if gpasid_fault_peek() would copy a record.
 */
bool gpasid_fault_pending(struct gpasid_fault_queue *q)
{
	return !list_empty_careful(&q->unread);
}
EXPORT_SYMBOL_GPL(gpasid_fault_pending);

/**
 * gpasid_fault_wait() - Get the wait queue for unread records
 * @q: the queue
 *
 * Context: Any context.
 * Return: the wait queue, woken when a group is queued.
 */
wait_queue_head_t *gpasid_fault_wait(struct gpasid_fault_queue *q)
{
	return &q->wait;
}
EXPORT_SYMBOL_GPL(gpasid_fault_wait);

/**
 * gpasid_fault_respond() - Answer a page request group
 * @q: the queue that the group was read from
 * @cookie: cookie of the group
 * @code: enum iommu_gpasid_fault_code
 *
 * Context: Process context. May sleep.
 * Return: 0; -EINVAL (code); -ENOENT if @q has no such group, or not all of its
 * records have been read.
 */
int gpasid_fault_respond(struct gpasid_fault_queue *q, u64 cookie, u32 code)
{
	static const enum iommu_page_response_code codes[] = {
		[IOMMU_GPASID_FAULT_SUCCESS] = IOMMU_PAGE_RESP_SUCCESS,
		[IOMMU_GPASID_FAULT_INVALID] = IOMMU_PAGE_RESP_INVALID,
		[IOMMU_GPASID_FAULT_FAILURE] = IOMMU_PAGE_RESP_FAILURE,
	};
	struct gpasid_fault_group *g;

	if (code >= ARRAY_SIZE(codes))
		return -EINVAL;

	guard(mutex)(&q->answer);
	scoped_guard(spinlock, &q->lock) {
		g = xa_load(&q->by_cookie, cookie);
		if (!g || g->nr_read != g->nr)
			return -ENOENT;
		gpasid_group_take(q, g);
	}
	/* On a shared device one VM's failure must not affect other VMs. */
	gpasid_group_answer(g, g->exclusive ? codes[code] :
			    min(codes[code], IOMMU_PAGE_RESP_INVALID));

	return 0;
}
EXPORT_SYMBOL_GPL(gpasid_fault_respond);

/*
 * Resets
 */

/*
 * Free the groups of @gdev that are on @q without an answer: the device no
 * longer expects one.  No answer is in progress when this returns.
 */
static void gpasid_queue_reset(struct gpasid_fault_queue *q,
			       struct gpasid_device *gdev)
{
	struct gpasid_fault_group *g, *next;
	LIST_HEAD(ended);

	guard(mutex)(&q->answer);
	scoped_guard(spinlock, &q->lock)
		list_for_each_entry_safe(g, next, &q->groups, node) {
			if (g->gdev != gdev)
				continue;
			gpasid_group_take(q, g);
			list_add_tail(&g->node, &ended);
		}
	list_for_each_entry_safe(g, next, &ended, node) {
		iopf_free_group(g->iopf);
		kfree(g);
	}
}

/*
 * The bindings of a device belong to one VM, or to a few VMs if the device is
 * shared.  PASIDs of the device's own number space have no queue here: the
 * fault queue of their HWPT frees their groups.
 */
static void gpasid_fault_reset(struct device *dev)
{
	struct gpasid_device *gdev = gpasid_device_find(dev);
	struct gpasid_fault_queue *q;
	struct ioasid_set *set = NULL;
	struct gpasid_binding *b;
	unsigned long index;

	if (!gdev)
		return;
	for (index = 0; ; index++) {
		q = NULL;
		scoped_guard(rcu) {
			b = xa_find(&gdev->bindings, &index, ULONG_MAX, XA_PRESENT);
			if (b && !b->att->own && b->set != set) {
				set = b->set;
				q = gpasid_queue_get(set);
			}
		}
		if (!b)
			break;
		if (q) {
			gpasid_queue_reset(q, gdev);
			gpasid_queue_put(q);
		}
		cond_resched();
	}
	gpasid_device_put(gdev);
}

static const struct iommu_gpasid_iopf_ops gpasid_iopf_ops = {
	.claims = gpasid_fault_claims,
	.handle = gpasid_fault_handle,
	.alloc = gpasid_fault_alloc,
	.reset = gpasid_fault_reset,
};

void gpasid_fault_init(void)
{
	iommu_gpasid_set_iopf_ops(&gpasid_iopf_ops);
}

void gpasid_fault_exit(void)
{
	iommu_gpasid_set_iopf_ops(NULL);
}
