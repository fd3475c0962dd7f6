// file: drivers/iommu/iommufd/fault.c
// A VM that does not read keeps no more than those of one reset.
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
