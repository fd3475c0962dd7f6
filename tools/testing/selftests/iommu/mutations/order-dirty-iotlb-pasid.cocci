// file: drivers/iommu/intel/gpasid_builtin.c
// breaks: dirty tracking invalidates the PASID cache before the IOTLB
// run: gpasid_running -t no_write_is_missed_by_dirty_tracking
// test: no_write_is_missed_by_dirty_tracking
// lab: --adverse
@@
@@
 enum intel_gpasid_cache {
-	INTEL_GPASID_PASID_CACHE,
	INTEL_GPASID_IOTLB,
+	INTEL_GPASID_PASID_CACHE,
	INTEL_GPASID_DEVTLB,
	INTEL_GPASID_NR_CACHES,
 };
