/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations shared by the files of the ioasid module.  A file only calls
 * files that follow it in this list:
 *
 *	ioasid_main.c		initialisation and exit of the module
 *	ioasid_debugfs.c	limits, sets and pending frees in debugfs
 *	ioasid_set.c		sets, IOASIDs, references, SPIDs, lookups
 *	ioasid_notifier.c	subscribers and the delivery of events
 *	ioasid_pool.c		numbers, and limits of the host and of a user
 *
 * Locks, outermost first:
 *
 *	ioasid_set.events	rw_semaphore.  Held for reading while an IOASID
 *				of the set is published and while an event is
 *				delivered; held for writing while a subscriber
 *				of the set is (un)registered, including the
 *				replay of existing IOASIDs
 *	ioasid.teller		a sleeping lock per IOASID: the task that
 *				delivers an event of the IOASID.  Protects its
 *				BINDs
 *	ioasid_set.spids	xa_lock, irqsave.  Protects the set, the state
 *				and references of its IOASIDs, and its SPIDs
 *	ioasid_all_lock		spinlock, taken alone.  Protects the counter of
 *				stamps, and changes to the list of subscribers
 *				of all sets, which events read under SRCU
 *	ioasid_numbers		xa_lock, irqsave.  Protects the map from
 *				numbers to IOASIDs
 *	ioasid_pool.lock	irqsave.  Protects counts and limits
 *	ioasid_sets_lock	irqsave.  Protects the list of sets
 */
#ifndef __IOASID_PRIV_H
#define __IOASID_PRIV_H

#include <linux/ioasid.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#define IOASID_BITS	20

/**
 * struct ioasid_user - A user that IOASIDs are charged to
 * @node: in the hash table of the pool
 * @uid: the user
 * @sets: sets charged to the user; the structure is freed with the last one
 * @count: IOASIDs that exist or are being allocated
 *
 * Belongs to the pool.  Protected by ioasid_pool.lock; @uid does not change.
 */
struct ioasid_user {
	struct hlist_node node;
	kuid_t uid;
	u32 sets;
	u32 count;
};

/**
 * struct ioasid_bind - A BIND that was not followed by its UNBIND
 * @next: the previous BIND of the IOASID
 * @arg: the argument that the caller of ioasid_notify() passed
 * @stamp: sequence number from ioasid_clock
 *
 * Belongs to the IOASID.  Protected by ioasid.teller.
 */
struct ioasid_bind {
	struct ioasid_bind *next;
	void *arg;
	u64 stamp;
};

/* Set in ioasid.spid when a free detaches the SPID */
#define IOASID_SPID_TAKEN	BIT(31)

/**
 * struct ioasid - One number that a set owns
 * @set: the set, on which the IOASID holds a reference
 * @data: private data of the caller of ioasid_alloc()
 * @node: in ioasid_set.ids, until the last reference is dropped
 * @rcu: for kfree_rcu() after the last reference is dropped
 * @work: in ioasid_set.freed, from the free until the worker dequeues it
 * @teller: the task that delivers an event to the subscribers, or NULL
 * @bind: the latest BIND if @bound, linked to the earlier ones
 * @id: the number
 * @spid: the SPID, IOMMU_PASID_INVALID if the IOASID has none, or
 *	IOASID_SPID_TAKEN with the SPID that the free detached
 * @gets: references of callers
 * @pins: references of the module: one for the allocation, until the free has
 *	been delivered, and one per call in flight that delivers an event or
 *	iterates over the set
 * @freed: jiffies at the free
 * @pending: the state is FREE_PENDING; lookups no longer find the IOASID
 * @told: the free has been delivered to the subscribers
 * @bound: @bind is in use
 *
 * There can be a million of these structures: check the size before adding a
 * member.  With a mutex as @teller, the size would be 120 bytes instead of 96
 * (ioasid_bench prints it).
 *
 * @set, @data and @id do not change.  @teller is a lock itself and protects
 * @bind, @bound and @told.  All other members are protected by the lock of the
 * set; lookups read @spid and @pending without it.  Freed when @gets and @pins
 * are 0.
 */
struct ioasid {
	struct ioasid_set *set;
	void *data;
	union {
		struct list_head node;
		struct rcu_head rcu;
	};
	struct llist_node work;
	struct task_struct *teller;
	struct ioasid_bind bind;
	u32 id;
	u32 spid;
	u32 gets;
	u32 pins;
	u32 freed;
	bool pending;
	bool told;
	bool bound;
};

/**
 * struct ioasid_set - All IOASIDs of one owner
 * @spids: SPID to number, as value entries; its xa_lock is the lock of the set.
 *	The entry of IOASID_MAX is a zero entry when it is not in use, so that
 *	the tree has the same height, and a lookup the same cost, for few
 *	IOASIDs and for many
 * @users: references of callers; all IOASIDs are freed with the last one
 * @refs: references on the memory: one for all of @users, one per IOASID, one
 *	per queued @work
 * @type: the type of @token
 * @token: the object that the set stands for, NULL once disowned
 * @node: in ioasid_sets until @refs is 0, under RCU
 * @nr: identifies the set in debugfs
 * @user: the user that the IOASIDs are charged to
 * @dead: the last of @users was dropped
 * @quota: how many IOASIDs the set may have
 * @coming: IOASIDs that are being allocated
 * @active: IOASIDs that are ACTIVE
 * @pending: IOASIDs that are FREE_PENDING
 * @nr_spids: SPIDs attached
 * @ids: the IOASIDs, oldest first
 * @freed: FREE_PENDING IOASIDs that the worker has not dequeued
 * @work: delivers the frees to the subscribers
 * @release: frees the set after a grace period
 * @events: see the top of this file
 * @chain: subscribers of this set
 *
 * @user, @type and @nr do not change.  @events protects @chain,
 * ioasid_sets_lock protects @node.  The lock of the set protects all other
 * members that are not atomic or locks themselves.
 */
struct ioasid_set {
	struct xarray spids;
	refcount_t users;
	refcount_t refs;
	enum ioasid_set_type type;
	void *token;
	struct list_head node;
	u32 nr;
	struct ioasid_user *user;
	bool dead;
	u32 quota;
	u32 coming;
	u32 active;
	u32 pending;
	u32 nr_spids;
	struct list_head ids;
	struct llist_head freed;
	struct work_struct work;
	struct rcu_work release;
	struct rw_semaphore events;
	struct list_head chain;
};

/* ioasid_pool.c */

/**
 * enum ioasid_limit - Limits that the administrator can set
 * @IOASID_CEILING: IOASIDs of all sets together
 * @IOASID_DEFAULT_QUOTA: quota of a set that does not ask for one
 * @IOASID_HOST_RESERVE: numbers that IOASIDs leave to processes of the host
 * @IOASID_USER_LIMIT: IOASIDs of one user, 0 for half of what the host leaves
 * @IOASID_LIMITS: number of limits
 */
enum ioasid_limit {
	IOASID_CEILING,
	IOASID_DEFAULT_QUOTA,
	IOASID_HOST_RESERVE,
	IOASID_USER_LIMIT,
	IOASID_LIMITS,
};

bool ioasid_out_of_memory(void);
u32 ioasid_limit(enum ioasid_limit which);
int ioasid_set_limit(enum ioasid_limit which, u32 value);
u32 ioasid_total(void);
u32 ioasid_pool_quota(u32 quota);
int ioasid_pool_charge(struct ioasid_user *user, bool exceed);
void ioasid_pool_uncharge(struct ioasid_user *user);
int ioasid_pool_number(ioasid_t min, ioasid_t max);
void ioasid_pool_number_free(ioasid_t id);
struct ioasid_user *ioasid_user_get(void);
void ioasid_user_put(struct ioasid_user *user);

/* ioasid_notifier.c */

void ioasid_tell_alloc(struct ioasid *ioasid);
int ioasid_tell_bind(struct ioasid *ioasid, void *arg);
int ioasid_tell_unbind(struct ioasid *ioasid, void *arg);
void ioasid_tell_free(struct ioasid *ioasid);

/* ioasid_set.c */

extern struct xarray ioasid_numbers;
extern struct list_head ioasid_sets;

void ioasid_surplus_put(ioasid_t id);
int ioasid_set_init(void);
void ioasid_set_exit(void);
struct module *ioasid_owner(void);

/* ioasid_debugfs.c */

extern const struct seq_operations ioasid_free_pending_sops, ioasid_sets_sops;

void ioasid_debugfs_init(void);
void ioasid_debugfs_exit(void);

#endif /* __IOASID_PRIV_H */
