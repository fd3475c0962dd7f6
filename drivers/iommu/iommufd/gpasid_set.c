// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest PASIDs in iommufd: the IOASID set of a context, which contains the
 * PASIDs of its VM.
 *
 * The set is allocated on first use and released with the context; a lookup
 * before the first use fails.  iommufd_ctx::gpasid_set is set once, by
 * cmpxchg(), and read without a lock.
 */
#include <linux/iommufd.h>
#include <linux/iommufd-gpasid.h>
#include <linux/sched.h>

#include "gpasid.h"
#include "iommufd_private.h"

/* Return the set of the context, or NULL if it has not been used yet. */
struct ioasid_set *iommufd_gpasid_set(struct iommufd_ctx *ictx)
{
	return READ_ONCE(ictx->gpasid_set);
}

/*
 * Return the set of the context, and allocate it on first use.  The set is
 * valid as long as the context.
 */
struct ioasid_set *iommufd_gpasid_set_make(struct iommufd_ctx *ictx)
{
	struct ioasid_set *set = iommufd_gpasid_set(ictx), *old;

	if (set)
		return set;

	set = ioasid_set_alloc(ictx->file, 0, IOASID_SET_TYPE_FILE);
	/* Another thread is allocating the set of this context. */
	while (IS_ERR(set) && PTR_ERR(set) == -EEXIST) {
		cond_resched();
		old = iommufd_gpasid_set(ictx);
		if (old)
			return old;
		set = ioasid_set_alloc(ictx->file, 0, IOASID_SET_TYPE_FILE);
	}
	if (IS_ERR(set))
		return set;

	old = cmpxchg(&ictx->gpasid_set, NULL, set);
	if (!old)
		return set;
	ioasid_set_disown(set);
	ioasid_set_put(set);
	return old;
}

/*
 * Free all PASIDs of the context and release its set.  Called after all
 * devices are unbound from the context.
 */
void iommufd_gpasid_release(struct iommufd_ctx *ictx)
{
	struct ioasid_set *set = iommufd_gpasid_set(ictx);

	if (!set)
		return;
	ioasid_set_disown(set);
	ioasid_free_all(set);
	ioasid_drain(set);
	WRITE_ONCE(ictx->gpasid_set, NULL);
	ioasid_set_put(set);
}
