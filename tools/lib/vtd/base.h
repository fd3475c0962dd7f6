/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Integer types, bit helpers and the list, for both roles of the unit: the
 * simulated hardware and the virtual unit of a VMM.
 */
#ifndef VTD_BASE_H
#define VTD_BASE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK_ULL(h, l)	((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* Bits h to l of a value. */
static inline u64 bits(u64 val, unsigned int h, unsigned int l)
{
	return (val & GENMASK_ULL(h, l)) >> l;
}

static inline u64 page_of(u64 addr)
{
	return addr & ~0xfffULL;
}

/*
 * Every access to memory that the VM sees goes through these: acquire on what
 * the VM publishes, release on what the unit publishes.
 */
#define load_acquire(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define cmpxchg(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, \
				    __ATOMIC_ACQUIRE)

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_add(struct list *node, struct list *head)
{
	node->next = head->next;
	node->prev = head;
	head->next->prev = node;
	head->next = node;
}

static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#endif /* VTD_BASE_H */
