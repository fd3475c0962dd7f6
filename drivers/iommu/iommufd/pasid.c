// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs by iommufd's own ABI: an HWPT is attached to a PASID of a device.
 *
 * An HWPT that is allocated for PASIDs has a table in the binding core for as
 * long as it has a domain.  Each attach holds references on the HWPT and the
 * device until the core calls pasid_unbound().
 *
 * iommufd_group::lock is held during an attach, so that the check of the HWPT
 * of the RID and the number of attached PASIDs are consistent.  pasid_unbound()
 * does not take this lock: it is called under the lock when an attach replaces
 * another one.
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
 * Return the flags that iommufd_hwpt_paging_alloc() checks and passes to the
 * IOMMU driver.  IOMMU_HWPT_FAULT_ID_VALID is left set on a nesting parent, for
 * which that function refuses it: the page requests are those of the nested
 * HWPTs.
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

/* Release the resources of an attach that has ended or failed. */
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
 * IOMMU_HWPT_ALLOC_PASID is accepted on every device.  If the IOMMU driver of
 * the device does not support guest PASIDs, the HWPT has no table and cannot be
 * attached to a PASID.
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

/* Called before the domain is freed. */
void iommufd_pasid_hwpt_destroy(struct iommufd_hw_pagetable *hwpt)
{
	if (hwpt->domain)
		gpasid_table_put(hwpt->domain->gpasid_table);
}

/*
 * Return the nested HWPT @id with a reference, -EINVAL if @id is an object of
 * another type, or -ENOENT if there is no such object.
 */
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
 * Return 0 if the RID of a group may be attached to @hwpt.  While PASIDs are
 * attached, @hwpt must be allocated with IOMMU_HWPT_ALLOC_PASID.
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
 * iommufd_fault_iopf_enable() returns -EINVAL for all virtual functions.
 * Return -EINVAL only if the physical function has page requests, which its
 * virtual functions share, and -ENODEV for a device without page requests.
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

/*
 * Enable page requests and allocate *@handle.  An HWPT without a fault queue
 * needs no handle: *@handle is NULL.
 */
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

	/* The attach may end, and drop these, before the call returns. */
	refcount_inc(&hwpt->obj.users);
	refcount_inc(&idev->obj.users);
	atomic_inc(&idev->igroup->nr_pasids);
	rc = gpasid_pasid_attach(hwpt->domain->gpasid_table, &p);
	if (!rc)
		return 0;

	pasid_unbound(hwpt, idev, p.handle);
	if (rc > 0)
		return 0;
	/* -EINVAL: another HWPT may be compatible, as for a RID. */
	return rc == -EOPNOTSUPP ? -EINVAL : rc;
}

/**
 * iommufd_device_pasid_attach() - Attach a PASID of a device to an HWPT
 * @idev: the device
 * @pasid: the PASID on the wire
 * @pt_id: the HWPT, allocated with IOMMU_HWPT_ALLOC_PASID
 *
 * A PASID that is attached to another HWPT is moved to this one; on an error it
 * stays attached to the other one.
 *
 * Context: Process context. May sleep. Takes the device's group lock.
 * Return: 0, also if the PASID is already attached to that HWPT; -ENOENT (no
 * such object); -EINVAL (not an HWPT; this HWPT or that of the RID is not
 * allocated for PASIDs; PASID out of range, or PASID 0 while the RID is not
 * attached; the HWPT does not fit the device's IOMMU; page requests of a
 * virtual function); -EOPNOTSUPP (no PASIDs on this device or in its IOMMU
 * driver, or the device is not alone in its IOMMU group); -ENODEV (the HWPT has
 * a fault queue, and the device no page requests); -EBUSY (PASID 0 while the
 * RID is attached, or the PASID is bound otherwise); -ENOSPC (PASID above
 * INT_MAX, or out of domain IDs); -ENOMEM.
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

	/* An automatic HWPT of an IOAS is not allocated for PASIDs. */
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
 * @pasid: the PASID on the wire; nothing is done if it is not attached
 *
 * Context: Process context. May sleep.
 */
void iommufd_device_pasid_detach(struct iommufd_device *idev, u32 pasid)
{
	gpasid_pasid_detach(idev->dev, pasid, idev);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_detach, IOMMUFD);

/**
 * iommufd_device_pasid_detach_all() - Detach all PASIDs of a device
 * @idev: the device
 *
 * For a driver that is about to detach the RID and unbind from the context.
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

/*
 * Return the hardware information of the IOMMU driver, or -EOPNOTSUPP if it is
 * not of the type that the user asks for.
 */
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
 * Return the PASID control register of a device, or 0 if it has none.  Return
 * the value that was last set: during a reset the register itself is cleared.
 */
int iommufd_pasid_status(struct pci_dev *pdev)
{
	struct pci_dev *pf = pci_physfn(pdev);

	return pf->pasid_enabled ? PCI_PASID_CTRL_ENABLE | pf->pasid_features :
				   0;
}

/*
 * dev->iommu->max_pasids is the number of PASIDs that the device and its unit
 * support.  Return 0 if PASIDs could not be enabled, as on a path that does not
 * redirect requests to the unit (ACS).
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
