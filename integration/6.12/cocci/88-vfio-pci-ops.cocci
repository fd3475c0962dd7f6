// file: drivers/vfio/pci/vfio_pci.c
// A device that is the user's as a whole has PASIDs.
@@
@@
 struct vfio_device_ops vfio_pci_ops = {
	...,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
+	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,
+	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
 };
