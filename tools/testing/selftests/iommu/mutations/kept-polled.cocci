// file: drivers/iommu/iommufd/gpasid_fault.c
// breaks: a poll frees page requests that a reset has ended
// run: gpasid_reset -t a_poll_frees_read_requests_that_a_reset_has_ended
// kernel: debug
@@
symbol fault;
@@
 iommufd_fault_poll_ended(...)
 {
	...
-	iommufd_fault_free_ended(fault);
+	iommufd_fault_free_unread(fault);
	...
 }
