// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fault file of a context: page requests of its guest PASIDs are read from
 * the file, and answers are written to it.
 *
 * The file owns the VM's queue of page requests and holds a reference on the
 * context.  iommufd_ctx::gpasid_faults points to the queue while the file is
 * open, so that a bind can tell whether to enable page requests.  The pointer
 * is set and cleared by xchg() and never dereferenced; the queue is accessed
 * only through the file.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gpasid-reset.h>
#include <linux/iommufd.h>
#include <linux/iommufd-gpasid.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "gpasid.h"
#include "iommufd_private.h"

/* Number of records that are copied at a time. */
#define GPASID_FAULT_CHUNK	16

struct gpasid_fault_file {
	struct iommufd_ctx *ictx;
	struct gpasid_fault_queue *q;
	struct mutex read_lock;		/* serialises readers */
};

static int gpasid_fault_release(struct inode *inode, struct file *filp)
{
	struct gpasid_fault_file *ff = filp->private_data;

	xchg(&ff->ictx->gpasid_faults, NULL);
	gpasid_fault_queue_destroy(ff->q);
	iommufd_ctx_put(ff->ictx);
	mutex_destroy(&ff->read_lock);
	kfree(ff);

	return 0;
}

/* Wait until there are unread records. */
static int gpasid_fault_wait_readable(struct gpasid_fault_file *ff,
				      struct file *filp)
{
	if (gpasid_fault_pending(ff->q))
		return 0;
	if (filp->f_flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_event_interruptible(*gpasid_fault_wait(ff->q),
					gpasid_fault_pending(ff->q));
}

/*
 * Copy at most @room unread records.  Return the number of bytes copied, or
 * -EFAULT if the first copy fails.
 */
static ssize_t gpasid_fault_copy(struct gpasid_fault_file *ff,
				 char __user *buf, size_t room)
{
	struct iommu_gpasid_fault records[GPASID_FAULT_CHUNK];
	ssize_t done = 0;
	size_t n;

	lockdep_assert_held(&ff->read_lock);

	while (room && gpasid_fault_pending(ff->q)) {
		n = min_t(size_t, room, ARRAY_SIZE(records));
		n = gpasid_fault_peek(ff->q, records, n);
		if (copy_to_user(buf + done, records, n * sizeof(records[0])))
			return done ?: -EFAULT;
		gpasid_fault_take(ff->q, records, n);
		done += n * sizeof(records[0]);
		room -= n;
	}
	return done;
}

static ssize_t gpasid_fault_fops_read(struct file *filp, char __user *buf,
				      size_t count, loff_t *ppos)
{
	const size_t size = sizeof(struct iommu_gpasid_fault);
	struct gpasid_fault_file *ff = filp->private_data;
	ssize_t done;
	int rc;

	if (!count || count % size)
		return -EINVAL;

	/* If another reader has taken the records, wait again. */
	do {
		rc = gpasid_fault_wait_readable(ff, filp);
		if (rc)
			return rc;
		scoped_guard(mutex, &ff->read_lock)
			done = gpasid_fault_copy(ff, buf, count / size);
	} while (!done);

	return done;
}

static ssize_t gpasid_fault_fops_write(struct file *filp,
				       const char __user *buf, size_t count,
				       loff_t *ppos)
{
	struct gpasid_fault_file *ff = filp->private_data;
	struct iommu_gpasid_fault_response resp;
	ssize_t done = 0;
	int rc = 0;

	if (!count || count % sizeof(resp))
		return -EINVAL;

	while (done < count) {
		if (copy_from_user(&resp, buf + done, sizeof(resp)))
			rc = -EFAULT;
		else if (resp.__reserved)
			rc = -EINVAL;
		else
			rc = gpasid_fault_respond(ff->q, resp.cookie,
						  resp.code);
		if (rc)
			break;
		done += sizeof(resp);
	}

	return done ?: rc;
}

static __poll_t gpasid_fault_fops_poll(struct file *filp,
				       struct poll_table_struct *wait)
{
	struct gpasid_fault_file *ff = filp->private_data;
	__poll_t events = EPOLLOUT | EPOLLWRNORM;

	poll_wait(filp, gpasid_fault_wait(ff->q), wait);
	if (gpasid_fault_pending(ff->q))
		events |= EPOLLIN | EPOLLRDNORM;

	return events;
}

static long gpasid_fault_fops_ioctl(struct file *filp, unsigned int cmd,
				    unsigned long arg)
{
	struct gpasid_fault_file *ff = filp->private_data;
	struct iommu_gpasid_fault_pause pause;

	if (cmd != IOMMU_GPASID_FAULT_PAUSE)
		return -ENOTTY;
	if (copy_from_user(&pause, (void __user *)arg, sizeof(pause)))
		return -EFAULT;
	if (pause.size != sizeof(pause) ||
	    pause.flags & ~IOMMU_GPASID_FAULT_PAUSED)
		return -EINVAL;
	gpasid_fault_pause(ff->q, pause.flags & IOMMU_GPASID_FAULT_PAUSED);

	return 0;
}

static const struct file_operations gpasid_fault_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = gpasid_fault_fops_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = gpasid_fault_fops_read,
	.write = gpasid_fault_fops_write,
	.poll = gpasid_fault_fops_poll,
	.release = gpasid_fault_release,
};

/* Create the queue and a file for it; the caller installs the file. */
static struct file *gpasid_fault_file_make(struct iommufd_ctx *ictx,
					   struct iommu_gpasid_fault_alloc *cmd)
{
	struct ioasid_set *set = iommufd_gpasid_set_make(ictx);
	struct gpasid_fault_file *ff;
	struct file *filp;

	if (IS_ERR(set))
		return ERR_CAST(set);

	ff = kzalloc(sizeof(*ff), GFP_KERNEL_ACCOUNT);
	if (!ff)
		return ERR_PTR(-ENOMEM);
	mutex_init(&ff->read_lock);
	ff->ictx = ictx;
	ff->q = gpasid_fault_queue_create(set, &cmd->limit, &cmd->timeout_ms);
	if (IS_ERR(ff->q)) {
		filp = ERR_CAST(ff->q);
		goto out_free;
	}

	filp = anon_inode_getfile("[iommufd-gpasid-fault]", &gpasid_fault_fops,
				  ff, O_RDWR);
	if (IS_ERR(filp))
		goto out_queue;
	stream_open(NULL, filp);
	iommufd_ctx_get(ictx);
	xchg(&ictx->gpasid_faults, ff->q);

	return filp;

out_queue:
	gpasid_fault_queue_destroy(ff->q);
out_free:
	mutex_destroy(&ff->read_lock);
	kfree(ff);
	return filp;
}

int iommufd_gpasid_fault_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_gpasid_fault_alloc *cmd = ucmd->cmd;
	struct file *filp;
	int fd, rc;

	if (cmd->flags || cmd->__reserved)
		return -EINVAL;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	filp = gpasid_fault_file_make(ucmd->ictx, cmd);
	if (IS_ERR(filp)) {
		rc = PTR_ERR(filp);
		goto out_fd;
	}

	cmd->out_fault_fd = fd;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		goto out_file;
	fd_install(fd, filp);
	return 0;

out_file:
	fput(filp);
out_fd:
	put_unused_fd(fd);
	return rc;
}

/*
 * Page requests of a device are enabled by the first bind while the context has
 * a fault file, and disabled when the device is unbound from the context.
 * Called with iommufd_group::lock held.
 */
int iommufd_gpasid_iopf_enable(struct iommufd_device *idev)
{
	struct gpasid_caps caps;
	int rc;

	lockdep_assert_held(&idev->igroup->lock);

	if (idev->gpasid_iopf || !READ_ONCE(idev->ictx->gpasid_faults))
		return 0;
	rc = gpasid_get_caps(idev->dev, &caps);
	if (rc || !(caps.caps & GPASID_CAP_PRI))
		return rc;

	rc = iommufd_fault_iopf_enable(idev);
	idev->gpasid_iopf = !rc;

	return rc;
}

void iommufd_gpasid_iopf_disable(struct iommufd_device *idev)
{
	lockdep_assert_held(&idev->igroup->lock);

	if (idev->gpasid_iopf)
		iommufd_fault_iopf_disable(idev);
	idev->gpasid_iopf = false;
}

/*
 * Fault queues of HWPTs: groups that are ended by a reset or exceed the limit
 */

/*
 * Free the ended groups that have not been read.  Also called from the
 * page-request thread: does not sleep.
 */
void iommufd_fault_free_unread(struct iommufd_fault *fault)
{
	struct iopf_group *group, *next;
	LIST_HEAD(ended);

	if (READ_ONCE(fault->nr_ended) == iommu_gpasid_nr_ended())
		return;

	scoped_guard(spinlock, &fault->lock)
		list_for_each_entry_safe(group, next, &fault->deliver, node)
			if (READ_ONCE(group->ended))
				list_move_tail(&group->node, &ended);

	list_for_each_entry_safe(group, next, &ended, node)
		iopf_free_group(group);
}

/*
 * Answer and free @group, and return true, if its device has too many requests
 * in memory: a device can send requests without waiting for answers, and its
 * VMM can leave them unread.  The answer is "invalid", since after a failure
 * the device would send no page requests until it is reset.
 */
bool iommufd_fault_refuse(struct iopf_group *group)
{
	if (iommu_gpasid_keep_group(group))
		return false;
	iopf_group_response(group, IOMMU_PAGE_RESP_INVALID);
	iopf_free_group(group);
	return true;
}

/*
 * Free all ended groups, read or unread, so that a response with a cookie from
 * before the reset is refused.
 */
void iommufd_fault_free_ended(struct iommufd_fault *fault)
{
	unsigned int nr_ended = iommu_gpasid_nr_ended();
	struct iopf_group *group;
	unsigned long cookie;

	lockdep_assert_held(&fault->mutex);

	if (fault->nr_ended == nr_ended)
		return;
	iommufd_fault_free_unread(fault);
	xa_for_each(&fault->response, cookie, group) {
		if (!READ_ONCE(group->ended))
			continue;
		xa_erase(&fault->response, cookie);
		iopf_free_group(group);
	}
	WRITE_ONCE(fault->nr_ended, nr_ended);
}

/*
 * Free the ended groups, as the limit of their device counts them.  Not those
 * that have been read if a read or write is under way, which does it and can
 * wait for memory of the VMM.
 */
void iommufd_fault_poll_ended(struct iommufd_fault *fault)
{
	if (!mutex_trylock(&fault->mutex)) {
		iommufd_fault_free_unread(fault);
		return;
	}
	iommufd_fault_free_ended(fault);
	mutex_unlock(&fault->mutex);
}
