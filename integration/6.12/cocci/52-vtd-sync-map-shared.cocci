// file: drivers/iommu/intel/iommu.c
// gpasid_builtin.c asks it for units that the parent's PASIDs are bound on.
@@
type T;
@@
-static
 T domain_need_iotlb_sync_map(...) { ... }
