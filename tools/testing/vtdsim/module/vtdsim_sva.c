// SPDX-License-Identifier: GPL-2.0-only
/*
 * An endpoint of the lab for host processes: native SVA.
 *
 * The lab's measurements compare guest PASIDs with what the kernel does for its
 * own processes.  This driver binds to an endpoint that names it in
 * driver_override, and offers /dev/vtdsim_sva-ssss:bb:dd.f:
 *
 *  open()	binds the address space of who opens to the device
 *  read()	the PASID, a __u32
 *  mmap()	BAR 0
 *  close()	unbinds
 *
 * Removal does not wait for open files: it unbinds them and takes their
 * mappings away; what is left of them answers with ENODEV.
 *
 * Locks: vtdsim_sva::lock protects the list of open files and their bonds.
 * Page requests are drained under it, which takes mmap_lock; so mmap() must not
 * take it, and is kept from a device that goes by vtdsim_sva::gone_lock.
 */

#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define DRIVER_NAME	"vtdsim_sva"

/**
 * struct vtdsim_sva - An endpoint
 * @ref: the driver, and each open file
 * @misc: the character device
 * @pdev: the function, while it is not gone
 * @bar: where BAR 0 is
 * @bar_size: bytes
 * @lock: protects @files and what is on it
 * @files: open files
 * @gone_lock: protects @gone; held by mmap() until its mapping stands
 * @gone: the driver has let go of the function
 * @iopf: page requests are on; of probe and remove
 */
struct vtdsim_sva {
	struct kref ref;
	struct miscdevice misc;
	struct pci_dev *pdev;
	phys_addr_t bar;
	unsigned long bar_size;
	struct mutex lock;		/* open files */
	struct list_head files;
	struct rw_semaphore gone_lock;	/* inside mmap_lock */
	bool gone;
	bool iopf;
};

/**
 * struct vtdsim_sva_file - An open file
 * @node: in vtdsim_sva::files
 * @filp: the file
 * @sva: the endpoint
 * @bond: address space and device; NULL once the device is gone
 * @pasid: its PASID
 */
struct vtdsim_sva_file {
	struct list_head node;
	struct file *filp;
	struct vtdsim_sva *sva;
	struct iommu_sva *bond;
	u32 pasid;
};

static void vtdsim_sva_free(struct kref *ref)
{
	struct vtdsim_sva *sva = container_of(ref, struct vtdsim_sva, ref);

	kfree(sva->misc.name);
	mutex_destroy(&sva->lock);
	kfree(sva);
}

static void vtdsim_sva_unbind(struct vtdsim_sva_file *f)
{
	lockdep_assert_held(&f->sva->lock);

	if (f->bond)
		iommu_sva_unbind_device(f->bond);
	f->bond = NULL;
}

static int vtdsim_sva_bind(struct vtdsim_sva_file *f)
{
	struct iommu_sva *bond;

	bond = iommu_sva_bind_device(&f->sva->pdev->dev, current->mm);
	if (IS_ERR(bond))
		return PTR_ERR(bond);
	f->bond = bond;
	f->pasid = iommu_sva_get_pasid(bond);

	return 0;
}

/* Deregistration waits for an open() that is under way: the device is there. */
static int vtdsim_sva_open(struct inode *inode, struct file *filp)
{
	struct vtdsim_sva *sva = container_of(filp->private_data,
					      struct vtdsim_sva, misc);
	struct vtdsim_sva_file *f;
	int ret;

	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->filp = filp;
	f->sva = sva;

	scoped_guard(mutex, &sva->lock) {
		ret = vtdsim_sva_bind(f);
		if (!ret)
			list_add(&f->node, &sva->files);
	}
	if (ret) {
		kfree(f);
		return ret;
	}

	kref_get(&sva->ref);
	filp->private_data = f;
	return 0;
}

static int vtdsim_sva_release(struct inode *inode, struct file *filp)
{
	struct vtdsim_sva_file *f = filp->private_data;
	struct vtdsim_sva *sva = f->sva;

	scoped_guard(mutex, &sva->lock) {
		list_del(&f->node);
		vtdsim_sva_unbind(f);
	}

	kfree(f);
	kref_put(&sva->ref, vtdsim_sva_free);
	return 0;
}

static ssize_t vtdsim_sva_read(struct file *filp, char __user *buf,
			       size_t count, loff_t *ppos)
{
	struct vtdsim_sva_file *f = filp->private_data;

	if (count != sizeof(f->pasid))
		return -EINVAL;

	scoped_guard(mutex, &f->sva->lock)
		if (!f->bond)
			return -ENODEV;

	return copy_to_user(buf, &f->pasid, count) ? -EFAULT : count;
}

static int vtdsim_sva_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct vtdsim_sva_file *f = filp->private_data;
	struct vtdsim_sva *sva = f->sva;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;

	guard(rwsem_read)(&sva->gone_lock);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return sva->gone ? -ENODEV :
	       vm_iomap_memory(vma, sva->bar, sva->bar_size);
}

static const struct file_operations vtdsim_sva_fops = {
	.owner = THIS_MODULE,
	.open = vtdsim_sva_open,
	.release = vtdsim_sva_release,
	.read = vtdsim_sva_read,
	.mmap = vtdsim_sva_mmap,
};

#ifdef VTDSIM_SVA_FEATURES
/*
 * Page requests first: 6.12 wants them on before it allows SVA of a device that
 * has them.  A virtual unit has none: whoever uses the endpoint in a guest keeps
 * its pages resident.
 */
static int vtdsim_sva_enable_iopf(struct vtdsim_sva *sva)
{
	struct device *dev = &sva->pdev->dev;
	int ret = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF);

	sva->iopf = !ret;
	if (ret != -ENODEV)
		return ret;
	dev_info(dev, "no page requests: DMA needs resident pages\n");
	return 0;
}

static void vtdsim_sva_disable_iopf(struct vtdsim_sva *sva)
{
	if (sva->iopf)
		iommu_dev_disable_feature(&sva->pdev->dev, IOMMU_DEV_FEAT_IOPF);
	sva->iopf = false;
}

static int vtdsim_sva_enable_features(struct vtdsim_sva *sva)
{
	struct device *dev = &sva->pdev->dev;
	int ret = vtdsim_sva_enable_iopf(sva);

	if (ret)
		return dev_err_probe(dev, ret, "no page requests\n");

	ret = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA);
	if (ret) {
		vtdsim_sva_disable_iopf(sva);
		return dev_err_probe(dev, ret, "no SVA\n");
	}
	return 0;
}

static void vtdsim_sva_disable_features(struct vtdsim_sva *sva)
{
	iommu_dev_disable_feature(&sva->pdev->dev, IOMMU_DEV_FEAT_SVA);
	vtdsim_sva_disable_iopf(sva);
}
#else
/* Page requests are on while a process is bound. */
static int vtdsim_sva_enable_features(struct vtdsim_sva *sva)
{
	return 0;
}

static void vtdsim_sva_disable_features(struct vtdsim_sva *sva)
{
}
#endif

static int vtdsim_sva_enable(struct vtdsim_sva *sva)
{
	struct pci_dev *pdev = sva->pdev;
	int ret = pci_enable_device_mem(pdev);

	if (ret)
		return ret;
	ret = pci_request_mem_regions(pdev, DRIVER_NAME);
	if (ret)
		goto out_disable;
	pci_set_master(pdev);
	ret = vtdsim_sva_enable_features(sva);
	if (ret)
		goto out_master;
	return 0;

out_master:
	pci_clear_master(pdev);
	pci_release_mem_regions(pdev);
out_disable:
	pci_disable_device(pdev);
	return ret;
}

static void vtdsim_sva_disable(struct vtdsim_sva *sva)
{
	struct pci_dev *pdev = sva->pdev;

	vtdsim_sva_disable_features(sva);
	pci_clear_master(pdev);
	pci_release_mem_regions(pdev);
	pci_disable_device(pdev);
}

static struct vtdsim_sva *vtdsim_sva_alloc(struct pci_dev *pdev)
{
	struct vtdsim_sva *sva = kzalloc(sizeof(*sva), GFP_KERNEL);

	if (!sva)
		return NULL;
	sva->misc.name = kasprintf(GFP_KERNEL, DRIVER_NAME "-%s",
				   pci_name(pdev));
	if (!sva->misc.name) {
		kfree(sva);
		return NULL;
	}
	kref_init(&sva->ref);
	sva->misc.minor = MISC_DYNAMIC_MINOR;
	sva->misc.fops = &vtdsim_sva_fops;
	sva->misc.parent = &pdev->dev;
	sva->pdev = pdev;
	sva->bar = pci_resource_start(pdev, 0);
	sva->bar_size = pci_resource_len(pdev, 0);
	mutex_init(&sva->lock);
	INIT_LIST_HEAD(&sva->files);
	init_rwsem(&sva->gone_lock);

	return sva;
}

static int vtdsim_sva_probe(struct pci_dev *pdev,
			    const struct pci_device_id *id)
{
	struct vtdsim_sva *sva = vtdsim_sva_alloc(pdev);
	int ret;

	if (!sva)
		return -ENOMEM;
	ret = vtdsim_sva_enable(sva);
	if (ret)
		goto out_free;
	pci_set_drvdata(pdev, sva);
	ret = misc_register(&sva->misc);
	if (ret)
		goto out_disable;
	return 0;

out_disable:
	vtdsim_sva_disable(sva);
out_free:
	kref_put(&sva->ref, vtdsim_sva_free);
	return ret;
}

static void vtdsim_sva_remove(struct pci_dev *pdev)
{
	struct vtdsim_sva *sva = pci_get_drvdata(pdev);
	struct vtdsim_sva_file *f;

	misc_deregister(&sva->misc);

	scoped_guard(rwsem_write, &sva->gone_lock)
		sva->gone = true;

	scoped_guard(mutex, &sva->lock)
		list_for_each_entry(f, &sva->files, node) {
			unmap_mapping_range(f->filp->f_mapping, 0, 0, 1);
			vtdsim_sva_unbind(f);
		}

	vtdsim_sva_disable(sva);
	kref_put(&sva->ref, vtdsim_sva_free);
}

static struct pci_driver vtdsim_sva_driver = {
	.name = DRIVER_NAME,
	.probe = vtdsim_sva_probe,
	.remove = vtdsim_sva_remove,
};
module_pci_driver(vtdsim_sva_driver);

MODULE_DESCRIPTION("Native SVA on an endpoint of the VT-d lab");
MODULE_LICENSE("GPL");
