// file: drivers/iommu/iommufd/hw_pagetable.c
// Destroy the table before the domain.
@@
identifier hwpt;
@@
 static void __iommufd_hwpt_destroy(struct iommufd_hw_pagetable *hwpt)
 {
+	iommufd_pasid_hwpt_destroy(hwpt);
	...
 }
