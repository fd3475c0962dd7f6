/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest PASID binding: the in-kernel API.
 *
 * For a driver that owns devices or virtual devices (VFIO through iommufd, a
 * VDCM): bind a PASID of a device to a guest's first-stage table, nested on the
 * VM's second stage.  linux/gpasid-driver.h is for IOMMU drivers.
 */
#ifndef _LINUX_GPASID_H
#define _LINUX_GPASID_H

#include <linux/bits.h>
#include <linux/iommu.h>
#include <linux/ioasid.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <uapi/linux/gpasid.h>

struct device;
struct gpasid_table;
struct iommu_attach_handle;

/**
 * enum gpasid_bind_flags - Flags of iommu_sva_bind_gpasid()
 * @GPASID_BIND_GPASID: gpasid_bind_data::gpasid is given
 * @GPASID_BIND_REPLACE: replace the first-stage table of an existing binding
 * @GPASID_BIND_EXCLUSIVE: no other VM uses the device: the VMM may answer a
 *                         page request with failure, which stops all page
 *                         requests of the device
 */
enum gpasid_bind_flags {
	GPASID_BIND_GPASID = BIT(0),
	GPASID_BIND_REPLACE = BIT(1),
	GPASID_BIND_EXCLUSIVE = BIT(2),
};

/**
 * struct gpasid_bind_data - Arguments of iommu_sva_bind_gpasid()
 * @argsz: sizeof(struct gpasid_bind_data); any other size is refused
 * @flags: combination of enum gpasid_bind_flags
 * @set: IOASID set of the VM; the caller holds a reference during the call
 * @owner: identifies the caller; an opaque cookie, not NULL, the same at
 *         unbind.  A VFIO driver of virtual devices passes its struct
 *         vfio_device
 * @format: enum gpasid_format
 * @addr_width: guest-virtual address width in bits, 48 or 57
 * @hpasid: host PASID in @set, or 0 to look it up by @gpasid.  Set to the host
 *          PASID bound on success
 * @gpasid: guest PASID of the IOASID, with GPASID_BIND_GPASID
 * @pgtbl: guest-physical address of the first-stage table, 4 KiB aligned
 * @format_flags: attributes of the first stage; @format gives their meaning
 *                (for Intel VT-d: enum gpasid_vtd_flags)
 * @dev_id: device ID in the page requests of the binding
 * @unpin: called with @unpin_arg, in process context, when the last binding
 *         that was made with an @unpin under the parent is released; NULL: the
 *         caller keeps the parent alive by other means.  On an error, and when
 *         the parent already has an @unpin, it is called before the bind
 *         returns
 * @unpin_arg: the argument of @unpin
 */
struct gpasid_bind_data {
	u32 argsz;
	u32 flags;
	struct ioasid_set *set;
	void *owner;
	u32 format;
	u32 addr_width;
	ioasid_t hpasid;
	ioasid_t gpasid;
	u64 pgtbl;
	u64 format_flags;
	u32 dev_id;
	void (*unpin)(void *arg);
	void *unpin_arg;
};

/**
 * struct gpasid_caps - Capabilities of a device and its IOMMU
 * @caps: combination of enum gpasid_cap_flags
 * @errata: combination of enum gpasid_errata_flags
 * @format_flags: attributes of the first stage that a bind may ask for; the
 *                device's format gives their meaning (for Intel VT-d: enum
 *                gpasid_vtd_flags)
 * @pasid_bits: width of a PASID on this device in bits, 0 if it has none
 * @addr_widths: bit 0: 48-bit, bit 1: 57-bit first-stage tables
 * @formats: bit N: enum gpasid_format N
 */
struct gpasid_caps {
	u32 caps;
	u32 errata;
	u64 format_flags;
	u32 pasid_bits;
	u32 addr_widths;
	u32 formats;
};

int iommu_sva_bind_gpasid(struct iommu_domain *parent, struct device *dev,
			  struct gpasid_bind_data *data);
int iommu_sva_unbind_gpasid(struct device *dev, struct ioasid_set *set,
			    ioasid_t hpasid, void *owner);
void iommu_sva_unbind_gpasid_owner(struct device *dev, void *owner);
unsigned long gpasid_count(struct device *dev, const void *owner);
bool gpasid_owner_busy(const void *owner);
int gpasid_check_parent(struct device *dev, struct iommu_domain *parent);
bool gpasid_is_bound(struct device *dev, struct ioasid_set *set,
		     ioasid_t hpasid, const void *owner);
int gpasid_get_caps(struct device *dev, struct gpasid_caps *caps);
int gpasid_invalidate(struct ioasid_set *set,
		      const struct iommu_gpasid_inv *entries, unsigned int nr,
		      u32 flags, unsigned int *done);
int gpasid_free_host(struct ioasid_set *set, ioasid_t hpasid);

/**
 * gpasid_find_host() - Find the host PASID for a PASID that a guest uses
 * @set: the VM's set
 * @gpasid: the PASID that the guest uses
 *
 * For a host PASID that has no guest PASID, the guest uses the host PASID.
 *
 * Context: Any context.
 * Return: the host PASID, or IOMMU_PASID_INVALID.
 */
static inline ioasid_t gpasid_find_host(struct ioasid_set *set,
					ioasid_t gpasid)
{
	ioasid_t hpasid = ioasid_find_by_spid(set, gpasid);

	if (hpasid != IOMMU_PASID_INVALID)
		return hpasid;
	/* In this order: one that is freed meanwhile has no SPID any more. */
	if (ioasid_spid(set, gpasid) != IOMMU_PASID_INVALID ||
	    IS_ERR(ioasid_find(set, gpasid)))
		return IOMMU_PASID_INVALID;
	return gpasid;
}

/**
 * struct gpasid_hwpt_ops - Callbacks from the core to an HWPT
 * @unbound: a PASID no longer uses the HWPT.  Called once for each attach that
 *           succeeded, with the @owner and the @handle of that attach, after
 *           its page requests have been drained.  The core no longer uses the
 *           HWPT's domain or its parent on behalf of that attach
 *
 * Called in process context with no lock of the core held.
 */
struct gpasid_hwpt_ops {
	void (*unbound)(void *priv, void *owner,
			struct iommu_attach_handle *handle);
};

/**
 * struct gpasid_pasid - A PASID of a device's own
 * @dev: the device
 * @owner: identifies the caller; an opaque cookie, not NULL
 * @pasid: the PASID on the wire
 * @dev_id: device ID in the page requests of the PASID
 * @handle: receives page requests, owned by the caller until
 *          gpasid_hwpt_ops::unbound; NULL: they are answered as invalid
 */
struct gpasid_pasid {
	struct device *dev;
	void *owner;
	u32 pasid;
	u32 dev_id;
	struct iommu_attach_handle *handle;
};

struct gpasid_table *gpasid_hwpt_table_create(struct device *dev,
					      struct iommu_domain *domain,
					      const struct gpasid_hwpt_ops *ops,
					      void *priv);
void gpasid_table_put(struct gpasid_table *table);
int gpasid_pasid_attach(struct gpasid_table *table,
			const struct gpasid_pasid *p);
int gpasid_pasid_detach(struct device *dev, u32 pasid, void *owner);

/* Page requests: one queue for each VM that handles page requests. */
struct gpasid_fault_queue;

struct gpasid_fault_queue *gpasid_fault_queue_create(struct ioasid_set *set,
						     u32 *limit,
						     u32 *timeout_ms);
void gpasid_fault_queue_destroy(struct gpasid_fault_queue *q);
unsigned int gpasid_fault_peek(struct gpasid_fault_queue *q,
			       struct iommu_gpasid_fault *records,
			       unsigned int nr);
void gpasid_fault_take(struct gpasid_fault_queue *q,
		       const struct iommu_gpasid_fault *records,
		       unsigned int nr);
bool gpasid_fault_pending(struct gpasid_fault_queue *q);
wait_queue_head_t *gpasid_fault_wait(struct gpasid_fault_queue *q);
int gpasid_fault_respond(struct gpasid_fault_queue *q, u64 cookie, u32 code);
void gpasid_fault_pause(struct gpasid_fault_queue *q, bool pause);

#endif /* _LINUX_GPASID_H */
