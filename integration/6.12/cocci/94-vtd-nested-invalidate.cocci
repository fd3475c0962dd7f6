// file: drivers/iommu/intel/nested.c
// PASIDs attached to an HWPT have no cache tags on its domain.  The backend
// invalidates for them, and waits once for many ranges.
@@
identifier domain, array, ret;
@@
 static int intel_nested_cache_invalidate_user(struct iommu_domain *domain,
	struct iommu_user_data_array *array)
 {
	...
	int ret = 0;
+	if (domain->gpasid_table && intel_gpasid_invalidate_user(domain, array, &ret))
+		return ret;
	...
 }
