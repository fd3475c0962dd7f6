// file: drivers/iommu/iommufd/main.c
// Make room for the structures of the added ioctls.
@@
@@
 union ucmd_buffer {
	...
	struct iommu_vfio_ioas vfio_ioas;
+	struct iommu_ioas_map_file map_file;
+	struct iommu_gpasid_alloc gpasid_alloc;
+	struct iommu_gpasid_free gpasid_free;
+	struct iommu_gpasid_lookup gpasid_lookup;
+	struct iommu_gpasid_quota gpasid_quota;
+	struct iommu_gpasid_invalidate gpasid_invalidate;
+	struct iommu_gpasid_fault_alloc gpasid_fault_alloc;
	...
 };
