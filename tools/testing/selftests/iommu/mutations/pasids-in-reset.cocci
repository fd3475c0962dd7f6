// file: drivers/iommu/iommufd/pasid.c
// breaks: a device inside a reset is told to have its PASIDs
// run: gpasid_reset -t a_device_inside_a_reset_is_told_to_have_its_pasids
// kernel: debug
@@
expression E;
identifier pdev;
@@
 iommufd_pasid_status(struct pci_dev *pdev)
 {
	...
-	return E;
+	return pci_pasid_status(pdev);
 }
