// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs by iommufd's own ABI: an HWPT is attached to a PASID of a device.
 *
 * An HWPT that is allocated for PASIDs has a table in the binding core for as
 * long as it has a domain.  Each attach holds the HWPT and the device until the
 * core says that it has ended (pasid_unbound()).
 *
 * iommufd_group::lock is held over an attach, so that what the RID is attached
 * to and whether PASIDs are attached agree.  The end of an attach does not take
 * it: a replace, which holds it, is the end of another attach.
 */
#include <linux/iommufd.h>
#include <linux/iommufd-gpasid.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "../iommu-priv.h"
#include "gpasid.h"
#include "iommufd_private.h"

/*
 * HWPTs
 */

/*
 * What of the user's flags iommufd's code for paging HWPTs is to see.  The page
 * requests of a parent are those of its nested HWPTs: that mix it refuses.
 */
u32 iommufd_pasid_paging_flags(u32 flags)
{
	if (!(flags & IOMMU_HWPT_ALLOC_NEST_PARENT))
		flags &= ~IOMMU_HWPT_FAULT_ID_VALID;
	return flags & ~IOMMU_HWPT_ALLOC_PASID;
}

u32 iommufd_pasid_nested_flags(u32 flags)
{
	return flags & ~IOMMU_HWPT_ALLOC_PASID;
}

static void pasid_faults_off(struct iommufd_hw_pagetable *hwpt,
			     struct iommufd_device *idev,
			     struct iommu_attach_handle *handle)
{
	if (!handle)
		return;
	iommufd_auto_response_faults(hwpt, to_iommufd_handle(handle));
	iommufd_fault_iopf_disable(idev);
	kfree(to_iommufd_handle(handle));
}

/* An attach has ended, or has not come about. */
static void pasid_unbound(void *priv, void *owner,
			  struct iommu_attach_handle *handle)
{
	struct iommufd_hw_pagetable *hwpt = priv;
	struct iommufd_device *idev = owner;

	pasid_faults_off(hwpt, idev, handle);
	atomic_dec(&idev->igroup->nr_pasids);
	refcount_dec(&hwpt->obj.users);
	refcount_dec(&idev->obj.users);
}

static const struct gpasid_hwpt_ops pasid_hwpt_ops = {
	.unbound = pasid_unbound,
};

/*
 * The flag says what an HWPT is for, not what the device can do: without guest
 * PASIDs in the device's IOMMU driver there is no table, and no attach.
 */
int iommufd_pasid_hwpt_init(struct iommufd_hw_pagetable *hwpt,
			    struct iommufd_device *idev, u32 flags)
{
	struct gpasid_table *table;

	if (!(flags & IOMMU_HWPT_ALLOC_PASID))
		return 0;
	hwpt->pasid_compat = true;
	table = gpasid_hwpt_table_create(idev->dev, hwpt->domain,
					 &pasid_hwpt_ops, hwpt);
	if (IS_ERR(table))
		return PTR_ERR(table) == -EOPNOTSUPP ? 0 : PTR_ERR(table);
	hwpt->domain->gpasid_table = table;

	return 0;
}

/* Before the domain is freed. */
void iommufd_pasid_hwpt_destroy(struct iommufd_hw_pagetable *hwpt)
{
	if (hwpt->domain)
		gpasid_table_put(hwpt->domain->gpasid_table);
}

/* -EINVAL and -ENOENT tell an object of another type from one that is not there. */
struct iommufd_hw_pagetable *iommufd_pasid_get_nested(struct iommufd_ucmd *ucmd,
						      u32 id)
{
	struct iommufd_object *obj;

	obj = iommufd_get_object(ucmd->ictx, id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return ERR_CAST(obj);
	if (obj->type == IOMMUFD_OBJ_HWPT_NESTED)
		return container_of(obj, struct iommufd_hw_pagetable, obj);
	iommufd_put_object(ucmd->ictx, obj);
	return ERR_PTR(-EINVAL);
}

/*
 * Devices
 */

/*
 * What the RID of a group may be attached to: beside PASIDs only to an HWPT that
 * is made for that.
 */
int iommufd_pasid_check_rid(struct iommufd_group *igroup,
			    const struct iommufd_hw_pagetable *hwpt)
{
	lockdep_assert_held(&igroup->lock);

	return hwpt->pasid_compat || !atomic_read(&igroup->nr_pasids) ?
	       0 : -EINVAL;
}

static int pasid_check(struct iommufd_device *idev,
		       const struct iommufd_hw_pagetable *hwpt, u32 pasid)
{
	const struct iommufd_hw_pagetable *rid = idev->igroup->hwpt;

	lockdep_assert_held(&idev->igroup->lock);

	if (pasid == IOMMU_NO_PASID)
		return rid ? -EBUSY : -EINVAL;
	if (!hwpt->pasid_compat || (rid && !rid->pasid_compat))
		return -EINVAL;
	if (!iommufd_pasid_max(idev->dev) || !iommufd_gpasid_is_alone(idev))
		return -EOPNOTSUPP;
	if (hwpt->domain->owner != dev_iommu_ops(idev->dev))
		return -EINVAL;
	return hwpt->domain->gpasid_table ? 0 : -EOPNOTSUPP;
}

/*
 * Virtual functions share the page requests of their physical one, -EINVAL;
 * whatever else is missing, the device has none.
 */
static int pasid_iopf_enable(struct iommufd_device *idev)
{
	int rc = iommufd_fault_iopf_enable(idev);
	struct pci_dev *pdev;

	if (rc != -EINVAL || !dev_is_pci(idev->dev))
		return rc;
	pdev = to_pci_dev(idev->dev);
	return pdev->is_virtfn && pci_pri_supported(pdev) ? -EINVAL : -ENODEV;
}

/* An HWPT without a fault queue needs no handle: *@handle is NULL. */
static int pasid_faults_on(struct iommufd_hw_pagetable *hwpt,
			   struct iommufd_device *idev,
			   struct iommu_attach_handle **handle)
{
	struct iommufd_attach_handle *new;
	int rc;

	*handle = NULL;
	if (!hwpt->fault)
		return 0;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	rc = pasid_iopf_enable(idev);
	if (rc) {
		kfree(new);
		return rc;
	}
	new->handle.domain = hwpt->domain;
	new->idev = idev;
	*handle = &new->handle;

	return 0;
}

static int pasid_attach(struct iommufd_device *idev,
			struct iommufd_hw_pagetable *hwpt, u32 pasid)
{
	struct gpasid_pasid p = {
		.dev = idev->dev,
		.owner = idev,
		.pasid = pasid,
		.dev_id = idev->obj.id,
	};
	int rc;

	rc = pasid_check(idev, hwpt, pasid);
	if (!rc)
		rc = pasid_faults_on(hwpt, idev, &p.handle);
	if (rc)
		return rc;

	/* The attach may have ended before the call returns. */
	refcount_inc(&hwpt->obj.users);
	refcount_inc(&idev->obj.users);
	atomic_inc(&idev->igroup->nr_pasids);
	rc = gpasid_pasid_attach(hwpt->domain->gpasid_table, &p);
	if (!rc)
		return 0;

	pasid_unbound(hwpt, idev, p.handle);
	if (rc > 0)
		return 0;
	/* "Another HWPT may do", as for a RID. */
	return rc == -EOPNOTSUPP ? -EINVAL : rc;
}

/**
 * iommufd_device_pasid_attach() - Attach a PASID of a device to an HWPT
 * @idev: the device
 * @pasid: the number on the wire
 * @pt_id: the HWPT, allocated with IOMMU_HWPT_ALLOC_PASID
 *
 * A PASID that is attached to another HWPT is moved over; on an error it stays
 * there.
 *
 * Context: Process context. May sleep. Takes the device's group lock.
 * Return: 0, also when the PASID is attached to that HWPT already; -ENOENT (no
 * such object); -EINVAL (not an HWPT, or not for PASIDs; the RID's HWPT is not;
 * PASID out of range; the HWPT does not fit the device's IOMMU; page requests of
 * a virtual function); -EOPNOTSUPP (no PASIDs on this device, or it is not alone
 * in its IOMMU group); -ENODEV (no page requests); -EBUSY (PASID 0 while the RID is
 * attached, or the number is bound otherwise); -ENOSPC (out of what a PASID can be,
 * or domain IDs); -ENOMEM.
 */
int iommufd_device_pasid_attach(struct iommufd_device *idev, u32 pasid,
				u32 pt_id)
{
	struct iommufd_hw_pagetable *hwpt;
	struct iommufd_object *obj;
	int rc = -EINVAL;

	if (pasid > INT_MAX)
		return -ENOSPC;
	obj = iommufd_get_object(idev->ictx, pt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	/* The HWPT that is made for an IOAS is not for PASIDs. */
	if (obj->type == IOMMUFD_OBJ_HWPT_NESTED ||
	    obj->type == IOMMUFD_OBJ_HWPT_PAGING) {
		hwpt = container_of(obj, struct iommufd_hw_pagetable, obj);
		scoped_guard(mutex, &idev->igroup->lock)
			rc = pasid_attach(idev, hwpt, pasid);
	}
	iommufd_put_object(idev->ictx, obj);

	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_attach, IOMMUFD);

/**
 * iommufd_device_pasid_detach() - Undo iommufd_device_pasid_attach()
 * @idev: the device
 * @pasid: the number on the wire; one that is not attached is left alone
 *
 * Context: Process context. May sleep.
 */
void iommufd_device_pasid_detach(struct iommufd_device *idev, u32 pasid)
{
	gpasid_pasid_detach(idev->dev, pasid, idev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_detach, IOMMUFD);

/**
 * iommufd_device_pasid_detach_all() - Take all PASIDs of a device down
 * @idev: the device
 *
 * For a driver that is about to detach the RID and to leave the context.
 *
 * Context: Process context. May sleep.
 */
void iommufd_device_pasid_detach_all(struct iommufd_device *idev)
{
	iommu_sva_unbind_gpasid_owner(idev->dev, idev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_detach_all, IOMMUFD);

/*
 * IOMMU_GET_HW_INFO
 */

/* What the driver says, if it is of the type that the user asks for. */
void *iommufd_pasid_hw_info(struct device *dev, u32 *len,
			    struct iommu_hw_info *cmd)
{
	u32 type = cmd->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE ?
		   cmd->in_data_type : IOMMU_HW_INFO_TYPE_NONE;
	void *data = dev_iommu_ops(dev)->hw_info(dev, len, &cmd->out_data_type);

	if (IS_ERR(data) || type == IOMMU_HW_INFO_TYPE_NONE ||
	    type == cmd->out_data_type)
		return data;
	kfree(data);
	return ERR_PTR(-EOPNOTSUPP);
}

/*
 * The PASID control register of a device, 0 for one without, as it was last set:
 * inside a reset the register itself is cleared.
 */
int iommufd_pasid_status(struct pci_dev *pdev)
{
	struct pci_dev *pf = pci_physfn(pdev);

	return pf->pasid_enabled ? PCI_PASID_CTRL_ENABLE | pf->pasid_features :
				   0;
}

/*
 * What the IOMMU core knows is what device and unit could have.  PASIDs are not
 * enabled on a path that does not redirect requests to the unit (ACS).
 */
u32 iommufd_pasid_max(struct device *dev)
{
	if (dev_is_pci(dev) && !iommufd_pasid_status(to_pci_dev(dev)))
		return 0;
	return dev->iommu->max_pasids;
}

u64 iommufd_pasid_hw_caps(struct device *dev)
{
	struct gpasid_caps caps;
	bool ats;

	if (!gpasid_get_caps(dev, &caps))
		ats = caps.caps & GPASID_CAP_ATS;
	else
		ats = dev_is_pci(dev) && pci_ats_supported(to_pci_dev(dev));
	return ats ? 0 : IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
}
