// file: drivers/iommu/intel/iommu.c
// gpasid_builtin.c calls it for units that PASIDs of a parent are bound on.
@@
type T;
@@
-static
 T domain_need_iotlb_sync_map(...) { ... }
