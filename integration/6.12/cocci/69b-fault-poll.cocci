// file: drivers/iommu/iommufd/fault.c
// Nor are they there to be read.
@@
symbol fault, filep, wait;
@@
 iommufd_fault_fops_poll(...)
 {
	...
	poll_wait(filep, &fault->wait_queue, wait);
+	iommufd_fault_free_unread(fault);
	...
 }
