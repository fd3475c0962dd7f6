// SPDX-License-Identifier: GPL-2.0-only
/*
 * An endpoint of the lab for address spaces of a driver's own.
 *
 * A kernel without SVA can use PASIDs all the same: a driver makes a domain and
 * attaches it to a PASID.  This one binds to an endpoint that names it in
 * driver_override, and offers /dev/vtdsim_pasid-ssss:bb:dd.f, as
 * vtdsim_pasid.h says.  It runs on 6.12 and later, on a host and in a guest.
 *
 * close() detaches what a file has attached.  Removal does not wait for open
 * files: it detaches what is theirs and takes their mappings away; what is left
 * of them answers with ENODEV.
 *
 * Locks: vtdsim_pasid::lock protects the list of open files and the address
 * spaces of each.  mmap() runs under mmap_lock and takes gone_lock alone.
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
#include <linux/xarray.h>

#include "vtdsim_abi.h"
#include "vtdsim_pasid.h"

#define DRIVER_NAME	"vtdsim_pasid"

/**
 * struct vtdsim_pasid - An endpoint
 * @ref: the driver, and each open file
 * @misc: the character device
 * @pdev: the function, while it is not gone
 * @bar: where BAR 0 is
 * @lock: protects @files and what is on it
 * @files: open files
 * @gone_lock: protects @gone; held by mmap() until its mapping stands
 * @gone: the driver has let go of the function
 */
struct vtdsim_pasid {
	struct kref ref;
	struct miscdevice misc;
	struct pci_dev *pdev;
	phys_addr_t bar;
	struct mutex lock;		/* open files */
	struct list_head files;
	struct rw_semaphore gone_lock;	/* inside mmap_lock */
	bool gone;
};

/**
 * struct vtdsim_pasid_file - An open file
 * @node: in vtdsim_pasid::files
 * @filp: the file
 * @dev: the endpoint
 * @domains: by PASID
 * @buffer: memory for the device
 */
struct vtdsim_pasid_file {
	struct list_head node;
	struct file *filp;
	struct vtdsim_pasid *dev;
	struct xarray domains;
	struct page *buffer;
};

static void vtdsim_pasid_free(struct kref *ref)
{
	struct vtdsim_pasid *dev = container_of(ref, struct vtdsim_pasid, ref);

	kfree(dev->misc.name);
	mutex_destroy(&dev->lock);
	kfree(dev);
}

/* ---- address spaces ------------------------------------------------------ */

static int vtdsim_pasid_attach(struct vtdsim_pasid_file *f,
			       const struct vtdsim_pasid_req *req)
{
	struct device *dev = &f->dev->pdev->dev;
	struct iommu_domain *domain;
	int ret;

	if (xa_load(&f->domains, req->pasid))
		return -EBUSY;
	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	ret = iommu_map(domain, req->iova, page_to_phys(f->buffer),
			VTDSIM_PASID_BUFFER, IOMMU_READ | IOMMU_WRITE,
			GFP_KERNEL);
	if (ret)
		goto out_free;
	ret = iommu_attach_device_pasid(domain, dev, req->pasid, NULL);
	if (ret)
		goto out_free;
	ret = xa_err(xa_store(&f->domains, req->pasid, domain, GFP_KERNEL));
	if (!ret)
		return 0;

	iommu_detach_device_pasid(domain, dev, req->pasid);
out_free:
	iommu_domain_free(domain);
	return ret;
}

static int vtdsim_pasid_detach(struct vtdsim_pasid_file *f, u32 pasid)
{
	struct iommu_domain *domain = xa_erase(&f->domains, pasid);

	if (!domain)
		return -ENOENT;
	iommu_detach_device_pasid(domain, &f->dev->pdev->dev, pasid);
	iommu_domain_free(domain);
	return 0;
}

static int vtdsim_pasid_unmap(struct vtdsim_pasid_file *f,
			      const struct vtdsim_pasid_req *req)
{
	struct iommu_domain *domain = xa_load(&f->domains, req->pasid);

	if (!domain)
		return -ENOENT;
	return iommu_unmap(domain, req->iova, PAGE_SIZE) == PAGE_SIZE ? 0 : -EFAULT;
}

static void vtdsim_pasid_detach_all(struct vtdsim_pasid_file *f)
{
	struct iommu_domain *domain;
	unsigned long pasid;

	lockdep_assert_held(&f->dev->lock);

	xa_for_each(&f->domains, pasid, domain)
		vtdsim_pasid_detach(f, pasid);
}

/* ---- the file ------------------------------------------------------------ */

static int vtdsim_pasid_open(struct inode *inode, struct file *filp)
{
	struct vtdsim_pasid *dev = container_of(filp->private_data,
						struct vtdsim_pasid, misc);
	struct vtdsim_pasid_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->buffer = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP,
				get_order(VTDSIM_PASID_BUFFER));
	if (!f->buffer) {
		kfree(f);
		return -ENOMEM;
	}
	f->filp = filp;
	f->dev = dev;
	xa_init(&f->domains);

	scoped_guard(mutex, &dev->lock)
		list_add(&f->node, &dev->files);
	kref_get(&dev->ref);
	filp->private_data = f;
	return 0;
}

static int vtdsim_pasid_release(struct inode *inode, struct file *filp)
{
	struct vtdsim_pasid_file *f = filp->private_data;
	struct vtdsim_pasid *dev = f->dev;

	scoped_guard(mutex, &dev->lock) {
		list_del(&f->node);
		vtdsim_pasid_detach_all(f);
	}

	xa_destroy(&f->domains);
	__free_pages(f->buffer, get_order(VTDSIM_PASID_BUFFER));
	kfree(f);
	kref_put(&dev->ref, vtdsim_pasid_free);
	return 0;
}

static int vtdsim_pasid_command(struct vtdsim_pasid_file *f, unsigned int cmd,
				const struct vtdsim_pasid_req *req)
{
	if (f->dev->gone)
		return -ENODEV;

	switch (cmd) {
	case VTDSIM_PASID_ATTACH:
		return vtdsim_pasid_attach(f, req);
	case VTDSIM_PASID_DETACH:
		return vtdsim_pasid_detach(f, req->pasid);
	case VTDSIM_PASID_UNMAP:
		return vtdsim_pasid_unmap(f, req);
	default:
		return -ENOTTY;
	}
}

static long vtdsim_pasid_ioctl(struct file *filp, unsigned int cmd,
			       unsigned long arg)
{
	struct vtdsim_pasid_file *f = filp->private_data;
	struct vtdsim_pasid_req req;

	if (copy_from_user(&req, (void __user *)arg, sizeof(req)))
		return -EFAULT;

	guard(mutex)(&f->dev->lock);
	return vtdsim_pasid_command(f, cmd, &req);
}

/* A mapping of the buffer holds references to its pages. */
static int vtdsim_pasid_map_buffer(struct vtdsim_pasid_file *f,
				   struct vm_area_struct *vma)
{
	unsigned long i, count = vma_pages(vma);
	int ret = 0;

	if (count > VTDSIM_PASID_BUFFER / PAGE_SIZE)
		return -EINVAL;
	for (i = 0; !ret && i < count; i++)
		ret = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE,
				     f->buffer + i);
	return ret;
}

static int vtdsim_pasid_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct vtdsim_pasid_file *f = filp->private_data;
	struct vtdsim_pasid *dev = f->dev;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff == VTDSIM_PASID_BUFFER_OFF >> PAGE_SHIFT)
		return vtdsim_pasid_map_buffer(f, vma);

	guard(rwsem_read)(&dev->gone_lock);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return dev->gone ? -ENODEV :
	       vm_iomap_memory(vma, dev->bar, VTDSIM_BAR_SIZE);
}

static const struct file_operations vtdsim_pasid_fops = {
	.owner = THIS_MODULE,
	.open = vtdsim_pasid_open,
	.release = vtdsim_pasid_release,
	.unlocked_ioctl = vtdsim_pasid_ioctl,
	.mmap = vtdsim_pasid_mmap,
};

/* ---- the endpoint -------------------------------------------------------- */

static struct vtdsim_pasid *vtdsim_pasid_alloc(struct pci_dev *pdev)
{
	struct vtdsim_pasid *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	dev->misc.name = kasprintf(GFP_KERNEL, DRIVER_NAME "-%s",
				   pci_name(pdev));
	if (!dev->misc.name) {
		kfree(dev);
		return NULL;
	}
	kref_init(&dev->ref);
	dev->misc.minor = MISC_DYNAMIC_MINOR;
	dev->misc.fops = &vtdsim_pasid_fops;
	dev->misc.parent = &pdev->dev;
	dev->pdev = pdev;
	dev->bar = pci_resource_start(pdev, 0);
	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->files);
	init_rwsem(&dev->gone_lock);

	return dev;
}

static int vtdsim_pasid_enable(struct pci_dev *pdev)
{
	int ret = pci_enable_device_mem(pdev);

	if (ret)
		return ret;
	ret = pci_request_mem_regions(pdev, DRIVER_NAME);
	if (ret)
		pci_disable_device(pdev);
	else
		pci_set_master(pdev);
	return ret;
}

static void vtdsim_pasid_disable(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
	pci_release_mem_regions(pdev);
	pci_disable_device(pdev);
}

static int vtdsim_pasid_probe(struct pci_dev *pdev,
			      const struct pci_device_id *id)
{
	struct vtdsim_pasid *dev = vtdsim_pasid_alloc(pdev);
	int ret;

	if (!dev)
		return -ENOMEM;
	ret = vtdsim_pasid_enable(pdev);
	if (ret)
		goto out_free;
	pci_set_drvdata(pdev, dev);
	ret = misc_register(&dev->misc);
	if (ret)
		goto out_disable;
	return 0;

out_disable:
	vtdsim_pasid_disable(pdev);
out_free:
	kref_put(&dev->ref, vtdsim_pasid_free);
	return ret;
}

static void vtdsim_pasid_remove(struct pci_dev *pdev)
{
	struct vtdsim_pasid *dev = pci_get_drvdata(pdev);
	struct vtdsim_pasid_file *f;

	misc_deregister(&dev->misc);

	scoped_guard(rwsem_write, &dev->gone_lock)
		dev->gone = true;

	scoped_guard(mutex, &dev->lock)
		list_for_each_entry(f, &dev->files, node) {
			unmap_mapping_range(f->filp->f_mapping, 0, VTDSIM_BAR_SIZE, 1);
			vtdsim_pasid_detach_all(f);
		}

	vtdsim_pasid_disable(pdev);
	kref_put(&dev->ref, vtdsim_pasid_free);
}

static struct pci_driver vtdsim_pasid_driver = {
	.name = DRIVER_NAME,
	.probe = vtdsim_pasid_probe,
	.remove = vtdsim_pasid_remove,
};
module_pci_driver(vtdsim_pasid_driver);

MODULE_DESCRIPTION("Address spaces on PASIDs of an endpoint of the VT-d lab");
MODULE_LICENSE("GPL");
