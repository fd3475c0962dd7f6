// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation of the numbers of IOASIDs, and the limits on them.
 *
 * The numbers come from the kernel's global PASID allocator, lowest first, so
 * that no IOASID can have the PASID of a process of the host.
 *
 * A device with few PASID bits can only use low numbers, and callers with wide
 * devices would take all low numbers before the first high one.  Therefore half
 * of the numbers of each width are left to callers that can use no wider ones,
 * until no other numbers are free.
 *
 * Three limits are enforced here: the ceiling on all IOASIDs of the host, the
 * reserve of the host's own processes, and the limit of one user.  The reserve
 * applies to each PASID width: of the numbers that a device with W bits can
 * use, IOASIDs leave the same fraction as of all numbers.  Otherwise IOASIDs
 * would leave only high numbers, which a narrow device cannot use.
 *
 * The quota of a set is enforced in ioasid_set.c.
 */
#define pr_fmt(fmt) "ioasid: " fmt

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#include "ioasid_priv.h"

#define IOASID_DEFAULT_SET_QUOTA	65536
/* One sixteenth of the numbers */
#define IOASID_DEFAULT_HOST_RESERVE	65536
/* Widths of fewer bits have no numbers that are left to narrow devices */
#define IOASID_NARROW_BITS		8

/**
 * struct ioasid_pool - Counts and limits of the host
 * @lock: protects the structure; irqsave
 * @limit: see &enum ioasid_limit
 * @total: IOASIDs that exist or are being allocated
 * @below: IOASIDs with a number below 2^index
 * @users: the users that have sets, by user ID
 */
static struct ioasid_pool {
	spinlock_t lock;	/* of the whole structure */
	u32 limit[IOASID_LIMITS];
	u32 total;
	u32 below[IOASID_BITS + 1];
	DECLARE_HASHTABLE(users, 6);
} ioasid_pool = {
	.lock = __SPIN_LOCK_UNLOCKED(ioasid_pool.lock),
	.limit = {
		[IOASID_CEILING] = IOASID_MAX,
		[IOASID_DEFAULT_QUOTA] = IOASID_DEFAULT_SET_QUOTA,
		[IOASID_HOST_RESERVE] = IOASID_DEFAULT_HOST_RESERVE,
	},
};

/*
 * Called before each memory allocation, so that the KUnit suite can make each
 * allocation fail.  Always false without KUnit.
 */
bool ioasid_out_of_memory(void)
{
	KUNIT_STATIC_STUB_REDIRECT(ioasid_out_of_memory);
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_out_of_memory);

/*
 * Limits
 */

u32 ioasid_limit(enum ioasid_limit which)
{
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	return ioasid_pool.limit[which];
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_limit);

/* The ceiling and the reserve must leave room for the IOASIDs that exist. */
int ioasid_set_limit(enum ioasid_limit which, u32 value)
{
	bool may_be_0 = which == IOASID_HOST_RESERVE || which == IOASID_USER_LIMIT;

	if ((!value && !may_be_0) || value > IOASID_MAX)
		return -EINVAL;
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	if (which == IOASID_CEILING && value < ioasid_pool.total)
		return -EBUSY;
	if (which == IOASID_HOST_RESERVE && IOASID_MAX - value < ioasid_pool.total)
		return -EBUSY;
	ioasid_pool.limit[which] = value;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_set_limit);

u32 ioasid_total(void)
{
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	return ioasid_pool.total;
}
EXPORT_SYMBOL_IF_KUNIT(ioasid_total);

static enum ioasid_limit limit_of(const struct kernel_param *kp)
{
	return (u32 *)kp->arg - ioasid_pool.limit;
}

static int limit_param_set(const char *val, const struct kernel_param *kp)
{
	u32 value;

	return kstrtou32(val, 0, &value) ?: ioasid_set_limit(limit_of(kp), value);
}

static int limit_param_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%u\n", ioasid_limit(limit_of(kp)));
}

static const struct kernel_param_ops limit_param_ops = {
	.set = limit_param_set,
	.get = limit_param_get,
};

module_param_cb(ceiling, &limit_param_ops, &ioasid_pool.limit[IOASID_CEILING], 0644);
MODULE_PARM_DESC(ceiling,
		 "How many IOASIDs all sets together may have (default: all 2^20 - 1)");
module_param_cb(default_quota, &limit_param_ops,
		&ioasid_pool.limit[IOASID_DEFAULT_QUOTA], 0644);
MODULE_PARM_DESC(default_quota,
		 "Quota of a set that does not ask for one (default: "
		 __stringify(IOASID_DEFAULT_SET_QUOTA) ")");
module_param_cb(host_reserve, &limit_param_ops,
		&ioasid_pool.limit[IOASID_HOST_RESERVE], 0644);
MODULE_PARM_DESC(host_reserve,
		 "How many PASIDs are kept for processes of the host (default: "
		 __stringify(IOASID_DEFAULT_HOST_RESERVE) ")");
module_param_cb(user_limit, &limit_param_ops,
		&ioasid_pool.limit[IOASID_USER_LIMIT], 0644);
MODULE_PARM_DESC(user_limit,
		 "How many IOASIDs a user without CAP_SYS_RESOURCE may have (default: 0, half of what the host does not keep)");

/*
 * Return the quota of a set that asks for @quota: the default if @quota is 0,
 * or 0 if @quota exceeds the ceiling.
 */
u32 ioasid_pool_quota(u32 quota)
{
	const u32 *limit = ioasid_pool.limit;

	guard(spinlock_irqsave)(&ioasid_pool.lock);
	if (!quota)
		return min(limit[IOASID_DEFAULT_QUOTA], limit[IOASID_CEILING]);
	return quota <= limit[IOASID_CEILING] ? quota : 0;
}

static u32 pool_user_limit(void)
{
	lockdep_assert_held(&ioasid_pool.lock);
	return ioasid_pool.limit[IOASID_USER_LIMIT] ?:
	       (IOASID_MAX - ioasid_pool.limit[IOASID_HOST_RESERVE]) / 2;
}

/*
 * Charge one IOASID to @user.  Return -ENOSPC at the ceiling, or -EDQUOT at the
 * limit of @user unless @exceed is set.
 */
int ioasid_pool_charge(struct ioasid_user *user, bool exceed)
{
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	if (ioasid_pool.total >= ioasid_pool.limit[IOASID_CEILING])
		return -ENOSPC;
	if (!exceed && user->count >= pool_user_limit())
		return -EDQUOT;
	ioasid_pool.total++;
	user->count++;
	return 0;
}

void ioasid_pool_uncharge(struct ioasid_user *user)
{
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	ioasid_pool.total--;
	user->count--;
}

/*
 * Numbers
 */

/*
 * Return how many of the numbers below 2^@bits are kept from a caller that can
 * use numbers below 2^@wide: the reserve of the host, which is the same
 * fraction of each width as host_reserve is of all numbers, and the numbers
 * that are left to narrower devices.
 */
static u32 pool_kept(unsigned int bits, unsigned int wide)
{
	u32 kept = ioasid_pool.limit[IOASID_HOST_RESERVE] >> (IOASID_BITS - bits);

	lockdep_assert_held(&ioasid_pool.lock);
	if (bits >= IOASID_NARROW_BITS && bits < wide)
		kept += BIT(bits) / 2;
	return kept;
}

/*
 * Return the lowest number from @min on that is above the widest exhausted
 * range.  A range [1, 2^bits) is exhausted if IOASIDs have all of its numbers
 * except those that pool_kept() keeps.
 */
static ioasid_t pool_floor(ioasid_t min, unsigned int wide)
{
	unsigned int bits;

	lockdep_assert_held(&ioasid_pool.lock);
	for (bits = IOASID_BITS; bits; bits--)
		if (ioasid_pool.below[bits] + pool_kept(bits, wide) >= BIT(bits) - 1)
			return max_t(ioasid_t, min, BIT(bits));
	return min;
}

static ioasid_t pool_start(ioasid_t min, unsigned int wide)
{
	guard(spinlock_irqsave)(&ioasid_pool.lock);
	return pool_floor(min, wide);
}

/* Count @id; return false if concurrent callers have exhausted its range. */
static bool pool_count_number(ioasid_t id)
{
	unsigned int bits;

	guard(spinlock_irqsave)(&ioasid_pool.lock);
	if (pool_floor(id, 0) > id)
		return false;
	for (bits = fls(id); bits <= IOASID_BITS; bits++)
		ioasid_pool.below[bits]++;
	return true;
}

static void pool_uncount_number(ioasid_t id)
{
	unsigned int bits;

	guard(spinlock_irqsave)(&ioasid_pool.lock);
	for (bits = fls(id); bits <= IOASID_BITS; bits++)
		ioasid_pool.below[bits]--;
}

/*
 * Allocate the lowest free number in [@min, @max] that is not kept from callers
 * that can use numbers below 2^@wide.
 */
static int pool_take_number(ioasid_t min, ioasid_t max, unsigned int wide)
{
	ioasid_t start;
	int id;

	for (;;) {
		start = pool_start(min, wide);
		if (start > max)
			return -ENOSPC;
		id = iommu_global_pasid_alloc_range(start, max);
		if (id < 0 || pool_count_number(id))
			return id;
		iommu_free_global_pasid(id);
	}
}

/*
 * Allocate a free number in [@min, @max] that is not reserved for the host, and
 * not left to narrower devices either as long as there is such a number.
 */
int ioasid_pool_number(ioasid_t min, ioasid_t max)
{
	int id;

	if (ioasid_out_of_memory())
		return -ENOMEM;
	id = pool_take_number(min, max, fls(max));
	return id == -ENOSPC ? pool_take_number(min, max, 0) : id;
}

void ioasid_pool_number_free(ioasid_t id)
{
	pool_uncount_number(id);
	iommu_free_global_pasid(id);
}

/*
 * Users
 */

/*
 * Return the user to charge for the current task.  In a user namespace, a user
 * can have as many user IDs as are mapped, so the user that created the
 * outermost namespace is charged.  If that is root, all containers of the host
 * would be one user, so the root of the namespace is charged instead.
 */
static kuid_t user_current(void)
{
	const struct cred *cred = current_cred();
	kuid_t uid = cred->uid, root;
	struct user_namespace *ns;

	for (ns = cred->user_ns; ns != &init_user_ns; ns = ns->parent) {
		uid = ns->owner;
		root = make_kuid(ns, 0);
		if (uid_eq(uid, GLOBAL_ROOT_UID) && uid_valid(root))
			uid = root;
	}
	return uid;
}

static struct ioasid_user *user_find(kuid_t uid)
{
	struct ioasid_user *user;

	lockdep_assert_held(&ioasid_pool.lock);
	hash_for_each_possible(ioasid_pool.users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/* Find the entry for the uid of @new, or add @new if there is none. */
static struct ioasid_user *user_find_or_add(struct ioasid_user *new)
{
	struct ioasid_user *user;

	guard(spinlock_irqsave)(&ioasid_pool.lock);
	user = user_find(new->uid);
	if (!user) {
		user = new;
		hash_add(ioasid_pool.users, &user->node, __kuid_val(user->uid));
	}
	user->sets++;
	return user;
}

/*
 * Return the user to charge for the current task, or NULL if out of memory.
 * The caller drops its reference with ioasid_user_put().
 */
struct ioasid_user *ioasid_user_get(void)
{
	struct ioasid_user *user, *new;

	if (ioasid_out_of_memory())
		return NULL;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->uid = user_current();
	user = user_find_or_add(new);
	if (user != new)
		kfree(new);
	return user;
}

void ioasid_user_put(struct ioasid_user *user)
{
	scoped_guard(spinlock_irqsave, &ioasid_pool.lock) {
		if (--user->sets)
			return;
		hash_del(&user->node);
	}
	kfree(user);
}
