// file: drivers/iommu/intel/iommu.c
// Remove functions that are unused after rule 17.
@@
identifier f = {device_set_dirty_tracking, parent_domain_set_dirty_tracking};
type T;
@@
-static T f(...) { ... }
