// file: drivers/iommu/iommufd/iommufd_private.h
// A context owns one IOASID set and one queue of page requests.
@@
@@
 struct iommufd_ctx {
	...
	struct iommufd_ioas *vfio_ioas;
+	struct ioasid_set *gpasid_set;
+	struct gpasid_fault_queue *gpasid_faults;
	...
 };
