/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The host of a virtual unit on iommufd and VFIO, by the ABI that is in Linux
 * since 6.15 and in this project's 6.12.
 *
 * Each function below goes into the member of struct vvtd_ops of the same name;
 * the host argument of vvtd_dev_add() is a struct vvtd_iommufd.  A first-stage
 * binding is a nested HWPT of its own, kept as the binding's handle.
 */
#ifndef VVTD_IOMMUFD_H
#define VVTD_IOMMUFD_H

#include "vvtd.h"

/**
 * struct vvtd_iommufd - A passed-through device
 * @iommufd: the VMM's /dev/iommu
 * @vfio: the device file, bound to @iommufd
 * @devid: its ID there
 * @parent: HWPT made with NEST_PARENT and PASID, which maps the guest's memory
 * @ioas: of @parent, from which shadowed domains take the guest's memory
 * @fault_id: a fault queue of its own for page requests; 0: none
 * @fault_fd: its file
 */
struct vvtd_iommufd {
	int iommufd;
	int vfio;
	uint32_t devid;
	uint32_t parent;
	uint32_t ioas;
	uint32_t fault_id;
	int fault_fd;
};

/* What the host says of the device; @page_requests if it has a fault queue. */
int vvtd_iommufd_caps(const struct vvtd_iommufd *dev,
		      struct vvtd_host_caps *caps);

int vvtd_iommufd_bind(void *ctx, void *host, uint32_t pasid,
		      struct vvtd_stage *stage);
int vvtd_iommufd_replace(void *ctx, void *host, uint32_t pasid,
			 struct vvtd_stage *stage);
void vvtd_iommufd_unbind(void *ctx, void *host, uint32_t pasid,
			 uint32_t handle);
int vvtd_iommufd_invalidate(void *ctx, const struct vvtd_inv *inv, size_t num);
void vvtd_iommufd_respond(void *ctx, void *host, uint64_t cookie,
			  uint8_t answer);

/* Shadowed domains: an IOAS and an HWPT each. */
int vvtd_iommufd_domain_alloc(void *ctx, void *host, void **domain);
void vvtd_iommufd_domain_free(void *ctx, void *domain);
int vvtd_iommufd_map(void *ctx, void *domain, uint64_t iova, uint64_t gpa,
		     uint64_t size, unsigned int prot);
void vvtd_iommufd_unmap(void *ctx, void *domain, uint64_t iova, uint64_t size);

/*
 * Read what the fault queue has and hand it to the unit.  The file should not
 * block.  Returns the number of requests, or a negative errno.
 */
int vvtd_iommufd_page_requests(const struct vvtd_iommufd *dev,
			       struct vvtd_dev *guest);

#endif /* VVTD_IOMMUFD_H */
