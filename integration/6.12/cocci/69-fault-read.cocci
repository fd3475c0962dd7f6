// file: drivers/iommu/iommufd/fault.c
// Do not read page requests that a reset of the device has ended.
@@
symbol fault;
@@
 iommufd_fault_fops_read(...)
 {
	<...
	mutex_lock(&fault->mutex);
+	iommufd_fault_free_ended(fault);
	...>
 }
