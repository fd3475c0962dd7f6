// file: drivers/iommu/iommufd/fault.c
// Page requests from before a reset of the device are neither read nor answered.
@@
symbol fault;
@@
 iommufd_fault_fops_write(...)
 {
	<...
	mutex_lock(&fault->mutex);
+	iommufd_fault_free_ended(fault);
	...>
 }
