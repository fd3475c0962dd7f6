// file: drivers/vfio/pci/vfio_pci.c
// Support PASIDs on devices that are passed to the user as a whole.
@@
@@
 struct vfio_device_ops vfio_pci_ops = {
	...,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
+	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,
+	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
 };
