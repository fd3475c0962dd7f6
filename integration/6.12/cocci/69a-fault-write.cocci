// file: drivers/iommu/iommufd/fault.c
// Do not accept responses to page requests that a reset has ended.
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
