// file: drivers/iommu/iommufd/fault.c
// Do not report page requests as readable that a reset has ended.
@@
symbol fault, filep, wait;
@@
 iommufd_fault_fops_poll(...)
 {
	...
	poll_wait(filep, &fault->wait_queue, wait);
+	iommufd_fault_poll_ended(fault);
	...
 }
