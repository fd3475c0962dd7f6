// file: drivers/iommu/intel/dmar.c
// intel_gpasid_queue_check() prints what is wrong as the driver does.
@@
@@
-static
 void qi_dump_fault(...) { ... }
