// file: include/uapi/linux/iommufd.h
// As Linux 7.3: report whether a device can have a device TLB.
@@
@@
 enum iommufd_hw_capabilities {
	...,
+	IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED = 8,
 };
