// file: drivers/iommu/iommufd/device.c
// Inside a reset the device's register says that PASIDs are off, and the kernel
// warned of that, too.
@@
expression E;
@@
 iommufd_get_hw_info(...)
 {
	<...
-	pci_pasid_status(E)
+	iommufd_pasid_status(E)
	...>
 }
