/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOASIDs: host PASIDs as objects, grouped in sets with a quota and a private
 * number space.
 *
 * An IOASID set stands for one owner of PASIDs, usually a virtual machine.  An
 * IOASID is a number of the host-wide PASID space that one set owns.  A
 * set-private ID (SPID) is another number for the same IOASID, unique within
 * its set: the PASID that the guest uses.
 *
 * See Documentation/driver-api/ioasid.rst.
 */
#ifndef __LINUX_IOASID_H
#define __LINUX_IOASID_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/types.h>

struct ioasid_set;

/*
 * PASIDs have 20 bits.  Numbers that are allocated start at
 * IOMMU_FIRST_GLOBAL_PASID; IOMMU_PASID_INVALID stands for no number.
 */
#define IOASID_MAX	((ioasid_t)((1U << 20) - 1))

/**
 * enum ioasid_set_type - The type of a set's token
 * @IOASID_SET_TYPE_FILE: an open file or the context behind it.  The set takes
 *	no reference on the token; the owner of the token calls
 *	ioasid_set_disown() before it frees the token.
 */
enum ioasid_set_type {
	IOASID_SET_TYPE_FILE,
};

/**
 * struct ioasid_set_stats - The counts of a set at one instant
 * @quota: how many IOASIDs the set may have
 * @active: IOASIDs that can be looked up
 * @free_pending: freed IOASIDs whose number is not back in the pool
 * @spids: SPIDs that are attached
 */
struct ioasid_set_stats {
	u32 quota;
	u32 active;
	u32 free_pending;
	u32 spids;
};

/**
 * enum ioasid_event - An event that is delivered to subscribers
 * @IOASID_ALLOC: an IOASID was allocated
 * @IOASID_BIND: an IOASID was bound; the only event that a subscriber can
 *	refuse
 * @IOASID_UNBIND: a BIND that was delivered to the subscriber has ended
 * @IOASID_FREE: an IOASID is FREE_PENDING; the last event of this IOASID
 *
 * ALLOC and BIND are set-up events, UNBIND and FREE are teardown events.
 */
enum ioasid_event {
	IOASID_ALLOC,
	IOASID_BIND,
	IOASID_UNBIND,
	IOASID_FREE,
};

/**
 * enum ioasid_prio - The priority of a subscriber in the order of delivery
 * @IOASID_PRIO_IOMMU: first at set-up, last at teardown
 * @IOASID_PRIO_DEVICE: a driver that composes virtual devices
 * @IOASID_PRIO_CPU: last at set-up, first at teardown
 *
 * Subscribers of the same priority are called in the order of their
 * registration at set-up, and in the reverse order at teardown.
 */
enum ioasid_prio {
	IOASID_PRIO_IOMMU,
	IOASID_PRIO_DEVICE,
	IOASID_PRIO_CPU,
};

/**
 * struct ioasid_event_info - Which IOASID an event is about
 * @set: the set of the IOASID; valid during the call, use ioasid_set_get() to
 *	keep it longer
 * @id: the number of the IOASID
 * @spid: the SPID at the time of the call, IOMMU_PASID_INVALID if there is
 *	none.  At teardown by a free, the SPID that the free detached.
 * @data: the private data of the IOASID
 * @arg: the argument of ioasid_notify(), NULL for ALLOC and FREE
 */
struct ioasid_event_info {
	struct ioasid_set *set;
	ioasid_t id;
	ioasid_t spid;
	void *data;
	void *arg;
};

/**
 * struct ioasid_notifier - A subscriber
 * @notify: called once per event, in process context; may sleep.  The return
 *	value is used for IOASID_BIND only: 0, or a negative errno to refuse
 *	the BIND.
 * @prio: see &enum ioasid_prio
 *
 * The subscriber owns the structure, from before ioasid_register_notifier()
 * until after ioasid_unregister_notifier().  The private members belong to the
 * ioasid module.
 *
 * @notify must not register or unregister a subscriber, allocate an IOASID,
 * call ioasid_drain(), or call ioasid_notify() about another IOASID: the
 * callback would wait for itself, and lockdep reports it.
 */
struct ioasid_notifier {
	int (*notify)(struct ioasid_notifier *nb, enum ioasid_event ev,
		      const struct ioasid_event_info *info);
	enum ioasid_prio prio;

	/* private: */
	struct list_head node;
	u64 key;
	bool replay;
};

struct ioasid_set *ioasid_set_alloc(void *token, u32 quota,
				    enum ioasid_set_type type);
bool ioasid_set_get(struct ioasid_set *set);
void ioasid_set_put(struct ioasid_set *set);
void ioasid_set_disown(struct ioasid_set *set);
int ioasid_set_adjust(struct ioasid_set *set, u32 quota);
void ioasid_set_stats(struct ioasid_set *set, struct ioasid_set_stats *stats);

int ioasid_alloc(struct ioasid_set *set, ioasid_t min, ioasid_t max, void *data,
		 ioasid_t *id);
int ioasid_free(struct ioasid_set *set, ioasid_t id);
void ioasid_free_all(struct ioasid_set *set);
void ioasid_drain(struct ioasid_set *set);

int ioasid_get(struct ioasid_set *set, ioasid_t id);
void ioasid_put(struct ioasid_set *set, ioasid_t id);
void *ioasid_find(struct ioasid_set *set, ioasid_t id);

int ioasid_attach_spid(struct ioasid_set *set, ioasid_t id, ioasid_t spid);
ioasid_t ioasid_find_by_spid(struct ioasid_set *set, ioasid_t spid);
ioasid_t ioasid_get_by_spid(struct ioasid_set *set, ioasid_t spid);
ioasid_t ioasid_spid(struct ioasid_set *set, ioasid_t id);

int ioasid_register_notifier(struct ioasid_set *set, struct ioasid_notifier *nb,
			     bool replay);
void ioasid_unregister_notifier(struct ioasid_set *set,
				struct ioasid_notifier *nb);
int ioasid_notify(struct ioasid_set *set, ioasid_t id, enum ioasid_event ev,
		  void *arg);

/* In drivers/iommu/iommu.c: allocate a global PASID in [min, max]. */
int iommu_global_pasid_alloc_range(ioasid_t min, ioasid_t max);

#endif /* __LINUX_IOASID_H */
