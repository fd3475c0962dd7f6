// file: drivers/iommu/iommufd/fault.c
// Bound the number of groups kept for a VM that does not read them.
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
