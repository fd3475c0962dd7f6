// file: drivers/iommu/intel/dmar.c
// intel_gpasid_queue_check() prints errors by the driver's function.
@@
@@
-static
 void qi_dump_fault(...) { ... }
