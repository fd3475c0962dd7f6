// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sample virtual device composition module (VDCM).
 *
 * Slices an endpoint of the VT-d lab (tools/testing/vtdsim) into virtual
 * devices, one for each hardware queue.  Each virtual device is a VFIO device.
 * Several VMs share one physical function; each VM has its own address spaces,
 * which the PASID distinguishes.
 *
 * Objects:
 *
 *  struct vdcm_pf	the physical function, bound to a PCI driver by
 *			driver_override only
 *  struct vdcm_slice	one queue of the function, an auxiliary device: the
 *			parent of a virtual device in the driver model
 *  struct vdcm		the virtual device: a VFIO device that drives the queue
 *
 * Isolation of VMs: a guest writes only guest PASIDs, into an emulated
 * register, and they are translated within the VM's own IOASID set.  A
 * descriptor can name any PASID or none, so a guest must not write the ring: it
 * submits descriptors through a portal, which makes them use the queue's PASID.
 *
 * No DMA faults: the queue is stopped before the PASID-table entry is cleared.
 * This driver, an ioctl on another device or the end of the VM may cause that;
 * in each case vdcm_notify() gets the IOASID's UNBIND event first.
 *
 * Locks, outer to inner:
 *
 *  vdcm::bind_lock	the parent; held over bind and unbind, so never taken by
 *			the notifier
 *  the IOASID's events	held by the IOASID code around vdcm_notify()
 *  vdcm::queue_lock	the emulated registers and the hardware queue
 *
 * See Documentation/driver-api/gpasid.rst, which explains this file.
 */
#include <linux/auxiliary_bus.h>
#include <linux/idr.h>
#include <linux/iommufd-gpasid.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio-gpasid.h>

#include "../../tools/testing/vtdsim/vtdsim_abi.h"
#include "gpasid_vdcm.h"

/* A stop completes the descriptor in flight, which has some MiB at most. */
#define VDCM_STOP_TIMEOUT_US	USEC_PER_SEC

/**
 * struct vdcm_pf - A physical function
 * @pdev: the function
 * @bar: its BAR 0
 * @slice: one for each queue
 *
 * Exists while the driver is bound; the slices are released first.
 */
struct vdcm_pf {
	struct pci_dev *pdev;
	void __iomem *bar;
	struct vdcm_slice *slice[VTDSIM_NR_QUEUES];
};

/**
 * struct vdcm_slice - A queue in the driver model
 * @adev: child of the physical function
 * @pf: the function
 * @q: number of the queue
 *
 * Freed with the last reference on @adev; @pf is valid while a driver is bound.
 */
struct vdcm_slice {
	struct auxiliary_device adev;
	struct vdcm_pf *pf;
	unsigned int q;
};

/**
 * struct vdcm - A virtual device
 * @vdev: the VFIO device; @vdcm is freed with its last reference
 * @pf: the physical function
 * @q: number of the queue
 * @ictx: the VM's context, while the device is bound to it
 * @devid: ID of the device in @ictx
 * @set: the VM's PASIDs, while the device is bound; a reference is held
 * @nb: subscription to @set's events, while the device is bound
 * @bind_lock: protects @parent
 * @parent: the VM's second stage, while the device is attached
 * @queue_lock: protects the fields below and the registers of the queue
 * @hpasid: host PASID in the queue's register, IOMMU_PASID_INVALID for none
 * @regs: the emulated registers; head and tail are those of the queue
 */
struct vdcm {
	struct vfio_device vdev;
	struct vdcm_pf *pf;
	unsigned int q;

	struct iommufd_ctx *ictx;
	u32 devid;
	struct ioasid_set *set;
	struct ioasid_notifier nb;

	struct mutex bind_lock;		/* @parent */
	struct iommufd_hw_pagetable *parent;

	struct mutex queue_lock;	/* the queue and its registers */
	ioasid_t hpasid;
	struct vdcm_regs regs;
};

static DEFINE_IDA(vdcm_ida);

static struct vdcm *to_vdcm(struct vfio_device *vdev)
{
	return container_of(vdev, struct vdcm, vdev);
}

/* Return the device whose PASID table is used, on which bindings are made. */
static struct device *vdcm_dma_dev(struct vdcm *v)
{
	return &v->pf->pdev->dev;
}

/*
 * The hardware queue
 */

static void __iomem *vdcm_queue(struct vdcm *v, size_t offset)
{
	return v->pf->bar + VTDSIM_BAR_QUEUE(v->q) + offset;
}

#define vdcm_queue_reg(v, name) \
	vdcm_queue(v, offsetof(struct vtdsim_queue, name))

static void __iomem *vdcm_ring_slot(struct vdcm *v, u32 index)
{
	return vdcm_queue(v, VTDSIM_QUEUE_RING +
			  index % VTDSIM_RING_ENTRIES *
			  sizeof(struct vtdsim_desc));
}

/* Return the offset of the virtual device's part in the device's memory. */
static u32 vdcm_mem_offset(struct vdcm *v)
{
	return v->q * VDCM_MEM_SIZE;
}

/*
 * Stop the queue.  On return it does no DMA, and the descriptors that it had
 * not started are dropped.  If the device does not stop, clear its bus master
 * bit, so that it cannot do DMA either.
 */
static void vdcm_queue_stop(struct vdcm *v)
{
	u32 busy;

	lockdep_assert_held(&v->queue_lock);

	v->regs.enable = 0;
	writel(0, vdcm_queue_reg(v, enable));
	/* The lab's registers are memory: order the write before the reads. */
	mb();
	if (readl_poll_timeout(vdcm_queue_reg(v, busy), busy, !busy, 1,
			       VDCM_STOP_TIMEOUT_US)) {
		pci_err(v->pf->pdev, "queue %u does not stop\n", v->q);
		pci_clear_master(v->pf->pdev);
	}
	writel(readl(vdcm_queue_reg(v, head)), vdcm_queue_reg(v, tail));
}

static void vdcm_queue_set_pasid(struct vdcm *v, u32 gpasid, ioasid_t hpasid)
{
	lockdep_assert_held(&v->queue_lock);

	v->regs.pasid = gpasid;
	v->hpasid = hpasid;
	/* PASID 0 is never bound: the queue can do no DMA with it. */
	writel(hpasid == IOMMU_PASID_INVALID ? 0 : hpasid,
	       vdcm_queue_reg(v, pasid));
}

/*
 * Stop the queue if it uses @hpasid, since the binding, or this device's share
 * in it, ends.
 */
static void vdcm_queue_revoke(struct vdcm *v, ioasid_t hpasid)
{
	guard(mutex)(&v->queue_lock);
	if (v->hpasid == hpasid) {
		vdcm_queue_stop(v);
		vdcm_queue_set_pasid(v, VDCM_NO_PASID, IOMMU_PASID_INVALID);
		v->regs.status |= VDCM_STATUS_REVOKED;
	}
}

/* Reset the queue, so that no data of one user is left for the next. */
static void vdcm_queue_reset(struct vdcm *v)
{
	guard(mutex)(&v->queue_lock);
	vdcm_queue_stop(v);
	vdcm_queue_set_pasid(v, VDCM_NO_PASID, IOMMU_PASID_INVALID);
	v->regs.status = 0;
	memset_io(vdcm_ring_slot(v, 0), 0, VDCM_RING_SIZE);
	memset_io(v->pf->bar + VTDSIM_BAR_LOCAL + vdcm_mem_offset(v), 0,
		  VDCM_MEM_SIZE);
}

/*
 * The emulated registers
 */

/*
 * Let the queue use a guest PASID.  It must have a host PASID in the VM's set,
 * and this virtual device must have that bound.  Both may change at any time
 * after the checks, but then vdcm_notify() waits for queue_lock, finds the
 * PASID in the queue and revokes it.
 */
static void vdcm_write_pasid(struct vdcm *v, u32 gpasid)
{
	ioasid_t hpasid;

	lockdep_assert_held(&v->queue_lock);

	vdcm_queue_stop(v);
	v->regs.status = 0;

	hpasid = gpasid_find_host(v->set, gpasid);
	if (hpasid == IOMMU_PASID_INVALID ||
	    !gpasid_is_bound(vdcm_dma_dev(v), v->set, hpasid, &v->vdev)) {
		vdcm_queue_set_pasid(v, VDCM_NO_PASID, IOMMU_PASID_INVALID);
		if (gpasid != VDCM_NO_PASID)
			v->regs.status = VDCM_STATUS_REJECTED;
		return;
	}
	vdcm_queue_set_pasid(v, gpasid, hpasid);
}

static void vdcm_write_enable(struct vdcm *v, u32 val)
{
	lockdep_assert_held(&v->queue_lock);

	if (!val) {
		vdcm_queue_stop(v);
	} else if (v->hpasid != IOMMU_PASID_INVALID) {
		v->regs.enable = 1;
		writel(1, vdcm_queue_reg(v, enable));
	}
}

static void vdcm_write_reg(struct vdcm *v, u64 offset, u32 val)
{
	guard(mutex)(&v->queue_lock);
	switch (offset) {
	case offsetof(struct vdcm_regs, pasid):
		vdcm_write_pasid(v, val);
		break;
	case offsetof(struct vdcm_regs, enable):
		vdcm_write_enable(v, val);
		break;
	default:
		break;	/* writes to read-only registers are ignored */
	}
}

static u32 vdcm_read_reg(struct vdcm *v, u64 offset)
{
	u32 val = 0;

	guard(mutex)(&v->queue_lock);
	v->regs.head = readl(vdcm_queue_reg(v, head));
	v->regs.tail = readl(vdcm_queue_reg(v, tail));
	if (offset < sizeof(v->regs))
		memcpy(&val, (u8 *)&v->regs + offset, sizeof(val));

	return val;
}

/* Check a guest's descriptor, and make it use the queue's PASID. */
static int vdcm_check_desc(struct vdcm *v, struct vtdsim_desc *d)
{
	switch (d->op) {
	case VTDSIM_OP_READ:
	case VTDSIM_OP_WRITE:
		if (d->local > VDCM_MEM_SIZE ||
		    d->len > VDCM_MEM_SIZE - d->local)
			return -EINVAL;
		d->local += vdcm_mem_offset(v);
		break;
	case VTDSIM_OP_NOP:
	case VTDSIM_OP_COPY:
	case VTDSIM_OP_CAS:
		d->local = 0;
		break;
	default:
		return -EINVAL;
	}
	/*
	 * No page requests: a queue that waits for the VM's answer could not be
	 * stopped during teardown of the VM.
	 */
	if (d->flags & ~VTDSIM_F_ATS)
		return -EINVAL;
	d->flags |= VTDSIM_F_QPASID;
	d->pasid = 0;
	d->status = VTDSIM_PENDING;
	d->reason = 0;

	return 0;
}

/*
 * Handle a write to the portal.  Like ENQCMD on real hardware, report to the
 * guest that the ring is full (-EBUSY) or that the device does not run (-EIO).
 */
static int vdcm_submit(struct vdcm *v, struct vtdsim_desc *d)
{
	u32 head, tail;
	int ret;

	ret = vdcm_check_desc(v, d);
	if (ret)
		return ret;

	guard(mutex)(&v->queue_lock);
	head = readl(vdcm_queue_reg(v, head));
	tail = readl(vdcm_queue_reg(v, tail));
	if (!v->regs.enable)
		return -EIO;
	if (tail - head >= VTDSIM_RING_ENTRIES)
		return -EBUSY;
	memcpy_toio(vdcm_ring_slot(v, tail), d, sizeof(*d));
	/* The device reads the slot as soon as it sees the new tail. */
	wmb();
	writel(tail + 1, vdcm_queue_reg(v, tail));

	return 0;
}

/*
 * Regions
 */

static u32 vdcm_region_size(u32 index)
{
	switch (index) {
	case VDCM_REGION_REGS:
		return VDCM_REGS_SIZE;
	case VDCM_REGION_RING:
		return VDCM_RING_SIZE;
	case VDCM_REGION_MEM:
		return VDCM_MEM_SIZE;
	default:
		return 0;
	}
}

/* Return the offset in the BAR of a region that is not emulated. */
static u64 vdcm_region_bar(struct vdcm *v, u32 index)
{
	if (index == VDCM_REGION_RING)
		return VTDSIM_BAR_QUEUE(v->q) + VTDSIM_QUEUE_RING;
	return VTDSIM_BAR_LOCAL + vdcm_mem_offset(v);
}

static bool vdcm_in_region(u32 index, u64 offset, size_t count)
{
	u32 size = vdcm_region_size(index);

	return offset < size && count <= size - offset;
}

static ssize_t vdcm_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos)
{
	u64 offset = *ppos & (BIT_ULL(VDCM_REGION_SHIFT) - 1);
	u64 index = *ppos >> VDCM_REGION_SHIFT;
	struct vdcm *v = to_vdcm(vdev);
	u32 val;

	if (count != sizeof(val) || !IS_ALIGNED(offset, sizeof(val)) ||
	    index >= VDCM_NR_REGIONS || !vdcm_in_region(index, offset, count))
		return -EINVAL;

	if (index == VDCM_REGION_REGS)
		val = vdcm_read_reg(v, offset);
	else
		val = readl(v->pf->bar + vdcm_region_bar(v, index) + offset);
	if (copy_to_user(buf, &val, sizeof(val)))
		return -EFAULT;
	*ppos += count;

	return count;
}

static ssize_t vdcm_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	u64 offset = *ppos & (BIT_ULL(VDCM_REGION_SHIFT) - 1);
	u64 index = *ppos >> VDCM_REGION_SHIFT;
	struct vdcm *v = to_vdcm(vdev);
	union {
		struct vtdsim_desc desc;
		u32 val;
	} in;
	int ret = 0;

	if ((count != sizeof(in.val) && count != sizeof(in.desc)) ||
	    !IS_ALIGNED(offset, count) || index >= VDCM_NR_REGIONS ||
	    !vdcm_in_region(index, offset, count))
		return -EINVAL;
	if (copy_from_user(&in, buf, count))
		return -EFAULT;

	if (index == VDCM_REGION_REGS && offset == VDCM_PORTAL)
		ret = count == sizeof(in.desc) ? vdcm_submit(v, &in.desc) :
						 -EINVAL;
	else if (count != sizeof(in.val) || index == VDCM_REGION_RING)
		ret = -EINVAL;
	else if (index == VDCM_REGION_REGS)
		vdcm_write_reg(v, offset, in.val);
	else
		writel(in.val, v->pf->bar + vdcm_region_bar(v, index) + offset);
	if (ret)
		return ret;
	*ppos += count;

	return count;
}

static int vdcm_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	const unsigned int shift = VDCM_REGION_SHIFT - PAGE_SHIFT;
	u64 offset = (vma->vm_pgoff & (BIT_ULL(shift) - 1)) << PAGE_SHIFT;
	unsigned long size = vma->vm_end - vma->vm_start;
	u64 index = vma->vm_pgoff >> shift;
	struct vdcm *v = to_vdcm(vdev);
	phys_addr_t phys;

	if (index >= VDCM_NR_REGIONS || index == VDCM_REGION_REGS ||
	    !(vma->vm_flags & VM_SHARED) ||
	    !vdcm_in_region(index, offset, size))
		return -EINVAL;
	if (index == VDCM_REGION_RING) {
		/* A guest that writes descriptors could use any PASID. */
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		vm_flags_clear(vma, VM_MAYWRITE);
	}

	phys = pci_resource_start(v->pf->pdev, 0) + vdcm_region_bar(v, index) +
	       offset;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);

	return io_remap_pfn_range(vma, vma->vm_start, phys >> PAGE_SHIFT, size,
				  vma->vm_page_prot);
}

/*
 * Guest PASIDs
 */

/* Bind under the parent that the virtual device is attached to. */
static int vdcm_gpasid_bind(void *priv, struct gpasid_bind_data *data,
			    u32 pt_id)
{
	struct vdcm *v = priv;

	if (pt_id)
		return -EINVAL;

	guard(mutex)(&v->bind_lock);
	if (!v->parent)
		return -ENODEV;
	data->set = v->set;
	data->owner = &v->vdev;
	data->dev_id = v->devid;

	return iommu_sva_bind_gpasid(iommufd_gpasid_parent_domain(v->parent),
				     vdcm_dma_dev(v), data);
}

/*
 * UNBIND stops the queue, but is sent only when the last owner unbinds.  If
 * another virtual device shares the binding, no event is sent: stop the queue
 * here.
 */
static int vdcm_gpasid_unbind(void *priv, u32 pasid, bool guest)
{
	struct vdcm *v = priv;
	ioasid_t hpasid = guest ? gpasid_find_host(v->set, pasid) : pasid;
	int ret;

	if (hpasid == IOMMU_PASID_INVALID)
		return -ENOENT;

	guard(mutex)(&v->bind_lock);
	ret = iommu_sva_unbind_gpasid(vdcm_dma_dev(v), v->set, hpasid, &v->vdev);
	if (!ret)
		vdcm_queue_revoke(v, hpasid);

	return ret;
}

static int vdcm_gpasid_info(void *priv, struct gpasid_caps *caps, u32 *bound)
{
	struct vdcm *v = priv;

	*bound = gpasid_count(vdcm_dma_dev(v), &v->vdev);
	return gpasid_get_caps(vdcm_dma_dev(v), caps);
}

static const struct vfio_gpasid_ops vdcm_gpasid_ops = {
	.bind = vdcm_gpasid_bind,
	.unbind = vdcm_gpasid_unbind,
	.info = vdcm_gpasid_info,
};

/*
 * UNBIND and FREE are delivered before the PASID-table entry is cleared: on
 * return, the queue no longer uses the PASID.  UNBIND for other devices of the
 * VM, on which the PASID may be bound as well, is ignored.
 */
static int vdcm_notify(struct ioasid_notifier *nb, enum ioasid_event ev,
		       const struct ioasid_event_info *info)
{
	struct vdcm *v = container_of(nb, struct vdcm, nb);

	if (ev == IOASID_FREE ||
	    (ev == IOASID_UNBIND &&
	     info->arg == vdcm_dma_dev(v)))
		vdcm_queue_revoke(v, info->id);

	return 0;
}

/*
 * Take down all bindings of the virtual device, at the cost of one unbind.  The
 * reset is second: after the unbind a guest can no longer set a PASID, and a
 * PASID still in the queue is one that other owners keep bound.
 */
static void vdcm_unbind_all(struct vdcm *v)
{
	iommu_sva_unbind_gpasid_owner(vdcm_dma_dev(v), &v->vdev);
	vdcm_queue_reset(v);
}

/*
 * VFIO: binding to a VM
 */

/*
 * Subscribe with a replay: UNBIND is sent only to subscribers that have got the
 * BIND, and this device may share a binding that was made before.
 */
static int vdcm_bind_iommufd(struct vfio_device *vdev, struct iommufd_ctx *ictx,
			     u32 *out_device_id)
{
	struct vdcm *v = to_vdcm(vdev);
	int ret;

	ret = vfio_iommufd_emulated_bind(vdev, ictx, out_device_id);
	if (ret)
		return ret;

	v->set = iommufd_ctx_gpasid_set(ictx);
	if (IS_ERR(v->set)) {
		ret = PTR_ERR(v->set);
		goto out_unbind;
	}
	v->nb.notify = vdcm_notify;
	v->nb.prio = IOASID_PRIO_DEVICE;
	ret = ioasid_register_notifier(v->set, &v->nb, true);
	if (ret)
		goto out_put;
	v->ictx = ictx;
	v->devid = *out_device_id;

	return 0;

out_put:
	ioasid_set_put(v->set);
out_unbind:
	v->set = NULL;
	vfio_iommufd_emulated_unbind(vdev);
	return ret;
}

/*
 * Attach the device to a parent.  Like a physical device, one with bindings
 * cannot move to another parent.
 */
static int vdcm_attach_ioas(struct vfio_device *vdev, u32 *pt_id)
{
	struct iommufd_hw_pagetable *parent, *old;
	struct vdcm *v = to_vdcm(vdev);
	int ret = 0;

	parent = iommufd_gpasid_parent_get(v->ictx, vdcm_dma_dev(v), pt_id);
	if (IS_ERR(parent))
		return PTR_ERR(parent);

	scoped_guard(mutex, &v->bind_lock) {
		if (v->parent && v->parent != parent &&
		    gpasid_count(vdcm_dma_dev(v), &v->vdev)) {
			old = parent;
			ret = -EBUSY;
		} else {
			old = v->parent;
			v->parent = parent;
		}
	}

	if (old)
		iommufd_gpasid_parent_put(v->ictx, old);

	return ret;
}

static void vdcm_detach_ioas(struct vfio_device *vdev)
{
	struct vdcm *v = to_vdcm(vdev);

	guard(mutex)(&v->bind_lock);
	vdcm_unbind_all(v);
	if (v->parent)
		iommufd_gpasid_parent_put(v->ictx, v->parent);
	v->parent = NULL;
}

static void vdcm_unbind_iommufd(struct vfio_device *vdev)
{
	struct vdcm *v = to_vdcm(vdev);

	vdcm_detach_ioas(vdev);
	ioasid_unregister_notifier(v->set, &v->nb);
	ioasid_set_put(v->set);
	v->set = NULL;
	v->ictx = NULL;
	vfio_iommufd_emulated_unbind(vdev);
}

/* Only a device that is bound to iommufd has a set of PASIDs to use. */
static int vdcm_open_device(struct vfio_device *vdev)
{
	struct vdcm *v = to_vdcm(vdev);

	if (!v->set)
		return -EOPNOTSUPP;
	vdcm_queue_reset(v);

	return 0;
}

static void vdcm_close_device(struct vfio_device *vdev)
{
	vdcm_unbind_all(to_vdcm(vdev));
}

/*
 * VFIO: device information
 */

static long vdcm_get_info(void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	info.flags = VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VDCM_NR_REGIONS;
	info.num_irqs = 0;

	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long vdcm_get_region_info(void __user *arg)
{
	static const u32 flags[VDCM_NR_REGIONS] = {
		[VDCM_REGION_REGS] = VFIO_REGION_INFO_FLAG_READ |
				     VFIO_REGION_INFO_FLAG_WRITE,
		[VDCM_REGION_RING] = VFIO_REGION_INFO_FLAG_READ |
				     VFIO_REGION_INFO_FLAG_MMAP,
		[VDCM_REGION_MEM] = VFIO_REGION_INFO_FLAG_READ |
				    VFIO_REGION_INFO_FLAG_WRITE |
				    VFIO_REGION_INFO_FLAG_MMAP,
	};
	const size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VDCM_NR_REGIONS)
		return -EINVAL;

	info.flags = flags[array_index_nospec(info.index, VDCM_NR_REGIONS)];
	info.cap_offset = 0;
	info.size = vdcm_region_size(info.index);
	info.offset = VDCM_REGION_OFFSET(info.index);

	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long vdcm_ioctl(struct vfio_device *vdev, unsigned int cmd,
		       unsigned long arg)
{
	struct vdcm *v = to_vdcm(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return vdcm_get_info(uarg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return vdcm_get_region_info(uarg);
	case VFIO_DEVICE_RESET:
		vdcm_queue_reset(v);
		return 0;
	default:
		return vfio_gpasid_ioctl(&vdcm_gpasid_ops, v, cmd, uarg);
	}
}

static int vdcm_init(struct vfio_device *vdev)
{
	struct vdcm *v = to_vdcm(vdev);

	mutex_init(&v->bind_lock);
	mutex_init(&v->queue_lock);
	v->hpasid = IOMMU_PASID_INVALID;

	return 0;
}

static void vdcm_release(struct vfio_device *vdev)
{
	struct vdcm *v = to_vdcm(vdev);

	mutex_destroy(&v->queue_lock);
	mutex_destroy(&v->bind_lock);
}

static const struct vfio_device_ops vdcm_ops = {
	.name = "gpasid-vdcm",
	.init = vdcm_init,
	.release = vdcm_release,
	.bind_iommufd = vdcm_bind_iommufd,
	.unbind_iommufd = vdcm_unbind_iommufd,
	.attach_ioas = vdcm_attach_ioas,
	.detach_ioas = vdcm_detach_ioas,
	.open_device = vdcm_open_device,
	.close_device = vdcm_close_device,
	.read = vdcm_read,
	.write = vdcm_write,
	.ioctl = vdcm_ioctl,
	.mmap = vdcm_mmap,
};

/*
 * The driver of a slice
 */

static int vdcm_probe(struct auxiliary_device *adev,
		      const struct auxiliary_device_id *id)
{
	struct vdcm_slice *slice = container_of(adev, struct vdcm_slice, adev);
	struct vdcm *v;
	int ret;

	v = vfio_alloc_device(vdcm, vdev, &adev->dev, &vdcm_ops);
	if (IS_ERR(v))
		return PTR_ERR(v);
	v->pf = slice->pf;
	v->q = slice->q;

	ret = vfio_register_emulated_iommu_dev(&v->vdev);
	if (ret) {
		vfio_put_device(&v->vdev);
		return ret;
	}
	auxiliary_set_drvdata(adev, v);

	return 0;
}

/*
 * Waits until the user has closed the device, which has taken down all its
 * bindings.
 */
static void vdcm_remove(struct auxiliary_device *adev)
{
	struct vdcm *v = auxiliary_get_drvdata(adev);

	vfio_unregister_group_dev(&v->vdev);
	vfio_put_device(&v->vdev);
}

static const struct auxiliary_device_id vdcm_ids[] = {
	{ .name = KBUILD_MODNAME ".vdev" },
	{}
};

static struct auxiliary_driver vdcm_driver = {
	.name = "vdev",
	.probe = vdcm_probe,
	.remove = vdcm_remove,
	.id_table = vdcm_ids,
};

/*
 * The driver of the physical function
 */

static void vdcm_slice_release(struct device *dev)
{
	struct vdcm_slice *slice = container_of(dev, struct vdcm_slice,
						adev.dev);

	ida_free(&vdcm_ida, slice->adev.id);
	kfree(slice);
}

static struct vdcm_slice *vdcm_slice_create(struct vdcm_pf *pf, unsigned int q)
{
	struct vdcm_slice *slice;
	int ret;

	slice = kzalloc(sizeof(*slice), GFP_KERNEL);
	if (!slice)
		return ERR_PTR(-ENOMEM);
	slice->pf = pf;
	slice->q = q;

	ret = ida_alloc(&vdcm_ida, GFP_KERNEL);
	if (ret < 0)
		goto out_free;
	slice->adev.id = ret;
	slice->adev.name = "vdev";
	slice->adev.dev.parent = &pf->pdev->dev;
	slice->adev.dev.release = vdcm_slice_release;
	ret = auxiliary_device_init(&slice->adev);
	if (ret)
		goto out_id;

	ret = auxiliary_device_add(&slice->adev);
	if (ret) {
		auxiliary_device_uninit(&slice->adev);
		return ERR_PTR(ret);
	}
	return slice;

out_id:
	ida_free(&vdcm_ida, slice->adev.id);
out_free:
	kfree(slice);
	return ERR_PTR(ret);
}

static void vdcm_slices_destroy(struct vdcm_pf *pf)
{
	int q;

	for (q = VTDSIM_NR_QUEUES - 1; q >= 0; q--) {
		if (!pf->slice[q])
			continue;
		auxiliary_device_delete(&pf->slice[q]->adev);
		auxiliary_device_uninit(&pf->slice[q]->adev);
	}
}

static int vdcm_slices_create(struct vdcm_pf *pf)
{
	struct vdcm_slice *slice;
	int q;

	for (q = 0; q < VTDSIM_NR_QUEUES; q++) {
		slice = vdcm_slice_create(pf, q);
		if (IS_ERR(slice)) {
			vdcm_slices_destroy(pf);
			return PTR_ERR(slice);
		}
		pf->slice[q] = slice;
	}
	return 0;
}

/* Check that this is an endpoint of the lab that supports nesting. */
static int vdcm_pf_check(struct vdcm_pf *pf)
{
	struct gpasid_caps caps;
	int ret;

	if (readl(pf->bar + VTDSIM_BAR_REGS +
		  offsetof(struct vtdsim_regs, magic)) != VTDSIM_REGS_MAGIC)
		return -ENODEV;

	ret = gpasid_get_caps(&pf->pdev->dev, &caps);
	if (ret)
		return ret;
	return caps.caps & GPASID_CAP_NEST ? 0 : -EOPNOTSUPP;
}

static int vdcm_pf_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vdcm_pf *pf;
	int ret;

	if (pci_resource_len(pdev, 0) < VTDSIM_BAR_SIZE)
		return -ENODEV;

	pf = devm_kzalloc(&pdev->dev, sizeof(*pf), GFP_KERNEL);
	if (!pf)
		return -ENOMEM;
	pf->pdev = pdev;
	pci_set_drvdata(pdev, pf);

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	pf->bar = pcim_iomap_region(pdev, 0, KBUILD_MODNAME);
	if (IS_ERR(pf->bar))
		return PTR_ERR(pf->bar);
	ret = vdcm_pf_check(pf);
	if (ret)
		return ret;

	pci_set_master(pdev);
	ret = vdcm_slices_create(pf);
	if (ret)
		pci_clear_master(pdev);

	return ret;
}

static void vdcm_pf_remove(struct pci_dev *pdev)
{
	vdcm_slices_destroy(pci_get_drvdata(pdev));
	pci_clear_master(pdev);
}

/* No ID table: by default, endpoints of the lab are bound to vfio-pci. */
static struct pci_driver vdcm_pf_driver = {
	.name = KBUILD_MODNAME,
	.probe = vdcm_pf_probe,
	.remove = vdcm_pf_remove,
};

static int __init vdcm_module_init(void)
{
	int ret = auxiliary_driver_register(&vdcm_driver);

	if (ret)
		return ret;
	ret = pci_register_driver(&vdcm_pf_driver);
	if (ret)
		auxiliary_driver_unregister(&vdcm_driver);

	return ret;
}

static void __exit vdcm_module_exit(void)
{
	pci_unregister_driver(&vdcm_pf_driver);
	auxiliary_driver_unregister(&vdcm_driver);
}

module_init(vdcm_module_init);
module_exit(vdcm_module_exit);

MODULE_IMPORT_NS(IOMMUFD);
MODULE_DESCRIPTION("Sample virtual device composition module with guest PASIDs");
MODULE_LICENSE("GPL");
