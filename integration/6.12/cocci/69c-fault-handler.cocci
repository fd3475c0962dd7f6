// file: drivers/iommu/iommufd/fault.c
// Bound the groups kept for a VM that does not read.
@@
symbol fault, hwpt;
@@
 iommufd_fault_iopf_handler(...)
 {
	...
	fault = hwpt->fault;
+	iommufd_fault_free_unread(fault);
	...
 }
