// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "../gpasid/abi.h"
#include "iommufd.h"

#define MAX_INVS	128
#define MAX_FAULTS	64

/* A shadowed domain. */
struct domain {
	int iommufd;
	uint32_t source;	/* IOAS of the guest's memory */
	uint32_t ioas;
	uint32_t hwpt;
};

static int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static void destroy(int iommufd, uint32_t id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	if (id)
		call(iommufd, IOMMU_DESTROY, &cmd);
}

static int attach(const struct vvtd_iommufd *dev, uint32_t pasid, uint32_t id)
{
	struct gpasid_attach_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = pasid == VVTD_RID ? 0 : GPASID_BY_PASID,
		.pt_id = id,
		.pasid = pasid,
	};

	return call(dev->vfio, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
}

static void detach(const struct vvtd_iommufd *dev, uint32_t pasid)
{
	struct gpasid_detach_pt cmd = {
		.argsz = sizeof(cmd),
		.flags = pasid == VVTD_RID ? 0 : GPASID_BY_PASID,
		.pasid = pasid,
	};

	call(dev->vfio, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

static uint64_t table_flags(uint8_t flags)
{
	return (flags & VVTD_SUPERVISOR ? IOMMU_VTD_S1_SRE : 0) |
	       (flags & VVTD_EXT_ACCESS ? IOMMU_VTD_S1_EAFE : 0) |
	       (flags & VVTD_WRITE_PROTECT ? IOMMU_VTD_S1_WPE : 0);
}

static int nested(const struct vvtd_iommufd *dev,
		  const struct vvtd_stage *stage, uint32_t *hwpt)
{
	struct iommu_hwpt_vtd_s1 s1 = {
		.flags = table_flags(stage->flags),
		.pgtbl_addr = stage->table,
		.addr_width = stage->flags & VVTD_FIVE_LEVEL ? 57 : 48,
	};
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = GPASID_HWPT_PASID,
		.dev_id = dev->devid,
		.pt_id = dev->parent,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(s1),
		.data_uptr = (uintptr_t)&s1,
	};
	int rc;

	if (stage->flags & VVTD_PAGE_REQUESTS) {
		cmd.flags |= IOMMU_HWPT_FAULT_ID_VALID;
		cmd.fault_id = dev->fault_id;
	}
	rc = call(dev->iommufd, IOMMU_HWPT_ALLOC, &cmd);
	*hwpt = cmd.out_hwpt_id;
	return rc;
}

/* The parent, or a shadowed domain: no HWPT of the binding's own. */
static int bind_shared(const struct vvtd_iommufd *dev, uint32_t pasid,
		       struct vvtd_stage *stage)
{
	const struct domain *d = stage->domain;
	int rc = attach(dev, pasid, stage->kind == VVTD_SHADOW ? d->hwpt :
								 dev->parent);

	if (!rc)
		stage->handle = 0;
	return rc;
}

int vvtd_iommufd_bind(void *ctx, void *host, uint32_t pasid,
		      struct vvtd_stage *stage)
{
	const struct vvtd_iommufd *dev = host;
	uint32_t hwpt;
	int rc;

	(void)ctx;
	if (stage->kind != VVTD_FIRST_STAGE)
		return bind_shared(dev, pasid, stage);
	rc = nested(dev, stage, &hwpt);
	if (rc)
		return rc;
	rc = attach(dev, pasid, hwpt);
	if (rc) {
		destroy(dev->iommufd, hwpt);
		return rc;
	}
	stage->handle = hwpt;
	return 0;
}

/* An attach of what is attached is a replace. */
int vvtd_iommufd_replace(void *ctx, void *host, uint32_t pasid,
			 struct vvtd_stage *stage)
{
	const struct vvtd_iommufd *dev = host;
	uint32_t old = stage->handle;
	int rc = vvtd_iommufd_bind(ctx, host, pasid, stage);

	if (!rc)
		destroy(dev->iommufd, old);
	return rc;
}

void vvtd_iommufd_unbind(void *ctx, void *host, uint32_t pasid,
			 uint32_t handle)
{
	const struct vvtd_iommufd *dev = host;

	(void)ctx;
	detach(dev, pasid);
	destroy(dev->iommufd, handle);
}

static void fill(struct iommu_hwpt_vtd_s1_invalidate *s1,
		 const struct vvtd_inv *inv)
{
	*s1 = (struct iommu_hwpt_vtd_s1_invalidate){
		.addr = inv->addr,
		.npages = inv->npages,
		.flags = inv->leaf ? IOMMU_VTD_INV_FLAGS_LEAF : 0,
	};
}

/* Those of one HWPT, which stand together; returns how many. */
static size_t invalidate_some(const struct vvtd_inv *inv, size_t num, int *rc)
{
	struct iommu_hwpt_vtd_s1_invalidate s1[MAX_INVS];
	const struct vvtd_iommufd *dev = inv->host;
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = inv->handle,
		.data_uptr = (uintptr_t)s1,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.entry_len = sizeof(s1[0]),
	};
	size_t n;

	for (n = 0; n < num && n < MAX_INVS; n++) {
		if (inv[n].handle != inv->handle)
			break;
		fill(&s1[n], &inv[n]);
	}
	cmd.entry_num = n;
	*rc = call(dev->iommufd, IOMMU_HWPT_INVALIDATE, &cmd);
	return n;
}

int vvtd_iommufd_invalidate(void *ctx, const struct vvtd_inv *inv, size_t num)
{
	size_t done = 0;
	int first = 0;

	(void)ctx;
	while (done < num) {
		int rc;

		done += invalidate_some(inv + done, num - done, &rc);
		first = first ? first : rc;
	}
	return first;
}

void vvtd_iommufd_respond(void *ctx, void *host, uint64_t cookie,
			  uint8_t answer)
{
	const struct vvtd_iommufd *dev = host;
	struct iommu_hwpt_page_response r = {
		.cookie = cookie,
		.code = answer == VVTD_ANSWER_SUCCESS ?
			IOMMUFD_PAGE_RESP_SUCCESS : IOMMUFD_PAGE_RESP_INVALID,
	};

	(void)ctx;
	/* The kernel may have ended the group meanwhile: nobody to tell. */
	if (write(dev->fault_fd, &r, sizeof(r)) < 0)
		return;
}

static int paging(const struct vvtd_iommufd *dev, struct domain *d)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_hwpt_alloc hwpt = {
		.size = sizeof(hwpt),
		.flags = GPASID_HWPT_PASID,
		.dev_id = dev->devid,
	};
	int rc = call(d->iommufd, IOMMU_IOAS_ALLOC, &ioas);

	if (rc)
		return rc;
	hwpt.pt_id = ioas.out_ioas_id;
	rc = call(d->iommufd, IOMMU_HWPT_ALLOC, &hwpt);
	if (rc) {
		destroy(d->iommufd, ioas.out_ioas_id);
		return rc;
	}
	d->ioas = ioas.out_ioas_id;
	d->hwpt = hwpt.out_hwpt_id;
	return 0;
}

int vvtd_iommufd_domain_alloc(void *ctx, void *host, void **domain)
{
	const struct vvtd_iommufd *dev = host;
	struct domain *d = calloc(1, sizeof(*d));
	int rc;

	(void)ctx;
	if (!d)
		return -ENOMEM;
	d->iommufd = dev->iommufd;
	d->source = dev->ioas;
	rc = paging(dev, d);
	if (rc)
		free(d);
	else
		*domain = d;
	return rc;
}

void vvtd_iommufd_domain_free(void *ctx, void *domain)
{
	struct domain *d = domain;

	(void)ctx;
	destroy(d->iommufd, d->hwpt);
	destroy(d->iommufd, d->ioas);
	free(d);
}

/* The pages that the guest's memory map has there, pinned once more. */
int vvtd_iommufd_map(void *ctx, void *domain, uint64_t iova, uint64_t gpa,
		     uint64_t size, unsigned int prot)
{
	const struct domain *d = domain;
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA,
		.dst_ioas_id = d->ioas,
		.src_ioas_id = d->source,
		.length = size,
		.dst_iova = iova,
		.src_iova = gpa,
	};

	(void)ctx;
	cmd.flags |= prot & VVTD_READ ? IOMMU_IOAS_MAP_READABLE : 0;
	cmd.flags |= prot & VVTD_WRITE ? IOMMU_IOAS_MAP_WRITEABLE : 0;
	return call(d->iommufd, IOMMU_IOAS_COPY, &cmd);
}

void vvtd_iommufd_unmap(void *ctx, void *domain, uint64_t iova, uint64_t size)
{
	const struct domain *d = domain;
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = d->ioas,
		.iova = iova,
		.length = size,
	};

	(void)ctx;
	call(d->iommufd, IOMMU_IOAS_UNMAP, &cmd);
}

static void hand_on(struct vvtd_dev *guest, const struct iommu_hwpt_pgfault *f)
{
	const struct vvtd_page_request rq = {
		.cookie = f->cookie,
		.addr = f->addr,
		.pasid = f->pasid,
		.group = f->grpid,
		.has_pasid = f->flags & IOMMU_PGFAULT_FLAGS_PASID_VALID,
		.last = f->flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE,
		.read = f->perm & IOMMU_PGFAULT_PERM_READ,
		.write = f->perm & IOMMU_PGFAULT_PERM_WRITE,
		.exec = f->perm & IOMMU_PGFAULT_PERM_EXEC,
		.privileged = f->perm & IOMMU_PGFAULT_PERM_PRIV,
	};

	vvtd_page_request(guest, &rq);
}

int vvtd_iommufd_page_requests(const struct vvtd_iommufd *dev,
			       struct vvtd_dev *guest)
{
	struct iommu_hwpt_pgfault f[MAX_FAULTS];
	ssize_t n = read(dev->fault_fd, f, sizeof(f));
	int i, num;

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	num = n / (ssize_t)sizeof(f[0]);
	for (i = 0; i < num; i++)
		hand_on(guest, &f[i]);
	return num;
}

int vvtd_iommufd_caps(const struct vvtd_iommufd *dev,
		      struct vvtd_host_caps *caps)
{
	struct iommu_hw_info_vtd vtd = { 0 };
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = dev->devid,
		.data_len = sizeof(vtd),
		.data_uptr = (uintptr_t)&vtd,
	};
	int rc = call(dev->iommufd, IOMMU_GET_HW_INFO, &cmd);

	if (rc)
		return rc;
	if (cmd.out_data_type != IOMMU_HW_INFO_TYPE_INTEL_VTD)
		return -EOPNOTSUPP;
	*caps = (struct vvtd_host_caps){
		.cap = vtd.cap_reg,
		.ecap = vtd.ecap_reg,
		.pasid_bits = cmd.out_max_pasid_log2,
		.no_read_only = vtd.flags &
				IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17,
		.page_requests = dev->fault_id,
	};
	return 0;
}
