// SPDX-License-Identifier: GPL-2.0-only
/*
 * Subscribers of IOASIDs and the delivery of events.
 *
 * A subscriber is on the chain of one set, or on the chain of all sets.  The
 * delivery of an event of a set holds ioasid_set.events for reading, so a
 * subscriber of the set is registered and unregistered between two events: the
 * replay in ioasid_register_notifier() covers exactly what it missed.  The
 * chain of all sets is read under SRCU instead.  Registration there does not
 * wait, and unregistration waits for the calls in flight without delaying
 * others: with a semaphore, it would delay events of all sets until the slowest
 * subscriber of any set has returned.
 *
 * The kernel's blocking_notifier_head cannot be used: it calls in one order,
 * and teardown needs the reverse; it does not record which subscribers saw a
 * BIND; and unregistering a subscriber of all sets would delay the events of
 * all sets.  It is faster: an event to three subscribers takes 12 to 15 times
 * as long here (ioasid_bench, event_is_within_the_limit), most of it before the
 * first call.
 *
 * Registrations and BINDs get their sequence numbers (stamps) from one counter,
 * ioasid_clock.  An UNBIND is sent to the subscribers that saw the BIND: those
 * that were registered before it, and those that were registered with a replay.
 *
 * ioasid.teller serialises the events of one IOASID.  A task that holds it
 * cannot wait for the teller of another IOASID, as a callback must not do that;
 * since ioasid_set.events is taken first, lockdep reports a callback that does.
 */
#include <linux/cleanup.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/wait_bit.h>

#include "ioasid_priv.h"

/* ioasid_notifier.key: priority, then registration sequence number; never 0 */
#define KEY_SEQ_BITS	60
#define KEY_SEQ		(BIT_ULL(KEY_SEQ_BITS) - 1)

/* The stamp of an event that concerns all subscribers */
#define STAMP_ALL	U64_MAX

static LIST_HEAD(ioasid_all);
DEFINE_STATIC_SRCU(ioasid_srcu);
/*
 * Protects ioasid_all and ioasid_clock.  A BIND with a stamp after that of a
 * registration is delivered to the subscriber.
 */
static DEFINE_SPINLOCK(ioasid_all_lock);
static u64 ioasid_clock;

static u64 ioasid_stamp(void)
{
	guard(spinlock)(&ioasid_all_lock);
	return ++ioasid_clock;
}

static void ioasid_lock_teller(struct ioasid *ioasid)
{
	wait_var_event(&ioasid->teller,
		       !cmpxchg(&ioasid->teller, NULL, current));
}

static void ioasid_unlock_teller(struct ioasid *ioasid)
{
	/* Pairs with cmpxchg() of the next task */
	smp_store_release(&ioasid->teller, NULL);
	/*
	 * Pairs with the barrier between a waiter's enqueueing and its
	 * cmpxchg()
	 */
	smp_mb();
	wake_up_var(&ioasid->teller);
}

DEFINE_GUARD(ioasid_teller, struct ioasid *, ioasid_lock_teller(_T),
	     ioasid_unlock_teller(_T))

/*
 * Delivery of one event on both chains
 */

struct ioasid_walk {
	struct ioasid *ioasid;
	enum ioasid_event ev;
	void *arg;
	u64 stamp;	/* of the BIND that begins or ends */
	u64 key;	/* of the subscriber called last */
};

static bool event_is_teardown(enum ioasid_event ev)
{
	return ev == IOASID_UNBIND || ev == IOASID_FREE;
}

/* Return the one of @a and @b that is called first; both may be NULL. */
static struct ioasid_notifier *walk_first(const struct ioasid_walk *walk,
					  struct ioasid_notifier *a,
					  struct ioasid_notifier *b)
{
	if (!a || !b)
		return a ?: b;
	return (a->key < b->key) != event_is_teardown(walk->ev) ? a : b;
}

/*
 * Return the subscriber of @chain to call next.  Chains are short and not
 * sorted: teardown could not walk them backwards, as the chain of all sets can
 * only be read forwards.
 */
static struct ioasid_notifier *walk_chain(const struct ioasid_walk *walk,
					  struct list_head *chain)
{
	struct ioasid_notifier *nb, *next = NULL;

	list_for_each_entry_srcu(nb, chain, node,
				 srcu_read_lock_held(&ioasid_srcu)) {
		if (event_is_teardown(walk->ev) ? nb->key < walk->key :
						  nb->key > walk->key)
			next = walk_first(walk, next, nb);
	}
	return next;
}

static struct ioasid_notifier *walk_next(const struct ioasid_walk *walk)
{
	return walk_first(walk, walk_chain(walk, &ioasid_all),
			  walk_chain(walk, &walk->ioasid->set->chain));
}

/*
 * Return true if @nb is to be called for the event of @stamp.  A subscriber
 * with a replay also saw the BINDs from before its registration.
 */
static bool notifier_is_concerned(const struct ioasid_notifier *nb, u64 stamp)
{
	return nb->replay || stamp > (nb->key & KEY_SEQ);
}

static int notifier_call(struct ioasid_notifier *nb, struct ioasid *ioasid,
			 enum ioasid_event ev, void *arg)
{
	u32 spid = READ_ONCE(ioasid->spid);
	struct ioasid_event_info info = {
		.set = ioasid->set,
		.id = ioasid->id,
		.spid = spid == IOMMU_PASID_INVALID ? spid :
						      spid & ~IOASID_SPID_TAKEN,
		.data = ioasid->data,
		.arg = arg,
	};
	int ret = nb->notify(nb, ev, &info);

	return ev == IOASID_BIND && ret < 0 ? ret : 0;
}

/* Call all subscribers that are concerned, up to the first one that refuses. */
static int walk_run(struct ioasid_walk *walk)
{
	struct ioasid_notifier *nb;
	int ret = 0;

	lockdep_assert_held_read(&walk->ioasid->set->events);
	guard(srcu)(&ioasid_srcu);
	while (!ret && (nb = walk_next(walk))) {
		walk->key = nb->key;
		if (notifier_is_concerned(nb, walk->stamp))
			ret = notifier_call(nb, walk->ioasid, walk->ev, walk->arg);
	}
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

/*
 * Called by the allocating task, which has been the teller and has held
 * ioasid_set.events since before the IOASID was published.
 */
void ioasid_tell_alloc(struct ioasid *ioasid)
{
	ioasid_tell(ioasid, IOASID_ALLOC, NULL, STAMP_ALL);
	ioasid_unlock_teller(ioasid);
}

/*
 * BINDs: the latest is stored in the IOASID itself, as most IOASIDs have at
 * most one
 */

static int bind_push(struct ioasid *ioasid, void *arg)
{
	struct ioasid_bind *older = NULL;

	if (ioasid_out_of_memory())
		return -ENOMEM;
	if (ioasid->bound) {
		older = kmemdup(&ioasid->bind, sizeof(*older), GFP_KERNEL_ACCOUNT);
		if (!older)
			return -ENOMEM;
	}
	ioasid->bind = (struct ioasid_bind) {
		.next = older,
		.arg = arg,
		.stamp = ioasid_stamp(),
	};
	ioasid->bound = true;
	return 0;
}

static void bind_pop(struct ioasid *ioasid)
{
	struct ioasid_bind *older = ioasid->bind.next;

	ioasid->bound = older;
	if (older)
		ioasid->bind = *older;
	kfree(older);
}

/* Remove the latest BIND with @arg; return its stamp, or 0 if there is none. */
static u64 bind_remove(struct ioasid *ioasid, void *arg)
{
	struct ioasid_bind **link, *bind;
	u64 stamp = 0;

	if (!ioasid->bound)
		return 0;
	if (ioasid->bind.arg == arg) {
		stamp = ioasid->bind.stamp;
		bind_pop(ioasid);
		return stamp;
	}
	for (link = &ioasid->bind.next; (bind = *link); link = &bind->next) {
		if (bind->arg != arg)
			continue;
		stamp = bind->stamp;
		*link = bind->next;
		kfree(bind);
		break;
	}
	return stamp;
}

/* Return the first BIND after @stamp, or the oldest one if @stamp is 0. */
static const struct ioasid_bind *bind_after(const struct ioasid *ioasid, u64 stamp)
{
	const struct ioasid_bind *bind, *found = NULL;

	if (!ioasid->bound)
		return NULL;
	for (bind = &ioasid->bind; bind && bind->stamp > stamp; bind = bind->next)
		found = bind;
	return found;
}

/*
 * Deliver a BIND.  If a subscriber refuses it, send an UNBIND to the
 * subscribers that were called before.
 */
int ioasid_tell_bind(struct ioasid *ioasid, void *arg)
{
	struct ioasid_walk walk = { .ioasid = ioasid, .ev = IOASID_BIND, .arg = arg };
	int ret;

	if (READ_ONCE(ioasid->teller) == current)
		return -EDEADLK;
	guard(rwsem_read)(&ioasid->set->events);
	guard(ioasid_teller)(ioasid);
	if (READ_ONCE(ioasid->pending))
		return -ENOENT;
	ret = bind_push(ioasid, arg);
	if (ret)
		return ret;
	walk.stamp = ioasid->bind.stamp;
	ret = walk_run(&walk);
	if (ret) {
		walk.ev = IOASID_UNBIND;
		walk_run(&walk);
		bind_pop(ioasid);
	}
	return ret;
}

/* Send UNBIND for each BIND, then FREE, unless that was already done. */
static void tell_free_locked(struct ioasid *ioasid)
{
	struct ioasid_bind bind;

	if (ioasid->told)
		return;
	while (ioasid->bound) {
		bind = ioasid->bind;
		bind_pop(ioasid);
		ioasid_tell(ioasid, IOASID_UNBIND, bind.arg, bind.stamp);
	}
	ioasid_tell(ioasid, IOASID_FREE, NULL, STAMP_ALL);
	WRITE_ONCE(ioasid->told, true);
}

void ioasid_tell_free(struct ioasid *ioasid)
{
	guard(rwsem_read)(&ioasid->set->events);
	guard(ioasid_teller)(ioasid);
	tell_free_locked(ioasid);
}

/*
 * Deliver an UNBIND.  After a free, the events of the free are delivered here
 * unless the worker has delivered them: when this returns, no subscriber uses
 * @arg any more, and all subscribers have handled the FREE.
 */
int ioasid_tell_unbind(struct ioasid *ioasid, void *arg)
{
	u64 stamp;

	if (READ_ONCE(ioasid->teller) == current)
		return -EDEADLK;
	guard(rwsem_read)(&ioasid->set->events);
	guard(ioasid_teller)(ioasid);
	if (READ_ONCE(ioasid->pending)) {
		tell_free_locked(ioasid);
		return -ENOENT;
	}
	stamp = bind_remove(ioasid, arg);
	if (!stamp)
		return -ENOENT;
	ioasid_tell(ioasid, IOASID_UNBIND, arg, stamp);
	return 0;
}

/*
 * Registration
 */

/*
 * Return the next IOASID whose free was not delivered.  With ioasid_set.events
 * held for writing, no free can be delivered, and an IOASID stays on the list
 * until its free was delivered: @prev is still on the list.
 */
static struct ioasid *replay_next(struct ioasid_set *set, struct ioasid *prev)
{
	struct ioasid *ioasid = prev ?: list_entry(&set->ids, struct ioasid, node);

	lockdep_assert_held_write(&set->events);
	guard(spinlock_irqsave)(&set->spids.xa_lock);
	list_for_each_entry_continue(ioasid, &set->ids, node)
		if (!ioasid->told)
			return ioasid;
	return NULL;
}

static int replay_ioasid(struct ioasid_notifier *nb, struct ioasid *ioasid)
{
	const struct ioasid_bind *bind;
	u64 stamp = 0;
	int ret;

	guard(ioasid_teller)(ioasid);
	ret = notifier_call(nb, ioasid, IOASID_ALLOC, NULL);
	while (!ret && (bind = bind_after(ioasid, stamp))) {
		stamp = bind->stamp;
		ret = notifier_call(nb, ioasid, IOASID_BIND, bind->arg);
	}
	return ret;
}

static int replay_set(struct ioasid_notifier *nb, struct ioasid_set *set)
{
	struct ioasid *ioasid = NULL;
	int ret = 0;

	while (!ret && (ioasid = replay_next(set, ioasid))) {
		ret = replay_ioasid(nb, ioasid);
		cond_resched();
	}
	return ret;
}

/**
 * ioasid_register_notifier() - Subscribe to events
 * @set: the set to subscribe to, NULL for all sets.  The caller holds a
 *	reference on the set until it has unregistered.
 * @nb: the subscriber, with notify and prio filled in
 * @replay: first deliver ALLOC and BIND for the IOASIDs that exist in @set
 *
 * The subscriber is called for events from now on.  With @replay, it is first
 * called with IOASID_ALLOC and IOASID_BIND for the existing IOASIDs and BINDs,
 * oldest first, before this returns; other events of the set wait meanwhile.
 * Without @replay, it may be called with IOASID_FREE for an IOASID that existed
 * before.
 *
 * A subscriber that refuses a BIND in the replay is not registered.
 *
 * Context: Process context. With @set, waits for the calls in flight to
 * subscribers for that set. Must not be called by a subscriber, nor with a lock
 * held that a subscriber takes.
 * Return: 0; -EINVAL if @nb is not filled in properly or a replay of all sets
 * is requested, or the errno that @nb returned for a BIND in the replay.
 */
int ioasid_register_notifier(struct ioasid_set *set, struct ioasid_notifier *nb,
			     bool replay)
{
	int ret;

	might_sleep();
	RCU_LOCKDEP_WARN(srcu_read_lock_held(&ioasid_srcu),
			 "a subscriber registers another one");
	if (!nb->notify || nb->prio > IOASID_PRIO_CPU || (replay && !set))
		return -EINVAL;
	nb->replay = replay;
	nb->key = (u64)nb->prio << KEY_SEQ_BITS;
	if (!set) {
		guard(spinlock)(&ioasid_all_lock);
		nb->key |= ++ioasid_clock;
		list_add_rcu(&nb->node, &ioasid_all);
		return 0;
	}
	guard(rwsem_write)(&set->events);
	nb->key |= ioasid_stamp();
	ret = replay ? replay_set(nb, set) : 0;
	if (!ret)
		list_add(&nb->node, &set->chain);
	return ret;
}
EXPORT_SYMBOL_GPL(ioasid_register_notifier);

/**
 * ioasid_unregister_notifier() - End a subscription
 * @set: the set that it was registered with, or NULL
 * @nb: the subscriber
 *
 * When this returns, the subscriber is not called any more and no call to it is
 * in flight.  It gets no UNBIND or FREE for existing IOASIDs.
 *
 * Context: Process context. Waits for the calls in flight to subscribers, for
 * @set or for any set. Must not be called by a subscriber, nor with a lock held
 * that a subscriber takes.
 */
void ioasid_unregister_notifier(struct ioasid_set *set,
				struct ioasid_notifier *nb)
{
	might_sleep();
	if (set) {
		guard(rwsem_write)(&set->events);
		list_del(&nb->node);
		return;
	}
	scoped_guard(spinlock, &ioasid_all_lock)
		list_del_rcu(&nb->node);
	synchronize_srcu(&ioasid_srcu);
}
EXPORT_SYMBOL_GPL(ioasid_unregister_notifier);
