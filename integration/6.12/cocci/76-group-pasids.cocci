// file: drivers/iommu/iommufd/iommufd_private.h
// The number of PASIDs of a group's devices that are attached to HWPTs.
@@
@@
 struct iommufd_group {
	...
	phys_addr_t sw_msi_start;
+	atomic_t nr_pasids;
	...
 };
