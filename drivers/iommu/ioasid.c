// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOASID sets: host PASIDs as objects, with an owner, a life and a second
 * number that its owner chooses.
 *
 * This file owns numbers, sets, SPIDs, references and the delivery of events.
 * It knows nothing of devices, page tables or an IOMMU. The numbers come out of
 * the kernel's global PASID allocator, so that none of them can ever equal the
 * PASID of a process that uses native SVA.
 *
 * Two tables answer the look-ups: ioasid_numbers, host-wide, leads from a number
 * to its IOASID, and the table of each set from a SPID to a number. A slot of the
 * SPID table holds the number itself: one load decides what the answer is, so a
 * look-up cannot mix an old object with a new number.
 *
 * A set has two counts. @users are the references that callers hold; when the
 * last is put, the set accepts nothing more and frees what it has. @refs keeps
 * the memory: one for all users together, one per IOASID, per registered
 * subscriber and per queued work.
 *
 * Locks:
 *
 *	ioasid_set.lock		irqsave. State, references, SPID and counts of every
 *				IOASID of the set, and the lists of the set
 *	ioasid_tab.lock		irqsave, inside ioasid_set.lock. The nodes of a table.
 *				What a slot holds belongs to ioasid_set.lock
 *	ioasid_pool.lock	irqsave, inside ioasid_set.lock. Ceiling, total, cursors
 *	ioasid_sets_lock	irqsave, innermost. All sets, and the tokens
 *	ioasid_chain_lock	process context, taken alone. All chains of subscribers,
 *				the calls in flight, how far a replay has come
 *	IOASID_BUSY		a bit lock per IOASID, sleeping, taken with no spinlock
 *				held. Held while subscribers are told about the IOASID;
 *				protects its list of BINDs
 *
 * Which subscriber is told what: sets, IOASIDs, BINDs and registrations take a
 * stamp from one counter, ioasid_clock. A subscriber is told live about what has
 * a later stamp than its registration. What is older comes from the replay, if it
 * asked for one. The replay goes through sets and IOASIDs in the order of their
 * stamps, holding IOASID_BUSY of the one that it is at. Until it has come to an
 * IOASID, live events of that IOASID pass the subscriber by.
 */
#define pr_fmt(fmt) "ioasid: " fmt

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/hashtable.h>
#include <linux/ioasid.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "ioasid_priv.h"

/* 20 bits of index: 7 for the top, 7 for the middle, 6 for the leaf */
#define TAB_LEAF_BITS	6
#define TAB_NODE_BITS	7
#define TAB_LEAF_SLOTS	BIT(TAB_LEAF_BITS)
#define TAB_NODE_SLOTS	BIT(TAB_NODE_BITS)

/**
 * struct ioasid_leaf - the last level of a table
 * @rcu: frees it after the last reader
 * @used: slots that are reserved or hold something; at 0 the leaf goes
 * @num: slots of a SPID table, 0 for none
 * @obj: slots of the table of numbers
 *
 * Belongs to the table. @used is protected by the lock of the table.
 */
struct ioasid_leaf {
	struct rcu_head rcu;
	unsigned int used;
	union {
		DECLARE_FLEX_ARRAY(u32, num);
		DECLARE_FLEX_ARRAY(struct ioasid __rcu *, obj);
	};
};

/**
 * struct ioasid_mid - the middle level of a table
 * @leaf: written under the lock of the table
 *
 * Stays until the table goes: 128 of them are all that a table can have.
 */
struct ioasid_mid {
	struct ioasid_leaf __rcu *leaf[TAB_NODE_SLOTS];
};

/**
 * struct ioasid_tab - a map of 20-bit numbers, read under RCU
 * @lock: protects the nodes
 * @leaf_cache: where leaves come from; tells the type of the slots too
 * @mid: written under @lock, set once
 */
struct ioasid_tab {
	spinlock_t lock;	/* of the nodes */
	struct kmem_cache *leaf_cache;
	struct ioasid_mid __rcu *mid[TAB_NODE_SLOTS] ____cacheline_aligned_in_smp;
};

enum ioasid_flags {
	IOASID_BUSY,		/* the bit lock: subscribers are being told */
	IOASID_PENDING,		/* FREE_PENDING, or gone; written under set->lock */
	IOASID_TOLD,		/* the FREE event is out; written under IOASID_BUSY */
};

/**
 * struct ioasid_bind - one BIND that is not over
 * @next: the one before
 * @stamp: when it was made
 * @arg: what the caller of ioasid_notify() gave
 *
 * Belongs to the IOASID. Protected by its IOASID_BUSY.
 */
struct ioasid_bind {
	struct ioasid_bind *next;
	u64 stamp;
	void *arg;
};

#define IOASID_TAKERS	3

/**
 * struct ioasid - one number that a set owns
 * @set: its set, whose memory it keeps
 * @data: private data of the caller of ioasid_alloc()
 * @node: in ioasid_set.ids, from allocation until gone
 * @flags: see enum ioasid_flags
 * @stamp: when it was allocated
 * @id: the number
 * @spid: what ioasid_spid() answers; INVALID_IOASID once FREE_PENDING
 * @old_spid: the SPID that the free took away, for the subscribers
 * @gets: references of callers
 * @pins: references of this file: one for the allocation until the subscribers
 *	have been told of the free, one for whoever has IOASID_BUSY or wants it
 * @binds: BINDs that are not over, the latest first
 * @takers: who took references since there were none; the first few of them
 * @more_takers: there are others
 * @freed: jiffies at the free
 * @next: the queue of the worker of the set
 * @rcu: frees it after the last reader
 *
 * Protected by set->lock unless said otherwise. @set, @id and @stamp never
 * change. Dies when @gets and @pins are both 0.
 */
struct ioasid {
	struct ioasid_set *set;
	void *data;
	struct list_head node;
	unsigned long flags;
	u64 stamp;
	u32 id;
	u32 spid;
	u32 old_spid;
	u32 gets;
	u32 pins;
	bool more_takers;
	struct ioasid_bind *binds;
	unsigned long takers[IOASID_TAKERS];
	unsigned long freed;
	union {
		struct ioasid *next;
		struct rcu_head rcu;
	};
};

/**
 * struct ioasid_set - all IOASIDs of one owner
 * @lock: see the top of this file
 * @users: references of callers
 * @refs: references on the memory
 * @type: what @token is
 * @token: what it is found by; NULL once disowned
 * @mm: the mm that @token is or was, with a reference
 * @by_token: in ioasid_tokens
 * @node: in ioasid_sets until @refs is 0, under RCU
 * @stamp: when it was made
 * @dead: the last user has gone
 * @quota: how many IOASIDs it may have
 * @coming: IOASIDs that are being allocated
 * @active: IOASIDs that are ACTIVE
 * @pending: IOASIDs that are FREE_PENDING
 * @spids: SPIDs attached
 * @ids: all IOASIDs that are not gone, in the order of their stamps
 * @queue: FREE_PENDING ones whose subscribers have not been told, oldest first
 * @queue_end: where the next one goes
 * @queued: how many have ever been put on @queue
 * @told: how many of them are done
 * @drains: those who wait for @told to grow, in the order in which they can go on
 * @work: tells the subscribers
 * @release: the end of the set
 * @chain: subscribers of this set alone
 * @spid_tab: SPID to number
 */
struct ioasid_set {
	spinlock_t lock;	/* of the set and its IOASIDs */
	refcount_t users;
	refcount_t refs;
	enum ioasid_set_type type;
	void *token;
	struct mm_struct *mm;
	struct hlist_node by_token;
	struct list_head node;
	u64 stamp;
	bool dead;
	u32 quota;
	u32 coming;
	u32 active;
	u32 pending;
	u32 spids;
	struct list_head ids;
	struct ioasid *queue;
	struct ioasid **queue_end;
	u64 queued;
	u64 told;
	struct list_head drains;
	struct work_struct work;
	struct rcu_work release;
	struct list_head chain;
	struct ioasid_tab spid_tab;
};

/* Someone who waits in ioasid_drain() until ioasid_set.told is @count */
struct ioasid_drain {
	struct list_head node;
	u64 count;
	struct completion done;
};

/* Where the next number of one range is looked for: after the last one issued */
struct ioasid_cursor {
	ioasid_t min;
	ioasid_t max;
	ioasid_t next;
	u64 used;
};

/*
 * All numbers of a certain width is what devices take: each width has its cursor
 * that nobody else can push out. Other ranges share a few.
 */
#define IOASID_BITS		20
#define IOASID_CURSORS		16
#define IOASID_DEFAULT_QUOTA	65536

static struct {
	spinlock_t lock;	/* of the whole structure */
	u32 ceiling;
	u32 default_quota;
	u32 total;
	u64 tick;
	struct ioasid_cursor width[IOASID_BITS + 1];
	struct ioasid_cursor other[IOASID_CURSORS];
} ioasid_pool = {
	.lock = __SPIN_LOCK_UNLOCKED(ioasid_pool.lock),
	.ceiling = IOASID_MAX,
	.default_quota = IOASID_DEFAULT_QUOTA,
};

/* A call of a subscriber in flight. @nb may be gone: it is only compared with */
struct ioasid_call {
	struct list_head node;
	struct task_struct *task;
	struct ioasid_notifier *nb;
	void *fn;
	struct ioasid *ioasid;
};

static struct ioasid_tab ioasid_numbers;
static atomic64_t ioasid_clock;

static DEFINE_SPINLOCK(ioasid_sets_lock);
static LIST_HEAD(ioasid_sets);
static DEFINE_HASHTABLE(ioasid_tokens, 8);

static DEFINE_SPINLOCK(ioasid_chain_lock);
static LIST_HEAD(ioasid_chain);
static LIST_HEAD(ioasid_calls);
static DECLARE_WAIT_QUEUE_HEAD(ioasid_call_over);

static struct workqueue_struct *ioasid_wq;
static struct kmem_cache *ioasid_cache;
static struct kmem_cache *ioasid_num_cache;
static struct kmem_cache *ioasid_obj_cache;
static struct dentry *ioasid_debugfs;

/* Lets the KUnit suite look at the reference count of the module. */
VISIBLE_IF_KUNIT __maybe_unused struct module *ioasid_owner(void)
{
	return THIS_MODULE;
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_owner);

static u64 ioasid_stamp(void)
{
	return atomic64_inc_return(&ioasid_clock);
}

/*
 * Every allocation asks this first, so that the KUnit suite can make each of
 * them fail. It costs nothing without KUnit.
 */
VISIBLE_IF_KUNIT bool ioasid_out_of_memory(void)
{
	KUNIT_STATIC_STUB_REDIRECT(ioasid_out_of_memory);
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_out_of_memory);

/* What a user can make grow is charged to that user's memory cgroup. */
static void *ioasid_zalloc_cache(struct kmem_cache *cache)
{
	if (ioasid_out_of_memory())
		return NULL;
	return kmem_cache_zalloc(cache, GFP_KERNEL_ACCOUNT);
}

static void *ioasid_zalloc(size_t size)
{
	if (ioasid_out_of_memory())
		return NULL;
	return kzalloc(size, GFP_KERNEL_ACCOUNT);
}

/*
 * Tables
 */

static unsigned int tab_top(u32 index)
{
	return index >> (TAB_LEAF_BITS + TAB_NODE_BITS);
}

static unsigned int tab_middle(u32 index)
{
	return (index >> TAB_LEAF_BITS) & (TAB_NODE_SLOTS - 1);
}

static unsigned int tab_slot(u32 index)
{
	return index & (TAB_LEAF_SLOTS - 1);
}

static void tab_init(struct ioasid_tab *tab, struct kmem_cache *leaf_cache)
{
	spin_lock_init(&tab->lock);
	tab->leaf_cache = leaf_cache;
}

/* When nobody reads or writes the table, and all leaves have gone */
static void tab_destroy(struct ioasid_tab *tab)
{
	unsigned int i;

	for (i = 0; i < TAB_NODE_SLOTS; i++)
		kfree(rcu_dereference_protected(tab->mid[i], true));
}

/* The leaf that holds @index, under RCU or tab->lock; @index has 20 bits */
static __always_inline struct ioasid_leaf *tab_leaf(struct ioasid_tab *tab,
						    u32 index)
{
	struct ioasid_mid *mid;

	mid = rcu_dereference_check(tab->mid[tab_top(index)],
				    lockdep_is_held(&tab->lock));
	if (!mid)
		return NULL;
	return rcu_dereference_check(mid->leaf[tab_middle(index)],
				     lockdep_is_held(&tab->lock));
}

/* Take what is missing on the way to @index from *@mid and *@leaf. */
static bool tab_try_reserve(struct ioasid_tab *tab, u32 index,
			    struct ioasid_mid **mid, struct ioasid_leaf **leaf)
{
	struct ioasid_mid __rcu **top = &tab->mid[tab_top(index)];
	struct ioasid_leaf *pos;

	guard(spinlock_irqsave)(&tab->lock);
	if (!rcu_access_pointer(*top) && *mid) {
		rcu_assign_pointer(*top, *mid);
		*mid = NULL;
	}
	if (!rcu_access_pointer(*top))
		return false;
	pos = tab_leaf(tab, index);
	if (!pos) {
		pos = *leaf;
		if (!pos)
			return false;
		*leaf = NULL;
		rcu_assign_pointer(rcu_dereference_protected(*top, lockdep_is_held(&tab->lock))
				   ->leaf[tab_middle(index)], pos);
	}
	pos->used++;
	return true;
}

/*
 * Make sure that the slot of @index exists until tab_release(). Storing into it
 * cannot fail then.
 */
static int tab_reserve(struct ioasid_tab *tab, u32 index)
{
	struct ioasid_leaf *leaf = NULL;
	struct ioasid_mid *mid = NULL;
	int ret = 0;

	if (tab_try_reserve(tab, index, &mid, &leaf))
		return 0;

	leaf = ioasid_zalloc_cache(tab->leaf_cache);
	if (!leaf)
		return -ENOMEM;
	if (!rcu_access_pointer(tab->mid[tab_top(index)])) {
		mid = ioasid_zalloc(sizeof(*mid));
		if (!mid)
			ret = -ENOMEM;
	}
	if (!ret)
		WARN_ON(!tab_try_reserve(tab, index, &mid, &leaf));
	if (leaf)
		kmem_cache_free(tab->leaf_cache, leaf);
	kfree(mid);
	return ret;
}

static void tab_release(struct ioasid_tab *tab, u32 index)
{
	struct ioasid_leaf *leaf;
	struct ioasid_mid *mid;

	guard(spinlock_irqsave)(&tab->lock);
	mid = rcu_dereference_protected(tab->mid[tab_top(index)],
					lockdep_is_held(&tab->lock));
	leaf = rcu_dereference_protected(mid->leaf[tab_middle(index)],
					 lockdep_is_held(&tab->lock));
	if (--leaf->used)
		return;
	RCU_INIT_POINTER(mid->leaf[tab_middle(index)], NULL);
	kfree_rcu(leaf, rcu);
}

/*
 * Acquire, and release in spid_store(): who reads that SPID s is number b also
 * sees that the number that s had before has it no longer.
 */
static __always_inline u32 spid_load(struct ioasid_set *set, ioasid_t spid)
{
	struct ioasid_leaf *leaf = tab_leaf(&set->spid_tab, spid);

	if (!leaf)
		return 0;
	/* Pairs with spid_store() */
	return smp_load_acquire(&leaf->num[tab_slot(spid)]);
}

/* Under set->lock, with the slot reserved */
static void spid_store(struct ioasid_set *set, ioasid_t spid, u32 num)
{
	struct ioasid_leaf *leaf;

	guard(rcu)();
	leaf = tab_leaf(&set->spid_tab, spid);
	/* Pairs with spid_load() */
	smp_store_release(&leaf->num[tab_slot(spid)], num);
}

/* Under RCU. @set NULL: whatever set it belongs to */
static __always_inline struct ioasid *number_load(struct ioasid_set *set,
						  ioasid_t id)
{
	struct ioasid_leaf *leaf;
	struct ioasid *ioasid;

	if (id > IOASID_MAX)
		return NULL;
	leaf = tab_leaf(&ioasid_numbers, id);
	if (!leaf)
		return NULL;
	ioasid = rcu_dereference(leaf->obj[tab_slot(id)]);
	if (!ioasid || (set && ioasid->set != set))
		return NULL;
	return ioasid;
}

/* Under the lock of the set, with the slot reserved */
static void number_store(ioasid_t id, struct ioasid *ioasid)
{
	guard(rcu)();
	rcu_assign_pointer(tab_leaf(&ioasid_numbers, id)->obj[tab_slot(id)],
			   ioasid);
}

/*
 * The pool: ceiling, default quota, and numbers in cyclic order
 */

VISIBLE_IF_KUNIT u32 ioasid_ceiling(void)
{
	return READ_ONCE(ioasid_pool.ceiling);
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_ceiling);

VISIBLE_IF_KUNIT int ioasid_set_ceiling(u32 ceiling)
{
	if (!ceiling || ceiling > IOASID_MAX)
		return -EINVAL;
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	if (ceiling < ioasid_pool.total)
		return -EBUSY;
	WRITE_ONCE(ioasid_pool.ceiling, ceiling);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_set_ceiling);

/* IOASIDs that exist or are being allocated */
VISIBLE_IF_KUNIT __maybe_unused u32 ioasid_total(void)
{
	return READ_ONCE(ioasid_pool.total);
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_total);

static int ceiling_set(const char *val, const struct kernel_param *kp)
{
	u32 ceiling;

	return kstrtou32(val, 0, &ceiling) ?: ioasid_set_ceiling(ceiling);
}

static int ceiling_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%u\n", ioasid_ceiling());
}

static const struct kernel_param_ops ceiling_ops = {
	.set = ceiling_set,
	.get = ceiling_get,
};
module_param_cb(ceiling, &ceiling_ops, NULL, 0644);
MODULE_PARM_DESC(ceiling,
		 "How many IOASIDs all sets together may have (default: all 2^20 - 1)");

static int default_quota_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, IOASID_MAX);
}

static const struct kernel_param_ops default_quota_ops = {
	.set = default_quota_set,
	.get = param_get_uint,
};
module_param_cb(default_quota, &default_quota_ops, &ioasid_pool.default_quota, 0644);
MODULE_PARM_DESC(default_quota,
		 "Quota of a set that does not ask for one (default: "
		 __stringify(IOASID_DEFAULT_QUOTA) ")");

/* What a caller asks for as a quota, or what it gets instead; 0 if refused */
static u32 pool_quota(u32 quota)
{
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	if (!quota)
		return min(ioasid_pool.default_quota, ioasid_pool.ceiling);
	return quota <= ioasid_pool.ceiling ? quota : 0;
}

static int pool_charge(void)
{
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	if (ioasid_pool.total >= ioasid_pool.ceiling)
		return -ENOSPC;
	ioasid_pool.total++;
	return 0;
}

static void pool_uncharge(void)
{
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	ioasid_pool.total--;
}

/* The cursor of a range; the one that has been idle longest is given up for it */
static struct ioasid_cursor *pool_cursor(ioasid_t min, ioasid_t max)
{
	struct ioasid_cursor *pos, *oldest = ioasid_pool.other;

	lockdep_assert_held(&ioasid_pool.lock);
	if (min == IOASID_MIN && !(max & (max + 1)))
		return &ioasid_pool.width[fls(max)];
	for (pos = oldest; pos < ioasid_pool.other + IOASID_CURSORS; pos++) {
		if (pos->min == min && pos->max == max)
			goto found;
		if (pos->used < oldest->used)
			oldest = pos;
	}
	pos = oldest;
	*pos = (struct ioasid_cursor) { .min = min, .max = max };
found:
	pos->used = ++ioasid_pool.tick;
	return pos;
}

/* Where to look first. Moves on at once, so that two callers do not meet */
static ioasid_t pool_claim(ioasid_t min, ioasid_t max)
{
	struct ioasid_cursor *cursor;
	ioasid_t start;

	/* Whoever wants one certain number shall not push out a cursor */
	if (min == max)
		return min;
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	cursor = pool_cursor(min, max);
	start = cursor->next >= min && cursor->next <= max ? cursor->next : min;
	cursor->next = start + 1;
	return start;
}

/* Unless others went on from there: the cursor never goes back */
static void pool_issued(ioasid_t min, ioasid_t max, ioasid_t start, ioasid_t id)
{
	struct ioasid_cursor *cursor;

	guard(spinlock_irqsave)(&ioasid_pool.lock);
	cursor = pool_cursor(min, max);
	if (cursor->next == start + 1)
		cursor->next = id + 1;
}

/* The first free number after the one issued last */
static int pool_number(ioasid_t min, ioasid_t max)
{
	ioasid_t start = pool_claim(min, max);
	int id;

	if (ioasid_out_of_memory())
		return -ENOMEM;
	id = iommu_global_pasid_alloc_range(start, max);
	/* Not only what is below @start: only one look at all numbers can tell */
	if (id == -ENOSPC && start > min)
		id = iommu_global_pasid_alloc_range(min, max);
	if (id > 0 && id != start)
		pool_issued(min, max, start, id);
	return id;
}

/*
 * References and states
 */

static void set_release_work(struct work_struct *work)
{
	struct ioasid_set *set = container_of(to_rcu_work(work),
					      struct ioasid_set, release);

	if (set->mm)
		mmdrop(set->mm);
	tab_destroy(&set->spid_tab);
	kfree(set);
	module_put(THIS_MODULE);
}

static void set_ref(struct ioasid_set *set)
{
	refcount_inc(&set->refs);
}

/* Any context: the rest waits for readers and needs process context */
static void set_unref(struct ioasid_set *set)
{
	if (refcount_dec_not_one(&set->refs))
		return;
	scoped_guard(spinlock_irqsave, &ioasid_sets_lock) {
		/* Against set_next(), which takes a reference under the lock */
		if (!refcount_dec_and_test(&set->refs))
			return;
		list_del_rcu(&set->node);
	}
	queue_rcu_work(ioasid_wq, &set->release);
}

static bool ioasid_is_active(const struct ioasid *ioasid)
{
	return !test_bit(IOASID_PENDING, &ioasid->flags);
}

/* The last reference has gone: the number goes back to the pool. */
static void ioasid_gone(struct ioasid *ioasid)
{
	struct ioasid_set *set = ioasid->set;

	lockdep_assert_held(&set->lock);
	number_store(ioasid->id, NULL);
	tab_release(&ioasid_numbers, ioasid->id);
	iommu_free_global_pasid(ioasid->id);
	pool_uncharge();
	list_del(&ioasid->node);
	set->pending--;
	kfree_rcu(ioasid, rcu);
}

/* Returns true if it is gone, and with it a reference on the set to be dropped */
static bool ioasid_unpin_locked(struct ioasid *ioasid)
{
	lockdep_assert_held(&ioasid->set->lock);
	if (--ioasid->pins || ioasid->gets)
		return false;
	ioasid_gone(ioasid);
	return true;
}

static void ioasid_unpin(struct ioasid *ioasid)
{
	struct ioasid_set *set = ioasid->set;
	bool gone;

	scoped_guard(spinlock_irqsave, &set->lock)
		gone = ioasid_unpin_locked(ioasid);
	if (gone)
		set_unref(set);
}

/* Find and pin. A FREE_PENDING one counts if @pending. */
static struct ioasid *ioasid_pin(struct ioasid_set *set, ioasid_t id,
				 bool pending)
{
	struct ioasid *ioasid;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return NULL;
	guard(spinlock_irqsave)(&ioasid->set->lock);
	if (!ioasid->pins && !ioasid->gets)
		return NULL;
	if (!pending && !ioasid_is_active(ioasid))
		return NULL;
	ioasid->pins++;
	return ioasid;
}

/*
 * Step through the IOASIDs of a set without its lock, up to the stamp @last: pins
 * the one after @prev, the first if that is NULL, and unpins @prev.
 */
static struct ioasid *ioasid_next(struct ioasid_set *set, struct ioasid *prev,
				  u64 last)
{
	struct ioasid *next = NULL;
	bool gone = false;

	scoped_guard(spinlock_irqsave, &set->lock) {
		struct list_head *pos = prev ? &prev->node : &set->ids;

		if (!list_is_last(pos, &set->ids)) {
			next = list_entry(pos->next, struct ioasid, node);
			if (next->stamp <= last)
				next->pins++;
			else
				next = NULL;
		}
		if (prev)
			gone = ioasid_unpin_locked(prev);
	}
	if (gone)
		set_unref(set);
	return next;
}

/*
 * Delivery of events
 */

#ifdef CONFIG_LOCKDEP
/*
 * Lets lockdep see that whoever waits for a subscriber depends on every lock
 * that a subscriber takes.
 */
static struct lockdep_map ioasid_notify_map =
	STATIC_LOCKDEP_MAP_INIT("ioasid_notify", &ioasid_notify_map);

static void notify_map_enter(void)
{
	lock_map_acquire_read(&ioasid_notify_map);
}

static void notify_map_leave(void)
{
	lock_map_release(&ioasid_notify_map);
}

static void notify_map_wait(void)
{
	lock_map_acquire(&ioasid_notify_map);
	lock_map_release(&ioasid_notify_map);
}
#else
static void notify_map_enter(void) { }
static void notify_map_leave(void) { }
static void notify_map_wait(void) { }
#endif

static void ioasid_lock_events(struct ioasid *ioasid)
{
	notify_map_wait();
	wait_on_bit_lock(&ioasid->flags, IOASID_BUSY, TASK_UNINTERRUPTIBLE);
}

static void ioasid_unlock_events(struct ioasid *ioasid)
{
	clear_and_wake_up_bit(IOASID_BUSY, &ioasid->flags);
}

/* Does the current task run inside a subscriber? */
static bool ioasid_in_callback(void)
{
	struct ioasid_call *call;

	guard(spinlock)(&ioasid_chain_lock);
	list_for_each_entry(call, &ioasid_calls, node)
		if (call->task == current)
			return true;
	return false;
}

/* No task but the current one runs inside @nb or registers it */
static bool notifier_is_idle(struct ioasid_notifier *nb)
{
	struct ioasid_call *call;

	guard(spinlock)(&ioasid_chain_lock);
	if (nb->replayer && nb->replayer != current)
		return false;
	list_for_each_entry(call, &ioasid_calls, node)
		if (call->nb == nb && call->task != current)
			return false;
	return true;
}

/* One event on its way through the subscribers; whoever sends it has IOASID_BUSY */
struct ioasid_walk {
	struct ioasid *ioasid;
	enum ioasid_event ev;
	void *arg;
	u64 stamp;	/* of what the event begins or ends, 0 for FREE */
	u64 key;	/* of the subscriber told last */
};

static bool event_is_teardown(enum ioasid_event ev)
{
	return ev == IOASID_UNBIND || ev == IOASID_FREE;
}

/* Has the replay of @nb yet to come to @ioasid? */
static bool replay_is_before(const struct ioasid_notifier *nb,
			     const struct ioasid *ioasid)
{
	const struct ioasid_set *set = ioasid->set;

	if (!nb->replayer || ioasid->stamp > nb->seq)
		return false;
	if (set->stamp != nb->replay_set)
		return set->stamp > nb->replay_set;
	return ioasid->stamp > nb->replay_id;
}

static bool walk_concerns(const struct ioasid_walk *walk,
			  const struct ioasid_notifier *nb)
{
	if (nb->dead || replay_is_before(nb, walk->ioasid))
		return false;
	if (walk->stamp > nb->seq)
		return true;
	/* Older than the subscriber: it knows by replay or not at all */
	return walk->ev == IOASID_FREE ||
	       (walk->ev == IOASID_UNBIND && nb->replay);
}

/* The subscriber of @chain that comes next after walk->key */
static struct ioasid_notifier *walk_peek(const struct ioasid_walk *walk,
					 struct list_head *chain)
{
	struct ioasid_notifier *nb;

	if (event_is_teardown(walk->ev)) {
		list_for_each_entry_reverse(nb, chain, node)
			if (nb->key < walk->key && walk_concerns(walk, nb))
				return nb;
	} else {
		list_for_each_entry(nb, chain, node)
			if (nb->key > walk->key && walk_concerns(walk, nb))
				return nb;
	}
	return NULL;
}

/*
 * Merges the chain for all sets with that of the set. Goes by key and not by
 * position, since subscribers come and go while one of them is being called.
 */
static struct ioasid_notifier *walk_next(struct ioasid_walk *walk)
{
	struct ioasid_notifier *all = walk_peek(walk, &ioasid_chain);
	struct ioasid_notifier *own = walk_peek(walk, &walk->ioasid->set->chain);

	lockdep_assert_held(&ioasid_chain_lock);
	if (!all || !own)
		return all ?: own;
	return (all->key < own->key) != event_is_teardown(walk->ev) ? all : own;
}

/* Drops and takes ioasid_chain_lock. @nb may be gone afterwards. */
static int notifier_call(struct ioasid_notifier *nb, struct ioasid *ioasid,
			 enum ioasid_event ev, void *arg)
	__releases(&ioasid_chain_lock) __acquires(&ioasid_chain_lock)
{
	struct ioasid_event_info info = {
		.set = ioasid->set,
		.id = ioasid->id,
		.arg = arg,
	};
	struct ioasid_call call = {
		.task = current,
		.nb = nb,
		.fn = nb->notify,
		.ioasid = ioasid,
	};
	int ret;

	list_add(&call.node, &ioasid_calls);
	spin_unlock(&ioasid_chain_lock);

	scoped_guard(spinlock_irqsave, &info.set->lock) {
		info.data = ioasid->data;
		info.spid = ioasid_is_active(ioasid) ? ioasid->spid :
						       ioasid->old_spid;
	}
	notify_map_enter();
	ret = nb->notify(nb, ev, &info);
	notify_map_leave();

	spin_lock(&ioasid_chain_lock);
	list_del(&call.node);
	wake_up_all(&ioasid_call_over);
	return ev == IOASID_BIND && ret < 0 ? ret : 0;
}

/* Tell all whom it concerns; stops at the first one that refuses. */
static int walk_run(struct ioasid_walk *walk)
{
	struct ioasid_notifier *nb;
	int ret = 0;

	spin_lock(&ioasid_chain_lock);
	while (!ret) {
		nb = walk_next(walk);
		if (!nb)
			break;
		walk->key = nb->key;
		ret = notifier_call(nb, walk->ioasid, walk->ev, walk->arg);
	}
	spin_unlock(&ioasid_chain_lock);
	return ret;
}

static void ioasid_tell(struct ioasid *ioasid, enum ioasid_event ev, void *arg,
			u64 stamp)
{
	struct ioasid_walk walk = {
		.ioasid = ioasid,
		.ev = ev,
		.arg = arg,
		.stamp = stamp,
		.key = event_is_teardown(ev) ? U64_MAX : 0,
	};

	walk_run(&walk);
}

/* A BIND that one subscriber refuses is taken back from those told before. */
static int ioasid_tell_bind(struct ioasid *ioasid, struct ioasid_bind *bind)
{
	struct ioasid_walk walk = {
		.ioasid = ioasid,
		.ev = IOASID_BIND,
		.arg = bind->arg,
	};
	int ret;

	bind->stamp = ioasid_stamp();
	walk.stamp = bind->stamp;
	ret = walk_run(&walk);
	if (ret) {
		walk.ev = IOASID_UNBIND;
		walk_run(&walk);
	}
	return ret;
}

static void ioasid_tell_unbind(struct ioasid *ioasid, struct ioasid_bind **link)
{
	struct ioasid_bind *bind = *link;

	*link = bind->next;
	ioasid_tell(ioasid, IOASID_UNBIND, bind->arg, bind->stamp);
	kfree(bind);
}

/* Everything that the subscribers have to hear about a free */
static void ioasid_tell_free(struct ioasid *ioasid)
{
	ioasid_lock_events(ioasid);
	while (ioasid->binds)
		ioasid_tell_unbind(ioasid, &ioasid->binds);
	ioasid_tell(ioasid, IOASID_FREE, NULL, 0);
	set_bit(IOASID_TOLD, &ioasid->flags);
	ioasid_unlock_events(ioasid);
}

static struct ioasid *set_dequeue(struct ioasid_set *set)
{
	struct ioasid *ioasid;

	guard(spinlock_irqsave)(&set->lock);
	ioasid = set->queue;
	if (!ioasid)
		return NULL;
	set->queue = ioasid->next;
	if (!set->queue)
		set->queue_end = &set->queue;
	return ioasid;
}

static void set_told(struct ioasid_set *set)
{
	struct ioasid_drain *drain, *next;

	lockdep_assert_held(&set->lock);
	set->told++;
	list_for_each_entry_safe(drain, next, &set->drains, node) {
		if (drain->count > set->told)
			break;
		list_del(&drain->node);
		complete(&drain->done);
	}
}

static void set_work(struct work_struct *work)
{
	struct ioasid_set *set = container_of(work, struct ioasid_set, work);
	struct ioasid *ioasid;
	bool gone;

	while ((ioasid = set_dequeue(set))) {
		ioasid_tell_free(ioasid);
		scoped_guard(spinlock_irqsave, &set->lock) {
			gone = ioasid_unpin_locked(ioasid);
			set_told(set);
		}
		if (gone)
			set_unref(set);
		cond_resched();
	}
	set_unref(set);
}

static void set_queue_work(struct ioasid_set *set)
{
	/* Each run of the work drops one */
	set_ref(set);
	if (!queue_work(ioasid_wq, &set->work))
		set_unref(set);
}

static void ioasid_unlink_spid(struct ioasid *ioasid)
{
	struct ioasid_set *set = ioasid->set;
	ioasid_t spid = ioasid->spid;

	lockdep_assert_held(&set->lock);
	WRITE_ONCE(ioasid->spid, INVALID_IOASID);
	spid_store(set, spid, 0);
	tab_release(&set->spid_tab, spid);
	set->spids--;
}

/* ACTIVE to FREE_PENDING */
static void ioasid_free_locked(struct ioasid *ioasid)
{
	struct ioasid_set *set = ioasid->set;

	lockdep_assert_held(&set->lock);
	ioasid->old_spid = ioasid->spid;
	if (ioasid->spid != INVALID_IOASID)
		ioasid_unlink_spid(ioasid);
	ioasid->freed = jiffies;
	set_bit(IOASID_PENDING, &ioasid->flags);
	set->active--;
	set->pending++;

	ioasid->next = NULL;
	*set->queue_end = ioasid;
	set->queue_end = &ioasid->next;
	set->queued++;
}

/*
 * Sets
 */

static struct ioasid_set *set_find_locked(void *token)
{
	struct ioasid_set *set;

	lockdep_assert_held(&ioasid_sets_lock);
	hash_for_each_possible(ioasid_tokens, set, by_token, (unsigned long)token)
		if (set->token == token)
			return set;
	return NULL;
}

static void set_disown_locked(struct ioasid_set *set)
{
	lockdep_assert_held(&ioasid_sets_lock);
	hash_del(&set->by_token);
	set->token = NULL;
}

static int set_insert(struct ioasid_set *set)
{
	guard(spinlock_irqsave)(&ioasid_sets_lock);
	if (set->token) {
		if (set_find_locked(set->token))
			return -EEXIST;
		hash_add(ioasid_tokens, &set->by_token,
			 (unsigned long)set->token);
	}
	set->stamp = ioasid_stamp();
	list_add_tail_rcu(&set->node, &ioasid_sets);
	return 0;
}

static struct ioasid_set *set_new(void *token, u32 quota,
				  enum ioasid_set_type type)
{
	struct ioasid_set *set = ioasid_zalloc(sizeof(*set));

	if (!set)
		return NULL;
	spin_lock_init(&set->lock);
	refcount_set(&set->users, 1);
	refcount_set(&set->refs, 1);
	set->type = type;
	set->token = token;
	set->quota = quota;
	INIT_HLIST_NODE(&set->by_token);
	INIT_LIST_HEAD(&set->ids);
	INIT_LIST_HEAD(&set->chain);
	set->queue_end = &set->queue;
	INIT_LIST_HEAD(&set->drains);
	INIT_WORK(&set->work, set_work);
	INIT_RCU_WORK(&set->release, set_release_work);
	tab_init(&set->spid_tab, ioasid_num_cache);
	return set;
}

/**
 * ioasid_set_alloc - make a set of IOASIDs
 * @token: what the set stands for, NULL for %IOASID_SET_TYPE_NULL
 * @quota: how many IOASIDs it may have; 0 for the default that the
 *	administrator has chosen
 * @type: what @token is
 *
 * The quota is a limit and not a reservation: the quotas of all sets together may
 * exceed the host-wide ceiling, while the IOASIDs that exist cannot.
 *
 * The module stays loaded as long as the set exists.
 *
 * Context: Process context. May sleep.
 * Return: The set with one reference, for ioasid_set_put(), or an ERR_PTR():
 * -EINVAL if @token does not go with @type, -EEXIST if @token has a set,
 * -ENOSPC if @quota exceeds the ceiling, -ENOMEM, -ENODEV if the module is being
 * unloaded.
 */
struct ioasid_set *ioasid_set_alloc(void *token, u32 quota,
				    enum ioasid_set_type type)
{
	struct ioasid_set *set;
	int ret;

	if (type > IOASID_SET_TYPE_FILE)
		return ERR_PTR(-EINVAL);
	if (!token == !!type)
		return ERR_PTR(-EINVAL);
	quota = pool_quota(quota);
	if (!quota)
		return ERR_PTR(-ENOSPC);
	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENODEV);

	ret = -ENOMEM;
	set = set_new(token, quota, type);
	if (!set)
		goto err_module;
	ret = set_insert(set);
	if (ret)
		goto err_free;
	if (type == IOASID_SET_TYPE_MM) {
		set->mm = token;
		mmgrab(set->mm);
	}
	return set;

err_free:
	kfree(set);
err_module:
	module_put(THIS_MODULE);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(ioasid_set_alloc);

/**
 * ioasid_set_get - take a reference on a set
 * @set: the set; its memory must be safe to touch
 *
 * Who has a reference can always take another. It can fail only in a subscriber,
 * for the set in &struct ioasid_event_info.
 *
 * Context: Any context.
 * Return: True, or false if the last reference was put before.
 */
bool ioasid_set_get(struct ioasid_set *set)
{
	return refcount_inc_not_zero(&set->users);
}
EXPORT_SYMBOL_GPL(ioasid_set_get);

/**
 * ioasid_set_put - drop a reference on a set
 * @set: the set
 *
 * The last one frees all IOASIDs of the set, as ioasid_free_all() does. The set
 * cannot be found any more. Its subscribers are told of the frees and stay
 * registered until they unregister, which they may do with @set even now.
 *
 * Does not wait for subscribers: ioasid_free_all() and ioasid_drain() before the
 * last put do.
 *
 * Context: Any context. The last put takes time in proportion to the number of
 * IOASIDs of the set.
 */
void ioasid_set_put(struct ioasid_set *set)
{
	unsigned long flags;

	/* Under the lock: a token without a set can be given one */
	if (!refcount_dec_and_lock_irqsave(&set->users, &ioasid_sets_lock, &flags))
		return;
	set_disown_locked(set);
	spin_unlock_irqrestore(&ioasid_sets_lock, flags);
	scoped_guard(spinlock_irqsave, &set->lock)
		set->dead = true;
	ioasid_free_all(set);
	set_unref(set);
}
EXPORT_SYMBOL_GPL(ioasid_set_put);

/**
 * ioasid_set_find - find the set of an mm or a file
 * @token: what ioasid_set_alloc() was given
 *
 * Context: Any context.
 * Return: The set with a reference for ioasid_set_put(), NULL if @token has none.
 */
struct ioasid_set *ioasid_set_find(void *token)
{
	struct ioasid_set *set;

	if (!token)
		return NULL;
	guard(spinlock_irqsave)(&ioasid_sets_lock);
	set = set_find_locked(token);
	if (set)
		refcount_inc(&set->users);
	return set;
}
EXPORT_SYMBOL_GPL(ioasid_set_find);

/**
 * ioasid_set_disown - part a set from its token
 * @set: the set
 *
 * For the owner of the token, before the token goes: others may have references on
 * the set, and what comes to be at the same address later must not find it.
 * Everything else stays as it is. Calling it again does nothing.
 *
 * Context: Any context.
 */
void ioasid_set_disown(struct ioasid_set *set)
{
	guard(spinlock_irqsave)(&ioasid_sets_lock);
	set_disown_locked(set);
}
EXPORT_SYMBOL_GPL(ioasid_set_disown);

/* What counts against the quota */
static u32 set_count(const struct ioasid_set *set)
{
	lockdep_assert_held(&set->lock);
	return set->coming + set->active + set->pending;
}

/**
 * ioasid_set_adjust - change the quota of a set
 * @set: the set
 * @quota: the new quota, 0 for the default
 *
 * Context: Any context.
 * Return: 0, -EBUSY if the set has more IOASIDs than that, counting those that are
 * FREE_PENDING, -ENOSPC if it exceeds the ceiling.
 */
int ioasid_set_adjust(struct ioasid_set *set, u32 quota)
{
	quota = pool_quota(quota);
	if (!quota)
		return -ENOSPC;
	guard(spinlock_irqsave)(&set->lock);
	if (quota < set_count(set))
		return -EBUSY;
	set->quota = quota;
	return 0;
}
EXPORT_SYMBOL_GPL(ioasid_set_adjust);

/**
 * ioasid_set_stats - read the counts of a set
 * @set: the set
 * @stats: filled in with what was true at one instant
 *
 * Context: Any context.
 */
void ioasid_set_stats(struct ioasid_set *set, struct ioasid_set_stats *stats)
{
	guard(spinlock_irqsave)(&set->lock);
	*stats = (struct ioasid_set_stats) {
		.quota = set->quota,
		.active = set->active,
		.free_pending = set->pending,
		.spids = set->spids,
	};
}
EXPORT_SYMBOL_GPL(ioasid_set_stats);

/**
 * ioasid_set_for_each - call a function for every IOASID of a set
 * @set: the set
 * @fn: called with the number, the private data and @arg
 * @arg: passed on
 *
 * In the order of allocation, for those that exist at the time of the call and are
 * still ACTIVE when their turn comes. No lock is held around @fn, which may do
 * anything to the IOASID or the set. The number of the IOASID that @fn is called
 * for stays out of the pool meanwhile.
 *
 * Context: Any context that @fn can run in.
 * Return: 0, or what @fn returned when that was not 0, which ends it.
 */
int ioasid_set_for_each(struct ioasid_set *set,
			int (*fn)(ioasid_t id, void *data, void *arg),
			void *arg)
{
	u64 last = atomic64_read(&ioasid_clock);
	struct ioasid *ioasid = NULL;
	int ret = 0;

	while (!ret && (ioasid = ioasid_next(set, ioasid, last)))
		if (ioasid_is_active(ioasid))
			ret = fn(ioasid->id, READ_ONCE(ioasid->data), arg);
	if (ioasid)
		ioasid_unpin(ioasid);
	return ret;
}
EXPORT_SYMBOL_GPL(ioasid_set_for_each);

/*
 * IOASIDs
 */

static int set_charge(struct ioasid_set *set)
{
	int ret;

	guard(spinlock_irqsave)(&set->lock);
	if (set->dead)
		return -ENODEV;
	if (set_count(set) >= set->quota)
		return -ENOSPC;
	ret = pool_charge();
	if (!ret)
		set->coming++;
	return ret;
}

static void set_uncharge(struct ioasid_set *set)
{
	guard(spinlock_irqsave)(&set->lock);
	pool_uncharge();
	set->coming--;
}

/* Makes it visible. From here on ioasid_gone() is the only way out. */
static int ioasid_publish(struct ioasid *ioasid)
{
	struct ioasid_set *set = ioasid->set;

	guard(spinlock_irqsave)(&set->lock);
	if (set->dead)
		return -ENODEV;
	set_ref(set);
	/* Under the lock, so that the list is in the order of the stamps */
	ioasid->stamp = ioasid_stamp();
	list_add_tail(&ioasid->node, &set->ids);
	number_store(ioasid->id, ioasid);
	set->coming--;
	set->active++;
	return 0;
}

/* Everything but the charge. Comes with IOASID_BUSY and a pin for the caller. */
static struct ioasid *ioasid_new(struct ioasid_set *set, ioasid_t min,
				 ioasid_t max, void *data)
{
	struct ioasid *ioasid = ioasid_zalloc_cache(ioasid_cache);
	int ret;

	if (!ioasid)
		return ERR_PTR(-ENOMEM);
	ret = pool_number(min, max);
	if (ret < 0)
		goto err_free;
	ioasid->id = ret;
	ret = tab_reserve(&ioasid_numbers, ioasid->id);
	if (ret)
		goto err_number;
	ioasid->set = set;
	ioasid->data = data;
	ioasid->spid = INVALID_IOASID;
	ioasid->pins = 2;
	__set_bit(IOASID_BUSY, &ioasid->flags);
	ret = ioasid_publish(ioasid);
	if (ret)
		goto err_slot;
	return ioasid;

err_slot:
	tab_release(&ioasid_numbers, ioasid->id);
err_number:
	iommu_free_global_pasid(ioasid->id);
err_free:
	kmem_cache_free(ioasid_cache, ioasid);
	return ERR_PTR(ret);
}

/**
 * ioasid_alloc - allocate an IOASID
 * @set: the set that will own it
 * @min: the lowest number wanted, at least %IOASID_MIN
 * @max: the highest number wanted, at most %IOASID_MAX
 * @data: private data, see ioasid_find()
 * @id: where the number goes
 *
 * Numbers of a range are issued in cyclic order: the search goes on after the one
 * issued last. Subscribers are told %IOASID_ALLOC before this returns; others can
 * look the IOASID up while they are.
 *
 * Context: Process context. May sleep. May be called from a subscriber.
 * Return: 0, -EINVAL for a range that is empty or out of bounds, -ENOSPC if the
 * quota, the ceiling or the range is exhausted, -ENOMEM, -ENODEV if the last
 * reference on @set was put. On failure *@id is not written.
 */
int ioasid_alloc(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *data,
		 ioasid_t *id)
{
	struct ioasid *ioasid;
	int ret;

	might_sleep();
	if (min < IOASID_MIN || min > max || max > IOASID_MAX)
		return -EINVAL;
	ret = set_charge(set);
	if (ret)
		return ret;
	ioasid = ioasid_new(set, min, max, data);
	if (IS_ERR(ioasid)) {
		set_uncharge(set);
		return PTR_ERR(ioasid);
	}
	*id = ioasid->id;
	ioasid_tell(ioasid, IOASID_ALLOC, NULL, ioasid->stamp);
	ioasid_unlock_events(ioasid);
	ioasid_unpin(ioasid);
	return 0;
}
EXPORT_SYMBOL_GPL(ioasid_alloc);

/**
 * ioasid_free - free an IOASID
 * @set: the set that owns it
 * @id: its number
 *
 * When this returns, no look-up finds the IOASID, its SPID can be attached to
 * another one, and no new reference is given. Subscribers are told from process
 * context later: %IOASID_UNBIND for every BIND that is not over, then
 * %IOASID_FREE. When all of them have returned and the last reference has been
 * put, the number returns to the pool. ioasid_drain() waits for the subscribers.
 *
 * Context: Any context.
 * Return: 0, -ENOENT if @set has no such IOASID or if it was freed before.
 */
int ioasid_free(struct ioasid_set *set, ioasid_t id)
{
	struct ioasid *ioasid;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return -ENOENT;
	guard(spinlock_irqsave)(&set->lock);
	if (!ioasid_is_active(ioasid))
		return -ENOENT;
	ioasid_free_locked(ioasid);
	set_queue_work(set);
	return 0;
}
EXPORT_SYMBOL_GPL(ioasid_free);

/**
 * ioasid_free_all - free all IOASIDs of a set
 * @set: the set
 *
 * As if ioasid_free() were called for each one that exists at the time of the call,
 * in the order of allocation.
 *
 * Context: Any context. Takes time in proportion to the number of IOASIDs.
 */
void ioasid_free_all(struct ioasid_set *set)
{
	u64 last = atomic64_read(&ioasid_clock);
	struct ioasid *ioasid = NULL;

	while ((ioasid = ioasid_next(set, ioasid, last))) {
		guard(spinlock_irqsave)(&set->lock);
		if (!ioasid_is_active(ioasid))
			continue;
		ioasid_free_locked(ioasid);
		set_queue_work(set);
	}
}
EXPORT_SYMBOL_GPL(ioasid_free_all);

/**
 * ioasid_drain - wait for the subscribers
 * @set: the set
 *
 * Sleeps until all subscribers have returned from %IOASID_FREE of every IOASID of
 * @set that was FREE_PENDING at the time of the call. Their numbers are in the pool
 * again then, unless someone has a reference or is inside a call about them.
 *
 * A subscriber must not call this, it would wait for itself: it warns, and returns
 * without waiting.
 *
 * Context: Process context. Sleeps as long as subscribers do; hold no lock that a
 * subscriber takes.
 */
void ioasid_drain(struct ioasid_set *set)
{
	struct ioasid_drain drain;

	might_sleep();
	if (WARN_ON_ONCE(ioasid_in_callback()))
		return;
	notify_map_wait();
	init_completion(&drain.done);
	scoped_guard(spinlock_irqsave, &set->lock) {
		if (set->told == set->queued)
			return;
		drain.count = set->queued;
		list_add_tail(&drain.node, &set->drains);
	}
	wait_for_completion(&drain.done);
}
EXPORT_SYMBOL_GPL(ioasid_drain);

/* A put does not tell whose reference it drops: only the last one clears this. */
static void ioasid_get_locked(struct ioasid *ioasid, unsigned long taker)
{
	unsigned int i;

	lockdep_assert_held(&ioasid->set->lock);
	if (!ioasid->gets++) {
		memset(ioasid->takers, 0, sizeof(ioasid->takers));
		ioasid->more_takers = false;
	}
	for (i = 0; i < IOASID_TAKERS; i++) {
		if (!ioasid->takers[i])
			ioasid->takers[i] = taker;
		if (ioasid->takers[i] == taker)
			return;
	}
	ioasid->more_takers = true;
}

static int ioasid_get_from(struct ioasid_set *set, ioasid_t id,
			   unsigned long taker)
{
	struct ioasid *ioasid;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return -ENOENT;
	guard(spinlock_irqsave)(&ioasid->set->lock);
	if (!ioasid_is_active(ioasid))
		return -ENOENT;
	ioasid_get_locked(ioasid, taker);
	return 0;
}

/**
 * ioasid_get - take a reference on an IOASID
 * @set: the set that owns it; NULL, for callers inside the kernel that act for no
 *	set, if it does not matter
 * @id: its number
 *
 * The number is not issued again before ioasid_put(). The IOASID can be freed
 * meanwhile. The caller's address shows in debugfs if it outlives the free, with
 * those of others who have taken a reference since there was none.
 *
 * Context: Any context.
 * Return: 0, -ENOENT if @set has no such IOASID or if it was freed.
 */
int ioasid_get(struct ioasid_set *set, ioasid_t id)
{
	return ioasid_get_from(set, id, _RET_IP_);
}
EXPORT_SYMBOL_GPL(ioasid_get);

/**
 * ioasid_put - drop a reference on an IOASID
 * @set: the set that owns it, or NULL
 * @id: its number
 *
 * Context: Any context.
 * Return: 0, -ENOENT if @set has no such IOASID or if there is no reference to
 * drop.
 */
int ioasid_put(struct ioasid_set *set, ioasid_t id)
{
	struct ioasid *ioasid;
	bool gone = false;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return -ENOENT;
	set = ioasid->set;
	scoped_guard(spinlock_irqsave, &set->lock) {
		if (!ioasid->gets)
			return -ENOENT;
		if (!--ioasid->gets && !ioasid->pins) {
			ioasid_gone(ioasid);
			gone = true;
		}
	}
	if (gone)
		set_unref(set);
	return 0;
}
EXPORT_SYMBOL_GPL(ioasid_put);

/**
 * ioasid_find - look up the private data of an IOASID
 * @set: the set that owns it, or NULL
 * @id: its number
 *
 * Who changes or frees the data waits for an RCU grace period before the memory
 * goes; who calls this holds rcu_read_lock() while it uses the data.
 *
 * Context: Any context. Takes no lock.
 * Return: The data, which may be NULL, or ERR_PTR(-ENOENT) if @set has no such
 * IOASID or if it was freed.
 */
void *ioasid_find(struct ioasid_set *set, ioasid_t id)
{
	struct ioasid *ioasid;
	void *data;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return ERR_PTR(-ENOENT);
	data = READ_ONCE(ioasid->data);
	return ioasid_is_active(ioasid) ? data : ERR_PTR(-ENOENT);
}
EXPORT_SYMBOL_GPL(ioasid_find);

/**
 * ioasid_set_data - change the private data of an IOASID
 * @set: the set that owns it
 * @id: its number
 * @data: the new data
 *
 * Context: Any context.
 * Return: 0, -ENOENT if @set has no such IOASID or if it was freed.
 */
int ioasid_set_data(struct ioasid_set *set, ioasid_t id, void *data)
{
	struct ioasid *ioasid;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return -ENOENT;
	guard(spinlock_irqsave)(&set->lock);
	if (!ioasid_is_active(ioasid))
		return -ENOENT;
	WRITE_ONCE(ioasid->data, data);
	return 0;
}
EXPORT_SYMBOL_GPL(ioasid_set_data);

/*
 * SPIDs
 */

/* With the slot of @spid reserved; it stays so on success */
static int ioasid_link_spid(struct ioasid_set *set, ioasid_t id, ioasid_t spid)
{
	struct ioasid *ioasid;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return -ENOENT;
	guard(spinlock_irqsave)(&set->lock);
	if (!ioasid_is_active(ioasid))
		return -ENOENT;
	if (ioasid->spid != INVALID_IOASID || spid_load(set, spid))
		return -EEXIST;
	spid_store(set, spid, id);
	/* Pairs with ioasid_spid(): who reads the SPID also finds it by SPID */
	smp_store_release(&ioasid->spid, spid);
	set->spids++;
	return 0;
}

/**
 * ioasid_attach_spid - give an IOASID its SPID
 * @set: the set that owns it
 * @id: its number
 * @spid: the SPID, at most %IOASID_MAX
 *
 * Context: Process context. May sleep.
 * Return: 0, -EINVAL if @spid is too large, -ENOENT if @set has no such IOASID or
 * if it was freed, -EEXIST if the IOASID has a SPID or @spid an IOASID, -ENOMEM.
 */
int ioasid_attach_spid(struct ioasid_set *set, ioasid_t id, ioasid_t spid)
{
	int ret;

	might_sleep();
	if (spid > IOASID_MAX)
		return -EINVAL;
	ret = tab_reserve(&set->spid_tab, spid);
	if (ret)
		return ret;
	ret = ioasid_link_spid(set, id, spid);
	if (ret)
		tab_release(&set->spid_tab, spid);
	return ret;
}
EXPORT_SYMBOL_GPL(ioasid_attach_spid);

/**
 * ioasid_detach_spid - take the SPID of an IOASID away
 * @set: the set that owns it
 * @id: its number
 *
 * When this returns, no look-up joins the two, and the SPID can be attached to
 * another IOASID.
 *
 * Context: Any context.
 * Return: 0, -ENOENT if @set has no such IOASID, if it was freed, or if it has no
 * SPID.
 */
int ioasid_detach_spid(struct ioasid_set *set, ioasid_t id)
{
	struct ioasid *ioasid;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return -ENOENT;
	guard(spinlock_irqsave)(&set->lock);
	if (!ioasid_is_active(ioasid) || ioasid->spid == INVALID_IOASID)
		return -ENOENT;
	ioasid_unlink_spid(ioasid);
	return 0;
}
EXPORT_SYMBOL_GPL(ioasid_detach_spid);

/**
 * ioasid_find_by_spid - look up the number of a SPID (G to H)
 * @set: the set
 * @spid: the SPID
 *
 * The answer was right at one instant during the call. Who needs it to stay right
 * uses ioasid_get_by_spid().
 *
 * Context: Any context. Takes no lock.
 * Return: The number, or %INVALID_IOASID if @set has no such SPID.
 */
ioasid_t ioasid_find_by_spid(struct ioasid_set *set, ioasid_t spid)
{
	if (spid > IOASID_MAX)
		return INVALID_IOASID;
	guard(rcu)();
	return spid_load(set, spid) ?: INVALID_IOASID;
}
EXPORT_SYMBOL_GPL(ioasid_find_by_spid);

/**
 * ioasid_get_by_spid - look up the number of a SPID and take a reference
 * @set: the set
 * @spid: the SPID
 *
 * The reference is on the IOASID that had the SPID; both can be parted meanwhile,
 * but the number is not issued again before ioasid_put().
 *
 * Context: Any context.
 * Return: The number, or %INVALID_IOASID if @set has no such SPID.
 */
ioasid_t ioasid_get_by_spid(struct ioasid_set *set, ioasid_t spid)
{
	struct ioasid *ioasid;
	u32 id;

	if (spid > IOASID_MAX)
		return INVALID_IOASID;
	guard(rcu)();
	guard(spinlock_irqsave)(&set->lock);
	id = spid_load(set, spid);
	if (!id)
		return INVALID_IOASID;
	/* What has a SPID is ACTIVE */
	ioasid = number_load(set, id);
	ioasid_get_locked(ioasid, _RET_IP_);
	return id;
}
EXPORT_SYMBOL_GPL(ioasid_get_by_spid);

/**
 * ioasid_spid - look up the SPID of an IOASID (H to G)
 * @set: the set that owns it, or NULL
 * @id: its number
 *
 * The answer was right at one instant during the call.
 *
 * Context: Any context. Takes no lock.
 * Return: The SPID, or %INVALID_IOASID if @set has no such IOASID, if it was freed
 * or has no SPID.
 */
ioasid_t ioasid_spid(struct ioasid_set *set, ioasid_t id)
{
	struct ioasid *ioasid;

	guard(rcu)();
	ioasid = number_load(set, id);
	if (!ioasid)
		return INVALID_IOASID;
	/* Pairs with ioasid_link_spid() */
	return smp_load_acquire(&ioasid->spid);
}
EXPORT_SYMBOL_GPL(ioasid_spid);

/*
 * Subscribers
 */

/* Whoever refuses hears nothing more, not even of the end of what it refused. */
static int replay_call(struct ioasid_notifier *nb, struct ioasid *ioasid,
		       enum ioasid_event ev, void *arg)
{
	int ret;

	guard(spinlock)(&ioasid_chain_lock);
	/* It unregisters: notifier_remove() follows */
	if (nb->dead)
		return -ECANCELED;
	ret = notifier_call(nb, ioasid, ev, arg);
	if (ret)
		nb->dead = true;
	return ret;
}

/* BINDs are kept latest first and replayed oldest first. */
static struct ioasid_bind *bind_after(struct ioasid *ioasid, u64 stamp)
{
	struct ioasid_bind *bind, *ret = NULL;

	for (bind = ioasid->binds; bind && bind->stamp > stamp; bind = bind->next)
		ret = bind;
	return ret;
}

static int replay_ioasid(struct ioasid_notifier *nb, struct ioasid *ioasid)
{
	struct ioasid_bind *bind;
	u64 stamp = 0;
	int ret;

	scoped_guard(spinlock, &ioasid_chain_lock) {
		nb->replay_set = ioasid->set->stamp;
		nb->replay_id = ioasid->stamp;
	}
	if (test_bit(IOASID_TOLD, &ioasid->flags))
		return 0;
	ret = replay_call(nb, ioasid, IOASID_ALLOC, NULL);
	while (!ret && (bind = bind_after(ioasid, stamp))) {
		stamp = bind->stamp;
		ret = replay_call(nb, ioasid, IOASID_BIND, bind->arg);
	}
	return ret;
}

static int replay_set(struct ioasid_notifier *nb, struct ioasid_set *set)
{
	struct ioasid *ioasid = NULL;
	int ret = 0;

	while (!ret && (ioasid = ioasid_next(set, ioasid, nb->seq))) {
		ioasid_lock_events(ioasid);
		ret = replay_ioasid(nb, ioasid);
		ioasid_unlock_events(ioasid);
		cond_resched();
	}
	if (ioasid)
		ioasid_unpin(ioasid);
	return ret;
}

/* Step through all sets: keeps the one after @prev and drops @prev. */
static struct ioasid_set *set_next(struct ioasid_set *prev)
{
	struct ioasid_set *next = NULL, *pos;

	scoped_guard(spinlock_irqsave, &ioasid_sets_lock) {
		pos = prev ?: list_entry(&ioasid_sets, struct ioasid_set, node);
		list_for_each_entry_continue(pos, &ioasid_sets, node) {
			if (refcount_inc_not_zero(&pos->refs)) {
				next = pos;
				break;
			}
		}
	}
	if (prev)
		set_unref(prev);
	return next;
}

static int replay_all(struct ioasid_notifier *nb)
{
	struct ioasid_set *set = NULL;
	int ret = 0;

	while (!ret && (set = set_next(set))) {
		if (set->stamp > nb->seq)
			break;
		ret = replay_set(nb, set);
	}
	if (set)
		set_unref(set);
	return ret;
}

static void notifier_insert(struct ioasid_notifier *nb, struct list_head *chain)
{
	struct ioasid_notifier *pos;

	guard(spinlock)(&ioasid_chain_lock);
	nb->seq = ioasid_stamp();
	/* First by priority, then by registration. No key is 0 */
	nb->key = (u64)nb->prio << 60 | nb->seq;
	list_for_each_entry_reverse(pos, chain, node)
		if (pos->key < nb->key)
			break;
	list_add(&nb->node, &pos->node);
}

/* With nb->dead set */
static void notifier_remove(struct ioasid_notifier *nb)
{
	struct ioasid_set *set = nb->set;

	wait_event(ioasid_call_over, notifier_is_idle(nb));
	scoped_guard(spinlock, &ioasid_chain_lock) {
		list_del(&nb->node);
		nb->replayer = NULL;
		wake_up_all(&ioasid_call_over);
	}
	if (set)
		set_unref(set);
}

/**
 * ioasid_register_notifier - subscribe to events
 * @set: the set whose events are wanted, NULL for those of all sets
 * @nb: the subscriber, with notify and prio filled in
 * @replay: tell it about what exists
 *
 * The subscriber is called for what happens from now on. With @replay it is first
 * told %IOASID_ALLOC and %IOASID_BIND of everything that exists, before this
 * returns; new events may come in between, yet those of one IOASID come in order,
 * and each once. Without @replay it may be told %IOASID_FREE of an IOASID that was
 * there before it.
 *
 * A subscriber that refuses a BIND in the replay, or is unregistered before the
 * replay is over, is not registered: it is not called any more and forgets what it
 * was told. @nb must stay until this has returned.
 *
 * A subscriber for one set keeps the memory of the set until it unregisters.
 *
 * Context: Process context. May sleep, with @replay as long as subscribers do.
 * Return: 0, -EINVAL if @nb is not filled in properly, -EDEADLK if it is called
 * with @replay from a subscriber, -ECANCELED if @nb was unregistered during the
 * replay, or the errno that @nb returned for a BIND in the replay.
 */
int ioasid_register_notifier(struct ioasid_set *set, struct ioasid_notifier *nb,
			     bool replay)
{
	int ret;

	might_sleep();
	if (!nb->notify || nb->prio > IOASID_PRIO_CPU)
		return -EINVAL;
	if (replay && ioasid_in_callback())
		return -EDEADLK;

	nb->set = set;
	nb->dead = false;
	nb->replay = replay;
	nb->replayer = replay ? current : NULL;
	nb->replay_set = 0;
	nb->replay_id = 0;
	if (set)
		set_ref(set);
	notifier_insert(nb, set ? &set->chain : &ioasid_chain);
	if (!replay)
		return 0;

	ret = set ? replay_set(nb, set) : replay_all(nb);
	scoped_guard(spinlock, &ioasid_chain_lock) {
		if (!nb->dead) {
			nb->replayer = NULL;
			return 0;
		}
	}
	notifier_remove(nb);
	return ret ?: -ECANCELED;
}
EXPORT_SYMBOL_GPL(ioasid_register_notifier);

/**
 * ioasid_unregister_notifier - end a subscription
 * @set: what it was registered with
 * @nb: the subscriber
 *
 * When this returns, the subscriber is not called any more, and no call of it is in
 * flight, save the one that this is called from. It is not told of the end of what
 * it knows.
 *
 * From a subscriber this does not wait for a replay to @nb, since the replay may
 * wait for that subscriber: then ioasid_register_notifier() returns when it is over.
 *
 * Context: Process context. Sleeps as long as @nb does; hold no lock that it takes.
 */
void ioasid_unregister_notifier(struct ioasid_set *set,
				struct ioasid_notifier *nb)
{
	bool inside = ioasid_in_callback(), replayed;

	might_sleep();
	if (WARN_ON_ONCE(nb->set != set))
		return;
	if (!inside)
		notify_map_wait();
	scoped_guard(spinlock, &ioasid_chain_lock) {
		nb->dead = true;
		replayed = nb->replayer;
	}
	if (!replayed)
		notifier_remove(nb);
	else if (!inside)
		wait_event(ioasid_call_over, notifier_is_idle(nb));
}
EXPORT_SYMBOL_GPL(ioasid_unregister_notifier);

static int ioasid_notify_bind(struct ioasid_set *set, ioasid_t id, void *arg)
{
	struct ioasid_bind *bind;
	struct ioasid *ioasid;
	int ret = -ENOENT;

	ioasid = ioasid_pin(set, id, false);
	if (!ioasid)
		return -ENOENT;
	bind = ioasid_zalloc(sizeof(*bind));
	if (!bind) {
		ioasid_unpin(ioasid);
		return -ENOMEM;
	}
	bind->arg = arg;
	ioasid_lock_events(ioasid);
	if (ioasid_is_active(ioasid))
		ret = ioasid_tell_bind(ioasid, bind);
	if (!ret) {
		bind->next = ioasid->binds;
		ioasid->binds = bind;
	}
	ioasid_unlock_events(ioasid);
	ioasid_unpin(ioasid);
	if (ret)
		kfree(bind);
	return ret;
}

/*
 * FREE_PENDING does not end it: either the worker has not come to this IOASID, or
 * the wait here makes sure that nobody uses @arg any more.
 */
static int ioasid_notify_unbind(struct ioasid_set *set, ioasid_t id, void *arg)
{
	struct ioasid_bind **link;
	struct ioasid *ioasid;
	int ret = -ENOENT;

	ioasid = ioasid_pin(set, id, true);
	if (!ioasid)
		return -ENOENT;
	ioasid_lock_events(ioasid);
	for (link = &ioasid->binds; *link; link = &(*link)->next) {
		if ((*link)->arg == arg) {
			ioasid_tell_unbind(ioasid, link);
			ret = 0;
			break;
		}
	}
	ioasid_unlock_events(ioasid);
	ioasid_unpin(ioasid);
	return ret;
}

/**
 * ioasid_notify - tell the subscribers that an IOASID is bound or no longer bound
 * @set: the set that owns it
 * @id: its number
 * @ev: %IOASID_BIND or %IOASID_UNBIND
 * @arg: passed on; tells the BINDs of one IOASID apart
 *
 * A BIND that nobody refuses lasts until an UNBIND with the same @arg, or until the
 * IOASID is freed. @arg must stay valid until the UNBIND has returned, with 0 or
 * -ENOENT; after a free, until %IOASID_FREE has been delivered.
 *
 * Context: Process context. Sleeps as long as subscribers do; hold no lock that a
 * subscriber takes.
 * Return: 0; -EINVAL for another event, -ENOENT if @set has no such IOASID, if it
 * was freed, or if there is no such BIND, -EDEADLK if it is called from a
 * subscriber; for a BIND also -ENOMEM or what a subscriber refused it with.
 */
int ioasid_notify(struct ioasid_set *set, ioasid_t id, enum ioasid_event ev,
		  void *arg)
{
	might_sleep();
	if (ev != IOASID_BIND && ev != IOASID_UNBIND)
		return -EINVAL;
	if (ioasid_in_callback())
		return -EDEADLK;
	return ev == IOASID_BIND ? ioasid_notify_bind(set, id, arg) :
				   ioasid_notify_unbind(set, id, arg);
}
EXPORT_SYMBOL_GPL(ioasid_notify);

/*
 * debugfs
 */

static int ioasid_pool_show(struct seq_file *m, void *unused)
{
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	seq_printf(m, "ceiling %u\nallocated %u\ndefault_quota %u\n",
		   ioasid_pool.ceiling, ioasid_pool.total,
		   ioasid_pool.default_quota);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ioasid_pool);

static void *ioasid_sets_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return seq_list_start_head_rcu(&ioasid_sets, *pos);
}

static void *ioasid_sets_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next_rcu(v, &ioasid_sets, pos);
}

static void ioasid_sets_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static int ioasid_sets_show(struct seq_file *m, void *v)
{
	static const char * const types[] = { "null", "mm", "file" };
	struct ioasid_set_stats stats;
	struct ioasid_set *set;

	if (v == &ioasid_sets) {
		seq_puts(m, "set type token quota active free_pending spids users\n");
		return 0;
	}
	set = list_entry(v, struct ioasid_set, node);
	ioasid_set_stats(set, &stats);
	seq_printf(m, "%llu %s %p %u %u %u %u %u\n", set->stamp, types[set->type],
		   READ_ONCE(set->token), stats.quota, stats.active,
		   stats.free_pending, stats.spids, refcount_read(&set->users));
	return 0;
}

VISIBLE_IF_KUNIT const struct seq_operations ioasid_sets_sops = {
	.start = ioasid_sets_start,
	.next = ioasid_sets_next,
	.stop = ioasid_sets_stop,
	.show = ioasid_sets_show,
};
EXPORT_SYMBOL_IF_KUNIT(ioasid_sets_sops);
DEFINE_SEQ_ATTRIBUTE(ioasid_sets);

/* The first FREE_PENDING IOASID with a number of @pos or above */
static struct ioasid *pending_from(loff_t *pos)
{
	struct ioasid *ioasid;

	for (; *pos <= IOASID_MAX; ++*pos) {
		if (!tab_leaf(&ioasid_numbers, *pos)) {
			*pos |= TAB_LEAF_SLOTS - 1;
			continue;
		}
		ioasid = number_load(NULL, *pos);
		if (ioasid && !ioasid_is_active(ioasid))
			return ioasid;
	}
	return NULL;
}

/* Position 0 is the headline: no IOASID has this number. */
static void *ioasid_free_pending_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return *pos ? pending_from(pos) : SEQ_START_TOKEN;
}

static void *ioasid_free_pending_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return pending_from(pos);
}

static void ioasid_free_pending_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

/* Whoever keeps the number out of the pool: a subscriber, or else a reference */
static void pending_show_holder(struct seq_file *m, struct ioasid *ioasid,
				const struct ioasid *copy)
{
	struct ioasid_call *call;
	unsigned int i;

	scoped_guard(spinlock, &ioasid_chain_lock) {
		list_for_each_entry(call, &ioasid_calls, node) {
			if (call->ioasid == ioasid) {
				seq_printf(m, "subscriber %ps\n", call->fn);
				return;
			}
		}
	}
	if (!copy->gets) {
		seq_puts(m, "-\n");
		return;
	}
	for (i = 0; i < IOASID_TAKERS && copy->takers[i]; i++)
		seq_printf(m, "%s%pS", i ? " or " : "", (void *)copy->takers[i]);
	seq_puts(m, copy->more_takers ? " or others\n" : "\n");
}

static int ioasid_free_pending_show(struct seq_file *m, void *v)
{
	struct ioasid *ioasid = v, copy;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "number set age_ms state references holder\n");
		return 0;
	}
	scoped_guard(spinlock_irqsave, &ioasid->set->lock)
		copy = *ioasid;
	seq_printf(m, "%u %llu %llu %s %u ", copy.id, copy.set->stamp,
		   jiffies64_to_msecs(jiffies - copy.freed),
		   test_bit(IOASID_TOLD, &copy.flags) ? "held" : "telling",
		   copy.gets);
	pending_show_holder(m, ioasid, &copy);
	return 0;
}

VISIBLE_IF_KUNIT const struct seq_operations ioasid_free_pending_sops = {
	.start = ioasid_free_pending_start,
	.next = ioasid_free_pending_next,
	.stop = ioasid_free_pending_stop,
	.show = ioasid_free_pending_show,
};
EXPORT_SYMBOL_IF_KUNIT(ioasid_free_pending_sops);
DEFINE_SEQ_ATTRIBUTE(ioasid_free_pending);

static void ioasid_debugfs_init(void)
{
	ioasid_debugfs = debugfs_create_dir("ioasid", NULL);
	debugfs_create_file("pool", 0400, ioasid_debugfs, NULL, &ioasid_pool_fops);
	debugfs_create_file("sets", 0400, ioasid_debugfs, NULL, &ioasid_sets_fops);
	debugfs_create_file("free_pending", 0400, ioasid_debugfs, NULL,
			    &ioasid_free_pending_fops);
}

static void ioasid_cleanup(void)
{
	if (ioasid_wq)
		destroy_workqueue(ioasid_wq);
	tab_destroy(&ioasid_numbers);
	kmem_cache_destroy(ioasid_obj_cache);
	kmem_cache_destroy(ioasid_num_cache);
	kmem_cache_destroy(ioasid_cache);
}

static int __init ioasid_init(void)
{
	struct ioasid_leaf *leaf;

	ioasid_cache = KMEM_CACHE(ioasid, SLAB_ACCOUNT);
	/* Aligned: who writes to one set shall not slow down look-ups in another */
	ioasid_num_cache = kmem_cache_create("ioasid_spid_leaf",
					     struct_size(leaf, num, TAB_LEAF_SLOTS), 0,
					     SLAB_ACCOUNT | SLAB_HWCACHE_ALIGN, NULL);
	ioasid_obj_cache = kmem_cache_create("ioasid_leaf",
					     struct_size(leaf, obj, TAB_LEAF_SLOTS),
					     0, SLAB_ACCOUNT, NULL);
	/* Each set whose subscribers sleep takes one place */
	ioasid_wq = alloc_workqueue("ioasid", WQ_UNBOUND, WQ_UNBOUND_MAX_ACTIVE);
	if (!ioasid_cache || !ioasid_num_cache || !ioasid_obj_cache || !ioasid_wq) {
		ioasid_cleanup();
		return -ENOMEM;
	}
	tab_init(&ioasid_numbers, ioasid_obj_cache);
	ioasid_debugfs_init();
	return 0;
}
subsys_initcall(ioasid_init);

static void __exit ioasid_exit(void)
{
	debugfs_remove_recursive(ioasid_debugfs);
	/* No set exists, but the one that went last may still be at its end */
	ioasid_cleanup();
}
module_exit(ioasid_exit);

MODULE_DESCRIPTION("IOASID sets");
MODULE_LICENSE("GPL");
